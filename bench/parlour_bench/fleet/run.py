"""The fleet against one server: every group hears its words one after the other, all groups at once."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from parlour import tasks
from parlour.ids import DeviceId
from parlour_bench.fixtures import Fixture
from parlour_bench.fleet.device import Call, Device, Sentence, connected
from parlour_bench.fleet.judge import Seen
from parlour_bench.fleet.plan import Ear, Word

ANSWER = "It is Paris, answer {n}."
AHEAD_S = 0.1  # from a plan to its word
LATE_EVERY_S = 0.02


@dataclass(slots=True)
class Heard:
    """What came of a run."""

    words: list[list[Seen]] = field(default_factory=list)
    alone: list[Seen] = field(default_factory=list)  # the same sentence without a wake word
    took_s: float = 0.0
    cpu_s: float | None = None  # of the server, in that time
    late_ms: list[float] = field(default_factory=list)  # how late this process' own loop was


async def run(
    url: str,
    words: Sequence[Sequence[Word]],
    sentence: Sentence,
    *,
    alone: bool = True,
    pid: int | None = None,
) -> Heard:
    """`url`: of the device link. `alone`: say the sentence before each word without a claim, too, on
    the device that hears it best. Raises ParlourError if a connection breaks."""
    heard = Heard()
    names = list(dict.fromkeys(ear.device for group in words for w in group for ear in w.ears))
    turn_s = sentence.period / 16_000 + 1.5
    async with connected(url, names) as devices, tasks.task_group() as watch:
        watch.start_soon(_watch_lateness, heard.late_ms)
        began_s, before_s = anyio.current_time(), _cpu_s(pid)
        async with tasks.task_group() as group:
            for n, own in enumerate(words):
                after_s = n * turn_s / len(words)  # so that all the house speaks evenly
                group.start_soon(_attend, devices, own, sentence, heard, alone, after_s)
        heard.took_s = anyio.current_time() - began_s
        after_cpu_s = _cpu_s(pid)
        if before_s is not None and after_cpu_s is not None:
            heard.cpu_s = after_cpu_s - before_s
        watch.cancel_scope.cancel()
    return heard


async def _attend(
    devices: Mapping[DeviceId, Device],
    words: Sequence[Word],
    sentence: Sentence,
    heard: Heard,
    alone: bool,
    after_s: float,
) -> None:
    await anyio.sleep(after_s)
    for word in words:
        if alone:
            best = word.loudest
            call = Call(Ear(best.device, best.level_dbfs, 0.0), None, _soon_s())
            heard.alone.append(await devices[best.device].hear(call, sentence))
        heard.words.append(await _say(devices, word, sentence))


async def _say(devices: Mapping[DeviceId, Device], word: Word, sentence: Sentence) -> list[Seen]:
    """One word, and the sentence after it, until every device is done with it."""
    at_s, seen = _soon_s(), list[Seen]()

    async def hear(ear: Ear) -> None:
        seen.append(await devices[ear.device].hear(Call(ear, word.group, at_s), sentence))

    async with tasks.task_group() as group:
        for ear in word.ears:
            group.start_soon(hear, ear)
    return seen


def _soon_s() -> float:
    return anyio.current_time() + AHEAD_S


async def _watch_lateness(late_ms: list[float]) -> None:
    due_s = anyio.current_time()
    while True:
        due_s += LATE_EVERY_S
        await anyio.sleep_until(due_s)
        late_ms.append((anyio.current_time() - due_s) * 1000)


def write_config(folder: Path, said: Fixture, period: int, redis_url: str | None) -> Path:
    """Engines that cost nothing, so that what is measured is who answers and when."""
    script = {
        "stt": {
            "delay_ms": 0,
            "words": [[word.text, word.start, word.end] for word in said.words],
            "period_samples": period,
        },
        "llm": {"profile": "instant", "default": ANSWER},
        "tts": {"first_ms": 0, "rtf": 0, "ms_per_character": 60},
    }
    (folder / "script.json").write_text(json.dumps(script), encoding="utf-8")
    redis = f"redis: {{url: {json.dumps(redis_url)}}}\n" if redis_url else ""
    config = folder / "config.yml"
    # The second check would look for the word in a pre-roll that these devices do not have.
    config.write_text(
        "stt: {provider: scripted}\ntts: {provider: scripted}\nllm: {provider: scripted}\n"
        f"script: {{path: {json.dumps(str(folder / 'script.json'))}}}\n{redis}"
        f"wake: {{check: false, shared: {json.dumps(bool(redis_url))}}}\n"
        "server: {most_sessions: 1000, most_load: 0}\n"
        f"data: {{folder: {json.dumps(str(folder / 'data'))}}}\n",
        encoding="utf-8",
    )
    return config


def _cpu_s(pid: int | None) -> float | None:
    """User and system time of a process, where the system tells it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
