"""The rules, on wakes of which the outcome is known."""

from collections.abc import Callable

import numpy as np
import pytest

from parlour.wake.claim import Claim
from parlour_bench.wake import ours, rules
from parlour_bench.wake.homes import Home, Room
from parlour_bench.wake.rules import NOBODY, Outcome
from parlour_bench.wake.steps import Comes, Leaves, Step, device_id, spoil, steps
from parlour_bench.wake.wakes import Scenes, Wakes

INF = float("inf")


def wake(arrives_s: list[float], level_dbfs: list[float], noise_dbfs: float = -75.0) -> Wakes:
    """One wake; the talker is in the room of the first device."""
    size = len(arrives_s)
    home = Home(
        [Room(0, 0, 4, 4, 0.4), Room(4, 0, 4, 4, 0.4)],
        [],
        np.array([0] + [1] * (size - 1)),
        np.zeros((size, 3)),
        *(np.zeros(size) for _ in range(4)),
    )
    scenes = Scenes(
        home,
        np.array([0]),
        np.zeros((1, 3)),
        np.zeros(1),
        np.full(1, 60.0),
        np.zeros((1, 0), np.bool_),
    )
    arrives = np.array([arrives_s])
    return Wakes(
        scenes,
        np.isfinite(arrives),
        arrives,
        arrives,
        np.array([level_dbfs]),
        np.full((1, size), noise_dbfs),
        np.full((1, size), 0.9),
        np.zeros(size),
        np.zeros(size),
    )


LATE = wake([0.35, 0.15], [-40.0, -50.0])  # the right one is 200 ms later


@pytest.mark.parametrize(
    ("rule", "winner"),
    [
        (rules.first_to_arrive, 1),
        (rules.louder(0.15), 1),
        (rules.willow, 0),
        (ours.calibrated, 0),
    ],
)
def test_a_late_claim_is_heard_by_those_who_wait_or_let_take_over(
    rule: Callable[[Wakes], Outcome], winner: int
) -> None:
    outcome = rule(LATE)
    assert outcome.winner.tolist() == [winner]
    assert outcome.answers.tolist() == [1]


def test_our_rule_decides_after_its_window_and_is_taken_over_later() -> None:
    outcome = ours.calibrated(LATE)
    assert outcome.decided_s[0] == pytest.approx(0.15)
    assert outcome.window_s[0] == pytest.approx(0.15)
    assert outcome.taken_over.tolist() == [True]


def test_a_claim_after_400_ms_is_answered_as_well_by_willow_and_not_by_ours() -> None:
    late = wake([0.15, 0.6], [-40.0, -50.0])
    assert rules.willow(late).answers.tolist() == [2]
    assert ours.calibrated(late).answers.tolist() == [1]


def test_over_its_own_noise_the_quieter_place_wins() -> None:
    noisy = wake([0.15, 0.16], [-40.0, -45.0])
    noisy.noise_dbfs[0, 0] = -50.0
    assert rules.over_noise(0.15)(noisy).winner.tolist() == [1]
    assert ours.calibrated(noisy).winner.tolist() == [0]


def test_a_wake_that_nobody_hears_is_answered_by_nobody() -> None:
    silent = wake([INF, INF], [-40.0, -50.0])
    for rule in (*rules.OTHERS.values(), ours.calibrated):
        assert rule(silent).winner.tolist() == [NOBODY]
        assert rule(silent).answers.tolist() == [0]


def test_the_next_takes_over_from_a_winner_that_goes() -> None:
    together = wake([0.15, 0.16], [-40.0, -50.0])

    def change(found: list[Step]) -> list[Step]:
        return [*found, Leaves(found[0].at_s + 0.3)]

    outcome = ours.play(together, {}, change)
    assert outcome.winner.tolist() == [1]
    assert outcome.answers.tolist() == [1]


def test_each_mishap_happens() -> None:
    rng = np.random.default_rng(1)
    found = steps(LATE, 0, 600.0)
    spoiled = [step for _ in range(2000) for step in spoil(found, rng)]
    levels = [step.claim.level_dbfs for step in spoiled if isinstance(step, Comes)]
    assert {type(step).__name__ for step in spoiled} == {"Comes", "Sounds", "Leaves"}
    assert {None, 60.0, INF, -INF} <= set(levels)
    assert any(level != level for level in levels)  # NaN


def test_claims_come_in_the_order_of_time_with_their_own_age() -> None:
    first, second = steps(LATE, 0, 600.0)
    assert isinstance(first, Comes)
    assert isinstance(second, Comes)
    assert first.claim == Claim(device_id(1), first.at_s - 0.15, -50.0, -75.0, 0.9)
    assert first.at_s == pytest.approx(600.15)
    assert second.at_s == pytest.approx(600.35)
