"""What a model may do with the calendars: look at them, and add, move and delete single events."""

import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from parlour import tasks
from parlour.errors import ProviderError, ToolError
from parlour.ports import Arguments, Order, Tool, ToolResult, ToolSpec
from parlour.tools.calendar import spoken
from parlour.tools.calendar.events import (
    GONE,
    Event,
    Readable,
    Reading,
    Span,
    Writable,
    clean,
    day_text,
    lines,
    span_text,
)
from parlour.tools.calendar.times import midnight, parse_day, parse_start

MOST_EVENTS = 10
NEXT_DAYS = 7
SEARCH_DAYS = 184  # in which an event is looked for by its words
MOST_DAYS = 366
DEFAULT_MINUTES = 60
MOST_MINUTES = 14 * 24 * 60
MOST_KEPT = 500  # ids, results and questions remembered
LONGEST_ADDED = 200  # characters of a title
OLD_S = 5 * 60.0
_SPACE = uuid.UUID("0b3cf1f2-6a0e-5f43-9c55-2d7f0c7c3b0e")  # of the ids of added events

V = TypeVar("V")


class _Kept(OrderedDict[str, V]):
    """The last few; the oldest goes first."""

    def keep(self, key: str, value: V) -> V:
        self[key] = value
        self.move_to_end(key)
        while len(self) > MOST_KEPT:
            self.popitem(last=False)
        return value


@dataclass(frozen=True, slots=True)
class Calendars:
    """What the tools work on; building it touches no network."""

    readable: Sequence[Readable]
    writable: Sequence[Writable]
    zone: ZoneInfo
    now: Callable[[], datetime] | None = None  # None: the clock of the machine


def calendar_tools(calendars: Calendars) -> list[Tool]:
    """The reading tools, and those that write if there is a calendar that may be written to."""
    if not calendars.readable:
        return []
    desk = _Desk(calendars)
    tools = [
        Tool(_NEXT, desk.next, trusted=False),
        Tool(_DAY, desk.day, trusted=False),
    ]
    if calendars.writable:
        names = [calendar.name for calendar in calendars.writable]
        tools += [
            Tool(_add_spec(names), desk.add, _tier_2, desk.ask_add, quotes=True),
            Tool(_MOVE, desk.move, _tier_2, desk.ask_move, quotes=True),
            Tool(_DELETE, desk.delete, _tier_2, desk.ask_delete, quotes=True),
        ]
    return tools


def _tier_2(_arguments: Arguments) -> int:
    return 2


@dataclass(slots=True)
class _Found:
    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[ProviderError] = field(default_factory=list)


