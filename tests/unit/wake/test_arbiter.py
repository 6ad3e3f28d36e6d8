"""Which device answers, rule by rule."""

import math
from dataclasses import replace

import pytest

from parlour.ids import DeviceId
from parlour.wake.arbiter import Arbiter, Lost, RoundId, Rules, TakenOver, Verdict, Won
from parlour.wake.calibration import Calibration
from parlour.wake.claim import Claim, Kind
from parlour.wake.window import WAKES

A, B, C = DeviceId("a"), DeviceId("b"), DeviceId("c")
RULES = Rules()
WINDOW_S = RULES.window_s


def _heard(device: DeviceId, at_s: float, level_dbfs: float | None, **more: object) -> Claim:
    return replace(Claim(device, at_s, level_dbfs), **more)  # type: ignore[arg-type]


def _claim(
    arbiter: Arbiter, device: DeviceId, now_s: float, level_dbfs: float | None, **more: object
) -> list[Verdict]:
    return arbiter.claim(_heard(device, now_s, level_dbfs, **more), now_s)


def _decided(*claims: Claim, arbiter: Arbiter | None = None) -> list[Verdict]:
    """The verdicts when all claims arrive at 10 s."""
    arbiter = arbiter or Arbiter()
    verdicts = [verdict for claim in claims for verdict in arbiter.claim(claim, 10.0)]
    return verdicts + arbiter.decide(10.0 + WINDOW_S)


def _winner(*claims: Claim, arbiter: Arbiter | None = None) -> DeviceId:
    [winner] = [one.device for one in _decided(*claims, arbiter=arbiter) if isinstance(one, Won)]
    return winner


def _answering(arbiter: Arbiter, device: DeviceId, level_dbfs: float | None = -40.0) -> RoundId:
    """Let a device win at 10 s; it answers since 10 s + window."""
    assert _claim(arbiter, device, 10.0, level_dbfs) == []
    [won] = arbiter.decide(10.0 + WINDOW_S)
    assert isinstance(won, Won)
    return won.round_id


def _silent_again(arbiter: Arbiter, device: DeviceId, now_s: float) -> RoundId:
    [verdict] = _claim(arbiter, device, now_s, -40)
    assert isinstance(verdict, Lost)
    return verdict.round_id


# The decision.


def test_the_loudest_device_wins_when_the_window_ends() -> None:
    arbiter = Arbiter()
    assert _claim(arbiter, A, 10.0, -40) == []
    assert _claim(arbiter, B, 10.1, -30) == []
    assert arbiter.due_s() == pytest.approx(10.0 + WINDOW_S)
    assert arbiter.decide(10.1) == []
    lost, won = arbiter.decide(10.0 + WINDOW_S)
    assert lost == Lost(A, RULES.hold_s, won.round_id)
    assert won == Won(B, lost.round_id)
    assert arbiter.due_s() is None
    assert arbiter.decide(20.0) == []


def test_a_calibrated_device_wins_by_what_it_really_heard() -> None:
    arbiter = Arbiter(calibration=Calibration({A: 6.0}))
    assert _winner(_heard(A, 10, -30), _heard(B, 10, -33), arbiter=arbiter) == B


def test_an_engaged_device_wins_unless_another_is_6_db_better() -> None:
    engaged = _heard(A, 10, -40, is_engaged=True)
    assert _winner(engaged, _heard(B, 10, -34.1)) == A
    assert _winner(engaged, _heard(B, 10, -33.9)) == B


def test_a_button_wins_at_once() -> None:
    arbiter = Arbiter()
    _claim(arbiter, A, 10.0, -10, is_engaged=True)
    lost, won = _claim(arbiter, B, 10.01, None, kind=Kind.BUTTON)
    assert isinstance(lost, Lost)
    assert isinstance(won, Won)
    assert (lost.device, won.device) == (A, B)


def test_ties_go_to_the_last_winner_then_to_the_surer_model_then_to_the_smaller_id() -> None:
    claims = _heard(A, 10, -40, score=0.5), _heard(B, 10, -41.4, score=0.9), _heard(C, 10, -41)
    assert _winner(*claims) == B
    assert _winner(claims[0], claims[2]) == A
    assert _winner(_heard(A, 10, -41), _heard(B, 10, -40)) == A
    assert _winner(_heard(A, 10, -41.6), _heard(B, 10, -40)) == B
    for now_s, winner in ((60.0, C), (75.0, B)):
        arbiter = Arbiter()
        _answering(arbiter, C)
        arbiter.ended(C, 20.0)
        for claim in claims:
            arbiter.claim(replace(claim, at_s=now_s), now_s)
        assert Won in map(type, verdicts := arbiter.decide(now_s + 1))
        assert [one.device for one in verdicts if isinstance(one, Won)] == [winner]


