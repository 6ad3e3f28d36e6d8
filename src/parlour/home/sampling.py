"""Sentences that may be said to this house, for a recogniser's language model."""

import random
from collections.abc import Iterable, Mapping, Sequence

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

from parlour.home.entities import Entity
from parlour.home.grammar import house_lists, load_templates, normalise
from parlour.home.numbers import in_words

PER_TEMPLATE = 200
POLITE = 0.15  # share of sentences with politeness at one end


def training_sentences(
    entities: Iterable[Entity], *, per_template: int = PER_TEMPLATE, seed: int = 1
) -> list[str]:
    """Sample every template with the names of the house: lower case, numbers as words.

    The same house and seed give the same sentences, each once, in about 0.4 s.
    """
    templates = load_templates()
    intents = Intents.from_dict(templates)
    lists: dict[str, SlotList] = {**intents.slot_lists, **house_lists(entities)}
    sampler = _Sampler(random.Random(seed), intents.expansion_rules, lists)
    before, after = templates["polite"]["before"], templates["polite"]["after"]
    made: dict[str, None] = {}
    for intent in intents.intents.values():
        for data in intent.data:
            for sentence in data.sentences:
                for _ in range(per_template):
                    said = sampler.sample(sentence.expression)
                    if said is None:
                        break
                    chance = sampler.random.random()
                    if chance < POLITE:
                        said = f"{sampler.random.choice(before)} {said}"
                    elif chance < 2 * POLITE:
                        said = f"{said} {sampler.random.choice(after)}"
                    made[" ".join(normalise(said))] = None
    return list(made)


class _Sampler:
    def __init__(
        self,
        chance: random.Random,
        rules: Mapping[str, Sentence],
        lists: Mapping[str, SlotList],
    ) -> None:
        self.random = chance
        self._rules = rules
        self._lists = lists

    def sample(self, expression: Expression) -> str | None:
        """One sentence of the template; None if a list that it needs is empty."""
        match expression:
            case TextChunk(original_text=text):
                return text
            case Permutation(items=items):
                return self._join(self.random.sample(items, len(items)))
            case Alternative(items=items, is_optional=optional):
                return self.sample(self._choose(items, evenly=optional))
            case Group(items=items):
                return self._join(items)
            case RuleReference(rule_name=name):
                return self.sample(self._rules[name].expression)
            case ListReference(list_name=name):
                return self._pick(self._lists[name])
            case _:
                raise TypeError(f"unknown template element {expression!r}")

    def _choose(self, items: Sequence[Expression], *, evenly: bool) -> Expression:
        """Templates list the usual wording first, and it is said more often than the last."""
        if evenly:
            return self.random.choice(items)
        return self.random.choices(items, [1 / (place + 1) for place in range(len(items))])[0]

    def _join(self, items: Iterable[Expression]) -> str | None:
        parts: list[str] = []
        for item in items:
            part = self.sample(item)
            if part is None:
                return None
            parts.append(part)
        return " ".join(parts)

    def _pick(self, values: SlotList) -> str | None:
        if isinstance(values, RangeSlotList):
            return in_words(int(self.random.choice(list(values.get_numbers()))))
        if isinstance(values, TextSlotList) and values.values:
            text = self.random.choice(values.values).text_in
            return self.sample(text.expression if isinstance(text, Sentence) else text)
        return None
