"""The clock of a whole server: announcements and rings on devices, and what outlives a kill -9."""

import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from parlour import tasks
from parlour.app.virtual_device import VirtualDevice
from parlour.audio import silence
from parlour.events import SpeechBegan, TurnBegan
from parlour.home.store import FILE
from parlour.ids import DeviceId, TurnId
from parlour.wire.device_peer import Heard, Sentence, Sound
from servers import Server, scripted_server
from serving import parlour, serving

HALL = DeviceId("hall")
AREAS = {HALL: "Kitchen", DeviceId("office"): "Office", DeviceId("attic"): "Bedroom"}


@asynccontextmanager
async def _asking(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
        yield client


class Listening:
    """A device that only listens: what it was told, and how much sound came."""

    def __init__(self, url: str, name: str) -> None:
        self.sentences: list[str] = []
        self.sounds = 0
        self._device = VirtualDevice(url, name)

    async def run(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        async with self._device as device:
            assert device._link is not None
            task_status.started()
            while True:
                for heard in await device._link.receive():
                    self._take(heard)

    def _take(self, heard: Heard) -> None:
        match heard:
            case Sentence(text=text):
                self.sentences.append(text)
            case Sound():
                self.sounds += 1
            case _:
                pass

    async def wait_for(self, sentences: int) -> None:
        with anyio.fail_after(10):
            while len(self.sentences) < sentences:  # noqa: ASYNC110 - nothing tells a test
                await anyio.sleep(0.01)


@asynccontextmanager
async def _listening(server: Server, *names: str) -> AsyncIterator[list[Listening]]:
    async with tasks.task_group() as group:
        devices = [Listening(server.device_url, name) for name in names]
        for device in devices:
            await group.start(device.run)
        yield devices
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_an_announcement_is_spoken_where_it_is_meant_and_who_was_not_reached_is_said() -> (
    None
):
    async with (
        scripted_server(areas=AREAS) as server,
        _asking(server) as client,
        _listening(server, "hall", "office") as (hall, office),
    ):
        told = await client.post("/api/announce", json={"text": "Dinner is ready."})
        assert told.status_code == 200
        assert told.json() == {
            "heard_by": ["hall", "office"], "waiting": [], "not_reached": ["attic"]
        }  # fmt: skip
        await hall.wait_for(1)
        await office.wait_for(1)
        body = {"text": "Only here.", "area": "kitchen"}
        told = await client.post("/api/announce", json=body)
        assert told.json()["heard_by"] == ["hall"]
        await hall.wait_for(2)
        await anyio.sleep(0.5)
        assert hall.sentences == ["Dinner is ready.", "Only here."]
        assert office.sentences == ["Dinner is ready."]
        assert hall.sounds > office.sounds > 5


@pytest.mark.anyio
async def test_an_announcement_that_cannot_be_made_says_why() -> None:
    async with scripted_server(areas=AREAS) as server, _asking(server) as client:
        for body, status, said in (
            ({"text": "hello"}, 503, "no device is connected"),
            ({"text": "  "}, 422, "at least 1 character"),
            ({"text": "x" * 501}, 422, "at most 500 characters"),
            ({"text": "hello", "area": "Pool"}, 422, "there is no area Pool; known: Bathroom,"),
            ({"text": "hello", "area": "Living Room"}, 422, "no device that speaks stands in"),
            ({"text": "hello", "floor": "cellar"}, 422, "known: downstairs, upstairs"),
            ({"text": "hello", "device": "toaster"}, 422, "known: attic, hall, office"),
            ({"text": "hello", "device": "attic"}, 503, "not connected: attic"),
        ):
            answer = await client.post("/api/announce", json=body)
            assert answer.status_code == status, answer.text
            assert said in answer.text


@pytest.mark.anyio
async def test_a_timer_rings_on_its_device_until_a_turn_begins_there() -> None:
    async with scripted_server(areas=AREAS) as server, _asking(server) as client:
        async with _listening(server, "hall", "office") as (hall, office):
            body = {"seconds": 1, "name": "egg", "device": "hall"}
            assert (await client.post("/api/timers", json=body)).status_code == 201
            await hall.wait_for(1)
            assert hall.sentences == ["The egg timer is up: one second."]
            (timer,) = (await client.get("/api/timers")).json()["timers"]
            assert timer["ringing"]
            assert office.sentences == []
        assert len(server.clock.rings.ringing) == 1
        async with VirtualDevice(server.device_url, "hall") as device:
            with anyio.fail_after(10):
                while server.clock.rings.ringing:
                    await device.speak(silence(0.1, 16_000), deadline_s=0.3)
        assert (await client.get("/api/timers")).json() == {"timers": []}


@pytest.mark.anyio
async def test_a_microphone_that_opens_by_itself_after_a_ring_silences_nothing_until_one_speaks() -> (
    None
):
    async with scripted_server(areas=AREAS) as server, _listening(server, "hall") as (hall,):
        server.clock.timers.set(DeviceId("hall"), 1)
        await hall.wait_for(1)
        with anyio.fail_after(5):
            while not server.clock.rings.just_spoke(HALL):  # noqa: ASYNC110 - nothing tells
                await anyio.sleep(0.01)
        began = TurnBegan(TurnId("t1"), DeviceId("hall"), anyio.current_time(), 0)
        server.bus.publish(began)
        await anyio.sleep(0.1)
        assert len(server.clock.rings.ringing) == 1
        server.bus.publish(SpeechBegan(TurnId("t1"), anyio.current_time(), 0))
        await anyio.sleep(0.1)
        assert server.clock.rings.ringing == ()


@pytest.mark.anyio
async def test_the_routes_of_timers_and_alarms() -> None:
    async with scripted_server(areas=AREAS) as server, _asking(server) as client:
        timer = (await client.post("/api/timers", json={"seconds": 600})).json()
        assert (timer["seconds"], timer["device"], timer["paused"]) == (600, None, False)
        path = f"/api/timers/{timer['id']}"
        assert (await client.post(path, json={"action": "pause"})).json()["paused"] is True
        longer = (await client.post(path, json={"action": "add", "seconds": 60})).json()
        assert 650 <= longer["left_s"] <= 660
        assert (await client.post(path, json={"action": "resume"})).json()["paused"] is False
        assert (await client.post(path, json={"action": "explode"})).status_code == 422
        assert (await client.delete(path)).status_code == 200
        gone = await client.delete(path)
        assert gone.status_code == 422
        assert "there is no timer 1" in gone.json()["error"]
        body: dict[str, Any] = {"time": "07:30", "repeat": "weekdays", "name": "school"}
        alarm = (await client.post("/api/alarms", json=body)).json()
        assert alarm["time"] == "07:30"
        assert alarm["repeat"] == ["monday", "tuesday", "wednesday", "thursday", "friday"]
        for wrong in ({"time": "soon"}, {"time": "25:00"}, {"time": "7:00", "repeat": "yearly"}):
            refused = await client.post("/api/alarms", json=wrong)
            assert refused.status_code == 422, refused.text
        assert (await client.delete(f"/api/alarms/{alarm['id']}")).status_code == 200
        assert (await client.get("/api/alarms")).json() == {"alarms": []}
        paths = (await client.get("/openapi.json")).json()["paths"]
        assert {"/api/timers", "/api/alarms", "/api/announce"} <= paths.keys()


def _parlour(url: str, *arguments: str) -> str:
    ended = parlour(url, *arguments)
    assert ended.code == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_a_timer_outlives_kill_9_and_rings_after_the_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert "ten minutes" in server.ask("set a timer for ten minutes")["reply"]
        server.ask("set a tea timer for eight seconds")
        asked_s = time.monotonic()
        said = _parlour(server.url, "alarms", "set", "07:30", "--name", "school")
        assert said.startswith("alarm 1 rings ")
        server.process.kill()
        server.process.wait()
    assert (tmp_path / "data" / FILE).exists()
    with serving(tmp_path) as server:
        timers = json.loads(_parlour(server.url, "timers", "list", "--json"))["timers"]
        passed_s = time.monotonic() - asked_s
        (ten,) = [t for t in timers if t["seconds"] == 600]
        assert abs(ten["left_s"] - (600 - passed_s)) < 3
        assert "school" in _parlour(server.url, "alarms", "list")
        assert anyio.run(_first_sentence, server.device_url).startswith("The tea timer ")
        assert "is cancelled" in _parlour(server.url, "timers", "cancel", str(ten["id"]))
        assert "is cancelled" in _parlour(server.url, "alarms", "cancel", "1")
        assert _parlour(server.url, "alarms", "list").strip() == "no alarm is set"


async def _first_sentence(url: str) -> str:
    async with tasks.task_group() as group:
        device = Listening(url, "test")
        await group.start(device.run)
        with anyio.fail_after(30):
            while not device.sentences or not device.sounds:  # noqa: ASYNC110 - nothing tells
                await anyio.sleep(0.05)
        group.cancel_scope.cancel()
    return device.sentences[0]


def test_two_servers_on_one_folder_are_one_too_many(tmp_path: Path) -> None:
    with serving(tmp_path):
        command = [sys.executable, "-m", "parlour", "serve", "--port", "0"]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "in use by another Parlour" in ended.stderr.strip().splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_a_damaged_file_is_said_and_the_server_serves_on(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE).write_bytes(b"no database" * 1000)
    with serving(tmp_path) as server:
        assert "ten minutes" in server.ask("set a timer for ten minutes")["reply"]
