"""A calendar server of the bench's own: Radicale in a process, filled and read over HTTP."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import anyio
import httpx
from icalendar import Calendar
from icalendar import Event as Entry

from parlour_bench.agent.tasks import ZONE, Event
from parlour_bench.process import ServerFailedError

START_S = 20.0
LOOK_S = 0.05
USER = "parlour"
NAME = "family"
MAKE = """<?xml version="1.0"?>
<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>
<displayname>Family</displayname>
<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>
</prop></set></C:mkcalendar>"""


@dataclass(frozen=True, slots=True)
class Found:
    """An event as it stands on the server."""

    title: str
    start: date | datetime  # in UTC, or a whole day
    minutes: int
    rrule: str


class CalendarServer:
    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self.url = url  # of the server, for whoever looks for calendars
        self._names: set[str] = set()
        self._told: tuple[Event, ...] | None = None

    @property
    def calendar_url(self) -> str:
        return f"{self.url}/{USER}/{NAME}/"

    async def make(self) -> None:
        answer = await self._client.request("MKCALENDAR", self.calendar_url, content=MAKE)
        answer.raise_for_status()

    async def set(self, events: Iterable[Event]) -> None:
        """Have these events and no others."""
        wanted = tuple(events)
        if wanted == self._told and await self._is_untouched():
            return
        for name in await self._hrefs():
            (await self._client.delete(f"{self.url}{name}")).raise_for_status()
        for n, event in enumerate(wanted):
            uid = f"bench-{n}-{abs(hash(event)) % 10**9}"
            answer = await self._client.put(
                f"{self.calendar_url}{uid}.ics",
                content=_written(event, uid),
                headers={"Content-Type": "text/calendar; charset=utf-8"},
            )
            answer.raise_for_status()
        self._told, self._names = wanted, set(await self._etags())

    async def events(self) -> list[Found]:
        """All that there is, whoever wrote it."""
        answer = await self._client.get(self.calendar_url)
        answer.raise_for_status()
        entries = Calendar.from_ical(answer.text).walk("VEVENT") if answer.text.strip() else []
        found = [_found(entry) for entry in entries if isinstance(entry, Entry)]
        return sorted(found, key=lambda each: (str(each.start), each.title))

    async def _is_untouched(self) -> bool:
        return set(await self._etags()) == self._names

    async def _hrefs(self) -> list[str]:
        return [etag.partition(" ")[0] for etag in await self._etags()]

    async def _etags(self) -> list[str]:
        """Every event's address and version."""
        body = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        headers = {"Depth": "1", "Content-Type": "application/xml"}
        answer = await self._client.request(
            "PROPFIND", self.calendar_url, content=body, headers=headers
        )
        answer.raise_for_status()
        return list(_listed(answer.text))


@asynccontextmanager
async def calendar_server(folder: Path) -> AsyncIterator[CalendarServer]:
    """Run Radicale on a free port. Raises ServerFailedError, also where it is not installed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "radicale.conf"
    config.write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = none\n[logging]\nlevel = error\n"
        f"[storage]\nfilesystem_folder = {folder / 'calendars'}\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "radicale", "--config", str(config)]
    with (folder / "radicale.log").open("wb") as log:
        process = await anyio.open_process(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
        )
        try:
            async with httpx.AsyncClient(auth=(USER, USER), trust_env=False, timeout=10) as client:
                server = CalendarServer(client, f"http://127.0.0.1:{port}")
                await _wait(client, server.url, process, folder / "radicale.log")
                await server.make()
                yield server
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.terminate()
                await process.wait()


async def _wait(client: httpx.AsyncClient, url: str, process: anyio.abc.Process, log: Path) -> None:
    with anyio.move_on_after(START_S):
        while process.returncode is None:
            try:
                await client.get(f"{url}/.well-known/caldav")
            except httpx.TransportError:
                await anyio.sleep(LOOK_S)
            else:
                return
    said = " / ".join((await anyio.Path(log).read_text(errors="replace")).splitlines()[-2:])
    raise ServerFailedError(f"the calendar server did not start; it said: {said or 'nothing'}")


def _listed(xml: str) -> Iterator[str]:
    from xml.etree import ElementTree  # noqa: PLC0415

    for response in ElementTree.fromstring(xml).iter("{DAV:}response"):
        href = response.findtext("{DAV:}href") or ""
        etag = response.findtext(".//{DAV:}getetag") or ""
        if href.endswith(".ics"):
            yield f"{href} {etag}"


def _written(event: Event, uid: str) -> bytes:
    entry = Entry()
    entry.add("uid", uid)
    entry.add("dtstamp", datetime(2026, 1, 1, tzinfo=UTC))
    entry.add("summary", event.title)
    entry.add("dtstart", event.start)
    if isinstance(event.start, datetime):
        entry.add("dtend", event.start + timedelta(minutes=event.minutes))
    else:
        entry.add("dtend", event.start + timedelta(1))
    if event.text:
        entry.add("description", event.text)
    if event.rrule:
        entry.add("rrule", dict(part.split("=") for part in event.rrule.split(";")))
    calendar = Calendar()
    calendar.add("prodid", "-//Parlour//bench//EN")
    calendar.add("version", "2.0")
    calendar.add_component(entry)
    if isinstance(event.start, datetime):
        calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written


def _found(entry: Entry) -> Found:
    start = entry.decoded("dtstart")
    minutes = 0
    if isinstance(start, datetime):
        minutes = round(_length(entry, start).total_seconds() / 60)
        start = (start if start.tzinfo else start.replace(tzinfo=ZONE)).astimezone(UTC)
    rule = entry.get("rrule")
    text = rule.to_ical().decode() if rule is not None else ""
    return Found(str(entry.get("summary", "")), start, minutes, text)


def _length(entry: Entry, start: datetime) -> timedelta:
    if "dtend" in entry:
        length: timedelta = entry.decoded("dtend") - start
        return length
    return entry.decoded("duration") if "duration" in entry else timedelta()
