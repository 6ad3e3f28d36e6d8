"""What happens in a conversation: frozen values in one closed union, stamped in one clock.

`at_s` is `anyio.current_time()` of the server's process. Sample numbers count the device's
microphone at 16 kHz since its session began.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from parlour.ids import DeviceId, EntityId, SessionId, TurnId

Stamp: TypeAlias = Literal[
    "speech_start", "speech_end", "end_of_turn", "stt_final", "answer", "tts_first", "sent_first"
]
"""Stages of a turn in the order in which they happen, see docs/design.md."""

TurnEnd: TypeAlias = Literal["answered", "no_speech", "nothing_understood", "cancelled", "failed"]


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
class ReplyEnded:
    """The device has played the answer, as far as can be told from here, or it was cut off."""

    turn: TurnId
    at_s: float


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The whole turn in one record. `stages_ms` counts from `speech_end`; absent: never reached."""

    turn: TurnId
    device: DeviceId
    at_s: float
    end: TurnEnd
    transcript: str = ""
    reply: str = ""
    actions: tuple[Action, ...] = ()
    stages_ms: Mapping[str, float] = field(default_factory=dict)


Event: TypeAlias = (
    DeviceJoined
    | DeviceLeft
    | TurnBegan
    | SpeechBegan
    | PartialHeard
    | FinalHeard
    | ReplyBegan
    | ReplySaid
    | ReplyEnded
    | TurnEnded
)
