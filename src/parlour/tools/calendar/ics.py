"""A calendar file taken apart: every event by itself, so that a damaged one harms no other.

Events are found by their dates and read by the libraries only when they may matter, which makes
a file of thousands of events quick to ask.
"""

import hashlib
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, TypeVar
from zoneinfo import available_timezones

import anyio
import recurring_ical_events  # type: ignore[import-untyped]  # it brings no types
from anyio import to_thread
from icalendar import Calendar, Component
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from parlour.errors import InputError, ProviderError
from parlour.tools.calendar.events import Event, clean

T = TypeVar("T")

LARGEST_BYTES = 10_000_000
DEADLINE_S = 5.0
LONGEST_WORK_S = 4.0  # of expanding series; a file that takes longer is not meant well
MOST_A_DAY = 48  # occurrences of one series
MARGIN = timedelta(days=2)  # no zone is further from another
LONGEST_TEXT = 1_000  # characters of a title or a place that are kept
_READ = {
    "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID",
    "SUMMARY", "LOCATION", "STATUS", "TRANSP", "SEQUENCE",
}  # fmt: skip
_FOLD = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_ZONE = re.compile(r";TZID=(?:\"([^\"]*)\"|([^;:]*))", re.IGNORECASE)
_DAY = re.compile(r"(?<![0-9])([0-9]{4})([0-9]{2})([0-9]{2})(?=T|Z|,|/|;|$)", re.MULTILINE)
_UNTIL = re.compile(r"UNTIL=([0-9]{8})", re.IGNORECASE)
_DURATION_DAYS = re.compile(r"P(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?", re.IGNORECASE)
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError)


@dataclass(slots=True)
class _Series:
    """The VEVENTs of one UID: an event, or a series with its exceptions."""

    texts: list[str] = field(default_factory=list)
    first: date = date.max
    last: date | None = date.min  # None: it never ends
    query: recurring_ical_events.CalendarQuery | None = None
    is_series: bool = False

    def add(self, properties: Mapping[str, list[str]], text: str) -> None:
        starts = _days(properties["DTSTART"])
        if not starts:
            raise ValueError("no start")
        dates = properties.get("RDATE", [])
        days = starts + _days(properties.get("DTEND", [])) + _days(dates)
        last = max(days) + _longest(properties.get("DURATION", []))
        self.first = min(self.first, *days)
        rules = properties.get("RRULE", [])
        self.is_series |= bool(rules or dates or "RECURRENCE-ID" in properties)
        untils = [_UNTIL.search(rule) for rule in rules]
        for until in untils:
            if until is None:
                self.last = None
            else:
                last = max(last, _day(until[1]) + (last - min(days)))
        if self.last is not None:
            self.last = max(self.last, last)
        self.texts.append(text)

    def may_touch(self, start: date, end: date) -> bool:
        return self.first <= end and (self.last is None or self.last >= start)


