"""What a sentence asks of the house: hassil on our own templates, and a verdict on every partial."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from hassil.expression import Sentence
from hassil.intents import Intents, SlotList, TextSlotList
from hassil.recognize import RecognizeResult, recognize_all

from parlour.home.automaton import Automaton
from parlour.home.entities import Entity, Feature, House, Kind
from parlour.ids import DeviceId
from parlour.ports import Judgement, Place, Slot, Verdict

LONGEST_WORDS = 40  # nobody commands a house in more; longer texts are not looked at
REMEMBERED = 2_000  # judgements; partials repeat themselves

_SPELLINGS = (
    ("%", " percent "),
    ("°c", " degrees "),
    ("°", " degrees "),
    ("what's", "what is"),
    ("it's", "it is"),
    ("how's", "how is"),
    ("per cent", "percent"),
)


def normalise(text: str) -> list[str]:
    """Words in lower case without punctuation; signs and short forms spelt out."""
    text = text.casefold().replace("\u2019", "'")
    for sign, spelt in _SPELLINGS:
        text = text.replace(sign, spelt)
    return re.findall(r"[\w']+", text.replace("-", " "))


class HassilGrammar:
    """Knows the names of one house; follows its revision by itself. Satisfies `ports.Grammar`."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._templates = load_templates()
        self._polite_before = _longest_first(self._templates["polite"]["before"])
        self._polite_after = _longest_first(self._templates["polite"]["after"])
        self._intents = Intents.from_dict(self._templates)
        self._revision = -1
        self._refresh()

    def warm(self) -> None:
        """Make the first judgements, which are slow, before anybody waits for one."""
        place = Place(device=_NOWHERE)
        for text in ("turn on the light", "set a timer for ten minutes", "what time is it"):
            self.judge(text, "en", place)

    def judge(self, text: str, language: str, place: Place) -> Judgement:
        """Judge a partial or a final. The place does not matter here: it is resolve's affair."""
        if not language.startswith("en"):
            return Judgement(Verdict.NONE)
        if self._house.revision != self._revision:
            self._refresh()
        return self._judge(" ".join(normalise(text)))

    def _refresh(self) -> None:
        """Compile the grammar for the names that the house has now."""
        self._revision = self._house.revision
        self._lists = house_lists(self._house.entities.values())
        rules: dict[str, Sentence] = self._intents.expansion_rules
        lists = {**self._intents.slot_lists, **self._lists}
        self._automaton = Automaton(_sentences(self._intents), rules, lists)
        self._judge = lru_cache(REMEMBERED)(self._judge_words)

    def _judge_words(self, text: str) -> Judgement:
        words = text.split()
        if not words or len(words) > LONGEST_WORDS:
            return Judgement(Verdict.NONE)
        core = self._strip(words)
        if not core:
            return Judgement(Verdict.INCOMPLETE)
        position = self._automaton.follow(core)
        if not position.alive:
            beginning = self._begins_politely(words) or self._ends_politely(core)
            return Judgement(Verdict.INCOMPLETE if beginning else Verdict.NONE)
        if not position.whole:
            return Judgement(Verdict.INCOMPLETE)
        found = max(
            recognize_all(" ".join(core), self._intents, slot_lists=self._lists, language="en"),
            key=_preference,
            default=None,
        )
        if found is None:
            return Judgement(Verdict.INCOMPLETE)
        slots: dict[str, Slot] = {name: e.value for name, e in found.entities.items()}
        verdict = Verdict.OPEN if position.open else Verdict.CLOSED
        return Judgement(verdict, found.intent.name, slots)

    def _begins_politely(self, words: Sequence[str]) -> bool:
        """Whether all that was said so far is "would", of "would you"."""
        return any(words == phrase[: len(words)] for phrase in self._polite_before)

    def _ends_politely(self, words: Sequence[str]) -> bool:
        """Whether a whole command is followed by "for", of "for me"."""
        for phrase in self._polite_after:
            for count in range(1, len(phrase)):
                if words[-count:] == phrase[:count]:
                    return self._automaton.follow(words[:-count]).whole
        return False

    def _strip(self, words: Sequence[str]) -> Sequence[str]:
        """Take politeness off both ends; it neither makes a command nor breaks one."""
        before = next((p for p in self._polite_before if words[: len(p)] == p), _NOTHING)
        words = words[len(before) :]
        after = next((p for p in self._polite_after if words[-len(p) :] == p), _NOTHING)
        return words[: len(words) - len(after)]


_NOTHING: list[str] = []
_NOWHERE = DeviceId("")
_NAMED = frozenset({"name", "light", "cover", "climate"})


def _preference(found: RecognizeResult) -> tuple[bool, int]:
    """A thing by its own name before all things of its kind in an area, then the most literal."""
    return not _NAMED.isdisjoint(found.entities), found.text_chunks_matched


def load_templates() -> dict[str, Any]:
    source = files("parlour.home").joinpath("sentences/en.yaml").read_text(encoding="utf-8")
    templates: dict[str, Any] = yaml.safe_load(source)
    return templates


def _longest_first(phrases: Iterable[str]) -> list[list[str]]:
    return sorted((phrase.split() for phrase in phrases), key=len, reverse=True)


def _sentences(intents: Intents) -> Iterator[Sentence]:
    for intent in intents.intents.values():
        for data in intent.data:
            yield from data.sentences


# ---------------------------------------------------------------- the names of a house


def house_lists(entities: Iterable[Entity]) -> dict[str, SlotList]:
    """The slot lists of a house. A name's value is its entity's id, or several joined by a bar."""
    known = list(entities)
    return {
        "name": _names(e for e in known if Feature.ON_OFF in e.features),
        "light": _names(e for e in known if e.kind is Kind.LIGHT),
        "cover": _names(e for e in known if e.kind is Kind.COVER),
        "climate": _names(e for e in known if e.kind is Kind.CLIMATE),
        "area": _places(e.area for e in known),
        "floor": _places(e.floor for e in known),
    }


def names_of(entity: Entity) -> Iterator[str]:
    """All that an entity is called: as announced, its aliases, each with its area and without."""
    area = " ".join(normalise(entity.area or ""))
    for name in (entity.name, *entity.aliases):
        own = " ".join(normalise(name)).removeprefix(area).strip()
        if own:
            yield own
            if area:
                yield f"{area} {own}"


_GENERIC = frozenset(
    form
    for noun in ("light", "lamp", "blind", "shade", "shutter", "curtain")
    for form in (noun, f"{noun}s")
)


def _names(entities: Iterable[Entity]) -> TextSlotList:
    """Names that are only the word for their kind are left out: the templates have those."""
    called: dict[str, list[str]] = {}
    for entity in entities:
        for name in dict.fromkeys(names_of(entity)):
            for form in {name, _other_number(name)}:
                if form not in _GENERIC:
                    ids = called.setdefault(form, [])
                    if entity.id not in ids:
                        ids.append(entity.id)
    return TextSlotList.from_tuples(
        [(name, "|".join(ids)) for name, ids in called.items()], allow_template=False
    )


def _other_number(name: str) -> str:
    """People say "blind" for blinds; the other way round only for what comes in pairs."""
    return name[:-1] if name.endswith("s") and name.split()[-1] in _GENERIC else name


def _places(places: Iterable[str | None]) -> TextSlotList:
    spoken: Mapping[str, str] = {" ".join(normalise(p)): p for p in places if p}
    return TextSlotList.from_tuples(list(spoken.items()), allow_template=False)
