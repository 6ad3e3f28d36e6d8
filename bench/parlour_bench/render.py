"""A report as tables for people and as JSON for programs."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from parlour_bench.converse import Held
from parlour_bench.report import PLAIN, Report, Row, Spread, true_stages_ms, true_stages_of
from parlour_bench.run import Measured, Verdict

STAGES = {
    "speech_end": "the server sees the end of speech",
    "vad_off": "the network agrees",
    "eager": "an answer begins to be prepared",
    "speculation_start": "the answer that is given was begun",
    "stt_final": "the words are known",
    "commit": "the turn is taken",
    "llm_first_token": "the first word of the answer",
    "first_clause": "its first clause",
    "tts_first": "its first sound is made",
    "sent_first": "its first sound is at the device",
    "played_first": "the device says it plays",
    "audible": "the first sound comes out of the speaker",
}


def as_json(report: Report) -> dict[str, object]:
    return {
        "bench": "voice-to-voice",
        "ok": report.ok,
        "rows": [_row(row) for row in report.rows],
        "details": {
            "checks": [asdict(check) for check in report.checks],
            "latency_ms": {row.name: asdict(row.spread) for row in report.rows},
            "stages_ms": {stage: asdict(found) for stage, found in report.stages.items()},
            "voices": report.verdicts,
            "speculation": report.speculation,
            "conversations": [_conversation(held) for held in report.held],
            "memory": None if report.memory is None else asdict(report.memory),
            "sentences": [_sentence(measured) for measured in report.measured],
        },
    }


def show(report: Report, console: Console) -> None:
    console.print("\nFrom the true end of speech to the first byte of the reply at the device, ms")
    console.print(_latencies(report))
    for name, stages in {"the commands": report.stages, **report.waterfalls}.items():
        if stages and name != PLAIN:
            console.print(f"\nEach stage, {name}, ms from the true end of speech")
            console.print(_stages(stages))
    if report.verdicts:
        console.print("\nWhat came of the commands")
        console.print(_verdicts(report))
    if report.speculation:
        told = ", ".join(f"{what} {value:g}" for what, value in report.speculation.items())
        console.print(f"\nAnswers prepared ahead of time: {told}")
    if report.memory:
        memory = report.memory
        console.print(
            f"\nThe idle server: {memory.processes} processes, RSS {memory.rss_mb:.0f} MB,"
            f" PSS {memory.pss_mb:.0f} MB, USS {memory.uss_mb:.0f} MB"
        )
    console.print()
    console.print(_checks(report))


def complaints(report: Report) -> Iterator[str]:
    """One line for each sentence that did not end right."""
    for m in report.measured:
        if m.verdict is not Verdict.RIGHT or m.cut_off:
            cut = ", cut off" if m.cut_off else ""
            yield f'{m.verdict}{cut} ({m.line.voice}) "{m.line.command.say}": {m.why}'
    for held in report.held:
        if held.lost_words and held.spoken.talk.kind != "barge-in":
            said, heard = held.spoken.talk.text, held.turn.transcript
            yield f'words lost ({held.spoken.fixture.voice}) "{said}": heard "{heard}"'


def _latencies(report: Report) -> Table:
    table = _table("", "n", "p50", "p90", "p95", "p99", "max", "target p50 / p95", "")
    for row in report.rows:
        target = f"{_bound(row.target_p50_ms)} / {_bound(row.target_p95_ms)}"
        bound = row.target_p50_ms is not None or row.target_p95_ms is not None
        verdict = ("met" if row.ok else "MISSED") if bound else ""
        table.add_row(row.name, *_cells(row.spread), target if bound else "", verdict)
    return table


def as_markdown(report: Report) -> str:
    """The tables of `show`, for a page."""
    lines = ["| class | n | p50 | p90 | p95 | p99 | max | target p50 / p95 | |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for row in report.rows:
        bound = row.target_p50_ms is not None
        target = f"{_bound(row.target_p50_ms)} / {_bound(row.target_p95_ms)}" if bound else ""
        verdict = ("met" if row.ok else "MISSED") if bound else ""
        lines.append(f"| {' | '.join([row.name, *_cells(row.spread), target, verdict])} |")
    for name, stages in report.waterfalls.items():
        lines += ["", f"| stage, {name} (ms) | n | p50 | p90 | p95 | p99 | max |"]
        lines.append("|---|---:|---:|---:|---:|---:|---:|")
        for stage, words in STAGES.items():
            if found := stages.get(stage):
                lines.append(f"| {' | '.join([words, *_cells(found)])} |")
    lines += ["", "| | measured | target | |", "|---|---:|---:|---|"]
    for check in report.checks:
        met = "met" if check.ok else "MISSED"
        lines.append(f"| {check.what} | {check.value:g} | {check.bound} | {met} |")
    for what, value in report.speculation.items():
        lines.append(f"| answers prepared ahead: {what} | {value:g} | | |")
    return "\n".join(lines) + "\n"


def _stages(found_stages: Mapping[str, Spread]) -> Table:
    table = _table("", "n", "p50", "p90", "p95", "p99", "max")
    for stage, words in STAGES.items():
        if found := found_stages.get(stage):
            table.add_row(words, *_cells(found))
    return table


def _verdicts(report: Report) -> Table:
    columns = ["said", *Verdict, "cut off"]
    table = _table("voice", *columns)
    for voice, counts in report.verdicts.items():
        table.add_row(voice, *(str(counts[column]) for column in columns))
    totals = [sum(counts[column] for counts in report.verdicts.values()) for column in columns]
    table.add_row("all", *map(str, totals), style="bold")
    return table


def _checks(report: Report) -> Table:
    table = _table("", "measured", "target", "")
    for check in report.checks:
        table.add_row(check.what, f"{check.value:g}", check.bound, "met" if check.ok else "MISSED")
    return table


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _cells(found: Spread) -> list[str]:
    values = (found.p50, found.p90, found.p95, found.p99, found.max)
    return [str(found.n), *(f"{value:.0f}" for value in values)]


def _bound(target: float | None) -> str:
    return "-" if target is None else f"{target:g}"


def _row(row: Row) -> dict[str, object]:
    return {
        "class": row.name,
        "n": row.spread.n,
        "p50_ms": row.spread.p50,
        "p95_ms": row.spread.p95,
        "target_p50_ms": row.target_p50_ms,
        "target_p95_ms": row.target_p95_ms,
        "ok": row.ok,
    }


def _conversation(held: Held) -> dict[str, object]:
    spoken = held.spoken
    return {
        "said": spoken.talk.text,
        "kind": spoken.talk.kind,
        "profile": spoken.profile,
        "voice": spoken.fixture.voice,
        "snr_db": spoken.snr_db,
        "pauses_ms": spoken.pauses_ms,
        "into": spoken.talk.into or spoken.talk.how,
        "cut_off": held.cut_off,
        "lost_words": held.lost_words,
        "words_unheard": held.words_unheard,
        "turns": [
            {
                "end": turn.end,
                "transcript": turn.transcript,
                "reply": turn.reply_text,
                "heard": turn.heard,
                "played_s": turn.played_s,
                "cut": turn.cut,
                "silenced_ms": turn.silenced_ms,
                "merges": turn.merges,
                "first_audio_ms": turn.first_audio_ms,
                "stages_ms": {k: round(v, 1) for k, v in true_stages_of(turn).items()},
                "speculation": asdict(turn.speculation),
                "underruns": turn.underruns,
                "faults": turn.faults,
            }
            for turn in held.turns
        ],
    }


def _sentence(m: Measured) -> dict[str, object]:
    return {
        "said": m.line.command.say,
        "voice": m.line.voice,
        "kind": m.line.command.kind,
        "verdict": m.verdict,
        "why": m.why,
        "cut_off": m.cut_off,
        "end": m.turn.end,
        "heard": m.turn.transcript,
        "reply": m.turn.reply_text,
        "actions": [asdict(action) for action in m.turn.actions],
        "first_audio_ms": m.turn.first_audio_ms,
        "stages_ms": {stage: round(ms, 1) for stage, ms in true_stages_ms(m).items()},
        "underruns": m.turn.underruns,
        "faults": m.turn.faults,
    }
