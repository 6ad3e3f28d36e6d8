"""Engines of one's own machine on models of a few kilobytes, each in its own process."""

import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import numpy as np
import pytest

import tiny_models
from engine_house import running
from parlour import tasks
from parlour.app import registry
from parlour.audio import HEARING_RATE_HZ, Pcm, frames, join, silence
from parlour.catalogue import facts
from parlour.engines.process import EngineProcess
from parlour.engines.wyoming import WyomingStt, WyomingTts
from parlour.errors import MissingError, ProviderError
from parlour.ports import Final, Partial, Stt, Tts, Vocabulary
from parlour.providers import kokoro, moonshine, piper, sherpa, whisper
from parlour.providers.coqui import engine as coqui
from parlour.supervise import Health, Stages

pytestmark = pytest.mark.anyio

SAID = "turn on the kitchen light"
TEXT = "The kitchen light is on."


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    tiny_models.whisper(root / "whisper" / "base", "nano", SAID)
    tiny_models.sherpa_ctc(root / "sherpa" / "indicconformer-hi")
    tiny_models.piper_voice(root / "piper", "en_US-joe-medium")
    tiny_models.piper_voice(
        root / "piper", "te_IN-padmavathi-medium", rate_hz=16_000, speakers=2, espeak="te"
    )
    tiny_models.kokoro(root / "kokoro" / "v1.0")
    return root


def _sound(words: int) -> Pcm:
    return Pcm(np.concatenate([silence(0.1, 16_000).samples, *tiny_models.bursts(words)]), 16_000)


