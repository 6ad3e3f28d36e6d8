"""Days and times as a model writes them, and the zone of the machine."""

import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from parlour.errors import ToolError
from parlour.tools.calendar.events import WEEKDAYS, clean

FURTHEST_DAYS = 5 * 366  # a start beyond it is a slip
_START = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2})(?:[T\s]+(?P<hour>\d{1,2})[:.](?P<minute>\d{2})"
    r"(?::\d{2}(?:\.\d+)?)?\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?(?:\[(?P<name>[\w/+-]+)\])?)?",
    re.IGNORECASE,
)
_FORM = "write it as 2026-11-24 10:00"


def machine_zone() -> ZoneInfo:
    """The zone that this machine is set to; UTC if it does not say."""
    names = [os.environ.get("TZ", "").lstrip(":")]
    localtime, named = Path("/etc/localtime"), Path("/etc/timezone")
    if localtime.is_symlink():
        names.append(str(localtime.resolve()).partition("zoneinfo/")[2])
    if named.is_file():
        names.append(named.read_text(errors="replace").strip())
    for name in names:
        if name in available_timezones():
            return ZoneInfo(name)
    return ZoneInfo("UTC")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def parse_day(text: str, now: datetime) -> date:
    """ "today", "tomorrow", a weekday from today on, or 2026-11-24. Raises ToolError."""
    wanted = " ".join(text.lower().replace(",", " ").split())
    today = now.date()
    fixed = {"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2, "yesterday": -1}
    if wanted in fixed:
        return today + timedelta(days=fixed[wanted])
    ahead = wanted.removeprefix("on ").removeprefix("this ")
    named = ahead.removeprefix("next ")
    for number, weekday in enumerate(WEEKDAYS):
        if len(named) >= 3 and named.isalpha() and _is_weekday(named, weekday):
            days = (number - today.weekday()) % 7
            return today + timedelta(days=days or (7 if named != ahead else 0))
    try:
        return _date(_START.match(wanted))
    except ValueError:
        raise ToolError(
            f"{_shown(text)} is no day: write today, tomorrow, a weekday such as monday, or a date"
            f" such as {today.isoformat()}"
        ) from None


def parse_start(text: str, now: datetime) -> tuple[date, datetime | None]:
    """The day and, if a time was given, the moment in the zone of `now`. Raises ToolError."""
    found = _START.fullmatch(text.strip())
    try:
        day = _date(found)
        if found is None or found["hour"] is None:
            return _sensible(day, now), None
        clock = f"{int(found['hour']):02}:{found['minute']}"
        moment = datetime.fromisoformat(f"{day}T{clock}{(found['zone'] or '').upper()}")
        if moment.tzinfo is None and found["name"]:
            moment = moment.replace(tzinfo=ZoneInfo(found["name"]))
    except (ValueError, ZoneInfoNotFoundError):
        raise ToolError(f"{_shown(text)} is no time: {_FORM}") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(now.tzinfo)
    elif not _exists(moment := moment.replace(tzinfo=now.tzinfo)):
        raise ToolError(f"there is no {clock} on that day: the clocks go forward; ask for another")
    return _sensible(moment.date(), now), moment


def _exists(moment: datetime) -> bool:
    """Whether a clock on the wall ever shows it."""
    shown = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return shown.replace(tzinfo=None) == moment.replace(tzinfo=None)


def _date(found: re.Match[str] | None) -> date:
    if found is None:
        raise ValueError("no date")
    year, month, day = found["day"].split("-")
    return date(int(year), int(month), int(day))


def _sensible(day: date, now: datetime) -> date:
    today = now.date()
    if day < today:
        raise ToolError(f"{day} is in the past: today is {today}; {_FORM}")
    if day > today + timedelta(days=FURTHEST_DAYS):
        raise ToolError(f"{day} is too far away: today is {today}; {_FORM}")
    return day


def _is_weekday(word: str, short: str) -> bool:
    return _FULL[short].startswith(word)


def _shown(text: str) -> str:
    return f'"{clean(text, 40)}"'


_FULL = dict(
    zip(
        WEEKDAYS,
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        strict=True,
    )
)
