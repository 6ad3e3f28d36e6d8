"""A report for programs."""

from dataclasses import asdict

from parlour.app.virtual_turn import Turn
from parlour_bench.measured import Measured, true_stages_ms
from parlour_bench.report import Report, Row


def as_json(report: Report) -> dict[str, object]:
    """`rows` has a line for each class; all that is known of each utterance is in `details`."""
    return {
        "bench": "voice-to-voice",
        "how": report.how,
        "ok": report.ok,
        "ended": report.ended,
        "rows": [_row(row) for row in report.rows],
        "details": {
            "calibration_ms": report.calibration_ms,
            "checks": [asdict(check) for check in report.checks],
            "figures": {figure.what: figure.value for figure in report.figures},
            "latency_ms": {row.name: asdict(row.spread) for row in report.rows},
            "stages_ms": {
                name: {stage: asdict(found) for stage, found in stages.items()}
                for name, stages in report.stages.items()
            },
            "voices": report.verdicts,
            "memory": None if report.memory is None else asdict(report.memory),
            "utterances": [_measured(m) for m in report.measured],
        },
    }


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


def _measured(m: Measured) -> dict[str, object]:
    said = m.said
    return {
        "class": said.row,
        "said": said.utterance.text,
        "voice": said.voice,
        "profile": said.profile,
        "snr_db": said.snr_db,
        "pauses_ms": said.pauses_ms,
        "into": said.utterance.into or said.utterance.how,
        "into_s": said.into_s,
        "verdict": m.verdict,
        "why": m.why,
        "latency_ms": m.latency_ms,
        "cuts": m.cuts,
        "merges": m.merges,
        "lost_words": m.has_lost_words,
        "words_unheard": m.words_unheard,
        "turns": [_turn(turn) for turn in m.turns],
    }


def _turn(turn: Turn) -> dict[str, object]:
    return {
        "end": turn.end,
        "transcript": turn.transcript,
        "reply": turn.reply_text,
        "actions": [asdict(action) for action in turn.actions],
        "first_audio_ms": turn.first_audio_ms,
        "end_of_turn_ms": turn.end_of_turn_ms,
        "stages_ms": {stage: round(ms, 1) for stage, ms in true_stages_ms(turn).items()},
        "heard": turn.heard,
        "played_s": turn.played_s,
        "cut": turn.cut,
        "silenced_ms": turn.silenced_ms,
        "merges": turn.merges,
        "speculation": asdict(turn.speculation),
        "underruns": turn.underruns,
        "faults": turn.faults,
    }
