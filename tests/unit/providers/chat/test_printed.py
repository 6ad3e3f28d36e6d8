"""Calls that a model prints as text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.ports import LlmDelta, TextDelta, ToolCall
from parlour.providers.chat.printed import LONGEST_CALL, PrintedCalls

CALL = '{"name": "act", "arguments": {"target": "lamp", "verb": "on"}}'
ARGUMENTS = {"target": "lamp", "verb": "on"}


def _stream(text: str, size: int = 1) -> list[LlmDelta]:
    printed = PrintedCalls(["act", "get"])
    found: list[LlmDelta] = []
    for at in range(0, len(text), size):
        found += printed.take(text[at : at + size])
    return found + printed.rest()


def _text(found: list[LlmDelta]) -> str:
    return "".join(delta.text for delta in found if isinstance(delta, TextDelta))


def _calls(found: list[LlmDelta]) -> list[tuple[str, object]]:
    return [(delta.name, delta.arguments) for delta in found if isinstance(delta, ToolCall)]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("printed", "text"),
    [
        (f"<tool_call>\n{CALL}\n</tool_call>", ""),
        (f"I will do it. <tool_call>{CALL}</tool_call>", "I will do it. "),
        ('<function=act>{"target": "lamp", "verb": "on"}</function>', ""),
        (f"[TOOL_CALLS][{CALL}]", ""),
        (f"```json\n{CALL}\n```", ""),
        (CALL, ""),
        (f"  {CALL}", "  "),
        ('{"function": {"name": "act", "parameters": {"target": "lamp", "verb": "on"}}}', ""),
        (json.dumps({"name": "act", "arguments": json.dumps(ARGUMENTS)}), ""),
        (f"<tool_call>{CALL}</tool_call> Done.", " Done."),
    ],
)
def test_each_manner_of_printing_is_understood(printed: str, text: str, size: int) -> None:
    found = _stream(printed, size)
    assert _calls(found) == [("act", ARGUMENTS)]
    assert _text(found) == text


def test_several_calls_are_all_found() -> None:
    found = _stream(f"[TOOL_CALLS][{CALL}, {CALL}]")
    assert len(_calls(found)) == 2
    found = _stream(f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>")
    assert [call.id for call in found if isinstance(call, ToolCall)] == ["printed_1", "printed_2"]


@pytest.mark.parametrize(
    "text",
    [
        "It is {about} five.",
        "Use a < b, or a > b.",
        "```python\nprint(1)\n```",
        '```json\n{"answer": 4}\n```',
        '{"answer": 4}',
        '{"name": "unknown", "arguments": {}}',
        "a tool_call is <b>bold</b> [TOOL",
        "{ not JSON at all",
    ],
)
def test_text_that_is_no_call_goes_through_as_it_is(text: str) -> None:
    assert _text(_stream(text)) == text
    assert not _calls(_stream(text))


@pytest.mark.parametrize("text", ["<tool_call>" + CALL[:20], "<function=act>{", "[TOOL_CALLS][{"])
def test_half_a_call_is_neither_said_nor_done(text: str) -> None:
    assert _stream("Well. " + text) in ([TextDelta("Well. ")], [*_stream("Well. ")])
    assert _text(_stream("Well. " + text)) == "Well. "


def test_text_is_not_held_back_longer_than_it_may_be_a_call() -> None:
    printed = PrintedCalls(["act"])
    assert _text(printed.take("It is five <")) == "It is five "
    assert _text(printed.take("br>")) == "<br>"


def test_what_never_ends_is_given_up() -> None:
    printed = PrintedCalls(["act"])
    found = printed.take("<tool_call>" + "x" * (LONGEST_CALL + 1))
    assert len(_text(found)) > LONGEST_CALL


@given(st.text(max_size=80), st.integers(1, 7))
def test_no_text_breaks_it_and_ordinary_text_is_whole(text: str, size: int) -> None:
    found = _stream(text, size)
    if not any(mark in text for mark in ("<", "[", "`", "{")):
        assert _text(found) == text
