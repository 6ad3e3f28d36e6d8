"""The homes, and what is heard in them."""

import math

import numpy as np
import pytest

from parlour_bench.wake import homes, physics, report, wakes
from parlour_bench.wake.homes import Door, Home, Room
from parlour_bench.wake.run import Size, stage
from parlour_bench.wake.wakes import SETTINGS, Wakes


@pytest.fixture(scope="module")
def heard() -> list[Wakes]:
    rng = np.random.default_rng(2)
    return [wakes.hear(scene, SETTINGS[0], rng) for scene in stage(Size(2000, 100, 1))]


def two_rooms(places: list[list[float]], room_of: list[int]) -> Home:
    size = len(places)
    return Home(
        [Room(0, 0, 4, 4, 0.05), Room(4, 0, 4, 4, 0.05)],  # hardly any echo
        [Door(0, 1, 4, 2)],
        np.array(room_of),
        np.array(places, np.float64),
        np.full(size, 30.0),
        np.zeros(size),
        np.zeros(size),
        np.zeros(size),
    )


def levels(home: Home, *, is_open: bool = True, facing: float = 0.0) -> list[float]:
    found = physics.speech_db(
        home,
        np.array([[1.0, 2.0, 1.2]]),
        np.array([facing]),
        np.array([0]),
        np.array([[is_open]]),
        np.array([60.0]),
    )
    return [float(value) for value in found[0]]


def test_each_room_of_a_home_has_a_device_and_a_way_to_every_other_room() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        home = homes.build(rng)
        assert set(home.room_of) == set(range(len(home.rooms)))
        losses = physics.door_losses_db(home, np.ones((1, len(home.doors)), np.bool_))
        assert np.isfinite(losses).all()


def test_close_to_the_talker_the_level_falls_by_6_db_for_twice_the_distance() -> None:
    near, far = levels(two_rooms([[1.3, 2.0, 1.2], [1.6, 2.0, 1.2]], [0, 0]))
    assert near - far == pytest.approx(6.0, abs=0.8)  # the room itself adds to both


def test_a_talker_is_quieter_to_the_rear() -> None:
    home = two_rooms([[1.5, 2.0, 1.2]], [0])
    ahead, behind = levels(home)[0], levels(home, facing=math.pi)[0]
    assert 5.0 < ahead - behind < 6.0


def test_a_shut_door_takes_16_db_more_than_an_open_one() -> None:
    home = two_rooms([[6.0, 2.0, 1.2]], [1])
    assert levels(home)[0] - levels(home, is_open=False)[0] == pytest.approx(16.0)


def test_wakes_are_heard_as_often_as_the_note_of_the_model_says(heard: list[Wakes]) -> None:
    of = report.crowd(SETTINGS[0], heard)
    assert of.several == pytest.approx(0.92, abs=0.03)
    assert of.claims == pytest.approx(3.4, abs=0.3)
    assert of.unheard == pytest.approx(0.014, abs=0.01)
    assert of.chance == pytest.approx(0.42, abs=0.04)


def test_settings_differ_by_nothing_but_gains_and_stalls(heard: list[Wakes]) -> None:
    rng = np.random.default_rng(2)
    again = wakes.hear(heard[0].scenes, SETTINGS[1], rng)
    first = heard[0]
    assert (again.heard == first.heard).all()
    assert np.allclose(again.level_dbfs - again.gain_db, first.level_dbfs - first.gain_db)
    assert not np.allclose(again.gain_db, 0.0)


def test_calibration_leaves_one_and_a_half_db(heard: list[Wakes]) -> None:
    left = np.concatenate([one.known_db - one.gain_db for one in heard])
    assert float(left.std()) == pytest.approx(wakes.CALIBRATED_DB, rel=0.15)
