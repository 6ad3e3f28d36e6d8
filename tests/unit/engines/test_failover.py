"""Several engines as one: who serves, who takes over, and when a failed one is asked again."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import numpy as np
import pytest

import virtual_time
from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.engines.breaker import Breaker, BreakerRule
from parlour.engines.chain import Link
from parlour.engines.failover import (
    FINAL_S,
    SOUND_S,
    FailoverLlm,
    FailoverStt,
    FailoverTts,
)
from parlour.errors import ProviderError
from parlour.events import FailedOver
from parlour.ports import (
    Final,
    Llm,
    LlmDelta,
    Message,
    Partial,
    Prompt,
    Speech,
    Stt,
    TextDelta,
    Tts,
    Vocabulary,
)
from parlour.traits import Grade, LlmTraits, Partials, Quality, SttTraits, TtsTraits

ANY = Quality(Grade.GOOD)

# ---------------------------------------------------------------- when it is asked again


def test_a_failed_engine_is_left_alone_longer_each_time() -> None:
    breaker = Breaker(BreakerRule(first_s=5, longest_s=20))
    assert not breaker.is_open
    now_s, waits = 100.0, []
    for _ in range(4):
        breaker.failed(now_s)
        due_s = breaker.due_in(now_s)
        assert due_s is not None
        waits.append(due_s)
        now_s += due_s
    assert waits == [5, 10, 20, 20]
    assert breaker.is_open
    breaker.succeeded()
    assert not breaker.is_open
    breaker.failed(now_s)
    assert breaker.due_in(now_s) == 5


def test_further_failures_before_the_probe_do_not_lengthen_the_wait() -> None:
    breaker = Breaker(BreakerRule(first_s=5))
    for now_s in (0.0, 1.0, 2.0):
        breaker.failed(now_s)
    assert breaker.due_in(2.0) == 5


def test_a_service_that_asks_to_wait_is_not_asked_sooner() -> None:
    breaker = Breaker(BreakerRule(first_s=5))
    breaker.failed(0.0, retry_after_s=60)
    assert breaker.due_in(10.0) == 50


# ---------------------------------------------------------------- small engines


@dataclass
class Ear:
    """Hears a word for each 0.2 s of sound; breaks when it is told to."""

    name: str
    breaks_after_s: float | None = None
    hangs: bool = False
    languages: tuple[str, ...] = ("en_US",)
    opened: int = 0
    taught: int = 0

    @property
    def traits(self) -> SttTraits:
        known = dict.fromkeys(self.languages, ANY)
        return SttTraits(self.name, known, Partials.REPLACE, offline=True, final_s=2.0)

    async def teach(self, vocabulary: Vocabulary) -> None:
        self.taught += 1

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator["EarContext"]:
        self.opened += 1
        yield EarContext(self)


class EarContext:
    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._heard_s = 0.0
        self._paused = self._finished = False
        self._news = anyio.Event()

    def feed(self, pcm: Pcm) -> None:
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
            breaks_s = self._ear.breaks_after_s
            if breaks_s is not None and self._heard_s > breaks_s:
                raise ProviderError(self._ear.name, "it broke as told")
            if (text := self._text()) != said:
                said = text
                yield Partial(text)
        if self._ear.hangs:
            await anyio.sleep_forever()
        yield Final(self._text())

    def _text(self) -> str:
        return " ".join(f"{self._ear.name}{n}" for n in range(int(self._heard_s / 0.2)))


@dataclass
class Voice:
    """Speaks 14 characters a second in pieces of 100 ms; breaks when it is told to."""

    name: str
    breaks_after_s: float | None = None
    hangs_after_s: float | None = None
    rate_hz: int = 16_000
    said: list[str] = field(default_factory=list)
    voices: list[str | None] = field(default_factory=list)

    @property
    def traits(self) -> TtsTraits:
        return TtsTraits(self.name, {}, "", self.rate_hz, offline=True)

    @asynccontextmanager
    async def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AsyncIterator["VoiceContext"]:
        self.voices.append(voice)
        yield VoiceContext(self)


class VoiceContext:
    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._texts: list[str] = []

    def say(self, text: str) -> None:
        self._voice.said.append(text)
        self._texts.append(text)

    def finish(self) -> None:
        """It speaks what it was given."""

    async def __aiter__(self) -> AsyncIterator[Speech]:
        voice = self._voice
        for text in self._texts:
            for n in range(round(len(text) / 14 * 10)):
                at_s = n / 10
                if voice.breaks_after_s is not None and at_s >= voice.breaks_after_s:
                    raise ProviderError(voice.name, "it broke as told")
                if voice.hangs_after_s is not None and at_s >= voice.hangs_after_s:
                    await anyio.sleep_forever()
                samples = np.ones(voice.rate_hz // 10, np.int16)
                yield Speech(Pcm(samples, voice.rate_hz), "" if n else text)


@dataclass
class Model:
    name: str
    fails_after: int | None = None  # deltas
    asked: int = 0

    @property
    def traits(self) -> LlmTraits:
        return LlmTraits(self.name, "m", offline=True, tools=True)

    @asynccontextmanager
    async def open(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[LlmDelta]]:
        self.asked += 1
        yield self._answer()

    async def _answer(self) -> AsyncIterator[LlmDelta]:
        for n in range(3):
            if n == self.fails_after:
                raise ProviderError(self.name, "it broke as told")
            yield TextDelta(f"{self.name}{n} ")

    async def warm(self, prompt: Prompt) -> None:
        """Always ready."""

    async def aclose(self) -> None:
        """Nothing to hang up."""


Events = list[FailedOver]


def _ears(*ears: Ear) -> tuple[FailoverStt, Events]:
    events: Events = []
    return FailoverStt([Link[Stt](ear.name, ear) for ear in ears], events.append), events


def _voices(*voices: Voice) -> tuple[FailoverTts, Events]:
    events: Events = []
    links = [Link[Tts](voice.name, voice, f"{voice.name}'s") for voice in voices]
    return FailoverTts(links, events.append), events


def _run(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    virtual_time.run(body)


async def _hear(
    stt: FailoverStt, seconds: float = 1.0, language: str | None = "en_US"
) -> tuple[str, float]:
    """The final, and how long after the end it came."""
    async with stt.open(language) as hearing:
        for _ in range(round(seconds / 0.02)):
            hearing.feed(Pcm(np.zeros(320, np.int16), HEARING_RATE_HZ))
            await anyio.sleep(0.02)
        hearing.finish()
        ended_s = anyio.current_time()
        final = ""
        async for heard in hearing:
            final = heard.text
    return final, anyio.current_time() - ended_s


async def _speak(tts: FailoverTts, *texts: str, voice: str | None = None) -> float:
    """How many seconds of sound came."""
    total_s = 0.0
    async with tts.open(voice) as speech:
        for text in texts:
            speech.say(text)
        speech.finish()
        async for piece in speech:
            assert piece.pcm.rate_hz == tts.traits.rate_hz
            total_s += piece.pcm.duration_s
    return total_s


# ---------------------------------------------------------------- hearing


def test_the_first_engine_serves_while_it_can() -> None:
    async def body() -> None:
        first, second = Ear("a"), Ear("b")
        stt, events = _ears(first, second)
        assert await _hear(stt) == ("a0 a1 a2 a3 a4", 0.0)
        assert second.opened == 0
        assert events == []

    _run(body)


def test_in_mid_utterance_the_next_engine_hears_it_from_the_start() -> None:
    async def body() -> None:
        stt, events = _ears(Ear("a", breaks_after_s=0.5), Ear("b"))
        text, late_s = await _hear(stt)
        assert text == "b0 b1 b2 b3 b4"
        assert late_s == 0.0
        (event,) = events
        assert (event.stage, event.failed, event.taken_by) == ("stt", "a", "b")
        assert event.reason == "a: it broke as told"

    _run(body)


def test_an_engine_that_hangs_costs_one_second_and_then_no_more() -> None:
    async def body() -> None:
        first = Ear("a", hangs=True)
        stt, _ = _ears(first, Ear("b"))
        text, late_s = await _hear(stt)
        assert text == "b0 b1 b2 b3 b4"
        assert late_s == pytest.approx(FINAL_S)
        assert await _hear(stt) == ("b0 b1 b2 b3 b4", 0.0)
        assert first.opened == 1  # it is left alone

    _run(body)


def test_when_all_have_failed_all_are_tried_and_the_last_error_is_told() -> None:
    async def body() -> None:
        stt, events = _ears(Ear("a", breaks_after_s=0.0), Ear("b", breaks_after_s=0.0))
        for _ in range(2):
            with pytest.raises(ProviderError, match="b: it broke"):
                await _hear(stt)
        assert [event.taken_by for event in events] == ["b", "", "", ""]

    _run(body)


def test_an_engine_that_does_not_know_the_language_is_passed_over() -> None:
    async def body() -> None:
        english, hindi = Ear("a"), Ear("b", languages=("hi_IN",))
        stt, events = _ears(english, hindi)
        assert (await _hear(stt, language="hi_IN"))[0].startswith("b0")
        assert english.opened == 0
        assert events == []

    _run(body)


def test_a_probe_brings_an_engine_back() -> None:
    async def body() -> None:
        first = Ear("a", breaks_after_s=0.0)
        stt, _ = _ears(first, Ear("b"))
        async with tasks.task_group() as group:
            group.start_soon(stt.run)
            assert (await _hear(stt))[0].startswith("b")
            await anyio.sleep(7)  # a probe fails, and the next is due later
            assert (await _hear(stt))[0].startswith("b")
            first.breaks_after_s = None
            await anyio.sleep(12)
            assert (await _hear(stt))[0].startswith("a")
            group.cancel_scope.cancel()

    _run(body)


def test_all_engines_of_a_chain_are_taught() -> None:
    async def body() -> None:
        ears = [Ear("a"), Ear("b")]
        stt, _ = _ears(*ears)
        await stt.teach(Vocabulary(("turn on the light",)))
        assert [ear.taught for ear in ears] == [1, 1]

    _run(body)


# ---------------------------------------------------------------- speaking

TEXT = "The lamp in the kitchen and the lamp in the hallway are both on now."


def test_the_first_voice_speaks_with_the_voice_that_was_asked_for() -> None:
    async def body() -> None:
        first, second = Voice("a"), Voice("b")
        tts, events = _voices(first, second)
        assert await _speak(tts, TEXT, TEXT, voice="anna") == pytest.approx(2 * len(TEXT) / 14, 0.1)
        assert (first.voices, second.said, events) == (["anna"] * 2, [], [])

    _run(body)


def test_in_mid_answer_the_next_voice_speaks_the_rest_of_the_sentence() -> None:
    async def body() -> None:
        first, second = Voice("a", breaks_after_s=2.0), Voice("b")
        tts, events = _voices(first, second)
        total_s = await _speak(tts, TEXT, "And so on.", voice="anna")
        # Two seconds are 28 characters: "The lamp in the kitchen and " was said.
        rest, then = second.said
        assert TEXT.endswith(rest)
        assert rest == "the lamp in the hallway are both on now."
        assert then == "And so on."
        assert second.voices == ["b's", "b's"]
        assert total_s == pytest.approx((len(TEXT) + len("And so on.")) / 14, abs=0.4)
        assert [(e.stage, e.failed, e.taken_by) for e in events] == [("tts", "a", "b")]

    _run(body)


def test_a_voice_that_never_begins_or_falls_silent_costs_one_second() -> None:
    async def body() -> None:
        for hangs_after_s in (0.0, 1.0):
            tts, _ = _voices(Voice("a", hangs_after_s=hangs_after_s), Voice("b"))
            began_s = anyio.current_time()
            await _speak(tts, TEXT)
            assert anyio.current_time() - began_s == pytest.approx(SOUND_S)

    _run(body)


def test_voices_of_other_rates_come_at_the_rate_of_the_first() -> None:
    async def body() -> None:
        tts, _ = _voices(Voice("a", breaks_after_s=0.0, rate_hz=22_050), Voice("b", rate_hz=16_000))
        assert await _speak(tts, TEXT) == pytest.approx(len(TEXT) / 14, abs=0.2)

    _run(body)


# ---------------------------------------------------------------- language models

ASKED = Prompt((Message("user", "hello"),))


def test_a_model_that_fails_before_its_first_word_is_replaced() -> None:
    async def body() -> None:
        first, second = Model("a", fails_after=0), Model("b")
        events: Events = []
        llm = FailoverLlm([Link[Llm]("a", first), Link[Llm]("b", second)], events.append)
        for _ in range(2):
            async with llm.open(ASKED) as deltas:
                said = [delta.text async for delta in deltas if isinstance(delta, TextDelta)]
            assert said == ["b0 ", "b1 ", "b2 "]
        assert (first.asked, len(events)) == (1, 1)

    _run(body)


def test_a_model_that_fails_in_mid_answer_is_an_error_since_half_was_said() -> None:
    async def body() -> None:
        llm = FailoverLlm(
            [Link[Llm]("a", Model("a", fails_after=1)), Link[Llm]("b", Model("b"))], lambda _: None
        )
        with pytest.raises(ProviderError, match="a: it broke"):
            async with llm.open(ASKED) as deltas:
                async for _ in deltas:
                    pass

    _run(body)


def test_what_a_stand_in_spoke_is_marked_so_that_nobody_keeps_it() -> None:
    async def body() -> None:
        tts, _ = _voices(Voice("a", breaks_after_s=0.5), Voice("b"))
        async with tts.open() as speech:
            speech.say(TEXT)
            speech.finish()
            marks = [piece.stand_in async for piece in speech]
        assert marks[:5] == [False] * 5
        assert all(marks[5:])

    _run(body)
