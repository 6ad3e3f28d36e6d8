"""Smart Turn v3 (Daily, BSD-2): tells from the sound of the last eight seconds whether a turn is over.

The network wants what Whisper's feature extractor makes: the log-mel spectrogram of the sound,
normalised, padded with silence in front. Here that is numpy alone; the slaney mel filters, the
Hann window and the scaling are those of Whisper (Radford et al., 2022).
"""

from functools import cache
from pathlib import Path

import anyio
import numpy as np
import onnxruntime
from anyio import to_thread
from numpy.typing import NDArray

from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.errors import MissingError, ProviderError

NAME = "smart_turn"
FILE = "smart-turn-v3.2-cpu.onnx"
HOW_TO_GET = (
    f"pip download --no-deps pipecat-ai==1.14.0 && unzip -j pipecat_ai-1.14.0-*.whl '*/{FILE}'"
)
WINDOW_S = 8.0
DEADLINE_S = 0.15  # the answer is of use until about 200 ms into the pause
FFT, HOP, MELS, FRAMES = 400, 160, 80, 800


class SmartTurn:
    """Satisfies `ports.TurnModel`. One verdict takes 20 to 50 ms of one core, off the loop."""

    longest_s = WINDOW_S

    def __init__(self, model: Path, deadline_s: float = DEADLINE_S) -> None:
        if not model.is_file():
            raise MissingError(f"there is no turn model at {model}: `{HOW_TO_GET}` brings it")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has no error of its own to be caught
            raise MissingError(f"{model} is no turn model: `{HOW_TO_GET}` brings one") from error
        self._deadline_s = deadline_s
        self._worker = anyio.CapacityLimiter(1)  # further questions wait, and are given up late

    async def judge(self, pcm: Pcm) -> float:
        """Probability that the turn is over. Raises ProviderError if it does not come in time."""
        with anyio.move_on_after(self._deadline_s):
            return await to_thread.run_sync(
                self._judge, pcm.samples, limiter=self._worker, abandon_on_cancel=True
            )
        raise ProviderError(NAME, f"no opinion within {self._deadline_s * 1000:.0f} ms")

    def _judge(self, samples: NDArray[np.int16]) -> float:
        features = log_mel(samples)[np.newaxis]
        (output,) = self._session.run(None, {"input_features": features})
        return float(np.clip(np.ravel(output)[0], 0.0, 1.0))


def log_mel(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Whisper's features of the last eight seconds of 16 kHz sound; shape (80, 800)."""
    whole = round(WINDOW_S * HEARING_RATE_HZ)
    sound = samples[-whole:].astype(np.float32) / 32768
    sound = np.concatenate([np.zeros(whole - len(sound), np.float32), sound])
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    padded = np.pad(sound, FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:FRAMES]
    power = np.abs(np.fft.rfft(frames * _window(), axis=1)) ** 2
    mel = np.log10(np.maximum(power @ mel_filters().T, 1e-10))
    mel = (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0
    return np.ascontiguousarray(mel.T, dtype=np.float32)


@cache
def _window() -> NDArray[np.float64]:
    """A periodic Hann window."""
    return np.asarray(np.hanning(FFT + 1)[:-1])


@cache
def mel_filters() -> NDArray[np.float64]:
    """Slaney's triangles from 0 to 8 kHz, each of the same area; shape (80, 201)."""
    edges = _from_mel(np.linspace(_to_mel(0.0), _to_mel(HEARING_RATE_HZ / 2), MELS + 2))
    bins = np.linspace(0, HEARING_RATE_HZ / 2, FFT // 2 + 1)
    rising = (bins - edges[:-2, np.newaxis]) / np.diff(edges)[:-1, np.newaxis]
    falling = (edges[2:, np.newaxis] - bins) / np.diff(edges)[1:, np.newaxis]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * (2.0 / (edges[2:] - edges[:-2]))[:, np.newaxis])


_LINEAR_HZ, _PER_HZ = 1000.0, 3.0 / 200.0  # linear below 1 kHz, logarithmic above
_STEP = np.log(6.4) / 27.0


def _to_mel(hz: float) -> float:
    if hz < _LINEAR_HZ:
        return hz * _PER_HZ
    return _LINEAR_HZ * _PER_HZ + float(np.log(hz / _LINEAR_HZ)) / float(_STEP)


def _from_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _LINEAR_HZ * _PER_HZ
    return np.where(mel < knee, mel / _PER_HZ, _LINEAR_HZ * np.exp(_STEP * (mel - knee)))
