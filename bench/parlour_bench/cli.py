"""`parlour bench`: from the options of the command line to a report."""

import json
import re
from pathlib import Path

import anyio
from rich.console import Console

from parlour.errors import InputError
from parlour_bench import render
from parlour_bench.fixtures import VOICES, Fixture, fixture
from parlour_bench.process import Memory, own_server, weigh
from parlour_bench.report import Report, summarise
from parlour_bench.run import Measured, Target, Verdict, run
from parlour_bench.scenario import Line, plan

QUICK_HEAR_S = 0.5  # of each reply: a quick run measures how it begins, a full one hears it out
IDLE_S = 2.0  # after the start, before the server is weighed


def voice_to_voice(
    *,
    quick: bool = False,
    json_file: Path | None = None,
    url: str | None = None,
    voices: str | None = None,
) -> int:
    """Run the bench and print its report. Returns 0 if every target is met, else 1.

    `url` is a running server's device link; without it a server of the bench's own is started.
    `voices` is a list with commas, of slt, rms and awb. Raises ParlourError if it cannot run.
    """
    if json_file is not None and not json_file.parent.is_dir():
        raise InputError(f"cannot write {json_file}: there is no folder {json_file.parent}")
    target = None if url is None else _target(url)
    console = Console(stderr=True, highlight=False)
    said = _speak(plan(_voices(voices), quick=quick), console)
    report = anyio.run(_run, target, said, QUICK_HEAR_S if quick else None, console)
    if json_file is not None:
        json_file.write_text(json.dumps(render.as_json(report), indent=1) + "\n", encoding="utf-8")
    for line in render.complaints(report):
        console.print(line, style="yellow", markup=False)
    render.show(report, Console(highlight=False))
    return 0 if report.ok else 1


async def _run(
    target: Target | None,
    said: list[tuple[Line, Fixture]],
    hear_s: float | None,
    console: Console,
) -> Report:
    tell = _Progress(console, len(said))
    if target is not None:
        return summarise(await run(target, said, hear_s=hear_s, tell=tell))
    console.print("starting a server ...", style="dim")
    async with own_server() as server:
        await anyio.sleep(IDLE_S)
        memory: Memory | None = weigh(server.pid)
        measured = await run(_target(server.url), said, hear_s=hear_s, tell=tell)
    return summarise(measured, server.ready_s, memory)


class _Progress:
    """A line for each sentence, so that a long run shows what it is at."""

    def __init__(self, console: Console, count: int) -> None:
        self._console = console
        self._count = count
        self._done = 0

    def __call__(self, m: Measured) -> None:
        self._done += 1
        first_ms = m.turn.first_audio_ms
        took = "   -  " if first_ms is None else f"{first_ms:4.0f} ms"
        said = f'{self._done:3}/{self._count}  {took}  {m.verdict:10}  {m.line.voice}  "{m.line.command.say}"'
        style = "dim" if m.verdict is Verdict.RIGHT else "yellow"
        self._console.print(said, style=style, markup=False)


def _speak(lines: list[Line], console: Console) -> list[tuple[Line, Fixture]]:
    console.print(f"preparing {len(lines)} sentences ...", style="dim")
    return [(line, fixture(line.command.say, line.voice)) for line in lines]


def _voices(given: str | None) -> tuple[str, ...]:
    if given is None:
        return VOICES
    voices = tuple(voice.strip() for voice in given.split(",") if voice.strip())
    unknown = [voice for voice in voices if voice not in VOICES]
    if unknown or not voices:
        raise InputError(f'no voice "{", ".join(unknown)}": the bench has {", ".join(VOICES)}')
    return voices


def _target(url: str) -> Target:
    """Take the device link or the HTTP address of a server, and make both of it."""
    match = re.fullmatch(r"(ws|http)(s?)://([^/]+)(/device)?/?", url)
    if match is None:
        raise InputError(f"{url} is no device link: it looks like ws://127.0.0.1:8000/device")
    _, secure, host, _ = match.groups()
    return Target(f"ws{secure}://{host}/device", f"http{secure}://{host}")
