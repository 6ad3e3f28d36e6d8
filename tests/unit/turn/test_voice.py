"""What a voice keeps for the next time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from parlour.audio import OpusPacket
from parlour.ports import Speech
from parlour.traits import TtsTraits
from parlour.turn.engines import Engines
from parlour.turn.playout import PlayoutFormat
from parlour.turn.vadbatch import VadBatch
from parlour.turn.voice import Voice
from scripted_engines import ClosedGrammar, EchoBrain, EnergyVad, ScriptedStt, tone


@dataclass
class Stage:
    """Speaks a tone; whether it is the voice that was asked for can be set."""

    stand_in: bool = False
    spoken: int = 0
    traits: TtsTraits = field(
        default_factory=lambda: TtsTraits("stage", {}, "tone", 16_000, offline=True)
    )

    @asynccontextmanager
    async def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AsyncIterator["StageContext"]:
        self.spoken += 1
        yield StageContext(self)


class StageContext:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def say(self, text: str) -> None:
        """It speaks the same of every text."""

    def finish(self) -> None:
        """It ends by itself."""

    async def __aiter__(self) -> AsyncIterator[Speech]:
        yield Speech(tone(0.3), "x", self._stage.stand_in)


@pytest.mark.anyio
async def test_the_sound_of_a_stand_in_is_not_kept() -> None:
    stage = Stage(stand_in=True)
    engines = Engines(
        stt=ScriptedStt(""),
        tts=stage,
        vad=VadBatch(EnergyVad()),
        grammar=ClosedGrammar(),
        brain=EchoBrain(),
    )

    async def take(packet: OpusPacket) -> None:
        """Played somewhere."""

    for stand_in, spoken in ((True, 1), (False, 2), (False, 2)):
        stage.stand_in = stand_in
        await Voice(engines, PlayoutFormat(16_000, 20, 0.2)).speak("hello", take)
        assert stage.spoken == spoken
