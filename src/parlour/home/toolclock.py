"""Timers and alarms for a language model: the same that the grammar sets, by the same words."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import anyio

from parlour.errors import HomeError, InputError, ToolError
from parlour.home.alarms import Alarm
from parlour.home.alarmtime import REPEATS, WEEKDAYS, alarm_time, parse_time
from parlour.home.clock import Clock
from parlour.home.clocktalk import about_clock
from parlour.home.plainnames import is_plain
from parlour.home.standing import clean_text
from parlour.home.timers import LONGEST_S, Timer
from parlour.ports import Arguments, Judgement, Slot, ToolResult, Utterance, Verdict

MOST_TOLD = 5  # timers or alarms
ALL = "all"

_TIMER = {
    "start": "timer_start",
    "cancel": "timer_cancel",
    "pause": "timer_pause",
    "resume": "timer_resume",
    "add": "timer_add",
    "list": "timer_status",
}
_ALARM = {"set": "alarm_set", "cancel": "alarm_cancel", "list": "alarm_status"}
_TWENTY_FOUR = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b")
_TIME = 'time must look like "07:30", "07:30 tomorrow", "19:00 friday" or "in 20 minutes"'


def run_timer(clock: Clock, arguments: Arguments, utterance: Utterance) -> ToolResult:
    """Raises ToolError for a name or a time that no timer can have."""
    op, name = str(arguments.get("op")), _name(arguments)
    if op not in _TIMER:
        raise ToolError(f"op must be one of {', '.join(_TIMER)}")
    seconds = _seconds(op, arguments.get("seconds"))
    slots: dict[str, Slot] = {"seconds": seconds} if seconds else {}
    if name == ALL:
        slots["all"] = ALL
    elif name:
        slots["timer_name"] = name if op == "start" else _known(name, clock.timers.all)
    before = clock.timers.all
    said = _talk(clock, _TIMER[op], slots, utterance)
    changed = before != clock.timers.all
    return _result(said, op, timers_text(clock), changed=changed, may_ask=not name)


def run_alarm(clock: Clock, arguments: Arguments, utterance: Utterance) -> ToolResult:
    """Raises ToolError for a time that there is not."""
    op, name = str(arguments.get("op")), _name(arguments)
    if op not in _ALARM:
        raise ToolError(f"op must be one of {', '.join(_ALARM)}")
    slots = _alarm_slots(clock, str(arguments.get("time") or ""), op)
    repeat = str(arguments.get("repeat") or "")
    if repeat and op == "set":
        if repeat not in REPEATS:
            raise ToolError(f"repeat must be one of {', '.join(REPEATS)}")
        slots["repeat"] = repeat
    if name == ALL:
        slots["all"] = ALL
    elif name and op == "set":
        slots["timer_name"] = name
    elif name and "hour" not in slots:
        found = clock.alarms.find(utterance.place.device, _known(name, clock.alarms.all))
        if found:
            slots |= {"hour": found[0].at.hour, "minute": found[0].at.minute}
    before = clock.alarms.all
    said = _talk(clock, _ALARM[op], slots, utterance)
    changed = before != clock.alarms.all
    return _result(said, op, alarms_text(clock), changed=changed, may_ask=not name)


def timers_text(clock: Clock) -> str:
    """ "pasta" 280 s left; 60 s left, paused"; "" if there is none. Names that are none are left out."""
    now_s = anyio.current_time()
    told = [
        _titled(t.name, f"{t.left_s(now_s)} s left{', paused' if t.paused_s is not None else ''}")
        for t in clock.timers.all[:MOST_TOLD]
    ]
    return "; ".join(told)


def alarms_text(clock: Clock) -> str:
    return "; ".join(_alarm(clock, alarm) for alarm in clock.alarms.all[:MOST_TOLD])


def _alarm(clock: Clock, alarm: Alarm) -> str:
    due = clock.alarms.local(clock.alarms.due(alarm))
    days = " ".join(WEEKDAYS[day] for day in sorted(alarm.days))
    when = f"{WEEKDAYS[due.weekday()]} {due:%H:%M}"
    return _titled(alarm.name, f"{when}, repeats {days}" if days else when)


def _titled(name: str, text: str) -> str:
    return f'"{name}" {text}' if is_plain(name) else text


def _talk(clock: Clock, intent: str, slots: dict[str, Slot], utterance: Utterance) -> str:
    judged = Judgement(Verdict.CLOSED, intent, slots)
    return about_clock(clock, judged, utterance.place, utterance.language)


def _result(said: str, op: str, text: str, *, changed: bool, may_ask: bool) -> ToolResult:
    now = text or "none"
    if op == "list":
        return ToolResult(now, said)
    if changed:
        return ToolResult(f"done; now: {now}", said)
    # Where there are several and none was named, what is said asks which.
    asks = may_ask and op not in ("start", "set") and ";" in text
    return ToolResult(f"nothing changed; there are: {now}", said, asks)


def _name(arguments: Arguments) -> str:
    name = clean_text(str(arguments.get("name") or "")).casefold()
    if name and not is_plain(name):
        raise ToolError("name must be one to five plain words")
    return name


def _known(name: str, all_: Sequence[Timer] | Sequence[Alarm]) -> str:
    """As it was spelt when it was set."""
    return next((each.name for each in all_ if each.name.casefold() == name), name)


def _seconds(op: str, value: object) -> int:
    if op not in ("start", "add"):
        return int(value) if isinstance(value, int | float) and value > 0 else 0
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ToolError(f"{op} needs seconds, a number")
    if (op == "start" and value < 1) or not 1 <= abs(value) <= LONGEST_S:
        raise ToolError(f"seconds must be from 1 to {LONGEST_S}")
    return round(value)


def _alarm_slots(clock: Clock, said: str, op: str) -> dict[str, Slot]:
    """The time in writing as the grammar would have heard it; a bare "10:30" is in the morning."""
    if not said:
        if op == "set":
            raise ToolError(_TIME)
        return {}
    try:
        slots = parse_time(said[:40])
    except InputError as error:
        raise ToolError(_TIME) from error
    now = clock.alarms.local_now()
    if "in_minutes" in slots:
        minutes = float(slots["in_minutes"])
        if not 0 < minutes < 24 * 60:
            raise ToolError("an alarm in so many minutes must be within a day")
        return _at(now + timedelta(minutes=minutes))
    written = _TWENTY_FOUR.search(said)
    if written is not None and "daypart" not in slots and 1 <= int(written[1]) <= 12:
        slots["daypart"] = "am" if int(written[1]) < 12 else "pm"
    try:
        when = alarm_time(slots, now)
    except HomeError as error:
        raise ToolError(_TIME) from error
    if "hour" in slots:
        return slots
    return {**{key: slots[key] for key in ("day",) if key in slots}, **_at(when)}  # "noon"


def _at(when: datetime) -> dict[str, Slot]:
    slots: dict[str, Slot] = {"hour": when.hour, "minute": when.minute}
    if 0 < when.hour <= 12:
        slots["daypart"] = "am" if when.hour < 12 else "pm"
    return slots
