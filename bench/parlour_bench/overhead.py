"""`parlour bench overhead`: what our part of an engine costs, beyond the engine itself."""

import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import numpy as np
import typer
from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from parlour import tasks
from parlour.app.engines import model_folder
from parlour.app.sections import Config
from parlour.app.tables import print_table
from parlour.audio import HEARING_RATE_HZ, Pcm, Samples
from parlour.catalogue import facts
from parlour.engines.process import EngineProcess
from parlour.engines.wyoming import WyomingTts
from parlour.gateways.web import create_server, listen
from parlour.providers.cloud.openai_speech import OpenAiSpeechOptions, OpenAiTts
from parlour.supervise import Stages
from parlour.traits import TtsTraits

HOP_TARGET_MS, ADAPTER_TARGET_MS, WHISPER_TARGET = 2.0, 5.0, 1.1
RATE_HZ = 24_000
PIECE = RATE_HZ * 60 // 1000  # samples
PIECES = 40
PACE_S = 0.01  # between two pieces of the stand-in engines


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    measured: str
    target: str
    met: bool


def overhead(config: Config, *, repeats: int) -> int:
    """Print the table; returns 1 if a target was missed."""
    rows = anyio.run(_measure, config, repeats)
    print_table(
        ("what", "measured", "target", ""),
        [(row.what, row.measured, row.target, "met" if row.met else "MISSED") for row in rows],
    )
    return 0 if all(row.met for row in rows) else 1


async def _measure(config: Config, repeats: int) -> list[Row]:
    hops = await _hops(repeats)
    adapter = await _adapter(repeats)
    hop = statistics.median(hops)
    rows = [
        Row(
            "process hop, each chunk of 60 ms",
            f"{hop:.2f} ms p50, {_p95(hops):.2f} p95",
            f"{HOP_TARGET_MS:g} ms p50",
            hop <= HOP_TARGET_MS,
        ),
        Row(
            "HTTP adapter over bare httpx, first chunk",
            f"{adapter:.2f} ms",
            f"{ADAPTER_TARGET_MS:g} ms",
            adapter <= ADAPTER_TARGET_MS,
        ),
    ]
    model = model_folder(config).path("whisper/base")
    if (model / "model.bin").is_file():
        ratio, ours, bare = await to_thread.run_sync(_whisper, model, repeats)
        rows.append(
            Row(
                "Whisper base over bare faster-whisper, 3 s of sound",
                f"{ratio:.2f} x ({ours:.0f} of {bare:.0f} ms)",
                f"{WHISPER_TARGET:g} x",
                ratio <= WHISPER_TARGET,
            )
        )
    else:
        typer.echo("whisper/base is not here and not measured: parlour models pull whisper/base")
    return rows


# ---------------------------------------------------------------- the hop to a process


def serve_stamps() -> "Stamps":
    """What the process runs: each piece begins with the time at which it was made."""
    return Stamps()


class Stamps:
    """Satisfies `blocking.Synthesiser`."""

    def rate_hz(self, voice: str) -> int:
        return RATE_HZ

    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        for _ in range(PIECES):
            time.sleep(PACE_S)
            samples = np.zeros(PIECE, np.int16)
            samples[:4] = np.frombuffer(np.int64(time.monotonic_ns()).tobytes(), np.int16)
            yield samples


async def _hops(repeats: int) -> list[float]:
    process = EngineProcess(Stages().add("bench"), "tts", "parlour_bench.overhead:serve_stamps")
    traits = TtsTraits("bench", {}, "", RATE_HZ, offline=True)
    found: list[float] = []
    async with tasks.task_group() as group:
        group.start_soon(process.run)
        await process.wait_up(20)
        for _ in range(repeats):
            async with WyomingTts(process, traits).open() as speech:
                speech.say("now")
                speech.finish()
                async for piece in speech:
                    if len(piece.pcm.samples) == PIECE:
                        made = np.frombuffer(piece.pcm.samples[:4].tobytes(), np.int64)[0]
                        found.append((time.monotonic_ns() - int(made)) / 1e6)
        group.cancel_scope.cancel()
    return found


# ---------------------------------------------------------------- the adapter of a service


async def _adapter(repeats: int) -> float:
    """Median ms from the request to the first sound, with the adapter less without it."""
    app = FastAPI()

    @app.post("/v1/audio/speech")
    async def speech(_request: Request) -> StreamingResponse:
        async def pieces() -> Any:
            for _ in range(PIECES):
                await anyio.sleep(PACE_S)
                yield bytes(2 * PIECE)

        return StreamingResponse(pieces(), media_type="audio/pcm")

    server = create_server(app)
    with listen("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        async with tasks.task_group() as group:
            group.start_soon(server.serve, [listener])
            options = OpenAiSpeechOptions("key", url)
            tts = OpenAiTts(options, next(iter(facts.speaking()["openai"].values())))
            async with httpx.AsyncClient(trust_env=False) as client, aclosing(tts):
                bare, ours = await _in_turns(
                    (lambda: _bare(client, url), lambda: _adapted(tts)), repeats
                )
            server.should_exit = server.force_exit = True
    return ours - bare


async def _in_turns(
    ways: Sequence[Callable[[], Awaitable[float]]], repeats: int
) -> tuple[float, ...]:
    """Each way's median; they take turns, so that what else the machine does hits all."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(repeats + 1):
        for way, found in zip(ways, times, strict=True):
            found.append(await way())
    return tuple(statistics.median(found[1:]) for found in times)


async def _bare(client: httpx.AsyncClient, url: str) -> float:
    began_s = time.perf_counter()
    async with client.stream("POST", f"{url}/audio/speech", json={"input": "now"}) as answer:
        async for _ in answer.aiter_bytes():
            return (time.perf_counter() - began_s) * 1000
    return 0.0


async def _adapted(tts: OpenAiTts) -> float:
    began_s = time.perf_counter()
    async with tts.open() as speech:
        speech.say("now")
        speech.finish()
        async for _ in speech:
            return (time.perf_counter() - began_s) * 1000
    return 0.0


# ---------------------------------------------------------------- Whisper


def _whisper(folder: Path, repeats: int) -> tuple[float, float, float]:
    """The ratio, and the medians in ms, of ours with Whisper's full window and bare faster-whisper."""
    import faster_whisper  # noqa: PLC0415  # an extra

    from parlour.providers.whisper import WhisperRecogniser  # noqa: PLC0415

    threads = 2
    ours = WhisperRecogniser(folder, "cpu", threads, "full")
    bare: Any = faster_whisper.WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=threads
    )
    at = np.arange(3 * HEARING_RATE_HZ) / HEARING_RATE_HZ
    pcm = Pcm((8000 * np.sin(2 * np.pi * 220 * at)).astype(np.int16), HEARING_RATE_HZ)
    sound = pcm.samples.astype(np.float32) / 32768
    took: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(min(repeats, 10) + 1):
        began_s = time.perf_counter()
        ours.transcribe(pcm.samples, "en_US")
        took["ours"].append(time.perf_counter() - began_s)
        began_s = time.perf_counter()
        segments, _info = bare.transcribe(
            sound, language="en", beam_size=1, without_timestamps=True, temperature=0.0,
            condition_on_previous_text=False,
        )  # fmt: skip
        list(segments)
        took["bare"].append(time.perf_counter() - began_s)
    mine, theirs = (statistics.median(took[name][1:]) * 1000 for name in ("ours", "bare"))
    return mine / theirs, mine, theirs


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]
