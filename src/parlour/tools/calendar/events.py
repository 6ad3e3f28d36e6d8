"""What an event is, whichever calendar it comes from, and how it is told to a model."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

LONGEST_TITLE = 80  # characters shown to a model
LONGEST_SPOKEN = 60  # characters of a title read out
MOST_TEXT = 1_900  # characters of a whole answer, with some left for what is said about it
ID_DIGITS = 6
GONE = "this event is no longer in the calendar"

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Event:
    """One occurrence, its times in the household's zone; `end` is the first moment after it."""

    calendar: str
    uid: str
    recurrence: str  # which of a series, as in a RECURRENCE-ID; "" where there is but one
    title: str
    place: str
    start: datetime
    end: datetime
    all_day: bool = False
    busy: bool = True  # False: it takes nobody's time
    href: str = field(default="", repr=False)  # of the resource it stands in, on a CalDAV server
    etag: str = field(default="", repr=False)

    @property
    def id(self) -> str:
        """Short, and the same in every turn, however often the event is moved."""
        name = "\n".join((self.calendar, self.uid, self.recurrence))
        return hashlib.sha256(name.encode()).hexdigest()[:ID_DIGITS]

    def overlaps(self, start: datetime, end: datetime) -> bool:
        if self.start == self.end:
            return start <= self.start < end
        return self.start < end and self.end > start


@dataclass(frozen=True, slots=True)
class Reading:
    """What a calendar holds within a span of time; `age_s` of a copy whose source is silent."""

    events: Sequence[Event]
    age_s: float = 0.0


class Readable(Protocol):
    """A calendar. Its calls have deadlines of their own and raise ProviderError."""

    @property
    def name(self) -> str: ...

    async def between(self, start: datetime, end: datetime) -> Reading: ...


class Writable(Readable, Protocol):
    """A calendar that takes changes. What it returns is what it then really holds.

    With an `etag` in the event, move and delete raise ToolError if somebody was faster.
    """

    async def again(self, event: Event) -> Event | None:
        """The event as it is now; None: there is no such event any more."""
        ...

    async def add(self, uid: str, title: str, span: "Span") -> Event:
        """Add it, or return the one with this uid if there is one."""
        ...

    async def move(self, event: Event, span: "Span") -> Event: ...

    async def delete(self, event: Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when; days as a whole go from midnight to midnight."""

    start: datetime
    end: datetime
    all_day: bool = False


def clean(text: str, most: int = LONGEST_TITLE) -> str:
    """A stranger's text on one line without anything unprintable, cut off."""
    kept = "".join(_printable(character) for character in text)
    kept = " ".join(kept.split())
    return kept if len(kept) <= most else kept[: most - 1].rstrip() + "…"


def _printable(character: str) -> str:
    # The joiners of the Indian scripts are format characters; all others can only deceive.
    if character in "\u200c\u200d":
        return character
    category = unicodedata.category(character)
    return "" if category == "Cf" else " " if category[0] in "CZ" else character


def quoted(text: str) -> str:
    """Within quotes that it cannot leave."""
    plain = clean(text).replace('"', "'").replace("|", "/")
    return f'"{plain}"' if plain else '""'


def day_text(day: datetime, now: datetime) -> str:
    year = "" if day.year == now.year else f" {day.year}"
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}{year}"


def span_text(event: Event, now: datetime) -> str:
    """As in "Tue 24 Nov 10:00-10:30"."""
    first = day_text(event.start, now)
    if event.all_day:
        last = day_text(event.end - timedelta(days=1), now)
        return f"{first} all day" if last == first else f"{first} to {last} all day"
    last = day_text(event.end, now)
    until = f"{event.end:%H:%M}" if last == first else f"{last} {event.end:%H:%M}"
    return f"{first} {event.start:%H:%M}-{until}"


def line(event: Event, now: datetime) -> str:
    place = quoted(event.place) if event.place else ""
    fields = (event.id, span_text(event, now), quoted(event.title), place, event.calendar)
    return " | ".join(fields)


def lines(events: Sequence[Event], now: datetime, most: int) -> str:
    """One line for each event, as far as they fit, and how many more there are."""
    text = ""
    for told, event in enumerate(events):
        next_line = line(event, now)
        if told == most or len(text) + len(next_line) > MOST_TEXT:
            return f"{text}... and {len(events) - told} more"
        text += next_line + "\n"
    return text.rstrip("\n")