def test_a_device_without_level_wins_only_if_no_other_has_one() -> None:
    assert _winner(_heard(A, 10, None), _heard(B, 10, -70)) == B
    assert _winner(_heard(A, 10, None), _heard(B, 10, None)) == A


def test_a_level_that_comes_before_the_decision_counts() -> None:
    arbiter = Arbiter()
    _claim(arbiter, A, 10.0, -40)
    _claim(arbiter, B, 10.0, None)
    assert arbiter.level(B, -30, None, 10.1) == []
    assert Won(B, RoundId("home/10000")) in arbiter.decide(10.2)


@pytest.mark.parametrize("level_dbfs", [60.0, math.nan, math.inf, -math.inf])
def test_an_absurd_level_does_not_win(level_dbfs: float) -> None:
    assert _winner(_heard(A, 10, level_dbfs), _heard(B, 10, -60)) == B


def test_a_device_below_the_floor_makes_no_claim() -> None:
    arbiter = Arbiter(calibration=Calibration({B: 6.0}, floors_dbfs={C: -50.0}))
    for device, level_dbfs in ((A, -75.1), (B, -69.1), (C, -50.1)):
        [verdict] = _claim(arbiter, device, 10.0, level_dbfs)
        assert isinstance(verdict, Lost)
        assert verdict.hold_s == 0
    assert arbiter.due_s() is None


def test_a_level_below_the_floor_takes_the_claim_back() -> None:
    arbiter = Arbiter()
    _claim(arbiter, A, 10.0, None)
    assert [type(one) for one in arbiter.level(A, -80, None, 10.1)] == [Lost]
    assert (arbiter.due_s(), arbiter.decide(11)) == (None, [])


def test_groups_answer_side_by_side() -> None:
    verdicts = _decided(_heard(A, 10, -40, group="flat"), _heard(B, 10, -30))
    assert [type(one) for one in verdicts] == [Won, Won]


def test_the_phrase_makes_no_difference() -> None:
    verdicts = _decided(_heard(A, 10, -40, phrase="x"), _heard(B, 10, -30, phrase="y"))
    assert [type(one) for one in verdicts] == [Lost, Won]


# Claims that come late, twice, or never end.


def test_a_late_claim_takes_over_if_it_is_more_than_3_db_better() -> None:
    for level_dbfs, expected in ((-36.9, TakenOver), (-37.0, Lost)):
        arbiter = Arbiter()
        _answering(arbiter, A)
        assert [type(one) for one in _claim(arbiter, B, 10.5, level_dbfs)] == [expected]


def test_only_one_takes_over() -> None:
    arbiter = Arbiter()
    round_id = _answering(arbiter, A)
    assert _claim(arbiter, B, 10.3, -30) == [TakenOver(A, B, round_id)]
    assert _silent_again(arbiter, C, 10.4) == round_id
    assert [type(one) for one in arbiter.level(C, -10, None, 10.4)] == []
    assert arbiter.answering("home") == B


@pytest.mark.parametrize("late_s", [0.61, 1.0])
def test_nobody_takes_over_after_600_ms(late_s: float) -> None:
    arbiter = Arbiter()
    round_id = _answering(arbiter, A)
    [lost] = _claim(arbiter, B, 10 + late_s, -10)
    assert isinstance(lost, Lost)
    assert (lost.device, lost.round_id) == (B, round_id)
    assert lost.hold_s == pytest.approx(WINDOW_S + RULES.hold_s - late_s)


def test_nobody_takes_over_from_a_device_that_is_heard_or_was_pressed() -> None:
    arbiter = Arbiter()
    _answering(arbiter, A)
    assert arbiter.audible(A, 10.2)
    assert [type(one) for one in _claim(arbiter, B, 10.3, -10)] == [Lost]
    pressed = Arbiter()
    assert [type(one) for one in _claim(pressed, A, 10, None, kind=Kind.BUTTON)] == [Won]
    assert [type(one) for one in _claim(pressed, B, 10.1, -10)] == [Lost]


