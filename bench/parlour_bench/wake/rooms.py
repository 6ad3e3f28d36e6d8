"""The sound of rooms: impulse responses of shoeboxes by image sources (J. B. Allen and D. A.
Berkley, 1979), of a talker who is quieter to the rear, and of doors.
"""

import math

import numpy as np

from parlour.audio import HEARING_RATE_HZ
from parlour_bench.wake import physics
from parlour_bench.wake.homes import HEIGHT_M, Door, Room, Wave

LONGEST_S = 0.3  # of a response: what comes later is 30 dB down where it rings for 0.6 s
DOOR_M2 = 1.6
DOOR_HEIGHT_M = 1.0
LOWEST_HZ = 100.0


def response(room: Room, source_m: Wave, ear_m: Wave, facing: Wave | None = None) -> Wave:
    """From a point to another, as a pressure that is 1 at 1 m. Places are in the plan of the home.

    `facing`: into which direction the talker speaks, as a unit vector; None: into all alike.
    Every wall takes the same share, as Eyring has it for the room's RT60.
    """
    box = np.array([room.width, room.depth, HEIGHT_M])
    corner = np.array([room.x, room.y, 0.0])
    reach_m = LONGEST_S * physics.SOUND_M_S
    axes = [_images(length, at, reach_m) for length, at in zip(box, source_m - corner, strict=True)]
    apart = [  # from each image to the ear
        at - images for at, (images, _, _) in zip(ear_m - corner, axes, strict=True)
    ]
    x, y, z = np.meshgrid(*apart, indexing="ij", sparse=True)
    away = np.sqrt(x**2 + y**2 + z**2)
    bounces = sum(np.meshgrid(*(found[1] for found in axes), indexing="ij", sparse=True))
    within = away < reach_m
    away_m = np.maximum(physics.LEAST_M, away[within])
    gain = _kept(room) ** np.asarray(bounces)[within] / away_m
    if facing is not None:
        # An image looks where the mirror lets it.
        signs = [way * found[2] for way, found in zip(facing, axes, strict=True)]
        fx, fy, fz = np.meshgrid(*signs, indexing="ij", sparse=True)
        cosine = ((x * fx + y * fy + z * fz) / np.maximum(physics.LEAST_M, away))[within]
        gain *= 10 ** (physics.facing_db(np.clip(cosine, -1.0, 1.0)) / 20)
    return _placed(away_m / physics.SOUND_M_S * HEARING_RATE_HZ, gain)


def through(door_db: float) -> float:
    """What a door makes of the pressure before it, as a source on the wall behind it.

    A hole of S m² in a wall hands on the power that falls on it: S / (8 pi) at 1 m. The wall beside
    it doubles the pressure of the source, so that its own power is a quarter.
    """
    return math.sqrt(DOOR_M2 / (32 * math.pi)) * 10 ** (-(door_db - physics.OPEN_DB) / 20)


def before(door: Door, room: Room, inside_m: float) -> Wave:
    """A point in the room, so far from the wall with the door (and from every other)."""
    x = np.clip(door.x, room.x + inside_m, room.x + room.width - inside_m)
    y = np.clip(door.y, room.y + inside_m, room.y + room.depth - inside_m)
    return np.array([x, y, DOOR_HEIGHT_M])


def convolve(sound: Wave, *responses: Wave) -> Wave:
    """One after the other, at once in the spectrum."""
    count = len(sound) + sum(len(one) - 1 for one in responses)
    size = 1 << (count - 1).bit_length()
    spectrum = np.fft.rfft(sound, size)
    for one in responses:
        spectrum = spectrum * np.fft.rfft(one, size)
    return np.asarray(np.fft.irfft(spectrum, size))[:count]


def _images(length_m: float, at_m: float, reach_m: float) -> tuple[Wave, Wave, Wave]:
    """Along one axis: where the images are, how often each was mirrored, and which way it looks."""
    most = math.ceil(reach_m / (2 * length_m)) + 1
    n = np.arange(-most, most + 1)
    places = np.concatenate([2 * n * length_m + at_m, 2 * n * length_m - at_m])
    bounces = np.concatenate([np.abs(2 * n), np.abs(2 * n - 1)])
    return places, bounces.astype(np.float64), np.repeat([1.0, -1.0], len(n))


def _kept(room: Room) -> float:
    """Share of the pressure that a wall throws back."""
    volume = room.width * room.depth * HEIGHT_M
    surface = 2 * (room.width * room.depth + (room.width + room.depth) * HEIGHT_M)
    return math.exp(-0.161 * volume / (2 * surface * room.rt60_s))


def _placed(at: Wave, gain: Wave) -> Wave:
    """Impulses on whole samples: for a level no more is needed."""
    size = math.ceil(LONGEST_S * HEARING_RATE_HZ) + 1
    laid = np.bincount(np.rint(at).astype(np.int64), gain, size)
    # Images never cancel each other as the modes of a room do: below LOWEST_HZ they pile up.
    hz = np.fft.rfftfreq(2 * size, 1 / HEARING_RATE_HZ)
    spectrum = np.fft.rfft(laid, 2 * size) * hz**4 / (hz**4 + LOWEST_HZ**4)
    return np.asarray(np.fft.irfft(spectrum, 2 * size))[:size]
