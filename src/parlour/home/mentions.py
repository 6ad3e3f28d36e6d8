"""Which things of a house an utterance speaks of, in any of the nine languages; pure."""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from parlour.home.entities import Entity, Kind, Names, Places
from parlour.home.kinds import KINDS
from parlour.home.language import LANGUAGES, Language, load
from parlour.home.resolve import OF_THE_HOME
from parlour.home.spans import Phrases
from parlour.home.words import Word
from parlour.ids import EntityId

MOST_WORDS = 60  # of an utterance
MOST_MENTIONED = 8


class Mentions:
    """The names of the exposed things of one revision in one language."""

    def __init__(self, language: str, things: Sequence[Entity], places: Places) -> None:
        self._language = load(language[:2] if language[:2] in LANGUAGES else "en")
        self._things = things
        self._by_id = {e.id: e for e in things}
        self._named = self._phrases((n, e.id) for e in things for n in _names(e, self._language))
        areas: dict[str, Names] = {e.area: {} for e in things if e.area}
        areas.update({name: area.aliases for name, area in places.areas.items()})
        floors: dict[str, Names] = {e.floor: {} for e in things if e.floor}
        floors.update({name: floor.aliases for name, floor in places.floors.items()})
        self._areas = self._phrases(_called(areas, self._language))
        self._floors = self._phrases(_called(floors, self._language))
        self._kinds = _kinds(self._language.code)

    def find(self, text: str) -> list[Entity]:
        """At most eight: those named, then those of a room or a kind that was named."""
        words = self._language.orthography.words(text)[:MOST_WORDS]
        taken: set[int] = set()
        named = _found(self._named, words, taken)
        # The room of a name that was said is not meant as a whole.
        areas, floors = (_found(each, words, set(taken)) for each in (self._areas, self._floors))
        kinds = [kind for kind in _found(self._kinds, words, taken) if kind in KINDS]
        found = [self._by_id[EntityId(id_)] for id_ in named if id_ in self._by_id]
        found += self._of_kinds(kinds, areas, floors) or self._in_areas(areas)
        unique = {entity.id: entity for entity in found}
        return list(unique.values())[:MOST_MENTIONED]

    def _of_kinds(
        self, kinds: Sequence[str], areas: Sequence[str], floors: Sequence[str]
    ) -> list[Entity]:
        if areas or floors:
            there = [e for e in self._things if e.area in areas or e.floor in floors]
        else:
            kinds = [kind for kind in kinds if kind in OF_THE_HOME]
            there = list(self._things)
        return [e for e in there if any(KINDS[kind](e) for kind in kinds)]

    def _in_areas(self, areas: Sequence[str]) -> list[Entity]:
        """What measures first: "how warm is it in the office?" names nothing else."""
        there = [e for e in self._things if e.area in areas and e.device_class != "battery"]
        return sorted(there, key=lambda e: e.kind is not Kind.SENSOR)

    def _phrases(self, pairs: Iterator[tuple[str, str]]) -> Phrases:
        known = self._language
        return Phrases(pairs, known.orthography, known.endings, known.numerals, is_loose=True)


@cache
def _kinds(code: str) -> Phrases:
    known = load(code)
    pairs = ((word, kind) for kind, words in known.kinds.items() for word in words)
    return Phrases(pairs, known.orthography, known.endings, known.numerals)


@cache
def _generic(code: str) -> frozenset[str]:
    """Words that are nobody's name, whatever one of them may be called."""
    known = load(code)
    return frozenset(
        " ".join(known.orthography.split(word)) for words in known.kinds.values() for word in words
    )


@lru_cache(5000)
def _split(code: str, text: str) -> tuple[str, ...]:
    return tuple(load(code).orthography.split(text))


def _names(entity: Entity, language: Language) -> Iterator[str]:
    """What it is called, with and without its room; `vocabulary.names_of` knows more, and is slow."""
    code, generic = language.code, _generic(language.code)
    area = _split(code, entity.area or "")
    for name in (entity.name, *(alias for each in entity.aliases.values() for alias in each)):
        words = name.replace("_", " ").split()
        folded = _split(code, name.replace("_", " "))
        yield from (" ".join(words),) if " ".join(folded) not in generic else ()
        rest = folded[len(area) :]
        is_said = bool(area) and folded[: len(area)] == area and len(words) == len(folded)
        if is_said and rest and " ".join(rest) not in generic:
            yield " ".join(words[len(area) :])


def _called(places: dict[str, Names], language: Language) -> Iterator[tuple[str, str]]:
    usual = {
        word.casefold(): (name, *others)
        for name, others in language.places.items()
        for word in (name, *others)
    }
    for place, aliases in places.items():
        for name in (place, *(alias for each in aliases.values() for alias in each)):
            yield name, place
            for other in usual.get(name.casefold(), ()):
                yield other, place


def _found(phrases: Phrases, words: Sequence[Word], taken: set[int]) -> list[str]:
    """Of what overlaps, the longest counts; the words of what was found are taken then."""
    found: dict[str, None] = {}
    start = 0
    while start < len(words):
        spans = () if start in taken else phrases.find(words, start).spans
        longest = max(spans, key=lambda span: span.end, default=None)
        if longest is None:
            start += 1
            continue
        found.update(dict.fromkeys(str(longest.value).split("|")))
        taken.update(range(start, longest.end))
        start = longest.end
    return list(found)
