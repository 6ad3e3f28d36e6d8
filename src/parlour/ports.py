"""The shapes of everything that can be swapped. What each can do is told by `traits`.

An engine satisfies a Protocol by shape; nobody asks `isinstance`. Every engine opens as an
async context; leaving the context stops its work at once.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from parlour.events import Action
from parlour.ids import DeviceId, TurnId
from parlour.traits import LlmTraits, SttTraits, TtsTraits, WakeWordTraits

if TYPE_CHECKING:  # numpy takes as long as all else, and who reads sentences hears nothing
    import numpy as np
    from numpy.typing import NDArray

    from parlour.audio import Pcm

# ---------------------------------------------------------------- hearing


@dataclass(frozen=True, slots=True)
class Partial:
    """Replaces the partial before it. The first `stable_chars` characters will not change.

    One that is stable as a whole may serve as the final when nothing more is said: the engine
    stands by it as it would by a final.
    """

    text: str
    stable_chars: int = 0

    @property
    def settled(self) -> bool:
        return bool(self.text) and self.stable_chars >= len(self.text)


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

    def feed(self, pcm: "Pcm") -> None:
        """Take sound at the traits' rate. A plain call: it never blocks and never waits.

        Sound beyond 30 s of one utterance is dropped (the turn's own limit comes first).
        """
        ...

    def pause(self) -> None:
        """Say that the user seems to have stopped, though more may come. A plain call.

        An engine that can then commits itself early: it says a settled Partial as soon as it has
        worked off what it was fed. One that cannot ignores it.
        """
        ...

    def finish(self) -> None:
        """Say that no more sound comes; the Final follows."""
        ...

    def __aiter__(self) -> AsyncIterator[Partial | Final]:
        """Partials while feeding, then one Final, then the end. Raises ProviderError."""
        ...


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is likely to be said in this house."""

    sentences: Sequence[str] = ()  # whole commands: tens of thousands
    names: Sequence[str] = ()  # of rooms and devices: tens


class Stt(Protocol):
    @property
    def traits(self) -> SttTraits: ...

    async def teach(self, vocabulary: Vocabulary) -> None:
        """Expect this from now on, after restarts too. An engine that cannot learn does nothing.

        Raises ProviderError.
        """
        ...

    def open(self, language: str | None) -> AbstractAsyncContextManager[SttContext]:
        """Begin an utterance. None: the engine detects the language, or has but one."""
        ...


# ---------------------------------------------------------------- speaking


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """A piece of synthesised sound and the text it speaks ("" for a continuation)."""

    pcm: "Pcm"
    text: str = ""
    stand_in: bool = False  # another voice than the one asked for, which has failed


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

    def judge(
        self, states: Sequence[VadState], windows: "NDArray[np.int16]"
    ) -> "NDArray[np.float32]":
        """Probability of speech in each row of `windows` (shape (n, window_samples), 16 kHz).

        Row i belongs to `states[i]`, which is advanced in place. About 0.1 ms for one row.
        """
        ...


class TurnModel(Protocol):
    """Tells from the sound whether somebody has finished. One instance per process."""

    @property
    def longest_s(self) -> float:
        """How much of the end of an utterance it looks at."""
        ...

    async def judge(self, pcm: "Pcm") -> float:
        """Probability, 0 to 1, that the turn is over. Works off the loop. Raises ProviderError.

        `pcm` is 16 kHz sound up to now, the silence at its end included.
        """
        ...


# ---------------------------------------------------------------- wake words


@dataclass(frozen=True, slots=True)
class Heard:
    """A wake word in a stream. `score` is the engine's own, 0 to 1; `end_sample` counts samples of
    the stream at 16 kHz up to where the engine was sure, some 0.1 s after the word at most times.
    """

    word: str  # by its id in the traits
    score: float
    end_sample: int


class WakeWordStream(Protocol):
    """One microphone being listened to for some words."""

    def feed(self, pcm: "Pcm") -> list[Heard]:
        """Take the next piece of the stream, of at most 0.1 s: it takes less than 1 ms then.

        One utterance is heard once. An engine that works in a thread tells of a piece with one of
        the next. A gap of more than 0.2 s begins a new stream. Raises AudioError for another rate
        than 16 kHz, ProviderError.
        """
        ...

    def reset(self) -> None:
        """Forget what was heard: the next piece begins a new stream."""
        ...

    def close(self) -> None:
        """Give back what it holds; then it hears nothing any more."""
        ...


class WakeWord(Protocol):
    """One instance per process, shared by all microphones."""

    @property
    def traits(self) -> WakeWordTraits: ...

    def open(self, words: Sequence[str], sensitivity: float = 0.5) -> WakeWordStream:
        """Listen for these words of the traits. Raises ConfigError for others, ProviderError.

        `sensitivity`, 0 to 1: more hears more, and more that nobody said; 0.5 is as the words'
        makers advise.
        """
        ...

    async def confirm(self, pcm: "Pcm", phrase: str) -> bool | None:
        """Whether the pre-roll of a device, 1.5 to 2 s, holds the phrase it claims to have heard.

        None: this engine does not know the phrase, or has too little sound to tell; then the device
        is believed. Slow engines raise ProviderError at their deadline.
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
    """`intent` and `slots` are set for CLOSED and OPEN only; intents are those of home/meanings.py.

    `then` are further commands of the same breath: "turn on the light and close the blinds".
    """

    verdict: Verdict
    intent: str = ""
    slots: Mapping[str, Slot] = field(default_factory=dict)
    then: tuple["Judgement", ...] = ()


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
    """The next piece of the answer, as it comes: a token, a word or a whole sentence.

    Pieces are joined as they are, so each brings its own blanks. `tokens` is what it cost.
    `readable` is what of it a language model may read later, where it may not read the text: a
    device may call itself "ignore your rules".
    """

    text: str
    tokens: int = 0
    readable: str = ""  # "": all of the text


@dataclass(frozen=True, slots=True)
class Expect:
    """What will be said if all goes well, so that its sound can be made ahead of time."""

    text: str


@dataclass(frozen=True, slots=True)
class Did:
    """An action that was carried out, confirmed or not."""

    action: Action


@dataclass(frozen=True, slots=True)
class Begun:
    """Something is done from now on that must not be done twice, in the home or elsewhere."""


Piece: TypeAlias = Say | Expect | Begun | Did


class Commit(Protocol):
    """Whether the answer that is being prepared will be given; an `anyio.Event` is one."""

    async def wait(self) -> None: ...


class Brain(Protocol):
    def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
        """Act on an utterance and say what came of it. Leaving the context stops the answer.

        The utterance may be a guess at what is still being said. Whatever changes anything waits
        for `commit`; what only reads need not.
        """
        ...

    def context(self, utterance: Utterance) -> Hashable:
        """What an answer depends on besides the words; an answer prepared in another is void."""
        ...

    async def warm(self, utterance: Utterance) -> None:
        """Get ready for an utterance of which the beginning is known. Never raises."""
        ...

    def remember(self, utterance: Utterance, heard: str) -> None:
        """Keep in mind what was said and how much of the answer was heard ("": none of it)."""
        ...


# ---------------------------------------------------------------- language models


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function that a model may call. `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A whole call; half of one is never handed out. `arguments` is the object the model made."""

    id: str
    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0  # of the prompt, as far as the server says


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()  # of an assistant
    call_id: str = ""  # of a tool: which call this is the result of


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked. Only the last message holds what changes by itself (clock, state),
    so that a server finds everything before it in its cache."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    most_tokens: int | None = None  # of the answer; None: the provider's own limit


LlmDelta: TypeAlias = TextDelta | ToolCall | Usage


class Llm(Protocol):
    @property
    def traits(self) -> LlmTraits: ...

    def open(self, prompt: Prompt) -> AbstractAsyncContextManager[AsyncIterator[LlmDelta]]:
        """Begin to generate. Leaving the context stops the model. Iterating raises ProviderError."""
        ...

    async def warm(self, prompt: Prompt) -> None:
        """Have the model read the prompt ahead and say nothing. Never raises."""
        ...

    async def aclose(self) -> None:
        """Hang up for good."""
        ...


# ---------------------------------------------------------------- tools

Arguments: TypeAlias = Mapping[str, object]
"""What a model calls a tool with: of the types that the schema names, checked before."""


@dataclass(frozen=True, slots=True)
class Order:
    """One call of a tool: who wants it, and how to tell him that it takes a while."""

    utterance: Utterance
    key: str  # the same key acts once, however often it is carried out
    tell: Callable[[str], None] = field(default=lambda _: None, repr=False)  # a sentence, spoken


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call. `text` is for the model, which then answers.

    `say` is a whole answer in the language of the speaker, made from what really happened: where
    all calls bring one, no model is asked again. `asks`: it is a question to the speaker.
    """

    text: str
    say: str = ""
    asks: bool = False
    actions: tuple[Action, ...] = ()


def _tier_0(_arguments: Arguments) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Tool:
    """Something a model may do. Whatever is allowed is decided here and by its caller, never there.

    `tier`, of a call: 0 reads only, 1 harmless, 2 may annoy or cost something, 3 may let somebody
    in or harm. Only a call of tier 0 may be made for an utterance that is still a guess.

    `run` raises ToolError for arguments that cannot work, with words that help a model to call
    better, ProviderError or HomeError when a service fails; cancelling it stops it at once.

    `question`, where there is one, returns what to ask before a call is made ("Shall I add the
    dentist on Tuesday at ten?"), "" where nothing need be asked; it looks the facts up, changes
    nothing, and raises as `run` does. After the yes the very same arguments are run.
    """

    spec: ToolSpec
    run: Callable[[Arguments, Order], Awaitable[ToolResult]]
    tier: Callable[[Arguments], int] = _tier_0
    question: Callable[[Arguments, Order], Awaitable[str]] | None = None
    deadline_s: float = 8.0
    trusted: bool = True  # False: what it returns was written by somebody outside this house
    quotes: bool = False  # what it asks and says aloud may hold such words: the title of an event
