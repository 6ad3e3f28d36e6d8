"""Our engines as other Wyoming peers see them, and other peers as our engines."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from engine_house import running
from parlour import tasks
from parlour.app import registry
from parlour.app.choice import WYOMING_STT, WYOMING_TTS
from parlour.audio import HEARING_RATE_HZ, Pcm, frames, join
from parlour.catalogue import facts
from parlour.engines import pool as pooling
from parlour.engines.info import stt_info, tts_info
from parlour.engines.pool import WyomingPool
from parlour.engines.serve import serve_recogniser, serve_synthesiser
from parlour.engines.threaded import Threaded
from parlour.engines.wyoming import WyomingStt, WyomingTts
from parlour.errors import ProviderError
from parlour.ports import Final, Vocabulary
from parlour.providers.espeak import serve as serve_espeak
from parlour.providers.pocketsphinx import PocketsphinxRecogniser
from parlour.supervise import Health, Stages

pytestmark = pytest.mark.anyio

TEXT = "turn on the kitchen light"


@asynccontextmanager
async def _serving(folder: Path, kind: str) -> AsyncIterator[str]:
    """An engine as `parlour engine` serves it, in this process."""
    uri = f"unix://{folder / kind}.sock"
    async with tasks.task_group() as group:
        if kind == "stt":
            info = stt_info(list(facts.hearing()["pocketsphinx"].values()))
            group.start_soon(serve_recogniser, Threaded(PocketsphinxRecogniser()), uri, info)
        else:
            info = tts_info(list(facts.speaking()["espeak"].values()))
            group.start_soon(serve_synthesiser, serve_espeak(), uri, info)
        with anyio.fail_after(5):
            await _answer(folder / f"{kind}.sock")
        yield uri
        await anyio.sleep(0.05)  # a reader that is cancelled as its peer hangs up upsets anyio
        group.cancel_scope.cancel()


async def _answer(socket: Path) -> None:
    """Wait until somebody listens: the file is there a moment earlier."""
    while True:
        try:
            async with await anyio.connect_unix(socket):
                return
        except OSError:
            await anyio.sleep(0.01)


async def _read(client: AsyncClient, *kinds: str) -> Event:
    with anyio.fail_after(10):
        while (event := await client.read_event()) is not None:
            if event.type in kinds:
                return event
    raise AssertionError(f"no {kinds}")


# ---------------------------------------------------------------- in the order of Home Assistant


async def test_home_assistant_hears_with_our_recogniser(
    tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    async with _serving(tmp_path, "stt") as uri, AsyncClient.from_uri(uri) as client:
        await client.write_event(Describe().event())
        info = Info.from_event(await _read(client, "info"))
        (program,) = info.asr
        assert (program.name, program.models[0].languages) == ("pocketsphinx", ["en-US"])
        for _ in range(2):  # one connection, two utterances
            await client.write_event(Transcribe(language="en-US").event())
            await client.write_event(AudioStart(HEARING_RATE_HZ, 2, 1).event())
            for frame in frames(speak(TEXT), 1600):
                await client.write_event(AudioChunk(16_000, 2, 1, frame.tobytes()).event())
            await client.write_event(AudioStop().event())
            heard = Transcript.from_event(await _read(client, "transcript"))
            assert heard.text.startswith("turn on")  # nobody taught it this house


async def test_home_assistant_speaks_with_our_voice_whole_and_in_pieces(tmp_path: Path) -> None:
    async with _serving(tmp_path, "tts") as uri, AsyncClient.from_uri(uri) as client:
        await client.write_event(Describe().event())
        (program,) = Info.from_event(await _read(client, "info")).tts
        assert program.supports_synthesize_streaming
        assert {"hi", "ta", "de"} <= {voice.name for voice in program.voices}
        german = SynthesizeVoice(name="de", language="de-DE")
        await client.write_event(Synthesize("Guten Abend.", voice=german).event())
        start = AudioStart.from_event(await _read(client, "audio-start"))
        assert (start.rate, start.width, start.channels) == (22_050, 2, 1)
        await _read(client, "audio-stop")

        await client.write_event(SynthesizeStart(voice=german).event())
        for piece in ("Guten Abend. Das", " Licht ist", " an. Gute Nacht"):
            await client.write_event(SynthesizeChunk(piece).event())
        await client.write_event(Synthesize("Guten Abend. Das Licht ist an. Gute Nacht").event())
        await client.write_event(SynthesizeStop().event())
        kinds: list[str] = []
        with anyio.fail_after(10):
            while not kinds or not SynthesizeStopped.is_type(kinds[-1]):
                event = await client.read_event()
                assert event is not None
                kinds.append(event.type)
        assert kinds.count("audio-start") == kinds.count("audio-stop") == 3


async def test_other_rates_and_stereo_are_heard_too(
    tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    pcm = speak(TEXT)
    stereo = pcm.samples.repeat(2).repeat(2)  # twice the rate, two channels
    async with _serving(tmp_path, "stt") as uri, AsyncClient.from_uri(uri) as client:
        await client.write_event(AudioStart(32_000, 2, 2).event())
        await client.write_event(AudioChunk(32_000, 2, 2, stereo.tobytes()).event())
        await client.write_event(AudioStop().event())
        await _read(client, "transcript")
        await client.write_event(AudioStart(16_000, 4, 1).event())
        with anyio.fail_after(5):
            assert await client.read_event() is None  # it hangs up on what it cannot hear


# ---------------------------------------------------------------- several servers as one engine


@asynccontextmanager
async def _pool(uris: list[str]) -> AsyncIterator[WyomingPool]:
    pool = WyomingPool(Stages().add("pool"), uris)
    async with tasks.task_group() as group:
        group.start_soon(pool.run)
        yield pool
        group.cancel_scope.cancel()


async def _speak(tts: WyomingTts, text: str = "One.") -> Pcm:
    async with tts.open("en-us") as speech:
        speech.say(text)
        speech.finish()
        with anyio.fail_after(15):
            pieces = [piece.pcm async for piece in speech]
    return join(pieces, tts.traits.rate_hz)


async def test_the_least_busy_server_gets_the_next_request() -> None:
    target = registry.TTS["espeak"].target
    async with (
        running("tts", target) as one,
        running("tts", target) as other,
        _pool([one.uri, other.uri]) as pool,
    ):
        await pool.wait_up(5)
        await anyio.sleep(0.2)
        async with pool.lease(1) as first, pool.lease(1) as second, pool.lease(1) as third:
            assert {first, second} == {one.uri, other.uri}
            assert third == first
            assert [server.in_hand for server in pool.servers] == [2, 1]
        assert [server.in_hand for server in pool.servers] == [0, 0]
        tts = WyomingTts(pool, WYOMING_TTS)
        assert (await _speak(tts)).duration_s > 0.2


async def test_a_server_that_is_killed_in_mid_answer_is_left_and_the_other_speaks_on() -> None:
    target = registry.TTS["espeak"].target
    text = "The kitchen light is on. " * 12
    async with (
        running("tts", target) as one,
        running("tts", target) as other,
        _pool([one.uri, other.uri]) as pool,
    ):
        await pool.wait_up(5)
        await anyio.sleep(0.2)
        tts = WyomingTts(pool, WYOMING_TTS)
        whole = await _speak(tts, text)
        pieces: list[Pcm] = []
        async with tts.open("en-us") as speech:
            speech.say(text)
            speech.finish()
            with anyio.fail_after(15):
                async for piece in speech:
                    pieces.append(piece.pcm)
                    if len(pieces) == 3:
                        busy = next(s.uri for s in pool.servers if s.in_hand)
                        process = one if one.uri == busy else other
                        assert process.stage.pid is not None
                        os.kill(process.stage.pid, signal.SIGKILL)
        spoken = join(pieces, tts.traits.rate_hz)
        assert spoken.duration_s == pytest.approx(whole.duration_s, rel=0.02)


async def test_a_server_of_ours_is_taught_through_the_pool(
    tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    # A supervised child says nothing of itself; what `parlour engine` serves says that it learns.
    async with _serving(tmp_path, "stt") as uri, _pool([uri]) as pool:
        stt = WyomingStt(pool, WYOMING_STT)
        await stt.teach(Vocabulary((TEXT, "turn off the lamp", "open the window") * 4))
        async with stt.open("en_US") as hearing:
            for frame in frames(speak(TEXT), 320):
                hearing.feed(frame)
            hearing.finish()
            with anyio.fail_after(15):
                *_, final = [heard async for heard in hearing]
    assert isinstance(final, Final)
    assert final.text == TEXT


async def test_no_server_is_an_error_that_says_why_and_a_server_that_comes_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooling, "PROBE_EVERY_S", 0.1)
    uri = f"unix://{tmp_path / 'tts.sock'}"
    async with _pool([uri, "tcp://127.0.0.1:9"]) as pool:
        tts = WyomingTts(pool, WYOMING_TTS, 0.3)
        with pytest.raises(ProviderError, match=r"no server answers \(unix:.*tcp://127.0.0.1:9"):
            await _speak(tts)
        assert pool.stage.health is Health.RESTARTING
        async with _serving(tmp_path, "tts"):
            await pool.wait_up(5)
            assert (await _speak(tts)).duration_s > 0.2
            assert pool.stage.reason == "1 of 2 do not answer"
