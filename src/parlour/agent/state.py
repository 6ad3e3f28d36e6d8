"""What a conversation keeps, as plain JSON values, and how a turn becomes part of it; pure.

A checkpoint may be of an older Parlour, and another program may read it: so there are no classes
of ours in it, and `upgraded` knows every version there was.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict

from parlour.ports import Message, ToolCall

VERSION = 2
MOST_KEPT = 60  # messages; a summary that never comes about loses the oldest
CLOSED = "This call was cut off before it was done."
NOT_KEPT = "(This text of somebody else was read then, and is not kept.)"
NOTHING_HEARD = "..."


class Call(TypedDict):
    id: str
    name: str
    arguments: dict[str, Any]


class Record(TypedDict):
    """One message as it is kept."""

    role: str  # "user", "assistant" or "tool"
    content: str
    calls: NotRequired[list[Call]]  # of an assistant
    call_id: NotRequired[str]  # of a tool
    untrusted: NotRequired[bool]  # of a tool: somebody outside wrote it
    tainted: NotRequired[bool]  # of an answer: it was made with such a text in view


class Turn(TypedDict):
    """A turn in the making; it becomes a part of the conversation when it is over."""

    id: str
    text: str
    steps: list[Record]  # what was called and what came of it
    said: str  # what was made to be said
    tainted: bool  # it has read what somebody outside wrote
    rounds: int  # how often a model was asked
    mended: list[str]  # what was tried again: each kind once


class Pending(TypedDict):
    """A call that waits for a yes from one device."""

    call: Call
    turn: str
    device: str
    ends_utc: float


class Conversation(TypedDict, total=False):
    """The channels of the graph; each keeps its last value."""

    version: int
    turn: str  # the id of the one that is answered, or was
    messages: list[Record]
    summary: str  # of what came before the messages
    pending: Pending | None


def now_utc() -> float:
    """Seconds since 1970: what is kept is read after a restart."""
    return datetime.now(UTC).timestamp()


def new_turn(id_: str, text: str) -> Turn:
    return Turn(id=id_, text=text, steps=[], said="", tainted=False, rounds=0, mended=[])


def folded(messages: Sequence[Record], turn: Turn, heard: str) -> list[Record]:
    """The conversation with a turn that is over: of its answer, what was heard."""
    steps = [_kept(step) for step in closed(turn["steps"])]
    answer = Record(role="assistant", content=heard.strip() or NOTHING_HEARD)
    if turn["tainted"]:
        answer["tainted"] = True
    question = Record(role="user", content=turn["text"])
    return trimmed([*messages, question, *steps, answer], MOST_KEPT)


def closed(steps: Sequence[Record]) -> list[Record]:
    """The steps with a result for every call: a history with a call left open is refused.

    OpenAI and Anthropic want each result behind the message that called, and no other.
    """
    found: list[Record] = []
    waiting: dict[str, None] = {}
    for step in steps:
        if step["role"] == "tool":
            if step.get("call_id", "") in waiting:
                del waiting[step.get("call_id", "")]
                found.append(step)
            continue
        found += _endings(waiting)
        waiting = dict.fromkeys(call["id"] for call in step.get("calls", ()))
        found.append(step)
    return [*found, *_endings(waiting)]


def trimmed(messages: Sequence[Record], most: int) -> list[Record]:
    """The newest messages, from the beginning of a turn on."""
    kept = list(messages)
    while len(kept) > most:
        end = next((n for n, m in enumerate(kept) if n and m["role"] == "user"), len(kept))
        del kept[:end]
    return kept


def is_tainted(messages: Iterable[Record]) -> bool:
    """Whether something that somebody outside wrote may speak through what was said."""
    return any(message.get("tainted") for message in messages)


def upgraded(found: Mapping[str, Any]) -> Conversation:
    """The state of whatever version as one of this; what cannot be understood is left out."""
    messages = found.get("messages")
    if found.get("version") == VERSION:
        records = [m for m in messages or () if _is_record(m)]
    else:
        # Before version 2 a message had its text under "text", and calls were not kept.
        records = [r for r in map(_from_first, messages or ()) if r is not None]
    summary = found.get("summary")
    pending = found.get("pending")
    return Conversation(
        version=VERSION,
        messages=trimmed(_orderly(records), MOST_KEPT),
        summary=summary if isinstance(summary, str) else "",
        pending=pending if _has(pending, Pending) else None,
    )


def as_messages(records: Iterable[Record]) -> list[Message]:
    """As a model is told them."""
    return [
        Message(
            role=r["role"],  # type: ignore[arg-type]  # checked by `_is_record`
            content=r["content"],
            calls=tuple(ToolCall(c["id"], c["name"], c["arguments"]) for c in r.get("calls", ())),
            call_id=r.get("call_id", ""),
        )
        for r in records
    ]


def as_call(call: ToolCall, id_: str) -> Call:
    """`id_` instead of the model's own, which small models give out twice."""
    return Call(id=id_, name=call.name, arguments=json.loads(json.dumps(dict(call.arguments))))


def _endings(waiting: Iterable[str]) -> list[Record]:
    return [Record(role="tool", content=CLOSED, call_id=id_) for id_ in waiting]


def _kept(step: Record) -> Record:
    """What was said meanwhile is in the answer; what others wrote is not kept."""
    if step["role"] == "tool":
        content = NOT_KEPT if step.get("untrusted") else step["content"]
        return Record(role="tool", content=content, call_id=step.get("call_id", ""))
    return Record(role="assistant", content="", calls=step.get("calls", []))


def _orderly(records: Sequence[Record]) -> list[Record]:
    """Only whole turns, each call with its result."""
    return closed(from_turn(records))


def from_turn(records: Sequence[Record]) -> list[Record]:
    """What is left from the first question on."""
    begins = next((n for n, r in enumerate(records) if r["role"] == "user"), len(records))
    return list(records[begins:])


def _is_record(found: object) -> bool:
    return (
        isinstance(found, dict)
        and found.get("role") in ("user", "assistant", "tool")
        and isinstance(found.get("content"), str)
        and all(_has(call, Call) for call in found.get("calls", ()))
    )


def _from_first(found: object) -> Record | None:
    if not isinstance(found, dict) or found.get("role") not in ("user", "assistant"):
        return None
    text = found.get("content", found.get("text"))
    return Record(role=found["role"], content=text) if isinstance(text, str) else None


def _has(found: object, shape: Any) -> bool:
    return isinstance(found, dict) and shape.__required_keys__ <= found.keys()
