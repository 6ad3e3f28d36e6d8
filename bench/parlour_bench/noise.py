"""Noise to hear speech in: pink noise, the babble of other people, a cough; all of it seeded."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from parlour.audio import HEARING_RATE_HZ, Samples

Wave: TypeAlias = NDArray[np.float64]

ROOM_DBFS = -75.0  # the noise of an INMP441 in a quiet room
COUGH_S = 0.12


def room(count: int, seed: int) -> Wave:
    """What a microphone gives in a quiet room."""
    return _white(count, seed) * 32768 * 10 ** (ROOM_DBFS / 20)


def pink(count: int, seed: int) -> Wave:
    """Noise whose power falls by 3 dB an octave, shaped in the spectrum; its mean power is 1."""
    spectrum = np.fft.rfft(_white(count, seed))
    shape = 1 / np.sqrt(np.maximum(1.0, np.arange(len(spectrum))))
    return _unit(np.asarray(np.fft.irfft(spectrum * shape, count)))


def babble(voices: Sequence[Samples], count: int, seed: int) -> Wave:
    """Several people talking at once, each in a loop from somewhere on; its mean power is 1."""
    rng = np.random.default_rng(seed)
    mixed = np.zeros(count)
    for voice in voices:
        looped = np.resize(np.roll(voice, int(rng.integers(len(voice)))), count)
        mixed += _unit(looped.astype(np.float64))
    return _unit(mixed)


def add_noise(samples: Samples, noise: Wave, *, speech_power: float, snr_db: float) -> Samples:
    """Lay noise of mean power 1 under speech of that mean power."""
    scale = np.sqrt(speech_power / 10 ** (snr_db / 10))
    mixed: Wave = samples + noise * scale
    return np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)


def cough_burst(seed: int) -> Samples:
    """A burst of noise as loud as speech; it is over before anybody could say a word."""
    count = round(COUGH_S * HEARING_RATE_HZ)
    burst = _white(count, seed) * np.hanning(count) * 8000
    return np.clip(burst, -32768, 32767).astype(np.int16)


def _white(count: int, seed: int) -> Wave:
    return np.random.default_rng(seed).standard_normal(count)


def _unit(wave: Wave) -> Wave:
    return wave / max(1e-9, float(np.sqrt(np.mean(wave**2))))
