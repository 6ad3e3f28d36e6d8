"""When somebody begins and ends to speak."""

from hypothesis import given
from hypothesis import strategies as st

from parlour.ports import Verdict
from parlour.turn.endpoint import (
    Decision,
    EndOfTurn,
    Endpoint,
    EndpointPolicy,
    Phase,
    Reason,
    SpeechOnset,
)

WINDOW = 512  # samples: 32 ms
POLICY = EndpointPolicy()


def _hear(endpoint: Endpoint, at: int, voiced: str) -> tuple[list[Decision], int]:
    """Feed windows: `#` is voiced, `.` is silent. Returns the decisions and where it stopped."""
    decisions = []
    for mark in voiced:
        decision = endpoint.hear(0.9 if mark == "#" else 0.1, at, at + WINDOW)
        at += WINDOW
        if decision is not None:
            decisions.append(decision)
    return decisions, at


def _ms(samples: int) -> float:
    return samples / 16


def test_one_loud_window_is_a_click_and_two_are_speech() -> None:
    endpoint = Endpoint(POLICY, 0)
    assert _hear(endpoint, 0, "..#...")[0] == []
    decisions, _ = _hear(endpoint, 6 * WINDOW, "##")
    assert decisions == [SpeechOnset(6 * WINDOW)]


def test_a_closed_command_ends_after_its_own_silence_and_an_unknown_one_after_more() -> None:
    for verdict, patience_ms in (
        (Verdict.CLOSED, POLICY.closed_ms),
        (Verdict.OPEN, POLICY.open_ms),
        (Verdict.INCOMPLETE, POLICY.unknown_ms),
        (Verdict.NONE, POLICY.unknown_ms),
    ):
        endpoint = Endpoint(POLICY, 0)
        _, spoken = _hear(endpoint, 0, "####")
        endpoint.believe(verdict)
        decisions, _ = _hear(endpoint, spoken, "." * 40)
        (end,) = decisions
        assert isinstance(end, EndOfTurn)
        assert end.reason is Reason.SILENCE
        assert end.speech_end == spoken
        assert patience_ms <= _ms(end.sample - spoken) < patience_ms + 32


def test_a_verdict_that_comes_late_in_the_pause_still_ends_it_early() -> None:
    endpoint = Endpoint(POLICY, 0)
    _, at = _hear(endpoint, 0, "####" + "." * 10)
    assert endpoint.phase is Phase.PAUSED
    endpoint.believe(Verdict.CLOSED)
    decisions, _ = _hear(endpoint, at, ".")
    assert [type(d) for d in decisions] == [EndOfTurn]


def test_speech_that_resumes_within_the_pause_goes_on() -> None:
    endpoint = Endpoint(POLICY, 0)
    decisions, at = _hear(endpoint, 0, "####" + "." * 10 + "####")
    assert decisions == [SpeechOnset(0)]
    assert endpoint.phase is Phase.SPEAKING
    decisions, _ = _hear(endpoint, at, "." * 40)
    assert [d.speech_end for d in decisions if isinstance(d, EndOfTurn)] == [at]


def test_nobody_speaking_ends_the_turn_at_its_limit() -> None:
    endpoint = Endpoint(POLICY, 1000)
    windows = round(POLICY.no_speech_s * 16_000 / WINDOW)
    decisions, _ = _hear(endpoint, 1000, "." * (windows + 5))
    assert [d.reason for d in decisions if isinstance(d, EndOfTurn)] == [Reason.NO_SPEECH]


def test_a_radio_that_never_stops_is_cut_at_the_limit() -> None:
    endpoint = Endpoint(POLICY, 0)
    windows = round(POLICY.longest_s * 16_000 / WINDOW)
    decisions, _ = _hear(endpoint, 0, "#" * (windows + 5))
    assert [d.reason for d in decisions if isinstance(d, EndOfTurn)] == [Reason.TOO_LONG]


def test_silence_ends_nothing_while_the_button_is_held() -> None:
    endpoint = Endpoint(POLICY, 0, hands_off=True)
    decisions, at = _hear(endpoint, 0, "####" + "." * 100)
    assert decisions == [SpeechOnset(0)]
    end = endpoint.release(at)
    assert end is not None
    assert end.reason is Reason.RELEASED
    assert endpoint.release(at) is None


def test_a_button_pressed_in_silence_is_no_speech() -> None:
    endpoint = Endpoint(POLICY, 0, hands_off=True)
    _, at = _hear(endpoint, 0, "....")
    end = endpoint.release(at)
    assert end is not None
    assert end.reason is Reason.NO_SPEECH


@given(st.text(alphabet="#.", max_size=400), st.sampled_from(list(Verdict)))
def test_there_is_one_onset_at_most_and_one_end_at_most_in_this_order(
    voiced: str, verdict: Verdict
) -> None:
    endpoint = Endpoint(POLICY, 0)
    endpoint.believe(verdict)
    decisions, _ = _hear(endpoint, 0, voiced)
    kinds = [type(d) for d in decisions]
    assert kinds in ([], [SpeechOnset], [EndOfTurn], [SpeechOnset, EndOfTurn])
    if kinds == [EndOfTurn]:
        assert decisions[0] == EndOfTurn(Reason.NO_SPEECH, 0, decisions[0].sample)
