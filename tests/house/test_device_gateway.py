"""The device link over a real WebSocket: good devices, bad ones, and both at once."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from parlour.audio import silence
from parlour.gateways import device as gateway
from parlour.ids import DeviceId
from parlour.wire.device_peer import (
    DevicePeer,
    FinalText,
    Heard,
    ServerHello,
    Sound,
    TtsStop,
    TurnReport,
)
from parlour.wire.messages import Superset
from scripted_engines import packets, tone
from servers import COMMAND, Server, scripted_server

pytestmark = pytest.mark.anyio

SPOKEN = packets(silence(0.1, 16_000), tone(0.9), silence(1.0, 16_000))


@asynccontextmanager
async def _socket(server: Server, device: str = "hall") -> AsyncIterator[ClientConnection]:
    headers = {"Device-Id": device}
    async with connect(
        server.device_url, additional_headers=headers, compression=None, close_timeout=1
    ) as socket:
        yield socket


@asynccontextmanager
async def _device(
    server: Server, device: str = "hall"
) -> AsyncIterator[tuple[ClientConnection, DevicePeer]]:
    """A device that has said hello."""
    peer = DevicePeer()
    async with _socket(server, device) as socket:
        await socket.send(
            peer.send_hello(frame_ms=20, superset=Superset(partials=True, report=True))
        )
        (hello,) = await _receive(socket, peer)
        assert isinstance(hello, ServerHello)
        yield socket, peer


async def _receive(socket: ClientConnection, peer: DevicePeer) -> list[Heard]:
    with anyio.fail_after(5):
        message = await socket.recv()
    return peer.receive_text(message) if isinstance(message, str) else peer.receive_binary(message)


async def _until(true: Callable[[], bool]) -> None:
    """Wait for what the server notices in its own time."""
    with anyio.fail_after(5):
        while not true():  # noqa: ASYNC110 - nothing tells a test
            await anyio.sleep(0.01)


async def _answer(socket: ClientConnection, peer: DevicePeer) -> list[Heard]:
    """Say the command at once and take everything up to the end of the answer."""
    await socket.send(peer.send_listen_start("auto"))
    for packet in SPOKEN:
        await socket.send(peer.send_audio(packet))
    heard: list[Heard] = []
    while not heard or not isinstance(heard[-1], TtsStop):
        heard += await _receive(socket, peer)
    return heard


async def _closed(socket: ClientConnection, within_s: float = 5) -> tuple[int, str]:
    """Wait until the server closes, and return its code and reason."""
    with anyio.fail_after(within_s):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code, closed.rcvd.reason


async def test_a_spoken_command_goes_in_as_opus_and_its_answer_comes_out_as_opus() -> None:
    async with scripted_server() as server, _device(server) as (socket, peer):
        heard = await _answer(socket, peer)
        assert [h.text for h in heard if isinstance(h, FinalText)] == [COMMAND]
        assert len([h for h in heard if isinstance(h, Sound)]) >= 30
        assert server.brain.did == 1


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_stock_firmware_of_every_framing_is_answered_with_60_ms_frames(version: int) -> None:
    async with scripted_server() as server, _socket(server) as socket:
        peer = DevicePeer()
        await socket.send(peer.send_hello(framing=version))  # type: ignore[arg-type]
        (hello,) = await _receive(socket, peer)
        assert isinstance(hello, ServerHello)
        assert (hello.rate_hz, hello.frame_ms) == (24_000, 60)
        assert any(isinstance(h, Sound) for h in await _answer(socket, peer))


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ("{not json", 1002, "hello"),
        ('{"type":"listen","state":"start"}', 1002, "hello"),
        (b"\x00" * 40, 1002, "hello"),
        ("x" * 70_000, 1009, "64 KiB"),
        (b"x" * 5_000, 1009, "4 KiB"),
    ],
)
async def test_what_is_no_hello_closes_the_socket_with_a_reason(
    message: str | bytes, code: int, reason: str
) -> None:
    async with scripted_server() as server, _socket(server) as socket:
        await socket.send(message)
        closed = await _closed(socket)
        assert closed[0] == code
        assert reason in closed[1]


async def test_a_hello_that_never_comes_is_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway, "HELLO_S", 0.5)
    async with scripted_server() as server, _socket(server) as socket:
        code, reason = await _closed(socket)
        assert (code, "hello" in reason) == (1008, True)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"type":"hello","version":1,"transport":"websocket"}', 1002),
        ('{"type":"listen","text":"' + "x" * 70_000 + '"}', 1009),
        (b"\x48" * 5_000, 1009),
        (b"\x48" * 500_000, 1009),
    ],
)
async def test_a_grave_fault_closes_one_socket_and_no_other(
    message: str | bytes, code: int
) -> None:
    async with scripted_server() as server, _device(server, "good") as (socket, peer):
        async with _device(server, "bad") as (bad, _):
            await bad.send(message)
            assert (await _closed(bad))[0] == code
        assert any(isinstance(h, Sound) for h in await _answer(socket, peer))


async def test_small_faults_get_one_clear_message_each_and_the_session_lives_on() -> None:
    faults: list[str | bytes] = [
        "{not json",
        '{"type":"listen","state":"dance"}',
        '{"type":"listen","state":"start","mode":7}',
        b"\xff" * 100,  # no Opus packet
        b"",
    ]
    async with scripted_server() as server, _device(server) as (socket, peer):
        for fault in faults:
            await socket.send(fault)
            message: dict[str, Any] = json.loads(await socket.recv())
            assert message["type"] == "error"
            assert len(message["message"]) > 10
        await socket.send('{"type":"dream"}')  # unknown: ignored, nothing comes back
        assert any(isinstance(h, Sound) for h in await _answer(socket, peer))


async def test_a_device_that_sends_nothing_but_garbage_is_cut_off() -> None:
    async with scripted_server() as server, _device(server) as (socket, _):
        for _ in range(20):
            await socket.send(b"\xff" * 100)
        assert await _closed(socket) == (1008, "20 packets in a row are not Opus")


async def test_an_abort_silences_the_present_answer_and_not_the_one_after() -> None:
    async with scripted_server() as server, _device(server) as (socket, peer):
        first = await _answer(socket, peer)
        old = next(h.turn for h in first if isinstance(h, TtsStop))
        await socket.send(peer.send_listen_start("auto"))
        for packet in SPOKEN:
            await socket.send(peer.send_audio(packet))
        await socket.send(peer.send_abort(turn=old))
        heard: list[Heard] = []
        while not any(isinstance(h, Sound) for h in heard):
            heard += await _receive(socket, peer)
        await socket.send(peer.send_abort())
        while not isinstance(heard[-1], TurnReport):
            heard += await _receive(socket, peer)
        assert heard[-1].end == "cancelled"
        assert len([h for h in heard if isinstance(h, Sound)]) < 60


async def test_a_device_that_connects_anew_takes_the_place_of_its_old_connection() -> None:
    async with scripted_server() as server, _device(server) as (old, _):
        async with _device(server) as (new, peer):
            assert (await _closed(old))[0] == gateway.REPLACED
            assert server.devices.sessions == 1
            assert any(isinstance(h, Sound) for h in await _answer(new, peer))
        await _until(lambda: server.devices.sessions == 0)


async def test_one_device_more_than_there_are_places_is_told_to_come_back_later() -> None:
    async with (
        scripted_server(most_sessions=1) as server,
        _device(server, "first"),
        _socket(server, "second") as socket,
    ):
        code, reason = await _closed(socket)
        assert code == gateway.TRY_LATER
        assert "try again in" in reason


async def test_a_stock_board_to_which_nobody_speaks_is_said_goodbye_by_closing() -> None:
    async with scripted_server() as server, _socket(server) as socket:
        peer = DevicePeer()
        await socket.send(peer.send_hello())
        await _receive(socket, peer)
        await socket.send(peer.send_listen_start("auto"))
        for packet in packets(silence(9.0, 16_000), frame_ms=60):
            await socket.send(peer.send_audio(packet))
        assert await _closed(socket) == (1000, "nobody spoke")


async def test_a_device_that_does_not_read_is_cut_off_and_no_other() -> None:
    async with (
        scripted_server() as server,
        _device(server, "good") as (socket, peer),
        _device(server, "deaf") as (deaf, _),
    ):
        deaf.transport.pause_reading()
        link = server.devices._links[DeviceId("deaf")]
        for _ in range(10_000):  # far more than the sockets of this machine hold between them
            link._send("x" * 4000)
            if link.scope.cancel_called:
                break
            await anyio.lowlevel.checkpoint()
        assert link.closing == (1008, "the device does not read what it is sent")
        assert any(isinstance(h, Sound) for h in await _answer(socket, peer))
        await _until(lambda: server.devices.sessions == 1)
        deaf.transport.resume_reading()


async def test_a_server_that_stops_says_so_to_its_devices() -> None:
    async with scripted_server() as server, _device(server) as (socket, _):
        server.devices.close_all()
        assert await _closed(socket) == (1001, "the server is shutting down")


@pytest.mark.parametrize("path", ["/xiaozhi/ota", "/xiaozhi/ota/"])
@pytest.mark.parametrize("body", [b"", b"garbage", b'{"application":{"version":"2.0.1"}}'])
async def test_a_board_is_told_where_to_connect_whatever_it_says(path: str, body: bytes) -> None:
    async with scripted_server() as server, httpx.AsyncClient() as http:
        method = "POST" if body else "GET"
        reply = await http.request(method, server.http_url + path, content=body)
        assert reply.status_code == 200
        assert reply.json()["websocket"]["url"] == server.device_url
        assert "mqtt" not in reply.json()


async def test_health_names_every_stage_and_says_503_while_one_is_not_ready() -> None:
    async with scripted_server() as server, httpx.AsyncClient() as http:
        health = await http.get(server.http_url + "/health")
        assert (health.status_code, health.json()["ready"]) == (200, True)
        server.stages.add("home")
        health = await http.get(server.http_url + "/health")
        assert health.status_code == 503
        assert {n: s["state"] for n, s in health.json()["stages"].items()} == {
            "stt:scripted": "ready",
            "home": "starting",
        }


@pytest.mark.parametrize("question", [{}, {"text": ""}, {"text": 7}, {"text": "a", "wat": 1}])
async def test_a_broken_question_is_refused_with_its_field(question: dict[str, object]) -> None:
    async with scripted_server() as server, httpx.AsyncClient() as http:
        reply = await http.post(server.http_url + "/api/ask", json=question)
        assert reply.status_code == 422
