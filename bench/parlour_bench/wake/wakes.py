"""Wakes: where somebody says the wake word, who hears it, and when each claim comes in how loud."""

from dataclasses import dataclass

import numpy as np

from parlour_bench.wake import physics
from parlour_bench.wake.homes import Flags, Home, Numbers, Wave

TALKER_DB, TALKER_SPREAD_DB = 60.0, 4.0  # at 1 m, as people speak at home
MOUTH_M = (1.1, 1.6)  # sitting and standing
DOORS_OPEN = 0.6
STEADY_DB, UNSTEADY_DB = 1.0, 1.5  # deviation of a level, in the talker's room and elsewhere
NOISE_ERROR_DB = 1.0
CALIBRATED_DB = 1.5  # what calibration leaves of a gain, as a deviation
# The share of wakes that a detector hears: half of them at HALF_DB over the noise.
HALF_DB, STEEP_DB, BEST = 5.0, 2.0, 0.985
DETECTION_S, DETECTION_SPREAD_S = 0.15, 0.03  # after the end of the word; one wake's deviation
WIFI_S, WIFI_SPREAD = 0.008, 0.6  # median, and deviation of its logarithm
STALL_S = (0.08, 0.6)


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    gain_db: float  # deviation of the gains of models of hardware
    stalls: float  # share of claims that the network holds up


SETTINGS = (
    Setting("equal microphones", 0.0, 0.02),
    Setting("gains 3 dB apart", 3.0, 0.02),
    Setting("gains 6 dB apart", 6.0, 0.05),
)


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """What happens in one home before any device hears it. Arrays count wakes."""

    home: Home
    room: Numbers
    talker_m: Wave
    facing: Wave  # an angle in the plan
    talker_db: Wave
    is_open: Flags  # (wakes, doors)


@dataclass(frozen=True, slots=True, eq=False)
class Wakes:
    """What reaches the server, as (wakes, devices). Seconds count from the end of the word."""

    scenes: Scenes
    heard: Flags
    detected_s: Wave
    arrives_s: Wave  # infinite where it was not heard
    level_dbfs: Wave  # of the word with the noise under it
    noise_dbfs: Wave
    score: Wave  # of the wake word model
    gain_db: Wave  # per device: as it is
    known_db: Wave  # and as calibration found it

    @property
    def home(self) -> Home:
        return self.scenes.home

    @property
    def is_here(self) -> Flags:
        """Which devices are in the room of the talker."""
        return np.asarray(self.home.room_of[None, :] == self.scenes.room[:, None])

    @property
    def is_counted(self) -> Flags:
        """Wakes with a choice: two heard it, and one of them in the room of the talker."""
        several = self.heard.sum(axis=1) >= 2
        return np.asarray(several & (self.heard & self.is_here).any(axis=1))


def scenes(home: Home, count: int, rng: np.random.Generator) -> Scenes:
    room = rng.integers(len(home.rooms), size=count)
    corner = np.array([(one.x, one.y) for one in home.rooms])[room]
    size = np.array([(one.width, one.depth) for one in home.rooms])[room]
    margin = 0.5
    flat = corner + margin + rng.random((count, 2)) * (size - 2 * margin)
    talker_m = np.column_stack([flat, rng.uniform(*MOUTH_M, count)])
    return Scenes(
        home,
        room,
        talker_m,
        rng.uniform(0.0, 2 * np.pi, count),
        rng.normal(TALKER_DB, TALKER_SPREAD_DB, count),
        rng.random((count, len(home.doors))) < DOORS_OPEN,
    )


def hear(scenes: Scenes, setting: Setting, rng: np.random.Generator) -> Wakes:
    """By the formulas of physics.py. Takes the same numbers from `rng` in every setting, so that
    settings differ by nothing else."""
    home = scenes.home
    speech_db = physics.speech_db(
        home, scenes.talker_m, scenes.facing, scenes.room, scenes.is_open, scenes.talker_db
    )
    is_here = home.room_of[None, :] == scenes.room[:, None]
    steady = np.where(is_here, STEADY_DB, UNSTEADY_DB)
    speech_db = speech_db + steady * rng.standard_normal(speech_db.shape)
    noise_db = np.broadcast_to(home.noise_db, speech_db.shape)
    level_db = physics.add_db(speech_db, noise_db)
    floor_db = noise_db + NOISE_ERROR_DB * rng.standard_normal(speech_db.shape)
    return claims(scenes, setting, (speech_db - noise_db, level_db, floor_db), rng)


def claims(
    scenes: Scenes,
    setting: Setting,
    sound: tuple[Wave, Wave, Wave],
    rng: np.random.Generator,
) -> Wakes:
    """Who hears it and when. `sound`: dB over the noise, then the sound pressure level of the word
    and of the noise as each device measures them, but for its gain."""
    snr_db, level_db, floor_db = sound
    home, shape = scenes.home, snr_db.shape
    heard = rng.random(shape) < BEST / (1 + np.exp(-(snr_db - HALF_DB) / STEEP_DB))
    travel_s = physics.distances_m(home, scenes.talker_m) / physics.SOUND_M_S
    late_s = home.delay_s + DETECTION_SPREAD_S * rng.standard_normal(shape)
    detected_s = travel_s + np.maximum(0.02, DETECTION_S + late_s)
    wifi_s = WIFI_S * np.exp(WIFI_SPREAD * rng.standard_normal(shape))
    stall_s = np.where(rng.random(shape) < setting.stalls, rng.uniform(*STALL_S, shape), 0.0)
    gain_db = setting.gain_db * home.gain
    scale = gain_db - physics.MICROPHONE_DB
    return Wakes(
        scenes,
        heard,
        detected_s,
        np.where(heard, detected_s + wifi_s + stall_s, np.inf),
        level_db + scale,
        floor_db + scale,
        1 / (1 + np.exp(-snr_db / 10)),
        gain_db,
        gain_db + CALIBRATED_DB * home.left,
    )
