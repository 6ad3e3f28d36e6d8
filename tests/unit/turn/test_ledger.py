"""Which words of an answer were heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.turn.ledger import PREBUFFER_S, Ledger

RATE = 1000  # a sample is a millisecond
TEXT = "one two three four"  # 18 letters


def _sent(length_ms: int = 1800) -> Ledger:
    ledger = Ledger(RATE)
    ledger.add(TEXT, 0, length_ms)
    ledger.close()
    ledger.sent(length_ms, 0.0)
    return ledger


@pytest.mark.parametrize(
    ("played_ms", "heard"),
    [(0, ""), (299, ""), (300, "one"), (699, "one"), (700, "one two"), (1800, TEXT)],
)
def test_only_words_that_were_played_to_their_end_were_heard(played_ms: int, heard: str) -> None:
    ledger = _sent()
    ledger.played(played_ms, 0, 5.0)
    assert ledger.heard(5.0) == heard


def test_between_reports_the_clock_goes_on_but_not_beyond_what_was_buffered() -> None:
    ledger = _sent()
    ledger.played(300, 400, 5.0)
    assert ledger.played_s(5.2) == pytest.approx(0.5)
    assert ledger.played_s(9.0) == pytest.approx(0.7)


def test_a_device_that_never_reports_is_followed_by_its_clock() -> None:
    ledger = _sent()
    assert ledger.heard(PREBUFFER_S) == ""
    assert ledger.heard(PREBUFFER_S + 0.7) == "one two"
    assert ledger.heard(99.0) == TEXT


def test_a_pause_stops_the_clock() -> None:
    for reports in (False, True):
        ledger = _sent()
        if reports:
            ledger.played(0, 1800, PREBUFFER_S)
        ledger.pause(PREBUFFER_S + 0.4)
        assert ledger.played_s(50.0) == pytest.approx(0.4)
        ledger.resume(50.0)
        assert ledger.played_s(50.3) == pytest.approx(0.7, abs=0.002)


def test_a_report_that_cannot_be_true_is_not_believed() -> None:
    ledger = _sent()
    ledger.played(500, 0, 1.0)
    for played_ms in (400, 99_999, 2**32 - 1):
        ledger.played(played_ms, 0, 1.1)
    assert ledger.faults == 3
    assert ledger.played_s(1.1) == pytest.approx(0.5)
    ledger.played(600, 2**32 - 1, 1.2)  # a buffer larger than all that was sent
    assert ledger.played_s(99.0) <= 1.8


def test_of_a_text_that_is_still_being_made_less_is_believed() -> None:
    ledger = Ledger(RATE)
    ledger.add(TEXT, 0, 500)  # its first half a second
    ledger.sent(500, 0.0)
    ledger.played(500, 0, 1.0)
    assert ledger.heard(1.0) == "one"
    ledger.extend(600)
    ledger.close()
    assert ledger.heard(1.0) == "one two three"


@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 500)), max_size=8),
)
def test_whatever_a_device_reports_what_was_heard_is_a_beginning_of_what_was_sent(
    lengths: list[int], reports: list[tuple[int, int]]
) -> None:
    ledger, at, texts = Ledger(RATE), 0, []
    for n, length in enumerate(lengths):
        texts.append(f"clause {n} here")
        ledger.add(texts[-1], at, at + length)
        ledger.close()
        at += length
    ledger.sent(at, 0.0)
    now_s = 0.0
    for played_ms, buffered_ms in reports:
        now_s += 0.1
        ledger.played(played_ms, buffered_ms, now_s)
        heard = ledger.heard(now_s)
        assert " ".join(texts).startswith(heard)
        assert ledger.played_s(now_s) <= at / RATE
