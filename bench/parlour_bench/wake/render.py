"""The same wakes with sound: a voice says the wake word in a rendered room, and the server's own
level meter hears it at every device.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from parlour.audio import HEARING_RATE_HZ, Samples
from parlour.errors import MissingError
from parlour.level import LevelMeter, level_dbfs
from parlour_bench.fixtures import LEAD_S, MORE_VOICES, VOICES, can_speak, fixture
from parlour_bench.noise import pink
from parlour_bench.wake import physics, rooms
from parlour_bench.wake.homes import Flags, Home, Wave
from parlour_bench.wake.wakes import DETECTION_S, Scenes, Setting

PHRASES = ("hey parlour", "okay parlour", "hello parlour")
BEFORE_S = 2.0  # of the room alone: what the noise floor is taken from
LEVEL_S = 1.0  # of sound up to the detection, of which a device tells the level
FRAME_S = 0.06
EAR_M, MOUTH_M = 0.5, 0.05  # from the wall: where a door hears, and where it speaks
FULL_SCALE = 32768 / math.sqrt(2)  # effective value of 0 dBFS

Sound = tuple[Wave, Wave, Wave]  # as `wakes.claims` takes it


def hear(scenes: Scenes, settings: Sequence[Setting], rng: np.random.Generator) -> list[Sound]:
    """One for each setting: the gain of a microphone comes before its 16 bits. Raises
    MissingError if there is nobody to speak."""
    shape = len(scenes.room), len(scenes.home.room_of)
    found = [(np.zeros(shape), np.zeros(shape), np.zeros(shape)) for _ in settings]
    home = _Responses(scenes.home)
    said = _said()
    for n in range(shape[0]):
        word = said[int(rng.integers(len(said)))]
        word = word * 10 ** (scenes.talker_db[n] / 20)  # effective value 1: 0 dB
        word = np.concatenate([word, np.zeros(round(DETECTION_S * HEARING_RATE_HZ))])
        for device in range(shape[1]):
            ways = home.ways(scenes, n, device)
            speech = rooms.convolve(word, *ways)[: len(word)]
            noise = _noise(scenes.home, device, len(word), rng)
            for setting, (snr_db, level_db, floor_db) in zip(settings, found, strict=True):
                gain_db = setting.gain_db * scenes.home.gain[device] - physics.MICROPHONE_DB
                level, floor = _measured(speech, noise, gain_db)
                snr_db[n, device] = _power_db(speech) - scenes.home.noise_db[device]
                level_db[n, device] = level - gain_db
                floor_db[n, device] = floor - gain_db
    return found


class _Responses:
    """The ways of sound through one home; those that no talker moves are kept."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._kept: dict[tuple[int, int, int], Wave] = {}

    def ways(self, scenes: Scenes, number: int, device: int) -> list[Wave]:
        """From the talker of a wake to a device: a response for each room on the way."""
        home, room = self._home, int(scenes.room[number])
        talker_m = scenes.talker_m[number]
        angle = scenes.facing[number]
        facing = np.array([math.cos(angle), math.sin(angle), 0.0])
        doors = best_way(home, scenes.is_open[number], room, int(home.room_of[device]))
        if not doors:
            return [rooms.response(home.rooms[room], talker_m, home.at_m[device], facing)]
        ear_m = rooms.before(home.doors[doors[0]], home.rooms[room], EAR_M)
        found = [rooms.response(home.rooms[room], talker_m, ear_m, facing)]
        for at, door in enumerate(doors):
            loss_db = physics.OPEN_DB if scenes.is_open[number, door] else physics.SHUT_DB
            room = _behind(home, door, room)
            onward = doors[at + 1] if at + 1 < len(doors) else None
            found.append(rooms.through(loss_db) * self._behind_door(room, door, onward, device))
        return found

    def _behind_door(self, room: int, door: int, onward: int | None, device: int) -> Wave:
        """To the next door, or to the device in this room."""
        key = (room, door, device if onward is None else -1 - onward)
        if key not in self._kept:
            home, box = self._home, self._home.rooms[room]
            if onward is None:
                ear_m: Wave = home.at_m[device]
            else:
                ear_m = rooms.before(home.doors[onward], box, EAR_M)
            source_m = rooms.before(home.doors[door], box, MOUTH_M)
            self._kept[key] = rooms.response(box, source_m, ear_m)
        return self._kept[key]


def best_way(home: Home, is_open: Flags, start: int, goal: int) -> list[int]:
    """The doors that take least of the sound, in their order."""
    best: tuple[float, list[int]] = (math.inf, [])
    waiting: list[tuple[float, int, list[int]]] = [(0.0, start, [])]
    while waiting:
        loss, room, doors = waiting.pop()
        if room == goal:
            best = min(best, (loss, doors))
            continue
        for n, door in enumerate(home.doors):
            if room in (door.first, door.second) and n not in doors:
                more = physics.OPEN_DB if is_open[n] else physics.SHUT_DB
                if loss + more < best[0]:
                    waiting.append((loss + more, _behind(home, n, room), [*doors, n]))
    return best[1]


def _behind(home: Home, door: int, room: int) -> int:
    one = home.doors[door]
    return one.second if one.first == room else one.first


@cache
def _said() -> list[Wave]:
    """The wake words of all voices there are, each of effective value 1."""
    voices = [voice for voice in (*VOICES, *MORE_VOICES) if can_speak(voice)]
    if not voices:
        raise MissingError("nobody can speak: `apt-get install flite espeak-ng` brings voices")
    found = []
    for voice in voices:
        for phrase in PHRASES:
            made = fixture(phrase, voice)
            lead = round(LEAD_S * HEARING_RATE_HZ)
            word = made.pcm.samples[lead : made.speech_end].astype(np.float64)
            found.append(word / math.sqrt(float(np.mean(word**2))))
    return found


def _noise(home: Home, device: int, word: int, rng: np.random.Generator) -> Wave:
    """White as of a microphone, and pink on top as of the room, in equal parts; in the unit in which
    an effective value of 1 is 0 dB."""
    count = round(BEFORE_S * HEARING_RATE_HZ) + word
    mixed = rng.standard_normal(count) + pink(count, int(rng.integers(2**32)))
    return np.asarray(mixed / math.sqrt(2) * 10 ** (home.noise_db[device] / 20))


def _measured(speech: Wave, noise: Wave, gain_db: float) -> tuple[float, float]:
    """The level of the last second, and the noise floor, as the server measures them."""
    heard = noise.copy()
    heard[len(heard) - len(speech) :] += speech
    scaled = heard * FULL_SCALE * 10 ** (gain_db / 20)
    samples: Samples = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
    meter = LevelMeter()
    step = round(FRAME_S * HEARING_RATE_HZ)
    for at in range(0, len(samples), step):
        meter.push(samples[at : at + step])
    last_s = round(LEVEL_S * HEARING_RATE_HZ)
    return level_dbfs(samples[-last_s:]), meter.last.noise_dbfs


def _power_db(speech: Wave) -> float:
    return 10 * math.log10(max(1e-12, float(np.mean(speech**2))))
