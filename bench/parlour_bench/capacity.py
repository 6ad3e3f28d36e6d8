"""How many conversations one core holds: paced sessions from another core, engines that cost nothing.

The server runs on one core with the real protocol, Opus, Silero on every session and turn-taking;
recogniser, model and voice answer at once. So what is measured is Parlour itself.
"""

import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from parlour.app.virtual_turn import speech_begin
from parlour.audio import HEARING_RATE_HZ, write_wav
from parlour.errors import InputError, ParlourError
from parlour.opus import Decoder, Encoder
from parlour.providers.silero import SileroVad
from parlour_bench.fixtures import Fixture, fixture
from parlour_bench.load import FRAME_S, FRAME_SAMPLES, STAGGER_S
from parlour_bench.process import own_server

COUNTS = (1, 10, 20, 50, 80, 100)
SHORT_COUNTS = (10,)
QUESTION = "what is the capital of france"
ANSWER = "Paris is the capital of France, as I said {n} times today, and you may ask again."
PERIOD_S = 6.0
BARGE_AFTER_S = 1.6  # from the end of a question to the next one, which is said into the answer
ASKS, SHORT_ASKS = 6, 3
UNRELIABLE_MS = 2.0  # a client later than this measures itself
RATED = 50

# p50 and p95 at RATED sessions.
OVERHEAD_MS, BARGE_MS = (3.0, 10.0), (210.0, 240.0)
CPU_MS, RSS_MB = 14.0, 1.0
MOST_TIMES_BARE = 6.0  # at ten sessions, among which the idle server's own work is divided


@dataclass(frozen=True, slots=True)
class Found:
    """What one number of sessions came to."""

    sessions: int
    v2v_ms: tuple[float, float]  # p50, p95
    overhead_ms: tuple[float, float]
    barge_ms: tuple[float, float] | None
    cpu_ms: float  # of the server, for a second of one session
    core: float  # share of the core
    rss_mb: float  # for a further session
    asked: int
    unanswered: int
    gaps: int
    lost_ms: float
    refused: int
    broken: int
    client_late_ms: float
    refusal: str = ""

    @property
    def reliable(self) -> bool:
        return self.client_late_ms <= UNRELIABLE_MS


def capacity(
    *, json_file: Path | None = None, counts: str | None = None, short: bool = False
) -> int:
    """Run the bench and print its table. Returns 0 if every target is met, else 1.

    `short` is for a machine that is busy with other work: it compares with a calibration of the
    same minute, never with absolute times. Raises ParlourError if it cannot run.
    """
    if json_file is not None and not json_file.parent.is_dir():
        raise InputError(f"cannot write {json_file}: there is no folder {json_file.parent}")
    if (os.cpu_count() or 1) < 2:
        raise InputError("the bench needs two cores: one for the server, one for those who ask")
    wanted = _counts(counts) if counts else SHORT_COUNTS if short else COUNTS
    console = Console(stderr=True, highlight=False)
    found, over = anyio.run(_run, wanted, SHORT_ASKS if short else ASKS, short, console)
    rows = _short_rows(found) if short else _rows(found, over)
    if json_file is not None:
        told = _as_json(rows, found, over)
        json_file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    _show(rows, found, over, Console(highlight=False))
    return 0 if all(row["ok"] for row in rows) else 1


def _counts(given: str) -> tuple[int, ...]:
    try:
        counts = tuple(int(part) for part in given.split(","))
    except ValueError:
        counts = ()
    if not counts or min(counts) < 1 or max(counts) > 500:
        raise InputError(f"{given} is no list of numbers of sessions, such as 1,10,50")
    return counts


# ---------------------------------------------------------------- running


async def _run(
    counts: Sequence[int], asks: int, short: bool, console: Console
) -> tuple[list[Found], Found | None]:
    said = fixture(QUESTION, "slt")
    found: list[Found] = []
    base_ms: float | None = None
    for count in sorted(set(counts) if short else {1, *counts}):
        result, base_ms = await _measure(said, count, asks, base_ms, admits_all=True)
        _tell(console, result)
        found.append(result)
    over = None
    if not short and max(counts) >= RATED:
        console.print("twice the rated load, with admission ...", style="dim")
        over, _ = await _measure(said, 2 * RATED, asks, base_ms)
        _tell(console, over)
    return found, over


