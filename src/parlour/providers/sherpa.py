"""sherpa-onnx, in a process of its own: streaming zipformers, and whole-recording NeMo networks.

The Indian languages' IndicConformer packs are of the second kind.
"""

import importlib
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parlour.audio import HEARING_RATE_HZ, Pcm, Samples
from parlour.engines.redecode import RedecodePolicy
from parlour.engines.threaded import InThread, Threaded
from parlour.errors import MissingError, ProviderError
from parlour.ports import Final, Partial, Vocabulary

log = logging.getLogger(__name__)

NAME = "sherpa"
# IndicConformer drops words when more than 18 s are said without a break (DictionLabs' card).
NEMO = RedecodePolicy(most_kept_s=15.0, cut_s=8.0)
STREAMING = "-streaming"  # so ends the name of a folder with a streaming NeMo network
TAIL_S = 0.4  # of silence that a streaming network needs to say its last word


def serve(*, folder: str, device: str = "auto", threads: int = 0) -> Threaded | InThread:
    """Make the engine in its process, as the files in `folder` tell: an encoder, a decoder and a
    joiner are a streaming transducer, a single network is NeMo's CTC. Raises MissingError."""
    path = Path(folder)
    try:
        package: Any = importlib.import_module("sherpa_onnx")
    except ImportError as error:
        raise MissingError("sherpa needs its package: pip install 'parlour[sherpa]'") from error
    settings = {
        "num_threads": threads or min(4, os.cpu_count() or 1),
        # The wheel on PyPI has no CUDA; with one that has, `auto` stays on the CPU.
        "provider": "cuda" if device == "cuda" else "cpu",
        "sample_rate": HEARING_RATE_HZ,
        "feature_dim": 80,
    }
    model = f"sherpa/{path.name}"
    tokens, encoder = path / "tokens.txt", _one(path, "encoder*.onnx")
    network = _one(path, "model*.onnx")
    if not tokens.is_file() or not (encoder or network):
        raise MissingError(f"the model {model} is not here: parlour models pull {model}")
    try:
        if encoder:
            recogniser = package.OnlineRecognizer.from_transducer(
                tokens=str(tokens),
                encoder=str(encoder),
                decoder=str(_one(path, "decoder*.onnx")),
                joiner=str(_one(path, "joiner*.onnx")),
                decoding_method="greedy_search",
                enable_endpoint_detection=False,
                **settings,
            )
            return Threaded(SherpaStreaming(recogniser))
        if path.name.endswith(STREAMING):
            recogniser = package.OnlineRecognizer.from_nemo_ctc(
                model=str(network),
                tokens=str(tokens),
                decoding_method="greedy_search",
                enable_endpoint_detection=False,
                **settings,
            )
            return Threaded(SherpaStreaming(recogniser))
        batch = package.OfflineRecognizer.from_nemo_ctc(
            model=str(network), tokens=str(tokens), decoding_method="greedy_search", **settings
        )
        return InThread(SherpaBatch(batch), NEMO, lanes=2)
    except RuntimeError as error:
        log.debug("sherpa does not load", exc_info=True)
        raise MissingError(
            f"the model {model} is damaged: parlour models verify {model} --repair"
        ) from error


class SherpaStreaming:
    """Satisfies `blocking.Recogniser`."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser

    def learn(self, vocabulary: Vocabulary) -> None:
        """Greedy search takes no hints."""

    def hear(self, language: str | None) -> "SherpaHearing":
        return SherpaHearing(self._recogniser)


class SherpaHearing:
    """One utterance."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._stream = recogniser.create_stream()
        self._said = ""

    def feed(self, pcm: Pcm) -> Partial | None:
        self._stream.accept_waveform(HEARING_RATE_HZ, _floats(pcm.samples))
        text = self._decode()
        if text == self._said:
            return None
        self._said = text
        stable = text.rpartition(" ")[0]
        return Partial(text, len(stable))

    def pause(self) -> Partial | None:
        """The silence it lacks is put in; speech that goes on is heard with a short break."""
        self._stream.accept_waveform(HEARING_RATE_HZ, _silence(TAIL_S))
        self._said = self._decode()
        return Partial(self._said, len(self._said)) if self._said else None

    def finish(self) -> Final:
        self._stream.accept_waveform(HEARING_RATE_HZ, _silence(TAIL_S))
        self._stream.input_finished()
        return Final(self._decode())

    def close(self) -> None:
        self._stream = None

    def _decode(self) -> str:
        while self._recogniser.is_ready(self._stream):
            self._recogniser.decode_stream(self._stream)
        return " ".join(str(self._recogniser.get_result(self._stream)).lower().split())


class SherpaBatch:
    """Satisfies `blocking.BatchRecogniser`."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser

    def learn(self, vocabulary: Vocabulary) -> None:
        """Greedy search takes no hints."""

    def transcribe(self, samples: Samples, language: str | None) -> Final:
        if not len(samples):
            return Final("")
        stream = self._recogniser.create_stream()
        stream.accept_waveform(HEARING_RATE_HZ, _floats(samples))
        try:
            self._recogniser.decode_stream(stream)
        except RuntimeError as error:
            raise ProviderError(NAME, "its network cannot hear this recording") from error
        return Final(" ".join(str(stream.result.text).split()), language=language)


def _one(folder: Path, pattern: str) -> Path | None:
    """The file that fits; of several, the int8 one."""
    found = sorted(folder.glob(pattern), key=lambda path: ("int8" not in path.name, path.name))
    return found[0] if found else None


def _floats(samples: Samples) -> NDArray[np.float32]:
    return samples.astype(np.float32) / np.float32(32768)


def _silence(duration_s: float) -> NDArray[np.float32]:
    return np.zeros(round(duration_s * HEARING_RATE_HZ), np.float32)
