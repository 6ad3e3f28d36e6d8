"""What happens in a conversation: frozen values in one closed union, stamped in one clock.

`at_s` is `anyio.current_time()` of the server's process. Sample numbers count the device's
microphone at 16 kHz since its session began.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from parlour.ids import DeviceId, EntityId, SessionId, TurnId

Stamp: TypeAlias = Literal[
    "speech_start",  # the first voiced sample
    "speech_end",  # the sample after the last voiced one; the others count from here
    "vad_off",  # the network agreed that nobody speaks
    "eager",  # the pause was long enough to begin to prepare the answer
    "speculation_start",  # the answer that was then given began to be prepared
    "stt_final",  # its words were known
    "commit",  # the turn was taken
    "llm_first_token",  # the first piece of the answer
    "first_clause",  # the first piece that could be spoken
    "tts_first",  # its first sound
    "sent_first",  # handed to the socket
    "played_first",  # the device said that it was heard
]
"""Stages of a turn, in the order in which they usually happen, see docs/latency.md."""

Outcome: TypeAlias = Literal["begun", "kept", "dropped"]  # of a speculation

# lost: another device answers
TurnEnd: TypeAlias = Literal[
    "answered", "no_speech", "nothing_understood", "cancelled", "merged", "failed", "lost"
]


@dataclass(frozen=True, slots=True)
class Action:
    """Something done in the home. `confirmed` only if the state it should cause was seen."""

    target: EntityId
    verb: str
    value: str | float | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class DeviceJoined:
    device: DeviceId
    session: SessionId
    at_s: float


@dataclass(frozen=True, slots=True)
class DeviceLeft:
    device: DeviceId
    session: SessionId
    at_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class TurnBegan:
    turn: TurnId
    device: DeviceId
    at_s: float
    sample: int


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    turn: TurnId
    at_s: float
    sample: int


@dataclass(frozen=True, slots=True)
class PartialHeard:
    """The recogniser's present belief; text after `stable_chars` may still change."""

    turn: TurnId
    at_s: float
    text: str
    stable_chars: int


@dataclass(frozen=True, slots=True)
class FinalHeard:
    turn: TurnId
    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Speculated:
    """An answer is being prepared while the user may still go on, and what became of it."""

    turn: TurnId
    at_s: float
    text: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """The answer is about to be spoken; sent before its first sound so that a speaker can open."""

    turn: TurnId
    at_s: float


@dataclass(frozen=True, slots=True)
class ReplySaid:
    """One sentence of the answer, just before its sound."""

    turn: TurnId
    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class ReplyHeld:
    """Somebody speaks into the answer: it pauses. `held` False: it was nothing, it goes on."""

    turn: TurnId
    at_s: float
    held: bool


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The device has played the answer, as far as can be told from here.

    `cut`: it was cut off, and what the device has not played yet is not to be heard.
    """

    turn: TurnId
    at_s: float
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Speculation:
    """What preparing answers ahead of time brought and cost in one turn."""

    tries: int = 0
    hit: bool = False  # one of them was given
    extra_calls: int = 0  # of the brain, beyond the one that was needed
    wasted_tokens: int = 0


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The whole turn in one record. `stages_ms` counts from `speech_end`; absent: never reached.

    `reply` is what was made to be said, `heard` the part of it that left the loudspeaker.
    """

    turn: TurnId
    device: DeviceId
    at_s: float
    end: TurnEnd
    transcript: str = ""
    reply: str = ""
    actions: tuple[Action, ...] = ()
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    heard: str = ""
    speculation: Speculation = Speculation()
    underruns: int = 0  # gaps in the answer's sound that came about on this side


@dataclass(frozen=True, slots=True)
class FailedOver:
    """An engine failed and the next of its chain took over; `reason` names the mend if one is known.

    `taken_by` is "" where none was left.
    """

    at_s: float
    stage: Literal["stt", "tts", "llm"]
    failed: str
    taken_by: str
    reason: str


Event: TypeAlias = (
    DeviceJoined
    | DeviceLeft
    | TurnBegan
    | SpeechBegan
    | PartialHeard
    | FinalHeard
    | Speculated
    | ReplyBegan
    | ReplySaid
    | ReplyHeld
    | ReplyEnded
    | TurnEnded
    | FailedOver
)
