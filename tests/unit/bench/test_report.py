import json

import numpy as np
import pytest
from rich.console import Console

from parlour.app.virtual_turn import Turn
from parlour_bench.process import Memory
from parlour_bench.render import as_json, complaints, show
from parlour_bench.report import Report, Row, Spread, spread, summarise, true_stages_ms
from parlour_bench.run import Measured, Verdict
from parlour_bench.scenario import Command, Line

STAGES = {"speech_start": -900.0, "speech_end": 0.0, "commit": 200.0, "sent_first": 300.0}


def _measured(
    first_ms: float | None = 350,
    *,
    kind: str = "command",
    voice: str = "slt",
    verdict: Verdict = Verdict.RIGHT,
    stages: dict[str, float] = STAGES,
) -> Measured:
    turn = Turn(stages_ms=dict(stages), end="answered")
    if first_ms is not None:
        turn.packets = [(first_ms / 1000, 60)]
        turn.first_audible_s = first_ms / 1000 + 0.08
    return Measured(Line(Command("turn on the light", kind), voice), turn, verdict, "because")


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


def test_stages_are_counted_from_the_true_end_of_speech() -> None:
    # The server saw the end of speech 50 ms late: its first packet came at 350, it says 300.
    assert true_stages_ms(_measured(350)) == {
        "speech_end": 50,
        "commit": 250,
        "sent_first": 350,
        "audible": pytest.approx(430),
    }


def test_a_turn_without_stamps_has_no_stages() -> None:
    assert true_stages_ms(_measured(350, stages={})) == {}
    assert true_stages_ms(_measured(None)) == {}


def test_commands_are_measured_apart_from_chatter_and_by_kind_and_voice() -> None:
    report = summarise(
        [
            _measured(300),
            _measured(500, kind="query", voice="rms"),
            _measured(2000, kind="chatter"),
        ]
    )
    assert _row(report, "commands").spread.p50 == 400
    assert _row(report, "kind: query").spread.p50 == 500
    assert _row(report, "voice: slt").spread == Spread(1, 300, 300, 300, 300, 300)
    assert _row(report, "chatter").spread.p50 == 2000


def test_a_cut_off_turn_is_counted_and_kept_out_of_the_latencies() -> None:
    report = summarise([_measured(300), _measured(50)])  # 50 - (300 - 200) = -50 ms
    assert _row(report, "commands").spread == Spread(1, 300, 300, 300, 300, 300)
    assert report.verdicts["slt"]["cut off"] == 1
    assert not report.ok


def test_an_unanswered_command_has_no_latency_and_is_not_right() -> None:
    report = summarise([_measured(300)] * 8 + [_measured(None, verdict=Verdict.UNANSWERED)] * 2)
    assert _row(report, "commands").spread.n == 8
    right = next(check for check in report.checks if "right" in check.what)
    assert (right.value, right.ok) == (80.0, False)


def test_nine_of_ten_right_are_enough_and_slow_ones_are_not() -> None:
    nine = [_measured(300)] * 9
    assert summarise([*nine, _measured(300, verdict=Verdict.MISSED)]).ok
    slow = summarise([_measured(701)])
    assert not _row(slow, "commands").ok
    assert not slow.ok


def test_one_action_by_chatter_misses_the_target() -> None:
    quiet = [_measured(kind="chatter")] * 29
    assert summarise([_measured(), *quiet]).ok
    assert not summarise([_measured(), *quiet, _measured(kind="chatter", verdict=Verdict.WRONG)]).ok


def test_start_and_memory_are_checked_only_of_a_server_of_our_own() -> None:
    assert len(summarise([_measured()]).checks) == 2
    own = summarise([_measured()], ready_s=5.1, memory=Memory(3, 400, 249, 200))
    assert [(check.value, check.ok) for check in own.checks[2:]] == [(5.1, False), (249, True)]


def test_the_json_has_a_row_for_each_class_with_its_targets() -> None:
    told = json.loads(json.dumps(as_json(summarise([_measured(300), _measured(500)]))))
    assert told["bench"] == "voice-to-voice"
    assert told["rows"][0] == {
        "class": "commands",
        "n": 2,
        "p50_ms": 400,
        "p95_ms": 490,
        "target_p50_ms": 700,
        "target_p95_ms": None,
        "ok": True,
    }
    assert told["details"]["stages_ms"]["commit"]["p50"] == 300
    assert told["details"]["sentences"][0]["verdict"] == "right"


def test_the_tables_show_what_was_missed() -> None:
    console = Console(width=160, record=True, quiet=False, file=None, highlight=False)
    with console.capture() as capture:
        show(
            summarise([_measured(900, verdict=Verdict.MISSED)], 1.0, Memory(3, 300, 200, 150)),
            console,
        )
    shown = capture.get()
    assert "MISSED" in shown
    assert "the turn is taken" in shown
    assert "3 processes, RSS 300 MB, PSS 200 MB, USS 150 MB" in shown


def test_each_sentence_that_went_wrong_is_named() -> None:
    report = summarise([_measured(), _measured(verdict=Verdict.MISSED)])
    assert list(complaints(report)) == ['missed (slt) "turn on the light": because']
