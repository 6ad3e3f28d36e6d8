"""What is told of a run, and drawn."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from parlour.errors import InputError
from parlour_bench.wake import report
from parlour_bench.wake.command import Outputs, size, wake
from parlour_bench.wake.report import Row, Targets
from parlour_bench.wake.run import OURS, ROUGH, Size, simulate

ROW = Row(OURS, 0.991, 0.9, 0.02, 0, 0, 150.0, 200.0, 0.0)
TARGETS = Targets(right=0.99, near=0.88, late_p95_ms=30.0)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (ROW, []),
        (replace(ROW, right=0.98), ["right room 99%"]),
        (replace(ROW, near=0.8, doubles=1), ["nearest 88%", "no double answers"]),
        (replace(ROW, late_p95_ms=31.0), ["window + 30 ms"]),
    ],
)
def test_each_target_is_missed_by_name(row: Row, found: list[str]) -> None:
    assert report.missed(row, TARGETS) == found
    assert replace(row, targets=TARGETS).ok == (not found)


def test_a_small_run_meets_its_targets_and_is_the_same_again() -> None:
    found, _ = simulate(Size(600, 20, 3))
    again, _ = simulate(Size(600, 20, 3))
    assert found.blocks == again.blocks
    for block in found.blocks:
        rows = {row.rule: row for row in block.rows}
        assert rows[OURS].right >= 0.98
        assert rows[OURS].doubles == rows[ROUGH].doubles == rows[OURS].unanswered == 0
        assert rows["first to arrive (Home Assistant)"].right < 0.67


def test_a_run_writes_its_report_and_its_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, drawn = tmp_path / "wake.json", tmp_path / "wake.svg"
    wake(Size(300, 15, 3), Outputs(told, drawn))
    assert "gains 6 dB apart, 5% of the claims held up" in capsys.readouterr().out
    settings = json.loads(told.read_text())["settings"]
    assert [one["gain_spread_db"] for one in settings] == [0.0, 3.0, 6.0]
    texts = [node.text for node in ElementTree.parse(drawn).iter() if node.tag.endswith("text")]
    assert "came first" in texts


def test_a_picture_of_another_kind_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pictures are \.svg"):
        wake(Size(), Outputs(None, tmp_path / "wake.png"))
    with pytest.raises(InputError, match="there is no folder"):
        wake(Size(), Outputs(tmp_path / "none" / "wake.json"))


def test_what_is_not_asked_for_is_as_usual() -> None:
    assert size(None, None, 1) == Size(24_000, 400, 1)
    assert size(50, None, 2, short=True).homes == 100
    assert size(None, None, 1, render=True).wakes == 400
