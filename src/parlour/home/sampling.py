"""Sentences that may be said to this house, for a recogniser's language model."""

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    Sentence,
    TextChunk,
)
from hassil.intents import Intents, RangeSlotList, SlotList, TextSlotList
from hassil.parse_expression import parse_sentence

from parlour.home.entities import Entity
from parlour.home.grammar import house_lists, load_templates
from parlour.home.numbers import in_words

PER_TEMPLATE = 90
PER_USUAL = 150
POLITE = 0.15  # share of sentences with politeness at one end
OPTIONAL = 0.3  # share of what may be left out that is said ...
USUAL = {"the": 0.85}  # ... but for these rules
SHORTENED = 0.6  # share of "it is" that is said as "it's"

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
    entities: Iterable[Entity], *, per_template: int = PER_TEMPLATE, seed: int = 1
) -> list[str]:
    """Sample every template with the names of the house: lower case, numbers as words.

    The same house and seed give the same sentences in about 0.4 s; what is usually said comes
    more than once. Names that English letters cannot write are left out.
    """
    templates = load_templates()
    intents = Intents.from_dict(templates)
    lists: dict[str, SlotList] = {**intents.slot_lists, **house_lists(list(entities))}
    sampler = _Sampler(random.Random(seed), intents.expansion_rules, lists)
    before, after = templates["polite"]["before"], templates["polite"]["after"]
    made: dict[str, None] = {}
    for intent in intents.intents.values():
        for data in intent.data:
            for place, sentence in enumerate(data.sentences):
                for _ in range(max(1, round(per_template * _usual(place)))):
                    said = sampler.sample(sentence.expression)
                    if said is None:
                        break
                    said = sampler.say(said, before, after)
                    if _SPOKEN.fullmatch(said):
                        made[said] = None
    usual = [sampler.sample(sentence.expression) for sentence in _usual_templates(templates)]
    return [*made, *(" ".join(said.split()) for said in usual if said and _SPOKEN.fullmatch(said))]


def _usual_templates(templates: Mapping[str, Any]) -> Iterator[Sentence]:
    for text in templates["usual"]:
        sentence = parse_sentence(text)
        for _ in range(PER_USUAL):
            yield sentence


def _usual(place: int) -> float:
    """Templates list the usual wording first, and it is said more often than the last."""
    return 3 / (place + 2)


class _Sampler:
    def __init__(
        self,
        chance: random.Random,
        rules: Mapping[str, Sentence],
        lists: Mapping[str, SlotList],
    ) -> None:
        self._random = chance
        self._rules = rules
        self._lists = lists
        self._numbers = {
            name: [in_words(int(number)) for number in values.get_numbers()]
            for name, values in lists.items()
            if isinstance(values, RangeSlotList)
        }

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
                return self.sample(items[0]) if self._random.random() < OPTIONAL else ""
            case Alternative(items=items):
                return self.sample(self._choose(items))
            case Group(items=items):
                return self._join(items)
            case RuleReference(rule_name=name) if name in USUAL:
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
        if name in self._numbers:
            return self._random.choice(self._numbers[name])
        values = self._lists[name]
        if not isinstance(values, TextSlotList) or not values.values:
            return None
        text = self._random.choice(values.values).text_in
        return self.sample(text.expression if isinstance(text, Sentence) else text)


def _inner(expression: Expression) -> Expression:
    """What stands in the brackets of a rule that may be left out as a whole."""
    while isinstance(expression, Group) and (
        len(expression.items) == 1 or getattr(expression, "is_optional", False)
    ):
        expression = expression.items[0]
    return expression