class Sheet:
    """The events of a calendar file. Raises InputError for what is none. Blocks; for a thread."""

    def __init__(self, data: bytes | str, calendar: str, zone: tzinfo) -> None:
        """`zone` is the household's, in which times without one are meant."""
        text = data.decode(errors="replace") if isinstance(data, bytes) else data
        if not text.lstrip("\ufeff \t\r\n")[:15].upper().startswith("BEGIN:VCALENDAR"):
            raise InputError("what it sent is not a calendar (ICS) file")
        self._calendar = calendar
        self._zone = zone
        self._zones: dict[str, str] = {}  # VTIMEZONEs by the name they are used with
        self._renamed: dict[str, str] = {}
        self._head = ""
        self._series: dict[str, _Series] = {}
        self.damaged = 0  # events left out so far
        self._read(_FOLD.sub("", text))

    def __len__(self) -> int:
        return len(self._series)

    def between(self, start: datetime, end: datetime) -> list[Event]:
        """What overlaps the span, in order. Raises InputError if that takes too long."""
        deadline_s = time.monotonic() + LONGEST_WORK_S
        first, last = (start - MARGIN).date(), (end + MARGIN).date()
        events: list[Event] = []
        for uid, series in list(self._series.items()):
            if not series.may_touch(first, last):
                continue
            try:
                events += self._occurrences(uid, series, start, end)
            except _DAMAGE:
                self.damaged += len(series.texts)
                del self._series[uid]
            if time.monotonic() > deadline_s:
                raise InputError("its repeating events take too long to work out")
        return sorted(events, key=lambda e: (e.start, not e.all_day, e.title))

    # ------------------------------------------------------------ taking apart

    def _read(self, text: str) -> None:
        blocks = list(_blocks(text))
        for kind, found in blocks:
            if kind == "VTIMEZONE":
                self._add_zone(found)
            elif kind == "" and found[0].upper().startswith(("X-WR-TIMEZONE", "CALSCALE")):
                self._head += f"{found[0]}\r\n"
        for kind, found in blocks:
            if kind == "VEVENT":
                self._add_event(found)
            elif kind == "broken":
                self.damaged += 1

    def _add_zone(self, found: Sequence[str]) -> None:
        name = next((s.partition(":")[2].strip() for s in found if s[:5].upper() == "TZID:"), "")
        body = "\r\n".join(s for s in found if s[:5].upper() != "TZID:")
        known = _known_zone(name)
        if known is None:
            # The library keeps zones by name for all calendars; another one may mean another.
            known = f"own-{hashlib.sha256(body.encode()).hexdigest()[:16]}"
            head = "BEGIN:VTIMEZONE\r\n"
            self._zones[known] = body.replace(head, f"{head}TZID:{known}\r\n", 1)
        self._renamed[name] = known

    def _add_event(self, found: Sequence[str]) -> None:
        kept, properties = ["BEGIN:VEVENT"], dict[str, list[str]]()
        try:
            for one in found:
                name = _NAME.match(one)
                key = name[0].upper() if name else ""
                if key in _READ:
                    kept.append(_ZONE.sub(self._rename, one))
                    properties.setdefault(key, []).append(_value(one))
            text = "\r\n".join((*kept, "END:VEVENT"))
            uid = properties.get("UID", [hashlib.sha256(text.encode()).hexdigest()])[0]
            _refuse_floods(properties.get("RRULE", []))
            series = self._series.get(uid) or _Series()
            series.add(properties, text)
        except _DAMAGE:
            self.damaged += 1
        else:
            self._series[uid] = series

    def _rename(self, found: re.Match[str]) -> str:
        name = found[1] if found[1] is not None else found[2]
        known = self._renamed.get(name) or _known_zone(name) or name
        return f';TZID="{known}"'

    # ------------------------------------------------------------ putting in time

    def _occurrences(
        self, uid: str, series: _Series, start: datetime, end: datetime
    ) -> Iterator[Event]:
        if series.query is None:
            series.query = self._query(series)
        # The library compares times without a zone as if they were in that of the question.
        for found in series.query.between(start - MARGIN, end + MARGIN):
            event = self._event(uid, series, found)
            if event is not None and event.overlaps(start, end):
                yield event

    def _query(self, series: _Series) -> recurring_ical_events.CalendarQuery:
        events = "\r\n".join(series.texts)
        zones = "".join(f"{body}\r\n" for name, body in self._zones.items() if name in events)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calendar = Calendar.from_ical(
                f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-\r\n{self._head}{zones}"
                f"{events}\r\nEND:VCALENDAR\r\n"
            )
        for event in calendar.walk("VEVENT"):
            if event.errors:
                raise ValueError("an event that cannot be read")
        return recurring_ical_events.of(calendar)

    def _event(self, uid: str, series: _Series, found: Component) -> Event | None:
        if str(found.get("STATUS", "")).upper() == "CANCELLED":
            return None
        start, end, id_ = (when(found, name) for name in ("DTSTART", "DTEND", "RECURRENCE-ID"))
        assert start is not None
        assert end is not None
        all_day = not isinstance(start, datetime)
        return Event(
            self._calendar,
            uid,
            recurrence_of(id_) if series.is_series and id_ is not None else "",
            clean(str(found.get("SUMMARY", "")), LONGEST_TEXT),
            clean(str(found.get("LOCATION", "")), LONGEST_TEXT),
            local(start, self._zone),
            local(end, self._zone),
            all_day,
            str(found.get("TRANSP", "")).upper() != "TRANSPARENT",
        )


