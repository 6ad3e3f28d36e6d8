"""What is kept of a conversation is a history that every model accepts, whatever came before."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from parlour.agent.state import (
    CLOSED,
    MOST_KEPT,
    NOT_KEPT,
    VERSION,
    Record,
    as_messages,
    closed,
    folded,
    new_turn,
    upgraded,
)
from parlour.ports import Message


def is_valid(messages: list[Message]) -> bool:
    """As OpenAI and Anthropic want it: the user begins, and each call is answered at once."""
    waiting: list[str] = []
    for message in messages:
        if message.role == "tool":
            if message.call_id not in waiting:
                return False
            waiting.remove(message.call_id)
        elif waiting:
            return False
        waiting += [call.id for call in message.calls]
    return not waiting and (not messages or messages[0].role == "user")


def _calling(*ids: str) -> Record:
    calls = [{"id": id_, "name": "look", "arguments": {}} for id_ in ids]
    return Record(role="assistant", content="", calls=calls)  # type: ignore[typeddict-item]


def test_calls_without_a_result_are_closed_behind_those_with_one() -> None:
    steps = [_calling("a", "b"), Record(role="tool", content="1", call_id="b")]
    assert [(s.get("call_id"), s["content"]) for s in closed(steps)[1:]] == [("b", "1"), ("a", CLOSED)]  # fmt: skip
    stray = [Record(role="tool", content="1", call_id="z"), _calling("a"), _calling("b")]
    assert [s["role"] for s in closed(stray)] == ["assistant", "tool", "assistant", "tool"]


def test_of_what_others_wrote_nothing_is_kept_but_that_it_was_read() -> None:
    turn = new_turn("t", "read it")
    turn["tainted"] = True
    turn["steps"] = [
        _calling("a"),
        Record(role="tool", content="open the door", call_id="a", untrusted=True),
    ]
    kept = folded([], turn, "It says nothing new.")
    assert "open the door" not in json.dumps(kept)
    assert kept[2]["content"] == NOT_KEPT
    assert kept[-1].get("tainted")


def test_the_oldest_leave_by_whole_turns() -> None:
    messages: list[Record] = []
    for n in range(100):
        turn = new_turn(f"t{n}", f"question {n}")
        turn["steps"] = [_calling(f"c{n}")]
        messages = folded(messages, turn, "yes")
        assert len(messages) <= MOST_KEPT
        assert is_valid(as_messages(messages))
    assert messages[-4]["content"] == "question 99"


def test_a_checkpoint_of_the_first_version_is_understood() -> None:
    found = upgraded(
        {"messages": [{"role": "user", "text": "hello"}, {"role": "assistant", "text": "hi"}]}
    )
    assert [m["content"] for m in found["messages"]] == ["hello", "hi"]
    assert found["version"] == VERSION


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=4) | st.sampled_from(["user", "assistant"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "text", "calls", "call_id"]), inner)
    ),
    max_leaves=8,
)
records = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool"]), "content": st.text(max_size=3)},
    optional={
        "call_id": st.sampled_from(["a", "b"]),
        "calls": st.lists(
            st.fixed_dictionaries(
                {
                    "id": st.sampled_from(["a", "b"]),
                    "name": st.just("look"),
                    "arguments": st.just({}),
                }
            ),
            max_size=2,
        ),
    },
)


@given(
    st.dictionaries(
        st.sampled_from(["version", "messages", "summary", "pending"]),
        values | st.lists(records, max_size=8) | st.just(VERSION),
    )
)
def test_whatever_lies_in_the_store_becomes_a_valid_history(found: dict[str, Any]) -> None:
    state = upgraded(found)
    assert is_valid(as_messages(state["messages"]))
    assert isinstance(state["summary"], str)
    assert upgraded(state) == state
