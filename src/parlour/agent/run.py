"""One answer in the making: what the nodes of the graph share, and what a tool may know of it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parlour.agent.state import Call, Conversation, Pending, Turn
from parlour.ports import Commit, Order, Piece, Say, Tool, Utterance

if TYPE_CHECKING:
    from parlour.agent.acting import Done


@dataclass(slots=True)
class Run:
    """`turn` is as of now: who is cut off leaves here what he had come to.

    `heard` None: the utterance is to be answered; else it was, and this is what was heard.
    """

    utterance: Utterance
    thread: str
    commit: Commit
    turn: Turn
    tools: Mapping[str, Tool] = field(default_factory=dict)
    known: Conversation = field(default_factory=Conversation)
    pending: Pending | None = None  # asked in this turn
    agreed: Pending | None = None  # the call at hand is this one, to which somebody said yes
    heard: str | None = None
    nudge: str = ""
    facts: Sequence[str] = ()
    readable: str = ""  # what is kept of an answer that a model must not read; "": what was heard
    say: Callable[[Piece], None] = lambda _: None
    done: dict[str, "Done"] = field(default_factory=dict)  # what acted, by its key: it acts once

    def tell(self, text: str) -> None:
        """Say a whole sentence."""
        if text:
            self.turn["said"] = f"{self.turn['said']} {text}".strip()
            self.say(Say(text))

    def order(self, call: Call, turn: str | None = None) -> Order:
        """The same call of the same turn has the same key, however often it is prepared."""
        key = key_of(turn or self.utterance.turn, call)
        return Order(self.utterance, key, self.tell)

    def first(self, kind: str) -> bool:
        """Whether this kind of thing is mended for the first time; it is noted."""
        if kind in self.turn["mended"]:
            return False
        self.turn["mended"].append(kind)
        return True


def key_of(turn: str, call: Call) -> str:
    told = json.dumps([call["name"], call["arguments"]], sort_keys=True, ensure_ascii=False)
    return f"{turn}:{hashlib.sha256(told.encode()).hexdigest()[:16]}"