def test_only_the_device_that_answers_may_be_heard() -> None:
    arbiter = Arbiter()
    round_id = _answering(arbiter, A)
    _claim(arbiter, B, 10.3, -30)
    assert not arbiter.audible(A, 10.4)
    assert not arbiter.audible(C, 10.4)
    assert not arbiter.audible(B, 10.4, RoundId("home/0"))
    assert arbiter.audible(B, 10.4, round_id)


def test_a_level_that_comes_after_the_decision_may_take_over() -> None:
    arbiter = Arbiter()
    _claim(arbiter, A, 10.0, None)
    _claim(arbiter, B, 10.0, None)
    _, won = arbiter.decide(10.2)
    assert isinstance(won, Won)
    assert won.device == A
    assert arbiter.level(B, -30, None, 10.3) == []  # nothing to compare with
    assert arbiter.level(A, -40, None, 10.4) == [TakenOver(A, B, won.round_id)]


def test_who_claims_twice_is_told_once_that_it_won_and_each_time_that_it_lost() -> None:
    arbiter = Arbiter()
    for _ in range(3):
        assert _claim(arbiter, A, 10.0, -30) + _claim(arbiter, B, 10.0, -40) == []
    assert len(arbiter.decide(10.2)) == 2
    assert _claim(arbiter, A, 10.3, -30) == []
    assert [type(one) for one in _claim(arbiter, B, 10.3, -30)] == [Lost]


def test_the_winner_may_be_called_again() -> None:
    arbiter = Arbiter()
    round_id = _answering(arbiter, A)
    assert _claim(arbiter, A, 11.2, -40) == []
    [won] = arbiter.decide(11.4)
    assert isinstance(won, Won)
    assert won.device == A
    arbiter.ended(A, 11.5, round_id)  # of the turn before: comes too late to end this one
    assert arbiter.answering("home") == A


def test_losers_are_held_for_2_s_or_until_the_turn_ends() -> None:
    arbiter = Arbiter()
    _answering(arbiter, A)
    _silent_again(arbiter, B, 12.1)
    assert _claim(arbiter, C, 12.2, -40) == []  # opens a round
    assert arbiter.due_s() == pytest.approx(12.2 + WINDOW_S)
    other = Arbiter()
    _answering(other, A)
    other.ended(A, 11.3)
    assert _claim(other, B, 11.4, -40) == []


def test_a_late_claim_for_an_answered_word_loses_even_if_the_turn_is_over() -> None:
    arbiter = Arbiter()
    _answering(arbiter, A)
    arbiter.ended(A, 10.3)
    _silent_again(arbiter, B, 10.9)


def test_a_winner_of_a_later_word_ends_the_older_turn() -> None:
    arbiter = Arbiter()
    round_id = _answering(arbiter, A)
    _claim(arbiter, B, 20.0, -40)
    lost, won = arbiter.decide(20.2)
    assert lost == Lost(A, 0.0, round_id)
    assert isinstance(won, Won)
    two_by_two = Arbiter(replace(RULES, one_by_one=False))
    _answering(two_by_two, A)
    _claim(two_by_two, B, 20.0, -40)
    assert [type(one) for one in two_by_two.decide(20.2)] == [Won]


# Follow-ups.


def test_a_conversation_moves_to_a_device_that_hears_6_db_more() -> None:
    for level_dbfs, handed_over in ((-34.1, False), (-33.9, True)):
        arbiter = Arbiter()
        _answering(arbiter, A)
        assert arbiter.audible(A, 10.5)
        _claim(arbiter, B, 15.0, level_dbfs, kind=Kind.FOLLOW_UP)
        verdicts = arbiter.decide(15.2)
        assert [type(one) for one in verdicts] == ([Lost, Won] if handed_over else [Lost])
        assert arbiter.answering("home") == (B if handed_over else A)


def test_what_the_answering_device_hears_of_the_follow_up_counts() -> None:
    arbiter = Arbiter()
    _answering(arbiter, A)
    _claim(arbiter, B, 15.0, -42, kind=Kind.FOLLOW_UP)
    _claim(arbiter, A, 15.0, -60, kind=Kind.FOLLOW_UP)
    arbiter.decide(15.2)
    assert arbiter.answering("home") == B


def test_a_device_that_ended_does_not_stand_for_a_follow_up() -> None:
    arbiter = Arbiter()
    _answering(arbiter, A)
    _claim(arbiter, B, 15.0, -50, kind=Kind.FOLLOW_UP)
    arbiter.ended(A, 15.1)
    assert [type(one) for one in arbiter.decide(15.2)] == [Won]


