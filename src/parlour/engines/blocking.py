"""What runs inside an engine's own process: plain blocking calls, no loop, no protocol."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from parlour.audio import Pcm, Samples
from parlour.ports import Final, Partial


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
    """May be used from several threads at once."""

    def learn(self, sentences: Iterable[str]) -> None:
        """Expect these sentences from now on; an engine without a vocabulary does nothing."""
        ...

    def hear(self) -> Hearing: ...


class Synthesiser(Protocol):
    @property
    def rate_hz(self) -> int: ...

    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """Sound piece by piece as it is made; closing the iterator stops the work at once."""
        ...
