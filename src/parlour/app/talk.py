"""`parlour talk`: a device on the command line that says a WAV file to a server and shows the reply."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import anyio
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from parlour.app.virtual_device import DEADLINE_S, VirtualDevice
from parlour.app.virtual_dialogue import Line
from parlour.app.virtual_turn import Turn
from parlour.audio import HEARING_RATE_HZ, Pcm, read_wav, resample, write_wav
from parlour.errors import InputError, ParlourError
from parlour.events import Action
from parlour.wire.device_peer import FinalText, Heard, PartialText, Sentence
from parlour.wire.messages import MODES, Mode, Wake

STAGES = {
    "speech_start": "speech begins",
    "speech_end": "speech ends",
    "vad_off": "the network agrees",
    "eager": "an answer begins to be prepared",
    "speculation_start": "the answer that is given was begun",
    "stt_final": "the words are known",
    "commit": "the turn is taken",
    "llm_first_token": "the first word of the answer",
    "first_clause": "its first clause",
    "tts_first": "its first sound is made",
    "sent_first": "its first sound is sent",
    "played_first": "the device says it plays",
}


def talk(
    file: str,
    *,
    url: str,
    device: str,
    mode: str,
    save: Path | None,
    as_json: bool,
    deadline_s: float = DEADLINE_S,
    wake_dbfs: float | None = None,
) -> int:
    """Say `file` ("-": standard input) to the server and show what comes back.

    `wake_dbfs`: claim to have heard the wake word so loud; another device may then answer.

    Returns the exit code: 0 for an answer, 1 for anything else, with one line on stderr.
    """
    try:
        turn = _talk(file, url, device, mode, save, deadline_s, wake_dbfs)
        if as_json:
            typer.echo(json.dumps(describe(turn), ensure_ascii=False))
        else:
            _show(turn)
        if trouble := _trouble(turn, file, deadline_s):
            raise ParlourError(trouble)
    except ParlourError as error:
        typer.echo(f"parlour: {error}", err=True)
        return 1
    return 0


def describe(turn: Turn) -> dict[str, object]:
    """The turn as `--json` prints it."""
    return {
        "transcript": turn.transcript,
        "reply": turn.reply_text,
        "actions": [_describe_action(action) for action in turn.actions],
        "first_audio_ms": turn.first_audio_ms,
        "stages_ms": turn.stages_ms,
        "reply_audio_s": round(turn.reply.duration_s, 2),
        "heard": turn.heard,
        "merges": turn.merges,
        "speculation": asdict(turn.speculation),
    }


def talk_on(
    file: str,
    then: Sequence[str],
    after_ms: Sequence[int],
    *,
    url: str,
    device: str,
    as_json: bool,
    deadline_s: float = DEADLINE_S,
) -> int:
    """Say `file`, and each of `then` into the answer to the one before, on one open microphone.

    `after_ms` counts from when that answer began to be heard; the last one serves for all that
    follow. Returns the exit code.
    """
    try:
        waits_ms = [*after_ms, *([after_ms[-1] if after_ms else 0] * len(then))]
        lines = [Line(_read(file))]
        lines += [Line(_read(name), ms / 1000) for name, ms in zip(then, waits_ms, strict=False)]
        with _live() as watch:
            turns = anyio.run(_converse, lines, url, device, deadline_s, watch)
        if as_json:
            typer.echo(
                json.dumps({"turns": [_describe_part(t) for t in turns]}, ensure_ascii=False)
            )
        else:
            for turn in turns:
                _show(turn)
                _show_part(turn)
        if not turns or turns[-1].end == "no_reply":
            raise ParlourError(f"no reply came within {deadline_s:g} s")
    except ParlourError as error:
        typer.echo(f"parlour: {error}", err=True)
        return 1
    return 0


async def _converse(
    lines: Sequence[Line],
    url: str,
    device: str,
    deadline_s: float,
    watch: Callable[[Heard], None],
) -> list[Turn]:
    async with VirtualDevice(url, device, mode="realtime") as virtual:
        return await virtual.converse(lines, deadline_s=deadline_s, watch=watch)


def _describe_part(turn: Turn) -> dict[str, object]:
    return describe(turn) | {
        "end": turn.end,
        "cut": turn.cut,
        "silenced_ms": turn.silenced_ms,
        "played_s": turn.played_s,
    }


def _show_part(turn: Turn) -> None:
    console = Console(highlight=False)
    if turn.silenced_ms is not None:
        how = "cut off" if turn.cut else "held"
        console.print(f"{how} {turn.silenced_ms:.0f} ms after somebody spoke into it", style="dim")
    if turn.cut:
        console.print(Text("heard  ", "dim") + Text(turn.heard or "(nothing)", "yellow"))
    console.print()


def _read(file: str) -> Pcm:
    sound = resample(read_wav(sys.stdin.buffer if file == "-" else Path(file)), HEARING_RATE_HZ)
    if not len(sound.samples):
        raise InputError(f"{_name(file)} holds no sound")
    return sound


def _talk(
    file: str,
    url: str,
    device: str,
    mode: str,
    save: Path | None,
    deadline_s: float,
    wake_dbfs: float | None,
) -> Turn:
    sound = _read(file)
    if save is not None and not save.parent.is_dir():
        raise InputError(f"cannot save to {save}: there is no folder {save.parent}")
    with _live() as watch:
        wake = None if wake_dbfs is None else Wake(level_dbfs=wake_dbfs)
        turn = anyio.run(_speak, sound, url, device, _mode(mode), deadline_s, watch, wake)
    if save is not None and turn.packets:
        write_wav(save, turn.reply)
    return turn


async def _speak(
    sound: Pcm,
    url: str,
    device: str,
    mode: Mode,
    deadline_s: float,
    watch: Callable[[Heard], None],
    wake: Wake | None,
) -> Turn:
    async with VirtualDevice(url, device, mode=mode) as virtual:
        return await virtual.speak(sound, deadline_s=deadline_s, watch=watch, wake=wake)


@contextmanager
def _live() -> Iterator[Callable[[Heard], None]]:
    """Show what is heard and said as it comes, on one line of the terminal, then wipe it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with Live(Text("listening", "dim"), console=console, transient=True) as live:

        def watch(heard: Heard) -> None:
            match heard:
                case PartialText(text=text, stable_chars=stable):
                    live.update(Text(text[:stable]) + Text(text[stable:], "dim"))
                case FinalText(text=text):
                    live.update(Text(text, "bold"))
                case Sentence(text=text):
                    live.update(Text(text, "green"))
                case _:
                    pass

        yield watch


