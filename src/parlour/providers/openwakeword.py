"""openWakeWord: models of one's own, by file; a network ten times as large, in a thread."""

import importlib
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parlour.audio import Pcm
from parlour.engines.wakeword import Cutter, OncePerUtterance
from parlour.errors import ConfigError, MissingError, ProviderError
from parlour.ports import Heard
from parlour.traits import Licence, WakePhrase, WakeWordTraits

NAME = "openwakeword"
HOW_TO_GET = "`pip install openwakeword==0.5.1`"
FRAME_SAMPLES = 1_280  # 80 ms; it knows no other size
MOST_PENDING = 25  # frames, two seconds; then the machine is too slow, and sound is left out
_LICENCE = Licence(code="Apache-2.0", source="https://github.com/dscripka/openWakeWord")


@dataclass(frozen=True, slots=True)
class OpenWakeWordOptions:
    models: Mapping[str, Path] = field(default_factory=dict)  # .onnx files by the id of their word


class OpenWakeWord:
    """Satisfies `ports.WakeWord`; knows only the words whose models it is given."""

    def __init__(self, options: OpenWakeWordOptions) -> None:
        try:
            self._library: Any = importlib.import_module("openwakeword.model")
        except ImportError as error:
            raise MissingError(f"openWakeWord cannot be loaded ({error}): {HOW_TO_GET}") from error
        for word, path in options.models.items():
            if path.suffix != ".onnx" or not path.is_file():
                raise ConfigError(f"wake.models.{word}: there is no .onnx file {path}")
        self._models = dict(options.models)
        # The models name no licence; those of the project itself allow no business.
        words = {word: WakePhrase(word.replace("_", " ")) for word in sorted(self._models)}
        self.traits = WakeWordTraits(
            NAME, words, offline=True, licence=_LICENCE, confirms=False, source=_LICENCE.source
        )
        # One thread for all streams: its frames of 80 ms take 3 ms, too long for the event loop.
        self._worker = ThreadPoolExecutor(1, NAME)

    def open(self, words: Sequence[str], sensitivity: float = 0.5) -> "OpenWakeWordStream":
        """Listen for some words. Takes 0.2 s. Raises ConfigError, ProviderError."""
        words = list(dict.fromkeys(words))
        for word in words:
            if word not in self._models:
                raise ConfigError(
                    f"there is no wake word {word}; name its model as wake.models.{word}"
                )
        paths = [str(self._models[word]) for word in words]
        try:
            model = self._library.Model(wakeword_models=paths, inference_framework="onnx")
        except Exception as error:  # onnxruntime and its user have no error of their own
            reason = str(error).partition("\n")[0][:200]
            raise ProviderError(NAME, f"it does not start: {reason}") from error
        by_name = {self._models[word].stem: word for word in words}
        return OpenWakeWordStream(model, by_name, 1 - sensitivity, self._worker)

    async def confirm(self, pcm: Pcm, phrase: str) -> bool | None:
        """None: it would take longer than anybody waits for a sound."""
        return None


class OpenWakeWordStream:
    """One microphone. Satisfies `ports.WakeWordStream`; what it hears it tells a frame later."""

    def __init__(
        self, model: Any, words: Mapping[str, str], threshold: float, worker: ThreadPoolExecutor
    ) -> None:
        self._model, self._words, self._worker = model, words, worker
        self._threshold = min(max(threshold, 0.1), 0.95)
        self._cutter = Cutter(FRAME_SAMPLES)
        self._once = OncePerUtterance()
        self._pending: deque[tuple[int, Future[Mapping[str, float]]]] = deque()
        self._closed = False

    def feed(self, pcm: Pcm) -> list[Heard]:
        if not self._cutter.continues(pcm):
            self.reset()
        if self._closed:
            return []
        for frame in self._cutter.push(pcm):
            if len(self._pending) < MOST_PENDING:
                scores = self._worker.submit(self._model.predict, frame.samples.copy())
                self._pending.append((frame.end, scores))
        return self._done()

    def reset(self) -> None:
        self._forget()
        self._cutter.clear()
        self._once.clear()
        if not self._closed:
            self._worker.submit(self._model.reset)

    def close(self) -> None:
        self._closed = True
        self._forget()

    def _done(self) -> list[Heard]:
        heard: list[Heard] = []
        while self._pending and self._pending[0][1].done():
            end, scores = self._pending.popleft()
            if error := scores.exception():
                raise ProviderError(NAME, f"it stopped ({type(error).__name__})") from error
            above = [
                (self._words[name], float(score))
                for name, score in scores.result().items()
                if name in self._words and score > self._threshold
            ]
            heard += self._once.take(above, end)
        return heard

    def _forget(self) -> None:
        for _, scores in self._pending:
            scores.cancel()
        self._pending.clear()
