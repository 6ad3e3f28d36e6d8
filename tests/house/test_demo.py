"""The demo home on a real mosquitto: who is announced, who is alive, and what comes of a command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import anyio
import pytest

from brokers import demo_at, find_mosquitto, mosquitto
from parlour.errors import HomeError
from parlour.home.demo import DemoHome, run_demo
from parlour.ids import StageName
from parlour.supervise import Stage
from parlour.tasks import task_group

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
]

WAIT_S = 5.0
WILLS = {
    "parlour_demo/status": ("online", "offline"),
    "zigbee2mqtt/bridge/state": ('{"state":"online"}', '{"state":"offline"}'),
    "garden-node/status": ("online", "offline"),
    "garage-node/status": ("online", "offline"),
    "laundry-node/status": ("online", "offline"),
    "air-node/status": ("online", "offline"),
    "tele/garage_heater/LWT": ("Online", "Offline"),
    "tele/garage_light/LWT": ("Online", "Offline"),
    "tele/garden_awning/LWT": ("Online", "Offline"),
    "tele/bathroom_washing_machine/LWT": ("Online", "Offline"),
    "tele/garden/LWT": ("Online", "Offline"),
    "tele/garden_shed_light/LWT": ("Offline", "Offline"),
}


class Listener:
    """Hears everything on a broker; `said` holds the last on each topic, `retained` who was."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.said: dict[str, str] = {}
        self.retained: set[str] = set()
        self._heard = anyio.Event()

    async def run(self) -> None:
        await self.client.subscribe("#", qos=1)
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.said[message.topic.value] = message.payload.decode()
            if message.retain:
                self.retained.add(message.topic.value)
            self._heard.set()

    async def wait(self, topic: str, payload: str) -> None:
        """Wait until a payload holds this text."""
        with anyio.fail_after(WAIT_S):
            while payload not in self.said.get(topic, ""):
                self._heard = anyio.Event()
                await self._heard.wait()


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Listener]:
    async with aiomqtt.Client("127.0.0.1", _port(url)) as client, task_group() as group:
        listener = Listener(client)
        group.start_soon(listener.run)
        yield listener
        group.cancel_scope.cancel()


async def test_whoever_comes_later_finds_everything_announced(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as (url, _), demo_at(url) as home, listening(url) as late:
        announced = dict(home.announcements())
        for topic, payload in announced.items():
            await late.wait(topic, '"sn"' if topic.endswith("/sensors") else payload)
        assert late.retained >= set(announced)
        for will, (online, _) in WILLS.items():
            await late.wait(will, online)
        assert set(WILLS) == {station.status for station in home.stations}
        # These three are asked for their state; the others have said it for good.
        assert "zigbee2mqtt/Hall Light" in late.retained
        assert "zigbee2mqtt/Kids Room Night Light" not in late.retained
        assert "tele/garage_heater/STATE" not in late.retained
        await late.client.publish("zigbee2mqtt/Kids Room Night Light/get", '{"state":""}')
        await late.wait("zigbee2mqtt/Kids Room Night Light", '"OFF"')
        await late.client.publish("cmnd/garage_heater/STATE", "")
        await late.wait("stat/garage_heater/RESULT", '"POWER": "OFF"')


@pytest.mark.parametrize(
    ("topic", "payload", "answer", "said", "slug", "truth"),
    [
        (
            "parlour_demo/kitchen_light/bri/set",
            "77",
            "parlour_demo/kitchen_light/bri",
            "77",
            "kitchen_light",
            {"on": True, "level": 30},
        ),
        (
            "zigbee2mqtt/Hall Light/set",
            '{"state": "ON", "brightness": 127}',
            "zigbee2mqtt/Hall Light",
            '"brightness": 127',
            "hall_light",
            {"on": True, "level": 50, "kelvin": 2703},
        ),
        (
            "garden-node/valve/water/command",
            "OPEN",
            "garden-node/valve/water/state",
            "open",
            "garden_water",
            {"position": 100, "doing": "open"},
        ),
        (
            "cmnd/garage_heater/POWER",
            "ON",
            "stat/garage_heater/POWER",
            "ON",
            "garage_heater",
            {"on": True},
        ),
        (
            "garden-node/light/lights/command",
            '{"state": "ON"}',
            "garden-node/light/lights/state",
            '"ON"',
            "garden_lights",
            {"on": True, "level": 100},
        ),
    ],
)
async def test_a_command_changes_the_device_and_its_state(
    tmp_path: Path,
    topic: str,
    payload: str,
    answer: str,
    said: str,
    slug: str,
    truth: dict[str, object],
) -> None:
    async with mosquitto(tmp_path) as (url, _), demo_at(url) as home, listening(url) as listener:
        await listener.client.publish(topic, payload, qos=1)
        await listener.wait(answer, said)
        with anyio.fail_after(WAIT_S):
            while home.snapshot()[slug] != truth:  # noqa: ASYNC110 - a device tells nobody else
                await anyio.sleep(0.05)


async def test_a_demo_home_that_is_stopped_says_goodbye_for_everybody(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as (url, _), listening(url) as listener:
        async with demo_at(url):
            for will, (online, _) in WILLS.items():
                await listener.wait(will, online)
        for will, (_, offline) in WILLS.items():
            await listener.wait(will, offline)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_the_command_plays_on_a_broker_and_its_wills_are_published(
    tmp_path: Path, how: signal.Signals
) -> None:
    async with mosquitto(tmp_path) as (url, _), listening(url) as listener:
        command = [sys.executable, "-m", "parlour", "demo", "--url", url]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        pipe = subprocess.PIPE
        async with await anyio.open_process(command, stdout=pipe, env=environment) as process:
            assert process.stdout is not None
            with anyio.fail_after(20):
                assert b"devices on mqtt://127.0.0.1:" in await process.stdout.receive()
            await listener.wait("zigbee2mqtt/bridge/state", "online")
            process.send_signal(how)
            for will, (_, offline) in WILLS.items():
                await listener.wait(will, offline)
            assert await process.wait() == (0 if how is signal.SIGTERM else -signal.SIGKILL)


async def test_a_killed_broker_ends_the_play_with_a_home_error(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as (url, process):
        stage = Stage(StageName("demo"))
        with pytest.raises(HomeError, match="the demo home lost the broker"), anyio.fail_after(10):
            async with task_group() as group:
                group.start_soon(run_demo, url, stage)
                await stage.wait_ready()
                process.kill()


def test_the_names_of_its_last_wills_are_those_of_its_stations() -> None:
    assert {station.status for station in DemoHome().stations} == set(WILLS)
    assert json.loads(WILLS["zigbee2mqtt/bridge/state"][0]) == {"state": "online"}
