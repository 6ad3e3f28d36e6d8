"""The engine: features once for a stream, then one small network for each of its words."""

import importlib
import importlib.util
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from anyio import lowlevel
from numpy.typing import NDArray

from parlour.audio import HEARING_RATE_HZ, Pcm, frames, resample
from parlour.engines.wakeword import Cutter, OncePerUtterance, plain_phrase
from parlour.errors import ConfigError, MissingError
from parlour.ports import Heard
from parlour.providers.microwakeword.models import ModelFile, read_model
from parlour.providers.microwakeword.tflite import FEATURES, NAME, Library, Network, Running
from parlour.traits import Licence, WakeWordTraits

HOW_TO_GET = "`pip install pymicro-wakeword==2.5.0` (needs Linux with glibc 2.35 or macOS on ARM)"
STEP_SAMPLES = 160  # 10 ms, between features

CONFIRMING_CUTOFF = 0.5  # the device was sure already; lower lets television through
LONGEST_CHECK_S = 2.0  # of a pre-roll, its end
SHORTEST_CHECK_S = 0.5  # no wake word is shorter, and less cannot be judged
SLICE_S = 0.2  # of a check, 0.4 ms; then others have their turn
TAIL_S = 0.2  # of silence after a pre-roll, which may end with the word itself

MOST_CUTOFF = 0.99  # at sensitivity 0; eight bits hold no more than 0.996
LEAST_CUTOFF = 0.5  # at sensitivity 1


