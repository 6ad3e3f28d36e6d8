"""The owner's side of the microphones, against a real server: what is decided counts at once, and is kept."""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio import to_thread

from parlour import tasks
from parlour.app.calibrating import SAME_WORD_S
from parlour.app.virtual_device import Dialect, VirtualDevice
from parlour.app.virtual_turn import Turn
from parlour.audio import Pcm, silence
from parlour.gateways.device import MEASURED_S
from parlour.wire.messages import Wake
from scripted_engines import tone
from servers import scripted_server
from serving import Ended, Running, padded, parlour, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SHELF, DESK, ATTIC = "24:6f:28:aa:bb:cc", "desk", "attic"
CONFIG = f"""
satellites:
  "{SHELF}": {{area: Kitchen, name: Shelf, group: ground}}
"""
QUIET = silence(0.3, 16_000)


def _out(server: Running, *arguments: str) -> str:
    ended = parlour(server.url, "devices", *arguments)
    assert ended.code == 0, ended.stderr
    return ended.stdout


def _complaint(server: Running, *arguments: str) -> str:
    ended = parlour(server.url, "devices", *arguments)
    assert (ended.code, ended.stdout) == (1, "")
    return ended.stderr


def _call(server: Running, method: str, path: str, body: object = None) -> tuple[int, Any]:
    url = f"{server.url}/api/devices{path}"
    answer = httpx.request(method, url, json=body, trust_env=False, timeout=20)
    return answer.status_code, answer.json()


def _device(server: Running, device: str) -> Any:
    return _call(server, "GET", f"/{device}")[1]


async def _say(
    server: Running, device: str, pcm: Pcm, dbfs: float | None = None, dialect: Dialect = "parlour"
) -> Turn:
    wake = None if dbfs is None else Wake(level_dbfs=dbfs, noise_dbfs=-80.0)
    async with VirtualDevice(server.device_url, device, dialect=dialect) as link:
        return await link.speak(padded(pcm), deadline_s=6.0, wake=wake)


async def _wizard(server: Running, levels: dict[str, list[float]]) -> Ended:
    """The wizard and its user, who says the word to one device after the other."""
    ended: list[Ended] = []

    async def run() -> None:
        ended.append(await to_thread.run_sync(parlour, server.url, "devices", "calibrate", *levels))

    async with AsyncExitStack() as links, tasks.task_group() as group:
        devices = {d: VirtualDevice(server.device_url, d) for d in levels}
        for link in devices.values():
            await links.enter_async_context(link)
        group.start_soon(run)
        for device, said in levels.items():
            for _ in range(100):
                status, _answer = await to_thread.run_sync(
                    _call, server, "GET", f"/{device}/calibration"
                )
                if status == 200:
                    break
                await anyio.sleep(0.05)
            for dbfs in said:
                wake = Wake(level_dbfs=dbfs)
                turn = await devices[device].speak(QUIET, deadline_s=2.0, wake=wake)
                assert (turn.end, turn.packets) == ("no_speech", [])
                await anyio.sleep(SAME_WORD_S)
    return ended[0]


