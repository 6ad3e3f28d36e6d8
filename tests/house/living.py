"""The demo home on a real mosquitto with Parlour's house on the other side, as an async context."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from brokers import demo_at, mosquitto
from parlour.home.demo import FLOORS, DemoHome
from parlour.home.entities import Command, Verb
from parlour.home.mqtt import MqttHouse
from parlour.home.overrides import NO_OVERRIDES, Overrides
from parlour.ids import EntityId, StageName
from parlour.supervise import Stage
from parlour.tasks import task_group

ASKED = [EntityId("garage.light"), EntityId("kids_room.night_light")]  # they retain nothing


@asynccontextmanager
async def living_in(url: str, overrides: Overrides = NO_OVERRIDES) -> AsyncIterator[MqttHouse]:
    house, stage = MqttHouse(url, floors=FLOORS, overrides=overrides), Stage(StageName("home"))
    async with task_group() as group:
        group.start_soon(house.run, stage)
        with anyio.fail_after(5):
            await stage.wait_ready()
        yield house
        group.cancel_scope.cancel()


@dataclass(frozen=True, slots=True)
class Living:
    """The house as Parlour sees it and as it really is."""

    house: MqttHouse
    home: DemoHome

    def truth(self, slug: str) -> dict[str, object]:
        return self.home.snapshot()[slug]

    async def becomes(self, slug: str, **wanted: object) -> None:
        """Wait until a device really is so."""
        with anyio.move_on_after(6):
            while not wanted.items() <= self.truth(slug).items():  # noqa: ASYNC110
                await anyio.sleep(0.02)
        assert {key: self.truth(slug).get(key) for key in wanted} == wanted, slug


@asynccontextmanager
async def live_in_the_demo(
    folder: Path, overrides: Overrides = NO_OVERRIDES
) -> AsyncIterator[Living]:
    """Everything together, once it is known how everybody stands."""
    async with (
        mosquitto(folder) as (url, _),
        demo_at(url) as home,
        living_in(url, overrides) as house,
    ):
        await until(lambda: all(house.state(each).on is not None for each in ASKED))
        yield Living(house, home)


async def until(holds: Callable[[], bool], within_s: float = 5.0) -> None:
    with anyio.fail_after(within_s):
        while not holds():  # noqa: ASYNC110 - devices and houses tell different people
            await anyio.sleep(0.02)


def command(target: str, verb: Verb, value: str | float | None = None) -> Command:
    return Command(EntityId(target), verb, value)
