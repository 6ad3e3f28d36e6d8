"""When an alarm is meant to ring: from what was said to a time of day on a date."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from parlour.errors import HomeError, InputError
from parlour.ports import Slot

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
REPEATS: Mapping[str, frozenset[int]] = {
    "daily": frozenset(range(7)),
    "weekdays": frozenset(range(5)),
    "weekends": frozenset((5, 6)),
    **{name: frozenset((number,)) for number, name in enumerate(WEEKDAYS)},
}
DAYPARTS = ("am", "pm", "morning", "noon", "afternoon", "evening", "night", "midnight")
DAY_MIN = 24 * 60
_AFTERNOON = frozenset({"pm", "afternoon", "evening"})


def alarm_time(slots: Mapping[str, Slot], now: datetime) -> datetime:
    """The next time that fits what was said, in the wall time (and with the tzinfo) of `now`.

    Slots: `hour` 0..24, `minute`, `daypart` of DAYPARTS, `day` ("today", "tomorrow" or a weekday),
    `repeat` of REPEATS; or `in_minutes` alone, which counts elapsed time.
    "Seven" is the next of 7:00 and 19:00, on a day that is named the first of them, and of an
    alarm that repeats the one people are awake for: 5 to 11 in the morning, 12 to 4 after noon.
    A time that is past means tomorrow. Midnight and 24:00 end the day that is named.
    Raises HomeError, in words fit to be spoken, if no time is named or there is no such time.
    """
    if "in_minutes" in slots:
        minutes = float(slots["in_minutes"])
        if not 0 < minutes <= 7 * DAY_MIN:
            raise HomeError("An alarm can be up to a week away.")
        return _later(now, timedelta(minutes=minutes))
    days = repeat_days(slots)
    minutes_of_day = _minutes(slots, repeats=bool(days))
    if days:
        return _first(now, minutes_of_day, [d for d in range(8) if _weekday(now, d) in days])
    match str(slots.get("day", "")):
        case "" | "today":
            return _first(now, minutes_of_day, range(3))
        case "tomorrow":
            return _first(now, minutes_of_day, range(1, 3))
        case name if name in WEEKDAYS:
            wanted = WEEKDAYS.index(name)
            return _first(now, minutes_of_day, [d for d in range(8) if _weekday(now, d) == wanted])
        case name:
            raise HomeError(f"I do not know the day {name}.")


def repeat_days(slots: Mapping[str, Slot]) -> frozenset[int]:
    """The weekdays (Monday is 0) on which it is to ring; none: once. Raises HomeError."""
    name = str(slots.get("repeat", ""))
    if name and name not in REPEATS:
        raise HomeError(f"I cannot repeat something {name}.")
    return REPEATS[name] if name else frozenset()


def parse_time(text: str) -> dict[str, Slot]:
    """The slots of a time in writing: "7:30 tomorrow", "monday 7 pm", "in 20 minutes".

    Raises InputError.
    """
    slots: dict[str, Slot] = {}
    said = " ".join(text.lower().replace("a.m.", "am").replace("p.m.", "pm").split())
    if span := re.fullmatch(r"in ([0-9]{1,4}) ?(min|minutes?|h|hours?)", said):
        return {"in_minutes": int(span[1]) * (60 if span[2].startswith("h") else 1)}
    said = re.sub(r"(?<=[0-9])(?=[ap]m\b)", " ", said)
    for word in said.split():
        clock = re.fullmatch(r"([0-9]{1,2})(?::([0-9]{2}))?", word)
        if clock and "hour" not in slots:
            slots |= {"hour": int(clock[1]), "minute": int(clock[2] or 0)}
            if len(clock[1]) == 2 and clock[1][0] == "0" and clock[1] != "00":
                slots["daypart"] = "am"  # who writes 07:30 means the morning
        elif word in DAYPARTS:
            slots["daypart"] = word
        elif word == "tonight":
            slots |= {"day": "today", "daypart": "night"}
        elif word in ("today", "tomorrow", *WEEKDAYS):
            slots["day"] = word
        elif word not in ("at", "on", "in", "the"):
            raise InputError(f'{text} is no time: it looks like "7:30 tomorrow" or "in 20 minutes"')
    return slots


def _minutes(slots: Mapping[str, Slot], *, repeats: bool) -> list[int]:
    """Minutes after 0:00 of the day that may be meant, the first one first; 1440 ends the day."""
    daypart = str(slots.get("daypart", ""))
    if daypart and daypart not in DAYPARTS:
        raise HomeError(f"I do not know when {daypart} is.")
    if "hour" not in slots:
        if daypart not in ("noon", "midnight"):
            raise HomeError("At what time?")
        return [DAY_MIN // 2 if daypart == "noon" else DAY_MIN]
    hour, minute = round(float(slots["hour"])), round(float(slots.get("minute", 0)))
    if not (0 <= hour <= 24 and 0 <= minute <= 59) or (hour == 24 and minute):
        raise HomeError("There is no such time.")
    if hour == 0 or hour > 12:
        return [hour * 60 + minute]
    return [h * 60 + minute for h in _hours(hour, daypart, repeats=repeats)]


def _hours(hour: int, daypart: str, *, repeats: bool) -> list[int]:
    """What an hour of 1..12 on a dial may mean."""
    match daypart:
        case "":
            if repeats:
                return [hour if 5 <= hour <= 12 else hour + 12]
            return [hour % 12, hour % 12 + 12]
        case "noon":
            return [hour % 12 + 12]
        case "midnight":
            return [24 if hour == 12 else hour]
        case "night":
            return [24 if hour == 12 else hour if hour < 6 else hour + 12]
        case "evening" if hour == 12:
            return [24]
        case part if part in _AFTERNOON:
            return [hour % 12 + 12]
        case _:
            return [hour % 12]


def _first(now: datetime, minutes_of_day: list[int], days: "range | list[int]") -> datetime:
    """The first of these minutes on one of these days from today on that is still to come."""
    for days_on in days:
        midnight = datetime.combine(now.date() + timedelta(days=days_on), time())
        for minutes in minutes_of_day:
            wall = midnight + timedelta(minutes=minutes)
            if wall > now.replace(tzinfo=None):
                return wall.replace(tzinfo=now.tzinfo)
    raise HomeError("There is no such time.")


def _weekday(now: datetime, days_on: int) -> int:
    return (now.weekday() + days_on) % 7


def _later(now: datetime, span: timedelta) -> datetime:
    if now.tzinfo is None:
        return now + span
    return (now.astimezone(UTC) + span).astimezone(now.tzinfo)
