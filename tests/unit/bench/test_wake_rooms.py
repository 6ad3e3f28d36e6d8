"""Rendered rooms agree with the formulas, as far as they should."""

import math

import numpy as np
import pytest

from parlour.audio import HEARING_RATE_HZ
from parlour_bench.wake import physics, rooms
from parlour_bench.wake.homes import Door, Home, Room
from parlour_bench.wake.render import best_way

ROOM = Room(0.0, 0.0, 4.5, 4.0, 0.45)
BEHIND = Room(4.5, 0.0, 4.5, 4.0, 0.45)
TALKER = np.array([1.5, 1.5, 1.4])
DOOR = Door(0, 1, 4.5, 2.0)


def energy_db(found: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return 10 * math.log10(float(np.sum(found**2)))


def test_the_first_sound_comes_when_and_as_loud_as_the_way_says() -> None:
    ear = np.array([2.5, 1.5, 1.4])
    found = rooms.response(ROOM, TALKER, ear)
    assert np.abs(found).argmax() == pytest.approx(HEARING_RATE_HZ / 343.0, abs=1)
    assert np.abs(found).max() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("ear", [(0.5, 0.6, 1.2), (3.8, 3.3, 1.0), (2.0, 2.0, 1.0)])
def test_a_talker_in_a_room_is_as_loud_as_by_the_formula(ear: tuple[float, ...]) -> None:
    away = np.array(ear) - TALKER
    metres = float(np.linalg.norm(away))
    direct = 10 ** (float(physics.facing_db(away[:1] / metres)[0]) / 10) / metres**2
    expected = direct + physics.ALL_ROUND * 16 * math.pi / ROOM.absorption_m2
    found = rooms.response(ROOM, TALKER, np.array(ear), np.array([1.0, 0.0, 0.0]))
    assert energy_db(found) == pytest.approx(10 * math.log10(expected), abs=1.5)


def test_it_rings_about_as_long_as_the_room_is_said_to() -> None:
    found = rooms.response(ROOM, TALKER, np.array([3.8, 3.3, 1.0]))
    left = np.cumsum((found**2)[::-1])[::-1]
    left_db = 10 * np.log10(left / left[0] + 1e-12)
    begin, end = (int((left_db < at).argmax()) for at in (-5, -20))
    assert (end - begin) / HEARING_RATE_HZ * 4 == pytest.approx(0.45, rel=0.2)


def test_an_open_door_takes_about_10_db_and_a_shut_one_16_more() -> None:
    to_door = rooms.response(ROOM, TALKER, rooms.before(DOOR, ROOM, 0.5))
    onward = rooms.response(BEHIND, rooms.before(DOOR, BEHIND, 0.05), np.array([7.5, 1.0, 1.0]))
    here = energy_db(rooms.response(ROOM, TALKER, np.array([3.8, 0.5, 1.0])))
    behind = [
        energy_db(rooms.convolve(to_door, onward * rooms.through(loss))) for loss in (10.0, 26.0)
    ]
    assert here - behind[0] == pytest.approx(10.0, abs=3.0)
    assert behind[0] - behind[1] == pytest.approx(16.0)


def test_sound_takes_the_way_of_least_loss() -> None:
    three = [ROOM, BEHIND, Room(0.0, 4.0, 9.0, 3.0, 0.4)]
    doors = [DOOR, Door(0, 2, 2.0, 4.0), Door(1, 2, 7.0, 4.0)]
    none = np.zeros(0)
    home = Home(three, doors, np.zeros(0, np.int64), none, none, none, none, none)
    assert best_way(home, np.array([False, True, True]), 0, 1) == [1, 2]
    assert best_way(home, np.array([True, True, True]), 0, 1) == [0]
    assert best_way(home, np.array([True, True, True]), 1, 1) == []
