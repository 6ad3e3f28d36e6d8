"""A calendar on a CalDAV server. Each call connects, asks and hangs up within its deadline."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

import anyio
from caldav.aio import AsyncDAVClient
from caldav.lib.error import AuthorizationError, DAVError
from caldav.response import CalendarQueryResult, PropfindResult

from parlour.errors import InputError, ProviderError, ToolError
from parlour.tools.calendar.edit import moved, new_event, without
from parlour.tools.calendar.events import GONE, Event, Reading, Span, clean
from parlour.tools.calendar.ics import LARGEST_BYTES, Sheet, aside

log = logging.getLogger(__name__)

DEADLINE_S = 5.0
MOST_REDIRECTS = 3
MOST_OBJECTS = 20_000
CHANGED = "somebody has changed this event in the meantime: look it up again before changing it"
NO_CALENDAR = "there is no calendar at its address"
A_DAY = timedelta(days=1)
# What the library raises about an answer that makes no sense.
_NOT_CALDAV = (
    DAVError, ValueError, SyntaxError, AssertionError, LookupError, AttributeError, TypeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DavOptions:
    """`url` is that of the calendar, of the account or of the server; `calendar` its name there."""

    name: str
    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    calendar: str | None = None


class DavCalendar:
    """Satisfies `events.Writable`."""

    def __init__(self, options: DavOptions, zone: ZoneInfo) -> None:
        self._options = options
        self._zone = zone
        self._found = ""  # address of the calendar itself
        self._auth: object | None = None  # the way to log in that the server asked for
        self._said_damaged = 0

    @property
    def name(self) -> str:
        return self._options.name

    # ------------------------------------------------------------ reading

    async def between(self, start: datetime, end: datetime) -> Reading:
        async with self._connected() as client:
            url = await self._address(client)
            # Servers read times without a zone and whole days as they like: a day more of each.
            response = await client.calendar_query(url, start - A_DAY, end + A_DAY, event=True)
            self._check(response.status)
            objects = [o for o in response.results or [] if isinstance(o, CalendarQueryResult)]
        events, damaged = await aside(self.name, lambda: self._read(objects, start, end))
        if damaged > self._said_damaged:
            log.warning("calendar %s: %d damaged events are left out", self.name, damaged)
        self._said_damaged = damaged
        return Reading(events)

    async def again(self, event: Event) -> Event | None:
        async with self._connected() as client:
            found = await self._object(client, event.href)
            return None if found is None else await self._one(found, event)

    def _read(
        self, objects: Sequence[CalendarQueryResult], start: datetime, end: datetime
    ) -> tuple[list[Event], int]:
        events, damaged, size = list[Event](), 0, 0
        for found in objects[:MOST_OBJECTS]:
            size += len(found.calendar_data or "")
            if size > LARGEST_BYTES:
                raise InputError(f"it sent more than {LARGEST_BYTES // 1_000_000} MB")
            try:
                sheet = Sheet(found.calendar_data or "", self.name, self._zone)
                read = sheet.between(start, end)
            except InputError:
                damaged += 1
                continue
            damaged += sheet.damaged
            events += [replace(e, href=found.href, etag=found.etag or "") for e in read]
        return sorted(events, key=lambda e: (e.start, not e.all_day, e.title)), damaged

    async def _one(self, found: CalendarQueryResult, event: Event) -> Event | None:
        """The same occurrence in another state of its resource, wherever in time it is now."""
        for wide in (2 * A_DAY, 800 * A_DAY):
            read = partial(self._read, [found], event.start - wide, event.start + wide)
            now, _ = await aside(self.name, read)
            same = next((e for e in now if e.id == event.id), None)
            if same is not None:
                return same
        return None

    # ------------------------------------------------------------ writing

    async def add(self, uid: str, title: str, span: Span) -> Event:
        data = new_event(uid, title, span, datetime.now(self._zone))
        probe = Event(self.name, uid, "", title, "", span.start, span.end, span.all_day)
        async with self._connected() as client:
            href = f"{urlsplit(await self._address(client)).path.rstrip('/')}/{uid}.ics"
            status = await self._put(client, href, data, {"If-None-Match": "*"})
            if status != 412:  # which it is if an earlier try has come through
                self._check(status)
            return await self._result(client, replace(probe, href=href))

    async def move(self, event: Event, span: Span) -> Event:
        async with self._connected() as client:
            found = await self._unchanged(client, event)
            data = moved(found.calendar_data or "", event, span, datetime.now(self._zone))
            await self._replace(client, event.href, data, found.etag)
            return await self._result(client, replace(event, start=span.start, end=span.end))

    async def delete(self, event: Event) -> None:
        async with self._connected() as client:
            found = await self._unchanged(client, event)
            left = without(found.calendar_data or "", event, datetime.now(self._zone))
            if left is not None:
                await self._replace(client, event.href, left, found.etag)
                return
            response = await client.delete(self._url(event.href), _if_match(found.etag))
            if response.status in (404, 410):
                raise ToolError(GONE)
            self._check(response.status)

    async def _unchanged(self, client: AsyncDAVClient, event: Event) -> CalendarQueryResult:
        found = await self._object(client, event.href)
        if found is None:
            raise ToolError(GONE)
        if event.etag and found.etag and found.etag != event.etag:
            raise ToolError(CHANGED)
        return found

    async def _replace(
        self, client: AsyncDAVClient, href: str, data: str, etag: str | None
    ) -> None:
        self._check(await self._put(client, href, data, _if_match(etag)))

    async def _put(
        self, client: AsyncDAVClient, href: str, data: str, headers: dict[str, str]
    ) -> int:
        headers = {"Content-Type": "text/calendar; charset=utf-8", **headers}
        return int((await client.put(self._url(href), data, headers)).status)

    async def _result(self, client: AsyncDAVClient, event: Event) -> Event:
        """What the server now says it has; not what it was told."""
        found = await self._object(client, event.href)
        now = None if found is None else await self._one(found, event)
        if now is None:
            raise ProviderError(self.name, "the server took the event and does not have it")
        return now

    # ------------------------------------------------------------ the server

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncDAVClient]:
        options = self._options
        try:
            with anyio.fail_after(DEADLINE_S):
                client = AsyncDAVClient(
                    options.url,
                    username=options.username or None,
                    password=options.password or None,
                    auth=self._auth,
                    timeout=int(DEADLINE_S),
                    enable_rfc6764=False,
                    rate_limit_handle=False,
                )
                client.session.max_redirects = MOST_REDIRECTS
                async with client:
                    yield client
                    self._auth = client.auth
        except AuthorizationError as error:
            self._auth = None
            raise ProviderError(
                self.name, "the server does not accept the user name or the password"
            ) from error
        except TimeoutError as error:
            raise ProviderError(
                self.name, f"the server did not answer within {DEADLINE_S:g} seconds"
            ) from error
        except OSError as error:
            raise ProviderError(self.name, "the server cannot be reached") from error
        except _NOT_CALDAV as error:
            # Their texts hold addresses and pieces of what was sent.
            log.debug("calendar %s failed", self.name, exc_info=True)
            raise ProviderError(
                self.name, "the server does not answer as a CalDAV server does"
            ) from error

    async def _address(self, client: AsyncDAVClient) -> str:
        """Of the calendar: the address given, if it is one, or one that it leads to."""
        if self._found:
            return self._found
        wanted = self._options.calendar
        types = "{DAV:}resourcetype"
        response = await client.propfind(props=[types], depth=0)
        self._check(response.status)
        kinds = [
            str(found.properties.get(types))
            for found in response.results or []
            if isinstance(found, PropfindResult)
        ]
        if wanted is None and any("caldav}calendar" in kind for kind in kinds):
            self._found = str(client.url)
            return self._found
        calendars: dict[str, str] = {}
        for found in await client.get_calendars():
            naming: Any = found.get_display_name()
            calendars[clean(await naming or found.id or "?", 60)] = str(found.url)
        if not calendars:
            raise ProviderError(self.name, NO_CALENDAR)
        if wanted is None and len(calendars) == 1:
            wanted = next(iter(calendars))
        for name, url in calendars.items():
            if wanted in (name, url.rstrip("/").rpartition("/")[2]):
                self._found = url
                return url
        names = ", ".join(sorted(calendars)[:10])
        raise ProviderError(self.name, f"set `calendar` to one that the server has: {names}")

    async def _object(self, client: AsyncDAVClient, href: str) -> CalendarQueryResult | None:
        await self._address(client)
        response = await client.request(self._url(href), "GET")
        if response.status in (404, 410):
            return None
        self._check(response.status)
        return CalendarQueryResult(href, response.headers.get("ETag"), response.raw)

    def _url(self, href: str) -> str:
        """On the calendar's own server, whatever another may name."""
        return urljoin(self._found, urlsplit(href).path)

    def _check(self, status: int) -> None:
        match status:
            case 200 | 201 | 204 | 207:
                return
            case 404 | 410:
                raise ProviderError(self.name, NO_CALENDAR)
            case 409 | 412:
                raise ToolError(CHANGED)
            case 403 | 405 | 507:
                raise ProviderError(self.name, "the server does not allow this change")
            case _:
                raise ProviderError(self.name, f"the server answers with error {status}")


def _if_match(etag: str | None) -> dict[str, str]:
    # A weak tag never matches (RFC 9110, 13.1.1).
    return {"If-Match": etag} if etag and not etag.startswith("W/") else {}
