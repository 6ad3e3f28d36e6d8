"""Timers of the house: set, asked about, paused, made longer, cancelled, and due at last."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio

from parlour.errors import HomeError
from parlour.home.numbers import in_words
from parlour.home.store import Statement, Store
from parlour.ids import DeviceId

log = logging.getLogger(__name__)

MOST_TIMERS = 30  # of the whole house
LONGEST_S = 24 * 3600
LOOK_S = 10.0  # how soon a wall clock that was set is noticed
JUMP_S = 1.0  # what counts as set; NTP slews smaller errors


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Timer:
    device: DeviceId  # where it was set, and where it rings
    seconds: int  # as it was set: "the ten minute timer" stays one when time is added
    name: str
    ends_s: float  # on the clock of anyio.current_time(); of no meaning while it is paused
    id: int = 0  # what the API and the command line call it by
    paused_s: float | None = None  # what is left while it is paused

    def left_s(self, now_s: float) -> int:
        left_s = self.ends_s - now_s if self.paused_s is None else self.paused_s
        return max(0, round(left_s))


class Timers:
    """Elapsed time is measured on the monotonic clock; what is kept is the end on the wall clock.

    A wall clock that is set while Parlour runs moves no timer. All calls but `load` and `run` are
    plain and immediate; those that take timers ignore such as are no longer there.
    """

    def __init__(self, store: Store | None = None, wall: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._wall = wall
        self._timers: list[Timer] = []  # those that run by their end, then those paused
        self._due: list[Timer] = []  # rung, and kept until `finish`
        self._changed = anyio.Event()

    @property
    def all(self) -> Sequence[Timer]:
        """Those that are not due yet: the soonest first, paused ones last."""
        return tuple(self._timers)

    @property
    def ringing(self) -> Sequence[Timer]:
        """Those that are due and were not finished yet."""
        return tuple(self._due)

    def set(self, device: DeviceId, seconds: int, name: str = "") -> Timer:
        """Start a timer. Raises HomeError, in words fit to be spoken, if that is too much."""
        if len(self._timers) >= MOST_TIMERS:
            raise HomeError(f"There are {MOST_TIMERS} timers already.")
        if not 1 <= seconds <= LONGEST_S:
            raise HomeError("A timer can take up to twenty four hours.")
        number = max((t.id for t in (*self._timers, *self._due)), default=0) + 1
        timer = Timer(device, seconds, name, anyio.current_time() + seconds, number)
        self._replace([], [timer])
        return timer

    def find(self, device: DeviceId, name: str = "", seconds: int = 0) -> list[Timer]:
        """Timers by name and length, soonest first; those of this device if it has any, else all."""
        named = [
            t
            for t in self._timers
            if (not name or t.name == name) and (not seconds or t.seconds == seconds)
        ]
        return [t for t in named if t.device == device] or named

    def get(self, number: int) -> Timer | None:
        return next((t for t in self._timers if t.id == number), None)

    def cancel(self, timers: Iterable[Timer]) -> None:
        self._replace(self._present(timers), [])

    def pause(self, timers: Iterable[Timer]) -> list[Timer]:
        """Stop the clock of those that run; returns them as they are now."""
        now_s = anyio.current_time()
        running = [t for t in self._present(timers) if t.paused_s is None]
        paused = [replace(t, paused_s=max(0.0, t.ends_s - now_s)) for t in running]
        self._replace(running, paused)
        return paused

    def resume(self, timers: Iterable[Timer]) -> list[Timer]:
        """Let those run on that are paused; returns them as they are now."""
        now_s = anyio.current_time()
        paused = [t for t in self._present(timers) if t.paused_s is not None]
        running = [replace(t, ends_s=now_s + (t.paused_s or 0.0), paused_s=None) for t in paused]
        self._replace(paused, running)
        return running

    def add(self, timer: Timer, seconds: int) -> Timer:
        """Make a timer longer, or shorter if negative; returns it as it is now.

        Raises HomeError, in words fit to be spoken, if it is over or would be too long or too short.
        """
        if not self._present([timer]):
            raise HomeError("That timer is over.")
        left_s = timer.left_s(anyio.current_time()) + seconds
        if left_s < 1:
            raise HomeError("The timer has less than that left.")
        if left_s > LONGEST_S:
            raise HomeError("A timer can take up to twenty four hours.")
        if timer.paused_s is None:
            longer = replace(timer, ends_s=timer.ends_s + seconds)
        else:
            longer = replace(timer, paused_s=timer.paused_s + seconds)
        self._replace([timer], [longer])
        return longer

    def finish(self, timer: Timer) -> None:
        """It was rung and heard, or nobody came: it need not be kept any longer."""
        self._due = [t for t in self._due if t.id != timer.id]
        self._save()

    async def load(self) -> None:
        """Take up what was kept; what ended meanwhile is due at once. Raises HomeError."""
        if self._store is None:
            return
        now_s, now_utc = anyio.current_time(), self._wall().timestamp()
        sql = "SELECT id, device, name, seconds, ends_utc, left_s FROM timers"
        for number, device, name, seconds, ends_utc, left_s in await self._store.read(sql):
            timer = Timer(DeviceId(device), seconds, name, now_s, number)
            if ends_utc is None:
                self._timers.append(replace(timer, paused_s=left_s))
            else:
                # A machine without a battery-backed clock starts in the past: no timer gets longer.
                rest_s = min(ends_utc - now_utc, left_s)
                self._timers.append(replace(timer, ends_s=now_s + rest_s))
        self._sort()
        self._change()

    async def run(self, ring: Callable[[Timer], Awaitable[None]]) -> None:
        """Call `ring` for each timer when it is due, until cancelled; it should return soon."""
        shift_s = self._shift_s()
        while True:
            now_s = anyio.current_time()
            first = next((t for t in self._timers if t.paused_s is None), None)
            if first is not None and first.ends_s <= now_s:
                self._timers.remove(first)
                self._due.append(first)
                await ring(first)
                continue
            if abs(self._shift_s() - shift_s) > JUMP_S:
                log.info("the wall clock was set; timers run on as before")
                shift_s = self._shift_s()
                self._save()
            changed = self._changed
            wait_s = min(first.ends_s - now_s, LOOK_S) if first is not None else float("inf")
            with anyio.move_on_after(wait_s):
                await changed.wait()

    def _shift_s(self) -> float:
        return self._wall().timestamp() - anyio.current_time()

    def _present(self, timers: Iterable[Timer]) -> list[Timer]:
        numbers = {t.id for t in timers}
        return [t for t in self._timers if t.id in numbers]

    def _replace(self, old: Sequence[Timer], new: Sequence[Timer]) -> None:
        numbers = {t.id for t in old}
        self._timers = [*(t for t in self._timers if t.id not in numbers), *new]
        self._sort()
        self._save()
        self._change()

    def _sort(self) -> None:
        self._timers.sort(key=lambda t: (t.paused_s is not None, t.ends_s))

    def _save(self) -> None:
        """All of them anew, they are so few: a write that failed is made good by the next."""
        if self._store is None:
            return
        now_s, now_utc = anyio.current_time(), self._wall().timestamp()
        statements: list[Statement] = [("DELETE FROM timers", ())]
        for t in (*self._timers, *self._due):
            rest_s = t.ends_s - now_s if t.paused_s is None else t.paused_s
            ends_utc = now_utc + rest_s if t.paused_s is None else None
            row = (t.id, t.device, t.name, t.seconds, ends_utc, rest_s)
            statements.append(("INSERT INTO timers VALUES (?, ?, ?, ?, ?, ?)", row))
        self._store.write(statements)

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def spoken(seconds: int) -> str:
    """A span as people say it: "one hour and five minutes"."""
    parts = []
    for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{in_words(count)} {unit}{'' if count == 1 else 's'}")
    if not parts:
        return "no time"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
