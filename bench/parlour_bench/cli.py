"""`parlour bench voice-to-voice`: from the options of the command line to a report."""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from rich.console import Console

from parlour.errors import InputError
from parlour_bench import as_json, picture, plan, render
from parlour_bench.calibrate import bounds, calibrate
from parlour_bench.fixtures import MORE_VOICES, can_speak
from parlour_bench.manifest import Kind
from parlour_bench.plan import ALL_VOICES, Group, Said
from parlour_bench.progress import Progress
from parlour_bench.report import TARGETS, Report, summarise
from parlour_bench.run import Run, Servers, Target, own_servers, run, target_of

QUICK_HEAR_S = 0.5  # of each reply: a quick run measures how it begins, a full one hears it out
CLASSES = {
    "commands": (Kind.COMMAND, Kind.CHATTER),
    **{kind.value: (kind,) for kind in Kind if kind is not Kind.COMMAND},
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a report goes besides the terminal."""

    json_file: Path | None = None
    markdown: Path | None = None
    picture: Path | None = None

    def check(self) -> None:
        """Raise InputError if one of them cannot be written."""
        for file in (self.json_file, self.markdown, self.picture):
            if file is not None and not file.parent.is_dir():
                raise InputError(f"cannot write {file}: there is no folder {file.parent}")
        if self.picture is not None and self.picture.suffix != ".svg":
            raise InputError(f"cannot draw {self.picture}: pictures are .svg")

    def write(self, report: Report) -> None:
        if self.json_file is not None:
            told = json.dumps(as_json.as_json(report), indent=1)
            self.json_file.write_text(told + "\n", encoding="utf-8")
        if self.markdown is not None:
            self.markdown.write_text(render.as_markdown(report), encoding="utf-8")
        if self.picture is not None:
            self.picture.write_text(picture.draw(report), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be said."""

    quick: bool = False  # a fixed choice of everything, in under five minutes
    short: bool = False  # half a minute, and verdicts that hold on any machine
    voices: str | None = None  # a list with commas; None: all that can speak here
    only: str | None = None  # one of CLASSES


def voice_to_voice(
    choice: Choice | None = None, *, outputs: Outputs | None = None, url: str | None = None
) -> int:
    """Run the bench and print its report. Returns 0 if every target is met, else 1.

    `url` is a running server's device link, to which only what its home must understand is said;
    without it servers of the bench's own are started. Raises ParlourError if it cannot run.
    """
    choice, outputs = choice or Choice(), outputs or Outputs()
    outputs.check()
    target = None if url is None else _target(url)
    console = Console(stderr=True, highlight=False)
    said = _planned(choice, console)
    if target is not None:
        said = [one for one in said if one.group is Group.EMBEDDED]
    if not said:
        raise InputError("there is nothing to say: the class, the voices and the URL exclude all")
    report = anyio.run(_run, choice, target, said, console)
    outputs.write(report)
    for line in render.complaints(report):
        console.print(line, style="yellow", markup=False, soft_wrap=True)
    render.show(report, Console(highlight=False))
    return 0 if report.ok else 1


def _planned(choice: Choice, console: Console) -> list[Said]:
    if choice.only is not None and choice.only not in CLASSES:
        raise InputError(f'there is no class "{choice.only}"; there is {", ".join(CLASSES)}')
    voices = _voices(choice.voices, console)
    if choice.short:
        said = plan.short()
    elif choice.quick:
        said = plan.quick(voices)
    else:
        said = plan.full(voices)
    kinds = tuple(Kind) if choice.only is None else CLASSES[choice.only]
    return [one for one in said if one.kind in kinds]


async def _run(
    choice: Choice, target: Target | None, said: Sequence[Said], console: Console
) -> Report:
    hear_s = QUICK_HEAR_S if choice.quick or choice.short else None
    calibration_ms = await calibrate() if choice.short else None
    if target is not None:
        servers = Servers({Group.EMBEDDED: target})
        done = await run(servers, said, hear_s=hear_s, tell=Progress(console, len(said)).tell)
    else:
        console.print("starting servers ...", style="dim")
        with tempfile.TemporaryDirectory() as folder:
            groups = {one.group for one in said}
            async with own_servers(groups, Path(folder)) as servers:
                tell = Progress(console, len(said)).tell
                done = await run(servers, said, hear_s=hear_s, tell=tell)
    if calibration_ms is not None:
        calibration_ms = (calibration_ms + await calibrate()) / 2
    return summarise(
        done,
        _how(choice, done),
        ready_s=servers.ready_s,
        memory=servers.memory,
        targets=TARGETS if calibration_ms is None else bounds(calibration_ms),
        calibration_ms=calibration_ms,
    )


def _how(choice: Choice, done: Run) -> str:
    said = len(done.measured)
    voices = ", ".join(sorted({m.said.voice for m in done.measured}))
    if choice.short:
        what = "A short run: a few commands and questions, judged by multiples of a calibration"
    elif choice.quick:
        what = "A quick run: of each class a fixed share, chosen by a seed; replies are cut short"
    else:
        what = "A full run: everything in every voice, room and speed of model"
    return f"{what}; {said} utterances by {voices}."


def _voices(given: str | None, console: Console) -> list[str]:
    wanted = [voice.strip() for voice in (given or ",".join(ALL_VOICES)).split(",")]
    unknown = [voice for voice in wanted if voice not in ALL_VOICES]
    if unknown:
        names = ", ".join(ALL_VOICES)
        raise InputError(f'no voice "{", ".join(unknown)}": the bench has {names}')
    voices = [voice for voice in wanted if can_speak(voice)]
    if missing := [voice for voice in wanted if voice not in voices]:
        program = "espeak-ng" if missing[0] in MORE_VOICES else "flite"
        if not voices or program == "flite":
            raise InputError(f"the bench speaks with {program}: `apt-get install {program}`")
        console.print(f"without {program} the voices {', '.join(missing)} are left out")
    return voices


def _target(url: str) -> Target:
    """Take the device link or the HTTP address of a server, and make both of it."""
    match = re.fullmatch(r"(ws|http)(s?)://([^/]+)(/device)?/?", url)
    if match is None:
        raise InputError(f"{url} is no device link: it looks like ws://127.0.0.1:8000/device")
    _, secure, host, _ = match.groups()
    return target_of(f"http{secure}://{host}")
