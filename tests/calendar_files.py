"""Calendar files for tests, and a calendar that keeps its resources in memory."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from parlour.errors import ProviderError, ToolError
from parlour.tools.calendar.edit import moved, new_event, without
from parlour.tools.calendar.events import GONE, Event, Reading, Span
from parlour.tools.calendar.ics import Sheet

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=BERLIN)  # a Saturday


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def vevent(*lines: str, uid: str = "one") -> str:
    return "\r\n".join(
        ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT")
    )


def vcalendar(*parts: str) -> str:
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN")
    return "\r\n".join((*head, *parts, "END:VCALENDAR", ""))


@dataclass
class Shelf:
    """Satisfies `events.Writable` with the same edits as a CalDAV server sees."""

    name: str = "family"
    zone: ZoneInfo = BERLIN
    resources: dict[str, tuple[str, str]] = field(default_factory=dict)  # data and ETag by name
    broken: str = ""  # why it does not answer
    writes: int = 0

    def put(self, href: str, data: str) -> None:
        self.writes += 1
        self.resources[href] = (data, f'"{self.writes}"')

    async def between(self, start: datetime, end: datetime) -> Reading:
        if self.broken:
            raise ProviderError(self.name, self.broken)
        found = [e for href in self.resources for e in self._read(href, start, end)]
        return Reading([replace(e, etag="") for e in found])  # as of a server's search

    def _read(self, href: str, start: datetime, end: datetime) -> list[Event]:
        data, etag = self.resources[href]
        events = Sheet(data, self.name, self.zone).between(start, end)
        return [replace(e, href=href, etag=etag) for e in events]

    async def again(self, event: Event) -> Event | None:
        if event.href not in self.resources:
            return None
        far = timedelta(days=400)
        now = self._read(event.href, event.start - far, event.start + far)
        return next((e for e in now if e.id == event.id), None)

    async def add(self, uid: str, title: str, span: Span) -> Event:
        if uid not in self.resources:
            self.put(uid, new_event(uid, title, span, NOW))
        probe = Event(self.name, uid, "", title, "", span.start, span.end, href=uid)
        return await self._sure(probe)

    async def move(self, event: Event, span: Span) -> Event:
        self.put(event.href, moved(self._unchanged(event), event, span, NOW))
        return await self._sure(event)

    async def delete(self, event: Event) -> None:
        left = without(self._unchanged(event), event, NOW)
        if left is None:
            del self.resources[event.href]
        else:
            self.put(event.href, left)

    def _unchanged(self, event: Event) -> str:
        if event.href not in self.resources:
            raise ToolError(GONE)
        data, etag = self.resources[event.href]
        if event.etag and event.etag != etag:
            raise ToolError("changed in the meantime")
        return data

    async def _sure(self, event: Event) -> Event:
        now = await self.again(event)
        assert now is not None
        return now
