"""A reply as it is spoken, and what of it a language model may read in a later turn.

Aloud a thing is called what it calls itself. What was said is remembered, though, and there only
names that are names may stand: see `plainnames`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from parlour.home import replies, veil
from parlour.home.entities import Command, House, Outcome
from parlour.home.resolve import Asked, Unclear
from parlour.ports import Say


@dataclass(frozen=True, slots=True)
class Told:
    spoken: str
    readable: str

    @property
    def piece(self) -> Say:
        return Say(self.spoken, readable="" if self.readable == self.spoken else self.readable)


def plain(text: str) -> Told:
    """Words of ours, which anybody may read."""
    return Told(text, text)


def joined(told: Iterable[Told]) -> Told:
    sentences = list(told)
    return Told(
        " ".join(each.spoken for each in sentences), " ".join(each.readable for each in sentences)
    )


def describe(
    outcomes: Sequence[Outcome], house: House, unable: Sequence[Unclear], language: str
) -> Told:
    return Told(
        replies.describe(outcomes, house, unable, language),
        veil.describe(outcomes, house, unable, language),
    )


def explain(unclear: Unclear, language: str) -> Told:
    return Told(replies.explain(unclear, language), veil.explain(unclear, language))


def answer(asked: Asked, house: House, language: str) -> Told:
    return Told(replies.answer(asked, house, language), veil.answer(asked, house, language))


def ask(held: Sequence[Command], house: House, language: str, *, wants_pin: bool) -> Told:
    """What is asked back before something that is not without risk."""
    things = [house.entities[command.target] for command in held]
    return Told(
        replies.question(things, held[0].verb, language, wants_pin=wants_pin),
        veil.ask(held, house, language, wants_pin=wants_pin),
    )
