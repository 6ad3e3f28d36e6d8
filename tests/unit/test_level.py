"""Level and noise floor: the scale, and the room under the speech."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.audio import Pcm, Samples
from parlour.level import SILENCE_DBFS, LevelMeter, NoiseFloor, level_dbfs

FRAME = 320  # 20 ms


def sine(amplitude: float, duration_s: float = 1.0, rate_hz: int = 16_000) -> Samples:
    at = np.arange(round(duration_s * rate_hz))
    return np.round(amplitude * np.sin(2 * np.pi * 1_000 * at / rate_hz)).astype(np.int16)


def hiss(dbfs: float, duration_s: float, seed: int = 0) -> Samples:
    spread = 32_768 / np.sqrt(2) * 10 ** (dbfs / 20)
    noise = np.random.default_rng(seed).normal(0, spread, round(duration_s * 16_000))
    return noise.astype(np.int16)


def push(floor: NoiseFloor, samples: Samples, size: int = FRAME) -> float:
    for at in range(0, len(samples), size):
        floor.push(samples[at : at + size])
    return floor.dbfs


# ---------------------------------------------------------------- level


def test_a_sine_at_full_scale_is_zero_and_a_square_three_db_above() -> None:
    assert level_dbfs(sine(32_767)) == pytest.approx(0, abs=0.01)
    assert level_dbfs(np.full(320, -32_768, np.int16)) == pytest.approx(3.01, abs=0.01)


def test_half_the_amplitude_is_six_db_less() -> None:
    assert level_dbfs(sine(16_384)) == pytest.approx(-6.02, abs=0.01)
    assert level_dbfs(sine(32.8)) == pytest.approx(-60, abs=0.1)


def test_silence_and_nothing_have_the_lowest_level() -> None:
    assert level_dbfs(np.zeros(320, np.int16)) == SILENCE_DBFS
    assert level_dbfs(np.zeros(0, np.int16)) == SILENCE_DBFS


@given(st.lists(st.integers(-32_768, 32_767), max_size=50))
def test_every_sound_has_a_level_on_the_scale(values: list[int]) -> None:
    assert SILENCE_DBFS <= level_dbfs(np.array(values, np.int16)) <= 3.02


# ---------------------------------------------------------------- noise floor


@pytest.mark.parametrize("dbfs", [-70, -50, -30])
def test_the_floor_of_steady_noise_is_its_level(dbfs: float) -> None:
    assert push(NoiseFloor(), hiss(dbfs, 5)) == pytest.approx(dbfs, abs=1)


@pytest.mark.parametrize("size", [160, 320, 960, 1_000, 48_000])
def test_the_floor_does_not_depend_on_the_size_of_the_pieces(size: int) -> None:
    noise = np.concatenate([hiss(-50, 3), hiss(-30, 3)])
    assert push(NoiseFloor(), noise, size) == pytest.approx(-50, abs=1)


def test_speech_does_not_lift_the_floor(speak: Callable[[str], Pcm]) -> None:
    said = speak("Turn on the kitchen light. What is the temperature in the bedroom?").samples
    room = hiss(-60, len(said) / 16_000 * 4)
    loud = room + np.tile(said, 4)
    assert level_dbfs(loud) > -25
    assert push(NoiseFloor(), loud) == pytest.approx(-60, abs=2)


def test_the_floor_falls_at_once_and_rises_within_ten_seconds() -> None:
    floor = NoiseFloor()
    assert push(floor, hiss(-40, 3)) == pytest.approx(-40, abs=1)
    assert push(floor, hiss(-60, 0.2)) == pytest.approx(-60, abs=1)
    assert push(floor, hiss(-40, 8)) == pytest.approx(-60, abs=1)
    assert push(floor, hiss(-40, 2.5)) == pytest.approx(-40, abs=1)


def test_a_muted_microphone_is_not_taken_for_a_quiet_room() -> None:
    floor = NoiseFloor()
    push(floor, hiss(-50, 3))
    assert push(floor, np.zeros(16_000 * 15, np.int16)) == pytest.approx(-50, abs=1)


def test_before_any_sound_the_floor_is_silence() -> None:
    assert NoiseFloor().dbfs == SILENCE_DBFS


# ---------------------------------------------------------------- meter


def test_the_meter_gives_level_and_floor_on_the_sample_clock() -> None:
    meter = LevelMeter()
    for at in range(0, 32_000, FRAME):
        meter.push(hiss(-55, 2)[at : at + FRAME])
    level = meter.push(sine(3_276.8)[:FRAME])
    assert level.dbfs == pytest.approx(-20, abs=0.1)
    assert level.noise_dbfs == pytest.approx(-55, abs=1)
    assert level.end == 32_000 + FRAME
    assert meter.last is level
