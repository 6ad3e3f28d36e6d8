"""What conversations come to: latencies per class, and counts of what went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from parlour_bench.converse import Held
from parlour_bench.report import Check, Report, Row, Spread, percent, row_of, spread, true_stages_of

# Milliseconds from the true end of speech to the first byte of the reply's sound: p50, p95.
TARGETS: Mapping[str, tuple[float | None, float | None]] = {
    "open question, groq": (400, 1000),
    "open question, ollama-warm": (600, 1200),
    "barge-in to silence": (210, 240),
}
MERGED_SHARE = 0.95


def join(report: Report, held: Sequence[Held]) -> Report:
    """The report with conversations added to it."""
    asked = "open question, groq"
    latencies = {
        row: [m for one in held if one.spoken.row == row and (m := _first_ms(one)) is not None]
        for row in TARGETS
    }
    return replace(
        report,
        rows=[*report.rows, *rows(held)],
        checks=[*report.checks, *checks(held)],
        held=held,
        speculation=speculation(held),
        waterfalls={**report.waterfalls, asked: stages(held, asked)},
        latencies={**report.latencies, **{k: v for k, v in latencies.items() if v}},
    )


def _first_ms(one: Held) -> float | None:
    quiet = one.spoken.snr_db is None and not one.cut_off
    return one.turn.first_audio_ms if quiet else None


def rows(held: Sequence[Held]) -> list[Row]:
    classes: dict[str, list[float]] = {}
    for one in held:
        name = one.spoken.row
        if one.spoken.snr_db is not None:
            name = f"{name}, noise {one.spoken.snr_db:.0f} dB"
        first_ms = one.turn.first_audio_ms
        if first_ms is not None and not one.cut_off and one.spoken.talk.kind != "barge-in":
            classes.setdefault(name, []).append(first_ms)
    classes["barge-in to silence"] = [
        turn.silenced_ms
        for one in held
        for turn in one.turns
        if one.spoken.talk.how == "words" and turn.silenced_ms is not None
    ]
    return [
        row_of(name, found, TARGETS)
        for name, values in classes.items()
        if (found := spread(values)) is not None
    ]


def stages(held: Sequence[Held], row: str) -> dict[str, Spread]:
    columns: dict[str, list[float]] = {}
    for one in held:
        if one.spoken.row == row and not one.cut_off and one.spoken.snr_db is None:
            for stage, ms in true_stages_of(one.turn).items():
                columns.setdefault(stage, []).append(ms)
    return {stage: found for stage, column in columns.items() if (found := spread(column))}


def checks(held: Sequence[Held]) -> list[Check]:
    found = [*_merges(held), *_interruptions(held)]
    answered = sum(bool(one.turn.packets) for one in held)
    found.append(
        Check("conversations without any answer", len(held) - answered, "0", answered == len(held))
    )
    lost = sum(one.lost_words for one in held if one.spoken.talk.kind != "barge-in")
    found.append(Check("turns in which a word was lost", lost, "0", lost == 0))
    gaps = sum(turn.underruns for one in held for turn in one.turns)
    found.append(Check("gaps in the speech of answers", gaps, "0", gaps == 0))
    return found


def speculation(held: Sequence[Held]) -> dict[str, float]:
    """What preparing ahead brought, over all turns."""
    told = [turn.speculation for one in held for turn in one.turns]
    tried = [one for one in told if one.tries]
    return {
        "turns": len(told),
        "hit rate, %": percent(sum(one.hit for one in tried) / max(1, len(tried))),
        "extra calls per turn": round(sum(o.extra_calls for o in told) / max(1, len(told)), 2),
        "wasted tokens per turn": round(sum(o.wasted_tokens for o in told) / max(1, len(told)), 2),
    }


def _merges(held: Sequence[Held]) -> list[Check]:
    open_turns = [one for one in held if one.spoken.talk.kind in ("question", "paused")]
    cut = [one for one in open_turns if one.cut_off]
    whole = sum(not one.lost_words for one in cut)
    share = whole / len(cut) if cut else 1.0
    return [
        Check(
            f"cut open turns ({len(cut)} of {len(open_turns)}) merged without loss, %",
            percent(share),
            ">= 95",
            share >= MERGED_SHARE,
        )
    ]


def _interruptions(held: Sequence[Held]) -> list[Check]:
    barged = [one for one in held if one.spoken.talk.kind == "barge-in"]
    if not barged:
        return []
    words = [one for one in barged if one.spoken.talk.how == "words"]
    missed = sum(not one.turn.cut for one in words)
    false = sum(one.turn.cut for one in barged if one.spoken.talk.how != "words")
    unheard = sum(one.words_unheard for one in held)
    return [
        Check(f"interruptions that were missed, of {len(words)}", missed, "0", missed == 0),
        Check(
            f"answers cut by a cough or assent, of {len(barged) - len(words)}",
            false,
            "0",
            false == 0,
        ),
        Check("words in memory that were not heard", unheard, "0", unheard == 0),
    ]
