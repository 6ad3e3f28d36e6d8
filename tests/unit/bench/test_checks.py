from measured_turns import measured, said, turn
from parlour.events import Speculation
from parlour_bench.checks import checks, figures
from parlour_bench.manifest import Kind
from parlour_bench.measured import Measured, Verdict


def _check(members: list[Measured], what: str) -> tuple[float, bool]:
    found = next(check for check in checks(members, None, None) if what in check.what)
    return found.value, found.ok


def _figure(members: list[Measured], what: str) -> float:
    return next(figure.value for figure in figures(members) if what in figure.what)


def _question(*, merges: int = 0, text: str = "why do cats purr") -> Measured:
    answered = turn(text=text)
    answered.merges = merges
    return Measured(said(Kind.QUESTION, profile="groq"), (answered,), Verdict.RIGHT)


def _barged(how: str, *, cut: bool) -> Measured:
    answered = turn(text="yes")
    answered.cut = cut
    return Measured(said(Kind.BARGE_IN, profile="groq", how=how), (answered,), Verdict.RIGHT)


def test_nine_of_ten_right_are_enough() -> None:
    missed = measured(verdict=Verdict.MISSED)
    assert _check([*[measured()] * 9, missed], "end right") == (90, True)
    assert _check([*[measured()] * 8, missed], "end right") == (88.9, False)


def test_noise_is_no_part_of_what_must_be_right() -> None:
    noisy = measured(verdict=Verdict.MISSED, snr_db=5.0)
    assert _check([measured(), noisy], "end right") == (100, True)
    assert _figure([measured(), noisy], "5 dB") == 0


def test_one_of_fifty_commands_may_be_cut_off() -> None:
    assert _check([*[measured()] * 49, measured(50)], "cut off") == (2, True)
    assert _check([*[measured()] * 48, measured(50)], "cut off") == (2, True)
    assert _check([*[measured()] * 40, measured(50)], "cut off") == (2.4, False)


def test_one_action_by_chatter_misses_the_target() -> None:
    quiet = measured(kind=Kind.CHATTER)
    assert _check([quiet] * 29, "chatter") == (0, True)
    wrong = measured(kind=Kind.CHATTER, verdict=Verdict.WRONG)
    assert _check([*[quiet] * 29, wrong], "chatter") == (1, False)


def test_a_cut_question_must_be_merged_with_no_word_lost() -> None:
    assert _check([_question(), _question(merges=1)], "merged") == (100, True)
    lost = _question(merges=1, text="why cats purr")
    assert _check([_question(merges=1), lost], "merged") == (50, False)
    assert _check([lost], "word was lost") == (1, False)


def test_without_a_cut_there_is_nothing_to_merge() -> None:
    assert not [check for check in checks([_question()], None, None) if "merged" in check.what]


def test_a_word_must_cut_the_answer_and_a_cough_must_not() -> None:
    words, cough = _barged("words", cut=True), _barged("cough", cut=False)
    assert _check([words, cough], "missed") == (0, True)
    assert _check([words, cough], "cough") == (0, True)
    assert _check([_barged("words", cut=False)], "missed") == (1, False)
    assert _check([_barged("assent", cut=True)], "cough") == (1, False)


def test_pauses_that_were_taken_for_the_end_are_counted_by_pause_and_by_turn() -> None:
    cut = turn(text="yes")
    cut.merges = 1
    spoken = said(Kind.PAUSED, profile="groq", pauses_ms=(300.0, 500.0))
    members = [
        Measured(spoken, (cut,), Verdict.RIGHT),
        Measured(spoken, (turn(text="yes"),), Verdict.RIGHT),
    ]
    assert _figure(members, "pauses taken") == 25
    assert _figure(members, "turns with pauses") == 50


def test_what_speculation_brought_and_cost_is_told_per_turn() -> None:
    hit, miss, none = _question(), _question(), _question()
    hit.turn.speculation = Speculation(1, True, 0, 0)
    miss.turn.speculation = Speculation(2, False, 2, 9)
    assert _figure([hit, miss, none], "were given") == 50
    assert _figure([hit, miss, none], "further calls") == 0.67
    assert _figure([hit, miss, none], "wasted tokens") == 3
