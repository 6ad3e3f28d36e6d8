import numpy as np
import pytest

from parlour_bench.noise import COUGH_S, add_noise, babble, cough_burst, pink, room

COUNT = 16_000


def _octave_db(noise: np.ndarray[tuple[int], np.dtype[np.float64]], from_hz: int) -> float:
    power = np.abs(np.fft.rfft(noise)) ** 2
    return float(10 * np.log10(power[from_hz : 2 * from_hz].sum()))


def test_pink_noise_has_as_much_power_in_each_octave() -> None:
    noise = np.concatenate([pink(COUNT, seed) for seed in range(1)])
    octaves = [_octave_db(noise, from_hz) for from_hz in (250, 500, 1000, 2000)]
    assert max(octaves) - min(octaves) < 1.5


def test_noise_has_the_power_that_it_should() -> None:
    voices = [(3000 * np.sin(np.arange(5000) / n)).astype(np.int16) for n in (3, 7, 11)]
    for noise in (pink(COUNT, 1), babble(voices, COUNT, 1)):
        assert np.mean(noise**2) == pytest.approx(1.0, rel=1e-6)


def test_noise_is_the_same_for_the_same_seed_only() -> None:
    assert np.array_equal(pink(COUNT, 1), pink(COUNT, 1))
    assert not np.array_equal(pink(COUNT, 1), pink(COUNT, 2))


@pytest.mark.parametrize("snr_db", [15.0, 5.0])
def test_noise_lies_so_many_decibels_below_the_speech(snr_db: float) -> None:
    silent = np.zeros(COUNT, np.int16)
    noisy = add_noise(silent, pink(COUNT, 1), speech_power=4.0e6, snr_db=snr_db)
    found_db = 10 * np.log10(4.0e6 / np.mean(noisy.astype(float) ** 2))
    assert found_db == pytest.approx(snr_db, abs=0.1)


def test_too_much_of_it_is_clipped_and_does_not_wrap_around() -> None:
    loud = np.full(COUNT, 32_000, np.int16)
    noisy = add_noise(loud, np.ones(COUNT), speech_power=1e9, snr_db=0)
    assert noisy.min() == noisy.max() == 32_767


def test_a_room_is_quiet() -> None:
    dbfs = 20 * np.log10(np.std(room(COUNT, 1)) / 32_768)
    assert -76 < dbfs < -74


def test_a_cough_is_over_in_120_ms() -> None:
    assert len(cough_burst(7)) == round(COUGH_S * 16_000) == 1920
