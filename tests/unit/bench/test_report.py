import json

import numpy as np
import pytest

from measured_turns import measured
from parlour_bench.as_json import as_json
from parlour_bench.manifest import Kind
from parlour_bench.measured import Measured, Verdict
from parlour_bench.process import Memory
from parlour_bench.report import Report, Row, Spread, spread, summarise
from parlour_bench.run import Run


def _report(*members: Measured) -> Report:
    return summarise(Run(members, len(members)), "A test.")


def _row(report: Report, name: str) -> Row:
    return next(row for row in report.rows if row.name == name)


def test_percentiles_are_those_of_numpy() -> None:
    values = [float(n) for n in range(1, 101)]
    assert spread(values) == Spread(100, 50.5, 90.1, 95.0, 99.0, 100.0)
    assert np.percentile(values, 95) == pytest.approx(95.05)


def test_one_value_is_every_percentile() -> None:
    assert spread([7.0]) == Spread(1, 7.0, 7.0, 7.0, 7.0, 7.0)


def test_no_value_has_no_percentile() -> None:
    assert spread([]) is None


def test_classes_are_told_apart_and_in_their_order() -> None:
    report = _report(
        measured(2000, kind=Kind.CHATTER),
        measured(380, kind=Kind.QUESTION, profile="groq"),
        measured(900, snr_db=5.0),
        measured(140),
    )
    assert [row.name for row in report.rows] == [
        "closed command",
        "open question, groq",
        "chatter",
        "closed command, 5 dB",
    ]


def test_a_target_is_held_against_the_median_and_the_tail() -> None:
    assert _row(_report(measured(150)), "closed command").ok
    assert not _row(_report(measured(151)), "closed command").ok
    slow_tail = [measured(100)] * 9 + [measured(900)]
    assert not _row(_report(*slow_tail), "closed command").ok
    assert _row(_report(measured(900, kind=Kind.CHATTER)), "chatter").ok


def test_closed_commands_are_told_by_voice_where_there_are_several() -> None:
    names = [row.name for row in _report(measured(100), measured(120, voice="rms")).rows]
    assert names == ["closed command", "closed, slt", "closed, rms"]


def test_a_cut_off_turn_is_counted_and_kept_out_of_the_latencies() -> None:
    report = _report(measured(130), measured(50))
    assert _row(report, "closed command").spread.n == 1
    assert report.verdicts["slt"]["cut off"] == 1
    assert not report.ok


def test_the_stages_of_each_class_are_told() -> None:
    report = _report(measured(350), measured(380, kind=Kind.QUESTION, profile="groq"))
    assert report.stages["closed command"]["commit"].p50 == 250
    assert report.stages["open question, groq"]["commit"].p50 == 280


def test_start_and_memory_are_checked_only_of_a_server_of_our_own() -> None:
    run = Run([measured(130)], 1)
    own = summarise(run, ready_s=5.1, memory=Memory(3, 400, 249, 200))
    assert [(check.value, check.ok) for check in own.checks[-2:]] == [(5.1, False), (249, True)]
    assert len(summarise(run).checks) == len(own.checks) - 2


def test_with_a_calibration_nothing_is_held_against_absolute_figures() -> None:
    run = Run([measured(400)], 1)
    targets = {"closed command": (500.0, 900.0)}
    report = summarise(
        run, ready_s=60.0, memory=Memory(3, 400, 900, 200), targets=targets, calibration_ms=250.0
    )
    assert report.ok
    assert _row(report, "closed command").target_p50_ms == 500


def test_a_run_that_ended_early_says_how_far_it_came() -> None:
    report = summarise(Run([measured(130)], 80, "interrupted"))
    assert report.ended == "interrupted after 1 of 80"


def test_the_json_has_a_row_for_each_class_with_its_targets() -> None:
    told = json.loads(json.dumps(as_json(_report(measured(130), measured(170)))))
    assert told["bench"] == "voice-to-voice"
    assert told["rows"][0] == {
        "class": "closed command",
        "n": 2,
        "p50_ms": 150,
        "p95_ms": 168,
        "target_p50_ms": 150,
        "target_p95_ms": 250,
        "ok": True,
    }
    assert told["details"]["stages_ms"]["closed command"]["commit"]["p50"] == 50
    assert told["details"]["utterances"][0]["verdict"] == "right"
    assert told["details"]["utterances"][0]["turns"][0]["first_audio_ms"] == 130


def test_an_unanswered_command_has_no_latency_and_is_not_right() -> None:
    nine = [measured(130)] * 8 + [measured(None, verdict=Verdict.UNANSWERED)] * 2
    report = _report(*nine)
    assert _row(report, "closed command").spread.n == 8
    right = next(check for check in report.checks if "right" in check.what)
    assert (right.value, right.ok) == (80.0, False)
