"""`parlour bench engines`: how quick the engines are on this machine, and what our part costs."""

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import typer

from parlour.app import choice, measured
from parlour.app.engines import Running, make_stt, make_tts, model_folder
from parlour.app.measured import Measured
from parlour.app.readiness import Readiness, stt_state, tts_state
from parlour.app.sections import Config
from parlour.app.speech import started
from parlour.app.tables import print_table
from parlour.audio import HEARING_RATE_HZ, Pcm, frames, silence
from parlour.catalogue import facts
from parlour.catalogue.languages import LANGUAGES
from parlour.errors import InputError, ParlourError
from parlour.ports import Final, Stt, Tts
from parlour.supervise import Stages
from parlour.traits import SttTraits, Voice
from parlour_bench.fixtures import can_speak, fixture

FRAME_S = 0.02
PAUSE_S = (
    0.08  # of silence until the turn tells the recogniser: 85 ms at the median, docs/latency.md
)
LONGEST_S = 120.0  # for one engine


@dataclass(frozen=True, slots=True)
class Figure:
    kind: str
    provider: str
    model: str
    rtf: float
    latency_ms: float  # p50: to the settled text after the end of speech, or to the first sound
    latency_p95_ms: float
    duration_s: float  # of all the sound


def engines(
    config: Config, *, only: Sequence[str] | None, repeats: int, json_file: Path | None
) -> int:
    """Measure every engine that is ready; returns the exit code."""
    figures, failed = anyio.run(partial(_measure, config, only, repeats))
    if not figures and not failed:
        raise InputError("no engine is ready; `parlour providers` says what each needs")
    print_table(
        ("kind", "provider", "model or voice", "RTF", "latency p50", "p95"),
        [
            (f.kind, f.provider, f.model, f"{f.rtf:.3f}", f"{f.latency_ms:.0f} ms",
             f"{f.latency_p95_ms:.0f} ms")
            for f in figures
        ],
    )  # fmt: skip
    for name, reason in failed:
        typer.echo(f"not measured: {name}: {reason}", err=True)
    day = datetime.now(UTC).date().isoformat()
    host = f"{platform.machine()}, {platform.node()}"
    measured.save(
        config,
        {
            measured.key(f.kind, f.provider, f.model): Measured(f.rtf, f.latency_ms, host, day)
            for f in figures
        },
    )
    typer.echo(f"kept in {measured.path_of(config)}; `parlour advise` and `providers` use it")
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(f) for f in figures], indent=1), "utf-8")
    return 1 if failed else 0


async def _measure(
    config: Config, only: Sequence[str] | None, repeats: int
) -> tuple[list[Figure], list[tuple[str, str]]]:
    figures: list[Figure] = []
    failed: list[tuple[str, str]] = []
    sounds = await _sentences()
    for kind, name, model, setup in _ready(config, only):
        typer.echo(f"{kind} {name} {model} ...", err=True)
        try:
            with anyio.fail_after(LONGEST_S):
                if kind == "stt":
                    figures.append(await _hearing(setup, name, model, sounds, repeats))
                else:
                    figures.append(await _speaking(setup, name, model, repeats))
        except TimeoutError:
            failed.append((f"{kind} {name} {model}", f"no end within {LONGEST_S:.0f} s"))
        except ParlourError as error:
            failed.append((f"{kind} {name} {model}", str(error)))
    return figures, failed


def _ready(config: Config, only: Sequence[str] | None) -> list[tuple[str, str, str, Config]]:
    """Kind, provider, model or voice, and the configuration that chooses it."""
    found = []
    for name, models in facts.hearing().items():
        for model, traits in models.items():
            ready = stt_state(config, traits).readiness is Readiness.READY
            # Who names an engine measures what lies in its folder, published or not.
            ready = ready or (bool(only) and _lies_here(config, traits.download))
            if ready and _wanted(name, only):
                found.append(("stt", name, model, _choose_stt(config, traits)))
    for name, speaking in facts.speaking().items():
        for tts in speaking.values():
            for voice in _voices(list(tts.voices.values())):
                ready = tts_state(config, tts, voice).readiness is Readiness.READY
                if ready and _wanted(name, only):
                    found.append(("tts", name, voice.id, _choose_tts(config, name, voice)))
    return found


def _lies_here(config: Config, download: str) -> bool:
    return bool(download) and any(model_folder(config).path(download).glob("*"))


def _wanted(name: str, only: Sequence[str] | None) -> bool:
    return not only or name in only


def _voices(voices: list[Voice]) -> list[Voice]:
    """All that have files of their own; of the others one, since they are equally quick."""
    return [voice for voice in voices if voice.download] or voices[:1]


def _choose_stt(config: Config, traits: SttTraits) -> Config:
    language = next(iter(traits.languages), None)
    changed: dict[str, Any] = {"provider": [traits.name], "language": language}
    if traits.name == "whisper_local":
        changed["model_size"] = traits.model
    sections: dict[str, Any] = {"stt": config.stt.model_copy(update=changed)}
    if traits.name in ("sherpa", "moonshine", "whisper_api", "deepgram"):
        own = getattr(config, traits.name)
        sections[traits.name] = own.model_copy(update={"model": traits.model})
    return config.model_copy(update=sections)