async def _measure(
    said: Fixture,
    count: int,
    asks: int,
    base_ms: float | None,
    *,
    admits_all: bool = False,
) -> tuple[Found, float]:
    """Hold `count` sessions against a server of their own."""
    plan = _plan(said, asks)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = _write_config(folder, said, plan["asks"], admits_all=admits_all)
        server_core, client_core = 1, 0
        async with own_server(config, core=server_core) as server:
            await anyio.sleep(1.0)
            idle_mb = _rss_mb(server.pid)
            plan |= {
                "url": server.url.replace("http", "ws", 1) + "/device",
                "sessions": count,
                "wav": str(folder / "said.wav"),
                "result": str(folder / "result.json"),
            }
            (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
            process = await anyio.open_process(
                [sys.executable, "-m", "parlour_bench.load", str(folder / "plan.json")],
                stdout=None,
                stderr=None,
            )
            os.sched_setaffinity(process.pid, {client_core})
            try:
                cpu, peak_mb = await _watch(server.pid, server.url, plan, count, process)
            finally:
                if process.returncode is None:
                    process.kill()
            if process.returncode:
                raise ParlourError("the load process failed; see above")
            result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return _judge(count, result, cpu, (peak_mb - idle_mb) / max(1, count), base_ms)


async def _watch(
    pid: int, url: str, plan: Mapping[str, Any], count: int, process: anyio.abc.Process
) -> tuple[float, float]:
    """CPU milliseconds a second in the window in which all sessions talk, and the largest RSS."""
    began_s = 0.5 + (count - 1) * STAGGER_S + 1.5
    window_s = plan["frames"] * FRAME_S - 1.5 - began_s + 0.5
    await anyio.sleep(began_s)
    before_s, at_s = _cpu_s(pid), anyio.current_time()
    await anyio.sleep(max(2.0, window_s))
    cpu = (_cpu_s(pid) - before_s) / (anyio.current_time() - at_s) * 1000
    peak_mb = _rss_mb(pid)
    with anyio.fail_after(180):
        await process.wait()
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.get(f"{url}/health")).raise_for_status()
    return cpu, peak_mb


def _plan(said: Fixture, asks: int) -> dict[str, Any]:
    """When each session asks; every third question is said into the answer to the one before."""
    planned = []
    at_s = 1.0
    for n in range(asks):
        barge = n % 3 == 2
        planned.append({"frame": round(at_s / FRAME_S), "barge": barge})
        following_barge = (n + 1) % 3 == 2
        spoken_s = said.speech_end / HEARING_RATE_HZ
        at_s += spoken_s + BARGE_AFTER_S if following_barge else PERIOD_S + spoken_s
    return {
        "asks": planned,
        "frames": round(at_s / FRAME_S),
        "speech_begin": speech_begin(said.pcm),
        "speech_end": said.speech_end,
    }


def _write_config(
    folder: Path, said: Fixture, asks: Sequence[Mapping[str, Any]], *, admits_all: bool
) -> Path:
    write_wav(folder / "said.wav", said.pcm)
    words = [
        [
            word.text,
            word.start + ask["frame"] * FRAME_SAMPLES,
            word.end + ask["frame"] * FRAME_SAMPLES,
        ]
        for ask in asks
        for word in said.words
    ]
    script = {
        "stt": {"delay_ms": 0, "words": words},
        "llm": {"profile": "instant", "default": ANSWER},
        "tts": {"first_ms": 0, "rtf": 0, "ms_per_character": 60},
    }
    (folder / "script.json").write_text(json.dumps(script), encoding="utf-8")
    config = folder / "config.yml"
    config.write_text(
        "stt: {provider: scripted}\ntts: {provider: scripted}\nllm: {provider: scripted}\n"
        f"script: {{path: {json.dumps(str(folder / 'script.json'))}}}\n"
        f"server: {{most_sessions: {1000 if admits_all else RATED}"
        f"{', most_load: 0' if admits_all else ''}}}\n"
        "conversation: {follow_up_s: 30}\n"
        f"data: {{folder: {json.dumps(str(folder / 'data'))}}}\n"
    )
    return config


# ---------------------------------------------------------------- judging


