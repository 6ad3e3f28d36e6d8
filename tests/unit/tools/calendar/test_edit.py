"""Changes to resources: what the next reader of them sees."""

from datetime import timedelta

import pytest
from icalendar import Calendar

from calendar_files import BERLIN, NOW, at, vcalendar, vevent
from parlour.errors import ToolError
from parlour.tools.calendar.edit import moved, new_event, without
from parlour.tools.calendar.events import Event, Span
from parlour.tools.calendar.ics import Sheet

LATER = Span(at("2026-11-17T14:00"), at("2026-11-17T15:00"))
SERIES = vcalendar(
    vevent(
        "DTSTART;TZID=Europe/Berlin:20261102T090000", "DURATION:PT1H", "SUMMARY:Class",
        "RRULE:FREQ=WEEKLY;COUNT=4", "SEQUENCE:3", "ATTENDEE:mailto:a@example.org",
    )
)  # fmt: skip


def events(data: str) -> list[Event]:
    return Sheet(data, "family", BERLIN).between(at("2026-10-01"), at("2027-06-01"))


def days(data: str) -> list[str]:
    return [f"{e.start:%d.%m. %H:%M}" for e in events(data)]


def test_a_new_event_is_in_the_zone_of_the_house_and_brings_the_zone_along() -> None:
    title = "Dentist; with, all\\n of it \U0001f9b7"
    data = new_event("uid-1", title, Span(at("2026-11-24T10:00"), at("2026-11-24T10:30")), NOW)
    assert "BEGIN:VTIMEZONE" in data
    assert "DTSTART;TZID=Europe/Berlin:20261124T100000" in data
    [event] = events(data)
    assert (event.uid, event.title, event.recurrence) == ("uid-1", title, "")


def test_a_new_event_of_whole_days_has_dates() -> None:
    data = new_event("u", "Trip", Span(at("2026-11-24"), at("2026-11-26"), True), NOW)
    assert "DTSTART;VALUE=DATE:20261124" in data
    assert "DTEND;VALUE=DATE:20261126" in data


def test_moving_one_of_a_series_leaves_the_others() -> None:
    third = events(SERIES)[2]
    data = moved(SERIES, third, LATER, NOW)
    assert days(data) == ["02.11. 09:00", "09.11. 09:00", "17.11. 14:00", "23.11. 09:00"]
    assert events(data)[2].id == third.id
    assert data.count("BEGIN:VEVENT") == 2
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20261116T090000" in data
    assert data.count("RRULE") == 1
    assert data.count("ATTENDEE") == 2
    again = Span(LATER.start + timedelta(days=1), LATER.end + timedelta(days=1))
    data = moved(data, third, again, NOW)
    assert days(data) == ["02.11. 09:00", "09.11. 09:00", "18.11. 14:00", "23.11. 09:00"]
    assert data.count("BEGIN:VEVENT") == 2


def test_deleting_one_of_a_series_leaves_the_others() -> None:
    third = events(SERIES)[2]
    left = without(SERIES, third, NOW)
    assert left is not None
    assert days(left) == ["02.11. 09:00", "09.11. 09:00", "23.11. 09:00"]
    was_moved = without(moved(SERIES, third, LATER, NOW), third, NOW)
    assert was_moved is not None
    assert days(was_moved) == days(left)
    for event in events(left):
        left = without(left, event, NOW) or ""
        assert left  # a series without any occurrence is still the owner's series


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("DTSTART:20261102T080000Z", "RRULE:FREQ=WEEKLY;COUNT=3"),
        ("DTSTART:20261102T090000", "RRULE:FREQ=WEEKLY;COUNT=3"),
        ("DTSTART;VALUE=DATE:20261102", "RRULE:FREQ=WEEKLY;COUNT=3"),
        ("DTSTART;TZID=America/New_York:20261102T030000", "RRULE:FREQ=WEEKLY;COUNT=3"),
        ("DTSTART:20261102T080000Z", "RDATE:20261109T080000Z,20261116T080000Z"),
    ],
)
def test_series_of_every_kind_lose_the_one_that_is_meant(start: str, rule: str) -> None:
    data = vcalendar(vevent(start, rule))
    _first, second, _third = events(data)
    left = without(data, second, NOW)
    assert left is not None
    assert [e.start.day for e in events(left)] == [2, 16]
    elsewhere = moved(data, second, Span(LATER.start, LATER.end, second.all_day), NOW)
    assert [e.start.day for e in events(elsewhere)] == [2, 16, 17]


def test_a_single_event_keeps_its_zone_and_gets_a_new_sequence() -> None:
    data = vcalendar(
        vevent("DTSTART;TZID=Asia/Kolkata:20261124T143000", "DURATION:PT1H", "SEQUENCE:4")
    )
    [event] = events(data)
    data = moved(data, event, LATER, NOW)
    assert "DTSTART;TZID=Asia/Kolkata:20261117T183000" in data
    assert "SEQUENCE:5" in data
    assert "DURATION" not in data.partition("BEGIN:VEVENT")[2]
    assert events(data)[0].end == LATER.end
    assert events(data)[0].id == event.id


def test_the_zone_of_an_office_server_is_written_so_that_all_can_read_it() -> None:
    data = vcalendar(
        vevent("DTSTART;TZID=W. Europe Standard Time:20261124T100000", "DURATION:PT1H")
    )
    data = moved(data, events(data)[0], LATER, NOW)
    assert events(data)[0].start == LATER.start
    zones = [str(zone["TZID"]) for zone in Calendar.from_ical(data).walk("VTIMEZONE")]
    assert zones == ["Europe/Berlin"]


def test_a_lone_event_leaves_nothing_and_one_that_is_gone_is_said_to_be() -> None:
    data = vcalendar(vevent("DTSTART:20261124T100000Z"))
    [event] = events(data)
    assert without(data, event, NOW) is None
    other = vcalendar(vevent("DTSTART:20261124T100000Z", "RRULE:FREQ=DAILY;COUNT=2"))
    with pytest.raises(ToolError, match="no longer in the calendar"):
        without(other, event, NOW)
    with pytest.raises(ToolError, match="no longer in the calendar"):
        moved(other, event, LATER, NOW)