async def aside(calendar: str, work: Callable[[], T]) -> T:
    """Work on a sheet in a thread. Raises ProviderError in the calendar's name."""
    try:
        with anyio.fail_after(DEADLINE_S):
            return await to_thread.run_sync(work, abandon_on_cancel=True)
    except InputError as error:
        raise ProviderError(calendar, str(error)) from error
    except TimeoutError as error:
        raise ProviderError(calendar, "it takes too long to read") from error


def when(component: Component, name: str) -> date | None:
    """A date or time of a component."""
    value: Any = component.get(name)
    return None if value is None else value.dt


def local(moment: date, zone: tzinfo) -> datetime:
    """In the household's zone: days begin at midnight, floating times are meant there."""
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def recurrence_of(moment: date) -> str:
    """A RECURRENCE-ID in one spelling, whatever zone it was written in."""
    if not isinstance(moment, datetime):
        return f"{moment:%Y%m%d}"
    if moment.tzinfo is None:
        return f"{moment:%Y%m%dT%H%M%S}"
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """VEVENTs and VTIMEZONEs whole, lines of the calendar itself as "", unfinished as "broken".

    What is nested in an event (alarms) is left out.
    """
    kind, lines, nested = "", list[str](), list[str]()
    for one in text.splitlines():
        head = one[:40].upper().rstrip()
        if head == "BEGIN:VEVENT" or (head == "BEGIN:VTIMEZONE" and not kind):
            if kind:
                yield "broken", lines
            kind, lines, nested = head[6:], [one], []
        elif not kind:
            yield "", [one]
        elif head == f"END:{kind}" or head == "END:VCALENDAR":
            lines.append(one)
            yield (kind if head == f"END:{kind}" and not nested else "broken"), lines
            kind = ""
        elif kind == "VTIMEZONE":
            lines.append(one)
        elif head.startswith("BEGIN:"):
            nested.append(head[6:])
        elif head.startswith("END:"):
            if not nested or nested.pop() != head[4:]:
                nested.append("?")  # what ends here never began
        elif not nested:
            lines.append(one)
    if kind:
        yield "broken", lines


def _value(one: str) -> str:
    """What follows the first colon outside of quotes."""
    is_quoted = False
    for at, character in enumerate(one):
        if character == '"':
            is_quoted = not is_quoted
        elif character == ":" and not is_quoted:
            return one[at + 1 :].strip()
    raise ValueError("no value")


def _day(digits: str) -> date:
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))


def _days(values: Sequence[str]) -> list[date]:
    return [_day("".join(found)) for value in values for found in _DAY.findall(value)]


def _longest(durations: Sequence[str]) -> timedelta:
    days = timedelta()
    for duration in durations:
        found = _DURATION_DAYS.search(duration)
        if found is not None:
            days = max(days, timedelta(weeks=int(found[1] or 0), days=int(found[2] or 0) + 2))
    return days


def _known_zone(name: str) -> str | None:
    """The IANA zone that a TZID means; None if it is somebody's own."""
    name = name.strip("/")
    if name in _ZONES or name in WINDOWS_TO_OLSON:
        return name
    parts = name.split("/")  # as in /freeassociation.sourceforge.net/Europe/Berlin
    for length in (3, 2):
        tail = "/".join(parts[-length:])
        if len(parts) > length and tail in _ZONES:
            return tail
    return None


def _refuse_floods(rules: Sequence[str]) -> None:
    """Nobody has an event every minute; working such a rule out would take the machine's time."""
    for rule in rules:
        parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
        a_day = 24 if parts.get("FREQ") == "HOURLY" else 1
        for key in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            a_day *= parts.get(key, "").count(",") + 1
        if parts.get("FREQ") in ("SECONDLY", "MINUTELY") or a_day > MOST_A_DAY:
            raise ValueError("an event all the time")


_ZONES = available_timezones()