def _judge(
    count: int, result: Mapping[str, Any], cpu: float, rss_mb: float, base_ms: float | None
) -> tuple[Found, float]:
    """`base_ms` is what turn-taking itself waits: the quickest commit, as a device sees it."""
    served = [s for s in result["sessions"] if not s["refused"] and not s["broken"]]
    asked = [ask for session in served for ask in session["asked"]]
    v2v = [ask["v2v_ms"] for ask in asked if ask["v2v_ms"] is not None]
    if not v2v:
        raise ParlourError(f"nobody of {count} sessions was answered")
    waits = [a["v2v_ms"] - a["work_ms"] for a in asked if a["v2v_ms"] and a["work_ms"] is not None]
    base_ms = min(waits) if base_ms is None else base_ms
    barge = [ask["silence_ms"] for ask in asked if ask["silence_ms"] is not None]
    found = Found(
        sessions=count,
        v2v_ms=_cuts(v2v),
        overhead_ms=_cuts([ms - base_ms for ms in v2v]),
        barge_ms=_cuts(barge) if barge else None,
        cpu_ms=round(cpu / max(1, len(served)), 2),
        core=round(cpu / 1000, 3),
        rss_mb=round(rss_mb, 2),
        asked=len(asked),
        unanswered=len(asked) - len(v2v),
        gaps=sum(ask["gaps"] for ask in asked),
        lost_ms=round(sum(ask["lost_ms"] for ask in asked), 1),
        refused=sum(bool(session["refused"]) for session in result["sessions"]),
        broken=sum(bool(session["broken"]) for session in result["sessions"]),
        client_late_ms=result["late_p95_ms"],
        refusal=next((s["refused"] for s in result["sessions"] if s["refused"]), ""),
    )
    return found, base_ms


