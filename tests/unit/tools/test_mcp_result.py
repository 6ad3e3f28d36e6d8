"""An answer of a tool as text: joined, capped, and nothing but words."""

from typing import Any

import pytest
from mcp_types import CallToolResult

from parlour.tools.mcp.result import LONGEST_TEXT, text_of


def text(*blocks: dict[str, Any], **more: Any) -> str:
    return text_of(CallToolResult.model_validate({"content": list(blocks), **more}))


def said(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_texts_are_joined_line_by_line() -> None:
    assert text(said("one"), said(""), said("two")) == "one\ntwo"


@pytest.mark.parametrize(
    ("block", "word"),
    [
        ({"type": "image", "data": "AAAA", "mimeType": "image/png"}, "(image)"),
        ({"type": "audio", "data": "AAAA", "mimeType": "audio/wav"}, "(sound)"),
        ({"type": "resource_link", "name": "x", "uri": "file:///x"}, "(link)"),
        ({"type": "resource", "resource": {"uri": "file:///x", "blob": "AAAA"}}, "(file)"),
        ({"type": "resource", "resource": {"uri": "file:///x", "text": "words"}}, "words"),
    ],
)
def test_what_is_no_text_is_named(block: dict[str, Any], word: str) -> None:
    assert text(said("Here:"), block) == f"Here:\n{word}"


def test_structured_content_is_compact_json_where_nothing_else_is_said() -> None:
    weather = {"city": "Köln", "degrees": 21.5}
    compact = '{"city":"Köln","degrees":21.5}'
    assert text(structuredContent=weather) == compact
    assert (
        text(said('{\n  "city": "Köln", "degrees": 21.5\n}'), structuredContent=weather) == compact
    )
    assert text(said("It is warm."), structuredContent=weather) == "It is warm."


def test_an_answer_is_capped_whatever_it_is_made_of() -> None:
    assert len(text(said("x" * 900_000))) == LONGEST_TEXT
    assert len(text(*[said("x" * 30)] * 9000)) == LONGEST_TEXT
    assert len(text(structuredContent=[1] * 100_000)) == LONGEST_TEXT


def test_a_text_that_is_no_json_in_a_clever_way_does_no_harm() -> None:
    assert text(said("[" * 1999), structuredContent=[]) == "[" * 1999


def test_control_characters_do_not_pass() -> None:
    assert text(said("a\x1b[31mb\u202ec\r\nd")) == "a [31mbc \nd"


def test_an_empty_answer_is_empty() -> None:
    assert text() == ""
