"""The small pieces of declared tools: parameters, templates, paths into JSON, and text of answers."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.errors import ToolError
from parlour.tools import pick, templates
from parlour.tools.answers import cell, clean, joined, table, text_of
from parlour.tools.parameters import Parameter, schema, values_of

# ---------------------------------------------------------------- parameters


def test_a_schema_names_every_parameter_and_those_that_are_needed() -> None:
    shown = schema(
        [
            Parameter("stop", description="its name"),
            Parameter("day", "date", "which day", required=False),
            Parameter("line", choices=("M1", "M4")),
        ]
    )
    assert shown == {
        "type": "object",
        "properties": {
            "stop": {"type": "string", "description": "its name"},
            "day": {"type": "string", "description": "which day, as 2026-05-31"},
            "line": {"type": "string", "enum": ["M1", "M4"]},
        },
        "required": ["stop", "line"],
        "additionalProperties": False,
    }


def test_arguments_become_values_of_their_kind() -> None:
    declared = [
        Parameter("text"),
        Parameter("day", "date"),
        Parameter("at", "time"),
        Parameter("count", "integer"),
        Parameter("weight", "number"),
        Parameter("new", "boolean"),
        Parameter("gone", required=False),
    ]
    given = {"text": "a", "day": "2026-05-31T10:00", "at": "18:30", "count": 2, "weight": 1.5}
    assert values_of(declared, given | {"new": True}) == {
        "text": "a",
        "day": date(2026, 5, 31),
        "at": time(18, 30),
        "count": 2,
        "weight": 1.5,
        "new": True,
        "gone": None,
    }


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        (Parameter("x"), None, "x is missing"),
        (Parameter("x"), "a" * 301, "x has more than 300 characters"),
        (Parameter("x"), "a\0", "x has a character that is not text"),
        (Parameter("x"), 5, "x must be a string"),
        (Parameter("x", "integer"), True, "x must be an integer"),
        (Parameter("x", "integer"), 1.5, "x must be an integer"),
        (Parameter("x", "boolean"), 1, "x must be a boolean"),
        (Parameter("x", choices=("a", "b")), "c", "x must be one of a, b"),
        (Parameter("x", "time"), "noon", "x must be a time such as 18:30"),
    ],
)
def test_what_cannot_be_a_value_is_said_so_that_a_model_can_mend_it(
    parameter: Parameter, value: object, said: str
) -> None:
    with pytest.raises(ToolError, match=said):
        values_of([parameter], {} if value is None else {"x": value})


# ---------------------------------------------------------------- templates

ADDRESS = "https://api.example.org:8443/stops/{stop}/next?line={line}&key=k"


@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_no_value_changes_scheme_host_port_or_the_shape_of_the_path(stop: str, line: str) -> None:
    try:
        url = templates.read_url(ADDRESS).fill({"stop": stop, "line": line})
    except ToolError:
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "api.example.org:8443", "")
    _, first, middle, last = parts.path.split("/")
    assert (first, unquote(middle), last) == ("stops", stop, "next")
    assert [pair.partition("=")[0] for pair in parts.query.split("&")] == ["line", "key"]
    assert url.isascii()
    assert url.isprintable()


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ToolError, match="stop has a character that is not text"):
        values_of([Parameter("stop")], {"stop": "\ud83d"})


@pytest.mark.parametrize(
    "text",
    [
        "ftp://host/x",
        "https://{host}/x",
        "https://host:{port}/x",
        "{scheme}://host/x",
        "https://user:pass@host/x",
        "https://host/a/../b",
        "https://host/x#part",
        "https://host/{a b}",
        "https://host/{",
        "https://host\\@evil/x",
        "https:///x",
        "",
    ],
)
def test_an_address_has_a_host_of_the_owners(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|may not|has"):
        templates.read_url(text)


def test_a_body_keeps_the_kind_of_a_value_and_leaves_out_what_was_left_out() -> None:
    body = {"n": "{n}", "text": "{n} of {what}", "list": ["{what}", 1, None], "gone": "{gone}"}
    assert templates.names_in(body) == {"n", "what", "gone"}
    filled = templates.fill_body(body, {"n": 0, "what": '"}', "gone": None})
    assert filled == {"n": 0, "text": '0 of "}', "list": ['"}', 1, None]}


# ---------------------------------------------------------------- paths

BOARD = {
    "stop": {"name": "Market"},
    "departures": [
        {"time": "10:00", "line": {"name": "M1"}},
        {"time": "10:05", "line": {"name": "M4"}},
        {"line": {"name": "M8"}},
    ],
    "a b": [[1, 2], [3]],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("stop.name", "Market"),
        ("stop.nothing.more", None),
        ("departures[0].line.name", "M1"),
        ("departures[-1].line.name", "M8"),
        ("departures[7]", None),
        ("departures[*].time", ["10:00", "10:05"]),
        ("departures[1:].line.name", ["M4", "M8"]),
        ("departures[:1].{at: time, line: line.name}", [{"at": "10:00", "line": "M1"}]),
        ('"a b"[0][1]', 2),
        ('"a b"[*][0]', [1, 3]),
        ("{name: stop.name}", {"name": "Market"}),
        ("stop[0]", None),
    ],
)
def test_a_path_finds_what_it_names(path: str, found: object) -> None:
    assert pick.pick(BOARD, pick.read(path)) == found


@pytest.mark.parametrize(
    "path", ["", ".", "a.", "a[", "a[x]", "a..b", "{a}", "{a: b", "a b", "{}", "a" * 301, "{a:" * 9]
)
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be read from|must have at most"):
        pick.read(path)


@given(st.text(alphabet='ab.[]:*{},"0-1 ', max_size=30))
def test_whatever_path_comes_it_is_one_or_a_value_error(path: str) -> None:
    try:
        steps = pick.read(path)
    except ValueError:
        return
    pick.pick(BOARD, steps)


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (True, "yes"),
        (12, "12"),
        (10**80, "a huge number"),
        (0.5, "0.5"),
        (1e-7, "0.0000001"),
        (3.0, "3"),
        (1e300, "1.000000e+300"),
        (float("nan"), "-"),
        (Decimal("12.50"), "12.50"),
        (date(2026, 5, 31), "2026-05-31"),
        (datetime(2026, 5, 31, 10, 0), "2026-05-31 10:00"),  # noqa: DTZ001
        (time(18, 30), "18:30"),
        (b"\x00\x01", "(2 bytes)"),
        ({"a": [1]}, '{"a": [1]}'),
        ("", "-"),
        (" two\nlines\x1b[0m\u202e ", "two lines [0m"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_a_value_is_shown_plain(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_a_moment_is_shown_in_the_time_of_the_house() -> None:
    moment = datetime(2026, 5, 31, 10, 0, tzinfo=UTC)
    assert cell(moment) == moment.astimezone().strftime("%Y-%m-%d %H:%M")


def test_no_value_looks_like_two() -> None:
    assert table(["a", "b"], [["x | y", 1]]) == "a | b\nx / y | 1"


def test_what_does_not_fit_is_counted() -> None:
    text = joined(["x" * 90] * 50, more=7)
    assert len(text) <= 2000
    assert text.endswith(f"({57 - text.count('x' * 90)} more rows)")
    assert len(joined(["x" * 5000])) <= 2000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
)


@given(JSON)
def test_whatever_json_comes_it_is_text_without_controls(value: object) -> None:
    text = text_of(json.loads(json.dumps(value)))
    assert 0 < len(text) <= 2000
    assert all(c == "\n" or c >= " " for c in text)
    text.encode()


@given(st.text())
def test_clean_text_is_one_line(text: str) -> None:
    shown = clean(text)
    assert len(shown) <= 200
    assert len(shown.splitlines()) <= 1
