"""The pure parts of the fleet bench: what is drawn, and how it is judged."""

import numpy as np
import pytest

from parlour.ids import DeviceId
from parlour.wake.rules import Rules
from parlour_bench.fleet.judge import Seen, judge, right_winners
from parlour_bench.fleet.plan import DETECTION_S, Size, draw, late_s

RULES = Rules()


def seen(
    device: str, dbfs: float, claimed_s: float, told_s: float = 0.16, *, won: bool = False
) -> Seen:
    one = Seen(DeviceId(device), dbfs, claimed_s, [(told_s, won)], spoken_s=2.0)
    if won:
        one.sounds, one.first_sound_s = 10, 2.4
    return one


def row(heard: list[list[Seen]], what: str) -> float:
    return next(one.p50 for one in judge(heard, []) if one.what == what)


def test_a_plan_is_the_same_every_time_and_each_group_hears_its_share() -> None:
    words = draw(Size(10, 6, 5))
    assert words == draw(Size(10, 6, 5))
    assert [len(own) for own in words] == [3, 3]
    assert {len(word.ears) for own in words for word in own} == {5}


def test_devices_that_fill_no_group_join_the_last_one() -> None:
    words = draw(Size(11, 2, 5))
    assert [len(own[0].ears) for own in words] == [5, 6]


def test_claims_are_as_late_as_devices_and_networks_make_them() -> None:
    rng = np.random.default_rng(1)
    late = np.array([late_s(rng) for _ in range(5000)])
    assert late.min() >= 0
    assert np.median(late) == pytest.approx(DETECTION_S + 0.008, abs=0.003)
    assert 0.01 < np.mean(late > DETECTION_S + 0.12) < 0.03
    assert late.max() < 0.9


def test_the_loudest_of_the_window_is_to_answer() -> None:
    word = [seen("a", -40, 0.0), seen("b", -30, 0.05), seen("c", -50, 0.02)]
    assert right_winners(word, RULES) == {"b"}


def test_two_that_are_nearly_as_loud_may_both_answer() -> None:
    assert right_winners([seen("a", -31, 0.0), seen("b", -30, 0.05)], RULES) == {"a", "b"}


def test_a_late_claim_takes_over_only_if_it_is_clearly_louder_and_not_too_late() -> None:
    winner = seen("a", -40, 0.0)
    assert right_winners([winner, seen("b", -30, 0.4, 0.41)], RULES) == {"b"}
    assert right_winners([winner, seen("b", -38, 0.4, 0.41)], RULES) == {"a"}
    assert right_winners([winner, seen("b", -30, 0.7, 0.71)], RULES) == {"a"}
    late = [seen("b", -30, 0.3, 0.31), seen("c", -20, 0.4, 0.41)]
    assert right_winners([winner, *late], RULES) == {"b"}


def test_a_claim_beside_the_decision_may_have_come_before_or_after_it() -> None:
    word = [seen("a", -32, 0.0), seen("b", -30, 0.15)]
    assert right_winners(word, RULES) == {"a", "b"}


def test_two_answers_none_and_the_wrong_one_are_counted() -> None:
    right = [seen("a", -30, 0.0, won=True), seen("b", -40, 0.0)]
    wrong = [seen("a", -30, 0.0), seen("b", -40, 0.0, won=True)]
    both = [seen("a", -30, 0.0, won=True), seen("b", -40, 0.0, won=True)]
    nobody = [seen("a", -30, 0.0), seen("b", -40, 0.0)]
    heard = [right, wrong, both, nobody]
    assert row(heard, "wakes that two or more answered") == 1
    assert row(heard, "wakes that nobody answered") == 1
    assert row(heard, "wakes that the wrong device answered") == 1
    assert all(one.ok for one in judge([right], []) if one.target_p50 is not None)


def test_a_packet_after_the_verdict_is_counted() -> None:
    loser = seen("b", -40, 0.0)
    loser.sounds_after_lost = 2
    assert row([[seen("a", -30, 0.0, won=True), loser]], "packets to devices that had lost") == 2


def test_what_arbitration_adds_is_the_difference_to_the_same_sentence_without() -> None:
    alone = seen("a", -30, 0.0, won=True)
    alone.first_sound_s = 2.39
    rows = judge([[seen("a", -30, 0.0, won=True)]], [alone])
    added = next(one for one in rows if one.what.startswith("added"))
    assert added.p50 == pytest.approx(10)
    assert added.p95 == pytest.approx(10)
    assert not added.ok
