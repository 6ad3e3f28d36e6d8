"""What is said in a run, and which states of the home it must leave behind."""

import json
import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, TypeAlias, TypeGuard

from parlour.home.demo import demo_entities
from parlour.home.entities import Change, Outcome, State
from parlour.home.entities import Command as HomeCommand
from parlour.home.grammar import HassilGrammar
from parlour.ids import DeviceId, EntityId
from parlour.ports import Place, Verdict

Expected: TypeAlias = bool | str | float | list[Any] | dict[str, float]
"""A state a command must cause in one field: a flag or a word as it is; a number to within 1;
a list of words, any of them; a list of three numbers, a colour to within 40 a part;
{"above": x}, {"below": x} or both."""

NEAR = 1.0
NEAR_COLOR = 40.0  # names of colours differ between houses


@dataclass(frozen=True, slots=True)
class Command:
    """One sentence and what must come of it."""

    say: str
    kind: str  # "command", "query", "timer", or "chatter", which must change nothing
    before: tuple[str, ...] = ()  # written to the house first, so that there is something to change
    after: Mapping[str, Mapping[str, Expected]] = field(default_factory=dict)  # entity -> field
    reply: str = ""  # a regular expression that the reply must match, in lower case


@dataclass(frozen=True, slots=True)
class Line:
    """A command in a voice."""

    command: Command
    voice: str


def load_commands() -> list[Command]:
    rows = map(json.loads, _read("commands.jsonl"))
    return [
        Command(
            say=row["say"],
            kind=row["kind"],
            before=tuple(row.get("before", ())),
            after=row.get("after", {}),
            reply=row.get("reply", ""),
        )
        for row in rows
    ]


def load_chatter() -> list[Command]:
    return [Command(say=line, kind="chatter") for line in _read("chatter.txt")]


def how_it_ends(text: str) -> str:
    """What the grammar of the demo home says: "closed", "extendable", or "unknown"."""
    verdict = _grammar().judge(text, "en_US", Place(DeviceId("bench"))).verdict
    return {Verdict.CLOSED: "closed", Verdict.OPEN: "extendable"}.get(verdict, "unknown")


class _DemoHouse:
    """Satisfies `House` as far as a grammar looks at it."""

    def __init__(self) -> None:
        self.entities = {entity.id: entity for entity in demo_entities()}
        self.revision = 0

    def state(self, entity: EntityId) -> State:
        return State()

    async def carry_out(self, commands: Sequence[HomeCommand]) -> list[Outcome]:
        raise NotImplementedError("nothing is done in a house on paper")

    async def wait_revision(self, seen: int) -> int:
        raise NotImplementedError("a house on paper does not change")

    def watch(self) -> AsyncIterator[Change]:
        raise NotImplementedError("a house on paper does not change")


@cache
def _grammar() -> HassilGrammar:
    return HassilGrammar(_DemoHouse())


QUICK_CHATTER = 10  # sentences; a full run says all of them


def plan(voices: tuple[str, ...], *, quick: bool) -> list[Line]:
    """Every sentence in every voice; quick: every command once, the voices taking turns."""
    said = load_commands() + load_chatter()[: QUICK_CHATTER if quick else None]
    if quick:
        return [Line(command, voices[n % len(voices)]) for n, command in enumerate(said)]
    return [Line(command, voice) for voice, command in product(voices, said)]


def meets(state: Mapping[str, object], expected: Mapping[str, Expected]) -> bool:
    """Whether the state of an entity is what a command must cause."""
    return all(_fits(state.get(name), wanted) for name, wanted in expected.items())


def reply_fits(command: Command, reply: str) -> bool:
    return re.search(command.reply, reply.lower()) is not None


def _fits(value: object, wanted: Expected) -> bool:
    match wanted:
        case bool() | str():
            return value == wanted
        case int() | float():
            return _is_number(value) and abs(value - wanted) <= NEAR
        case dict():
            return _is_number(value) and (
                wanted.get("above", -math.inf) < value < wanted.get("below", math.inf)
            )
        case _ if value in wanted:
            return True
        case _:
            return isinstance(value, list) and [
                abs(have - want) <= NEAR_COLOR for have, want in zip(value, wanted, strict=False)
            ] == [True, True, True]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read(name: str) -> list[str]:
    text = files("parlour_bench").joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip()]
