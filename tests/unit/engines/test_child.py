"""An engine's own process: when it ends, and what it does with peers that it cannot use."""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process
from wyoming.event import Event

from parlour.app import registry
from parlour.engines.framing import BROKEN, Connection, connect

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def _child(folder: Path) -> AsyncIterator[tuple[Process, str]]:
    uri = f"unix://{folder / 'engine.sock'}"
    target = registry.TTS["espeak"].target
    command = [sys.executable, "-m", "parlour.engines.child", "tts", target, uri, "{}"]
    async with await anyio.open_process(command) as child:
        try:
            with anyio.fail_after(20):
                while not await _answers(uri):  # noqa: ASYNC110 - nothing tells us
                    await anyio.sleep(0.02)
            yield child, uri
        finally:
            if child.returncode is None:
                child.kill()


async def _answers(uri: str) -> bool:
    try:
        connection = await connect(uri)
    except OSError:
        return False
    await _ask(connection, Event("describe"))
    await connection.aclose()
    return True


async def _ask(connection: Connection, event: Event) -> Event:
    await connection.write(event)
    return await connection.read()


async def test_the_child_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    async with _child(tmp_path) as (child, _):
        assert child.stdin is not None
        await child.stdin.aclose()
        with anyio.fail_after(5):
            assert await child.wait() == 0


async def test_ctrl_c_is_for_the_parent_and_sigterm_for_the_child(tmp_path: Path) -> None:
    async with _child(tmp_path) as (child, uri):
        os.kill(child.pid, signal.SIGINT)
        assert await _answers(uri)
        os.kill(child.pid, signal.SIGTERM)
        with anyio.fail_after(5):
            assert await child.wait() == 0


async def test_a_header_without_end_closes_that_connection_only(tmp_path: Path) -> None:
    async with _child(tmp_path) as (_, uri):
        stream = await anyio.connect_unix(uri.removeprefix("unix://"))
        async with stream:
            with anyio.fail_after(5), pytest.raises(BROKEN):
                await stream.send(b"x" * 1_000_000)
                while True:
                    await stream.receive()
        assert await _answers(uri)


@pytest.mark.parametrize("speed", [float("nan"), float("inf"), 0, -1, "fast"])
async def test_a_speed_that_cannot_be_is_answered_with_an_error(
    tmp_path: Path, speed: object
) -> None:
    request = {"text": "hello", "voice": {"name": "en-us"}, "speed": speed}
    async with _child(tmp_path) as (_, uri):
        for _ in range(5):  # more often than there are lanes
            connection = await connect(uri)
            with anyio.fail_after(5):
                answer = await _ask(connection, Event("synthesize", request))
            assert (answer.type, "no speed" in answer.data["text"]) == ("error", True)
            await connection.aclose()


async def test_half_a_character_is_spoken_around(tmp_path: Path) -> None:
    data = json.dumps({"text": "hello \ud800 there", "voice": {"name": "en-us"}}).encode()
    header = json.dumps({"type": "synthesize", "data_length": len(data)}).encode()
    async with _child(tmp_path) as (_, uri):
        stream = await anyio.connect_unix(uri.removeprefix("unix://"))
        await stream.send(header + b"\n" + data)
        connection = Connection(stream)
        with anyio.fail_after(5):
            kinds = {"audio-start"}
            while "audio-stop" not in kinds:
                kinds.add((await connection.read()).type)
        await connection.aclose()
    assert kinds == {"audio-start", "audio-chunk", "audio-stop"}
