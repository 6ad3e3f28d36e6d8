"""Calendars on a real Radicale, and published by a real HTTP server that misbehaves."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from calendar_files import BERLIN, vcalendar, vevent
from parlour.app.calendars import calendar_tools, check_calendar
from parlour.app.calendarsection import Calendar
from parlour.errors import ProviderError, ToolError
from parlour.ids import DeviceId, TurnId
from parlour.ports import Order, Place, Tool, Utterance
from parlour.tasks import task_group
from parlour.tools.calendar import caldav, feed
from parlour.tools.calendar.caldav import DavCalendar, DavOptions
from parlour.tools.calendar.events import Reading, Span
from parlour.tools.calendar.feed import Feed, FeedOptions
from radicale_server import PASSWORD, USER, Radicale, radicale

TOMORROW = datetime.now(BERLIN).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(
    days=1
)
SPAN = Span(TOMORROW, TOMORROW + timedelta(minutes=30))
LATER = Span(TOMORROW + timedelta(hours=5), TOMORROW + timedelta(hours=6))


def on_radicale(test: Callable[[Radicale], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    def test_(tmp_path: Path) -> None:
        async def run() -> None:
            async with radicale(tmp_path) as server:
                await server.make("family")
                await test(server)

        anyio.run(run)

    test_.__name__ = test.__name__
    return test_


def family(server: Radicale, **options: str) -> DavCalendar:
    given = {"url": f"{server.url}family/", "username": USER, "password": PASSWORD, **options}
    return DavCalendar(DavOptions("family", **given), BERLIN)


async def week(calendar: DavCalendar | Feed) -> Reading:
    start = TOMORROW - timedelta(hours=10)
    return await calendar.between(start, start + timedelta(days=7))


def local(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S}"


def series() -> str:
    return vcalendar(
        vevent(
            f"DTSTART;TZID=Europe/Berlin:{local(TOMORROW)}", "DURATION:PT1H", "SUMMARY:Class",
            "RRULE:FREQ=DAILY;COUNT=5", uid="series",
        )
    )  # fmt: skip


# ---------------------------------------------------------------- CalDAV


@on_radicale
async def test_an_event_is_added_once_moved_and_deleted(server: Radicale) -> None:
    calendar = family(server)
    added = await calendar.add("some-uid", "Dentist", SPAN)
    assert (added.title, added.start, added.end) == ("Dentist", SPAN.start, SPAN.end)
    assert await calendar.add("some-uid", "Dentist", SPAN) == added
    [found] = (await week(calendar)).events
    assert (found.id, found.start) == (added.id, added.start)
    again = await calendar.again(found)
    assert again == added
    moved = await calendar.move(again, LATER)
    assert (moved.id, moved.start, moved.end) == (added.id, LATER.start, LATER.end)
    assert await calendar.again(found) == moved
    await calendar.delete(moved)
    assert (await week(calendar)).events == []
    assert await calendar.again(moved) is None
    with pytest.raises(ToolError, match="no longer in the calendar"):
        await calendar.delete(moved)


@on_radicale
async def test_of_a_series_one_is_moved_and_one_deleted(server: Radicale) -> None:
    await server.put("family", "series", series())
    calendar = family(server)
    events = (await week(calendar)).events
    assert len(events) == 5
    await calendar.delete(events[1])
    now = await calendar.again(events[2])
    assert now is not None
    away = now.start + timedelta(hours=3)
    assert (await calendar.move(now, Span(away, away + timedelta(hours=1)))).id == events[2].id
    left = (await week(calendar)).events
    assert [e.start.hour for e in left] == [10, 13, 10, 10]
    kept = await server.get("family", "series")
    assert kept.count("RRULE:FREQ=DAILY;COUNT=5") == 1
    assert kept.count("EXDATE") == 1
    assert kept.count("RECURRENCE-ID") == 1


@on_radicale
async def test_somebody_elses_change_is_not_overwritten(server: Radicale) -> None:
    calendar = family(server)
    event = await calendar.add("some-uid", "Dentist", SPAN)
    other = (await server.get("family", "some-uid")).replace(
        "SUMMARY:Dentist", "SUMMARY:Hairdresser"
    )
    await server.put("family", "some-uid", other)
    with pytest.raises(ToolError, match="somebody has changed this event"):
        await calendar.move(event, LATER)
    with pytest.raises(ToolError, match="somebody has changed this event"):
        await calendar.delete(event)
    [found] = (await week(calendar)).events
    assert (found.title, found.start) == ("Hairdresser", SPAN.start)


@on_radicale
async def test_a_change_between_reading_and_writing_is_found_by_the_server(
    server: Radicale,
) -> None:
    class Slow(DavCalendar):
        async def _replace(self, client: Any, href: str, data: str, etag: str | None) -> None:
            await server.put("family", "some-uid", series().replace("UID:series", "UID:some-uid"))
            await super()._replace(client, href, data, etag)

    event = await family(server).add("some-uid", "Dentist", SPAN)
    slow = Slow(DavOptions("family", f"{server.url}family/", USER, PASSWORD), BERLIN)
    with pytest.raises(ToolError, match="somebody has changed this event"):
        await slow.move(event, LATER)
    assert "Class" in await server.get("family", "some-uid")


@on_radicale
async def test_a_calendar_is_found_from_the_account_and_the_server(server: Radicale) -> None:
    await family(server).add("some-uid", "Dentist", SPAN)
    root = server.url.removesuffix(f"{USER}/")
    for url in (server.url, root):
        [event] = (await week(family(server, url=url))).events
        assert event.title == "Dentist"
    await server.make("work")
    assert len((await week(family(server, url=root, calendar="family"))).events) == 1
    assert (await week(family(server, url=root, calendar="work"))).events == []
    with pytest.raises(ProviderError, match="to one that the server has: family, work"):
        await week(family(server, url=root))
    with pytest.raises(ProviderError, match="to one that the server has: family, work"):
        await week(family(server, url=root, calendar="club"))


@on_radicale
async def test_a_wrong_password_is_said_without_it(server: Radicale) -> None:
    for calendar in (family(server, password="wr0ng-Passw0rd"), family(server, username="nobody")):
        with pytest.raises(ProviderError) as refused:
            await week(calendar)
        assert str(refused.value) == (
            "family: the server does not accept the user name or the password"
        )
    section = Calendar.model_validate(
        {"url": f"{server.url}family/", "username": USER, "password": "wr0ng-Passw0rd"}
    )
    assert await check_calendar("family", section, "Europe/Berlin") == (
        "the server does not accept the user name or the password"
    )
    assert "wr0ng" not in repr(section) + repr(DavOptions("f", "u", "n", "wr0ng"))


@on_radicale
async def test_a_server_is_asked_for_a_span_of_its_many_events(server: Radicale) -> None:
    events = []
    for number in range(400):
        start = TOMORROW + timedelta(hours=7 * (number - 200))
        events.append(vevent(f"DTSTART:{local(start)}Z", "DURATION:PT1H", uid=f"e{number}"))
    async with server.client() as client:
        answer = await client.request("DELETE", "family/")
        assert answer.status_code == 200
        answer = await client.put(
            "family/", content=vcalendar(*events), headers={"Content-Type": "text/calendar"}
        )
        assert answer.status_code == 201, answer.text
    assert 20 <= len((await week(family(server))).events) <= 30


@on_radicale
async def test_from_the_configuration_to_a_spoken_answer(server: Radicale) -> None:
    section = Calendar.model_validate(
        {"url": f"{server.url}family/", "username": USER, "password": PASSWORD}
    )
    assert await check_calendar("family", section, None) == ""
    made = calendar_tools({"family": section}, "Europe/Berlin")
    tools = {tool.spec.name: tool for tool in made}
    start = f"{TOMORROW:%Y-%m-%d %H:%M}"
    wanted = {"title": "Zahnarzt", "start": start, "minutes": 30}
    assert await ask(tools["calendar_add"], wanted) == (
        "Soll ich Zahnarzt morgen um 10 Uhr eintragen?"
    )
    said = await tools["calendar_add"].run(wanted, order())
    assert said.say == "Zahnarzt steht morgen um 10 Uhr im Kalender."
    told = await tools["calendar_next"].run({}, order())
    event = told.text.partition(" | ")[0]
    assert '| "Zahnarzt" |  | family' in told.text
    conflict = await ask(tools["calendar_add"], {"title": "Sport", "start": start})
    assert conflict.startswith("Zu der Zeit steht schon Zahnarzt im Kalender. Soll ich Sport")
    moved = {"event": event, "start": f"{TOMORROW:%Y-%m-%d} 15:30"}
    assert await ask(tools["calendar_move"], moved) == (
        "Zahnarzt ist morgen um 10 Uhr. Soll der Termin stattdessen morgen um 15 Uhr 30 sein?"
    )
    said = await tools["calendar_move"].run(moved, order())
    assert said.say == "Zahnarzt ist jetzt morgen um 15 Uhr 30."
    said = await tools["calendar_delete"].run({"event": event}, order())
    assert said.say == "Zahnarzt morgen um 15 Uhr 30 ist gelöscht."
    assert "VEVENT" not in await server.get("family")


async def ask(tool: Tool, arguments: Mapping[str, object]) -> str:
    assert tool.question is not None
    return await tool.question(arguments, order())


def order() -> Order:
    place = Place(DeviceId("shelf"))
    return Order(Utterance(TurnId("t"), "", "de_DE", place), key=f"{anyio.current_time()}")


@on_radicale
async def test_a_dead_server_is_said_to_be(server: Radicale) -> None:
    calendar = family(server)
    assert (await week(calendar)).events == []
    server.process.kill()
    await server.process.wait()
    with pytest.raises(ProviderError, match="family: the server cannot be reached"):
        await week(calendar)


# ---------------------------------------------------------------- servers that misbehave


Answer = Callable[[SocketStream, str], Coroutine[Any, Any, None]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """A server of one answer to every request; yields its URL."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            asked = b""
            try:
                while b"\r\n\r\n" not in asked:
                    asked += await stream.receive()
                await answer(stream, asked.decode())
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        group.cancel_scope.cancel()


