"""Days and times as models write them."""

from datetime import timedelta

import pytest

from calendar_files import BERLIN, NOW, at
from parlour.errors import ToolError
from parlour.tools.calendar.times import parse_day, parse_start


@pytest.mark.parametrize(
    ("text", "ahead"),
    [
        ("today", 0), ("Tomorrow", 1), ("saturday", 0), ("next saturday", 7), ("Sun", 1),
        ("on Friday", 6), ("2026-11-24", 3), ("2026-11-24T00:00:00", 3), ("yesterday", -1),
    ],
)  # fmt: skip
def test_a_day_by_its_name(text: str, ahead: int) -> None:
    assert parse_day(text, NOW) == NOW.date() + timedelta(days=ahead)


@pytest.mark.parametrize("text", ["", "soon", "24.11.", "2026-13-01", "mo", "x" * 500])
def test_what_is_no_day_says_what_would_be(text: str) -> None:
    with pytest.raises(ToolError, match="such as 2026-11-21"):
        parse_day(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24 10:00", "2026-11-24T10:00", "2026-11-24T10:00:00", "2026-11-24 10:00:00.000",
        "2026-11-24T09:00Z", "2026-11-24T10:00:00+01:00", "2026-11-24T04:00-0500",
        "2026-11-24T10:00+01:00[Europe/Berlin]", "2026-11-24 14:30[Asia/Kolkata]",
        " 2026-11-24  10:00 ",
    ],
)  # fmt: skip
def test_a_start_in_many_spellings(text: str) -> None:
    assert parse_start(text, NOW) == (at("2026-11-24").date(), at("2026-11-24T10:00"))


def test_a_start_without_a_time_is_a_day() -> None:
    assert parse_start("2026-11-24", NOW) == (at("2026-11-24").date(), None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tomorrow at ten", "write it as"),
        ("2026-11-24 25:00", "write it as"),
        ("2026-02-30 10:00", "write it as"),
        ("2026-11-24 10:00[Mars/Base]", "write it as"),
        ("2025-11-24 10:00", "in the past: today is 2026-11-21"),
        ("2062-11-24 10:00", "too far away"),
        ("2027-03-28 02:30", "the clocks go forward"),
    ],
)
def test_a_start_that_cannot_be_says_why(text: str, why: str) -> None:
    with pytest.raises(ToolError, match=why):
        parse_start(text, NOW)


def test_the_hour_that_comes_twice_is_the_first() -> None:
    _, moment = parse_start("2027-10-31 02:30", NOW)
    assert moment is not None
    assert moment.utcoffset() == timedelta(hours=2)
    assert moment.tzinfo is BERLIN