def _choose_tts(config: Config, name: str, voice: Voice) -> Config:
    language = next(iter(voice.languages), "en_US")
    changed = {"provider": [name], "voice_id": voice.id, "language": language}
    return config.model_copy(update={"tts": config.tts.model_copy(update=changed)})


# ---------------------------------------------------------------- hearing


async def _sentences() -> list[Pcm]:
    """Commands in a synthetic voice; without one, tones as long as commands."""
    texts = (
        "turn on the kitchen light",
        "what is the temperature in the bedroom",
        "open the blinds",
    )
    if can_speak("slt"):
        return [await anyio.to_thread.run_sync(_say, text) for text in texts]
    at = np.arange(2 * HEARING_RATE_HZ) / HEARING_RATE_HZ
    tone = (6000 * np.sin(2 * np.pi * 220 * at)).astype(np.int16)
    return [Pcm(tone, HEARING_RATE_HZ)]


def _say(text: str) -> Pcm:
    made = fixture(text, "slt")
    return Pcm(made.pcm.samples[: made.speech_end], made.pcm.rate_hz)


async def _hearing(
    config: Config, name: str, model: str, sounds: Sequence[Pcm], repeats: int
) -> Figure:
    """In real time, as a user speaks: the latency is from the last word to the settled text."""
    running = Running(Stages())
    stt = make_stt(config, running)
    late_ms, work_s, sound_s = [], 0.0, 0.0
    async with started(running):
        await _hear(stt, config, sounds[0])  # the first is slower, and nobody waits for it
        for n in range(repeats):
            pcm = sounds[n % len(sounds)]
            late_ms.append(await _hear(stt, config, pcm))
            sound_s += pcm.duration_s
        began_s = anyio.current_time()
        for pcm in sounds:
            await _hear_at_once(stt, config, pcm)
        work_s = anyio.current_time() - began_s
    rtf = work_s / sum(pcm.duration_s for pcm in sounds)
    return Figure("stt", name, model, rtf, *_percentiles(late_ms), sound_s)


async def _hear(stt: Stt, config: Config, pcm: Pcm) -> float:
    """Speak in real time, then be silent; returns ms from the end of speech to the text."""
    async with stt.open(config.stt.language) as hearing:
        start_s = anyio.current_time()
        pause = silence(PAUSE_S, HEARING_RATE_HZ)
        sent_s = 0.0
        size = round(FRAME_S * HEARING_RATE_HZ)
        for frame in (*frames(pcm, size), *frames(pause, size)):
            sent_s += frame.duration_s
            await anyio.sleep_until(start_s + sent_s)
            hearing.feed(frame)
        ended_s = start_s + pcm.duration_s
        hearing.pause()
        if not stt.traits.settles:
            hearing.finish()
        with anyio.move_on_after(stt.traits.final_s):
            async for heard in hearing:
                if isinstance(heard, Final) or heard.settled:
                    return (anyio.current_time() - ended_s) * 1000
        hearing.finish()  # it heard nothing that it would stand by
        async for _ in hearing:
            pass
        return (anyio.current_time() - ended_s) * 1000


async def _hear_at_once(stt: Stt, config: Config, pcm: Pcm) -> None:
    async with stt.open(config.stt.language) as hearing:
        hearing.feed(pcm)
        hearing.finish()
        async for _ in hearing:
            pass


# ---------------------------------------------------------------- speaking


async def _speaking(config: Config, name: str, model: str, repeats: int) -> Figure:
    running = Running(Stages())
    tts = make_tts(config, running)
    voice = choice.voice_for(config, name)
    text = LANGUAGES.get(config.tts.language, LANGUAGES["en_US"]).greeting
    first_ms, work_s, sound_s = [], 0.0, 0.0
    async with started(running):
        await _speak(tts, voice, text)
        for _ in range(repeats):
            first, whole_s, duration_s = await _speak(tts, voice, text)
            first_ms.append(first)
            work_s, sound_s = work_s + whole_s, sound_s + duration_s
    return Figure(
        "tts", name, model, work_s / max(sound_s, 0.001), *_percentiles(first_ms), sound_s
    )


async def _speak(tts: Tts, voice: str | None, text: str) -> tuple[float, float, float]:
    """ms to the first sound, seconds to the last, seconds of sound."""
    began_s = anyio.current_time()
    first_s, duration_s = None, 0.0
    async with tts.open(voice) as speech:
        speech.say(text)
        speech.finish()
        async for piece in speech:
            if first_s is None and len(piece.pcm.samples):
                first_s = anyio.current_time() - began_s
            duration_s += piece.pcm.duration_s
    whole_s = anyio.current_time() - began_s
    return (first_s or whole_s) * 1000, whole_s, duration_s


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
