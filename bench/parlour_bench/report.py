"""What a run comes to: latencies per class and stage, and whether targets are met."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parlour_bench.checks import Check, Figure, checks, figures
from parlour_bench.manifest import Kind
from parlour_bench.measured import Measured, Verdict
from parlour_bench.process import Memory
from parlour_bench.run import Run

Bounds = Mapping[str, tuple[float, float]]

# Milliseconds from the true end of speech to the first byte of the reply's sound: p50, p95.
# Of what is said into an answer, from its first sound to silence.
TARGETS: Bounds = {
    "closed command": (150, 250),
    "extendable command": (400, 550),
    "open question, groq": (400, 1000),
    "open question, ollama-warm": (600, 1200),
    "barge-in to silence": (210, 240),
}

# In which order classes are told; others follow.
ORDER = (
    "closed command",
    "extendable command",
    "other command",
    "open question, groq",
    "open question, ollama-warm",
    "open question, ollama",
    "open question, slow",
    "open question, flaky",
    "with pauses inside",
    "self-correction",
    "self-correction, groq",
    "short answer",
    "short answer, groq",
    "barge-in to silence",
    "chatter",
)


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
    """The latency of one class of utterances. `ok` is false where a target is missed."""

    name: str
    spread: Spread
    target_p50_ms: float | None = None
    target_p95_ms: float | None = None

    @property
    def ok(self) -> bool:
        return _within(self.spread.p50, self.target_p50_ms) and _within(
            self.spread.p95, self.target_p95_ms
        )


@dataclass(frozen=True, slots=True)
class Report:
    how: str  # what was said, in words
    rows: Sequence[Row]
    stages: Mapping[str, Mapping[str, Spread]]  # class -> stage -> from the true end of speech
    latencies: Mapping[str, Sequence[float]]  # class -> each, ms
    verdicts: Mapping[str, Mapping[str, int]]  # voice -> verdict -> count, of quiet commands
    checks: Sequence[Check]
    figures: Sequence[Figure]
    memory: Memory | None
    measured: Sequence[Measured]
    ended: str = ""  # why the run ended before its end
    calibration_ms: float | None = None  # then targets are multiples of it

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows) and all(check.ok for check in self.checks)


def summarise(
    run: Run,
    how: str = "",
    *,
    ready_s: float | None = None,
    memory: Memory | None = None,
    targets: Bounds = TARGETS,
    calibration_ms: float | None = None,
) -> Report:
    """`ready_s` and `memory` only of a server of the bench's own. With a calibration nothing is
    held against figures in seconds or megabytes."""
    measured = run.measured
    latencies = _by_class(measured)
    relative = calibration_ms is not None
    return Report(
        how,
        _rows(measured, latencies, targets),
        {name: _stages(m for m in measured if m.said.row == name) for name in latencies},
        latencies,
        _count(m for m in measured if m.said.kind is Kind.COMMAND and m.said.snr_db is None),
        checks(measured, None if relative else ready_s, None if relative else memory),
        figures(measured),
        memory,
        measured,
        f"{run.ended} after {len(measured)} of {run.planned}" if run.ended else "",
        calibration_ms,
    )


def spread(values: Iterable[float]) -> Spread | None:
    """None where there is no value."""
    found = np.fromiter(values, float)
    if not len(found):
        return None
    cuts = [round(float(cut), 1) for cut in np.percentile(found, (50, 90, 95, 99, 100))]
    return Spread(len(found), *cuts)


def is_noisy(name: str) -> bool:
    """Whether a class is of what was said in noise."""
    return name.endswith(" dB")


def _by_class(measured: Iterable[Measured]) -> dict[str, list[float]]:
    classes: dict[str, list[float]] = {}
    for m in measured:
        if (ms := m.latency_ms) is not None:
            classes.setdefault(m.said.row, []).append(ms)
    return {name: classes[name] for name in sorted(classes, key=_place)}


def _place(name: str) -> tuple[bool, int, str]:
    plain = name.rpartition(", ")[0] if is_noisy(name) else name
    return is_noisy(name), ORDER.index(plain) if plain in ORDER else len(ORDER), name


def _rows(
    measured: Sequence[Measured], latencies: Mapping[str, Sequence[float]], targets: Bounds
) -> list[Row]:
    rows = [_row(name, values, targets) for name, values in latencies.items()]
    commands = [m for m in measured if m.said.kind is Kind.COMMAND and m.said.snr_db is None]
    for what in (lambda m: f"closed, {m.said.voice}", lambda m: f"closed, {m.said.utterance.asks}"):
        rows += _part(commands, what, targets)
    return rows


def _part(
    commands: Iterable[Measured], what: Callable[[Measured], str], targets: Bounds
) -> list[Row]:
    """The closed commands once more, by something that may explain the figure."""
    parts: dict[str, list[float]] = {}
    for m in commands:
        if m.said.row == "closed command" and m.latency_ms is not None:
            parts.setdefault(what(m), []).append(m.latency_ms)
    return [_row(name, values, targets) for name, values in parts.items() if len(parts) > 1]


def _row(name: str, values: Iterable[float], targets: Bounds) -> Row:
    found = spread(values)
    assert found is not None, "a class has a value"
    bound = targets.get(name)
    return Row(name, found) if bound is None else Row(name, found, *bound)


def _stages(measured: Iterable[Measured]) -> dict[str, Spread]:
    columns: dict[str, list[float]] = {}
    for m in measured:
        for stage, ms in m.stages_ms.items():
            columns.setdefault(stage, []).append(ms)
    return {stage: found for stage, column in columns.items() if (found := spread(column))}


def _count(commands: Iterable[Measured]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for m in commands:
        row = counts.setdefault(
            m.said.voice, {"said": 0} | dict.fromkeys(Verdict, 0) | {"cut off": 0}
        )
        row["said"] += 1
        row[m.verdict] += 1
        row["cut off"] += m.cuts > 0
    return counts


def _within(value: float, target: float | None) -> bool:
    return target is None or value <= target
