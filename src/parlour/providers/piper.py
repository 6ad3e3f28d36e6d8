"""Piper's neural voices, in a process of their own (piper-tts is GPL-3.0)."""

import importlib
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from parlour.audio import Samples
from parlour.errors import MissingError, ProviderError

log = logging.getLogger(__name__)

NAME = "piper"
PIECE_S = 0.06  # of sound, in one piece
MOST_LOADED = 3  # voices in memory: 80 to 150 MB each
LOOK_S = 5.0  # between two looks for voices that nobody uses any more


def serve(
    *,
    folder: str,
    device: str = "auto",
    threads: int = 0,
    unload_after_s: float = 0.0,
    preload: str = "",
) -> "PiperSynthesiser":
    """Make the engine in its process. `folder` holds a sub-folder for each voice, with
    `VOICE.onnx` and `VOICE.onnx.json`. Raises MissingError."""
    piper = PiperSynthesiser(Path(folder), device, threads, unload_after_s)
    if preload:
        piper.warm(preload)
    return piper


@dataclass(slots=True)
class _Loaded:
    voice: Any  # piper.PiperVoice
    speakers: dict[str, int]
    rate_hz: int
    length_scale: float
    used_s: float


class PiperSynthesiser:
    """Loads voices when they are first asked for and keeps those that were used last.

    "VOICE#3" and "VOICE#name" are speakers of a voice that has several.
    """

    def __init__(self, folder: Path, device: str, threads: int, unload_after_s: float) -> None:
        try:
            self._piper: Any = importlib.import_module("piper")
            self._runtime: Any = importlib.import_module("onnxruntime")
        except ImportError as error:
            raise MissingError("piper needs its package: pip install 'parlour[piper]'") from error
        self._folder = folder
        self._threads = threads
        self._providers = _providers(self._runtime, device)
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._lock = threading.Lock()
        if unload_after_s > 0:
            threading.Thread(target=self._unload, args=(unload_after_s,), daemon=True).start()

    def warm(self, voice: str) -> None:
        """Load a voice and have it speak once: a first inference takes three times as long."""
        for _ in self.speak("One.", voice, 1.0):
            pass

    @property
    def loaded(self) -> list[str]:
        """The voices in memory, the one used last at the end."""
        return list(self._loaded)

    def rate_hz(self, voice: str) -> int:
        return self._find(voice)[0].rate_hz

    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """Sentence by sentence: closing the iterator stops before the next."""
        loaded, speaker = self._find(voice)
        manner = self._piper.SynthesisConfig(
            speaker_id=speaker,
            length_scale=loaded.length_scale / speed,
            normalize_audio=False,  # it would make each sentence as loud as its loudest sound
        )
        piece = round(PIECE_S * loaded.rate_hz)
        for chunk in loaded.voice.synthesize(_plain(text), manner):
            samples = chunk.audio_int16_array
            for at in range(0, len(samples), piece):
                yield samples[at : at + piece]
            loaded.used_s = monotonic()

    def _find(self, asked: str) -> tuple[_Loaded, int | None]:
        voice, _, speaker = asked.partition("#")
        # One load at a time: a second request for the same voice waits for the first.
        with self._lock:
            loaded = self._loaded.pop(voice, None) or self._load(voice)
            loaded.used_s = monotonic()
            self._loaded[voice] = loaded
            while len(self._loaded) > MOST_LOADED:
                self._loaded.popitem(last=False)
        return loaded, _speaker(voice, speaker, loaded)

    def _load(self, voice: str) -> _Loaded:
        model = self._folder / voice / f"{voice}.onnx"
        if "/" in voice or "\\" in voice or not model.is_file():
            raise MissingError(f"the voice {voice} is not here: parlour models pull piper/{voice}")
        try:
            about = json.loads(model.with_name(f"{model.name}.json").read_text("utf-8"))
            config = self._piper.PiperConfig.from_dict(about)
            options = self._runtime.SessionOptions()
            options.log_severity_level = 3
            if self._threads:
                options.intra_op_num_threads = self._threads
            session = self._runtime.InferenceSession(
                str(model), sess_options=options, providers=self._providers
            )
            loaded = self._piper.PiperVoice(session=session, config=config)
            return _Loaded(
                loaded,
                dict(config.speaker_id_map or {}),
                int(config.sample_rate),
                float(config.length_scale),
                0.0,
            )
        except Exception as error:  # onnxruntime raises a dozen classes of its own
            log.debug("a voice does not load", exc_info=True)
            raise MissingError(
                f"the voice {voice} is damaged: parlour models verify piper/{voice} --repair"
            ) from error

    def _unload(self, after_s: float) -> None:
        while True:
            threading.Event().wait(LOOK_S)
            with self._lock:
                for voice in [
                    v for v, x in self._loaded.items() if monotonic() - x.used_s > after_s
                ]:
                    del self._loaded[voice]


def _speaker(voice: str, asked: str, loaded: _Loaded) -> int | None:
    if not asked:
        return None
    if asked in loaded.speakers:
        return loaded.speakers[asked]
    if asked.isdigit() and int(asked) < max(1, int(loaded.voice.config.num_speakers)):
        return int(asked)
    names = ", ".join(list(loaded.speakers)[:8]) or f"0 to {loaded.voice.config.num_speakers - 1}"
    raise ProviderError(NAME, f"the voice {voice} has no speaker {asked}; it has {names}")


def _plain(text: str) -> str:
    """Piper takes what stands in [[ ]] for phonemes; no text from outside means that."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable.replace("[[", "[ [").replace("]]", "] ]")


def _providers(runtime: Any, device: str) -> list[str]:
    available = runtime.get_available_providers()
    if device == "cuda" and "CUDAExecutionProvider" not in available:
        raise MissingError("this onnxruntime has no CUDA: pip install onnxruntime-gpu")
    cuda = device != "cpu" and "CUDAExecutionProvider" in available
    return ["CUDAExecutionProvider"] * cuda + ["CPUExecutionProvider"]