def says(status: str, body: bytes = b"", *headers: str) -> Answer:
    async def answer(stream: SocketStream, _asked: str) -> None:
        lines = [
            f"HTTP/1.1 {status}",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *headers,
        ]
        await stream.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    return answer


async def silence(_stream: SocketStream, _asked: str) -> None:
    await anyio.sleep_forever()


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def test_(*args: Any, **kwargs: Any) -> None:
        anyio.run(lambda: test(*args, **kwargs))

    return test_


@in_loop
async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caldav, "DEADLINE_S", 0.3)
    monkeypatch.setattr(feed, "DEADLINE_S", 0.3)
    async with answering(silence) as url:
        with anyio.fail_after(2):
            with pytest.raises(ProviderError, match="family: the server did not answer within 0.3"):
                await week(DavCalendar(DavOptions("family", url, USER, PASSWORD), BERLIN))
            with pytest.raises(ProviderError, match="club: it did not answer within 0.3"):
                await week(Feed(FeedOptions("club", url), BERLIN))


@in_loop
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("500 Oops", b"<h1>s3cret</h1>", "the server answers with error 500"),
        ("200 OK", b"<html>Log in</html>", "there is no calendar at its address"),
        ("207 Multi-Status", b"<multistatus xmlns='DAV:'><resp", "does not answer as"),
        ("404 Gone", b"", "there is no calendar at its address"),
    ],
)
async def test_a_caldav_server_that_is_none_fails_in_plain_words(
    status: str, body: bytes, said: str
) -> None:
    async with answering(says(status, body, "Content-Type: text/xml")) as url:
        with pytest.raises(ProviderError, match=said) as failed:
            await week(DavCalendar(DavOptions("family", url, USER, PASSWORD), BERLIN))
    assert "s3cret" not in str(failed.value)
    assert len(str(failed.value)) < 120


