"""Porcupine (Picovoice): wake words of a closed engine, which wants a key of each of its users."""

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parlour.audio import Pcm
from parlour.engines.wakeword import Cutter, OncePerUtterance
from parlour.errors import ConfigError, MissingError, ProviderError
from parlour.ports import Heard
from parlour.traits import Licence, WakePhrase, WakeWordTraits

NAME = "porcupine"
HOW_TO_GET = "`pip install pvporcupine`"
KEYS = "https://console.picovoice.ai"
_LICENCE = Licence(
    code="Apache-2.0 around a closed library",
    weights="Picovoice's terms",
    any_use=False,
    source="https://github.com/Picovoice/porcupine",
)


@dataclass(frozen=True, slots=True)
class PorcupineOptions:
    access_key: str = field(repr=False)
    own: Mapping[str, Path] = field(default_factory=dict)  # .ppn files by the id of their word


class Porcupine:
    """Satisfies `ports.WakeWord`. Each stream is an instance of the library, which asks Picovoice
    whether the key is good; so it cannot check the wake of a device in time."""

    def __init__(self, options: PorcupineOptions) -> None:
        try:
            self._library: Any = importlib.import_module("pvporcupine")
        except ImportError as error:
            raise MissingError(f"Porcupine cannot be loaded ({error}): {HOW_TO_GET}") from error
        if not options.access_key:
            raise ConfigError(f"wake.access_key: Porcupine needs a key, from {KEYS}")
        for word, path in options.own.items():
            if not path.is_file():
                raise ConfigError(f"wake.models.{word}: there is no file {path}")
        self._options = options
        self._paths = {
            re.sub(r"[^a-z0-9]+", "_", name.lower()): str(path)
            for name, path in self._library.KEYWORD_PATHS.items()
        } | {word: str(path) for word, path in options.own.items()}
        words = {
            word: WakePhrase(word.replace("_", " "), (), _LICENCE) for word in sorted(self._paths)
        }
        self.traits = WakeWordTraits(
            NAME, words, offline=False, licence=_LICENCE, confirms=False, source=_LICENCE.source
        )

    def open(self, words: Sequence[str], sensitivity: float = 0.5) -> "PorcupineStream":
        """Listen for some words. Raises ConfigError, ProviderError."""
        words = list(dict.fromkeys(words))
        for word in words:
            if word not in self._paths:
                raise ConfigError(
                    f"there is no wake word {word}; there is {', '.join(self.traits.words)}"
                )
        try:
            made = self._library.create(
                access_key=self._options.access_key,
                keyword_paths=[self._paths[word] for word in words],
                sensitivities=[min(max(sensitivity, 0.0), 1.0)] * len(words),
            )
        except (self._library.PorcupineError, ValueError, OSError) as error:
            # Its texts may hold the key.
            raise ProviderError(
                NAME,
                f"it does not start ({type(error).__name__}): is wake.access_key right, were the"
                " .ppn files made for this system, is the machine online?",
            ) from error
        return PorcupineStream(words, made, self._library.PorcupineError)

    async def confirm(self, pcm: Pcm, phrase: str) -> bool | None:
        """None: a check would take as long as a new instance."""
        return None


class PorcupineStream:
    """One microphone. Satisfies `ports.WakeWordStream`."""

    def __init__(self, words: list[str], porcupine: Any, error: type[Exception]) -> None:
        self._words, self._porcupine, self._error = words, porcupine, error
        self._cutter = Cutter(porcupine.frame_length)
        self._once = OncePerUtterance()
        self._closed = False

    def feed(self, pcm: Pcm) -> list[Heard]:
        if not self._cutter.continues(pcm):
            self.reset()
        heard: list[Heard] = []
        if self._closed:
            return heard
        for frame in self._cutter.push(pcm):
            try:
                index = self._porcupine.process(frame.samples.tolist())
            except self._error as error:
                raise ProviderError(NAME, f"it stopped ({type(error).__name__})") from error
            # It says only that a word was said, not how sure it is.
            above = [(self._words[index], 1.0)] if index >= 0 else []
            heard += self._once.take(above, frame.end)
        return heard

    def reset(self) -> None:
        """Forgets the sound that is not yet judged; the library itself has nothing to wipe."""
        self._cutter.clear()
        self._once.clear()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._porcupine.delete()
