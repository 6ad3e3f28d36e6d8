"""Speech as it should sound out of one loudspeaker: no silence before it, one loudness throughout."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parlour.audio import Samples

_FULL = 32768.0


@dataclass(frozen=True, slots=True)
class ShapingPolicy:
    """Levels in dB of a full-scale sine (see level.py); times in milliseconds."""

    silent_dbfs: float = -50.0  # below it nothing is heard over a loudspeaker in a room
    keep_ms: int = 5  # of the silence, so that no consonant is clipped
    most_trimmed_ms: int = 400  # longer silences are meant
    target_dbfs: float = -20.0  # comfortable speech with room for peaks
    gate_dbfs: float = -45.0  # pauses are no measure of how loud a voice is
    least_gain_db: float = -12.0
    most_gain_db: float = 9.0  # more would lift the noise of a bad voice
    step_db: float = 1.5  # between two texts; a larger step is heard as another speaker
    ramp_ms: int = 10
    peak: float = 0.89  # -1 dBFS


class Shaper:
    """Shapes the speech of one answer, piece by piece. About 0.1 ms for 60 ms of sound.

    The gain is found from what was heard of the voice so far, changes between texts only, and is
    held back where it would clip.
    """

    def __init__(self, rate_hz: int, policy: ShapingPolicy | None = None) -> None:
        self._rate_hz = rate_hz
        self._policy = policy or ShapingPolicy()
        self._energy = 0.0  # of what was above the gate, before the gain
        self._count = 0
        self._gain = 1.0
        self._applied = 1.0  # at the end of the piece before
        self._started = False  # the gain was found once
        self._trimmed = 0  # samples, of this text
        self._silent = True  # nothing of this text was heard yet

    def push(self, samples: Samples, *, first: bool) -> Samples:
        """Shape the next piece; `first`: a new text begins with it. May come back empty."""
        if first:
            self._silent, self._trimmed = True, 0
        wide = samples.astype(np.float64)
        if self._silent:
            wide = self._trim(wide)
        if not len(wide):
            return np.empty(0, np.int16)
        self._measure(wide)
        if first or not self._started:
            self._choose_gain()
        return self._amplify(wide)

    def _trim(self, wide: NDArray[np.float64]) -> NDArray[np.float64]:
        hop = max(1, self._rate_hz * self._policy.keep_ms // 1000)
        loud = np.flatnonzero(_levels_dbfs(wide, hop) > self._policy.silent_dbfs)
        most = self._rate_hz * self._policy.most_trimmed_ms // 1000 - self._trimmed
        if len(loud):
            self._silent = False
            cut = max(0, (int(loud[0]) - 1) * hop)
        else:
            cut = len(wide)
        if cut > most:
            self._silent, cut = False, most
        self._trimmed += cut
        return wide[cut:]

    def _measure(self, wide: NDArray[np.float64]) -> None:
        hop = self._rate_hz // 100
        squares = _mean_squares(wide, hop)
        loud = squares[_dbfs(squares) > self._policy.gate_dbfs]
        self._energy += float(loud.sum())
        self._count += len(loud)

    def _choose_gain(self) -> None:
        if not self._count:
            return
        policy = self._policy
        level_dbfs = float(_dbfs(np.array([self._energy / self._count]))[0])
        wanted_db = np.clip(
            policy.target_dbfs - level_dbfs, policy.least_gain_db, policy.most_gain_db
        )
        if self._started:
            present_db = 20 * np.log10(self._gain)
            wanted_db = np.clip(wanted_db, present_db - policy.step_db, present_db + policy.step_db)
        else:
            self._applied = float(10 ** (wanted_db / 20))
        self._gain, self._started = float(10 ** (wanted_db / 20)), True

    def _amplify(self, wide: NDArray[np.float64]) -> Samples:
        peak = float(np.abs(wide).max())
        limit = self._policy.peak * _FULL / peak if peak else self._gain
        gain = min(self._gain, limit)
        ramp = min(len(wide), self._rate_hz * self._policy.ramp_ms // 1000)
        gains = np.full(len(wide), gain)
        # A gain that must fall falls at once: a ramp would clip.
        gains[:ramp] = np.linspace(min(self._applied, limit), gain, ramp)
        self._applied = gain
        shaped: Samples = np.rint(wide * gains).astype(np.int16)
        return shaped


def _mean_squares(wide: NDArray[np.float64], hop: int) -> NDArray[np.float64]:
    """Mean square of each hop; the rest at the end counts as one."""
    starts = np.arange(0, len(wide), hop)
    sums = np.add.reduceat(wide * wide, starts)
    lengths = np.diff(np.append(starts, len(wide)))
    return np.asarray(sums / lengths)


def _levels_dbfs(wide: NDArray[np.float64], hop: int) -> NDArray[np.float64]:
    return _dbfs(_mean_squares(wide, hop)) if len(wide) else np.empty(0)


def _dbfs(mean_squares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(np.maximum(mean_squares, 1e-3) / (_FULL**2 / 2)))
