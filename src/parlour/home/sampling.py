"""Sentences that may be said to this house, for a recogniser's language model."""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.parse_expression import parse_sentence

from parlour.home.entities import Entity, Places
from parlour.home.language import Language, load, read
from parlour.home.spans import Values
from parlour.home.vocabulary import house_words

PER_TEMPLATE = 90
PER_USUAL = 250
RARE = 0.15  # of what is not common, so much less is taught
POLITE = 0.15  # share of sentences with politeness at one end
OPTIONAL = 0.2  # share of what may be left out that is said ...
USUAL = {"the": 0.85, "but": 0.02}  # ... but for these rules
SHORTENED = 0.6  # share of "it is" that is said as "it's"

COMMON = frozenset(
    [
        "on",
        "off",
        "open",
        "close",
        "stop",
        "set",
        "set_brightness",
        "set_color",
        "set_temperature",
        "up",
        "down",
        "brighter",
        "darker",
        "warmer",
        "colder",
        "ask_on",
        "ask_open",
        "ask_temperature",
        "timer_start",
        "timer_cancel",
        "timer_status",
        "time",
    ]
)
"""Intents of what people say to a house most days."""

_SHORT_FORMS = {
    "it is": "it's",
    "what is": "what's",
    "how is": "how's",
    "i am": "i'm",
    "i would": "i'd",
    "let us": "let's",
}
_SHORT = re.compile(rf"\b({'|'.join(_SHORT_FORMS)})\b")
T = TypeVar("T")
_SPOKEN = re.compile(r"[a-z' ]+")


def training_sentences(
    entities: Iterable[Entity],
    places: Places | None = None,
    language: str = "en",
    *,
    per_template: int = PER_TEMPLATE,
    seed: int = 1,
) -> list[str]:
    """Sample every template with the names of the house: lower case, numbers as words.

    The same house and seed give the same sentences in about a second; what is usually said comes
    more than once. Names that the recogniser of the language cannot write are left out.
    """
    known = load(language)
    things = list(entities)
    names = house_words(known, things, places or Places())
    sampler = _Sampler(random.Random(seed), known, {**known.lists, **names.lists})
    # As places are called in this house, not as such a place may be called elsewhere.
    sampler.only("area", (e.area for e in things))
    sampler.only("floor", (e.floor for e in things))
    polite = read(known.code)["polite"]
    is_spoken = _SPOKEN.fullmatch if known.code == "en" else bool
    made: dict[str, None] = {}
    for block in known.blocks:
        often = per_template if block.intent in COMMON else per_template * RARE
        for place, template in enumerate(block.templates):
            expression = parse_sentence(template).expression
            for _ in range(max(1, round(often * _usual(place)))):
                said = sampler.sample(expression)
                if said is None:
                    break
                said = sampler.say(said, polite["before"], polite["after"])
                if is_spoken(said):
                    made[said] = None
    usual = [
        sampler.sample(expression)
        for expression in [parse_sentence(template).expression for template in known.usual]
        for _ in range(PER_USUAL)
    ]
    return [*made, *(" ".join(said.split()) for said in usual if said and is_spoken(said))]


def _usual(place: int) -> float:
    """Templates list the usual wording first, and it is said more often than the last."""
    return 3 / (place + 2)


class _Sampler:
    def __init__(
        self, chance: random.Random, language: Language, lists: Mapping[str, Values]
    ) -> None:
        self._random = chance
        self._language = language
        self._rules = {name: parse_sentence(text) for name, text in language.rules.items()}
        self._samples = {name: list(values.samples()) for name, values in lists.items()}

    def only(self, name: str, values: Iterable[str | None]) -> None:
        """Take these as the values of a list."""
        split = self._language.orthography.split
        self._samples[name] = list(dict.fromkeys(" ".join(split(v)) for v in values if v))

    def say(self, text: str, before: Sequence[str], after: Sequence[str]) -> str:
        """As somebody would say it: at times politely, and mostly with "it's" for "it is"."""
        chance = self._random.random()
        if chance < POLITE:
            text = f"{self._choose(['please', *before])} {text}"
        elif chance < 2 * POLITE:
            text = f"{text} {self._choose(['please', *after])}"
        plain = " ".join(text.split())
        if self._random.random() < SHORTENED:
            plain = _SHORT.sub(lambda found: _SHORT_FORMS[found[0]], plain)
        return plain

    def sample(self, expression: Expression) -> str | None:
        """One sentence of the template; None if a list that it needs is empty."""
        match expression:
            case TextChunk(original_text=text):
                return text
            case Permutation(items=items):
                return self._join(self._random.sample(items, len(items)))
            case Alternative(items=items, is_optional=True):
                often = USUAL.get(_rule_of(items[0]), OPTIONAL)
                return self.sample(items[0]) if self._random.random() < often else ""
            case Alternative(items=items):
                return self.sample(self._choose(items))
            case Group(items=items):
                return self._join(items)
            case RuleReference(rule_name="the" as name):
                said = self._random.random() < USUAL[name]
                return self.sample(_inner(self._rules[name].expression)) if said else ""
            case RuleReference(rule_name=name):
                return self.sample(self._rules[name].expression)
            case ListReference(list_name=name):
                return self._pick(name)
            case _:
                raise TypeError(f"unknown template element {expression!r}")

    def _choose(self, items: Sequence[T]) -> T:
        """Templates list the usual wording first, and it is said more often than the last."""
        return self._random.choices(items, [1 / (place + 1) for place in range(len(items))])[0]

    def _join(self, items: Iterable[Expression]) -> str | None:
        parts: list[str] = []
        for item in items:
            part = self.sample(item)
            if part is None:
                return None
            parts.append(part)
        return " ".join(parts)

    def _pick(self, name: str) -> str | None:
        samples = self._samples[name]
        return self._random.choice(samples) if samples else None


def _rule_of(expression: Expression) -> str:
    """The rule that may be left out as a whole; "" if it is none."""
    inner = _inner(expression)
    return inner.rule_name if isinstance(inner, RuleReference) else ""


def _inner(expression: Expression) -> Expression:
    """What stands in the brackets of a rule that may be left out as a whole."""
    while isinstance(expression, Group) and (
        len(expression.items) == 1 or getattr(expression, "is_optional", False)
    ):
        expression = expression.items[0]
    return expression
