"""Coqui's voices (the idiap fork) in a process of their own; they need PyTorch."""

import importlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from parlour.audio import Samples
from parlour.errors import MissingError, ProviderError

log = logging.getLogger(__name__)

NAME = "coqui"
PIECE_S = 0.06


def serve(
    *, model: str, folder: str, device: str = "auto", threads: int = 0, language: str = "en"
) -> "CoquiSynthesiser":
    """Make the engine in its process. Raises MissingError."""
    return CoquiSynthesiser(model, Path(folder), device, threads, language)


class CoquiSynthesiser:
    """One model, which speaks one text at a time: PyTorch uses all cores for each."""

    def __init__(self, model: str, folder: Path, device: str, threads: int, language: str) -> None:
        config = folder / "config.json"
        if not config.is_file():
            raise MissingError(
                f"the model {model} of coqui is not here; put its files into {folder}"
                " (config.json, and what it names)"
            )
        try:
            api: Any = importlib.import_module("TTS.api")
            torch: Any = importlib.import_module("torch")
        except ImportError as error:
            raise MissingError("coqui needs its package: pip install 'parlour[coqui]'") from error
        if threads:
            torch.set_num_threads(threads)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            self._tts = api.TTS(model_path=str(folder), config_path=str(config)).to(device)
        except Exception as error:  # PyTorch and Coqui raise whatever they like
            log.debug("coqui does not load", exc_info=True)
            raise MissingError(
                f"the model {model} of coqui cannot be loaded ({type(error).__name__});"
                f" fetch its files into {folder} anew"
            ) from error
        self._language = language
        self._turn = threading.Lock()

    def rate_hz(self, voice: str) -> int:
        return int(self._tts.synthesizer.output_sample_rate)

    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """The whole sound is made at once: this engine has no smaller pieces."""
        if not any(character.isalnum() for character in text):
            return
        wanted: dict[str, Any] = {"speed": speed}
        if self._tts.is_multi_speaker:
            known = list(self._tts.speakers or ())
            if voice and voice not in known:
                raise ProviderError(NAME, f"there is no voice {voice}; there are {_some(known)}")
            wanted["speaker"] = voice or known[0]
        if self._tts.is_multi_lingual:
            wanted["language"] = self._language
        with self._turn:
            made = np.asarray(self._tts.tts(text, **wanted), np.float32)
        samples = np.clip(made * 32767, -32768, 32767).astype(np.int16)
        piece = round(PIECE_S * self.rate_hz(voice))
        for at in range(0, len(samples), piece):
            yield samples[at : at + piece]


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) or "none"
