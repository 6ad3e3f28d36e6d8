"""The shapes of everything that can be swapped, and the traits that say what each can do.

An engine satisfies a Protocol by shape; nobody asks `isinstance`. Every engine opens as an
async context; leaving the context stops its work at once.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parlour.audio import Pcm
from parlour.events import Action
from parlour.ids import DeviceId, TurnId

# ---------------------------------------------------------------- traits


class Partials(StrEnum):
    NONE = "none"  # only a final
    REPLACE = "replace"  # each partial replaces the one before
    APPEND = "append"  # partials only ever grow


@dataclass(frozen=True, slots=True)
class SttTraits:
    name: str
    languages: Mapping[str, str]  # language -> grade with its source, e.g. "en": "WER 5 % ..."
    partials: Partials
    offline: bool
    licence: str
    rate_hz: int = 16_000


@dataclass(frozen=True, slots=True)
class TtsTraits:
    name: str
    languages: Mapping[str, str]  # language -> grade with its source
    voices: Mapping[str, str]  # voice id -> language
    default_voice: str
    rate_hz: int  # native rate; resampled once, at the edge
    offline: bool
    licence: str


# ---------------------------------------------------------------- hearing


@dataclass(frozen=True, slots=True)
class Partial:
    """Replaces the partial before it. The first `stable_chars` characters will not change."""

    text: str
    stable_chars: int = 0


@dataclass(frozen=True, slots=True)
class Final:
    """The engine's last word on the utterance; empty when it heard nothing it would stand by.

    `confidence` is the engine's own, 0 to 1, None if it has none. `rejected` holds what an
    engine heard but did not believe; it is for logs at DEBUG and benches, never for acting.
    """

    text: str
    confidence: float | None = None
    language: str | None = None
    rejected: str = ""


class SttContext(Protocol):
    """One utterance being heard."""

    def feed(self, pcm: Pcm) -> None:
        """Take sound at the traits' rate. A plain call: it never blocks and never waits.

        Sound beyond 30 s of one utterance is dropped (the turn's own limit comes first).
        """
        ...

    def finish(self) -> None:
        """Say that no more sound comes; the Final follows."""
        ...

    def __aiter__(self) -> AsyncIterator[Partial | Final]:
        """Partials while feeding, then one Final, then the end. Raises ProviderError."""
        ...


class Stt(Protocol):
    @property
    def traits(self) -> SttTraits: ...

    def open(self, language: str | None) -> AbstractAsyncContextManager[SttContext]:
        """Begin an utterance. None: the engine detects the language, or has but one."""
        ...


# ---------------------------------------------------------------- speaking


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """A piece of synthesised sound and the text it speaks ("" for a continuation)."""

    pcm: Pcm
    text: str = ""


class TtsContext(Protocol):
    def say(self, text: str) -> None:
        """Queue text to be spoken after what was said before. A plain call."""
        ...

    def finish(self) -> None:
        """Say that no more text comes; iteration ends when all is spoken."""
        ...

    def __aiter__(self) -> AsyncIterator[Speech]:
        """Sound as it is made, at the traits' native rate. Raises ProviderError."""
        ...


class Tts(Protocol):
    @property
    def traits(self) -> TtsTraits: ...

    def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AbstractAsyncContextManager[TtsContext]:
        """Begin to speak. None: the engine's default voice. `speed` 1.0 is the voice's own."""
        ...


# ---------------------------------------------------------------- voice activity


class VadState(Protocol):
    """What the model remembers of one stream; opaque to everybody but its model."""


class Vad(Protocol):
    """One instance per process, shared by all sessions, which keep only their state."""

    @property
    def window_samples(self) -> int: ...

    def new_state(self) -> VadState: ...

    def judge(self, states: Sequence[VadState], windows: NDArray[np.int16]) -> NDArray[np.float32]:
        """Probability of speech in each row of `windows` (shape (n, window_samples), 16 kHz).

        Row i belongs to `states[i]`, which is advanced in place. About 0.1 ms for one row.
        """
        ...


# ---------------------------------------------------------------- understanding


class Verdict(StrEnum):
    """Whether a text is a whole command."""

    CLOSED = "closed"  # a whole command that nothing can extend
    OPEN = "open"  # a whole command that more words could change
    INCOMPLETE = "incomplete"  # the beginning of a command
    NONE = "none"  # not a command, and not the beginning of one that is known


Slot: TypeAlias = str | int | float


@dataclass(frozen=True, slots=True)
class Judgement:
    """`intent` and `slots` are set for CLOSED and OPEN only; names as Home Assistant has them."""

    verdict: Verdict
    intent: str = ""
    slots: Mapping[str, Slot] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody speaks: "turn on the light" means the light of this area."""

    device: DeviceId
    area: str | None = None


class Grammar(Protocol):
    def judge(self, text: str, language: str, place: Place) -> Judgement:
        """Judge a partial or a final in about 3 ms; never raises on any text."""
        ...


# ---------------------------------------------------------------- answering


@dataclass(frozen=True, slots=True)
class Utterance:
    turn: TurnId
    text: str
    language: str
    place: Place


@dataclass(frozen=True, slots=True)
class Say:
    """Text to be spoken next."""

    text: str


@dataclass(frozen=True, slots=True)
class Did:
    """An action that was carried out, confirmed or not."""

    action: Action


class Brain(Protocol):
    def answer(self, utterance: Utterance) -> AbstractAsyncContextManager[AsyncIterator[Say | Did]]:
        """Act on an utterance and say what came of it. Leaving the context stops the answer."""
        ...