def test_what_is_decided_about_microphones_counts_at_once_and_after_a_restart(
    tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    with serving(tmp_path) as server:
        assert "no microphone was ever connected" in _out(server, "list")
        assert "none was ever connected" in _complaint(server, "mute", "hall")
    with serving(tmp_path, CONFIG) as server:
        _move(server, speak)
        _mute(server, speak)
        _calibrate(server)
        _be_refused(server)
        _call_the_wrong_room(server)
        before = [{**each, "last_wake": None} for each in _call(server, "GET", "")[1]["devices"]]
    with serving(tmp_path, CONFIG) as server:
        assert _call(server, "GET", "")[1]["devices"] == before
        done = anyio.run(_say, server, SHELF, speak("turn on the light"))
        assert [action.target for action in done.actions] == ["office.light"]
        assert anyio.run(_say, server, DESK, speak("turn on the light")).end == "no_speech"


def _move(server: Running, speak: Callable[[str], Pcm]) -> None:
    done = anyio.run(_say, server, SHELF, speak("turn on the light"))
    assert [action.target for action in done.actions] == ["kitchen.light"]
    assert "there is no area Nowhere; known: " in _complaint(server, "room", "shelf", "Nowhere")

    async def moved() -> Turn:
        async with VirtualDevice(server.device_url, SHELF) as link:
            moving = partial(_out, server, "room", "shelf", "office")
            assert "stands in Office" in await to_thread.run_sync(moving)
            return await link.speak(padded(speak("turn on the light")))

    assert [action.target for action in anyio.run(moved).actions] == ["office.light"]
    assert "is called Board" in _out(server, "rename", "Shelf", "Board")
    assert "of the group upstairs" in _out(server, "group", "board", "upstairs")
    assert "of the group ground" in _out(server, "group", "board")
    listed = _out(server, "list")
    assert listed.splitlines()[0].split() == [
        "ID", "NAME", "AREA", "GROUP", "STATE", "MODEL", "GAIN", "LAST", "WAKE",
    ]  # fmt: skip
    assert f"{SHELF}  Board  Office  ground  away" in listed


def _mute(server: Running, speak: Callable[[str], Pcm]) -> None:
    said = speak("turn on the kitchen light")
    assert anyio.run(_say, server, DESK, said, -30.0).end == "answered"
    assert "is muted" in _out(server, "mute", DESK)
    for dbfs in (-30.0, None):
        turn = anyio.run(_say, server, DESK, said, dbfs)
        assert (turn.end, turn.transcript, turn.packets, turn.faults) == ("no_speech", "", [], [])
    assert anyio.run(_say, server, DESK, said, None, "xiaozhi").end == "closed"
    assert "muted" in _out(server, "list")

    async def muted_meanwhile() -> Turn:
        link = VirtualDevice(server.device_url, ATTIC)
        muting = partial(_out, server, "mute", ATTIC)
        async with link, tasks.task_group() as group:
            group.start_soon(to_thread.run_sync, muting)
            return await link.speak(silence(2.0, 16_000), deadline_s=4.0)

    assert anyio.run(muted_meanwhile).end in ("lost", "no_speech")
    for device in (DESK, ATTIC):
        assert "is listened to" in _out(server, "unmute", device)
    assert anyio.run(_say, server, DESK, said, -30.0).end == "answered"


def _calibrate(server: Running) -> None:
    levels = {SHELF: [-36.0, -35.0, -37.0], DESK: [-30.0, -20.0, -29.0, -31.0, -30.0]}
    levels[ATTIC] = [-42.0] * 3
    ended = anyio.run(_wizard, server, levels)
    assert (ended.code, ended.stderr) == (0, "")
    assert "Board: from one metre, say the wake word 3 times" in ended.stdout
    assert "the words differ by 10 dB: say it again" in ended.stdout
    gains = {d: _device(server, d)["gain_db"] for d in levels}
    assert {d: gain["total"] for d, gain in gains.items()} == {SHELF: 0.0, DESK: 6.0, ATTIC: -6.0}
    assert gains[DESK] == {"total": 6.0, "model": 0.0, "measured": 6.0, "correction": 0.0}


def _be_refused(server: Running) -> None:
    assert "Board is not connected" in _complaint(server, "calibrate", SHELF)
    assert "no device is connected" in _complaint(server, "calibrate")
    assert "did you mean attic?" in _complaint(server, "show", "atic")
    for body, complaint in (
        ({"gain_db": 31}, "less than or equal to 30"),
        ({"mute": "yes"}, "valid boolean"),
        ({"name": "a\nb"}, "one line"),
        ({"area": ""}, "at least 1 character"),
        ({"colour": "red"}, "not permitted"),
    ):
        status, answer = _call(server, "PATCH", f"/{DESK}", body)
        assert (status, complaint in json.dumps(answer)) == (422, True), body


def _call_the_wrong_room(server: Running) -> None:
    """At the same level the desk, which hears louder, is farther away; so the board answers."""

    async def wake() -> dict[str, Turn]:
        turns: dict[str, Turn] = {}

        async def say(device: str) -> None:
            turns[device] = await _say(server, device, QUIET, -40.0)

        async with tasks.task_group() as group:
            for device in (DESK, SHELF):
                group.start_soon(say, device)
        return turns

    _call(server, "PATCH", f"/{SHELF}", {"group": "home"})
    turns = anyio.run(wake)
    assert turns[DESK].end == "lost"
    assert _device(server, SHELF)["last_wake"]["won"]
    assert _device(server, DESK)["last_wake"] == {
        **_device(server, DESK)["last_wake"], "level_dbfs": -40.0, "won": False,
    }  # fmt: skip
    assert "did not hear the last wake word" in _complaint(server, "wrong-room", ATTIC)
    assert "Board did answer" in _complaint(server, "wrong-room", "Board")
    said = _out(server, "wrong-room", DESK)
    assert said == "desk: -1 dB, its gain is +5.0 dB\nBoard: +1 dB, its gain is +1.0 dB\n"
    _out(server, "wrong-room", ATTIC, DESK)
    gains = {d: _device(server, d)["gain_db"]["total"] for d in (SHELF, DESK, ATTIC)}
    assert gains == {SHELF: 1.0, DESK: 4.0, ATTIC: -5.0}
    assert "mute" in _out(server, "mute", DESK)
    assert "corrected -2.0 dB" in _out(server, "show", DESK)


@pytest.mark.anyio
async def test_a_device_that_says_no_level_is_measured_by_its_sound() -> None:
    async with scripted_server() as server, httpx.AsyncClient(trust_env=False) as client:
        url = f"{server.http_url}/api/devices/hall/calibration"
        async with VirtualDevice(server.device_url, "hall") as link:
            assert (await client.post(url)).status_code == 201
            turn = await link.speak(tone(0.6), deadline_s=2.0, wake=Wake())
            progress = (await client.get(url)).json()
            assert (turn.end, progress["words"], server.brain.did) == ("lost", 1, 0)
            assert -30 < progress["levels_dbfs"][0] < -10
            assert (await client.delete(url)).json()["state"] == "cancelled"
            await anyio.sleep(MEASURED_S)
            assert (await link.speak(tone(0.6), deadline_s=2.0)).end == "answered"
