"""Calendars from files of one's own; those from servers are in tests/contract."""

import logging
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from calendar_files import BERLIN, NOW, vcalendar, vevent
from parlour.errors import ProviderError
from parlour.tools.calendar.events import Reading
from parlour.tools.calendar.feed import OLDEST_S, TRY_AGAIN_S, Feed, FeedOptions

LUNCH = vevent("DTSTART;TZID=Europe/Berlin:20261122T120000", "SUMMARY:Lunch", uid="lunch")
DINNER = vevent("DTSTART;TZID=Europe/Berlin:20261122T190000", "SUMMARY:Dinner", uid="dinner")
BROKEN = vevent("DTSTART:whenever", uid="broken")


def feed_of(path: Path, refresh_s: float = 0.0) -> Feed:
    return Feed(FeedOptions("club", str(path), refresh_s), BERLIN)


async def read(feed: Feed) -> Reading:
    return await feed.between(NOW, NOW + timedelta(days=7))


def test_a_file_is_read_anew_when_it_has_changed_and_grown_old(tmp_path: Path) -> None:
    async def check() -> None:
        path = tmp_path / "club.ics"
        await anyio.Path(path).write_text(vcalendar(LUNCH))
        feed, patient = feed_of(path), feed_of(path, refresh_s=900)
        assert [e.title for e in (await read(feed)).events] == ["Lunch"]
        assert [e.title for e in (await read(patient)).events] == ["Lunch"]
        await anyio.Path(path).write_text(vcalendar(LUNCH, DINNER))
        assert [e.title for e in (await read(feed)).events] == ["Lunch", "Dinner"]
        assert [e.title for e in (await read(patient)).events] == ["Lunch"]

    anyio.run(check)


def test_a_lost_file_is_remembered_for_a_day_and_no_longer(tmp_path: Path) -> None:
    async def check() -> None:
        path = tmp_path / "club.ics"
        await anyio.Path(path).write_text(vcalendar(LUNCH))
        feed = feed_of(path)
        assert (await read(feed)).age_s == 0.0
        await anyio.Path(path).unlink()
        feed._good_s -= 7200
        reading = await read(feed)
        assert [e.title for e in reading.events] == ["Lunch"]
        assert 7200 <= reading.age_s < 7210
        feed._good_s -= OLDEST_S
        with pytest.raises(ProviderError, match="club: there is no such file"):
            await read(feed)
        await anyio.Path(path).write_text(vcalendar(DINNER))
        feed._failed_s -= TRY_AGAIN_S
        reading = await read(feed)
        assert ([e.title for e in reading.events], reading.age_s) == (["Dinner"], 0.0)

    anyio.run(check)


def test_damage_is_logged_once_for_each_copy(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        path = tmp_path / "club.ics"
        await anyio.Path(path).write_text(vcalendar(BROKEN, LUNCH))
        feed = feed_of(path)
        for _ in range(3):
            assert [e.title for e in (await read(feed)).events] == ["Lunch"]

    caplog.set_level(logging.INFO)
    anyio.run(check)
    assert caplog.messages == ["calendar club: 1 damaged events are left out"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<html>", r"what it sent is not a calendar \(ICS\) file"),
        ("BEGIN:VCALENDAR\r\n" + "X:" + "x" * 10_000_000, "it is larger than 10 MB"),
    ],
)
def test_what_cannot_be_used_is_refused_in_plain_words(
    tmp_path: Path, content: str, said: str
) -> None:
    async def check() -> None:
        path = tmp_path / "club.ics"
        await anyio.Path(path).write_text(content)
        with pytest.raises(ProviderError, match=f"^club: {said}$"):
            await read(feed_of(path))

    anyio.run(check)


def test_an_address_is_in_no_representation() -> None:
    options = FeedOptions("club", "https://example.org/private-0815/basic.ics")
    assert "0815" not in repr(options)
