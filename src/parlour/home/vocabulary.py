"""What the things of one house are called in one language, and words that nearly are such names."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from parlour.home.entities import Entity, Kind, Names, Places
from parlour.home.kinds import KINDS, VIEWS
from parlour.home.language import Language
from parlour.home.spans import Phrases, Values, listed
from parlour.home.words import Word, english_loan
from parlour.ports import Slot

SHORTEST_MENDED = 3  # letters; shorter words are each other's neighbours
MOST_COMMON = 6  # words for a kind, singular and plural, that are never a name
MOST_MENDED = 2  # words of one sentence
_LINKS = ("", "n", "s", "en", "es", "er")  # between the parts of a German compound


@dataclass(frozen=True, slots=True)
class HouseWords:
    """The lists that change with the house, and an index of their words."""

    lists: Mapping[str, Values]
    words: frozenset[str]  # every word of every name, area and kind, by key
    areas: frozenset[str]  # areas of one word, by key
    near: Mapping[str, frozenset[str]]  # words by what is left when one letter is taken out
    alike: Mapping[str, frozenset[str]]  # words by their consonants

    def nearest(self, word: Word) -> list[str]:
        """Words of the house that a recogniser might have meant, or nobody."""
        if len(word.key) < SHORTEST_MENDED:
            return []
        found: dict[str, None] = {}
        for short in _shortened(word.key):
            found.update(dict.fromkeys(sorted(self.near.get(short, ()))))
        sounds = _consonants(word.key)
        if len(sounds) > 1:
            found.update(dict.fromkeys(sorted(self.alike.get(sounds, ()))))
        return [other for other in found if abs(len(other) - len(word.key)) <= 2]


def house_words(language: Language, entities: Iterable[Entity], places: Places) -> HouseWords:
    """Collect all names in a language: a few milliseconds for a hundred devices."""
    things = [e for e in entities if e.exposed]
    lists: dict[str, Phrases] = {}

    def phrases(pairs: Iterable[tuple[str, Slot]], *, is_loose: bool = True) -> Phrases:
        said = ((_as_heard(text, language), value) for text, value in pairs)
        return Phrases(
            said, language.orthography, language.endings, language.numerals, is_loose=is_loose
        )

    kinds = {
        kind: language.kinds.get(kind, ())
        for kind, is_of in KINDS.items()
        if kind in _EVERYWHERE or any(is_of(e) for e in things)
    }
    areas: dict[str, Names] = {e.area: {} for e in things if e.area}
    areas.update({name: area.aliases for name, area in places.areas.items()})
    floors: dict[str, Names] = {e.floor: {} for e in things if e.floor}
    floors.update({name: floor.aliases for name, floor in places.floors.items()})
    only = _only(things, language)
    names = {e.id: list(names_of(e, language, only)) for e in things}
    short = {e.id: list(_shortened_names(names[e.id], e, areas)) for e in things}
    for view, of in VIEWS.items():
        lists[view] = phrases((name, e.id) for e in things if of.has(e) for name in names[e.id])
        if of.takes_short:
            for entity in things:
                if of.has(entity):
                    for name in short[entity.id]:
                        lists[view].add(_as_heard(name, language), entity.id, language.orthography)
        lists[f"{view}_kind"] = phrases(
            ((word, kind) for kind in kinds if kind in of.kinds for word in kinds[kind]),
            is_loose=False,
        )
    lists["area"] = phrases(_places(areas, language))
    lists["floor"] = phrases(_places(floors, language))
    options = {option for e in things for option in e.options}
    lists["mode"] = phrases(
        [*listed(language.modes), *((o.replace("_", " "), o) for o in sorted(options))]
    )
    words = frozenset(word for each in lists.values() for word in each.words)
    near: dict[str, set[str]] = {}
    alike: dict[str, set[str]] = {}
    for word in words:
        if len(word) >= SHORTEST_MENDED:
            for shortened in _shortened(word):
                near.setdefault(shortened, set()).add(word)
            alike.setdefault(_consonants(word), set()).add(word)
    return HouseWords(
        lists,
        words,
        frozenset(lists["area"].words),
        {short: frozenset(found) for short, found in near.items()},
        {sound: frozenset(found) for sound, found in alike.items()},
    )


def _as_heard(text: str, language: Language) -> str:
    """Without the words that are taken out of every sentence, unless nothing is left."""
    kept = [w for w in text.split() if language.orthography.key(w) not in language.polite.anywhere]
    return " ".join(kept) or text


def unglue(words: Sequence[Word], house: HouseWords) -> list[Word]:
    """Take German compounds apart that are no name of their own: "Küchenlicht"."""
    return [part for word in words for part in _parts(word, house)]


def _parts(word: Word, house: HouseWords) -> Sequence[Word]:
    key = word.key
    if word.number is not None or len(key) < 7 or key in house.words:
        return (word,)
    for cut in range(len(key) - 3, 2, -1):
        first, last = key[:cut], key[cut:]
        if last not in house.words:
            continue
        for link in _LINKS:
            stem = first.removesuffix(link) if link else first
            for whole in (stem, f"{stem}e"):
                if first.endswith(link) and whole in house.areas:
                    return Word(whole, whole), Word(last, last)
    return (word,)


def _only(entities: Iterable[Entity], language: Language) -> frozenset[str]:
    """Words for a kind that are the whole name of one thing alone, of the many that kinds have.

    Where one cover of four is called "Jalousie", that word means this one. The first words for
    a kind are everybody's: "the light" is any light, whatever one of them may be called.
    """
    common = {
        " ".join(language.orthography.split(word))
        for kind in KINDS
        for word in language.kinds.get(kind, ())[:MOST_COMMON]
    }
    count = Counter(
        name
        for entity in entities
        for name in {
            " ".join(language.orthography.split(called))
            for called in (entity.name, *(a for each in entity.aliases.values() for a in each))
        }
    )
    return frozenset(name for name, times in count.items() if times == 1) - common


def names_of(
    entity: Entity, language: Language, only: frozenset[str] = frozenset()
) -> Iterator[str]:
    """All that an entity is called: as announced, with and without its area, and its aliases.

    A name that is only the word for its kind is none, "the light" may be any; but for `only`.
    """
    orthography = language.orthography
    generic = {
        " ".join(orthography.split(word))
        for kind in _GENERIC
        if KINDS[kind](entity)
        for word in language.kinds.get(kind, ())
    } - only
    if entity.device_class is not None and entity.kind in _MEASURING:
        generic.add(entity.device_class.replace("_", " "))
    area = orthography.split(entity.area or "")
    seen: set[str] = set()
    for name in (entity.name, *(a for each in entity.aliases.values() for a in each)):
        # Written as it was, for a name in capitals is spelt out: "TV".
        plain = name.replace("_", " ").split()
        folded = orthography.split(name.replace("_", " "))
        bare = plain[len(area) :] if area and folded[: len(area)] == area else plain
        for words in (plain, bare, [*(entity.area or "").split(), *bare]):
            text = " ".join(words)
            shown = " ".join(orthography.split(text))
            if words is bare and bare != plain and len(bare) < 2 and entity.kind in _MEASURING:
                continue  # "temperature" alone is that of where the speaker stands
            if shown and shown not in seen and shown not in generic and shown != " ".join(area):
                seen.add(shown)
                yield text
                yield from _other_numbers(text, entity, language)


_GENERIC = (
    "light",
    "lamp",
    "fan",
    "blind",
    "curtain",
    "climate",
    "switch",
    "outlet",
    "door",
    "window",
)
"""Words that mean all things of the kind in a place, even where one is called just so."""

_EVERYWHERE = frozenset({"light", "lamp", "blind", "curtain", "climate", "everything"})
"""Kinds that a house is asked about even if it has none; others are words of talk then."""

_MEASURING = (Kind.SENSOR, Kind.BINARY_SENSOR)
_MEASURES = frozenset(
    [
        "lock",
        "power",
        "temperature",
        "humidity",
        "battery",
        "sensor",
        "contact",
        "motion",
        "energy",
        "consumption",
        "level",
        "schloss",
        "leistung",
        "temperatur",
        "luftfeuchtigkeit",
        "batterie",
        "kontakt",
        "verbrauch",
        "stromverbrauch",
    ]
)


_LIGHTS = frozenset({"light", "lights", "lamp", "licht", "lampe", "leuchte"})
_PLAIN = frozenset(
    [
        "the",
        "my",
        "main",
        "big",
        "small",
        "old",
        "new",
        "left",
        "right",
        "little",
        "floor",
        "table",
        "desk",
        "bed",
    ]
)
"""Words that say too little to be a name of their own."""


def _shortened_names(
    names: Iterable[str], entity: Entity, areas: Mapping[str, Names]
) -> Iterator[str]:
    """The "Front Door Lock" locks the front door; the "Dishwasher Power" is the dishwasher's; the
    "Vanity Light" is the vanity."""
    taken = {area.casefold() for area in areas}
    dropped = _MEASURES | (_LIGHTS if entity.kind is Kind.LIGHT else frozenset())
    for name in names:
        *first, last = name.casefold().split()
        short = " ".join(first)
        if not first:
            short = next((last.removesuffix(d) for d in _MEASURES if last.endswith(d)), "")
            if len(short) > 3 and short not in taken:  # "Haustürschloss"
                yield short
        elif last in dropped and short not in taken and short not in _PLAIN:
            yield short


def _other_numbers(text: str, entity: Entity, language: Language) -> Iterator[str]:
    """English says "blind" for blinds and the reverse; but lights are more than one light."""
    if language.code != "en" or not KINDS["blind"](entity):
        return
    last = text.split()[-1].casefold()
    if last.rstrip("s") in {"blind", "shade", "shutter", "curtain"}:
        yield text[:-1] if text.endswith("s") else f"{text}s"


def _places(places: Mapping[str, Names], language: Language) -> Iterator[tuple[str, Slot]]:
    """Areas or floors by all that they are called, and by what the language calls such a place."""
    orthography = language.orthography

    def plain(text: str) -> str:
        return " ".join(word.key for word in orthography.words(text))

    taken = {
        plain(name)
        for place, aliases in places.items()
        for name in (place, *(alias for each in aliases.values() for alias in each))
    }
    for place, aliases in places.items():
        if not place:
            continue
        called = dict.fromkeys((place, *(alias for each in aliases.values() for alias in each)))
        mine = {plain(name) for name in called}
        for name in called:
            yield name, place
        for usual, others in language.places.items():
            family = {plain(usual), *(plain(other) for other in others)}
            if not mine.isdisjoint(family):
                for other in (usual, *others):
                    if plain(other) in mine or plain(other) not in taken:
                        yield other, place


def _shortened(word: str) -> Iterator[str]:
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]


def _consonants(word: str) -> str:
    return word[:1] + english_loan(word)[1]
