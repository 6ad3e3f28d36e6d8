import pytest

from measured_turns import STAGES, said, turn
from parlour.app.virtual_turn import Turn
from parlour_bench.manifest import Kind
from parlour_bench.measured import Measured, Verdict, true_stages_ms, unheard_words


def _measured(*turns: Turn, kind: Kind = Kind.COMMAND, how: str = "") -> Measured:
    return Measured(said(kind, profile="groq", how=how), turns, Verdict.RIGHT)


def test_stages_are_counted_from_the_true_end_of_speech() -> None:
    # The server saw the end of speech 50 ms late: its first packet came at 350, it says 300.
    assert true_stages_ms(turn(350)) == {
        "speech_end": 50,
        "commit": 250,
        "sent_first": 350,
        "audible": pytest.approx(430),
    }


def test_a_turn_without_stamps_has_no_stages() -> None:
    assert true_stages_ms(turn(350, {})) == {}
    assert true_stages_ms(turn(None)) == {}


def test_a_turn_that_ended_before_the_speaker_did_is_cut_off_and_has_no_latency() -> None:
    early = _measured(turn(50))  # 50 - (300 - 200) = -50 ms
    assert early.cuts == 1
    assert early.first_audio_ms is None
    assert early.stages_ms == {}


def test_a_turn_that_was_merged_is_a_cut_whose_answer_counts() -> None:
    merged = turn(350)
    merged.merges = 2
    one = _measured(merged)
    assert (one.cuts, one.merges) == (2, 2)
    assert one.first_audio_ms == 350


def test_the_turn_that_counts_is_the_one_that_the_others_were_merged_into() -> None:
    first, second = turn(100), turn(350)
    first.end = "merged"
    one = _measured(first, second)
    assert one.turn is second
    assert one.merges == 1


def test_what_is_reported_of_an_interruption_is_the_time_to_silence() -> None:
    cut = turn(350)
    cut.silenced_ms = 120.0
    assert _measured(cut, kind=Kind.BARGE_IN, how="words").latency_ms == 120.0
    assert _measured(cut, kind=Kind.BARGE_IN, how="cough").latency_ms is None


def test_an_interruption_that_was_taken_for_the_rest_of_the_question_is_still_one() -> None:
    first, second = turn(350), turn(380)
    first.end, first.silenced_ms, first.cut = "merged", 120.0, True
    one = _measured(first, second, kind=Kind.BARGE_IN, how="words")
    assert one.turn.cut
    assert one.latency_ms == 120.0


def test_words_are_lost_only_if_they_differ_in_more_than_writing() -> None:
    one = _measured(turn(text="Turn on the kitchen light."))
    assert not one.has_lost_words
    assert _measured(turn(text="turn on the light")).has_lost_words


@pytest.mark.parametrize(
    ("heard", "played_s", "excess"),
    [
        ("About three", 0.66, 0),  # 11 letters of 60 ms
        ("About three", 0.64, 1),
        ("About three hundred", 0.66, 1),
        ("", 5.0, 0),
        ("About three hundred. Yes.", 1.44, 0),
        ("About three hundred. Yes.", 1.30, 1),
    ],
)
def test_words_in_memory_are_held_against_what_left_the_speaker(
    heard: str, played_s: float, excess: int
) -> None:
    spoken = turn(stages=STAGES)
    spoken.sentences = ["About three hundred.", "Yes."]
    spoken.heard, spoken.played_s = heard, played_s
    assert unheard_words(spoken) == excess