def _show(turn: Turn) -> None:
    console = Console(highlight=False)
    console.print(Text("you    ", "dim") + Text(turn.transcript or "(nothing understood)"))
    for sentence in turn.sentences:
        console.print(Text("reply  ", "dim") + Text(sentence, "green"))
    for action in turn.actions:
        console.print(Text("did    ", "dim") + _tell_action(action))
    for fault in turn.faults:
        console.print(Text("fault  ", "dim") + Text(fault, "red"))
    if turn.stages_ms or turn.packets:
        console.print()
        console.print(_table(turn))


def _table(turn: Turn) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    table.add_column("ms from the end of speech", justify="right")
    table.add_column("ms for this stage", justify="right")
    before: float | None = None
    for stage, at_ms in turn.stages_ms.items():
        took = "" if before is None or stage == "speech_end" else f"{at_ms - before:.0f}"
        table.add_row(STAGES.get(stage, stage), f"{at_ms:.0f}", took)
        before = at_ms
    if turn.first_audio_ms is not None:
        # Another clock: from the end of the sound in the file, not from where the server saw it.
        table.add_row("first sound at the device", f"{turn.first_audio_ms:.0f}", "", style="bold")
    return table


def _tell_action(action: Action) -> Text:
    told = Text(f"{action.target} {action.verb}")
    if action.value is not None:
        told.append(f" {action.value}")
    return told.append(" (confirmed)" if action.confirmed else " (not confirmed)", "dim")


def _describe_action(action: Action) -> dict[str, object]:
    return {
        "target": action.target,
        "verb": action.verb,
        "value": action.value,
        "confirmed": action.confirmed,
    }


def _trouble(turn: Turn, file: str, deadline_s: float) -> str | None:
    """Why the turn is no answer, in one sentence."""
    match turn.end:
        case "no_reply":
            return f"no reply came within {deadline_s:g} s; the server's /health may say why"
        case "no_speech":
            return f"the server heard nobody speak in {_name(file)}"
        case "failed":
            return "the server could not answer; its log says why"
        case "lost":
            return "another device answers"
        case "cancelled":
            return "the turn was cut off; does another device have the same id?"
        case _:
            return None


def _mode(name: str) -> Mode:
    for mode in MODES:
        if mode == name:
            return mode
    raise InputError(f'there is no mode "{name}"; it is one of {", ".join(MODES)}')


def _name(file: str) -> str:
    return "the input" if file == "-" else file
