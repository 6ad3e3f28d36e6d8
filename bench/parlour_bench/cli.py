"""`parlour bench`: from the options of the command line to a report."""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from rich.console import Console

from parlour.errors import InputError
from parlour_bench import converse, picture, render, talks
from parlour_bench.converse import Held
from parlour_bench.fixtures import VOICES, Fixture, fixture
from parlour_bench.process import Memory, own_server, weigh
from parlour_bench.report import Report, summarise
from parlour_bench.report_talks import join
from parlour_bench.run import Measured, Target, Verdict, run
from parlour_bench.scenario import Line, plan

QUICK_HEAR_S = 0.5  # of each reply: a quick run measures how it begins, a full one hears it out
IDLE_S = 2.0  # after the start, before the server is weighed
CLASSES = ("commands", "question", "paused", "correction", "short", "barge-in")


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a report goes besides the terminal."""

    json_file: Path | None = None
    markdown: Path | None = None
    picture: Path | None = None

    def check(self) -> None:
        for file in (self.json_file, self.markdown, self.picture):
            if file is not None and not file.parent.is_dir():
                raise InputError(f"cannot write {file}: there is no folder {file.parent}")


def voice_to_voice(
    *,
    quick: bool = False,
    outputs: Outputs | None = None,
    url: str | None = None,
    voices: str | None = None,
    only: str | None = None,
) -> int:
    """Run the bench and print its report. Returns 0 if every target is met, else 1.

    `url` is a running server's device link, to which only the commands are said; without it
    servers of the bench's own are started. `voices` is a list with commas, of slt, rms and awb.
    Raises ParlourError if it cannot run.
    """
    outputs = outputs or Outputs()
    outputs.check()
    if only is not None and only not in CLASSES:
        raise InputError(f'there is no class "{only}"; there is {", ".join(CLASSES)}')
    target = None if url is None else _target(url)
    console = Console(stderr=True, highlight=False)
    lines = plan(_voices(voices), quick=quick) if only in (None, "commands") else []
    said = _speak(lines, console)
    spoken = [] if target or only == "commands" else talks.plan(quick=quick, only=only)
    report = anyio.run(_run, target, said, spoken, QUICK_HEAR_S if quick else None, console)
    _write(report, outputs)
    for line in render.complaints(report):
        console.print(line, style="yellow", markup=False)
    render.show(report, Console(highlight=False))
    return 0 if report.ok else 1


def _write(report: Report, outputs: Outputs) -> None:
    if outputs.json_file is not None:
        told = json.dumps(render.as_json(report), indent=1)
        outputs.json_file.write_text(told + "\n", encoding="utf-8")
    if outputs.markdown is not None:
        outputs.markdown.write_text(render.as_markdown(report), encoding="utf-8")
    if outputs.picture is not None:
        outputs.picture.write_text(picture.draw(report), encoding="utf-8")


async def _run(
    target: Target | None,
    said: list[tuple[Line, Fixture]],
    spoken: Sequence[talks.Spoken],
    hear_s: float | None,
    console: Console,
) -> Report:
    if target is not None:
        tell = _Progress(console, len(said))
        return summarise(await run(target, said, hear_s=hear_s, tell=tell.command))
    tell = _Progress(console, len(said) + len(spoken))
    report = summarise([])
    if said:
        report = await _run_commands(said, hear_s, tell, console)
    if spoken:
        report = join(report, await _run_talks(spoken, hear_s, tell, console))
    return report


async def _run_commands(
    said: list[tuple[Line, Fixture]], hear_s: float | None, tell: "_Progress", console: Console
) -> Report:
    """Commands, queries and chatter, with the engines that are built in."""
    console.print("starting a server with the built-in engines ...", style="dim")
    async with own_server() as server:
        await anyio.sleep(IDLE_S)
        memory: Memory | None = weigh(server.pid)
        measured = await run(_target(server.url), said, hear_s=hear_s, tell=tell.command)
    return summarise(measured, server.ready_s, memory)


async def _run_talks(
    spoken: Sequence[talks.Spoken], hear_s: float | None, tell: "_Progress", console: Console
) -> list[Held]:
    """Conversations, with engines that work by a script."""
    console.print("starting a server with scripted engines ...", style="dim")
    with tempfile.TemporaryDirectory() as folder:
        config, script = converse.write_config(Path(folder))
        async with own_server(config) as server:
            link = _target(server.url).device_url
            return await converse.hold(link, script, spoken, hear_s=hear_s, tell=tell.talk)


class _Progress:
    """A line for each sentence, so that a long run shows what it is at."""

    def __init__(self, console: Console, count: int) -> None:
        self._console = console
        self._count = count
        self._done = 0

    def command(self, m: Measured) -> None:
        line = m.line
        wrong = m.verdict is not Verdict.RIGHT
        self._tell(m.turn.first_audio_ms, m.verdict, line.voice, line.command.say, wrong=wrong)

    def talk(self, held: Held) -> None:
        how = "merged" if held.turn.merges else "cut" if held.cut_off else held.spoken.profile
        lost = held.lost_words and held.spoken.talk.kind != "barge-in"
        text = held.spoken.talk.text
        self._tell(held.turn.first_audio_ms, how, held.spoken.fixture.voice, text, wrong=lost)

    def _tell(self, ms: float | None, how: str, voice: str, text: str, *, wrong: bool) -> None:
        self._done += 1
        took = "   -  " if ms is None else f"{ms:4.0f} ms"
        said = f'{self._done:3}/{self._count}  {took}  {how:11}  {voice:8}  "{text}"'
        self._console.print(said, style="yellow" if wrong else "dim", markup=False)


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
