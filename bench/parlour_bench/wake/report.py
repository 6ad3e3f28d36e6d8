"""What a run comes to: how often each rule chose right, and whether our own meets its targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import typer

from parlour.app.tables import print_table
from parlour_bench.wake import physics
from parlour_bench.wake.homes import Flags, Wave
from parlour_bench.wake.rules import NOBODY, Outcome
from parlour_bench.wake.wakes import Setting, Wakes

NEAR_M = 0.5


@dataclass(frozen=True, slots=True)
class Targets:
    right: float | None = None  # shares, at least
    near: float | None = None
    answers: bool = True  # one device and no more
    late_p95_ms: float | None = None  # after the window


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The wakes of one home by one rule; arrays count those that are counted, or all."""

    right: Flags
    near: Flags
    taken_over: Flags
    decided_ms: Wave
    late_ms: Wave  # after the window
    doubles: int  # of all wakes
    unanswered: int  # of all that came to the server


@dataclass(frozen=True, slots=True)
class Row:
    rule: str
    right: float  # shares of the counted wakes
    near: float
    taken_over: float
    doubles: int  # counts of all wakes
    unanswered: int
    p50_ms: float
    p95_ms: float
    late_p95_ms: float
    targets: Targets | None = None

    @property
    def ok(self) -> bool:
        return self.targets is None or not missed(self, self.targets)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Of one setting: how many hear a wake, and what a choice at random would come to."""

    setting: Setting
    wakes: int
    counted: int
    several: float  # share of wakes that two or more hear
    claims: float  # of a wake, mean
    unheard: float  # share of wakes that no device in the talker's room heard
    chance: float  # share of right rooms if one is taken at random


@dataclass(frozen=True, slots=True)
class Block:
    crowd: Crowd
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Report:
    how: str
    homes: int
    seed: int
    blocks: Sequence[Block]
    took_s: float

    @property
    def ok(self) -> bool:
        return all(row.ok for block in self.blocks for row in block.rows)


def missed(row: Row, targets: Targets) -> list[str]:
    """What of it, in words."""
    found = []
    if targets.right is not None and row.right < targets.right:
        found.append(f"right room {targets.right:.0%}")
    if targets.near is not None and row.near < targets.near:
        found.append(f"nearest {targets.near:.0%}")
    if targets.answers and row.doubles:
        found.append("no double answers")
    if targets.late_p95_ms is not None and row.late_p95_ms > targets.late_p95_ms:
        found.append(f"window + {targets.late_p95_ms:.0f} ms")
    return found


def judge(wakes: Wakes, outcome: Outcome) -> Judged:
    counted, every = wakes.is_counted, np.arange(len(wakes.heard))
    away_m = physics.distances_m(wakes.home, wakes.scenes.talker_m)
    nearest_m = np.where(wakes.heard & wakes.is_here, away_m, np.inf).min(axis=1)
    right = wakes.is_here[every, outcome.winner] & (outcome.winner != NOBODY)
    near = right & (away_m[every, outcome.winner] <= nearest_m + NEAR_M)
    return Judged(
        right[counted],
        near[counted],
        outcome.taken_over[counted],
        1000 * outcome.decided_s[counted],
        1000 * (outcome.decided_s - outcome.window_s)[counted],
        int((outcome.answers > 1).sum()),
        int((wakes.heard.any(axis=1) & (outcome.winner == NOBODY)).sum()),
    )


def row(rule: str, judged: Sequence[Judged], targets: Targets | None = None) -> Row:
    decided = np.concatenate([one.decided_ms for one in judged])
    late = np.concatenate([one.late_ms for one in judged])
    decided, late = decided[np.isfinite(decided)], late[np.isfinite(late)]
    p50, p95 = np.percentile(decided, (50, 95)) if len(decided) else (np.inf, np.inf)
    return Row(
        rule,
        _share([one.right for one in judged]),
        _share([one.near for one in judged]),
        _share([one.taken_over for one in judged]),
        sum(one.doubles for one in judged),
        sum(one.unanswered for one in judged),
        float(p50),
        float(p95),
        float(np.percentile(late, 95)) if len(late) else np.inf,
        targets,
    )


def crowd(setting: Setting, wakes: Sequence[Wakes]) -> Crowd:
    heard = np.concatenate([one.heard.sum(axis=1) for one in wakes])
    here = np.concatenate([(one.heard & one.is_here).sum(axis=1) for one in wakes])
    counted = np.concatenate([one.is_counted for one in wakes])
    return Crowd(
        setting,
        len(heard),
        int(counted.sum()),
        float((heard >= 2).mean()),
        float(heard.mean()),
        float((here == 0).mean()),
        float((here[counted] / heard[counted]).mean()) if counted.any() else 0.0,
    )


def _share(flags: Sequence[Flags]) -> float:
    every = np.concatenate(flags)
    return float(every.mean()) if len(every) else 0.0


def show(report: Report) -> None:
    head = (
        "rule",
        "right room %",
        "nearest %",
        "double",
        "taken over %",
        "p50 ms",
        "p95 ms",
        "late p95",
        "",
    )
    for block in report.blocks:
        of = block.crowd
        typer.echo(f"{of.setting.name}, {of.setting.stalls:.0%} of the claims held up")
        print_table(head, [_cells(one) for one in block.rows])
        typer.echo(
            f"{of.counted} of {of.wakes} wakes leave a choice; {of.several:.1%} are heard twice or"
            f" more, by {of.claims:.1f} on average; {of.unheard:.1%} by none in the talker's room;"
            f" one at random is in the right room in {of.chance:.0%}"
        )
        typer.echo("")
    typer.echo(
        f"{report.how}: {report.homes} homes, seed {report.seed}, {report.took_s:.1f} s."
        f" nearest: at most {NEAR_M} m further than the nearest of the room; ms: from the first"
        " claim to the first decision, late: after the end of the window."
    )


def _cells(one: Row) -> tuple[str, ...]:
    verdict = ""
    if one.targets is not None:
        failed = missed(one, one.targets)
        verdict = f"MISSED: {', '.join(failed)}" if failed else "met"
    return (
        one.rule,
        f"{100 * one.right:.1f}",
        f"{100 * one.near:.1f}",
        str(one.doubles),
        f"{100 * one.taken_over:.1f}",
        f"{one.p50_ms:.0f}",
        f"{one.p95_ms:.0f}",
        f"{one.late_p95_ms:.0f}",
        verdict,
    )


def as_json(report: Report) -> Mapping[str, object]:
    return {
        "bench": "wake",
        "how": report.how,
        "homes": report.homes,
        "seed": report.seed,
        "took_s": round(report.took_s, 1),
        "ok": report.ok,
        "settings": [_as_block(block) for block in report.blocks],
    }


def _as_block(block: Block) -> Mapping[str, object]:
    of = block.crowd
    return {
        "name": of.setting.name,
        "gain_spread_db": of.setting.gain_db,
        "stalls": of.setting.stalls,
        "wakes": of.wakes,
        "counted": of.counted,
        "heard_by_several": round(of.several, 4),
        "claims_per_wake": round(of.claims, 2),
        "unheard_in_room": round(of.unheard, 4),
        "chance": round(of.chance, 4),
        "rules": [_as_row(one) for one in block.rows],
    }


def _as_row(one: Row) -> Mapping[str, object]:
    return {
        "rule": one.rule,
        "right_room": round(one.right, 5),
        "nearest": round(one.near, 5),
        "double_answers": one.doubles,
        "unanswered": one.unanswered,
        "taken_over": round(one.taken_over, 5),
        "decided_p50_ms": round(one.p50_ms, 1),
        "decided_p95_ms": round(one.p95_ms, 1),
        "late_p95_ms": round(one.late_p95_ms, 1),
        "ok": one.ok,
        "missed": [] if one.targets is None else missed(one, one.targets),
    }
