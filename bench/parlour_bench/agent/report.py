"""What a run comes to: right and wrong per class, why, and how long turns took."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from parlour.app.tables import print_table
from parlour_bench.agent.run import Done
from parlour_bench.agent.tasks import CLASSES
from parlour_bench.report import Spread, spread


@dataclass(frozen=True, slots=True)
class Row:
    """Of a class of tasks; a task counts for the worst of its reasons."""

    name: str
    right: int
    wrong: int
    left_out: int
    reasons: Counter[str]
    latency_ms: Spread | None


@dataclass(frozen=True, slots=True)
class Report:
    model: str
    rows: Sequence[Row]
    whole: Row
    done: Sequence[Done]
    ready_s: float
    took_s: float
    prompt_chars: Spread | None

    @property
    def ok(self) -> bool:
        return not self.whole.wrong


def summarise(
    done: Sequence[Done],
    *,
    model: str = "scripted",
    ready_s: float = 0.0,
    took_s: float = 0.0,
    prompt_chars: Sequence[int] = (),
) -> Report:
    rows = [_row(kind, [d for d in done if d.task.kind == kind]) for kind in CLASSES]
    return Report(
        model,
        [row for row in rows if row.right + row.wrong + row.left_out],
        _row("all", done),
        done,
        ready_s,
        took_s,
        spread(prompt_chars),
    )


def _row(name: str, done: Sequence[Done]) -> Row:
    wrong = [d for d in done if d.problems]
    return Row(
        name,
        sum(d.is_right for d in done),
        len(wrong),
        sum(bool(d.missing) for d in done),
        Counter(d.problems[0].reason.value for d in wrong),
        spread(ms for d in done for ms in d.latencies_ms),
    )


def show(report: Report, *, verbose: bool = False) -> None:
    names = ("class", "right", "wrong", "left out", "p50 ms", "p95 ms", "why")
    print_table(names, [_cells(row) for row in (*report.rows, report.whole)])
    for done in report.done:
        for problem in done.problems:
            typer.echo(f"{done.task.id}: {problem.reason}: {problem.text}")
        if verbose:
            _show_talk(done)
    if missing := sorted({name for d in report.done for name in d.missing}):
        typer.echo(f"left out, since the server offers no {', '.join(missing)}")
    prompt = report.prompt_chars
    size = f"; prompts of {prompt.p50:.0f} characters, p95 {prompt.p95:.0f}" if prompt else ""
    typer.echo(f"{report.model}: ready after {report.ready_s:.1f} s, {report.took_s:.1f} s{size}")


def _cells(row: Row) -> tuple[str, ...]:
    times = row.latency_ms
    why = ", ".join(f"{reason} {count}" for reason, count in row.reasons.most_common())
    ms = ("", "") if times is None else (f"{times.p50:.0f}", f"{times.p95:.0f}")
    return row.name, str(row.right), str(row.wrong), str(row.left_out), *ms, why


def _show_talk(done: Done) -> None:
    for turn, reply in zip(done.task.turns, done.replies, strict=False):
        typer.echo(f"  {done.task.id}: {turn.text} -> {reply}")


def as_json(report: Report) -> dict[str, object]:
    return {
        "bench": "agent",
        "model": report.model,
        "ok": report.ok,
        "ready_s": round(report.ready_s, 2),
        "took_s": round(report.took_s, 2),
        "prompt_chars": None if report.prompt_chars is None else _spread(report.prompt_chars),
        "rows": [_as_row(row) for row in (*report.rows, report.whole)],
        "tasks": [_as_task(done) for done in report.done],
    }


def _as_row(row: Row) -> dict[str, object]:
    return {
        "class": row.name,
        "n": row.right + row.wrong,
        "right": row.right,
        "wrong": row.wrong,
        "left_out": row.left_out,
        "reasons": dict(row.reasons),
        "latency_ms": None if row.latency_ms is None else _spread(row.latency_ms),
        "ok": not row.wrong,
    }


def _spread(found: Spread) -> dict[str, float]:
    return {"n": found.n, "p50": found.p50, "p95": found.p95, "max": found.max}


def _as_task(done: Done) -> dict[str, object]:
    turns = [
        {"text": turn.text, "reply": reply, "ms": round(ms, 1), "requests": asked}
        for turn, reply, ms, asked in zip(
            done.task.turns, done.replies, done.latencies_ms, done.requests, strict=False
        )
    ]
    return {
        "id": done.task.id,
        "class": done.task.kind,
        "right": done.is_right,
        "missing": list(done.missing),
        "problems": [{"reason": p.reason, "text": p.text} for p in done.problems],
        "turns": turns,
    }
