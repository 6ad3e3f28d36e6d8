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
LONGEST_KEPT = 2_000  # characters of a question or an answer, and of the arguments of a call


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
    echoes: bool  # it was made with an answer in view that was
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
    return Turn(
        id=id_, text=text, steps=[], said="", tainted=False, echoes=False, rounds=0, mended=[]
    )


def folded(messages: Sequence[Record], turn: Turn, heard: str) -> list[Record]:
    """The conversation with a turn that is over: of its answer, what was heard."""
    steps = [_kept(step) for step in closed(turn["steps"])]
    answer = Record(role="assistant", content=_worded(heard))
    if turn["tainted"] or turn["echoes"]:  # it may repeat what it has read
        answer["tainted"] = True
    question = Record(role="user", content=_worded(turn["text"]))
    whole = [*messages, question, *steps, answer]
    kept = trimmed(whole, MOST_KEPT)
    return aged(kept) if len(kept) < len(whole) else kept


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
    """The newest messages, from the beginning of a turn on.

    A third leaves at once: what a model is told then stays the same for some turns.
    """
    if len(messages) <= most:
        return list(messages)
    begins = [n for n, m in enumerate(messages) if m["role"] == "user"]
    few = [n for n in begins if len(messages) - n <= most * 2 // 3]
    last = [n for n in begins[-1:] if len(messages) - n <= most]
    return list(messages[next(iter([*few, *last]), len(messages)) :])


def aged(messages: Sequence[Record]) -> list[Record]:
    """What is left when the older ones leave. What may speak for somebody outside leaves too, but
    where he was read lately: else one answer repeats another for ever, and all is doubted."""
    if any(m["role"] == "tool" and m["content"] == NOT_KEPT for m in messages):
        return list(messages)
    found: list[Record] = []
    is_answer_tainted = False
    for record in reversed(messages):
        if record["role"] == "assistant" and not record.get("calls"):
            is_answer_tainted = bool(record.get("tainted"))
        found.append(_cleansed(record) if is_answer_tainted else record)
    return found[::-1]


def _cleansed(record: Record) -> Record:
    if record["role"] != "assistant":
        return record
    if calls := record.get("calls"):
        return Record(role="assistant", content="", calls=[_bare(call) for call in calls])
    return Record(role="assistant", content=NOT_KEPT)


def is_tainted(messages: Iterable[Record]) -> bool:
    """Whether something that somebody outside wrote may speak through what was said."""
    return any(message.get("tainted") for message in messages)


def upgraded(found: Mapping[str, Any]) -> Conversation:
    """The state of whatever version as one of this; what cannot be understood is left out."""
    messages = found.get("messages")
    # Before version 2 a message had its text under "text", and calls were not kept.
    read = _record if found.get("version") == VERSION else _record_of_first
    records = [r for r in map(read, messages if isinstance(messages, list) else ()) if r]
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
            role=r["role"],  # type: ignore[arg-type]  # checked by `_record`
            content=r["content"],
            calls=tuple(ToolCall(c["id"], c["name"], c["arguments"]) for c in r.get("calls", ())),
            call_id=r.get("call_id", ""),
        )
        for r in records
    ]


def as_call(call: ToolCall, id_: str) -> Call:
    """`id_` instead of the model's own, which small models give out twice."""
    written = storable(json.dumps(dict(call.arguments), ensure_ascii=False))
    # No JSON has a NaN, and not every store keeps a number of twenty digits.
    arguments = json.loads(
        written, parse_constant=lambda _: None, parse_int=lambda n: int(n) if len(n) < 19 else n
    )
    return Call(id=id_, name=call.name, arguments=arguments)


def storable(text: str) -> str:
    """Without the halves of letters that models and JSON can hold, and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def _worded(text: str) -> str:
    """A message without a word is refused by Anthropic."""
    return storable(text[:LONGEST_KEPT]).strip() or NOTHING_HEARD


def _endings(waiting: Iterable[str]) -> list[Record]:
    return [Record(role="tool", content=CLOSED, call_id=id_) for id_ in waiting]


def _kept(step: Record) -> Record:
    """What was said meanwhile is in the answer; what others wrote is not kept."""
    if step["role"] == "tool":
        content = NOT_KEPT if step.get("untrusted") else step["content"]
        return Record(role="tool", content=content, call_id=step.get("call_id", ""))
    calls = [_bare(call) if _is_long(call) else call for call in step.get("calls", ())]
    return Record(role="assistant", content="", calls=calls)


def _is_long(call: Call) -> bool:
    return len(json.dumps(call["arguments"], ensure_ascii=False)) > LONGEST_KEPT


def _bare(call: Call) -> Call:
    return Call(id=call["id"], name=call["name"], arguments={})


def _orderly(records: Sequence[Record]) -> list[Record]:
    """Only whole turns, each call with its result."""
    return closed(from_turn(records))


def from_turn(records: Sequence[Record]) -> list[Record]:
    """What is left from the first question on."""
    begins = next((n for n, r in enumerate(records) if r["role"] == "user"), len(records))
    return list(records[begins:])


def _record(found: object) -> Record | None:
    if not isinstance(found, dict) or not isinstance(found.get("content"), str):
        return None
    role, content = found.get("role"), found["content"]
    record = Record(role=str(role), content=content)
    match role:
        case "user":
            pass
        case "assistant":
            told = found.get("calls")
            calls = [c for c in told if _has(c, Call)] if isinstance(told, list) else []
            if calls:
                record["calls"] = list({call["id"]: call for call in calls}.values())
            if found.get("tainted"):
                record["tainted"] = True
        case "tool":
            record["call_id"] = str(found.get("call_id", ""))
        case _:
            return None
    return record


def _record_of_first(found: object) -> Record | None:
    if not isinstance(found, dict) or found.get("role") not in ("user", "assistant"):
        return None
    text = found.get("content", found.get("text"))
    return Record(role=found["role"], content=text) if isinstance(text, str) else None


def _has(found: Any, shape: Any) -> bool:
    """Whether it has all keys of a typed dictionary, with values that can be worked with."""
    if not isinstance(found, dict) or not shape.__required_keys__ <= found.keys():
        return False
    if shape is Pending:
        return isinstance(found["ends_utc"], int | float) and _has(found["call"], Call)
    named = isinstance(found["id"], str) and isinstance(found["name"], str)
    return named and isinstance(found["arguments"], dict)
