"""What people say of when an alarm is to ring, and when that is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.errors import HomeError, InputError
from parlour.home.alarmtime import DAYPARTS, REPEATS, WEEKDAYS, alarm_time, parse_time, repeat_days
from parlour.ports import Slot

BERLIN = ZoneInfo("Europe/Berlin")
# Wednesday, the fourth of March 2026, ten in the morning.
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("said", "day", "clock"),
    [
        # an hour alone is the next one on the dial
        ({"hour": 7}, 4, "19:00"),
        ({"hour": 11}, 4, "11:00"),
        ({"hour": 10}, 4, "22:00"),
        ({"hour": 10, "minute": 1}, 4, "10:01"),
        ({"hour": 12}, 4, "12:00"),
        ({"hour": 12, "minute": 30}, 4, "12:30"),
        ({"hour": 9, "minute": 59}, 4, "21:59"),
        # a clock of twenty four hours is not ambiguous
        ({"hour": 0}, 5, "00:00"),
        ({"hour": 24}, 5, "00:00"),
        ({"hour": 13}, 4, "13:00"),
        ({"hour": 19, "minute": 5}, 4, "19:05"),
        ({"hour": 0, "minute": 15}, 5, "00:15"),
        # the part of the day
        ({"hour": 7, "daypart": "am"}, 5, "07:00"),
        ({"hour": 7, "daypart": "pm"}, 4, "19:00"),
        ({"hour": 12, "daypart": "am"}, 5, "00:00"),
        ({"hour": 12, "daypart": "pm"}, 4, "12:00"),
        ({"hour": 7, "daypart": "morning"}, 5, "07:00"),
        ({"hour": 11, "daypart": "morning"}, 4, "11:00"),
        ({"hour": 3, "daypart": "afternoon"}, 4, "15:00"),
        ({"hour": 12, "daypart": "afternoon"}, 4, "12:00"),
        ({"hour": 7, "daypart": "evening"}, 4, "19:00"),
        ({"hour": 12, "daypart": "evening"}, 5, "00:00"),
        ({"hour": 11, "daypart": "night"}, 4, "23:00"),
        ({"hour": 12, "daypart": "night"}, 5, "00:00"),
        ({"hour": 2, "daypart": "night"}, 5, "02:00"),
        ({"hour": 19, "daypart": "evening"}, 4, "19:00"),
        ({"hour": 19, "daypart": "am"}, 4, "19:00"),
        ({"daypart": "noon"}, 4, "12:00"),
        ({"hour": 12, "daypart": "noon"}, 4, "12:00"),
        ({"daypart": "midnight"}, 5, "00:00"),
        ({"hour": 12, "daypart": "midnight"}, 5, "00:00"),
        # today, and tomorrow where that is past
        ({"hour": 11, "day": "today"}, 4, "11:00"),
        ({"hour": 7, "day": "today"}, 4, "19:00"),
        ({"hour": 7, "day": "today", "daypart": "am"}, 5, "07:00"),
        ({"hour": 11, "day": "today", "daypart": "night"}, 4, "23:00"),
        ({"hour": 1, "day": "today", "daypart": "night"}, 5, "01:00"),
        ({"hour": 8, "minute": 30, "daypart": "am"}, 5, "08:30"),
        # a day that is named: the first of both
        ({"hour": 7, "day": "tomorrow"}, 5, "07:00"),
        ({"hour": 7, "minute": 30, "day": "tomorrow"}, 5, "07:30"),
        ({"hour": 7, "day": "tomorrow", "daypart": "evening"}, 5, "19:00"),
        ({"hour": 12, "day": "tomorrow"}, 5, "00:00"),
        ({"daypart": "noon", "day": "tomorrow"}, 5, "12:00"),
        ({"daypart": "midnight", "day": "tomorrow"}, 6, "00:00"),
        ({"daypart": "midnight", "day": "today"}, 5, "00:00"),
        ({"hour": 24, "day": "tomorrow"}, 6, "00:00"),
        ({"hour": 0, "day": "tomorrow"}, 5, "00:00"),
        ({"hour": 7, "day": "thursday"}, 5, "07:00"),
        ({"hour": 7, "day": "friday"}, 6, "07:00"),
        ({"hour": 7, "day": "tuesday"}, 10, "07:00"),
        ({"hour": 7, "day": "wednesday"}, 4, "19:00"),
        ({"hour": 7, "day": "wednesday", "daypart": "am"}, 11, "07:00"),
        ({"hour": 11, "day": "wednesday"}, 4, "11:00"),
        ({"hour": 8, "day": "saturday", "daypart": "evening"}, 7, "20:00"),
        # again and again: when people are awake
        ({"hour": 7, "repeat": "daily"}, 5, "07:00"),
        ({"hour": 11, "repeat": "daily"}, 4, "11:00"),
        ({"hour": 2, "repeat": "daily"}, 4, "14:00"),
        ({"hour": 12, "repeat": "daily"}, 4, "12:00"),
        ({"hour": 7, "repeat": "weekdays"}, 5, "07:00"),
        ({"hour": 9, "repeat": "weekends"}, 7, "09:00"),
        ({"hour": 7, "repeat": "monday"}, 9, "07:00"),
        ({"hour": 7, "repeat": "wednesday"}, 11, "07:00"),
        ({"hour": 7, "repeat": "wednesday", "daypart": "pm"}, 4, "19:00"),
        ({"hour": 22, "repeat": "daily"}, 4, "22:00"),
        ({"daypart": "midnight", "repeat": "daily"}, 5, "00:00"),
        # after some time
        ({"in_minutes": 20}, 4, "10:20"),
        ({"in_minutes": 0.5}, 4, "10:00"),
        ({"in_minutes": 24 * 60}, 5, "10:00"),
    ],
)  # fmt: skip
def test_when_that_is(said: dict[str, Slot], day: int, clock: str) -> None:
    when = alarm_time(said, NOW)
    assert f"{when:%m-%d %H:%M}" == f"03-{day:02} {clock}"
    assert when.tzinfo is NOW.tzinfo


@pytest.mark.parametrize(
    ("now", "said", "then"),
    [
        ((2026, 3, 6, 23, 50), {"hour": 7, "repeat": "weekdays"}, "03-09 07:00"),
        ((2026, 3, 8, 9, 0), {"hour": 9, "repeat": "weekends"}, "03-14 09:00"),
        ((2026, 12, 31, 23, 0), {"hour": 7, "day": "tomorrow"}, "01-01 07:00"),
        ((2026, 2, 28, 22, 0), {"hour": 7}, "03-01 07:00"),
        ((2026, 3, 4, 0, 30), {"hour": 12}, "03-04 12:00"),
        ((2026, 3, 4, 23, 59), {"hour": 12}, "03-05 00:00"),
        ((2026, 3, 4, 20, 0), {"hour": 7, "day": "today"}, "03-05 07:00"),
        # the nights in which clocks change
        ((2026, 3, 28, 22, 0), {"hour": 7}, "03-29 07:00"),
        ((2026, 3, 29, 1, 30), {"in_minutes": 60}, "03-29 03:30"),
        ((2026, 10, 25, 1, 30), {"in_minutes": 120}, "10-25 02:30"),
        ((2026, 10, 24, 22, 0), {"hour": 7, "day": "tomorrow"}, "10-25 07:00"),
    ],
)
def test_at_the_ends_of_days_weeks_and_years(
    now: tuple[int, int, int, int, int], said: dict[str, Slot], then: str
) -> None:
    year, month, day, hour, minute = now
    moment = datetime(year, month, day, hour, minute, tzinfo=BERLIN)
    assert f"{alarm_time(said, moment):%m-%d %H:%M}" == then


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({}, "At what time"),
        ({"day": "tomorrow"}, "At what time"),
        ({"daypart": "morning"}, "At what time"),
        ({"hour": 25}, "no such time"),
        ({"hour": -1}, "no such time"),
        ({"hour": 24, "minute": 1}, "no such time"),
        ({"hour": 7, "minute": 60}, "no such time"),
        ({"hour": 7, "day": "someday"}, "do not know the day"),
        ({"hour": 7, "daypart": "dawn"}, "do not know when"),
        ({"hour": 7, "repeat": "yearly"}, "cannot repeat"),
        ({"in_minutes": 0}, "up to a week"),
        ({"in_minutes": 8 * 24 * 60}, "up to a week"),
    ],
)
def test_what_is_no_time_is_refused_in_words(said: dict[str, Slot], complaint: str) -> None:
    with pytest.raises(HomeError, match=complaint):
        alarm_time(said, NOW)


@given(
    hour=st.integers(0, 24),
    minute=st.integers(0, 59),
    daypart=st.sampled_from(["", *DAYPARTS]),
    day=st.sampled_from(["", "today", "tomorrow", *WEEKDAYS]),
    repeat=st.sampled_from(["", *REPEATS]),
    ahead_min=st.integers(0, 400 * 24 * 60),
)
def test_whatever_is_said_it_is_to_come_within_eight_days(
    hour: int, minute: int, daypart: str, day: str, repeat: str, ahead_min: int
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=ahead_min)
    said: dict[str, Slot] = {"hour": hour, "minute": minute if hour < 24 else 0}
    said |= {"daypart": daypart, "day": day, "repeat": repeat}
    when = alarm_time(said, now)
    assert timedelta() < when - now <= timedelta(days=8)
    if days := repeat_days(said):
        eve = when - timedelta(hours=1)  # twelve at night ends the day that it belongs to
        assert when.weekday() in days or eve.weekday() in days


@pytest.mark.parametrize(
    ("written", "when"),
    [
        ("7:30 tomorrow", "03-05 07:30"),
        ("tomorrow at 7:30", "03-05 07:30"),
        ("07:30", "03-05 07:30"),
        ("7:30", "03-04 19:30"),
        ("19:30", "03-04 19:30"),
        ("7pm", "03-04 19:00"),
        ("7:15 a.m. on Friday", "03-06 07:15"),
        ("monday 7 pm", "03-09 19:00"),
        ("noon", "03-04 12:00"),
        ("midnight", "03-05 00:00"),
        ("tonight at 11", "03-04 23:00"),
        ("in 20 minutes", "03-04 10:20"),
        ("in 2 hours", "03-04 12:00"),
        ("in 5 min", "03-04 10:05"),
        ("00:10", "03-05 00:10"),
    ],
)
def test_a_time_in_writing(written: str, when: str) -> None:
    assert f"{alarm_time(parse_time(written), NOW):%m-%d %H:%M}" == when


@pytest.mark.parametrize("written", ["soon", "7:3", "half past 7", "7:30:00", "7 8", "x" * 50])
def test_what_is_no_time_in_writing_is_refused(written: str) -> None:
    with pytest.raises(InputError, match="is no time"):
        parse_time(written)
