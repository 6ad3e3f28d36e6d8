"""Speech as it should sound."""

import time

import numpy as np
import pytest

from parlour.audio import Samples
from parlour.turn.shaping import Shaper

RATE = 24_000


def _voice(duration_s: float, amplitude: float) -> Samples:
    at = np.arange(round(duration_s * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * 200 * at)).astype(np.int16)


def _dbfs(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(samples.astype(float) ** 2) / (32768.0**2 / 2)))


def _shape(shaper: Shaper, samples: Samples, piece_s: float = 0.06) -> Samples:
    size = round(piece_s * RATE)
    pieces = [samples[at : at + size] for at in range(0, len(samples), size)]
    return np.concatenate([shaper.push(p, first=n == 0) for n, p in enumerate(pieces)])


@pytest.mark.parametrize("silence_s", [0.0, 0.05, 0.15, 0.3])
def test_silence_before_speech_is_taken_off(silence_s: float) -> None:
    said = np.concatenate([np.zeros(round(silence_s * RATE), np.int16), _voice(0.5, 6000)])
    shaped = _shape(Shaper(RATE), said)
    assert 0.5 <= len(shaped) / RATE <= 0.511


def test_a_silence_that_is_meant_stays_in_part() -> None:
    said = np.concatenate([np.zeros(RATE, np.int16), _voice(0.5, 6000)])
    assert len(_shape(Shaper(RATE), said)) / RATE == pytest.approx(1.1, abs=0.02)


@pytest.mark.parametrize("amplitude", [1500, 4000, 12_000])
def test_voices_of_any_loudness_come_out_alike(amplitude: float) -> None:
    shaper = Shaper(RATE)
    levels = [_dbfs(_shape(shaper, _voice(0.5, amplitude))) for _ in range(8)]
    assert levels[-1] == pytest.approx(-20, abs=1)


def test_between_texts_the_loudness_moves_in_small_steps() -> None:
    shaper = Shaper(RATE)
    levels = [
        _dbfs(_shape(shaper, _voice(0.5, amplitude))) - 20 * np.log10(amplitude)
        for amplitude in (2000, 9000, 9000, 9000)
    ]
    steps = np.abs(np.diff(levels))
    assert steps.max() <= 1.6


def test_nothing_is_ever_clipped() -> None:
    shaper = Shaper(RATE)
    _shape(shaper, _voice(0.5, 2000))
    for _ in range(3):
        shaped = _shape(shaper, _voice(0.2, 32_000))
        assert np.abs(shaped.astype(int)).max() <= 0.9 * 32768


def test_silence_alone_stays_silence() -> None:
    assert not _shape(Shaper(RATE), np.zeros(RATE, np.int16)).any()
    assert len(Shaper(RATE).push(np.empty(0, np.int16), first=True)) == 0


def test_it_costs_little() -> None:
    shaper, piece = Shaper(RATE), _voice(0.06, 5000)
    shaper.push(piece, first=True)
    began_s = time.perf_counter()
    for _ in range(50):
        shaper.push(piece, first=False)
    cost_ms = (time.perf_counter() - began_s) / 50 * 1000
    assert cost_ms < 3
