"""The routes of timers, alarms and announcements."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

Record = Mapping[str, object]

LONGEST_TEXT = 500  # characters: half a minute of speech


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class NewTimer(Body):
    seconds: int = Field(description="How long, up to a day")
    name: str = Field("", max_length=60, description="What it is for")
    device: str | None = Field(None, max_length=60, description="Where it rings; null: everywhere")


class TimerChange(Body):
    action: Literal["pause", "resume", "add"]
    seconds: int = Field(0, description="What is added; below 0 it is taken away")


class NewAlarm(Body):
    time: str = Field(
        max_length=60, description='Such as "7:30 tomorrow", "monday 7 pm" or "in 20 minutes"'
    )
    name: str = Field("", max_length=60, description="What it is for")
    repeat: str = Field(
        "", max_length=20, description="daily, weekdays, weekends or a weekday; empty: once"
    )
    device: str | None = Field(None, max_length=60, description="Where it rings; null: everywhere")


class NewAnnouncement(Body):
    text: str = Field(min_length=1, max_length=LONGEST_TEXT, description="What is said")
    area: str | None = Field(None, max_length=60, description="Only in this area")
    floor: str | None = Field(None, max_length=60, description="Only on this floor")
    device: str | None = Field(None, max_length=60, description="Only this device, by id or name")


@dataclass(frozen=True, slots=True)
class ClockCalls:
    """What the routes ask of the house; made in app/clock.py, since gateways know no home.

    Those that take a number raise InputError if there is nothing of that number. `kept` waits
    until all of it is on the disk: who was told that something is set may rely on it.
    """

    timers: Callable[[], Sequence[Record]]
    set_timer: Callable[[NewTimer], Record]
    change_timer: Callable[[int, TimerChange], Record]
    cancel_timer: Callable[[int], Record]
    alarms: Callable[[], Sequence[Record]]
    set_alarm: Callable[[NewAlarm], Record]
    cancel_alarm: Callable[[int], Record]
    announce: Callable[[NewAnnouncement], Awaitable[Record]]
    kept: Callable[[], Awaitable[None]]


def clock_routes(calls: ClockCalls) -> APIRouter:
    """Everything that the clock of the house can be asked over HTTP."""
    routes = APIRouter()

    async def kept(record: Record) -> Record:
        await calls.kept()
        return record

    @routes.get("/api/timers")
    async def timers() -> dict[str, object]:
        """Every timer, the soonest first: id, name, device, seconds, left_s, paused, ends."""
        return {"timers": list(calls.timers())}

    @routes.post("/api/timers", status_code=201)
    async def set_timer(timer: NewTimer) -> Record:
        """Start a timer."""
        return await kept(calls.set_timer(timer))

    @routes.post("/api/timers/{number}")
    async def change_timer(number: int, change: TimerChange) -> Record:
        """Pause a timer, let it run on, or give it more time."""
        return await kept(calls.change_timer(number, change))

    @routes.delete("/api/timers/{number}")
    async def cancel_timer(number: int) -> Record:
        """Cancel a timer, also one that rings; returns what it was."""
        return await kept(calls.cancel_timer(number))

    @routes.get("/api/alarms")
    async def alarms() -> dict[str, object]:
        """Every alarm, the next one first: id, name, device, time, repeat, next, snoozed."""
        return {"alarms": list(calls.alarms())}

    @routes.post("/api/alarms", status_code=201)
    async def set_alarm(alarm: NewAlarm) -> Record:
        """Set an alarm."""
        return await kept(calls.set_alarm(alarm))

    @routes.delete("/api/alarms/{number}")
    async def cancel_alarm(number: int) -> Record:
        """Cancel an alarm, also one that rings; returns what it was."""
        return await kept(calls.cancel_alarm(number))

    @routes.post("/api/announce")
    async def announce(announcement: NewAnnouncement) -> Record:
        """Say something in the house.

        `heard_by` names the devices that say it, `waiting` those that say it after the turn they
        are in, and `not_reached` those that are not connected or have too much to say already.
        """
        return await calls.announce(announcement)

    return routes
