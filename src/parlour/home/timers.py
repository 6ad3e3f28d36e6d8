"""Timers of the house, in memory: set, asked about, cancelled, and rung on the device that asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from parlour.errors import HomeError
from parlour.home.numbers import in_words
from parlour.ids import DeviceId

MOST_TIMERS = 30  # of the whole house
LONGEST_S = 24 * 3600


@dataclass(frozen=True, slots=True, eq=False)
class Timer:
    device: DeviceId  # where it was set, and where it rings
    seconds: int
    name: str
    ends_s: float  # on the clock of anyio.current_time()

    def left_s(self, now_s: float) -> int:
        return max(0, round(self.ends_s - now_s))


class Timers:
    def __init__(self) -> None:
        self._timers: list[Timer] = []
        self._changed = anyio.Event()

    def set(self, device: DeviceId, seconds: int, name: str = "") -> Timer:
        """Start a timer. Raises HomeError, in words fit to be spoken, if that is too much."""
        if len(self._timers) >= MOST_TIMERS:
            raise HomeError(f"There are {MOST_TIMERS} timers already.")
        if not 1 <= seconds <= LONGEST_S:
            raise HomeError("A timer can take up to twenty four hours.")
        timer = Timer(device, seconds, name, anyio.current_time() + seconds)
        self._timers.append(timer)
        self._timers.sort(key=lambda t: t.ends_s)
        self._change()
        return timer

    def find(self, device: DeviceId, name: str = "", seconds: int = 0) -> list[Timer]:
        """Timers by name and length, soonest first; those of this device if it has any, else all."""
        named = [
            t
            for t in self._timers
            if (not name or t.name == name) and (not seconds or t.seconds == seconds)
        ]
        return [t for t in named if t.device == device] or named

    def cancel(self, timers: list[Timer]) -> None:
        self._timers = [t for t in self._timers if t not in timers]
        self._change()

    async def run(self, ring: Callable[[Timer], Awaitable[None]]) -> None:
        """Ring each timer when it is due, until cancelled."""
        while True:
            now_s = anyio.current_time()
            if self._timers and self._timers[0].ends_s <= now_s:
                await ring(self._timers.pop(0))
                continue
            changed = self._changed
            wait_s = self._timers[0].ends_s - now_s if self._timers else float("inf")
            with anyio.move_on_after(wait_s):
                await changed.wait()

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
