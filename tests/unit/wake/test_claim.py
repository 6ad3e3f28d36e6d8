"""What of a claim is believed."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from parlour.ids import DeviceId
from parlour.wake.claim import HOME, LONGEST_AGE_S, LONGEST_NAME, Claim, believable
from parlour.wake.score import score_db

KITCHEN = DeviceId("kitchen")
FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@given(at_s=FLOATS, level=st.none() | FLOATS, noise=st.none() | FLOATS, score=st.none() | FLOATS)
def test_what_is_believed_is_finite_and_possible(
    at_s: float, level: float | None, noise: float | None, score: float | None
) -> None:
    claim = believable(Claim(KITCHEN, at_s, level, noise, score), 100.0)
    assert 100.0 - LONGEST_AGE_S <= claim.at_s <= 100.0
    for dbfs in (claim.level_dbfs, claim.noise_dbfs):
        assert dbfs is None or -120 <= dbfs <= 6
    assert claim.score is None or 0 <= claim.score <= 1


def test_a_level_that_no_sound_has_is_unknown() -> None:
    for level_dbfs in (60.0, math.nan, math.inf, -math.inf, -1000.0):
        assert believable(Claim(KITCHEN, 0, level_dbfs), 0).level_dbfs is None


def test_what_can_be_true_is_left_as_it_is() -> None:
    claim = Claim(KITCHEN, 9.9, -31.5, -60.0, 0.97, "flat", "hey parlour")
    assert believable(claim, 10.0) == claim


def test_names_are_short_and_a_group_has_one() -> None:
    claim = believable(Claim(KITCHEN, 0, None, group="g" * 1000, phrase="p" * 1000), 0)
    assert (len(claim.group), len(claim.phrase)) == (LONGEST_NAME, LONGEST_NAME)
    assert believable(replace(claim, group=""), 0).group == HOME


@given(level=st.none() | FLOATS, noise=st.none() | FLOATS, gain=FLOATS)
def test_a_score_is_finite_for_any_claim(
    level: float | None, noise: float | None, gain: float
) -> None:
    assert math.isfinite(score_db(Claim(KITCHEN, 0, level, noise), gain))


def test_a_score_is_the_level_without_noise_and_gain() -> None:
    assert score_db(Claim(KITCHEN, 0, -30), 0) == -30
    assert score_db(Claim(KITCHEN, 0, -30), 4) == -34
    assert math.isclose(score_db(Claim(KITCHEN, 0, -30, -33.0103), 0), -33.01, abs_tol=0.01)
    assert math.isclose(score_db(Claim(KITCHEN, 0, -30, -60), 0), -30, abs_tol=0.01)


def test_noise_takes_ten_decibels_at_most() -> None:
    for noise_dbfs in (-30, -29, 0):
        assert score_db(Claim(KITCHEN, 0, -30, noise_dbfs), 0) == -40
