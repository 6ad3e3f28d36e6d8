"""The device in software over real sockets: against a whole server, and against odd ones."""

import io
import json
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from parlour import tasks
from parlour.app.talk import talk
from parlour.app.virtual_device import LinkError, VirtualDevice
from parlour.app.virtual_turn import Turn
from parlour.audio import Pcm, join, read_wav, silence, write_wav
from parlour.errors import InputError
from parlour.ids import SessionId, TurnId
from parlour.wire.device import (
    Abort,
    DeviceProtocol,
    Hello,
    ListenStart,
    ListenStop,
    Packet,
    Playout,
)
from parlour.wire.device_peer import Heard, PartialText
from scripted_engines import tone
from servers import COMMAND, scripted_server

pytestmark = pytest.mark.anyio

LEAD_S, SPOKEN_S = 0.1, 0.9
SPOKEN = join([silence(LEAD_S, 16_000), tone(SPOKEN_S), silence(0.3, 16_000)], 16_000)
TURN = TurnId("t1")

Serve = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def _odd_server(
    serve_one: Serve, refuse: Callable[[ServerConnection, Request], Response] | None = None
) -> AsyncIterator[str]:
    async with serve(serve_one, "127.0.0.1", 0, compression=None, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/device"


async def _greet(link: ServerConnection) -> DeviceProtocol:
    protocol = DeviceProtocol()
    message = await link.recv()
    assert isinstance(message, str)
    (hello,) = protocol.receive_text(message)
    assert isinstance(hello, Hello)
    await link.send(protocol.send_hello(SessionId("s1"), 24_000, 20))
    return protocol


# ---------------------------------------------------------------- against a whole server


async def test_a_spoken_command_comes_back_as_words_actions_stages_and_sound() -> None:
    watched: list[Heard] = []
    async with scripted_server() as server, VirtualDevice(server.device_url, "hall") as device:
        turn = await device.speak(SPOKEN, watch=watched.append)
    assert turn.end == "answered"
    assert turn.transcript == COMMAND
    assert turn.partials
    assert [h.text for h in watched if isinstance(h, PartialText)] == [t for _, t in turn.partials]
    assert len(turn.actions) == 1
    assert turn.reply_text
    assert turn.reply.rate_hz == 24_000
    assert np.abs(turn.reply.samples).max() > 1000
    assert turn.stages_ms["speech_end"] == 0
    assert turn.faults == []
    _check_times(turn)


def _check_times(turn: Turn) -> None:
    """Bounds that hold on any machine: the order of things, and what the endpoint waits at least."""
    assert turn.final_s is not None
    assert turn.reply_began_s is not None
    assert turn.first_audible_s is not None
    assert turn.first_audio_ms is not None
    assert turn.end_of_turn_ms is not None
    first_s = turn.first_audio_ms / 1000
    assert 0.1 < turn.final_s <= turn.reply_began_s <= first_s <= turn.first_audible_s < 5
    assert 100 < turn.end_of_turn_ms < turn.first_audio_ms
    arrivals = [at_s for at_s, _ in turn.packets]
    assert arrivals == sorted(arrivals)


async def test_turns_follow_each_other_on_one_connection() -> None:
    async with scripted_server() as server, VirtualDevice(server.device_url, "hall") as device:
        turns = [await device.speak(SPOKEN) for _ in range(2)]
        nothing = await device.speak(silence(0.1, 16_000), deadline_s=0.2)
        after = await device.speak(SPOKEN)
    assert [turn.end for turn in turns] == ["answered", "answered"]
    assert nothing.end == "no_reply"
    assert after.transcript == COMMAND


async def test_many_devices_speak_at_once_in_one_process() -> None:
    turns: list[Turn] = []

    async def hold(url: str, name: str) -> None:
        async with VirtualDevice(url, name) as device:
            turns.append(await device.speak(SPOKEN))

    async with scripted_server() as server, tasks.task_group() as group:
        for n in range(5):
            group.start_soon(hold, server.device_url, f"room-{n}")
    assert [turn.transcript for turn in turns] == [COMMAND] * 5


async def test_a_stock_device_gets_its_answer_too() -> None:
    async with (
        scripted_server() as server,
        VirtualDevice(server.device_url, "hall", dialect="xiaozhi") as device,
    ):
        turn = await device.speak(SPOKEN)
    assert turn.end == "answered"
    assert turn.transcript == COMMAND
    assert turn.reply.duration_s > 0.05
    assert turn.partials == []
    assert turn.stages_ms == {}


async def test_letting_go_of_the_button_ends_the_turn_without_silence() -> None:
    at_once = join([silence(LEAD_S, 16_000), tone(SPOKEN_S)], 16_000)
    async with (
        scripted_server() as server,
        VirtualDevice(server.device_url, "hall", mode="manual") as device,
    ):
        turn = await device.speak(at_once)
    assert turn.end == "answered"
    assert turn.end_of_turn_ms is not None
    assert -50 < turn.end_of_turn_ms < 150


async def test_a_reply_can_be_cut_off() -> None:
    async with scripted_server() as server, VirtualDevice(server.device_url, "hall") as device:
        whole = await device.speak(SPOKEN)
        cut = await device.speak(SPOKEN, hear_s=0.1)
    assert cut.end == "cancelled"
    assert len(cut.actions) == 1
    assert cut.reply.duration_s < whole.reply.duration_s


# ---------------------------------------------------------------- against odd servers


async def test_frames_go_out_in_real_time_and_the_speaker_reports() -> None:
    arrivals: list[float] = []
    reports: list[Playout] = []

    async def serve_one(link: ServerConnection) -> None:
        protocol = await _greet(link)
        async for message in link:
            got = protocol.receive_text if isinstance(message, str) else protocol.receive_binary
            for received in got(message):  # type: ignore[arg-type]
                match received:
                    case Packet():
                        arrivals.append(anyio.current_time())
                        if len(arrivals) == 50:
                            await link.send(protocol.send_tts_start(TURN))
                            await link.send(protocol.send_audio(b"\xff\xfe"))  # no Opus at all
                            await link.send(protocol.send_audio(b"\x08"))  # DTX: 20 ms of nothing
                            await link.send(protocol.send_tts_stop(TURN))
                    case Playout():
                        reports.append(received)
                    case _:
                        pass

    async with _odd_server(serve_one) as url, VirtualDevice(url, "hall") as device:
        turn = await device.speak(silence(1.0, 16_000), deadline_s=0.5)
    took_s = arrivals[49] - arrivals[0]
    assert 0.9 < took_s < 1.4
    assert {report.turn for report in reports} == {TURN}
    assert len(turn.packets) == 2
    assert turn.faults == ["this is not an Opus packet, or it is damaged"]
    assert turn.reply.duration_s == pytest.approx(0.02)


async def test_what_comes_late_of_the_turn_before_is_not_of_this_turn() -> None:
    async def serve_one(link: ServerConnection) -> None:
        protocol = await _greet(link)
        starts = 0
        async for message in link:
            if not isinstance(message, str):
                continue
            for received in protocol.receive_text(message):
                if isinstance(received, ListenStart):
                    starts += 1
                    turn = TurnId(f"t{starts}")
                    if starts == 2:
                        await link.send(protocol.send_stt(TurnId("t1"), "too late"))
                    await link.send(protocol.send_stt(turn, f"text {starts}"))

    async with _odd_server(serve_one) as url, VirtualDevice(url, "hall") as device:
        texts = [
            (await device.speak(silence(0.1, 16_000), deadline_s=0.3)).transcript for _ in range(2)
        ]
    assert texts == ["text 1", "text 2"]


async def test_a_button_sends_a_stop_and_no_sound_after_it_and_gives_up() -> None:
    seen: list[type] = []

    async def serve_one(link: ServerConnection) -> None:
        protocol = await _greet(link)
        async for message in link:
            got = protocol.receive_text if isinstance(message, str) else protocol.receive_binary
            seen.extend(type(received) for received in got(message))  # type: ignore[arg-type]

    async with _odd_server(serve_one) as url, VirtualDevice(url, "hall", mode="manual") as device:
        await device.speak(silence(0.1, 16_000), deadline_s=0.2)
    assert seen == [ListenStart, *[Packet] * 5, ListenStop, Abort]


async def test_no_server_is_one_sentence() -> None:
    with pytest.raises(LinkError, match=r"^no server at ws://127\.0\.0\.1:\d+/device"):
        async with VirtualDevice(f"ws://127.0.0.1:{_free_port()}/device", "hall"):
            pass


async def test_a_server_that_hangs_up_is_named_with_its_reason() -> None:
    async def serve_one(link: ServerConnection) -> None:
        await _greet(link)
        await link.close(1008, "not today")

    async with _odd_server(serve_one) as url, VirtualDevice(url, "hall") as device:
        with pytest.raises(LinkError, match="closed the connection: not today"):
            await device.speak(SPOKEN)


async def test_a_server_that_refuses_is_named_with_its_status() -> None:
    def refuse(_link: ServerConnection, _request: Request) -> Response:
        return Response(403, "Forbidden", Headers(), b"")

    async def never(_link: ServerConnection) -> None:
        pytest.fail("it was let in")

    async with _odd_server(never, refuse) as url:
        with pytest.raises(LinkError, match="answered 403"):
            async with VirtualDevice(url, "hall"):
                pass


def test_a_url_of_another_kind_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(InputError, match="http://127.0.0.1:8000 is no device link"):
        VirtualDevice("http://127.0.0.1:8000", "hall")


# ---------------------------------------------------------------- parlour talk


async def _talk(
    file: Path, url: str, *, save: Path | None = None, as_json: bool = True, deadline_s: float = 5
) -> int:
    def run() -> int:
        return talk(
            str(file),
            url=url,
            device="talk",
            mode="auto",
            save=save,
            as_json=as_json,
            deadline_s=deadline_s,
        )

    return await anyio.to_thread.run_sync(run)


async def test_talk_prints_one_json_object_and_saves_the_reply(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, saved = tmp_path / "k.wav", tmp_path / "reply.wav"
    write_wav(file, SPOKEN)
    async with scripted_server() as server:
        assert await _talk(file, server.device_url, save=saved) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["transcript"] == COMMAND
    assert told["actions"][0].keys() == {"target", "verb", "value", "confirmed"}
    assert told["first_audio_ms"] > 0
    assert told["stages_ms"]["sent_first"] > 0
    assert read_wav(saved, None).duration_s == pytest.approx(told["reply_audio_s"], abs=0.01)
    assert err == ""


async def test_talk_takes_a_wav_of_another_rate_and_channel_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wide.wav"
    doubled = Pcm(np.repeat(SPOKEN.samples, 6), 48_000)  # 16 kHz in stereo at 48 kHz: 3 x 2 samples
    _write_stereo(file, doubled)
    async with scripted_server() as server:
        assert await _talk(file, server.device_url) == 0
    assert json.loads(capsys.readouterr().out)["transcript"] == COMMAND


async def test_talk_reads_standard_input_through_a_pipe() -> None:
    wav = io.BytesIO()
    write_wav(wav, SPOKEN)
    async with scripted_server() as server:
        command = ["-m", "parlour", "talk", "-", "--json", "--url", server.device_url]
        done = await anyio.run_process([sys.executable, *command], input=wav.getvalue())
    assert json.loads(done.stdout)["transcript"] == COMMAND


async def test_talk_shows_words_and_stages_to_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "k.wav"
    write_wav(file, SPOKEN)
    async with scripted_server() as server:
        assert await _talk(file, server.device_url, as_json=False) == 0
    out = capsys.readouterr().out
    assert COMMAND in out
    assert "the turn is taken" in out
    assert "first sound at the device" in out


async def test_talk_says_in_one_line_that_no_reply_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def deaf(link: ServerConnection) -> None:
        await _greet(link)
        async for _ in link:
            pass

    file = tmp_path / "k.wav"
    write_wav(file, SPOKEN)
    async with _odd_server(deaf) as url:
        assert await _talk(file, url, deadline_s=0.2) == 1
    assert capsys.readouterr().err.startswith("parlour: no reply came within 0.2 s")


async def test_talk_says_in_one_line_that_nobody_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "k.wav"
    write_wav(file, SPOKEN)
    assert await _talk(file, f"ws://127.0.0.1:{_free_port()}/device") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "is `parlour serve` running there?" in err


def _write_stereo(target: Path, interleaved: Pcm) -> None:
    data = interleaved.samples.astype("<i2").tobytes()
    size, rate = len(data), interleaved.rate_hz
    header = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += b"\x01\x00\x02\x00" + rate.to_bytes(4, "little") + (rate * 4).to_bytes(4, "little")
    header += b"\x04\x00\x10\x00data" + size.to_bytes(4, "little")
    target.write_bytes(header + data)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
