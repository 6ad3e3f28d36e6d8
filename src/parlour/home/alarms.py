"""Alarms of the house: set for a time of day, once or on weekdays, snoozed, cancelled."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import anyio

from parlour.errors import HomeError
from parlour.home.store import Statement, Store
from parlour.home.timers import utc_now
from parlour.ids import DeviceId

MOST_ALARMS = 30  # of the whole house
LOOK_S = 10.0  # how soon a wall clock that was set is noticed
SNOOZE_MIN = 9
LONGEST_SNOOZE_MIN = 120
SNOOZE_WITHIN_S = 600.0  # after that "snooze" means no alarm of this morning


@dataclass(frozen=True, slots=True)
class Alarm:
    device: DeviceId  # where it was set, and where it rings
    at: time  # of the day, wherever the clocks of the house may stand by then
    day: date  # on which it rings next
    days: frozenset[int] = frozenset()  # weekdays on which it repeats, Monday is 0; none: once
    name: str = ""
    id: int = 0  # what the API and the command line call it by
    snoozed: datetime | None = None  # rings then, and after that as before


class Alarms:
    """Local wall time: an alarm for 7:30 rings at 7:30 whatever became of the clocks.

    Of a time that a change to summer time leaves out it rings as long after midnight; of one that
    comes twice, the first time only. All calls but `load` and `run` are plain and immediate.
    """

    def __init__(
        self,
        store: Store | None = None,
        wall: Callable[[], datetime] = utc_now,
        zone: tzinfo | None = None,
    ) -> None:
        """`wall` tells the time in any zone; `zone`: that of the house, None the machine's."""
        self._store = store
        self._wall = wall
        self._zone = zone
        self._alarms: list[Alarm] = []
        self._due: list[Alarm] = []  # rung, and kept until `finish`
        self._rung: list[tuple[float, Alarm]] = []  # when; lately, to be snoozed
        self._changed = anyio.Event()

    @property
    def all(self) -> Sequence[Alarm]:
        """Those that are to come, the next one first."""
        return tuple(sorted(self._alarms, key=self.due))

    @property
    def ringing(self) -> Sequence[Alarm]:
        """Those that are due and were not finished yet, as they were when they fell due."""
        return tuple(self._due)

    def local_now(self) -> datetime:
        """The wall time of the house, for `alarm_time`."""
        return self.local(self._wall())

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    def set(
        self, device: DeviceId, at: datetime, name: str = "", days: frozenset[int] = frozenset()
    ) -> Alarm:
        """Set an alarm for a wall time, as `alarm_time` gives it. Raises HomeError in spoken words."""
        if len(self._alarms) >= MOST_ALARMS:
            raise HomeError(f"There are {MOST_ALARMS} alarms already.")
        number = max((a.id for a in (*self._alarms, *self._due)), default=0) + 1
        at = at.replace(microsecond=0)
        alarm = Alarm(device, at.time(), at.date(), days, name, number)
        if self.due(alarm) <= self._wall():
            raise HomeError("That time is past.")
        self._replace([], [alarm])
        return alarm

    def find(self, device: DeviceId, name: str = "", at: time | None = None) -> list[Alarm]:
        """By name and time of day, the next one first; those of this device if it has any, else all.

        A time before noon finds the one twelve hours later too: people say "the seven o'clock".
        """
        wanted = None if at is None else {(at.hour, at.minute), (at.hour + 12, at.minute)}
        named = [
            a
            for a in self.all
            if (not name or a.name == name)
            and (wanted is None or (a.at.hour, a.at.minute) in wanted)
        ]
        return [a for a in named if a.device == device] or named

    def get(self, number: int) -> Alarm | None:
        return next((a for a in self._alarms if a.id == number), None)

    def cancel(self, alarms: Iterable[Alarm]) -> None:
        """Take them out; one that is ringing goes on until it is dismissed, and is not kept."""
        numbers = {a.id for a in alarms}
        self._due = [a for a in self._due if a.id not in numbers]
        self._replace([a for a in self._alarms if a.id in numbers], [])

    def snooze(self, device: DeviceId, minutes: int = SNOOZE_MIN) -> Alarm | None:
        """Ring the alarm again that rings or just rang, that of the device if it has one.

        None if none did in the last ten minutes. Raises HomeError, in words fit to be spoken.
        """
        if not 1 <= minutes <= LONGEST_SNOOZE_MIN:
            raise HomeError("An alarm can sleep for up to two hours.")
        now_s = anyio.current_time()
        lately = [a for rung_s, a in self._rung if now_s - rung_s <= SNOOZE_WITHIN_S]
        if not lately:
            return None
        rung = next((a for a in reversed(lately) if a.device == device), lately[-1])
        self._rung = [(at_s, a) for at_s, a in self._rung if a.id != rung.id]
        self._due = [a for a in self._due if a.id != rung.id]
        present = self.get(rung.id) or rung
        snoozed = replace(present, snoozed=self._wall() + timedelta(minutes=minutes))
        self._replace([snoozed], [snoozed])
        return snoozed

    def finish(self, alarm: Alarm) -> None:
        """It was rung and heard, or nobody came: it need not be kept any longer."""
        self._due = [a for a in self._due if a.id != alarm.id]
        self._save()

    def due(self, alarm: Alarm) -> datetime:
        """The moment at which it rings next, in UTC."""
        if alarm.snoozed is not None:
            return alarm.snoozed
        return self._instant(alarm.day, alarm.at)

    async def load(self) -> None:
        """Take up what was kept; what was due meanwhile is due at once. Raises HomeError."""
        if self._store is None:
            return
        sql = "SELECT id, device, name, at, day, days, snoozed_utc FROM alarms"
        for number, device, name, at, day, days, snoozed in await self._store.read(sql):
            self._alarms.append(
                Alarm(
                    DeviceId(device),
                    time.fromisoformat(at),
                    date.fromisoformat(day),
                    frozenset(int(d) for d in days.split()),
                    name,
                    number,
                    None if snoozed is None else datetime.fromtimestamp(snoozed, UTC),
                )
            )
        self._change()

    async def run(self, ring: Callable[[Alarm], Awaitable[None]]) -> None:
        """Call `ring` for each alarm when it is due, until cancelled; it should return soon."""
        while True:
            first = next(iter(self.all), None)
            wait_s = float("inf")
            if first is not None:
                wait_s = (self.due(first) - self._wall()).total_seconds()
            if first is not None and wait_s <= 0:
                self._fall_due(first)
                await ring(first)
                continue
            changed = self._changed
            # By small steps: the wall clock may be set while we wait.
            with anyio.move_on_after(min(wait_s, LOOK_S) if first is not None else wait_s):
                await changed.wait()

    def _fall_due(self, alarm: Alarm) -> None:
        """Move on to its next day; the one that is due is kept until it was heard."""
        self._due.append(alarm)
        now_s = anyio.current_time()
        self._rung = [(s, a) for s, a in self._rung if now_s - s <= SNOOZE_WITHIN_S]
        self._rung.append((now_s, alarm))
        self._alarms = [a for a in self._alarms if a.id != alarm.id]
        if alarm.days:
            self._alarms.append(replace(alarm, day=self._next_day(alarm), snoozed=None))

    def _next_day(self, alarm: Alarm) -> date:
        """The next of its weekdays: after the one that rang, and not past."""
        now = self._wall()
        day = alarm.day
        if alarm.snoozed is not None and self._instant(day, alarm.at) > now:
            return day  # it moved on when it first rang
        day = max(day, self.local_now().date() - timedelta(days=1))
        for _ in range(8):
            day += timedelta(days=1)
            if day.weekday() in alarm.days and self._instant(day, alarm.at) > now:
                break
        return day

    def _instant(self, day: date, at: time) -> datetime:
        wall = datetime.combine(day, at)
        zoned = wall.astimezone() if self._zone is None else wall.replace(tzinfo=self._zone)
        return zoned.astimezone(UTC)

    def _replace(self, old: Iterable[Alarm], new: Sequence[Alarm]) -> None:
        numbers = {a.id for a in old}
        self._alarms = [*(a for a in self._alarms if a.id not in numbers), *new]
        self._save()
        self._change()

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _save(self) -> None:
        """All of them anew, they are so few: a write that failed is made good by the next.

        Of one that is due, and repeats, only what is due: its next day follows from it.
        """
        if self._store is None:
            return
        due = {a.id for a in self._due}
        statements: list[Statement] = [("DELETE FROM alarms", ())]
        for a in (*self._due, *(a for a in self._alarms if a.id not in due)):
            days = " ".join(map(str, sorted(a.days)))
            snoozed = None if a.snoozed is None else a.snoozed.timestamp()
            row = (a.id, a.device, a.name, a.at.isoformat(), a.day.isoformat(), days, snoozed)
            statements.append(("INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?, ?, ?, ?)", row))
        self._store.write(statements)
