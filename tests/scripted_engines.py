"""Small real engines for tests of the conversation: they hear, judge, answer and speak by script."""

from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import anyio
import numpy as np
from numpy.typing import NDArray

from parlour.audio import HEARING_RATE_HZ, Pcm, frames
from parlour.errors import ProviderError
from parlour.events import Action
from parlour.ids import EntityId
from parlour.opus import Encoder
from parlour.ports import (
    Commit,
    Did,
    Final,
    Judgement,
    Partial,
    Piece,
    Place,
    Say,
    Speech,
    Utterance,
    VadState,
    Verdict,
    Vocabulary,
)
from parlour.traits import Partials, SttTraits, TtsTraits

LOUD = 3000  # amplitude of the tone that stands for a voice


class EnergyVad:
    """Says 1 for a window with a tone in it and 0 for silence."""

    window_samples = 512

    def new_state(self) -> VadState:
        return object()

    def judge(self, states: Sequence[VadState], windows: NDArray[np.int16]) -> NDArray[np.float32]:
        assert len(states) == len(windows)
        peaks: NDArray[np.int32] = np.abs(windows.astype(np.int32)).max(axis=1)
        return (peaks > LOUD // 4).astype(np.float32)


@dataclass
class ScriptedStt:
    """Hears `words`, one for every `word_s` of sound that it is fed."""

    words: str
    word_s: float = 0.2
    breaks_after_s: float | None = None  # fails when it has been fed so much
    silent: bool = False  # never says its final
    fed: list[Pcm] = field(default_factory=list)
    traits: SttTraits = field(
        default_factory=lambda: SttTraits(
            "scripted", {}, Partials.REPLACE, offline=True, settles=True
        )
    )

    async def teach(self, vocabulary: Vocabulary) -> None:
        """It knows its words and no others."""

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator["_ScriptedHearing"]:
        assert language == "en_US"
        yield _ScriptedHearing(self)


class _ScriptedHearing:
    def __init__(self, stt: ScriptedStt) -> None:
        self._stt = stt
        self._heard_s = 0.0
        self._finished = self._paused = False
        self._news = anyio.Event()

    def feed(self, pcm: Pcm) -> None:
        self._stt.fed.append(pcm)
        self._heard_s += pcm.duration_s
        self._news.set()

    def pause(self) -> None:
        self._paused = True
        self._news.set()

    def finish(self) -> None:
        self._finished = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Partial | Final]:
        said = ""
        while not self._finished:
            await self._news.wait()
            self._news = anyio.Event()
            if self._stt.breaks_after_s is not None and self._heard_s > self._stt.breaks_after_s:
                raise ProviderError("scripted", "it broke as told")
            text = self._heard()
            if (text != said or self._paused) and not self._finished:
                said = text
                settled, self._paused = self._paused and not self._stt.silent, False
                yield Partial(text, len(text) if settled else 0)
        if self._stt.silent:
            await anyio.sleep_forever()
        yield Final(self._heard(), 1.0)

    def _heard(self) -> str:
        return " ".join(self._stt.words.split()[: int(self._heard_s / self._stt.word_s)])


@dataclass
class ToneTts:
    """Speaks each word as 100 ms of tone."""

    broken: bool = False
    closed: int = 0
    traits: TtsTraits = field(
        default_factory=lambda: TtsTraits("tone", {}, "tone", 16_000, offline=True)
    )

    @asynccontextmanager
    async def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AsyncIterator["_ToneContext"]:
        if self.broken:
            raise ProviderError("tone", "it is broken")
        try:
            yield _ToneContext()
        finally:
            self.closed += 1


class _ToneContext:
    def __init__(self) -> None:
        self._texts: list[str] = []
        self._finished = False
        self._news = anyio.Event()

    def say(self, text: str) -> None:
        self._texts.append(text)
        self._news.set()

    def finish(self) -> None:
        self._finished = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Speech]:
        while True:
            while self._texts:
                text = self._texts.pop(0)
                yield Speech(tone(0.1 * len(text.split())), text)
            if self._finished:
                return
            self._news = anyio.Event()
            await self._news.wait()


@dataclass
class ClosedGrammar:
    """Takes exactly one sentence for a whole command."""

    command: str = ""

    def judge(self, text: str, language: str, place: Place) -> Judgement:
        return Judgement(Verdict.CLOSED if text == self.command else Verdict.NONE)


@dataclass
class EchoBrain:
    """Switches `kitchen.light` on and says what it heard; counts what it did."""

    did: int = 0
    takes_s: float = 0.0

    remembered: list[tuple[str, str]] = field(default_factory=list)  # what was said and heard
    begun: int = 0

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        self.begun += 1
        async with aclosing(self._answer(utterance, commit)) as pieces:
            yield pieces

    def context(self, utterance: Utterance) -> Hashable:
        return self.did

    async def warm(self, utterance: Utterance) -> None:
        """Always ready."""

    def remember(self, utterance: Utterance, heard: str) -> None:
        self.remembered.append((utterance.text, heard))

    async def _answer(self, utterance: Utterance, commit: Commit) -> AsyncGenerator[Piece, None]:
        await commit.wait()
        await anyio.sleep(self.takes_s)
        if utterance.text:
            self.did += 1
            yield Did(Action(EntityId("kitchen.light"), "on", None, confirmed=True))
        yield Say(f"You said {utterance.text or 'nothing'}.")


def tone(duration_s: float, rate_hz: int = HEARING_RATE_HZ) -> Pcm:
    at = np.arange(round(duration_s * rate_hz)) / rate_hz
    return Pcm((LOUD * np.sin(2 * np.pi * 440 * at)).astype(np.int16), rate_hz)


def packets(*parts: Pcm, frame_ms: int = 20) -> list[bytes]:
    """Encode sound at 16 kHz as a device does."""
    encoder = Encoder(HEARING_RATE_HZ)
    sound = Pcm(np.concatenate([part.samples for part in parts]), HEARING_RATE_HZ)
    return [encoder.encode(f.samples) for f in frames(sound, HEARING_RATE_HZ * frame_ms // 1000)]
