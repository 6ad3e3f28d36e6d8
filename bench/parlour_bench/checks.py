"""Counts of what must not go wrong, and figures that are told without a verdict."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from parlour.events import Speculation
from parlour_bench.manifest import Kind
from parlour_bench.measured import Measured, Verdict
from parlour_bench.plan import Group
from parlour_bench.process import Memory

RIGHT_SHARE = 0.90
CUT_OFF_SHARE = 0.02
MERGED_SHARE = 0.95
READY_S = 5.0
MEMORY_MB = 250.0


@dataclass(frozen=True, slots=True)
class Check:
    """One figure that is not a latency, and the bound it has to keep."""

    what: str
    value: float
    bound: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure for which there is no bound."""

    what: str
    value: float


def checks(
    measured: Sequence[Measured], ready_s: float | None, memory: Memory | None
) -> list[Check]:
    found = [*_home(measured), *_talks(measured), *_interruptions(measured)]
    gaps = sum(turn.underruns for m in measured for turn in m.turns)
    found.append(_none("gaps in the sound of answers", gaps))
    if ready_s is not None:
        found.append(Check("start to ready, s", round(ready_s, 2), "<= 5", ready_s <= READY_S))
    if memory is not None:
        what = f"idle memory of {memory.processes} processes, MB (PSS)"
        found.append(Check(what, memory.pss_mb, "<= 250", memory.pss_mb <= MEMORY_MB))
    return found


def figures(measured: Sequence[Measured]) -> list[Figure]:
    """What cut-offs and the preparing of answers ahead of time brought and cost."""
    found = [*_pauses(measured), *_speculation(measured)]
    words = [m for m in measured if m.said.utterance.how == "words"]
    if words:
        share = percent(m.turn.end == "merged" for m in words)
        found.append(Figure("interruptions taken for the rest of the question, %", share))
    corrections = [m for m in measured if m.said.kind is Kind.CORRECTION and not m.said.profile]
    for verdict in (Verdict.RIGHT, Verdict.WRONG) if corrections else ():
        share = percent(m.verdict is verdict for m in corrections)
        found.append(Figure(f"self-corrections that end {verdict}, %", share))
    noisy = [m for m in measured if m.said.kind is Kind.COMMAND and m.said.snr_db is not None]
    for snr_db in sorted({m.said.snr_db for m in noisy if m.said.snr_db}, reverse=True):
        share = percent(m.verdict is Verdict.RIGHT for m in noisy if m.said.snr_db == snr_db)
        found.append(Figure(f"commands that end right in noise, {snr_db:.0f} dB, %", share))
    return found


def percent(flags: Iterable[bool]) -> float:
    """The share of those that are true; 0 of none."""
    known = list(flags)
    return round(100 * sum(known) / max(1, len(known)), 1)


def _home(measured: Sequence[Measured]) -> list[Check]:
    quiet = [m for m in measured if m.said.snr_db is None]
    commands = [m for m in quiet if m.said.kind is Kind.COMMAND]
    harmless = [m for m in quiet if m.said.kind is Kind.CHATTER]
    found = []
    if commands:
        right = percent(m.verdict is Verdict.RIGHT for m in commands)
        cut = percent(m.cuts > 0 for m in commands)
        found += [
            Check("commands that end right, %", right, ">= 90", right >= 100 * RIGHT_SHARE),
            Check("commands cut off, %", cut, "<= 2", cut <= 100 * CUT_OFF_SHARE),
        ]
    if harmless:
        false = sum(m.verdict is Verdict.WRONG for m in harmless)
        found.append(_none(f"actions by chatter, of {len(harmless)}", false))
    return found


def _talks(measured: Sequence[Measured]) -> list[Check]:
    talks = [m for m in measured if m.said.group is Group.SPOKEN]
    if not talks:
        return []
    found = [
        _none("conversations without an answer", sum(not m.turn.packets for m in talks)),
        _none("conversations in which a word was lost", sum(m.has_lost_words for m in talks)),
    ]
    # What was done in the home cannot be taken back, so that such turns are never merged.
    cut = [m for m in talks if m.cuts and m.said.utterance.answer]
    if cut:
        whole = percent(m.merges > 0 and not m.has_lost_words for m in cut)
        what = f"cut questions ({len(cut)} of {len(talks)}) merged without loss, %"
        found.append(Check(what, whole, ">= 95", whole >= 100 * MERGED_SHARE))
    return found


def _interruptions(measured: Sequence[Measured]) -> list[Check]:
    barged = [m for m in measured if m.said.kind is Kind.BARGE_IN]
    if not barged:
        return []
    words = [m for m in barged if m.said.utterance.how == "words"]
    others = [m for m in barged if m.said.utterance.how != "words"]
    missed = sum(not m.turn.cut for m in words)
    false = sum(m.turn.cut for m in others)
    unheard = sum(m.words_unheard for m in barged)
    return [
        _none(f"interruptions that were missed, of {len(words)}", missed),
        _none(f"answers cut by a cough or a mhm, of {len(others)}", false),
        _none("words in memory that were not heard", unheard),
    ]


def _pauses(measured: Sequence[Measured]) -> list[Figure]:
    paused = [m for m in measured if m.said.kind is Kind.PAUSED]
    pauses = sum(len(m.said.pauses_ms) for m in paused)
    if not pauses:
        return []
    cut = sum(min(m.cuts, len(m.said.pauses_ms)) for m in paused)
    return [
        Figure(f"pauses taken for the end, of {pauses}, %", round(100 * cut / pauses, 1)),
        Figure("turns with pauses that were cut, %", percent(m.cuts > 0 for m in paused)),
    ]


def _speculation(measured: Sequence[Measured]) -> list[Figure]:
    talks = [m for m in measured if m.said.profile]
    told = [turn.speculation for m in talks for turn in m.turns]
    if not told:
        return []
    return [
        Figure(
            "answers prepared ahead that were given, %", percent(o.hit for o in told if o.tries)
        ),
        Figure("further calls of the model per turn", _mean(told, lambda o: o.extra_calls)),
        Figure("wasted tokens per turn", _mean(told, lambda o: o.wasted_tokens)),
    ]


def _mean(told: Sequence[Speculation], value: Callable[[Speculation], int]) -> float:
    return round(sum(map(value, told)) / len(told), 2)


def _none(what: str, count: int) -> Check:
    return Check(what, count, "0", count == 0)
