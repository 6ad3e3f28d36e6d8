"""What a device's claims come to: who may answer, and who waits for what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
import pytest

from parlour import tasks
from parlour.bus.rounds import MemoryRounds
from parlour.gateways.referee import VERDICT_S, Contender, Referee
from parlour.ids import DeviceId
from parlour.wake.arbiter import Arbiter
from parlour.wake.claim import Claim
from virtual_time import run as run_virtual

HALL, ATTIC = DeviceId("hall"), DeviceId("attic")


@dataclass
class Link:
    """Notes the verdicts."""

    told: list[bool] = field(default_factory=list)

    def win(self) -> None:
        self.told.append(True)

    def lose(self, hold_s: float) -> None:
        self.told.append(False)


def claim(device: DeviceId, dbfs: float) -> Claim:
    return Claim(device, anyio.current_time(), dbfs)


@asynccontextmanager
async def two() -> AsyncIterator[tuple[Contender, Contender, list[bool]]]:
    """The hall and the attic, and what the hall is told."""
    referee, link = Referee(partial(MemoryRounds, Arbiter())), Link()
    hall, attic = referee.join(HALL, link), referee.join(ATTIC, Link())
    async with tasks.task_group() as group:
        for run in (referee.run, hall.run, attic.run):
            group.start_soon(run)
        yield hall, attic, link.told
        group.cancel_scope.cancel()


def test_whoever_claims_again_for_the_word_that_it_won_waits_for_nothing() -> None:
    async def case() -> None:
        async with two() as (hall, attic, told):
            hall.claim(claim(HALL, -30.0))
            await anyio.sleep(0.3)
            hall.claim(claim(HALL, -30.0))
            hall.listens()
            began_s = anyio.current_time()
            assert await hall.take()
            assert anyio.current_time() - began_s < 0.01
            attic.claim(claim(ATTIC, -10.0))  # too late: the hall is heard
            attic.listens()
            assert not await attic.take()
            assert told == [True]

    run_virtual(case)


def test_a_turn_without_a_claim_is_the_devices_own_after_it_lost() -> None:
    async def case() -> None:
        async with two() as (hall, attic, told):
            hall.claim(claim(HALL, -30.0))
            attic.claim(claim(ATTIC, -50.0))
            attic.listens()
            await anyio.sleep(0.5)  # its turn was cut off, so that it asks for nothing
            attic.listens()
            assert await attic.take()
            assert told == [True]

    run_virtual(case)


@pytest.mark.parametrize("after_s", [0.0, 0.5])
def test_a_turn_that_begins_after_its_word_was_lost_is_silent(after_s: float) -> None:
    async def case() -> None:
        async with two() as (hall, attic, _):
            hall.claim(claim(HALL, -30.0))
            attic.claim(claim(ATTIC, -50.0))
            await anyio.sleep(after_s)
            attic.listens()
            assert not await attic.take()

    run_virtual(case)


def test_a_claim_that_nobody_decides_is_answered_after_a_moment() -> None:
    async def case() -> None:
        contender = Referee(partial(MemoryRounds, Arbiter())).join(HALL, Link())
        async with tasks.task_group() as group:
            group.start_soon(contender.run)  # but not the referee
            contender.claim(claim(HALL, -30.0))
            contender.listens()
            began_s = anyio.current_time()
            assert await contender.take()
            assert anyio.current_time() - began_s == pytest.approx(VERDICT_S)
            group.cancel_scope.cancel()

    run_virtual(case)
