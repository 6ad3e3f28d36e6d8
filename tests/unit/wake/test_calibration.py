"""Gains of devices."""

import math

from parlour.ids import DeviceId
from parlour.wake.calibration import MOST_CORRECTION_DB, MOST_GAIN_DB, Calibration

A, B, C = DeviceId("a"), DeviceId("b"), DeviceId("c")


def test_a_device_of_which_nothing_is_known_has_no_gain() -> None:
    assert Calibration().gain_db(A) == 0


def test_a_measurement_replaces_the_gain_of_the_model() -> None:
    calibration = Calibration(model_db={A: 6.0, B: 6.0, C: 6.0})
    measured = calibration.measured({A: -30.0, B: -36.0, C: -33.0})
    assert [measured.gain_db(one) for one in (A, B, C)] == [9, 3, 6]


def test_one_measured_device_keeps_the_gain_of_its_model() -> None:
    assert Calibration(model_db={A: 6.0}).measured({A: -30.0}).gain_db(A) == 6


def test_a_correction_moves_both_devices_by_one_decibel() -> None:
    corrected = Calibration().corrected(wrong=A, right=B)
    assert (corrected.gain_db(A), corrected.gain_db(B)) == (1, -1)


def test_corrections_end_somewhere() -> None:
    calibration = Calibration()
    for _ in range(50):
        calibration = calibration.corrected(wrong=A, right=B)
    assert calibration.gain_db(A) == MOST_CORRECTION_DB


def test_to_correct_a_device_by_itself_changes_nothing() -> None:
    assert Calibration().corrected(A, A) == Calibration()


def test_a_measurement_ends_the_corrections_of_the_gain_that_it_replaces() -> None:
    calibration = Calibration().corrected(A, C).measured({A: -30.0, B: -30.0})
    assert (calibration.gain_db(A), calibration.gain_db(C)) == (0, -1)


def test_gains_are_finite_for_any_numbers() -> None:
    broken = Calibration({A: math.nan}, {B: math.inf}, {C: 1e9})
    assert [broken.gain_db(one) for one in (A, B, C)] == [0, 0, MOST_GAIN_DB]
    assert Calibration().measured({A: math.nan, B: math.inf}) == Calibration()
