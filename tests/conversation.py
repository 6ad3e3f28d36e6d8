"""A conversation on a virtual clock: a session, scripted engines, and a device that plays and reports."""

import json
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import anyio
import numpy as np

import virtual_time
from agents import Talk
from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, OpusPacket, Pcm, silence
from parlour.events import Event, ReplyEnded, ReplyHeld, Speculated, TurnEnded
from parlour.ids import DeviceId, TurnId
from parlour.ports import Brain, Grammar, Judgement, Message, Place, Verdict
from parlour.providers.scripted import ScriptedLlm, ScriptedStt, ScriptedTts
from parlour.turn.engines import Engines
from parlour.turn.playout import PlayoutFormat
from parlour.turn.session import Mode, Session
from parlour.turn.vadbatch import VadBatch
from scripted_engines import EnergyVad, packets, tone

FRAME_S = 0.02
WORD_S = 0.3
HALL = Place(DeviceId("hall"), "Hall")


class NoGrammar:
    def judge(self, text: str, language: str, place: Place) -> Judgement:
        return Judgement(Verdict.NONE)


class Conversation:
    """Says words (a tone of 0.3 s each, "" for as much silence, "#" for a cough) to a session."""

    def __init__(
        self,
        folder: Path,
        said: str,
        *,
        llm: dict[str, object] | None = None,
        brain: Brain | None = None,
        grammar: Grammar | None = None,
        open_mic: bool = False,
        reports: bool = True,
    ) -> None:
        self.events: list[Event] = []
        self.sent: list[tuple[float, OpusPacket]] = []
        self.kept: list[Message] = []  # what the agent keeps of it
        self.word_ends_s: list[float] = []
        self._reports = reports
        self._playing: TurnId | None = None
        self._sound = self._compose(said)
        script = folder / "script.json"
        words = [
            [word, round((end - WORD_S) * 16_000), round(end * 16_000)]
            for word, end in zip(
                [w for w in said.split("|") if w not in ("", "#")], self.word_ends_s, strict=True
            )
        ]
        answer = {
            "profile": "groq",
            "default": "Well, that is a long story, and I will tell it all.",
        }
        script.write_text(
            json.dumps({"stt": {"words": words}, "llm": answer | (llm or {}), "tts": {}})
        )
        self.llm = ScriptedLlm(script)
        self.talk = Talk(self.llm)
        self.session = Session(
            Engines(
                ScriptedStt(script),
                ScriptedTts(script),
                VadBatch(EnergyVad()),
                grammar or NoGrammar(),
                brain or self.talk.agent,
                follow_up_s=3.0,
            ),
            HALL,
            PlayoutFormat(rate_hz=16_000, frame_ms=20, lead_s=0.2),
            self,
            open_mic=open_mic,
        )

    def _compose(self, said: str) -> Sequence[bytes]:
        parts: list[Pcm] = []
        at_s = 0.0
        for word in said.split("|"):
            if word == "#":
                parts += [tone(0.1), silence(WORD_S - 0.1, 16_000)]
            else:
                parts.append(tone(WORD_S) if word else silence(WORD_S, 16_000))
            at_s += WORD_S
            if word not in ("", "#"):
                self.word_ends_s.append(at_s)
        sound = np.concatenate([part.samples for part in parts])
        return packets(Pcm(sound, HEARING_RATE_HZ))

    # ------------------------------------------------------------ the sink

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def play(self, packet: OpusPacket) -> None:
        self.sent.append((anyio.current_time(), packet))

    # ------------------------------------------------------------ what happened

    @property
    def turns(self) -> list[TurnEnded]:
        """All turns in which somebody spoke."""
        ended = [event for event in self.events if isinstance(event, TurnEnded)]
        return [turn for turn in ended if turn.end != "no_speech"]

    @property
    def speculated(self) -> list[str]:
        return [event.outcome for event in self.events if isinstance(event, Speculated)]

    @property
    def held(self) -> list[bool]:
        return [event.held for event in self.events if isinstance(event, ReplyHeld)]

    @property
    def cuts(self) -> list[bool]:
        return [event.cut for event in self.events if isinstance(event, ReplyEnded)]

    # ------------------------------------------------------------ running

    def run(
        self,
        mode: Mode = "realtime",
        *,
        seconds: float = 12.0,
        meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> list[TurnEnded]:
        """Say everything, then be silent, so many seconds in all; returns the turns."""

        async def body() -> None:
            async with tasks.task_group() as group:
                group.start_soon(self.session.run)
                group.start_soon(self.talk.agent.run)
                if meanwhile is not None:
                    group.start_soon(meanwhile)
                await self._speak(mode, seconds)
                self.kept = await self.talk.messages(HALL.device)
                group.cancel_scope.cancel()

        virtual_time.run(body)
        return self.turns

    async def _speak(self, mode: Mode, seconds: float) -> None:
        self.session.listen(mode)
        hush = packets(silence(FRAME_S, 16_000))[0]
        for n in range(round(seconds / FRAME_S)):
            await anyio.sleep_until((n + 1) * FRAME_S)
            self.session.hear(self._sound[n] if n < len(self._sound) else hush)
