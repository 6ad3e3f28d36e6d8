"""The clock of the house: its timers and alarms, kept in the store, and rung when they are due."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, tzinfo

import anyio

from parlour import tasks
from parlour.errors import HomeError
from parlour.home import clockwords
from parlour.home.alarms import SNOOZE_MIN, Alarm, Alarms
from parlour.home.rings import Bell, Rings, Speakers
from parlour.home.store import Store
from parlour.home.timers import Timer, Timers, utc_now
from parlour.ids import DeviceId

LATE_S = 30.0  # from so late on it is said how late it is


class Clock:
    def __init__(
        self,
        store: Store | None,
        speakers: Speakers,
        language: str,
        wall: Callable[[], datetime] = utc_now,
        zone: tzinfo | None = None,
    ) -> None:
        """`store` None: nothing is kept. `language` is that of what is said when something rings; `zone` None: the machine's."""
        self._store = store
        self.timers = Timers(store, wall)
        self.alarms = Alarms(store, wall, zone)
        self.rings = Rings(speakers)
        self._language = language
        self._wall = wall

    async def load(self) -> None:
        """Take up what was kept. Raises HomeError if it cannot be read; then there is nothing."""
        await self.timers.load()
        await self.alarms.load()

    async def flush(self) -> None:
        """Wait until what was set is on the disk, as far as it can be kept. Never raises."""
        if self._store is not None:
            with suppress(HomeError):
                await self._store.flush()

    async def run(self) -> None:
        """Ring what is due until cancelled."""
        async with tasks.task_group() as group:
            group.start_soon(self.rings.run)
            group.start_soon(self.timers.run, self._ring_timer)
            group.start_soon(self.alarms.run, self._ring_alarm)

    def dismiss(self, device: DeviceId) -> list[Bell]:
        """Silence what sounds on a device, everywhere; returns what that was."""
        return self.rings.dismiss(device)

    def snooze(self, device: DeviceId, minutes: int = SNOOZE_MIN) -> Alarm | None:
        """Let the alarm that rings, or just rang, sleep. Raises HomeError in spoken words."""
        alarm = self.alarms.snooze(device, minutes)
        if alarm is not None:
            self.rings.silence("alarm", alarm.id)
        return alarm

    async def _ring_timer(self, timer: Timer) -> None:
        language, name = self._language, timer.name

        def text(late_s: float) -> str:
            if late_s < LATE_S:
                return clockwords.timer_up(language, name, timer.seconds)
            return clockwords.timer_ended(language, name, late_s)

        def missed() -> str:
            ago_s = anyio.current_time() - timer.ends_s
            ended = datetime.fromtimestamp(self._wall().timestamp() - ago_s, UTC)
            return clockwords.timer_missed(language, name, self.alarms.local(ended).time())

        bell = Bell("timer", timer.id, timer.device, timer.ends_s, text, missed)
        bell.finish = lambda: self.timers.finish(timer)
        self.rings.start(bell)

    async def _ring_alarm(self, alarm: Alarm) -> None:
        language, name = self._language, alarm.name
        due = self.alarms.due(alarm)
        due_s = anyio.current_time() - (self._wall() - due).total_seconds()

        def text(late_s: float) -> str:
            if late_s < LATE_S:
                return clockwords.alarm_rings(language, name, self.alarms.local_now().time())
            return clockwords.alarm_ended(language, name, alarm.at, late_s)

        def missed() -> str:
            return clockwords.alarm_missed(language, name, alarm.at)

        bell = Bell("alarm", alarm.id, alarm.device, due_s, text, missed)
        bell.finish = lambda: self.alarms.finish(alarm)
        self.rings.start(bell)
