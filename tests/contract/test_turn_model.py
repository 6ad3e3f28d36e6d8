"""A model that tells from the sound whether a turn is over."""

import time
from pathlib import Path

import anyio
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.errors import MissingError, ProviderError
from parlour.providers.smart_turn import SmartTurn, log_mel, mel_filters

pytestmark = pytest.mark.anyio


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A network of the real one's shape: the sigmoid of the mean of all features."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["input_features"], ["mean"], axes=[1, 2], keepdims=0),
            helper.make_node("Sigmoid", ["mean"], ["logits"]),
        ],
        "turn",
        [helper.make_tensor_value_info("input_features", TensorProto.FLOAT, [1, 80, 800])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    made.ir_version = 8
    file = tmp_path / "turn.onnx"
    onnx.save(made, str(file))
    return file


def _tone(seconds: float, hz: float = 440.0) -> Pcm:
    at = np.arange(round(seconds * HEARING_RATE_HZ)) / HEARING_RATE_HZ
    return Pcm((8000 * np.sin(2 * np.pi * hz * at)).astype(np.int16), HEARING_RATE_HZ)


async def test_a_verdict_is_a_probability_of_the_features(model: Path) -> None:
    turn = SmartTurn(model, deadline_s=5.0)
    pcm = _tone(1.5)
    mean = float(log_mel(pcm.samples).mean())
    assert await turn.judge(pcm) == pytest.approx(1 / (1 + np.exp(-mean)), abs=1e-4)


async def test_sound_of_any_length_will_do(model: Path) -> None:
    turn = SmartTurn(model, deadline_s=5.0)
    for seconds in (0.0, 0.02, 8.0, 20.0):
        assert 0 <= await turn.judge(_tone(seconds)) <= 1


async def test_an_opinion_that_comes_too_late_is_none(model: Path) -> None:
    turn = SmartTurn(model, deadline_s=0.0)
    began_s = anyio.current_time()
    with pytest.raises(ProviderError, match="no opinion within 0 ms"):
        await turn.judge(_tone(8.0))
    assert anyio.current_time() - began_s < 1


def test_a_missing_or_broken_model_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="pip download --no-deps pipecat-ai"):
        SmartTurn(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(MissingError, match="is no turn model"):
        SmartTurn(broken)


def test_the_features_are_those_of_whisper() -> None:
    features = log_mel(_tone(8.0, hz=1000.0).samples)
    assert features.shape == (80, 800)
    assert features.dtype == np.float32
    assert features.max() - features.min() == pytest.approx(2.0, abs=1e-3)  # 8 decades in fours
    loudest = int(features[:, 400].argmax())
    filters = mel_filters()
    bins = np.linspace(0, 8000, 201)
    assert abs(bins[filters[loudest].argmax()] - 1000) < 60
    # Slaney's filters have the same area, in Hz.
    areas = filters.sum(axis=1) * 40
    assert areas[10:] == pytest.approx(1.0, abs=0.12)


def test_silence_is_put_in_front() -> None:
    features = log_mel(_tone(1.0).samples)
    assert features[:, :690].max() < features[:, 720:].max()


def test_it_is_quick_enough_for_a_pause() -> None:
    pcm = _tone(8.0)
    log_mel(pcm.samples)
    began_s = time.perf_counter()
    for _ in range(5):
        log_mel(pcm.samples)
    assert (time.perf_counter() - began_s) / 5 < 0.1
