"""What a conversation is held with, and where its events and its sound go."""

from dataclasses import dataclass, field
from typing import Protocol

from parlour.audio import OpusPacket
from parlour.events import Event
from parlour.ports import Brain, Grammar, Stt, Tts, TurnModel
from parlour.turn.endpoint import EndpointPolicy
from parlour.turn.listen import SharedVad
from parlour.turn.replycache import ReplyCache


class Sink(Protocol):
    """Where a session's events and sound go. Plain calls: they neither wait nor raise."""

    def emit(self, event: Event) -> None: ...

    def play(self, packet: OpusPacket) -> None: ...


@dataclass(frozen=True, slots=True)
class Engines:
    """What a conversation is held with; one value shared by all sessions."""

    stt: Stt
    tts: Tts
    vad: SharedVad
    grammar: Grammar
    brain: Brain
    turn_model: TurnModel | None = None
    language: str = "en_US"
    voice: str | None = None
    speed: float = 1.0
    follow_up_s: float = 6.0  # how long it is listened after an answer without the wake word
    policy: EndpointPolicy = field(default_factory=EndpointPolicy)
    cache: ReplyCache = field(default_factory=ReplyCache)