class MicroWakeWord:
    """Satisfies `ports.WakeWord`: the four words of the wheel, and models of one's own."""

    def __init__(
        self, own: Mapping[str, Path] | None = None, confirming_cutoff: float = CONFIRMING_CUTOFF
    ) -> None:
        """`own` are paths of a .json or .tflite by the id of their word.

        `confirming_cutoff`, 0 to 1, is how sure `confirm` must be to say yes. Raises
        MissingError without the wheels, ConfigError for a model that cannot be used.
        """
        self._confirming_cutoff = confirming_cutoff
        folder = _find_wheel()
        library = Library(_only(folder / "lib", "*tensorflowlite_c.*"), HOW_TO_GET)
        self._new_front_end = _front_end()
        files = {path.stem: read_model(path, own=False) for path in folder.glob("models/*.json")}
        files |= {word: read_model(path) for word, path in (own or {}).items()}
        self._models = {
            word: Model(word, file, Network(library, file.path))
            for word, file in sorted(files.items())
        }
        self._by_phrase = {
            plain_phrase(name): word
            for word, file in files.items()
            for name in (word, file.phrase.text)
        }
        self.traits = WakeWordTraits(
            NAME,
            {word: file.phrase for word, file in sorted(files.items())},
            offline=True,
            licence=Licence(code="Apache-2.0"),
            cpu_ms=1.6,
            source="https://github.com/kahrendt/microWakeWord",
        )

    def open(self, words: Sequence[str], sensitivity: float = 0.5) -> "MicroWakeWordStream":
        """Listen for some words. Raises ConfigError for one that there is not."""
        chosen = [self._model(word) for word in dict.fromkeys(words)]
        cutoffs = [cutoff_for(model.file.cutoff, sensitivity) for model in chosen]
        return MicroWakeWordStream(
            [Spotter(*pair) for pair in zip(chosen, cutoffs, strict=True)], self._new_front_end()
        )

    async def confirm(self, pcm: Pcm, phrase: str) -> bool | None:
        """Whether a pre-roll holds the phrase. None: the phrase is unknown, or the sound too short.

        About 4 ms of work, in slices of less than one; it can be cancelled between them.
        """
        word = self._by_phrase.get(plain_phrase(phrase))
        if word is None or pcm.duration_s < SHORTEST_CHECK_S:
            return None
        last = round(LONGEST_CHECK_S * pcm.rate_hz)
        pcm = resample(Pcm(pcm.samples[-last:], pcm.rate_hz), HEARING_RATE_HZ)
        tail = np.zeros(round(TAIL_S * HEARING_RATE_HZ), np.int16)
        whole = Pcm(np.concatenate([pcm.samples, tail]), HEARING_RATE_HZ)
        spotter = Spotter(self._models[word], self._confirming_cutoff)
        stream = MicroWakeWordStream([spotter], self._new_front_end())
        try:
            for piece in frames(whole, round(SLICE_S * HEARING_RATE_HZ), pad=True):
                if stream.feed(piece):
                    return True
                await lowlevel.checkpoint()
            return False
        finally:
            stream.close()

    def _model(self, word: str) -> "Model":
        if word in self._models:
            return self._models[word]
        close = get_close_matches(word, self._models, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ConfigError(f"there is no wake word {word}; there is {', '.join(self._models)}{hint}")


class MicroWakeWordStream:
    """One microphone. Satisfies `ports.WakeWordStream`."""

    def __init__(self, spotters: "list[Spotter]", front_end: Any) -> None:
        self._spotters = spotters
        self._front_end = front_end
        self._cutter = Cutter(STEP_SAMPLES)
        self._once = OncePerUtterance()
        self._closed = False

    def feed(self, pcm: Pcm) -> list[Heard]:
        """0.03 ms for 20 ms of sound and one word, 0.07 ms for four."""
        if not self._cutter.continues(pcm):
            self.reset()
        heard: list[Heard] = []
        if self._closed:
            return heard
        for frame in self._cutter.push(pcm):
            made = self._front_end.process_samples(frame.tobytes()).features
            if not made:  # the first 30 ms are no whole window
                continue
            features = np.array(made, np.float32)
            above = [
                (spotter.model.word, score)
                for spotter in self._spotters
                if (score := spotter.take(features)) > spotter.cutoff
            ]
            heard += self._once.take(above, frame.end)
        return heard

    def reset(self) -> None:
        """0.2 ms for each word."""
        if self._closed:
            return
        self._front_end.reset()
        self._cutter.clear()
        self._once.clear()
        for spotter in self._spotters:
            spotter.reset()

    def close(self) -> None:
        self._closed = True
        for spotter in self._spotters:
            spotter.close()


@dataclass(frozen=True, slots=True)
class Model:
    word: str
    file: ModelFile
    network: Network


class Spotter:
    """One word of one stream."""

    def __init__(self, model: Model, cutoff: float) -> None:
        self.model, self.cutoff = model, cutoff
        self.reset()

    def reset(self) -> None:
        self._running = Running(self.model.network)
        self._features = np.zeros((self._running.stride, FEATURES), np.float32)
        self._filled = 0
        self._last: deque[float] = deque(maxlen=self.model.file.window)

    def take(self, features: NDArray[np.float32]) -> float:
        """The mean of the last probabilities; 0 until there are enough."""
        self._features[self._filled] = features
        self._filled += 1
        if self._filled == len(self._features):
            self._filled = 0
            self._last.append(self._running.probability(self._features))
        full = len(self._last) == self.model.file.window
        return sum(self._last) / len(self._last) if full else 0.0

    def close(self) -> None:
        self._running.close()


def cutoff_for(advised: float, sensitivity: float) -> float:
    """Straight from MOST_CUTOFF at 0 by what the model's maker advises at 0.5 to LEAST_CUTOFF."""
    at = min(max(sensitivity, 0.0), 1.0) * 2 - 1
    if at <= 0:
        return advised - at * (max(MOST_CUTOFF, advised) - advised)
    return advised - at * (advised - min(LEAST_CUTOFF, advised))


def _find_wheel() -> Path:
    package = importlib.util.find_spec("pymicro_wakeword")
    for place in (package.submodule_search_locations or ()) if package else ():
        return Path(place)
    raise MissingError(f"wake words need pymicro-wakeword: {HOW_TO_GET}")


def _only(folder: Path, pattern: str) -> Path:
    for path in folder.glob(pattern):
        return path
    raise MissingError(f"pymicro-wakeword came without its library for this machine: {HOW_TO_GET}")


def _front_end() -> Any:
    try:
        return importlib.import_module("pymicro_features").MicroFrontend
    except ImportError as error:
        raise MissingError(f"wake words need pymicro-features ({error}): {HOW_TO_GET}") from error
