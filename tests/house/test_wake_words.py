"""Wake words on the server, and servers that decide together, over real WebSockets."""

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import anyio
import numpy as np
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from parlour import tasks
from parlour.app.virtual_device import Dialect, VirtualDevice
from parlour.app.virtual_turn import Turn
from parlour.audio import HEARING_RATE_HZ, Pcm, silence
from parlour.bus.rounds_redis import RedisRounds
from parlour.level import level_dbfs
from parlour.ports import Heard
from parlour.turn.wakeword import WakeListener
from parlour.wire.device_peer import Arb, DevicePeer, ListenBegun, TurnReport
from parlour.wire.messages import Superset, Wake
from redis_server import redis_server
from scripted_engines import packets, tone
from servers import Server, scripted_server

pytestmark = pytest.mark.anyio

SAID = Pcm(
    np.concatenate([silence(0.1, 16_000).samples, tone(0.9).samples, silence(0.6, 16_000).samples]),
    HEARING_RATE_HZ,
)


async def _hear(
    server: Server,
    turns: dict[str, Turn],
    device: str,
    dbfs: float | None,
    phrase: str = "",
    *,
    after_s: float = 0.0,
    dialect: Dialect = "parlour",
    gone_after_s: float | None = None,
) -> None:
    wake = None if dbfs is None else Wake(level_dbfs=dbfs, noise_dbfs=-70.0, phrase=phrase)
    async with VirtualDevice(server.device_url, device, dialect=dialect) as virtual:
        await anyio.sleep(after_s)
        with anyio.move_on_after(gone_after_s):
            turns[device] = await virtual.speak(SAID, deadline_s=3.0, wake=wake)


async def test_what_was_no_wake_word_is_dropped_and_the_next_best_answers() -> None:
    heard: list[tuple[str, float]] = []

    async def confirm(pcm: Pcm, phrase: str) -> bool | None:
        heard.append((phrase, pcm.duration_s))
        return phrase != "a tile"

    turns: dict[str, Turn] = {}
    async with scripted_server(confirm=confirm) as server:
        async with tasks.task_group() as group:
            group.start_soon(_hear, server, turns, "hall", -31.0, "a tile")
            group.start_soon(_hear, server, turns, "kitchen", -50.0, "okay nabu")
        assert server.brain.did == 1
    assert (turns["hall"].end, turns["kitchen"].end) == ("lost", "answered")
    assert {phrase for phrase, _ in heard} == {"a tile", "okay nabu"}


async def test_two_servers_with_one_redis_answer_once(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as redis, AsyncExitStack() as opened:
        servers = []
        for _ in range(2):
            client = Redis.from_url(redis.url, protocol=2)
            opened.push_async_callback(client.aclose)
            made = scripted_server(make_rounds=partial(RedisRounds, client))
            servers.append(await opened.enter_async_context(made))
        await anyio.sleep(0.2)  # both listen
        turns: dict[str, Turn] = {}
        async with tasks.task_group() as group:
            group.start_soon(_hear, servers[0], turns, "kitchen", -50.0)
            group.start_soon(_hear, servers[1], turns, "hall", -31.0)
            group.start_soon(_hear, servers[0], turns, "attic", -44.0)
        assert [server.brain.did for server in servers] == [0, 1]
    assert {device: turn.end for device, turn in turns.items()} == {
        "kitchen": "lost",
        "hall": "answered",
        "attic": "lost",
    }


class _Whistle:
    """Satisfies `ports.WakeWordStream`: whatever is loud is the word, once."""

    def __init__(self) -> None:
        self.closed = False
        self._heard = False

    def feed(self, pcm: Pcm) -> list[Heard]:
        if self._heard or not len(pcm.samples) or level_dbfs(pcm.samples) < -40.0:
            return []
        self._heard = True
        return [Heard("okay_nabu", 0.9, pcm.end)]

    def reset(self) -> None:
        self._heard = False

    def close(self) -> None:
        self.closed = True


async def test_the_server_hears_the_wake_word_of_a_device_that_has_none_of_its_own() -> None:
    whistle, peer = _Whistle(), DevicePeer()
    async with (
        scripted_server(spot=lambda _: WakeListener(whistle)) as server,
        connect(
            server.device_url, additional_headers={"Device-Id": "browser"}, compression=None
        ) as socket,
    ):
        await socket.send(peer.send_hello(frame_ms=20, superset=Superset(report=True)))
        heard: list[object] = []

        async def hear() -> None:
            async for message in socket:
                if isinstance(message, str):
                    heard.extend(peer.receive_text(message))
                else:
                    heard.extend(peer.receive_binary(message))
                if any(isinstance(each, TurnReport) for each in heard):
                    return

        async with tasks.task_group() as group:
            group.start_soon(hear)
            await anyio.sleep(0.1)
            for n, packet in enumerate(packets(silence(0.3, 16_000), tone(0.9), SAID)):
                await socket.send(peer.send_audio(packet, n * 20))
                await anyio.sleep(0.02)
        begun = [each for each in heard if isinstance(each, ListenBegun)]
        assert [each.phrase for each in begun] == ["okay_nabu"]
        assert [each.won for each in heard if isinstance(each, Arb)] == [True]
        assert server.brain.did == 1
    assert whistle.closed
