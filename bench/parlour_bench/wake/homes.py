"""Homes to be heard in: rooms in two rows, doors between them, and the devices that stand there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Wave: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.int64]

HEIGHT_M = 2.5
WALL_M = 0.3  # from a device to the next wall
APART_M = 1.5  # two devices of one room
DOOR_M = 1.0  # rooms need as much wall in common to have a door in it
MORE_DOORS = 0.3  # of the walls without which every room can be reached
ROOMS = (3, 5)
SECOND = 0.3  # of the rooms have a second device
WIDTH_M, DEPTH_M, DEVICE_HEIGHT_M = (3.0, 6.0), (3.0, 5.0), (0.7, 1.3)
RT60_S = (0.25, 0.6)
NOISE_DB, NOISE_SPREAD_DB = 30.0, 3.0  # sound pressure level where a device stands
LOUD_PLACES, LOUDER_DB = 0.15, (8.0, 20.0)  # next to a fridge or a television
CLASS_DELAY_S = 0.025  # deviation of one model's detection delay


@dataclass(frozen=True, slots=True)
class Room:
    """A box. `x` and `y` are its corner in the plan, in metres."""

    x: float
    y: float
    width: float
    depth: float
    rt60_s: float

    @property
    def absorption_m2(self) -> float:
        """By Sabine: the area of open window that would take as much sound."""
        return 0.161 * self.width * self.depth * HEIGHT_M / self.rt60_s


@dataclass(frozen=True, slots=True)
class Door:
    first: int  # room
    second: int
    x: float
    y: float


@dataclass(frozen=True, slots=True, eq=False)
class Home:
    """Arrays count devices; `at_m` has three columns. `gain` and `left` are in standard
    deviations: how the setting spreads gains is not the home's affair. No two devices are of one
    model: the mixed home is the hard case."""

    rooms: Sequence[Room]
    doors: Sequence[Door]
    room_of: Numbers
    at_m: Wave
    noise_db: Wave  # sound pressure level
    delay_s: Wave  # of its model's detection, around the mean of all
    gain: Wave  # of its model
    left: Wave  # of its gain after calibration


def build(rng: np.random.Generator) -> Home:
    rooms = _rooms(rng)
    counts = 1 + (rng.random(len(rooms)) < SECOND)
    room_of = np.repeat(np.arange(len(rooms)), counts)
    places = [place for room, n in zip(rooms, counts, strict=True) for place in _put(room, n, rng)]
    size = len(room_of)
    loud = rng.random(size) < LOUD_PLACES
    noise_db = rng.normal(NOISE_DB, NOISE_SPREAD_DB, size) + loud * rng.uniform(*LOUDER_DB, size)
    return Home(
        rooms,
        _doors(rooms, rng),
        room_of,
        np.array(places),
        noise_db,
        rng.normal(0.0, CLASS_DELAY_S, size),
        rng.standard_normal(size),
        rng.standard_normal(size),
    )


def _rooms(rng: np.random.Generator) -> list[Room]:
    count = int(rng.integers(*ROOMS, endpoint=True))
    rooms: list[Room] = []
    y = 0.0
    for in_row in (count - count // 2, count // 2):
        x, depth = 0.0, float(rng.uniform(*DEPTH_M))
        for _ in range(in_row):
            width = float(rng.uniform(*WIDTH_M))
            rooms.append(Room(x, y, width, depth, float(rng.uniform(*RT60_S))))
            x += width
        y += depth
    return rooms


def _put(room: Room, count: int, rng: np.random.Generator) -> list[list[float]]:
    places: list[list[float]] = []
    while len(places) < count:
        x = float(rng.uniform(room.x + WALL_M, room.x + room.width - WALL_M))
        y = float(rng.uniform(room.y + WALL_M, room.y + room.depth - WALL_M))
        if all(np.hypot(x - other[0], y - other[1]) >= APART_M for other in places):
            places.append([x, y, float(rng.uniform(*DEVICE_HEIGHT_M))])
    return places


def _doors(rooms: Sequence[Room], rng: np.random.Generator) -> list[Door]:
    """Every room can be reached from every other; some have a second door."""
    walls = [
        wall
        for n, room in enumerate(rooms)
        for other in range(n + 1, len(rooms))
        if (wall := _wall(rooms, n, other)) is not None
    ]
    doors: list[Door] = []
    reached = list(range(len(rooms)))  # rooms with one number can reach each other
    for n in rng.permutation(len(walls)):
        wall = walls[n]
        old, new = reached[wall.second], reached[wall.first]
        if old != new:
            reached = [new if one == old else one for one in reached]
            doors.append(wall)
        elif rng.random() < MORE_DOORS:
            doors.append(wall)
    return doors


def _wall(rooms: Sequence[Room], first: int, second: int) -> Door | None:
    """The door that the common wall of two rooms would have, in its middle."""
    one, other = rooms[first], rooms[second]
    if one.y == other.y:
        left, right = (one, other) if one.x < other.x else (other, one)
        touch = abs(left.x + left.width - right.x) < 1e-6
        return Door(first, second, right.x, one.y + one.depth / 2) if touch else None
    begin, end = max(one.x, other.x), min(one.x + one.width, other.x + other.width)
    return Door(first, second, (begin + end) / 2, other.y) if end - begin >= DOOR_M else None
