"""Whisper on one's own machine, by faster-whisper and CTranslate2, in a process of its own."""

import importlib
import logging
import math
import os
import threading
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parlour.audio import HEARING_RATE_HZ, Samples
from parlour.engines.redecode import RedecodePolicy
from parlour.engines.threaded import InThread
from parlour.errors import MissingError, ProviderError
from parlour.level import level_dbfs
from parlour.ports import Final, Vocabulary

log = logging.getLogger(__name__)

NAME = "whisper_local"
FILES = ("config.json", "model.bin", "tokenizer.json")

# Whisper was made for windows of 30 s. Encoding all of it costs 440 ms for `base` on two cores,
# 10 s of it 68 ms; a little more than what was said is a compromise between speed and a window
# that the network has hardly seen in training (as whisper.cpp's audio_ctx; not measured by us).
FULL_S = 30.0
LEAST_WINDOW_S = 8.0
WINDOW_STEP_S = 2.0
AFTER_S = 0.4  # of silence after the last word, within the window

PARTIAL_S = 0.6  # of new sound between two partials: more of them are in the way of the last decode
SILENT_DBFS = -55.0  # Whisper makes up words for silence: what is as quiet is not shown to it
NO_SPEECH = 0.6  # probability, and ...
UNSURE = -1.0  # ... mean log probability of the tokens: faster-whisper's own thresholds
TOKENS_PER_S = 14  # of quick speech; more is a loop
LEAST_TOKENS = 24
PROMPT_CHARS = 200


def serve(
    *,
    folder: str,
    device: str = "auto",
    threads: int = 0,
    window: str = "cut",
    compute: str = "",
    unload_after_s: float = 0.0,
) -> InThread:
    """Make the engine in its process. `folder` holds a model converted for CTranslate2.

    Raises MissingError.
    """
    whisper = WhisperRecogniser(Path(folder), device, threads, window, compute)
    if unload_after_s > 0:
        threading.Thread(
            target=whisper.unload_when_idle, args=(unload_after_s,), daemon=True
        ).start()
    # Two decodes at once would each take twice as long; one after the other, one is early.
    return InThread(whisper, RedecodePolicy(least_new_s=PARTIAL_S), lanes=1)


