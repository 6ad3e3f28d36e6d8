"""The demo home on a broker: a connection for every station, each with its own last will."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import aiomqtt
import anyio

from parlour.errors import HomeError
from parlour.home.demo.home import DemoHome
from parlour.home.demo.station import Station
from parlour.home.mqtt import Address
from parlour.supervise import Health, Stage
from parlour.tasks import task_group


async def run_demo(url: str, stage: Stage, home: DemoHome | None = None) -> None:
    """Connect the demo home to a broker and play it until cancelled; HomeError on loss.

    Whoever keeps the `home` that is given may ask it at any time how its devices really stand.
    """
    address = Address(url)
    play = _Play(home or DemoHome(), address)
    try:
        await play.run(stage)
    except (aiomqtt.MqttError, OSError) as error:
        why = address.explain(error)
        raise HomeError(f"the demo home lost the broker {address.shown}: {why}") from error


class _Play:
    def __init__(self, home: DemoHome, address: Address) -> None:
        self._home = home
        self._address = address
        self._clients: dict[str, aiomqtt.Client] = {}  # by their station's last will
        self._woken = anyio.Event()
        self._is_lost = False

    async def run(self, stage: Stage) -> None:
        self._home.begin()
        async with task_group() as group:
            async with task_group() as joining:
                for station in self._home.stations:
                    joined = anyio.Event()
                    group.start_soon(self._keep, station, joined)
                    joining.start_soon(joined.wait)
            group.start_soon(self._move, stage)

    @contextmanager
    def _raising_once(self) -> Iterator[None]:
        """Of the many that a broker takes with it only the first raises."""
        try:
            yield
        except aiomqtt.MqttError:
            if self._is_lost:
                return
            self._is_lost = True
            raise

    async def _keep(self, station: Station, joined: anyio.Event) -> None:
        with self._raising_once():
            await self._hold(station, joined)

    async def _hold(self, station: Station, joined: anyio.Event) -> None:
        """Hold a station's connection: announce it, then hand it its commands."""
        will = aiomqtt.Will(station.status, station.offline, qos=1, retain=True)
        async with self._address.client(will) as client:
            for topic, payload, retain in station.announcements():
                await client.publish(topic, payload, qos=0, retain=retain)
            if station.is_away:
                await client.publish(station.status, station.offline, qos=1, retain=True)
                joined.set()
                return
            self._clients[station.status] = client
            try:
                if wanted := [(topic, 1) for topic in station.subscriptions]:
                    await client.subscribe(wanted)
                joined.set()
                async for message in client.messages:
                    if isinstance(message.payload, bytes):
                        self._take(station, message.topic.value, message.payload)
            finally:
                with anyio.move_on_after(1, shield=True), suppress(aiomqtt.MqttError):
                    await client.publish(station.status, station.offline, qos=1, retain=True)

    def _take(self, station: Station, topic: str, payload: bytes) -> None:
        text = payload.decode("utf-8", "replace")
        self._home.receive(station, topic, text, anyio.current_time())
        self._woken.set()

    async def _move(self, stage: Stage) -> None:
        with self._raising_once():
            await self._move_once()
            for station in self._home.stations:
                if not station.is_away:
                    client = self._clients[station.status]
                    await client.publish(station.status, station.online, qos=1, retain=True)
            stage.set(Health.READY)
            while True:
                self._woken = anyio.Event()
                wait_s = await self._move_once()
                with anyio.move_on_after(wait_s):
                    await self._woken.wait()

    async def _move_once(self) -> float:
        said, wait_s = self._home.advance(anyio.current_time())
        for station, (topic, payload, retain) in said:
            await self._clients[station.status].publish(topic, payload, qos=0, retain=retain)
        return wait_s
