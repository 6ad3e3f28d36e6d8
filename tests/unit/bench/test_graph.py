"""What the graph costs, measured in short."""

import pytest

from parlour_bench.graph import graph


def test_the_graph_is_measured_and_cancelled_within_its_limit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    graph(20, 40, None)
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()[1:3]] == ["none", "sqlite"]
    assert "40 turns, a tenth of them cut off" in told
