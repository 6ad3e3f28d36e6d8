from pathlib import Path

import numpy as np
import pytest

from parlour.app.virtual_turn import speech_end
from parlour.audio import Pcm
from parlour.errors import InputError
from parlour_bench.fixtures import LEAD_S, TAIL_S, fixture, lay_in_room


def _burst(duration_s: float, amplitude: int = 4000) -> Pcm:
    samples = np.random.default_rng(7).integers(-amplitude, amplitude, round(duration_s * 16_000))
    return Pcm(samples.astype(np.int16), 16_000)


@pytest.mark.parametrize("spoken_ms", [250, 630, 1210])
def test_the_room_puts_the_end_of_speech_where_it_says(spoken_ms: int) -> None:
    laid = lay_in_room(_burst(spoken_ms / 1000).samples, seed=1)
    assert abs(speech_end(laid) - (LEAD_S + spoken_ms / 1000) * 16_000) <= 160
    assert laid.duration_s == pytest.approx(LEAD_S + spoken_ms / 1000 + TAIL_S, abs=0.02)


def test_the_room_has_a_noise_floor_before_and_after_the_speech() -> None:
    laid = lay_in_room(_burst(0.5).samples, seed=1)
    for part in (laid.samples[:4000], laid.samples[-4000:]):
        dbfs = 20 * np.log10(np.std(part.astype(float)) / 32768)
        assert -77 < dbfs < -73


def test_every_sentence_is_brought_to_the_same_level() -> None:
    for amplitude in (500, 20_000):
        laid = lay_in_room(_burst(0.5, amplitude).samples, seed=1)
        assert np.abs(laid.samples).max() == pytest.approx(16_384, rel=0.01)


def test_a_sentence_is_said_once_and_then_taken_from_the_cache(tmp_path: Path) -> None:
    first = fixture("lights on", "slt", tmp_path)
    (kept,) = tmp_path.iterdir()
    written_ns = kept.stat().st_mtime_ns
    second = fixture("lights on", "slt", tmp_path)
    assert kept.stat().st_mtime_ns == written_ns
    assert np.array_equal(first.pcm.samples, second.pcm.samples)
    assert 0.3 < first.spoken_s < 1.5
    assert first.speech_end < len(first.pcm.samples) - 16_000


def test_voices_do_not_share_what_is_cached(tmp_path: Path) -> None:
    said = {fixture("lights on", v, tmp_path).pcm.tobytes() for v in ("slt", "rms", "awb")}
    assert len(said) == 3


def test_an_unknown_voice_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='no voice "bob".*slt, rms, awb'):
        fixture("lights on", "bob", tmp_path)