async def _hear(stt: Stt, pcm: Pcm, language: str | None = None) -> list[Partial | Final]:
    async with stt.open(language) as hearing:
        for frame in frames(pcm, HEARING_RATE_HZ // 50):
            hearing.feed(frame)
        hearing.finish()
        with anyio.fail_after(20):
            return [heard async for heard in hearing]


async def _speak(tts: Tts, *texts: str, voice: str | None = None, speed: float = 1.0) -> Pcm:
    async with tts.open(voice, speed) as speech:
        for text in texts:
            speech.say(text)
        speech.finish()
        with anyio.fail_after(20):
            pieces = [piece async for piece in speech]
    assert all(piece.pcm.rate_hz == tts.traits.rate_hz for piece in pieces)
    return join([piece.pcm for piece in pieces], tts.traits.rate_hz)


# ---------------------------------------------------------------- hearing

EARS = {
    "whisper_local": ("whisper/base", SAID),
    "sherpa": ("sherpa/indicconformer-hi", "light light light"),
}


@asynccontextmanager
async def _ear(name: str, models: Path) -> AsyncIterator[tuple[WyomingStt, Callable[[], int]]]:
    folder, _ = EARS[name]
    options = {"folder": str(models / folder), "device": "cpu", "threads": 1}
    traits = next(iter(facts.hearing()[name].values()))
    async with running("stt", registry.STT[name].target, options) as process:

        def pid() -> int:
            assert process.stage.pid is not None
            return process.stage.pid

        yield WyomingStt(process, traits), pid


@pytest.mark.parametrize("name", EARS)
async def test_sound_is_heard_and_silence_is_not(name: str, models: Path) -> None:
    async with _ear(name, models) as (stt, _):
        *_, final = await _hear(stt, _sound(3))
        assert isinstance(final, Final)
        assert final.text == EARS[name][1]
        await stt.teach(Vocabulary(names=("Kitchen lamp",)))
        assert (await _hear(stt, _sound(3)))[-1].text
        for quiet in (silence(1.0, 16_000), silence(0.0, 16_000)):
            *_, final = await _hear(stt, quiet)
            assert final.text == ""


@pytest.mark.parametrize("name", EARS)
async def test_a_pause_settles_the_partial_while_more_may_come(name: str, models: Path) -> None:
    async with _ear(name, models) as (stt, _), stt.open(None) as hearing:
        for frame in frames(_sound(2), 320):
            hearing.feed(frame)
        hearing.pause()
        with anyio.fail_after(10):
            async for heard in hearing:
                if isinstance(heard, Partial) and heard.settled:
                    break
            hearing.feed(_sound(1))
            hearing.finish()
            *_, final = [heard async for heard in hearing]
        assert final.text == EARS[name][1]


@pytest.mark.parametrize("name", EARS)
async def test_three_utterances_at_once_do_not_disturb_each_other(name: str, models: Path) -> None:
    finals: list[str] = []
    async with _ear(name, models) as (stt, _), tasks.task_group() as group:

        async def hear() -> None:
            finals.append((await _hear(stt, _sound(3)))[-1].text)

        for _n in range(3):
            group.start_soon(hear)
    assert finals == [EARS[name][1]] * 3


@pytest.mark.parametrize("name", EARS)
async def test_a_process_killed_in_mid_utterance_hears_it_all_the_same(
    name: str, models: Path
) -> None:
    async with _ear(name, models) as (stt, pid), stt.open(None) as hearing:
        for n, frame in enumerate(frames(_sound(3), 1600)):
            hearing.feed(frame)
            if n == 8:
                os.kill(pid(), signal.SIGKILL)
                await anyio.sleep(0.05)
        hearing.finish()
        with anyio.fail_after(20):
            *_, final = [heard async for heard in hearing]
    assert final.text == EARS[name][1]


async def test_whisper_hears_many_languages_and_says_which_it_cannot(models: Path) -> None:
    async with _ear("whisper_local", models) as (stt, _):
        for language in ("en_US", "hi_IN", "ta_IN", None):
            *_, final = await _hear(stt, _sound(1), language)
            assert final.text == SAID
        with pytest.raises(ProviderError, match="does not know the language xx_XX"):
            await _hear(stt, _sound(1), "xx_XX")


def test_a_model_that_is_not_used_leaves_the_memory_and_comes_back(models: Path) -> None:
    folder = models / "whisper" / "base"
    engine = whisper.WhisperRecogniser(folder, "cpu", 1, "cut")
    threading.Thread(target=engine.unload_when_idle, args=(0.1,), daemon=True).start()
    for _ in range(100):
        if not engine.loaded:
            break
        time.sleep(0.02)
    assert not engine.loaded
    assert engine.transcribe(_sound(1).samples, "en_US").text == SAID


def test_a_window_is_as_long_as_what_was_said_and_no_longer_than_whispers() -> None:
    assert [whisper.window_for(s) for s in (0.5, 7.5, 7.7, 12.0, 29.9, 60.0)] == [
        8.0, 8.0, 10.0, 14.0, 30.0, 30.0,
    ]  # fmt: skip


# ---------------------------------------------------------------- speaking

VOICES: dict[str, tuple[str, str]] = {
    "piper": ("piper", "en_US-joe-medium"),
    "kokoro": ("kokoro/v1.0", "af_heart"),
}


@asynccontextmanager
async def _voice(name: str, models: Path) -> AsyncIterator[tuple[WyomingTts, Callable[[], int]]]:
    folder, _ = VOICES[name]
    options = {"folder": str(models / folder), "device": "cpu", "threads": 1}
    traits = next(iter(facts.speaking()[name].values()))
    async with running("tts", registry.TTS[name].target, options) as process:

        def pid() -> int:
            assert process.stage.pid is not None
            return process.stage.pid

        yield WyomingTts(process, traits), pid


@pytest.mark.parametrize("name", VOICES)
async def test_a_text_sounds_and_its_pace_can_be_set(name: str, models: Path) -> None:
    async with _voice(name, models) as (tts, _):
        voice = VOICES[name][1]
        pcm = await _speak(tts, TEXT, voice=voice)
        assert 0.4 < pcm.duration_s < 4
        assert np.abs(pcm.samples.astype(int)).max() > 3000
        faster = await _speak(tts, TEXT, voice=voice, speed=2.0)
        assert faster.duration_s == pytest.approx(pcm.duration_s / 2, rel=0.15)
        both = await _speak(tts, TEXT, TEXT, voice=voice)
        assert both.duration_s == pytest.approx(2 * pcm.duration_s, rel=0.1)


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize(
    "text", ["", " ", "...", "☺️", "<speak>&amp;</speak>", "a\x00b", "[[ h ]]", "hi नमस्ते"]
)
async def test_odd_texts_are_no_error(name: str, text: str, models: Path) -> None:
    options = {"folder": str(models / VOICES[name][0]), "device": "cpu"}
    module = {"piper": piper, "kokoro": kokoro}[name]
    engine = module.serve(**options)
    for samples in engine.speak(text, VOICES[name][1], 1.0):
        assert samples.dtype == np.int16


@pytest.mark.parametrize("name", VOICES)
async def test_a_very_long_text_that_is_given_up_frees_the_voice(name: str, models: Path) -> None:
    async with _voice(name, models) as (tts, _):
        voice = VOICES[name][1]
        async with tts.open(voice) as speech:
            speech.say((TEXT + " ") * 700)
            async for _piece in speech:
                break
        with anyio.fail_after(3):
            assert (await _speak(tts, TEXT, voice=voice)).duration_s < 4


@pytest.mark.parametrize("name", VOICES)
async def test_fifty_thousand_characters_are_refused_in_one_line(name: str, models: Path) -> None:
    async with _voice(name, models) as (tts, _):
        with pytest.raises(ProviderError, match="more than 20000 characters"):
            await _speak(tts, "a" * 50_000, voice=VOICES[name][1])
        assert (await _speak(tts, TEXT, voice=VOICES[name][1])).duration_s > 0.4


@pytest.mark.parametrize("name", VOICES)
async def test_a_process_killed_in_mid_answer_speaks_on(name: str, models: Path) -> None:
    async with _voice(name, models) as (tts, pid):
        voice, text = VOICES[name][1], (TEXT + " ") * 6
        whole = await _speak(tts, text, voice=voice)
        pieces: list[Pcm] = []
        async with tts.open(voice) as speech:
            speech.say(text)
            speech.finish()
            with anyio.fail_after(20):
                async for piece in speech:
                    pieces.append(piece.pcm)
                    if len(pieces) == 3:
                        os.kill(pid(), signal.SIGKILL)
    spoken = join(pieces, tts.traits.rate_hz)
    assert spoken.duration_s == pytest.approx(whole.duration_s, rel=0.02)


async def test_a_voice_of_another_rate_is_brought_to_the_engines(models: Path) -> None:
    async with _voice("piper", models) as (tts, _):
        telugu = "te_IN-padmavathi-medium"
        pcm = await _speak(tts, "నమస్తే", voice=telugu)
        assert pcm.rate_hz == 22_050
        assert pcm.duration_s > 0.3
        for speaker in ("#0", "#s1"):
            assert (await _speak(tts, "నమస్తే", voice=telugu + speaker)).duration_s > 0.3
        with pytest.raises(ProviderError, match="no speaker s9"):
            await _speak(tts, "నమస్తే", voice=f"{telugu}#s9")


def test_only_the_voices_used_last_stay_in_memory(tmp_path: Path) -> None:
    names = [f"en_US-v{n}-medium" for n in range(5)]
    for name in names:
        tiny_models.piper_voice(tmp_path, name)
    engine = piper.serve(folder=str(tmp_path), device="cpu")
    for name in (*names, names[2]):
        assert sum(map(len, engine.speak("One.", name, 1.0))) > 0
    assert engine.loaded == [names[3], names[4], names[2]]


# ---------------------------------------------------------------- models that are not as they should be

Serve = Callable[[Path], object]
BROKEN: dict[str, tuple[Serve, str, str]] = {
    "whisper": (lambda p: whisper.serve(folder=str(p)), "whisper/base", "model.bin"),
    "sherpa": (lambda p: sherpa.serve(folder=str(p)), "sherpa/indicconformer-hi", "model.onnx"),
    "kokoro": (lambda p: kokoro.serve(folder=str(p)), "kokoro/v1.0", "kokoro-v1.0.onnx"),
    "piper": (
        lambda p: piper.serve(folder=str(p.parent), preload=p.name),
        "piper/en_US-joe-medium",
        "en_US-joe-medium.onnx",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_missing_model_names_the_command_that_brings_it(name: str, tmp_path: Path) -> None:
    serve, model, _ = BROKEN[name]
    with pytest.raises(MissingError, match=f"parlour models pull {model}"):
        serve(tmp_path / model)


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("harm", ["cut short", "altered"])
def test_a_damaged_model_names_the_command_that_mends_it(
    name: str, harm: str, models: Path, tmp_path: Path
) -> None:
    serve, model, file = BROKEN[name]
    target = tmp_path / model
    target.mkdir(parents=True)
    for path in (models / model).iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    data = (target / file).read_bytes()
    (target / file).write_bytes(data[: len(data) // 2] if harm == "cut short" else b"x" * 500)
    with pytest.raises(MissingError, match=f"parlour models verify {model} --repair"):
        serve(target)


def test_moonshine_without_its_model_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="parlour models pull moonshine/tiny-streaming-en"):
        moonshine.serve(folder=str(tmp_path / "tiny-streaming-en"))
    folder = tmp_path / "small-streaming-en"
    folder.mkdir()
    (folder / "streaming_config.json").write_text("{}")
    with pytest.raises(MissingError, match="moonshine/small-streaming-en --repair"):
        moonshine.serve(folder=str(folder))


def test_coqui_without_its_model_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="config.json"):
        coqui.serve(model="xtts_v2", folder=str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingError, match=r"parlour\[coqui\]"):
        coqui.serve(model="xtts_v2", folder=str(tmp_path))


def test_a_gpu_that_there_is_not_is_told(models: Path) -> None:
    with pytest.raises(MissingError, match="device: cpu"):
        whisper.serve(folder=str(models / "whisper" / "base"), device="cuda")
    with pytest.raises(MissingError, match="onnxruntime-gpu"):
        piper.serve(folder=str(models / "piper"), device="cuda")


async def test_an_engine_that_lacks_its_model_says_so_at_once_and_is_not_started_over_and_over(
    tmp_path: Path,
) -> None:
    process = EngineProcess(
        Stages().add("tts:piper"),
        "tts",
        registry.TTS["piper"].target,
        {"folder": str(tmp_path), "preload": "hi_IN-rohan-medium"},
    )
    async with tasks.task_group() as group:
        group.start_soon(process.run)
        with anyio.fail_after(10):
            with pytest.raises(ProviderError, match="parlour models pull piper/hi_IN-rohan-medium"):
                await process.wait_up(9)
        await anyio.sleep(0.5)
        assert process.stage.health is Health.DOWN
        assert process.stage.restarts == 0
        group.cancel_scope.cancel()