@in_loop
async def test_a_feed_is_asked_whether_it_has_changed() -> None:
    asked_for: list[str] = []
    event = vevent(f"DTSTART:{local(TOMORROW)}", "SUMMARY:Match", uid="m")

    async def answer(stream: SocketStream, asked: str) -> None:
        asked_for.append(asked.lower())
        if 'if-none-match: "v1"' in asked.lower():
            await says("304 Not Modified")(stream, asked)
            return
        headers = ('ETag: "v1"', "Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT")
        await says("200 OK", vcalendar(event).encode(), *headers)(stream, asked)

    async with answering(answer) as url:
        club = Feed(FeedOptions("club", url, refresh_s=0), BERLIN)
        for _ in range(2):
            assert [e.title for e in (await week(club)).events] == ["Match"]
    assert "if-none-match" not in asked_for[0]
    assert "if-modified-since: sat, 21 nov 2026 10:00:00 gmt" in asked_for[1]


@in_loop
async def test_the_last_good_copy_serves_while_a_server_is_silent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(feed, "REFRESH_DEADLINE_S", 0.2)
    event = vevent(f"DTSTART:{local(TOMORROW)}", "SUMMARY:Match", uid="m")
    answers = iter([says("200 OK", vcalendar(event).encode()), silence])

    async def answer(stream: SocketStream, asked: str) -> None:
        await next(answers)(stream, asked)

    async with answering(answer) as url:
        club = Feed(FeedOptions("club", f"{url}/private-0815.ics", refresh_s=0), BERLIN)
        await week(club)
        for _ in range(2):  # of which the first waits, and the second does not
            await week(club)
        reading = await week(club)
        assert [e.title for e in reading.events] == ["Match"]
        assert reading.age_s > 0.2
    assert caplog.messages == ["calendar club: it did not answer within 0.2 seconds"]


