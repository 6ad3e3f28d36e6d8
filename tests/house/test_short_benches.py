"""The benches in their short form: on any machine, by ratios to what it can do at this minute."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.mark.parametrize("bench", ["voice-to-voice", "capacity"])
def test_the_short_form_of_a_bench_meets_its_ratios(bench: str, tmp_path: Path) -> None:
    told = tmp_path / "report.json"
    ended = subprocess.run(
        [sys.executable, "-m", "parlour", "bench", bench, "--short", "--json", str(told)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(told.read_text())
    assert report["ok"] is True
    wanted = {"class", "n", "p50_ms", "p95_ms", "target_p50_ms", "target_p95_ms", "ok"}
    assert report["rows"]
    assert all(row.keys() >= wanted for row in report["rows"])
