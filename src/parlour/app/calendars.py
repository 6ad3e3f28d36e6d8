"""From the configured calendars to tools."""

# The libraries of calendars take 40 MB and half a second: they are loaded only where there is one.
# ruff: noqa: PLC0415  # see above

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from parlour.app.calendarsection import Calendar
from parlour.errors import ProviderError, ToolError
from parlour.ports import Tool

if TYPE_CHECKING:
    from parlour.tools.calendar.caldav import DavCalendar


def calendar_tools(calendars: Mapping[str, Calendar], time_zone: str | None) -> list[Tool]:
    """The tools; none without a calendar. Touches no network. None: the zone of the machine."""
    if not calendars:
        return []
    from parlour.tools.calendar.events import Readable, Writable
    from parlour.tools.calendar.feed import Feed, FeedOptions
    from parlour.tools.calendar.tools import Calendars
    from parlour.tools.calendar.tools import calendar_tools as make

    zone = house_zone(time_zone)
    readable: list[Readable] = []
    writable: list[Writable] = []
    for name, section in calendars.items():
        if section.ics is not None:
            url = section.ics.get_secret_value()
            readable.append(Feed(FeedOptions(name, url, section.refresh_s), zone))
            continue
        calendar = _dav(name, section, zone)
        readable.append(calendar)
        if not section.readonly:
            writable.append(calendar)
    return make(Calendars(readable, writable, zone))


async def check_calendar(name: str, section: Calendar, time_zone: str | None) -> str:
    """What is wrong with a calendar, in plain words; "" if it can be read."""
    from parlour.tools.calendar.feed import Feed, FeedOptions

    zone = house_zone(time_zone)
    try:
        now = datetime.now(zone)
        if section.ics is not None:
            feed = Feed(FeedOptions(name, section.ics.get_secret_value()), zone)
            await feed.between(now, now + timedelta(days=1))
        else:
            await _dav(name, section, zone).between(now, now + timedelta(days=1))
    except (ProviderError, ToolError) as error:
        return str(error).removeprefix(f"{name}: ")
    return ""


def house_zone(time_zone: str | None) -> ZoneInfo:
    """The zone in which the household lives; None: that of the machine."""
    from parlour.tools.calendar.times import machine_zone

    return machine_zone() if time_zone is None else ZoneInfo(time_zone)


def _dav(name: str, section: Calendar, zone: ZoneInfo) -> "DavCalendar":
    from parlour.tools.calendar.caldav import DavCalendar, DavOptions

    assert section.url is not None, "the configuration was checked"
    password = section.password.get_secret_value() if section.password else ""
    return DavCalendar(
        DavOptions(name, section.url, section.username or "", password, section.calendar), zone
    )
