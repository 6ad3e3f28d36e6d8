from pathlib import Path

import numpy as np
import pytest

from parlour.app.virtual_turn import speech_end
from parlour.audio import Pcm
from parlour.errors import InputError
from parlour_bench.fixtures import (
    LEAD_S,
    NOISY_TAIL_S,
    TAIL_S,
    can_speak,
    cough,
    fixture,
    lay_in_room,
    spoken,
    with_noise,
)

pytestmark = pytest.mark.skipif(not can_speak("slt"), reason="needs flite")


def _burst(duration_s: float, amplitude: int = 4000) -> Pcm:
    samples = np.random.default_rng(7).integers(-amplitude, amplitude, round(duration_s * 16_000))
    return Pcm(samples.astype(np.int16), 16_000)


def _power_db(pcm: Pcm, start: int, end: int) -> float:
    part = pcm.samples[start:end].astype(float)
    return float(10 * np.log10(np.mean(part**2)))


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
    written = {kept: kept.stat().st_mtime_ns for kept in tmp_path.iterdir()}
    assert {kept.suffix for kept in written} == {".wav", ".json"}
    second = fixture("lights on", "slt", tmp_path)
    assert written == {kept: kept.stat().st_mtime_ns for kept in tmp_path.iterdir()}
    assert np.array_equal(first.pcm.samples, second.pcm.samples)
    assert first.words == second.words
    assert 0.3 < first.spoken_s < 1.5
    assert first.speech_end < len(first.pcm.samples) - 16_000


def test_the_words_fill_the_speech_from_its_begin_to_its_end(tmp_path: Path) -> None:
    said = fixture("turn on the lights", "slt", tmp_path)
    assert [word.text for word in said.words] == ["turn", "on", "the", "lights"]
    assert said.words[0].start == LEAD_S * 16_000
    assert said.words[-1].end == said.speech_end
    assert said.speech_end == pytest.approx(speech_end(said.pcm), abs=320)


def test_a_pause_is_exactly_as_long_as_it_should_be_and_silent(tmp_path: Path) -> None:
    said = spoken(["what is", "the capital", "of france"], [640.0, 200.0], "slt", tmp_path)
    (start, end), (later, until) = said.pauses
    assert (end - start, until - later) == (10_240, 3200)
    assert said.words[1].end == start
    assert said.words[2].start == end
    assert _power_db(said.pcm, start, end) < _power_db(said.pcm, 4800, start) - 30
    assert said.text == "what is the capital of france"


def test_a_noisy_room_goes_on_being_noisy_after_the_speech(tmp_path: Path) -> None:
    plain = fixture("what is the capital of france", "slt", tmp_path)
    noisy = with_noise(plain, 15.0, tmp_path)
    assert noisy.speech_end == plain.speech_end
    assert noisy.words == plain.words
    tail_s = (len(noisy.pcm.samples) - noisy.speech_end) / 16_000
    assert tail_s == pytest.approx(NOISY_TAIL_S)
    speech_db = _power_db(plain.pcm, 4800, plain.speech_end)
    noise_db = _power_db(noisy.pcm, noisy.speech_end, len(noisy.pcm.samples))
    assert speech_db - noise_db == pytest.approx(15, abs=2)


def test_a_cough_is_short_and_as_loud_as_speech() -> None:
    assert cough().duration_s == pytest.approx(LEAD_S + 0.12 + TAIL_S)
    assert np.abs(cough().samples).max() == pytest.approx(16_384, rel=0.01)


def test_voices_do_not_share_what_is_cached(tmp_path: Path) -> None:
    said = {fixture("lights on", v, tmp_path).pcm.tobytes() for v in ("slt", "rms", "awb")}
    assert len(said) == 3


def test_an_unknown_voice_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='no voice "bob".*slt, rms, awb'):
        fixture("lights on", "bob", tmp_path)
