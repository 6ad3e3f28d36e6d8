"""Several devices hear the same words over real WebSockets: one answers, once."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import anyio
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from parlour import tasks
from parlour.app.virtual_device import Dialect, VirtualDevice
from parlour.app.virtual_turn import Turn
from parlour.audio import HEARING_RATE_HZ, Pcm, silence
from parlour.ids import DeviceId
from parlour.wire.device_peer import (
    Arb,
    DevicePeer,
    Heard,
    ServerError,
    ServerHello,
    Sound,
    TtsStart,
    TurnReport,
)
from parlour.wire.messages import Mode, Superset, Wake
from parlour_bench.fleet.device import Sentence
from parlour_bench.fleet.plan import Ear, Word
from parlour_bench.fleet.run import run
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
    *,
    after_s: float = 0.0,
    dialect: Dialect = "parlour",
    gone_after_s: float | None = None,
) -> None:
    wake = None if dbfs is None else Wake(level_dbfs=dbfs, noise_dbfs=-70.0)
    async with VirtualDevice(server.device_url, device, dialect=dialect) as virtual:
        await anyio.sleep(after_s)
        with anyio.move_on_after(gone_after_s):
            turns[device] = await virtual.speak(SAID, deadline_s=3.0, wake=wake)


async def test_of_three_devices_the_loudest_answers_and_acts_once() -> None:
    turns: dict[str, Turn] = {}
    async with scripted_server() as server:
        async with tasks.task_group() as group:
            for device, dbfs in (("kitchen", -50.0), ("hall", -31.0), ("attic", -44.0)):
                group.start_soon(_hear, server, turns, device, dbfs)
        assert server.brain.did == 1
    assert {device: turn.end for device, turn in turns.items()} == {
        "kitchen": "lost",
        "hall": "answered",
        "attic": "lost",
    }
    assert turns["hall"].packets
    assert not turns["kitchen"].packets


async def test_a_nearer_device_that_is_late_takes_over() -> None:
    turns: dict[str, Turn] = {}
    async with scripted_server() as server:
        async with tasks.task_group() as group:
            group.start_soon(_hear, server, turns, "kitchen", -50.0)

            async def late() -> None:
                await _hear(server, turns, "hall", -31.0, after_s=0.3)

            group.start_soon(late)
        assert server.brain.did == 1
    assert (turns["kitchen"].end, turns["hall"].end) == ("lost", "answered")


async def test_when_the_winner_is_gone_the_next_best_answers() -> None:
    turns: dict[str, Turn] = {}
    async with scripted_server() as server:
        async with tasks.task_group() as group:

            async def leaves() -> None:
                await _hear(server, turns, "hall", -31.0, gone_after_s=0.05)

            group.start_soon(leaves)
            group.start_soon(_hear, server, turns, "kitchen", -50.0)
        assert server.brain.did == 1
    assert turns["kitchen"].end == "answered"


async def test_two_who_talk_in_two_rooms_without_a_wake_word_are_both_answered() -> None:
    turns: dict[str, Turn] = {}
    async with scripted_server() as server:
        async with tasks.task_group() as group:
            for device in ("hall", "attic"):
                group.start_soon(_hear, server, turns, device, None)
        assert server.brain.did == 2
    assert {turn.end for turn in turns.values()} == {"answered"}


async def test_who_lost_is_answered_the_next_time() -> None:
    turns: dict[str, Turn] = {}
    async with scripted_server() as server:
        for louder, quieter in (("hall", "attic"), ("attic", "hall")):
            async with tasks.task_group() as group:
                group.start_soon(_hear, server, turns, louder, -30.0)
                group.start_soon(_hear, server, turns, quieter, -45.0)
            assert (turns[louder].end, turns[quieter].end) == ("answered", "lost")
        assert server.brain.did == 2


async def test_who_lost_is_answered_when_its_button_is_pressed_next() -> None:
    turns: dict[str, Turn] = {}
    async with scripted_server() as server:
        async with VirtualDevice(server.device_url, "attic") as attic:
            async with tasks.task_group() as group:
                group.start_soon(_hear, server, turns, "hall", -31.0)
                lost = await attic.speak(SAID, deadline_s=3.0, wake=Wake(level_dbfs=-50.0))
            pressed = await attic.speak(SAID, deadline_s=3.0)
        assert server.brain.did == 2
    assert (lost.end, turns["hall"].end, pressed.end) == ("lost", "answered", "answered")


async def test_a_button_wins_against_whoever_heard_a_word() -> None:
    turns: dict[str, Turn] = {}
    async with scripted_server() as server:
        async with tasks.task_group() as group:
            group.start_soon(_hear, server, turns, "hall", -20.0)

            async def press() -> None:
                await _hear(server, turns, "attic", None, after_s=0.05)

            group.start_soon(press)
        assert server.brain.did == 1
    assert (turns["hall"].end, turns["attic"].end) == ("lost", "answered")


# ---------------------------------------------------------------- by single messages


class Board:
    """A device of which the test decides every message."""

    def __init__(self, socket: ClientConnection, peer: DevicePeer) -> None:
        self.peer = peer
        self.heard: list[Heard] = []
        self.is_closed = False
        self._socket = socket
        self._news = anyio.Event()

    async def send(self, *messages: str | bytes) -> None:
        with suppress(ConnectionClosed):  # `is_closed` tells
            for message in messages:
                await self._socket.send(message)

    async def say(self, sound: Sequence[bytes], frame_s: float = 0.02) -> None:
        """Packets as a microphone makes them; ends early when the answer or the goodbye comes."""
        began_s = anyio.current_time()
        for n, packet in enumerate(sound, start=1):
            await anyio.sleep_until(began_s + n * frame_s)
            if self.is_closed or self.sees(TtsStart) or self.sees(TurnReport):
                return
            await self.send(self.peer.send_audio(packet))

    def sees(self, kind: type[Heard]) -> bool:
        return any(isinstance(one, kind) for one in self.heard)

    async def wait(self, kind: type[Heard], times: int = 1) -> None:
        with anyio.fail_after(5):
            while sum(isinstance(one, kind) for one in self.heard) < times:
                await self._news.wait()

    async def leave(self) -> None:
        await self._socket.close()

    async def wait_closed(self) -> None:
        with anyio.fail_after(5):
            while not self.is_closed:
                await self._news.wait()

    @property
    def verdicts(self) -> list[bool]:
        return [one.won for one in self.heard if isinstance(one, Arb)]

    @property
    def ends(self) -> list[str]:
        return [one.end for one in self.heard if isinstance(one, TurnReport)]

    @property
    def errors(self) -> list[str]:
        return [one.message for one in self.heard if isinstance(one, ServerError)]

    async def listen(self) -> None:
        try:
            while True:
                self.take(await self._socket.recv())
        except ConnectionClosed:
            self.is_closed = True
            self._tell()

    def take(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.heard += self.peer.receive_text(message)
        else:
            self.heard += self.peer.receive_binary(message)
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()


@asynccontextmanager
async def board(server: Server, name: str, *, is_stock: bool = False) -> AsyncIterator[Board]:
    peer = DevicePeer()
    superset = None if is_stock else Superset(report=True, persistent=True)
    async with connect(
        server.device_url, additional_headers={"Device-Id": name}, proxy=None, close_timeout=1
    ) as socket:
        await socket.send(peer.send_hello(frame_ms=20, superset=superset))
        made = Board(socket, peer)
        while not made.sees(ServerHello):
            made.take(await socket.recv())
        async with tasks.task_group() as group:
            group.start_soon(made.listen)
            yield made
            group.cancel_scope.cancel()


SPOKEN = packets(silence(0.1, 16_000), tone(0.9), silence(1.5, 16_000))
WORD = packets(silence(0.2, 16_000), tone(0.6))  # the wake word before its claim
LISTEN: Mode = "auto"


@pytest.mark.parametrize("again_after_s", [0.0, 0.3], ids=["before it won", "after it won"])
async def test_a_device_that_claims_twice_answers_once_and_no_later(again_after_s: float) -> None:
    async with (
        scripted_server() as server,
        board(server, "hall") as hall,
        board(server, "attic") as attic,
    ):
        louder = hall.peer.send_wake(Wake(level_dbfs=-30.0))
        await hall.send(louder, hall.peer.send_listen_start(LISTEN))
        quieter = attic.peer.send_wake(Wake(level_dbfs=-45.0))
        await attic.send(quieter, quieter, attic.peer.send_listen_start(LISTEN))

        async def again() -> None:
            await anyio.sleep(again_after_s)
            await hall.send(louder)

        async with tasks.task_group() as group:
            group.start_soon(again)
            group.start_soon(hall.say, SPOKEN)
            group.start_soon(attic.say, SPOKEN)
        await hall.wait(TurnReport)
        await attic.wait(TurnReport)
        assert server.brain.did == 1
        assert (hall.ends, attic.ends) == (["answered"], ["lost"])
        assert hall.verdicts == [True]
        assert set(attic.verdicts) == {False}
        assert not attic.sees(Sound)


@pytest.mark.parametrize(
    "broken",
    [
        '{"type":"wake","level_dbfs":60}',
        '{"type":"wake","level_dbfs":NaN}',
        '{"type":"wake","level_dbfs":-1e999}',
        '{"type":"wake","level_dbfs":-30,"score":"NaN"}',
        '{"type":"wake","level_dbfs":-30,"age_ms":-5000}',
    ],
)
async def test_a_claim_that_cannot_be_true_is_told_once_and_the_next_one_counts(
    broken: str,
) -> None:
    async with (
        scripted_server() as server,
        board(server, "hall") as hall,
        board(server, "attic") as attic,
    ):
        await hall.send(broken)
        await hall.wait(ServerError)
        assert len(hall.errors) == 1
        assert not hall.verdicts
        await attic.send(attic.peer.send_wake(Wake(level_dbfs=-40.0)))
        await hall.send(hall.peer.send_wake(Wake(level_dbfs=-30.0)))
        await hall.send(hall.peer.send_listen_start(LISTEN))
        await hall.say(SPOKEN)
        await hall.wait(TurnReport)
        assert (hall.ends, hall.verdicts, attic.verdicts) == (["answered"], [True], [False])
        assert len(hall.errors) == 1


@pytest.mark.parametrize("is_stock_first", [True, False], ids=["stock first", "ours first"])
@pytest.mark.parametrize("our_dbfs", [-10.0, -55.0], ids=["ours nearer", "stock nearer"])
async def test_a_stock_board_is_compared_by_what_it_hears(
    our_dbfs: float, is_stock_first: bool
) -> None:
    async with (
        scripted_server() as server,
        board(server, "ours") as ours,
        board(server, "stock", is_stock=True) as stock,
    ):

        async def wake_stock() -> None:
            await anyio.sleep(0 if is_stock_first else 0.05)
            await stock.send(*(stock.peer.send_audio(packet) for packet in WORD))
            await stock.send(stock.peer.send_detect("okay nabu"))
            await stock.send(stock.peer.send_listen_start(LISTEN))
            await stock.say(SPOKEN)

        async def wake_ours() -> None:
            await anyio.sleep(0.05 if is_stock_first else 0)
            await ours.send(ours.peer.send_wake(Wake(level_dbfs=our_dbfs, noise_dbfs=-70.0)))
            await ours.send(ours.peer.send_listen_start(LISTEN))
            await ours.say(SPOKEN)

        async with tasks.task_group() as group:
            group.start_soon(wake_stock)
            group.start_soon(wake_ours)
        await ours.wait(TurnReport)
        if our_dbfs > -20:
            await stock.wait_closed()
            assert (ours.ends, ours.verdicts[-1]) == (["answered"], True)
            assert not stock.sees(Sound)
        else:
            await stock.wait(Sound)
            assert (ours.ends, ours.verdicts[-1]) == (["lost"], False)
            assert not ours.sees(Sound)
        assert server.brain.did == 1


async def test_a_device_that_claims_all_the_time_is_refused_and_nobody_waits_for_it() -> None:
    async with (
        scripted_server() as server,
        board(server, "broken") as broken,
        board(server, "hall") as hall,
    ):
        for n in range(12):  # in groups, since the same word again within a second is one claim
            await broken.send(broken.peer.send_wake(Wake(level_dbfs=-5.0, group=f"g{n}")))
        await broken.send(broken.peer.send_wake(Wake(level_dbfs=-5.0)))
        await hall.send(hall.peer.send_wake(Wake(level_dbfs=-50.0)))
        await hall.send(hall.peer.send_listen_start(LISTEN))
        await hall.say(SPOKEN)
        await hall.wait(TurnReport)
        assert (hall.ends, hall.verdicts) == (["answered"], [True])
        assert not broken.verdicts[-1]
        assert server.devices._gate.referee.rounds.limited == {"broken"}


async def test_of_a_hundred_claims_at_once_one_is_answered() -> None:
    names = [DeviceId(f"fleet-{n}") for n in range(100)]
    levels = [*np.linspace(-60.0, -30.0, 99).tolist(), -20.0]
    word = Word("home", tuple(Ear(*ear, 0.0) for ear in zip(names, levels, strict=True)))
    sound = Pcm(SAID.samples[: -round(0.6 * HEARING_RATE_HZ)], HEARING_RATE_HZ)
    async with scripted_server(most_sessions=200, always=200) as server:
        sentence = Sentence(sound, len(sound.samples))
        heard = await run(server.device_url, [[word]], sentence, alone=False)
        assert server.brain.did == 1
    (seen,) = heard.words
    assert [one.device for one in seen if one.sounds] == ["fleet-99"]
    assert sum(one.is_lost for one in seen) == 99


async def test_who_loses_with_the_answer_prepared_does_nothing_and_says_nothing() -> None:
    async with (
        scripted_server() as server,
        board(server, "hall") as hall,
        board(server, "attic") as attic,
    ):
        await attic.send(attic.peer.send_listen_start(LISTEN))
        spoken = len(packets(silence(0.1, 16_000), tone(0.9)))
        await attic.say(SPOKEN[:spoken])
        await attic.send(attic.peer.send_wake(Wake(level_dbfs=-45.0)))
        await hall.send(hall.peer.send_wake(Wake(level_dbfs=-30.0)))
        await attic.say(SPOKEN[spoken:])
        await attic.wait(TurnReport)
        assert server.brain.begun >= 1
        assert server.brain.did == 0
        assert (attic.ends, attic.verdicts) == (["lost"], [False])
        assert not attic.sees(Sound)


async def test_who_lost_is_called_back_when_the_winner_has_gone_before_it_was_heard() -> None:
    async with scripted_server() as server, board(server, "attic") as attic:
        async with board(server, "hall") as hall:
            await hall.send(hall.peer.send_wake(Wake(level_dbfs=-30.0)))
            await hall.send(hall.peer.send_listen_start(LISTEN))
            await attic.send(attic.peer.send_wake(Wake(level_dbfs=-45.0)))
            await attic.send(attic.peer.send_listen_start(LISTEN))
            await attic.wait(Arb)
            await hall.leave()
        await attic.wait(Arb, times=2)
        assert attic.verdicts == [False, True]
        assert attic.ends == ["lost"]
        attic.heard.clear()
        await attic.send(attic.peer.send_listen_start(LISTEN))
        await attic.say(SPOKEN)
        await attic.wait(TurnReport)
        assert attic.ends == ["answered"]
        assert server.brain.did == 1