@in_loop
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says("200 OK", b"<!doctype html><p>Log in</p>"), "what it sent is not a calendar"),
        (says("302 Found", b"", "Location: /again"), "it redirects too often"),
        (says("302 Found", b"", "Location: file:///etc/passwd"), "it cannot be reached"),
        (says("403 Forbidden"), "the server does not let us in"),
        (says("410 Gone"), "there is no calendar at its address any more"),
        (says("503 Busy"), "the server answers with error 503"),
        (
            says("200 OK", b"BEGIN:VCALENDAR\r\n" + b"X:y\r\n" * 2_100_000),
            "it is larger than 10 MB",
        ),
    ],
)
async def test_a_feed_that_cannot_be_used_says_why(answer: Answer, said: str) -> None:
    async with answering(answer) as url:
        with pytest.raises(ProviderError, match=f"^club: {said}") as failed:
            await week(Feed(FeedOptions("club", f"{url}/private-0815.ics"), BERLIN))
    assert "0815" not in str(failed.value)


@in_loop
async def test_calendars_are_read_at_the_same_time() -> None:
    feed_event = vevent(f"DTSTART:{local(TOMORROW)}", "SUMMARY:Match", uid="m")

    async def answer(stream: SocketStream, asked: str) -> None:
        await anyio.sleep(0.3)
        await says("200 OK", vcalendar(feed_event).encode())(stream, asked)

    async with answering(answer) as url:
        sections = {f"c{n}": Calendar.model_validate({"ics": url}) for n in range(5)}
        tool = calendar_tools(sections, "Europe/Berlin")[0]
        began_s = anyio.current_time()
        told = await tool.run({}, order())
        assert anyio.current_time() - began_s < 1.2
    assert told.text.count("Match") == 5
