"""Changes to what a CalDAV server keeps: one event, or one occurrence of a series, never the series."""

from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component
from icalendar import Event as VEvent

from parlour.errors import ToolError
from parlour.tools.calendar.events import GONE, Event, Span
from parlour.tools.calendar.ics import recurrence_of, when

PRODID = "-//Parlour//Calendar//EN"
_SERIES = ("RRULE", "RDATE", "EXDATE", "EXRULE")


def new_event(uid: str, title: str, span: Span, now: datetime) -> str:
    """A resource with one event, its times in the zone of `span`."""
    calendar = Calendar()
    calendar.add("PRODID", PRODID)
    calendar.add("VERSION", "2.0")
    event = VEvent()
    event.add("UID", uid)
    event.add("DTSTAMP", now.astimezone(UTC))
    event.add("SUMMARY", title)
    start, end = _moments(span, span.start.tzinfo)
    event.add("DTSTART", start)
    event.add("DTEND", end)
    calendar.add_component(event)
    return _written(calendar)


def moved(data: str, event: Event, span: Span, now: datetime) -> str:
    """The resource with this occurrence at another time. Raises ToolError if it is gone."""
    calendar = Calendar.from_ical(data)
    found = _of(calendar, event)
    if found is None:
        master = _master(calendar)
        if master is None or not event.recurrence:
            raise ToolError(GONE)
        found = VEvent.from_ical(master.to_ical())
        for name in _SERIES:
            found.pop(name, None)
        found.add("RECURRENCE-ID", _recurrence(master, event.recurrence))
        calendar.add_component(found)
    start, end = _moments(span, _zone_of(when(found, "DTSTART")))
    for name in ("DTSTART", "DTEND", "DURATION"):
        found.pop(name, None)
    found.add("DTSTART", start)
    found.add("DTEND", end)
    _touch(found, now)
    return _written(calendar)


def without(data: str, event: Event, now: datetime) -> str | None:
    """The resource without this occurrence; None: nothing is left of it. Raises ToolError."""
    calendar = Calendar.from_ical(data)
    found, master = _of(calendar, event), _master(calendar)
    if found is None and (master is None or not event.recurrence):
        raise ToolError(GONE)
    if found is not None:
        calendar.subcomponents.remove(found)
    if event.recurrence and master is not None:
        master.add("EXDATE", _recurrence(master, event.recurrence))
        _touch(master, now)
    return _written(calendar) if calendar.walk("VEVENT") else None


def _of(calendar: Calendar, event: Event) -> Component | None:
    """The component that is this occurrence and no other."""
    for found in calendar.walk("VEVENT"):
        id_ = when(found, "RECURRENCE-ID")
        if id_ is None and not event.recurrence:
            return None if any(name in found for name in _SERIES[:2]) else found
        if id_ is not None and recurrence_of(id_) == event.recurrence:
            return found
    return None


def _master(calendar: Calendar) -> Component | None:
    return next((e for e in calendar.walk("VEVENT") if "RECURRENCE-ID" not in e), None)


def _recurrence(master: Component, recurrence: str) -> date:
    """A RECURRENCE-ID of the kind and in the zone that the series is written in."""
    first = when(master, "DTSTART")
    if not isinstance(first, datetime):
        return datetime.strptime(recurrence[:8], "%Y%m%d").replace(tzinfo=UTC).date()
    moment = datetime.strptime(recurrence[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007  # added below
    if first.tzinfo is None:
        return moment
    return moment.replace(tzinfo=UTC).astimezone(_zone_of(first))


def _zone_of(moment: date | None) -> tzinfo | None:
    """The zone to write in: its own where everybody knows it, else UTC; None: floating."""
    if not isinstance(moment, datetime):
        return UTC
    zone = moment.tzinfo
    return zone if zone is None or isinstance(zone, ZoneInfo) else UTC


def _moments(span: Span, zone: tzinfo | None) -> tuple[date, date]:
    if span.all_day:
        return span.start.date(), span.end.date()
    if zone is None:
        return span.start.replace(tzinfo=None), span.end.replace(tzinfo=None)
    return span.start.astimezone(zone), span.end.astimezone(zone)


def _touch(found: Component, now: datetime) -> None:
    before: Any = found.get("SEQUENCE", 0)
    for name in ("SEQUENCE", "DTSTAMP", "LAST-MODIFIED"):
        found.pop(name, None)
    found.add("SEQUENCE", int(before) + 1)
    found.add("DTSTAMP", now.astimezone(UTC))
    found.add("LAST-MODIFIED", now.astimezone(UTC))


def _written(calendar: Calendar) -> str:
    calendar.add_missing_timezones()
    text: str = calendar.to_ical().decode()
    return text
