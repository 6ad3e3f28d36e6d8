"""What is said in a run: the manifest, read; and what the home's own grammar thinks of a text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

from parlour.home.demo import demo_entities
from parlour.home.grammar import HouseGrammar
from parlour.home.paper import PaperHouse
from parlour.ids import DeviceId
from parlour.ports import Place, Verdict

Expected: TypeAlias = bool | str | float | list[Any] | dict[str, float]
"""A state a command must cause in one field: a flag or a word as it is; a number to within 1;
a list of words, any of them; a list of three numbers, a colour to within 40 a part;
{"above": x}, {"below": x} or both."""


class Kind(StrEnum):
    COMMAND = "command"
    CHATTER = "chatter"  # said to somebody else; must change nothing
    CORRECTION = "correction"  # "turn on the kitchen no the bedroom light"
    SHORT = "short"  # "yes", "stop"; out of context it must change nothing
    QUESTION = "question"  # for a language model
    PAUSED = "paused"  # with pauses between its parts
    BARGE_IN = "barge-in"  # something is said into the answer


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing that is said, and what must come of it."""

    kind: Kind
    parts: tuple[str, ...]  # between them the speaker pauses
    asks: str = "action"  # of a command: "action", "query" or "timer"
    before: tuple[str, ...] = ()  # written to the house first, so that there is something to change
    after: Mapping[str, Mapping[str, Expected]] = field(default_factory=dict)  # entity -> field
    reply: str = ""  # a regular expression that the reply must match, in lower case
    answer: str = ""  # a scripted model's
    how: str = ""  # of what is said into the answer: "words", "assent" or "cough"
    into: str = ""  # its words

    @property
    def text(self) -> str:
        return " ".join(self.parts)


def load_manifest() -> list[Utterance]:
    """The 140 utterances and 12 conversations: all but the chatter, in the order of the files."""
    commands = (_command(json.loads(row)) for row in _read("commands.jsonl"))
    return [*commands, *(_utterance(json.loads(row)) for row in _read("talks.jsonl"))]


def load_chatter() -> list[Utterance]:
    return [Utterance(Kind.CHATTER, (line,)) for line in _read("chatter.txt")]


def how_it_ends(text: str) -> str:
    """What the grammar of the demo home says: "closed", "extendable", or "other"."""
    verdict = _grammar().judge(text, "en_US", Place(DeviceId("bench"))).verdict
    return {Verdict.CLOSED: "closed", Verdict.OPEN: "extendable"}.get(verdict, "other")


def _command(row: dict[str, Any]) -> Utterance:
    asks = "action" if row["kind"] == "command" else row["kind"]
    rest = {"class": Kind.COMMAND, "parts": [row["say"]], "asks": asks}
    return _utterance(rest | {key: row[key] for key in ("before", "after", "reply") if key in row})


def _utterance(row: dict[str, Any]) -> Utterance:
    rest = {key: value for key, value in row.items() if key not in ("class", "parts", "before")}
    return Utterance(
        Kind(row["class"]), tuple(row["parts"]), before=tuple(row.get("before", ())), **rest
    )


def _read(name: str) -> list[str]:
    text = files("parlour_bench").joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip()]


@cache
def _grammar() -> HouseGrammar:
    return HouseGrammar(PaperHouse(demo_entities()))
