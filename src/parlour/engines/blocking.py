"""What runs inside an engine's own process: plain blocking calls, no loop, no protocol."""

from collections.abc import Iterator
from typing import Protocol

from parlour.audio import Pcm, Samples
from parlour.ports import Final, Partial, Vocabulary


class Hearing(Protocol):
    """One utterance; its calls come one after the other, from any thread."""

    def feed(self, pcm: Pcm) -> Partial | None:
        """Take sound at 16 kHz; a partial when there is news."""
        ...

    def pause(self) -> Partial | None:
        """The user seems to have stopped: a settled partial, if it can be told already."""
        ...

    def finish(self) -> Final: ...

    def close(self) -> None:
        """Give the utterance up; does nothing after `finish`."""
        ...


class Recogniser(Protocol):
    """Hears while somebody speaks. May be used from several threads at once."""

    def learn(self, vocabulary: Vocabulary) -> None:
        """Expect this from now on; an engine that cannot learn does nothing."""
        ...

    def hear(self, language: str | None) -> Hearing:
        """Begin an utterance. Raises ProviderError for a language that the model does not know."""
        ...


class BatchRecogniser(Protocol):
    """Hears whole recordings; `engines.redecode` makes it hear while somebody speaks.

    May be used from several threads at once.
    """

    def learn(self, vocabulary: Vocabulary) -> None:
        """As of a Recogniser."""
        ...

    def transcribe(self, samples: Samples, language: str | None) -> Final:
        """Hear a recording at 16 kHz of at most 30 s. Raises ProviderError."""
        ...


class Synthesiser(Protocol):
    """May be used from several threads at once."""

    def rate_hz(self, voice: str) -> int:
        """The voice's own rate; loads the voice if it has to. Raises ProviderError, MissingError."""
        ...

    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """Sound piece by piece as it is made; closing the iterator stops the work at once."""
        ...
