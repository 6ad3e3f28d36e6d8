"""What a run comes to: percentiles per class and stage, counts, and whether targets are met."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from parlour.app.virtual_turn import Turn
from parlour_bench.converse import Held
from parlour_bench.process import Memory
from parlour_bench.run import Measured, Verdict

# Milliseconds from the true end of speech to the first byte of the reply's sound: p50, p95.
TARGETS: Mapping[str, tuple[float | None, float | None]] = {
    "closed command": (150, 250),
    "extendable command": (400, 550),
}

PLAIN = "closed command"

RIGHT_SHARE = 0.90
MOST_FALSE_ACTIONS = 0
CUT_OFF_SHARE = 0.02
READY_S = 5.0
MEMORY_MB = 250.0


@dataclass(frozen=True, slots=True)
class Spread:
    """How values are spread; percentiles are interpolated between neighbours (numpy's linear)."""

    n: int
    p50: float
    p90: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Row:
    """The latency of one class of sentences. `ok` is false where a target is missed."""

    name: str
    spread: Spread
    target_p50_ms: float | None
    target_p95_ms: float | None

    @property
    def ok(self) -> bool:
        return _within(self.spread.p50, self.target_p50_ms) and _within(
            self.spread.p95, self.target_p95_ms
        )


@dataclass(frozen=True, slots=True)
class Check:
    """One figure that is not a latency, and the bound it has to keep."""

    what: str
    value: float
    bound: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Report:
    rows: Sequence[Row]
    stages: Mapping[str, Spread]  # from the true end of speech, over all commands
    verdicts: Mapping[str, Mapping[str, int]]  # voice -> verdict -> count, chatter apart
    checks: Sequence[Check]
    memory: Memory | None
    measured: Sequence[Measured]
    held: Sequence[Held] = ()
    speculation: Mapping[str, float] = field(default_factory=dict)
    waterfalls: Mapping[str, Mapping[str, Spread]] = field(default_factory=dict)
    latencies: Mapping[str, Sequence[float]] = field(default_factory=dict)  # class -> each, ms

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows) and all(check.ok for check in self.checks)


def spread(values: Iterable[float]) -> Spread | None:
    """None where there is no value."""
    found = np.fromiter(values, float)
    if not len(found):
        return None
    cuts = [round(float(cut), 1) for cut in np.percentile(found, (50, 90, 95, 99, 100))]
    return Spread(len(found), *cuts)


def summarise(
    measured: Sequence[Measured], ready_s: float | None = None, memory: Memory | None = None
) -> Report:
    """`ready_s` and `memory` only of a server of the bench's own."""
    spoken = [m for m in measured if m.line.command.kind != "chatter"]
    chatter = [m for m in measured if m.line.command.kind == "chatter"]
    closed = [m for m in spoken if m.row == PLAIN]
    return Report(
        _rows(spoken, chatter),
        _stages(spoken),
        _count(spoken),
        _checks(spoken, chatter, ready_s, memory),
        memory,
        measured,
        waterfalls={PLAIN: _stages(closed)} if closed else {},
        latencies={
            name: [*_latencies(m for m in spoken if m.row == name)]
            for name in sorted({m.row for m in spoken} & TARGETS.keys())
        },
    )


def true_stages_ms(measured: Measured) -> dict[str, float]:
    return true_stages_of(measured.turn)


def true_stages_of(turn: Turn) -> dict[str, float]:
    """The server's stamps counted from the true end of speech instead of the one it saw.

    Both clocks are laid upon each other at the first packet of the reply.
    """
    sent_ms = turn.stages_ms.get("sent_first")
    if turn.first_audio_ms is None or sent_ms is None:
        return {}
    late_ms = turn.first_audio_ms - sent_ms
    stages = {stage: ms + late_ms for stage, ms in turn.stages_ms.items()}
    stages.pop("speech_start", None)
    if turn.first_audible_s is not None:
        stages["audible"] = turn.first_audible_s * 1000
    return stages


def _rows(spoken: Sequence[Measured], chatter: Sequence[Measured]) -> list[Row]:
    classes: dict[str, list[Measured]] = {}
    for m in spoken:
        classes.setdefault(m.row, []).append(m)
    for m in spoken:
        classes.setdefault(f"voice: {m.line.voice}", []).append(m)
    classes["chatter"] = list(chatter)
    rows = []
    for name, members in classes.items():
        if found := spread(_latencies(members)):
            rows.append(row_of(name, found, TARGETS))
    return rows


def row_of(
    name: str, found: Spread, targets: Mapping[str, tuple[float | None, float | None]]
) -> Row:
    return Row(name, found, *targets.get(name, (None, None)))


def _latencies(measured: Iterable[Measured]) -> Iterable[float]:
    """Of all that were answered, right or wrong; one that was cut off would flatter the figure."""
    return (
        m.turn.first_audio_ms
        for m in measured
        if m.turn.first_audio_ms is not None and not m.cut_off
    )


def _stages(spoken: Sequence[Measured]) -> dict[str, Spread]:
    columns: dict[str, list[float]] = {}
    for m in spoken:
        if m.cut_off:
            continue
        for stage, ms in true_stages_ms(m).items():
            columns.setdefault(stage, []).append(ms)
    return {stage: found for stage, column in columns.items() if (found := spread(column))}


def _count(spoken: Sequence[Measured]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for m in spoken:
        row = counts.setdefault(
            m.line.voice, {"said": 0} | dict.fromkeys(Verdict, 0) | {"cut off": 0}
        )
        row["said"] += 1
        row[m.verdict] += 1
        row["cut off"] += m.cut_off
    return counts


def _checks(
    spoken: Sequence[Measured],
    chatter: Sequence[Measured],
    ready_s: float | None,
    memory: Memory | None,
) -> list[Check]:
    checks = []
    if spoken:
        right = sum(m.verdict is Verdict.RIGHT for m in spoken) / len(spoken)
        cut = sum(m.cut_off for m in spoken) / len(spoken)
        checks += [
            Check("commands that end right, %", percent(right), ">= 90", right >= RIGHT_SHARE),
            Check("early cut-offs, %", percent(cut), "<= 2", cut <= CUT_OFF_SHARE),
        ]
    if chatter:
        false = sum(m.verdict is Verdict.WRONG for m in chatter)
        what = f"actions by chatter, of {len(chatter)}"
        checks.append(Check(what, false, "0", false <= MOST_FALSE_ACTIONS))
    if ready_s is not None:
        checks.append(Check("start to ready, s", round(ready_s, 2), "<= 5", ready_s <= READY_S))
    if memory is not None:
        what = f"idle memory of {memory.processes} processes, MB (PSS)"
        checks.append(Check(what, memory.pss_mb, "<= 250", memory.pss_mb <= MEMORY_MB))
    return checks


def percent(share: float) -> float:
    return round(100 * share, 1)


def _within(value: float, target: float | None) -> bool:
    return target is None or value <= target
