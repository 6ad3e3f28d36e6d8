"""How loud a talker is at each device: direct sound, the sound that fills the room, doors.

H. Kuttruff, Room Acoustics: in a room of absorption A (m²) a source that has the power density 1 at
1 m gives 1/r² directly and 16 pi / A everywhere. A door of S m² hands on S/A of what stands before
it (S = 1.6 m², A = 16 m²: 10 dB); a shut one 16 dB less.
"""

import math

import numpy as np

from parlour_bench.wake.homes import Flags, Home, Numbers, Wave

SOUND_M_S = 343.0
OPEN_DB, SHUT_DB = 10.0, 26.0
BEHIND_DB = 6.0  # a talker is quieter to the rear
LEAST_M = 0.3
MICROPHONE_DB = 105.0  # sound pressure level of 0 dBFS: 30 dB are -75 dBFS
# Power of a talker over all directions, in proportion to that to the front: the mean of
# 10^(-BEHIND_DB / 20 (1 - c)) over the cosines c from -1 to 1.
ALL_ROUND = (1 - 10 ** (-BEHIND_DB / 10)) / (2 * BEHIND_DB / 20 * math.log(10))


def facing_db(cosine: Wave) -> Wave:
    """What a talker sends in a direction, in proportion to that to the front."""
    return -BEHIND_DB / 2 * (1 - cosine)


def door_losses_db(home: Home, is_open: Flags) -> Wave:
    """By the best way from room to room; (wakes, rooms, rooms) of `is_open` (wakes, doors)."""
    count = len(home.rooms)
    losses = np.full((len(is_open), count, count), np.inf)
    losses[:, np.arange(count), np.arange(count)] = 0.0
    for n, door in enumerate(home.doors):
        loss = np.where(is_open[:, n], OPEN_DB, SHUT_DB)
        losses[:, door.first, door.second] = losses[:, door.second, door.first] = loss
    for via in range(count):  # Floyd and Warshall
        losses = np.minimum(losses, losses[:, :, via, None] + losses[:, None, via, :])
    return losses


def distances_m(home: Home, talker_m: Wave) -> Wave:
    """(wakes, devices), as the crow flies."""
    apart = home.at_m[None, :, :] - talker_m[:, None, :]
    return np.asarray(np.maximum(LEAST_M, np.linalg.norm(apart, axis=2)))


def speech_db(
    home: Home, talker_m: Wave, facing: Wave, room: Numbers, is_open: Flags, talker_db: Wave
) -> Wave:
    """Sound pressure level of the speech at each device, (wakes, devices).

    `facing` is an angle in the plan; `talker_db` the level at 1 m to the front.
    """
    apart = home.at_m[None, :, :] - talker_m[:, None, :]
    away = distances_m(home, talker_m)
    ahead = apart[:, :, 0] * np.cos(facing)[:, None] + apart[:, :, 1] * np.sin(facing)[:, None]
    direct = 10 ** (facing_db(ahead / away) / 10) / away**2
    absorption = np.array([one.absorption_m2 for one in home.rooms])[room]
    filled = (ALL_ROUND * 16 * math.pi / absorption)[:, None]
    is_here = home.room_of[None, :] == room[:, None]
    losses = door_losses_db(home, is_open)[np.arange(len(room)), room][:, home.room_of]
    power = np.where(is_here, direct + filled, filled * 10 ** (-losses / 10))
    return np.asarray(talker_db[:, None] + 10 * np.log10(power))


def add_db(one: Wave, other: Wave) -> Wave:
    """The level of two sounds together."""
    return np.asarray(10 * np.log10(10 ** (one / 10) + 10 ** (other / 10)))
