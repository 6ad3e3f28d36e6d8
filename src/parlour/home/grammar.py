"""What a sentence asks of the house: hassil on our own templates, and a verdict on every partial."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from hassil.intents import Intents, SlotList, TextSlotList
from hassil.recognize import RecognizeResult, recognize_all

from parlour.home.automaton import Automaton, Position
from parlour.home.entities import Entity, Feature, House, Kind
from parlour.home.numbers import in_words
from parlour.ids import DeviceId
from parlour.ports import Judgement, Place, Slot, Verdict

LONGEST_WORDS = 40  # nobody commands a house in more; longer texts are not looked at
REMEMBERED = 2_000  # judgements; partials repeat themselves

_SIGNS = (("%", " percent "), ("°", " degrees "), ("per cent", "percent"), ("colour", "color"))
_SHORT = (
    (re.compile(r"\b(what|it|that|how|there|where)'s\b"), r"\1 is"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\bi'd\b"), "i would"),
    (re.compile(r"\bi've\b"), "i have"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"\b(a) (?=hundred\b)"), "one "),
    (re.compile(r"\bhundred and (?!a half)(?=\w)"), "hundred "),
    (re.compile(r"\bdegrees +c\b"), "degrees celsius"),
    (re.compile(r"\bdegrees +f\b"), "degrees fahrenheit"),
    (re.compile(r"(\d)[.,](?=\d)"), r"\1 point "),
)


def normalise(text: str) -> list[str]:
    """Words in lower case without accents and punctuation; signs and short forms spelt out."""
    text = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    for sign, spelt in _SIGNS:
        text = text.replace(sign, spelt)
    for form, spelt in _SHORT:
        text = form.sub(spelt, text)
    words = (word.strip("'_") for word in re.findall(r"[\w']+", text))
    return [word for word in words if word]


class HassilGrammar:
    """Knows the names of one house; follows its revision by itself. Satisfies `ports.Grammar`."""

    def __init__(self, house: House) -> None:
        self._house = house
        templates = load_templates()
        self._polite = _Polite(templates["polite"])
        self._intents = Intents.from_dict(templates)
        self._blocks = list(_split(self._intents))
        self._revision = -1
        self.refresh()

    def refresh(self) -> None:
        """Compile the grammar for the names that the house has now: tens of milliseconds.

        `judge` does so by itself when the revision has grown; who watches the house may do it
        beforehand, also in another thread.
        """
        revision = self._house.revision
        lists = house_lists(list(self._house.entities.values()))
        automaton = Automaton(
            [block.intents.intents[block.name].data[0].sentences for block in self._blocks],
            self._intents.expansion_rules,
            {**self._intents.slot_lists, **lists},
        )
        reader = _Reader(self._blocks, self._polite, automaton, lists)
        self._judge = lru_cache(REMEMBERED)(reader.judge)
        self._revision = revision

    def warm(self) -> None:
        """Make the first judgements, which are slow, before anybody waits for one."""
        place = Place(device=DeviceId(""))
        for text in _FIRST:
            self.judge(text, "en", place)

    def judge(self, text: str, language: str, place: Place) -> Judgement:
        """Judge a partial or a final. The place does not matter here: it is resolve's affair."""
        if not language.startswith("en"):
            return Judgement(Verdict.NONE)
        if self._house.revision != self._revision:
            self.refresh()
        return self._judge(" ".join(normalise(text[:1000])))


# Each makes hassil build the index of one of its lists of numbers.
_FIRST = (
    "turn on the light",
    "what time is it",
    "set the lights to fifty percent",
    "set the temperature to twenty degrees",
    "make it two degrees warmer",
    "set a timer for ten minutes",
    "set a timer for one hour and ten minutes and ten seconds",
    "set a timer for ten seconds",
)
_NAMED = ("name", "light", "cover", "climate")


@dataclass(frozen=True, slots=True)
class _Block:
    """One block of templates, as hassil wants it when it is to look at nothing else."""

    name: str
    intents: Intents
    runs_on: bool


class _Reader:
    """The grammar of a house as it was at one revision."""

    def __init__(
        self,
        blocks: Sequence[_Block],
        polite: "_Polite",
        automaton: Automaton,
        lists: Mapping[str, SlotList],
    ) -> None:
        self._blocks = blocks
        self._polite = polite
        self._automaton = automaton
        self._lists = dict(lists)

    def judge(self, text: str) -> Judgement:
        words = text.split()
        if not words or len(words) > LONGEST_WORDS:
            return Judgement(Verdict.NONE)
        core = self._polite.strip(words)
        position = self._automaton.follow(core)
        found = self._recognise(core, position)
        if found is not None:
            slots: dict[str, Slot] = {name: e.value for name, e in found.entities.items()}
            verdict = Verdict.OPEN if self._may_change(position, slots) else Verdict.CLOSED
            return Judgement(verdict, found.intent.name, slots)
        if position.alive or self._polite.is_beginning(words) or self._ends_politely(core):
            return Judgement(Verdict.INCOMPLETE)
        return Judgement(Verdict.NONE)

    def _recognise(self, words: Sequence[str], position: Position) -> RecognizeResult | None:
        """Ask hassil, but only about the templates that the automaton has seen to fit."""
        found = (
            result
            for block in sorted(position.whole)
            for result in recognize_all(
                " ".join(words),
                self._blocks[block].intents,
                slot_lists=self._lists,
                language="en",
            )
        )
        return max(found, key=_preference, default=None)

    def _may_change(self, position: Position, slots: Mapping[str, Slot]) -> bool:
        """Whether more words may make it another command.

        What is said in one breath with the command is not waited for: a second thing, or where
        the thing stands, unless that is needed to know which thing is meant.
        """
        ambiguous = any("|" in str(slots.get(name, "")) for name in _NAMED)
        return any(ambiguous or not self._blocks[block].runs_on for block in position.onward)

    def _ends_politely(self, words: Sequence[str]) -> bool:
        """Whether a whole command is followed by "for", of "for me"."""
        return any(
            self._automaton.follow(words[:-count]).whole
            for count in self._polite.count_begun(words)
        )


