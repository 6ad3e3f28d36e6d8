"""Processes that ask who answers: several in one loop here, or real ones in files of their verdicts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from redis.asyncio import Redis

from parlour import tasks
from parlour.bus.rounds import MemoryRounds
from parlour.bus.rounds_redis import RedisRounds
from parlour.ids import DeviceId
from parlour.wake.arbiter import Arbiter
from parlour.wake.claim import Claim, Kind
from parlour.wake.rounds import Rounds
from parlour.wake.rules import Lost, TakenOver, Verdict, Won
from parlour.wake.rules import Rules as WakeRules


@dataclass
class Told:
    """All verdicts of a house, and who answers by them."""

    verdicts: list[Verdict] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    changed: anyio.Event = field(default_factory=anyio.Event)

    def tell(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)
        self.at_s.append(anyio.current_time())
        self.changed.set()

    @property
    def won(self) -> list[str]:
        return [str(one.device) for one in self.verdicts if isinstance(one, Won)]

    @property
    def lost(self) -> list[str]:
        return sorted(str(one.device) for one in self.verdicts if isinstance(one, Lost))

    @property
    def taken(self) -> set[tuple[str, str]]:
        return {
            (str(one.loser), str(one.winner)) for one in self.verdicts if isinstance(one, TakenOver)
        }

    async def wait(self, count: int, longest_s: float = 5.0) -> None:
        """Until there are so many verdicts."""
        with anyio.fail_after(longest_s):
            while len(self.verdicts) < count:
                self.changed = anyio.Event()
                await self.changed.wait()


@dataclass
class House:
    """Device "a" is at the first process, "b" at the second one, ..., and so on in turn."""

    processes: list[Rounds]
    told: Told

    def of(self, device: str) -> Rounds:
        return self.processes[(ord(device[0]) - ord("a")) % len(self.processes)]

    async def claim(
        self, device: str, level_dbfs: float | None, kind: Kind = Kind.WAKE, group: str = "home"
    ) -> None:
        now_s = anyio.current_time()
        claim = Claim(DeviceId(device), now_s, level_dbfs, group=group, kind=kind)
        await self.of(device).claim(claim)


@asynccontextmanager
async def memory_house(rules: WakeRules) -> AsyncGenerator[House]:
    told = Told()
    rounds = MemoryRounds(Arbiter(rules), told.tell)
    async with tasks.task_group() as group:
        group.start_soon(rounds.run)
        yield House([rounds], told)
        group.cancel_scope.cancel()


@asynccontextmanager
async def redis_house(
    url: str, rules: WakeRules, prefix: str, processes: int = 3, deciding: int = 3
) -> AsyncGenerator[House]:
    """`deciding`: how many of the processes run; the others have died after their claims."""
    told = Told()
    clients = [Redis.from_url(url, protocol=2) for _ in range(processes)]
    rounds = [RedisRounds(client, told.tell, rules, prefix=prefix) for client in clients]
    async with tasks.task_group() as group:
        for one in rounds[processes - deciding :]:
            group.start_soon(one.run)
        await _subscribed(clients[-1], f"{prefix}:rounds", deciding)
        yield House(list[Rounds](rounds), told)
        group.cancel_scope.cancel()
    for client in clients:
        await client.aclose()


async def _subscribed(client: Redis, channel: str, count: int) -> None:
    with anyio.fail_after(5):
        while True:
            [(_, subscribers)] = await client.pubsub_numsub(channel)
            if subscribers >= count:
                return
            await anyio.sleep(0.005)
