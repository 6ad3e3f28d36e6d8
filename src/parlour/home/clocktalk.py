"""Timers and alarms by voice: from what was understood to what is said about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time

import anyio

from parlour.errors import HomeError
from parlour.home import clockwords
from parlour.home.alarms import Alarm
from parlour.home.alarmtime import alarm_time, repeat_days
from parlour.home.clock import Clock
from parlour.home.durations import seconds_of
from parlour.home.interpretation import clock_of
from parlour.home.timers import LONGEST_S, MOST_TIMERS, Timer
from parlour.home.wording import Wording, wording
from parlour.ports import Judgement, Place, Slot

MOST_TOLD = 3  # timers or alarms in one answer


def about_clock(clock: Clock, judged: Judgement, place: Place, language: str) -> str:
    """Do what was asked of the clock and say what came of it. Plain and immediate."""
    say = wording(language)
    if judged.intent.startswith("alarm"):
        return _about_alarms(clock, judged, place, say)
    name, seconds = str(judged.slots.get("timer_name", "")), seconds_of(judged.slots)
    if judged.intent == "timer_start":
        return _start_timer(clock, name, seconds, place, say)
    added = seconds if judged.intent == "timer_add" else 0
    found = clock.timers.find(place.device, name, 0 if added else seconds)
    if not found:
        which = "_named" if name else "_such" if seconds and not added else ""
        return say.say(f"timer_none{which}", name=name)
    if judged.intent == "timer_status":
        return " ".join(_left(timer, say) for timer in found[:MOST_TOLD])
    if len(found) > 1 and "all" not in judged.slots:
        return say.say("timer_which", count=say.count(len(found)))
    return _change_timers(clock, judged.intent, found, added, say)


def _start_timer(clock: Clock, name: str, seconds: int, place: Place, say: Wording) -> str:
    if len(clock.timers.all) >= MOST_TIMERS:
        return say.say("timer_too_many", count=MOST_TIMERS)
    if not 1 <= seconds <= LONGEST_S:
        return say.say("timer_too_long")
    timer = clock.timers.set(place.device, seconds, name)
    span = clockwords.span(say.language, timer.seconds)
    return say.say("timer_set_named" if name else "timer_set", name=name, span=span)


def _left(timer: Timer, say: Wording) -> str:
    span = clockwords.span(say.language, timer.left_s(anyio.current_time()))
    return say.say("timer_left_named" if timer.name else "timer_left", name=timer.name, span=span)


def _change_timers(clock: Clock, intent: str, found: list[Timer], added: int, say: Wording) -> str:
    match intent:
        case "timer_pause":
            clock.timers.pause(found)
            return say.say("timer_paused")
        case "timer_resume":
            clock.timers.resume(found)
            return say.say("timer_resumed")
        case "timer_add":
            try:
                return _left(clock.timers.add(found[0], added), say)
            except HomeError:
                return say.say("timer_too_long")
        case _:
            clock.timers.cancel(found)
            if len(found) > 1:
                return say.say("timers_cancelled")
            name = found[0].name
            return say.say("timer_cancelled_named" if name else "timer_cancelled", name=name)


# ---------------------------------------------------------------- alarms


def _about_alarms(clock: Clock, judged: Judgement, place: Place, say: Wording) -> str:
    if judged.intent == "alarm_set":
        return _set_alarm(clock, judged.slots, place, say)
    said = clock_of(judged.slots)
    at = time(*said) if said is not None else None
    found = clock.alarms.find(place.device, at=at)
    if not found and at is not None and at.hour < 12:
        found = clock.alarms.find(place.device, at=at.replace(hour=at.hour + 12))
    if not found:
        return say.say("alarm_none")
    if judged.intent == "alarm_status":
        return " ".join(_at(clock, alarm, say, "alarm_at") for alarm in found[:MOST_TOLD])
    if len(found) > 1 and "all" not in judged.slots:
        return say.say("alarm_which", count=say.count(len(found)))
    clock.alarms.cancel(found)
    return say.say("alarms_cancelled" if len(found) > 1 else "alarm_cancelled")


def _set_alarm(clock: Clock, slots: Mapping[str, Slot], place: Place, say: Wording) -> str:
    said = clock_of(slots)
    if said is None:
        return say.say("alarm_when")
    hour, minute = said
    asked = {"hour": hour, "minute": minute, **_kept(slots)}
    try:
        when = alarm_time(asked, clock.alarms.local_now())
        name = str(slots.get("timer_name", ""))
        alarm = clock.alarms.set(place.device, when, name, repeat_days(slots))
    except HomeError:
        return say.say("alarm_when")
    return _at(clock, alarm, say, "alarm_set")


def _kept(slots: Mapping[str, Slot]) -> dict[str, Slot]:
    """What alarm_time still has to know: the half of the day is in the hour already."""
    kept = {slot: slots[slot] for slot in ("day", "repeat") if slot in slots}
    if "daypart" in slots and slots["daypart"] in ("am", "pm"):
        kept["daypart"] = slots["daypart"]
    return kept


def _at(clock: Clock, alarm: Alarm, say: Wording, phrase: str) -> str:
    due = clock.alarms.local(clock.alarms.due(alarm))
    return say.say(phrase, time=_spoken(due, clock.alarms.local_now(), say))


def _spoken(due: datetime, now: datetime, say: Wording) -> str:
    """ "7:30", with the day if it is neither today nor tomorrow morning."""
    at = f"{due.hour}:{due.minute:02}"
    weekdays: Sequence[str] = say.texts["weekdays"]
    return at if (due - now).total_seconds() < 86_400 else f"{weekdays[due.weekday()]} {at}"