# Devices that go, and devices that claim without end.


def test_the_next_best_takes_over_if_the_winner_goes_before_it_is_heard() -> None:
    arbiter = Arbiter()
    for device, level_dbfs in ((A, -50.0), (B, -30.0), (C, -40.0)):
        _claim(arbiter, device, 10.0, level_dbfs)
    won = arbiter.decide(10.2)[-1]
    assert arbiter.gone(B, 10.5) == [TakenOver(B, C, won.round_id)]
    assert arbiter.gone(C, 10.6) == [TakenOver(C, A, won.round_id)]
    assert arbiter.gone(A, 10.7) == []
    assert arbiter.answering("home") is None
    assert _claim(arbiter, C, 10.8, -40) == []  # nobody answers: it is not too late
    assert [type(one) for one in arbiter.decide(11)] == [Won]


def test_nobody_goes_on_with_what_was_heard_already() -> None:
    arbiter = Arbiter()
    _claim(arbiter, A, 10.0, -30)
    _claim(arbiter, B, 10.0, -40)
    arbiter.decide(10.2)
    arbiter.audible(A, 10.3)
    assert arbiter.gone(A, 10.4) == []
    _silent_again(arbiter, B, 10.5)


def test_who_goes_before_the_decision_does_not_win() -> None:
    arbiter = Arbiter()
    _claim(arbiter, A, 10.0, -30)
    _claim(arbiter, B, 10.0, -40)
    assert arbiter.gone(A, 10.1) == []
    assert [type(one) for one in arbiter.decide(10.2)] == [Won]
    _claim(arbiter, C, 20.0, -30)
    arbiter.gone(C, 20.1)
    assert (arbiter.due_s(), arbiter.decide(21)) == (None, [])


def test_who_claims_in_another_group_leaves_the_first_one() -> None:
    arbiter = Arbiter()
    round_id = _answering(arbiter, A)
    assert _claim(arbiter, A, 15.0, -40, group="flat") == [Lost(A, RULES.hold_s, round_id)]
    assert arbiter.answering("home") is None
    assert [type(one) for one in arbiter.decide(15.2)] == [Won]


def test_a_device_that_claims_every_second_is_refused_and_shown() -> None:
    arbiter = Arbiter()
    for second in range(RULES.most_claims):
        assert arbiter.limited == frozenset()
        _claim(arbiter, A, 10.0 + 1.1 * second, -40)
        arbiter.decide(11.0 + 1.1 * second)
    assert [type(one) for one in _claim(arbiter, A, 19.0, -40)] == [Lost]
    assert arbiter.limited == {A}
    assert arbiter.answering("home") is None
    _claim(arbiter, B, 19.1, -40)
    assert [type(one) for one in arbiter.decide(19.3)] == [Won]
    arbiter.decide(29.1)
    assert arbiter.limited == frozenset()


def test_a_hundred_claims_at_once_have_one_winner() -> None:
    claims = [_heard(DeviceId(f"d{n}"), 10, -30 - n / 10) for n in range(100)]
    verdicts = _decided(*claims)
    assert len(verdicts) == 100
    assert [type(one) for one in verdicts].count(Won) == 1
    assert len(_decided(*[replace(claims[0], at_s=10.0) for _ in range(100)])) == 1


def test_a_device_that_was_always_alone_wins_at_once_and_can_still_be_taken_over() -> None:
    arbiter = Arbiter()
    for count in range(WAKES + 1):  # a round is known when the next one is decided
        _claim(arbiter, A, 100.0 * count, -40)
        assert len(arbiter.decide(100.0 * count + 1)) == 1
        arbiter.ended(A, 100.0 * count + 10)
    assert arbiter.window_s("home", A) == 0
    [won] = _claim(arbiter, A, 9000.0, -40)
    assert _claim(arbiter, B, 9000.1, -30) == [TakenOver(A, B, won.round_id)]


def test_memory_stays_small_whatever_is_claimed() -> None:
    arbiter = Arbiter()
    for n in range(5000):
        now_s = n / 100
        verdicts = _claim(arbiter, DeviceId(f"d{n}"), now_s, -40, group=f"g{n % 1000}")
        verdicts += arbiter.decide(now_s)
        for verdict in verdicts:
            if isinstance(verdict, Won):
                arbiter.ended(verdict.device, now_s)
    assert len(arbiter._groups) <= 64
    assert len(arbiter._places) <= 1024