def _cuts(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return (
        round(ordered[len(ordered) // 2], 1),
        round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
    )


def _row(
    name: str, n: int, p50: float, p95: float | None, targets: tuple[float | None, float | None]
) -> dict[str, Any]:
    met = (targets[0] is None or p50 <= targets[0]) and (
        targets[1] is None or p95 is None or p95 <= targets[1]
    )
    return {
        "class": name,
        "n": n,
        "p50_ms": p50,
        "p95_ms": p95,
        "target_p50_ms": targets[0],
        "target_p95_ms": targets[1],
        "ok": met,
    }


def _rows(found: Sequence[Found], over: Found | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for one in found:
        if one.sessions != RATED:
            continue
        rows.append(_row(f"overhead at {RATED} sessions", one.asked, *one.overhead_ms, OVERHEAD_MS))
        if one.barge_ms:
            rows.append(_row(f"barge-in at {RATED} sessions", one.asked, *one.barge_ms, BARGE_MS))
        rows += [
            _row(f"unanswered at {RATED} sessions", one.asked, one.unanswered, None, (0, None)),
            _row(f"gaps at {RATED} sessions", one.asked, one.gaps, None, (0, None)),
            _row("CPU ms per session-second", RATED, one.cpu_ms, None, (CPU_MS, None)),
            _row("MB per further session", RATED, one.rss_mb, None, (RSS_MB, None)),
        ]
    if over is not None:
        alone = next(one for one in found if one.sessions == RATED)
        limit = alone.v2v_ms[1] + OVERHEAD_MS[1]
        rows += [
            _row(
                "voice to voice of rated sessions at twice the load",
                over.asked,
                *over.v2v_ms,
                (None, limit),
            ),
            _row(
                "rated sessions unanswered at twice the load",
                over.asked,
                over.unanswered,
                None,
                (0, None),
            ),
            _row("sessions refused with a reason", 2 * RATED, over.refused, None, (None, None)),
        ]
        rows[-1]["ok"] = over.refused >= RATED / 2 and bool(over.refusal) and not over.broken
    return rows


def _short_rows(found: Sequence[Found]) -> list[dict[str, Any]]:
    """What holds on a busy machine, too: everybody is answered, and a session costs a small
    multiple of what its Opus and its network alone cost on this machine at this minute."""
    last = found[-1]
    ratio = round(last.cpu_ms / bare_cost_ms(), 2)
    return [
        _row(
            f"unanswered at {last.sessions} sessions", last.asked, last.unanswered, None, (0, None)
        ),
        _row(
            "CPU of a session, of its bare Opus and network",
            last.sessions,
            ratio,
            None,
            (MOST_TIMES_BARE, None),
        ),
    ]


def bare_cost_ms(rounds: int = 5) -> float:
    """CPU milliseconds for the codec and the network of one session for one second, the least of
    several rounds: 50 packets decoded, 25 encoded (it listens more than it speaks), 31 windows."""
    vad, rng = SileroVad(), np.random.default_rng(1)
    state, sound = vad.new_state(), rng.integers(-3000, 3000, 16_000).astype(np.int16)
    encoder, decoder = Encoder(HEARING_RATE_HZ), Decoder(HEARING_RATE_HZ)
    frames = sound.reshape(-1, FRAME_SAMPLES)
    packets = [encoder.encode(frame) for frame in frames]
    windows = sound[: 31 * vad.window_samples].reshape(31, 1, -1)
    least_s = math.inf
    for _ in range(rounds):
        began_s = time.process_time()
        for packet in packets:
            decoder.decode(packet)
        for frame in frames[:25]:
            encoder.encode(frame)
        for window in windows:
            vad.judge([state], window)
        least_s = min(least_s, time.process_time() - began_s)
    return least_s * 1000


# ---------------------------------------------------------------- telling


def _tell(console: Console, one: Found) -> None:
    console.print(
        f"{one.sessions:4} sessions  v2v {one.v2v_ms[0]:.0f}/{one.v2v_ms[1]:.0f} ms"
        f"  overhead {one.overhead_ms[0]:.1f}/{one.overhead_ms[1]:.1f} ms  core {one.core:.0%}"
        f"  unanswered {one.unanswered}/{one.asked}  gaps {one.gaps}  refused {one.refused}",
        style="dim",
    )


def _show(
    rows: Sequence[Mapping[str, Any]], found: Sequence[Found], over: Found | None, console: Console
) -> None:
    table = Table(box=None, pad_edge=False)
    for column in (
        "sessions",
        "v2v p50/p95 ms",
        "overhead",
        "barge-in",
        "CPU ms/s each",
        "core",
        "MB each",
        "unanswered",
        "gaps (ms)",
        "refused",
        "client late",
    ):
        table.add_column(column, justify="right")
    for one in [*found, *([over] if over else [])]:
        table.add_row(
            str(one.sessions),
            f"{one.v2v_ms[0]:.0f} / {one.v2v_ms[1]:.0f}",
            f"{one.overhead_ms[0]:.1f} / {one.overhead_ms[1]:.1f}",
            f"{one.barge_ms[0]:.0f} / {one.barge_ms[1]:.0f}" if one.barge_ms else "-",
            f"{one.cpu_ms:.1f}",
            f"{one.core:.0%}",
            f"{one.rss_mb:.2f}",
            f"{one.unanswered}/{one.asked}",
            f"{one.gaps} ({one.lost_ms:.0f})",
            str(one.refused),
            f"{one.client_late_ms:.1f} ms" + ("" if one.reliable else " UNRELIABLE"),
        )
    console.print(table)
    if over is not None and over.refusal:
        console.print(f'those refused were told: "{over.refusal}"')
    console.print()
    verdicts = Table(box=None, pad_edge=False)
    for column in ("", "n", "p50", "p95", "target", ""):
        verdicts.add_column(column)
    for row in rows:
        target = f"{_text(row['target_p50_ms'])} / {_text(row['target_p95_ms'])}"
        met = "met" if row["ok"] else "MISSED"
        verdicts.add_row(
            row["class"], str(row["n"]), _text(row["p50_ms"]), _text(row["p95_ms"]), target, met
        )
    console.print(verdicts)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _as_json(
    rows: Sequence[Mapping[str, Any]], found: Sequence[Found], over: Found | None
) -> dict[str, Any]:
    def told(one: Found) -> dict[str, Any]:
        return {name: getattr(one, name) for name in one.__dataclass_fields__}

    return {
        "bench": "capacity",
        "ok": all(row["ok"] for row in rows),
        "rows": list(rows),
        "details": {
            "runs": [told(one) for one in found],
            "twice_the_rated_load": told(over) if over else None,
        },
    }


# ---------------------------------------------------------------- weighing


def _cpu_s(pid: int) -> float:
    """User and system time of the process, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
