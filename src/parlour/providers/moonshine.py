"""Moonshine's streaming recogniser, in a process of its own."""

import importlib
import logging
from pathlib import Path
from typing import Any

import numpy as np

from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.engines.threaded import Threaded
from parlour.errors import MissingError, ProviderError
from parlour.ports import Final, Partial, Vocabulary
from parlour.traits import covers

log = logging.getLogger(__name__)

NAME = "moonshine"
UPDATE_S = 0.2  # of sound between two partials
MARK = "streaming_config.json"  # in every folder of a streaming model
MOST_KEYTERMS = 50


def serve(*, folder: str, device: str = "auto", threads: int = 0) -> Threaded:
    """Make the engine in its process. The name of `folder` says size and language, as in
    "tiny-streaming-en". It runs on the CPU, and its library takes the threads it likes.

    Raises MissingError.
    """
    return Threaded(MoonshineRecogniser(Path(folder)))


class MoonshineRecogniser:
    """Satisfies `blocking.Recogniser`."""

    def __init__(self, folder: Path) -> None:
        model = f"moonshine/{folder.name}"
        if not (folder / MARK).is_file():
            raise MissingError(f"the model {model} is not here: parlour models pull {model}")
        size, _, self._language = folder.name.rpartition("-")
        try:
            package: Any = importlib.import_module("moonshine_voice")
        except ImportError as error:
            raise MissingError(
                "moonshine needs its package: pip install 'parlour[moonshine]'"
            ) from error
        try:
            arch = package.ModelArch[size.replace("-", "_").upper()]
            self._transcriber: Any = package.Transcriber(str(folder), arch, UPDATE_S)
        except (KeyError, package.MoonshineError) as error:
            log.debug("moonshine does not load", exc_info=True)
            raise MissingError(
                f"the model {model} is damaged: parlour models verify {model} --repair"
            ) from error

    def learn(self, vocabulary: Vocabulary) -> None:
        self._transcriber.set_keyterms(list(vocabulary.names)[:MOST_KEYTERMS])

    def hear(self, language: str | None) -> "MoonshineHearing":
        if language is not None and not covers(self._language, language):
            raise ProviderError(NAME, f"this model hears {self._language}, not {language}")
        stream = self._transcriber.create_stream()
        stream.start()
        return MoonshineHearing(stream)


class MoonshineHearing:
    """One utterance; the library ends lines at pauses, which are joined here."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._fed = 0
        self._looked = 0
        self._said = ""

    def feed(self, pcm: Pcm) -> Partial | None:
        self._stream.add_audio((pcm.samples.astype(np.float32) / 32768).tolist(), HEARING_RATE_HZ)
        self._fed += len(pcm.samples)
        if self._fed - self._looked < UPDATE_S * HEARING_RATE_HZ:
            return None
        self._looked = self._fed
        text, stable = _text(self._stream.update_transcription())
        if text == self._said:
            return None
        self._said = text
        return Partial(text, stable)

    def pause(self) -> Partial | None:
        self._said, _ = _text(self._stream.update_transcription())
        return Partial(self._said, len(self._said)) if self._said else None

    def finish(self) -> Final:
        transcript = self._stream.stop()
        return Final(self._said if transcript is None else _text(transcript)[0])

    def close(self) -> None:
        self._stream.close()


def _text(transcript: Any) -> tuple[str, int]:
    """All lines as one text, and how much of it is complete."""
    lines = [(" ".join(str(line.text).split()), line.is_complete) for line in transcript.lines]
    text = " ".join(said for said, _ in lines if said)
    done = " ".join(said for said, complete in lines if said and complete)
    return text, len(done) if text.startswith(done) else 0
