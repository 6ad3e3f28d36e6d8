"""A clock of the house for tests: a wall that can be set, devices that speak, a store without a thread."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import anyio
from anyio.abc import TaskGroup

from parlour import tasks
from parlour.home import store as module
from parlour.home.clock import Clock
from parlour.home.reach import Satellite, nearest
from parlour.home.store import Statement, Store, Value
from parlour.ids import DeviceId

BERLIN = ZoneInfo("Europe/Berlin")
HALL, KITCHEN, OFFICE = DeviceId("hall"), DeviceId("kitchen"), DeviceId("office")
SENTENCE_S = 2.0


class PlainStore(Store):
    """Satisfies the store's users on a virtual clock, which no thread may share."""

    def __init__(self) -> None:
        self._connection = module._connect(":memory:")
        self._waiting = 0
        self._failing = False
        self.problem = ""

    def write(self, statements: Sequence[Statement]) -> None:
        self._write(statements)

    async def read(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        return self._read(sql, values)


class Wall:
    """The time of day, which runs with the loop's clock until somebody sets it."""

    def __init__(
        self, year: int, month: int, day: int, hour: int, minute: int, *, zone: tzinfo = UTC
    ) -> None:
        self.began = datetime(year, month, day, hour, minute, tzinfo=zone).astimezone(UTC)

    def __call__(self) -> datetime:
        return self.began + timedelta(seconds=anyio.current_time())

    def jump(self, seconds: float) -> None:
        self.began += timedelta(seconds=seconds)


class Said:
    def __init__(self) -> None:
        self.begun, self.done = anyio.Event(), anyio.Event()
        self.heard = self.cut = False
        self.scope = anyio.CancelScope()

    def withdraw(self) -> None:
        self.scope.cancel()


class Speakers:
    """`connected` may be changed at any time; `said` is when, where and what."""

    def __init__(self, group: TaskGroup, *connected: DeviceId) -> None:
        self.connected = set(connected)
        self.satellites: list[Satellite] = []
        self.said: list[tuple[float, DeviceId, str]] = []
        self.busy_until_s = 0.0
        self._group = group
        self.latest: Said | None = None

    @property
    def times(self) -> list[float]:
        return [at_s for at_s, _, _ in self.said]

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.said]

    def nearest(self, device: DeviceId) -> list[DeviceId]:
        known = {s.device for s in self.satellites}
        strangers = [Satellite(d) for d in self.connected - known]
        return sorted(nearest(device, [*self.satellites, *strangers], self.connected))

    def announce(self, device: DeviceId, text: str) -> Said | None:
        if device not in self.connected:
            return None
        self.latest = Said()
        self._group.start_soon(self._say, self.latest, device, text)
        return self.latest

    async def _say(self, said: Said, device: DeviceId, text: str) -> None:
        with said.scope:
            await anyio.sleep_until(self.busy_until_s)
            said.begun.set()
            self.said.append((round(anyio.current_time(), 3), device, text))
            await anyio.sleep(SENTENCE_S)
            said.heard = device in self.connected
        said.done.set()


@asynccontextmanager
async def living(
    store: Store, wall: Wall, *connected: DeviceId, zone: tzinfo | None = UTC, language: str = "en"
) -> AsyncIterator[tuple[Clock, Speakers]]:
    """A clock that runs until the context ends, as suddenly as a process that is killed."""
    async with tasks.task_group() as group:
        speakers = Speakers(group, *connected)
        clock = Clock(store, speakers, language, wall, zone)
        await clock.load()
        group.start_soon(clock.run)
        yield clock, speakers
        group.cancel_scope.cancel()