def _preference(found: RecognizeResult) -> tuple[bool, int]:
    """A thing by its own name before all things of its kind in an area, then the most literal."""
    return not found.entities.keys().isdisjoint(_NAMED), found.text_chunks_matched


class _Polite:
    """Politeness and hesitation: they neither make a command nor break one."""

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        self._before = _longest_first(phrases["before"])
        self._after = _longest_first(phrases["after"])
        self._anywhere = frozenset(phrases["anywhere"])

    def strip(self, words: Sequence[str]) -> list[str]:
        """Take them off both ends; what remains of "could you please" is nothing."""
        left = [word for word in words if word not in self._anywhere]
        while before := next((p for p in self._before if left[: len(p)] == p), None):
            del left[: len(before)]
        while after := next((p for p in self._after if left[-len(p) :] == p), None):
            del left[-len(after) :]
        return left

    def is_beginning(self, words: Sequence[str]) -> bool:
        """Whether all that was said is "could you please would", of "would you"."""
        left = [word for word in words if word not in self._anywhere]
        while left:
            if any(left == phrase[: len(left)] for phrase in self._before):
                return True
            before = next((p for p in self._before if left[: len(p)] == p), None)
            if before is None:
                return False
            del left[: len(before)]
        return True

    def count_begun(self, words: Sequence[str]) -> Iterator[int]:
        """How many of the last words may be the beginning of a polite phrase."""
        for phrase in self._after:
            for count in range(1, len(phrase)):
                if list(words[-count:]) == phrase[:count]:
                    yield count


def load_templates() -> dict[str, Any]:
    source = files("parlour.home").joinpath("sentences/en.yaml").read_text(encoding="utf-8")
    templates: dict[str, Any] = yaml.safe_load(source)
    return templates


def _longest_first(phrases: Iterable[str]) -> list[list[str]]:
    return sorted((phrase.split() for phrase in phrases), key=len, reverse=True)


def _split(intents: Intents) -> Iterator[_Block]:
    for intent in intents.intents.values():
        for data in intent.data:
            alone = replace(intents, intents={intent.name: replace(intent, data=[data])})
            yield _Block(intent.name, alone, bool((data.metadata or {}).get("run_on")))


# ---------------------------------------------------------------- the names of a house

_GENERIC = {
    kind: frozenset(form for noun in nouns.split() for form in (noun, f"{noun}s"))
    for kind, nouns in {
        Kind.LIGHT: "light lamp",
        Kind.COVER: "blind shade shutter curtain",
        Kind.CLIMATE: "thermostat heating heat heater radiator",
        Kind.SWITCH: "light lamp",
    }.items()
}
"""Words for a kind; the templates have those."""


def house_lists(entities: Sequence[Entity]) -> dict[str, SlotList]:
    """The slot lists of a house. A name's value is its entity's id, or several joined by a bar."""
    return {
        "name": _names(e for e in entities if Feature.ON_OFF in e.features),
        "light": _names(e for e in entities if e.kind is Kind.LIGHT),
        "cover": _names(e for e in entities if e.kind is Kind.COVER),
        "climate": _names(e for e in entities if e.kind is Kind.CLIMATE),
        "area": _places(e.area for e in entities),
        "floor": _places(e.floor for e in entities),
    }


def names_of(entity: Entity) -> Iterator[str]:
    """All that an entity is called: as announced, with and without its area, and its aliases."""
    area = normalise(entity.area or "")
    for name in (entity.name, *entity.aliases):
        plain = normalise(name)
        bare = plain[len(area) :] if area and plain[: len(area)] == area else plain
        for words in (plain, bare, [*area, *bare]):
            if words and words != area:
                yield " ".join(words)
                yield " ".join(in_words(int(w)) if _is_number(w) else w for w in words)


def _names(entities: Iterable[Entity]) -> TextSlotList:
    called: dict[str, list[str]] = {}
    for entity in entities:
        for name in dict.fromkeys(names_of(entity)):
            for form in {name, _other_number(name, entity.kind)} - _GENERIC[entity.kind]:
                ids = called.setdefault(form, [])
                if entity.id not in ids:
                    ids.append(entity.id)
    return TextSlotList.from_tuples(
        [(name, "|".join(ids)) for name, ids in called.items()], allow_template=False
    )


def _other_number(name: str, kind: Kind) -> str:
    """People say "blind" for blinds and the reverse; but lights are more than one light."""
    if kind is not Kind.COVER or name.split()[-1] not in _GENERIC[Kind.COVER]:
        return name
    return name[:-1] if name.endswith("s") else f"{name}s"


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 3


def _places(places: Iterable[str | None]) -> TextSlotList:
    spoken: Mapping[str, str] = {" ".join(normalise(p)): p for p in places if p}
    pairs = [(words, place) for words, place in spoken.items() if words]
    return TextSlotList.from_tuples(pairs, allow_template=False)
