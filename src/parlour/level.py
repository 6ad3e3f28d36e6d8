"""How loud it is and how loud the room itself is, in dBFS.

0 dBFS is the level of a sine at full scale (AES17), so a full-scale square wave has +3 dBFS.
Nothing is quieter than SILENCE_DBFS.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from parlour.audio import HEARING_RATE_HZ, Samples

SILENCE_DBFS = -100.0  # half a bit of noise in 16-bit sound has -93

_SINE_MEAN_SQUARE = 32768.0**2 / 2
_SILENCE_MEAN_SQUARE = _SINE_MEAN_SQUARE * 10 ** (SILENCE_DBFS / 10)

# Minimum statistics (R. Martin, 2001), on the whole band: speech pauses, the room does not, so
# the quietest moment of the last seconds is the room.
_MEMORY_S = 10.0  # longer than people speak without a pause; the floor rises this late
_PARTS = 8  # of the memory; each keeps its own minimum, so that old ones can be dropped
_BLOCK_S = 0.08  # averaged before the minimum: short enough for a pause, long enough to be steady


@dataclass(frozen=True, slots=True)
class Level:
    """The level of one piece of sound and of the room around it. `end` counts samples."""

    dbfs: float
    noise_dbfs: float
    end: int


def level_dbfs(samples: Samples) -> float:
    """RMS level of a piece of sound of any length; SILENCE_DBFS for an empty one."""
    return _dbfs(_mean_square(samples))


class NoiseFloor:
    """The level of the room under whatever is said in it, by minimum statistics.

    Falls within 80 ms, rises within 10 s; reads 0.5 dB low in white noise and 3 dB low in a
    rumble below 50 Hz. Digital silence is no room: a muted microphone or a lost packet leaves
    the floor as it is.
    """

    def __init__(self, rate_hz: int = HEARING_RATE_HZ) -> None:
        self._block_samples = round(_BLOCK_S * rate_hz)
        self._part_samples = round(_MEMORY_S / _PARTS * rate_hz)
        self._block_energy, self._in_block = 0.0, 0
        self._minima: deque[float] = deque([math.inf], maxlen=_PARTS)  # the last is being filled
        self._in_part = 0

    @property
    def dbfs(self) -> float:
        """SILENCE_DBFS until the first 80 ms have been heard."""
        quietest = min(self._minima)
        return SILENCE_DBFS if quietest == math.inf else _dbfs(quietest)

    def push(self, samples: Samples) -> None:
        """Take the next piece of the stream; frames of 10 to 60 ms suit it, any length is right."""
        for at in range(0, len(samples), self._block_samples):
            piece = samples[at : at + self._block_samples]
            if mean_square := _mean_square(piece):
                self._add(mean_square, len(piece))

    def _add(self, mean_square: float, count: int) -> None:
        self._block_energy += mean_square * count
        self._in_block += count
        if self._in_block < self._block_samples:
            return
        if self._in_part >= self._part_samples:
            self._minima.append(math.inf)
            self._in_part = 0
        self._minima[-1] = min(self._minima[-1], self._block_energy / self._in_block)
        self._in_part += self._in_block
        self._block_energy, self._in_block = 0.0, 0


class LevelMeter:
    """Level and noise floor of one microphone, on its sample clock. About 4 us for 20 ms."""

    def __init__(self, rate_hz: int = HEARING_RATE_HZ) -> None:
        self._noise = NoiseFloor(rate_hz)
        self._last = Level(SILENCE_DBFS, SILENCE_DBFS, 0)

    @property
    def last(self) -> Level:
        """What the last `push` returned."""
        return self._last

    def push(self, samples: Samples) -> Level:
        """Take the next frame of the stream and return its level."""
        self._noise.push(samples)
        self._last = Level(level_dbfs(samples), self._noise.dbfs, self._last.end + len(samples))
        return self._last


def _mean_square(samples: Samples) -> float:
    if not len(samples):
        return 0.0
    wide = samples.astype(np.float64)  # a square of 16 bits overflows them
    return float(np.dot(wide, wide)) / len(samples)


def _dbfs(mean_square: float) -> float:
    return 10 * math.log10(max(mean_square, _SILENCE_MEAN_SQUARE) / _SINE_MEAN_SQUARE)
