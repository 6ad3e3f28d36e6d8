"""The clock of the house put together: its store, the devices on which it rings, what the routes ask."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias, TypeVar

import anyio

from parlour import tasks
from parlour.app.owner import floors_of
from parlour.app.sections import Config
from parlour.bus.memory import MemoryBus
from parlour.catalogue.folder import data_home
from parlour.errors import HomeError, InputError
from parlour.events import SpeechBegan, TurnBegan, TurnEnded
from parlour.gateways.clock import (
    LONGEST_TEXT,
    ClockCalls,
    NewAlarm,
    NewAnnouncement,
    NewTimer,
    Record,
    TimerChange,
)
from parlour.gateways.device import DeviceGateway
from parlour.home.alarms import Alarm
from parlour.home.alarmtime import REPEATS, WEEKDAYS, alarm_time, parse_time, repeat_days
from parlour.home.clock import Clock
from parlour.home.reach import Satellite, nearest, recipients, satellites
from parlour.home.store import Store, open_store
from parlour.home.timers import Timer
from parlour.ids import DeviceId, TurnId
from parlour.turn.session import Announcement

Places: TypeAlias = Mapping[DeviceId, tuple[str | None, str | None]]

ANYWHERE = DeviceId("nowhere")  # no device is called so: what is set there rings everywhere
BEGIN_S = 2.0  # a device that says nothing for so long is in the middle of a turn
SPOKEN_BEGIN_S = 0.2  # of an announcement by voice: whoever asked for it waits for the answer


def data_folder(config: Config) -> Path:
    own = config.data.folder
    return Path(own).expanduser() if own else data_home()


def house_store(config: Config) -> AbstractAsyncContextManager[Store]:
    """What the house must not forget, in its folder. Raises HomeError if another process has it."""
    return open_store(data_folder(config))


@dataclass(frozen=True, slots=True)
class Announced:
    """Devices by what became of an announcement."""

    heard_by: Sequence[DeviceId]
    waiting: Sequence[DeviceId]
    not_reached: Sequence[DeviceId]


class Speakers:
    """Satisfies `home.rings.Speakers`: the connected devices, and where each of them stands."""

    def __init__(
        self,
        config: Config,
        devices: Callable[[], DeviceGateway],
        places: Callable[[], Places] | None = None,
    ) -> None:
        """`places`: area and name of devices as they are now; None: as they are configured."""
        self._devices = devices  # asked when they are needed: they are made later
        self.floors: Mapping[str, Sequence[str]] = floors_of(config)
        self.areas = {*config.areas, *(area for areas in self.floors.values() for area in areas)}
        configured = {
            DeviceId(device): (satellite.area, satellite.name)
            for device, satellite in config.satellites.items()
        }
        self._places = places or (lambda: configured)

    @property
    def all(self) -> list[Satellite]:
        """Those of the configuration, and those that are connected without being in it."""
        return satellites(self._places(), self.floors, self._devices().connected)

    def nearest(self, device: DeviceId) -> list[DeviceId]:
        return nearest(device, self.all, self._devices().connected)

    def announce(self, device: DeviceId, text: str) -> Announcement | None:
        return self._devices().announce(device, text)

    async def say_aloud(self, text: str, area: str | None, floor: str | None) -> list[str]:
        """What was asked for by voice; returns who says it, now or after the turn they are in.

        Satisfies `home.brain.Announce`: raises InputError and HomeError.
        """
        if not text.strip():
            raise InputError("there is nothing to say")
        wanted = NewAnnouncement(text=text[:LONGEST_TEXT], area=area, floor=floor, device=None)
        said = await self.announce_to(wanted, SPOKEN_BEGIN_S)
        return [*said.heard_by, *said.waiting]

    async def announce_to(self, wanted: NewAnnouncement, begin_s: float = BEGIN_S) -> Announced:
        """Say something to all of an area, of a floor, or one. Raises InputError and HomeError."""
        chosen = recipients(
            self.all,
            area=wanted.area,
            floor=wanted.floor,
            device=wanted.device,
            areas=self.areas,
            floors=self.floors.keys(),
        )
        said = {s.device: self.announce(s.device, wanted.text) for s in chosen}
        if not any(said.values()):
            everywhere = len(chosen) == len(self.all)
            raise HomeError(
                "no device is connected that could say it"
                if everywhere
                else f"not connected: {', '.join(s.name or s.device for s in chosen)}"
            )
        with anyio.move_on_after(begin_s):
            async with tasks.task_group() as group:
                for announcement in filter(None, said.values()):
                    group.start_soon(announcement.begun.wait)
        begun = {d for d, a in said.items() if a is not None and a.begun.is_set()}
        lost = {d for d, a in said.items() if a is None or (a.done.is_set() and not a.heard)}
        return Announced(sorted(begun - lost), sorted(said.keys() - begun - lost), sorted(lost))


async def dismiss_on_turns(bus: MemoryBus, clock: Clock) -> None:
    """Whoever turns to a device that rings has heard it."""
    by_itself: dict[TurnId, DeviceId] = {}  # turns that nobody may have begun
    with bus.subscribe() as events:
        async for event in events:
            match event:
                case TurnBegan(turn=turn, device=device) if clock.rings.just_spoke(device):
                    by_itself[turn] = device
                case TurnBegan(device=device):
                    clock.dismiss(device)
                case SpeechBegan(turn=turn) if turn in by_itself:
                    clock.dismiss(by_itself[turn])
                case TurnEnded(turn=turn):
                    by_itself.pop(turn, None)
                case _:
                    pass


class Calls:
    """What the routes ask, answered."""

    def __init__(self, clock: Clock, speakers: Speakers) -> None:
        self._clock = clock
        self._speakers = speakers

    def routes(self) -> ClockCalls:
        return ClockCalls(
            self.timers,
            self.set_timer,
            self.change_timer,
            self.cancel_timer,
            self.alarms,
            self.set_alarm,
            self.cancel_alarm,
            self.announce,
            self._clock.flush,
        )

    async def announce(self, wanted: NewAnnouncement) -> Record:
        return asdict(await self._speakers.announce_to(wanted))

    def timers(self) -> list[Record]:
        timers = self._clock.timers
        return [self._timer(t) for t in (*timers.ringing, *timers.all)]

    def set_timer(self, new: NewTimer) -> Record:
        with _refused():
            device = self._device(new.device)
            return self._timer(self._clock.timers.set(device, new.seconds, new.name))

    def change_timer(self, number: int, change: TimerChange) -> Record:
        timers = self._clock.timers
        timer = _numbered(number, "timer", timers.all)
        with _refused():
            match change.action:
                case "pause":
                    timers.pause([timer])
                case "resume":
                    timers.resume([timer])
                case "add":
                    timers.add(timer, change.seconds)
        return self._timer(timers.get(number) or timer)

    def cancel_timer(self, number: int) -> Record:
        timers = self._clock.timers
        timer = _numbered(number, "timer", (*timers.ringing, *timers.all))
        record = self._timer(timer)
        timers.cancel([timer])
        self._clock.rings.silence("timer", number)
        return record

    def alarms(self) -> list[Record]:
        alarms = self._clock.alarms
        return [self._alarm(a) for a in (*alarms.ringing, *alarms.all)]

    def set_alarm(self, new: NewAlarm) -> Record:
        alarms = self._clock.alarms
        if new.repeat not in ("", *REPEATS):
            raise InputError(f"{new.repeat} is no repeat; known: {', '.join(REPEATS)}")
        slots = {**parse_time(new.time), "repeat": new.repeat}
        with _refused():
            when = alarm_time(slots, alarms.local_now())
            device = self._device(new.device)
            return self._alarm(alarms.set(device, when, new.name, repeat_days(slots)))

    def cancel_alarm(self, number: int) -> Record:
        alarms = self._clock.alarms
        alarm = _numbered(number, "alarm", (*alarms.all, *alarms.ringing))
        record = self._alarm(alarm)
        alarms.cancel([alarm])
        self._clock.rings.silence("alarm", number)
        return record

    def _device(self, wanted: str | None) -> DeviceId:
        if wanted is None:
            return ANYWHERE
        return recipients(self._speakers.all, device=wanted)[0].device

    def _timer(self, timer: Timer) -> Record:
        left_s = timer.left_s(anyio.current_time())
        ends = self._clock.alarms.local_now() + timedelta(seconds=left_s)
        return {
            "id": timer.id,
            "name": timer.name,
            "device": _shown(timer.device),
            "seconds": timer.seconds,
            "left_s": left_s,
            "paused": timer.paused_s is not None,
            "ringing": timer in self._clock.timers.ringing,
            "ends": None if timer.paused_s is not None else ends.isoformat(timespec="seconds"),
        }

    def _alarm(self, alarm: Alarm) -> Record:
        alarms = self._clock.alarms
        return {
            "id": alarm.id,
            "name": alarm.name,
            "device": _shown(alarm.device),
            "time": f"{alarm.at:%H:%M}",
            "repeat": [WEEKDAYS[day] for day in sorted(alarm.days)],
            "next": alarms.local(alarms.due(alarm)).isoformat(timespec="seconds"),
            "snoozed": alarm.snoozed is not None,
            "ringing": alarm in alarms.ringing,
        }


Numbered = TypeVar("Numbered", Timer, Alarm)


def _numbered(number: int, kind: str, there_are: Sequence[Numbered]) -> Numbered:
    for each in there_are:
        if each.id == number:
            return each
    numbers = ", ".join(str(each.id) for each in there_are)
    raise InputError(
        f"there is no {kind} {number}; " + (f"known: {numbers}" if numbers else "none")
    )


def _shown(device: DeviceId) -> str | None:
    return None if device == ANYWHERE else device


@contextmanager
def _refused() -> Iterator[None]:
    """What the house refuses in spoken words is the asker's fault here."""
    try:
        yield
    except HomeError as error:
        raise InputError(str(error)) from error
