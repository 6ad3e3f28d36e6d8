from xml.etree import ElementTree as ET

from rich.console import Console

from measured_turns import measured
from parlour_bench.manifest import Kind
from parlour_bench.measured import Verdict
from parlour_bench.picture import draw
from parlour_bench.process import Memory
from parlour_bench.render import as_markdown, complaints, show
from parlour_bench.report import Report, summarise
from parlour_bench.run import Run


def _report() -> Report:
    members = [
        measured(900, verdict=Verdict.MISSED),
        measured(380, kind=Kind.QUESTION, profile="groq"),
        measured(390, kind=Kind.QUESTION, profile="groq"),
    ]
    return summarise(
        Run(members, 9, "interrupted"), "A test.", ready_s=1.0, memory=Memory(3, 300, 200, 150)
    )


def test_the_tables_show_what_was_missed() -> None:
    console = Console(width=160, highlight=False)
    with console.capture() as capture:
        show(_report(), console)
    shown = capture.get()
    assert "MISSED" in shown
    assert "the turn is taken" in shown
    assert "idle memory, PSS, MB" in shown
    assert "The run ended early: interrupted after 3 of 9." in shown


def test_on_a_narrow_terminal_no_label_is_broken() -> None:
    console = Console(width=80, highlight=False)
    with console.capture() as capture:
        show(_report(), console)
    assert "it comes out of the speaker" in capture.get()


def test_the_markdown_has_the_same_tables() -> None:
    told = as_markdown(_report())
    assert "| closed command | 1 | 900 | 900 | 900 | 900 | 900 | 150/250 | MISSED |" in told
    assert "| the turn is taken | 800 / 800 | 285 / 290 |" in told
    for line in told.splitlines():
        assert not line.startswith("|") or line.endswith("|")


def test_each_utterance_that_went_wrong_is_named() -> None:
    assert list(complaints(_report())) == [
        'missed (closed command, slt) "turn on the kitchen light": because'
    ]


def test_noise_is_nothing_to_complain_of() -> None:
    noisy = measured(verdict=Verdict.MISSED, snr_db=5.0)
    assert not list(complaints(summarise(Run([noisy], 1))))


def test_the_picture_is_an_svg_with_each_class() -> None:
    root = ET.fromstring(draw(_report()))
    texts = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "open question, groq: the median of 2 turns, ms" in texts
    assert "patience: is the turn over?" in texts
    assert "open question, groq" in texts


def test_there_is_a_picture_of_nothing() -> None:
    ET.fromstring(draw(summarise(Run([], 0))))