class WhisperRecogniser:
    """Satisfies `blocking.BatchRecogniser`."""

    def __init__(
        self, folder: Path, device: str, threads: int, window: str, compute: str = ""
    ) -> None:
        model = f"whisper/{folder.name}"
        if any(not (folder / name).is_file() for name in FILES):
            raise MissingError(f"the model {model} is not here: parlour models pull {model}")
        try:
            package: Any = importlib.import_module("faster_whisper")
            backend: Any = importlib.import_module("ctranslate2")
        except ImportError as error:
            raise MissingError(
                "whisper_local needs its package: pip install 'parlour[whisper]'"
            ) from error
        self._tokenizer: Any = package.tokenizer.Tokenizer
        if device == "auto":
            device = "cuda" if backend.get_cuda_device_count() else "cpu"
        if device == "cuda" and not backend.get_cuda_device_count():
            raise MissingError("there is no GPU that CTranslate2 can use: set stt.device: cpu")
        try:
            self._model: Any = package.WhisperModel(
                str(folder),
                device=device,
                cpu_threads=threads or min(4, os.cpu_count() or 1),
                compute_type=compute or ("float16" if device == "cuda" else "int8"),
                local_files_only=True,
            )
        except Exception as error:  # CTranslate2 raises bare RuntimeErrors
            log.debug("whisper does not load", exc_info=True)
            raise MissingError(
                f"the model {model} is damaged: parlour models verify {model} --repair"
            ) from error
        self._full = window == "full"
        self._prompt: list[int] = []
        self._busy = threading.Lock()
        self._used_s = monotonic()
        self._warm()

    @property
    def loaded(self) -> bool:
        return bool(self._model.model.model_is_loaded)

    def unload_when_idle(self, after_s: float) -> None:
        """For ever: free the weights after a while without work. The next utterance loads them."""
        while True:
            sleep(min(5.0, after_s / 2))
            with self._busy:
                if self.loaded and monotonic() - self._used_s > after_s:
                    self._model.model.unload_model()

    def learn(self, vocabulary: Vocabulary) -> None:
        """Names stand before what it writes, so that it spells them so."""
        names = ", ".join(vocabulary.names)[:PROMPT_CHARS]
        tokenizer = self._tokenizer_for("en")
        self._prompt = tokenizer.encode(f" {names}") if names else []

    def transcribe(self, samples: Samples, language: str | None) -> Final:
        if not len(samples) or loudest_dbfs(samples) < SILENT_DBFS:
            return Final("")
        with self._busy:
            if not self.loaded:
                self._model.model.load_model()
            try:
                return self._hear(samples, language)
            finally:
                self._used_s = monotonic()

    def _hear(self, samples: Samples, language: str | None) -> Final:
        encoded = self._model.encode(self._features(samples))
        if language is None:
            (first, *_), *_ = self._model.model.detect_language(encoded)
            code = str(first[0]).strip("<|>")
        else:
            code = language.partition("_")[0]
        if code not in self._model.supported_languages:
            raise ProviderError(NAME, f"it does not know the language {language}")
        return self._decode(encoded, code, len(samples) / HEARING_RATE_HZ)

    def _decode(self, encoded: Any, code: str, duration_s: float) -> Final:
        tokenizer = self._tokenizer_for(code)
        prompt = self._model.get_prompt(tokenizer, self._prompt, without_timestamps=True)
        most = max(LEAST_TOKENS, round(duration_s * TOKENS_PER_S))
        (result,) = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=1,
            max_length=min(self._model.max_length, len(prompt) + most),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
        )
        tokens = result.sequences_ids[0]
        text = " ".join(tokenizer.decode(tokens).split())
        log_probability = result.scores[0] * len(tokens) / (len(tokens) + 1)
        confidence = round(min(1.0, math.exp(log_probability)), 3)
        if result.no_speech_prob > NO_SPEECH and log_probability < UNSURE:
            return Final("", confidence, code, rejected=text)
        return Final(text, confidence, code)

    def _features(self, samples: Samples) -> NDArray[np.float32]:
        """Log-mel frames of 10 ms, shape (80 or 128, n): n as long as the window is to be."""
        extractor = self._model.feature_extractor
        frames_per_s = self._model.frames_per_second
        window_s = FULL_S if self._full else window_for(len(samples) / HEARING_RATE_HZ)
        frames = round(window_s * frames_per_s)
        sound = samples[: round(FULL_S * HEARING_RATE_HZ)].astype(np.float32) / 32768
        made: NDArray[np.float32] = extractor(sound)[:, :frames]
        # What is after the sound is as quiet as Whisper's own padding, which it saw in training.
        missing = frames - made.shape[1]
        padded = np.pad(made, ((0, 0), (0, missing)))
        return np.ascontiguousarray(padded, np.float32)

    def _tokenizer_for(self, code: str) -> Any:
        model = self._model
        return self._tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=code
        )

    def _warm(self) -> None:
        """The first decode allocates what later ones use again."""
        tone = np.full(HEARING_RATE_HZ // 2, 1000, np.int16)
        self._decode(self._model.encode(self._features(tone)), "en", 0.1)


def window_for(duration_s: float) -> float:
    """How much of a window an utterance needs, in seconds."""
    wanted = math.ceil((duration_s + AFTER_S) / WINDOW_STEP_S) * WINDOW_STEP_S
    return min(FULL_S, max(LEAST_WINDOW_S, wanted))


def loudest_dbfs(samples: Samples) -> float:
    """The level of the loudest tenth of a second."""
    hop = HEARING_RATE_HZ // 10
    return max(level_dbfs(samples[at : at + hop]) for at in range(0, len(samples), hop))
