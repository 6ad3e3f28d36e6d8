"""Kokoro's neural voices, in a process of their own (their phonemes come from espeak-ng)."""

import importlib
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from parlour.audio import Samples
from parlour.errors import MissingError, ProviderError

log = logging.getLogger(__name__)

NAME = "kokoro"
RATE_HZ = 24_000
PIECE_S = 0.06
SLOWEST, FASTEST = 0.5, 2.0
DEFAULT_VOICE = "af_heart"
MODEL, VOICES = "kokoro-v1.0.onnx", "voices-v1.0.bin"
# The first letter of a voice is its language, as hexgrad/Kokoro-82M's VOICES.md has it.
LANGUAGES = {"a": "en-us", "b": "en-gb", "h": "hi"}
# Where a text may be cut so that its first sound comes early: a clause of a few words.
_CLAUSE = re.compile(r".{12,}?[.!?;:,…।॥\n]+(?=\s|$)|.+$", re.DOTALL)


def serve(*, folder: str, device: str = "auto", threads: int = 0) -> "KokoroSynthesiser":
    """Make the engine in its process. Raises MissingError."""
    return KokoroSynthesiser(Path(folder), device, threads)


class KokoroSynthesiser:
    """One network with all its voices."""

    def __init__(self, folder: Path, device: str, threads: int) -> None:
        if not (folder / MODEL).is_file() or not (folder / VOICES).is_file():
            raise MissingError(
                f"kokoro's model is not here: parlour models pull kokoro/{folder.name}"
            )
        try:
            package: Any = importlib.import_module("kokoro_onnx")
            runtime: Any = importlib.import_module("onnxruntime")
        except ImportError as error:
            raise MissingError("kokoro needs its package: pip install 'parlour[kokoro]'") from error
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        if threads:
            options.intra_op_num_threads = threads
        available = runtime.get_available_providers()
        if device == "cuda" and "CUDAExecutionProvider" not in available:
            raise MissingError("this onnxruntime has no CUDA: pip install onnxruntime-gpu")
        cuda = device != "cpu" and "CUDAExecutionProvider" in available
        providers = ["CUDAExecutionProvider"] * cuda + ["CPUExecutionProvider"]
        try:
            session = runtime.InferenceSession(
                str(folder / MODEL), sess_options=options, providers=providers
            )
            self._kokoro = package.Kokoro.from_session(session, str(folder / VOICES))
        except Exception as error:  # onnxruntime raises a dozen classes of its own
            log.debug("kokoro does not load", exc_info=True)
            raise MissingError(
                f"kokoro's model is damaged: parlour models verify kokoro/{folder.name} --repair"
            ) from error
        self._known = set(self._kokoro.get_voices())
        self._turn = threading.Lock()  # its phonemiser has one language at a time

    def rate_hz(self, voice: str) -> int:
        voice = voice or DEFAULT_VOICE
        if voice not in self._known or voice[0] not in LANGUAGES:
            fitting = sorted(v for v in self._known if v[0] in LANGUAGES)
            raise ProviderError(
                NAME, f"there is no voice {voice}; there are {', '.join(fitting[:8])}"
            )
        return RATE_HZ

    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """Clause by clause: closing the iterator stops before the next."""
        voice = voice or DEFAULT_VOICE
        self.rate_hz(voice)
        pace = min(max(speed, SLOWEST), FASTEST)
        for clause in clauses(text):
            with self._turn:
                made = self._clause(clause, voice, pace)
            samples = np.clip(made * 32767, -32768, 32767).astype(np.int16)
            piece = round(PIECE_S * RATE_HZ)
            for at in range(0, len(samples), piece):
                yield samples[at : at + piece]

    def _clause(self, clause: str, voice: str, pace: float) -> Any:
        try:
            made, _ = self._kokoro.create(clause, voice, pace, LANGUAGES[voice[0]])
        except ValueError as error:  # nothing in it has a sound, or it is too long for one breath
            log.debug("kokoro cannot say a clause: %s", type(error).__name__)
            return np.zeros(0, np.float32)
        return np.asarray(made, np.float32)


def clauses(text: str) -> list[str]:
    """Parts of a text that can be spoken by themselves; what has no sound is left out."""
    found = [match[0].strip() for match in _CLAUSE.finditer(text)]
    return [clause for clause in found if any(character.isalnum() for character in clause)]