class _Desk:
    def __init__(self, calendars: Calendars) -> None:
        self._calendars = calendars
        self._seen: _Kept[Event] = _Kept()  # by id, so that what lies far away is found again
        self._done: _Kept[ToolResult] = _Kept()  # by the key of the order
        self._deleted: _Kept[Event] = _Kept()
        self._asked: _Kept[Event] = _Kept()  # what a question was about, as it was then

    def _now(self) -> datetime:
        now = self._calendars.now
        return now() if now is not None else datetime.now(self._calendars.zone)

    # ------------------------------------------------------------ looking

    async def next(self, arguments: Arguments, _order: Order) -> ToolResult:
        words = clean(_text(arguments, "words")).casefold()
        days = _number(arguments, "days", 1, MOST_DAYS, SEARCH_DAYS if words else NEXT_DAYS)
        now = self._now()
        # A day more, so that "next week" holds its last evening.
        end = midnight(now.date() + timedelta(days=days + 1), self._calendars.zone)
        found = await self._read(now, end)
        if words:
            found.events = [e for e in found.events if _has(words, f"{e.title} {e.place}")]
        span = f"from now until {day_text(end - timedelta(days=1), now)}"
        about = f' with "{words}"' if words else ""
        return self._told(found, f"No events{about} {span}.", now)

    async def day(self, arguments: Arguments, _order: Order) -> ToolResult:
        now = self._now()
        day = parse_day(_text(arguments, "date"), now)
        start = midnight(day, self._calendars.zone)
        found = await self._read(start, midnight(day + timedelta(days=1), self._calendars.zone))
        return self._told(found, f"No events on {day_text(start, now)}.", now)

    def _told(self, found: _Found, none: str, now: datetime) -> ToolResult:
        for event in found.events[:MOST_EVENTS]:
            self._seen.keep(event.id, event)
        told = lines(found.events, now, MOST_EVENTS) or none
        return ToolResult("\n".join((*found.notes, told)))

    async def _read(
        self, start: datetime, end: datetime, only: Sequence[Readable] | None = None
    ) -> _Found:
        """Ask all calendars at once. Raises ProviderError if none of them answers."""
        calendars = self._calendars.readable if only is None else only
        found = _Found()

        async def read(calendar: Readable) -> None:
            try:
                reading = await calendar.between(start, end)
            except ProviderError as error:
                found.failures.append(error)
                found.notes.append(f"(Not read: calendar {error})")
            else:
                found.events += reading.events
                found.notes += _age(calendar.name, reading)

        async with tasks.task_group() as group:
            for calendar in calendars:
                group.start_soon(read, calendar)
        if found.failures and len(found.failures) == len(calendars):
            raise found.failures[0]
        found.events.sort(key=lambda e: (e.start, not e.all_day, e.title))
        return found

    # ------------------------------------------------------------ adding

    async def ask_add(self, arguments: Arguments, order: Order) -> str:
        title, span, _calendar = self._wanted(arguments)
        conflict = await self._conflict(span, None)
        return spoken.ask_add(title, span, conflict, self._now(), order.utterance.language)

    async def add(self, arguments: Arguments, order: Order) -> ToolResult:
        title, span, calendar = self._wanted(arguments)
        uid = str(uuid.uuid5(_SPACE, order.key))
        event = await calendar.add(uid, title, span)
        return self._changed("added", event, order)

    def _wanted(self, arguments: Arguments) -> tuple[str, Span, Writable]:
        title = clean(_text(arguments, "title"), LONGEST_ADDED)
        if not title:
            raise ToolError("an event needs a title")
        return title, self._span(arguments), self._writable(_text(arguments, "calendar"))

    def _span(self, arguments: Arguments) -> Span:
        now = self._now()
        day, moment = parse_start(_text(arguments, "start"), now)
        minutes = _number(arguments, "minutes", 1, MOST_MINUTES, DEFAULT_MINUTES)
        if moment is None or arguments.get("all_day") is True:
            days = max(1, -(-minutes // (24 * 60)))
            zone = self._calendars.zone
            return Span(midnight(day, zone), midnight(day + timedelta(days=days), zone), True)
        return Span(moment, _later(moment, timedelta(minutes=minutes)))

    def _writable(self, name: str) -> Writable:
        writable = self._calendars.writable
        if not name:
            return writable[0]
        for calendar in writable:
            if calendar.name.casefold() == name.casefold().strip():
                return calendar
        names = ", ".join(calendar.name for calendar in writable)
        if any(c.name.casefold() == name.casefold().strip() for c in self._calendars.readable):
            raise ToolError(f"this calendar cannot be written to; those that can: {names}")
        raise ToolError(f"there is no such calendar; those that can be written to: {names}")

    async def _conflict(self, span: Span, moving: Event | None) -> Event | None:
        """The first event that takes the time; a calendar that is silent does not hinder."""
        if span.all_day:
            return None
        try:
            found = await self._read(span.start, span.end)
        except ProviderError:
            return None
        for event in found.events:
            if event.busy and not event.all_day and (moving is None or event.id != moving.id):
                return event
        return None

    # ------------------------------------------------------------ moving

    async def ask_move(self, arguments: Arguments, order: Order) -> str:
        event = await self._find(arguments)
        span = self._moved_span(event, arguments)
        self._asked.keep(event.id, event)
        conflict = await self._conflict(span, event)
        return spoken.ask_move(event, span, conflict, self._now(), order.utterance.language)

    async def move(self, arguments: Arguments, order: Order) -> ToolResult:
        if order.key in self._done:
            return self._done[order.key]
        event = await self._find(arguments)
        span = self._moved_span(event, arguments)
        asked = self._asked.pop(event.id, None)
        if Span(event.start, event.end, event.all_day) != span:
            agreed = event if asked is None else replace(event, etag=asked.etag)
            event = await self._calendar_of(event).move(agreed, span)
        return self._changed("moved", event, order)

    def _moved_span(self, event: Event, arguments: Arguments) -> Span:
        """As long as it was; a day alone keeps the time of the day."""
        day, moment = parse_start(_text(arguments, "start"), self._now())
        zone = self._calendars.zone
        if event.all_day and moment is None:
            days = (event.end.date() - event.start.date()).days
            return Span(midnight(day, zone), midnight(day + timedelta(days=days), zone), True)
        if event.all_day and moment is not None:
            return Span(moment, _later(moment, timedelta(minutes=DEFAULT_MINUTES)))
        moment = moment or datetime.combine(day, event.start.timetz())
        length = event.end.timestamp() - event.start.timestamp()
        return Span(moment, _later(moment, timedelta(seconds=length)))

    # ------------------------------------------------------------ deleting

    async def ask_delete(self, arguments: Arguments, order: Order) -> str:
        event = await self._find(arguments)
        self._asked.keep(event.id, event)
        return spoken.ask_delete(event, self._now(), order.utterance.language)

    async def delete(self, arguments: Arguments, order: Order) -> ToolResult:
        if order.key in self._done:
            return self._done[order.key]
        gone = self._deleted.get(_text(arguments, "event").strip().lower())
        if gone is not None and await self._calendar_of(gone).again(gone) is None:
            return self._changed("deleted", gone, order)
        event = await self._find(arguments)
        asked = self._asked.pop(event.id, None)
        agreed = event if asked is None else replace(event, etag=asked.etag)
        await self._calendar_of(event).delete(agreed)
        self._seen.pop(event.id, None)
        self._deleted.keep(event.id, event)
        return self._changed("deleted", event, order)

    # ------------------------------------------------------------ common

    def _changed(self, what: str, event: Event, order: Order) -> ToolResult:
        now = self._now()
        if what != "deleted":
            self._seen.keep(event.id, event)
            self._deleted.pop(event.id, None)
        # The title may be a stranger's; the model knows which event it spoke of.
        text = f"Done, {what}: {event.id} | {span_text(event, now)} | {event.calendar}"
        say = spoken.did(what, event, now, order.utterance.language)
        return self._done.keep(order.key, ToolResult(text, say))

    def _calendar_of(self, event: Event) -> Writable:
        return next(c for c in self._calendars.writable if c.name == event.calendar)

    async def _find(self, arguments: Arguments) -> Event:
        """The event meant by an id, or by words that fit but one. Raises ToolError."""
        wanted = clean(_text(arguments, "event")).casefold().strip('" ')
        if not wanted:
            raise ToolError("say which event: its id from calendar_next or calendar_day")
        seen = self._seen.get(wanted)
        if seen is not None and any(c.name == seen.calendar for c in self._calendars.writable):
            fresh = await self._calendar_of(seen).again(seen)
            if fresh is not None:
                return self._seen.keep(fresh.id, fresh)
        now = self._now()
        end = now + timedelta(days=SEARCH_DAYS)
        found = await self._read(now - timedelta(days=1), end, self._calendars.writable)
        if found.failures:
            raise found.failures[0]
        chosen = self._choose(wanted, found.events, now)
        # A search does not tell in which state a resource is, which a change has to name.
        fresh = await self._calendar_of(chosen).again(chosen)
        if fresh is None:
            raise ToolError(GONE)
        return self._seen.keep(fresh.id, fresh)

    def _choose(self, wanted: str, events: Sequence[Event], now: datetime) -> Event:
        coming = [e for e in events if e.end > now]
        fitting = [e for e in events if e.id == wanted]
        fitting = fitting or [e for e in coming if clean(e.title).casefold() == wanted]
        fitting = fitting or [e for e in coming if _has(wanted, e.title)]
        # Of a series the next one is meant; the question says which that is.
        different = list({(e.calendar, e.uid): e for e in reversed(fitting)}.values())[::-1]
        if len(different) == 1:
            return different[0]
        if different:
            for event in different[:MOST_EVENTS]:
                self._seen.keep(event.id, event)
            which = ", ".join(f"{e.id} on {span_text(e, now)}" for e in different[:5])
            raise ToolError(f"several events fit, ask which or call with an id: {which}")
        if self._is_read_only(wanted):
            raise ToolError("this event is in a calendar that cannot be changed")
        raise ToolError("no coming event fits: look it up with calendar_next and use its id")

    def _is_read_only(self, wanted: str) -> bool:
        seen = self._seen.get(wanted)
        return seen is not None and all(c.name != seen.calendar for c in self._calendars.writable)


def _later(moment: datetime, length: timedelta) -> datetime:
    """So much later in truth, also where the clocks change in between."""
    return datetime.fromtimestamp(moment.timestamp() + length.total_seconds(), moment.tzinfo)


def _has(words: str, text: str) -> bool:
    text = clean(text, 500).casefold()
    return all(word in text for word in words.split())


def _age(name: str, reading: Reading) -> list[str]:
    if reading.age_s < OLD_S:
        return []
    minutes = int(reading.age_s // 60)
    age = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
    return [f"(Calendar {name} does not answer; this copy of it is {age} old.)"]


def _text(arguments: Arguments, name: str) -> str:
    value = arguments.get(name)
    return value if isinstance(value, str) else ""


def _number(arguments: Arguments, name: str, low: int, high: int, default: int) -> int:
    value = arguments.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    if not low <= value <= high:
        raise ToolError(f"{name} must be between {low} and {high}")
    return int(value)


def _spec(name: str, description: str, needed: Sequence[str], **parameters: object) -> ToolSpec:
    schema = {"type": "object", "properties": parameters, "required": list(needed)}
    return ToolSpec(name, description, schema)


def _string(description: str) -> dict[str, object]:
    return {"type": "string", "description": description}


_EVENT = _string("id of the event, or its title")
_WHEN = "local time as 2026-11-24 10:00, or a date alone"
_NEXT = _spec(
    "calendar_next",
    "Coming events with their ids, from now on.",
    (),
    days={"type": "integer", "description": f"how far ahead, {NEXT_DAYS} if left out"},
    words=_string("only events with these words"),
)
_DAY = _spec(
    "calendar_day",
    "Events of one day with their ids.",
    ("date",),
    date=_string("today, tomorrow, a weekday, or YYYY-MM-DD"),
)
_MOVE = _spec(
    "calendar_move",
    "Move one event to another time; of a repeating event only this occurrence.",
    ("event", "start"),
    event=_EVENT,
    start=_string(_WHEN),
)
_DELETE = _spec(
    "calendar_delete",
    "Delete one event; of a repeating event only this occurrence.",
    ("event",),
    event=_EVENT,
)


def _add_spec(names: Sequence[str]) -> ToolSpec:
    which: dict[str, object] = {}
    if len(names) > 1:
        which["calendar"] = {"type": "string", "enum": list(names)}
    return _spec(
        "calendar_add",
        "Add an event to the calendar.",
        ("title", "start"),
        title=_string("what it is, in the speaker's words"),
        start=_string(_WHEN),
        minutes={"type": "integer", "description": f"length, {DEFAULT_MINUTES} if left out"},
        all_day={"type": "boolean", "description": "for whole days"},
        **which,
    )
