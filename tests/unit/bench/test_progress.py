import io

from rich.console import Console

from measured_turns import measured
from parlour_bench.measured import Verdict
from parlour_bench.progress import FIRST, Progress


def test_each_utterance_has_a_line_and_after_a_few_the_rest_is_estimated() -> None:
    told = io.StringIO()
    progress = Progress(Console(file=told, width=40), FIRST + 1)
    for _ in range(FIRST):
        progress.tell(measured(132))
    progress.tell(measured(None, verdict=Verdict.MISSED))
    lines = told.getvalue().splitlines()
    assert len(lines) == FIRST + 1
    assert "132 ms  right" in lines[0]
    assert '"turn on the kitchen light"' in lines[0]
    assert "-0:00" in lines[FIRST - 1]
    assert "missed" in lines[-1]
