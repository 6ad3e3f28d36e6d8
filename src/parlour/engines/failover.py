"""Several engines of a kind as one: the first that is able serves, the next takes over.

It may do so in the middle of an utterance, which it then hears from the start, or of an answer,
of which it speaks the rest.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

import anyio

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm, Resampler, silence
from parlour.engines.chain import Chain, Link, Report
from parlour.engines.utterance import Utterance
from parlour.errors import ProviderError
from parlour.ports import (
    Final,
    Llm,
    LlmDelta,
    Message,
    Partial,
    Prompt,
    Speech,
    Stt,
    SttContext,
    Tts,
    TtsContext,
    Vocabulary,
)
from parlour.traits import SttTraits, TtsTraits, best_for

log = logging.getLogger(__name__)

MOST_UNREAD = 64  # partials, or pieces of speech made ahead: three seconds and a half
FINAL_S = 1.0  # after the end, while another engine stands by; with none, the engine's own limit
SOUND_S = 1.0  # for the first, and for each next, piece of speech, as above
CHARS_PER_S = 14.0  # of a voice, until its own pace is known

# ---------------------------------------------------------------- hearing


class FailoverStt:
    """Satisfies `ports.Stt`. Traits are the first engine's; `run` probes those that failed."""

    def __init__(self, links: Sequence[Link[Stt]], report: Report) -> None:
        self._chain = Chain("stt", links, report)
        first = links[0].engine.traits
        final_s = FINAL_S * (len(links) - 1) + max(link.engine.traits.final_s for link in links)
        self.traits: SttTraits = replace(first, final_s=final_s)

    async def teach(self, vocabulary: Vocabulary) -> None:
        """Teach all; one that fails hears without what it was to learn."""
        for link in self._chain.links:
            try:
                await link.engine.teach(vocabulary)
            except ProviderError as error:
                log.warning("%s is not taught: %s", link.name, error)

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator["FailoverHearing"]:
        hearing = FailoverHearing(self._chain, language)
        with hearing.heard:
            async with tasks.task_group() as group:
                group.start_soon(hearing.run)
                try:
                    yield hearing
                finally:
                    group.cancel_scope.cancel()

    async def run(self) -> None:
        await self._chain.watch(_probe_stt)


async def _probe_stt(stt: Stt) -> None:
    async with stt.open(None) as hearing:
        hearing.feed(silence(0.3, HEARING_RATE_HZ))
        hearing.finish()
        async for _ in hearing:
            pass


class FailoverHearing:
    """One utterance. Satisfies `ports.SttContext`."""

    def __init__(self, chain: Chain[Stt], language: str | None) -> None:
        self._chain = chain
        self._language = language
        self._utterance = Utterance()
        self._finished = anyio.Event()
        self._failed: ProviderError | None = None
        self._send, self.heard = anyio.create_memory_object_stream[Partial | Final](MOST_UNREAD)

    def feed(self, pcm: Pcm) -> None:
        self._utterance.feed(pcm)

    def pause(self) -> None:
        self._utterance.pause()

    def finish(self) -> None:
        self._utterance.finish()
        self._finished.set()

    async def __aiter__(self) -> AsyncIterator[Partial | Final]:
        async for heard in self.heard:
            yield heard
        if self._failed is not None:
            raise self._failed

    async def run(self) -> None:
        """Have the utterance heard by the first engine that can; never raises ProviderError."""
        with self._send:
            for link, another in self._chain.able(self._hears):
                try:
                    await self._hear(link, FINAL_S if another else link.engine.traits.final_s)
                except ProviderError as error:
                    self._failed = error
                    self._chain.failed(link, error)
                else:
                    self._failed = None
                    link.breaker.succeeded()
                    return

    def _hears(self, stt: Stt) -> bool:
        known = stt.traits.languages
        return self._language is None or not known or best_for(known, self._language) is not None

    async def _hear(self, link: Link[Stt], final_s: float) -> None:
        async with (
            link.engine.open(self._language) as context,
            tasks.task_group() as group,
        ):
            group.start_soon(self._pump, context)
            group.start_soon(self._limit, link.name, final_s)
            async for heard in context:
                await self._send.send(heard)
                if isinstance(heard, Final):
                    group.cancel_scope.cancel()
                    return
            raise ProviderError(link.name, "it ended without a transcript")

    async def _pump(self, context: SttContext) -> None:
        async with aclosing(self._utterance.read()) as pieces:
            async for pcm in pieces:
                if pcm is None:
                    context.pause()
                else:
                    context.feed(pcm)
        context.finish()

    async def _limit(self, name: str, final_s: float) -> None:
        await self._finished.wait()
        await anyio.sleep(final_s)
        raise ProviderError(name, f"no transcript within {final_s:g} s")


# ---------------------------------------------------------------- speaking


class FailoverTts:
    """Satisfies `ports.Tts`, at the rate of the first engine."""

    def __init__(self, links: Sequence[Link[Tts]], report: Report) -> None:
        self._chain = Chain("tts", links, report)
        self.traits: TtsTraits = links[0].engine.traits

    @asynccontextmanager
    async def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AsyncIterator["FailoverSpeech"]:
        speech = FailoverSpeech(self._chain, self.traits.rate_hz, voice, speed)
        with speech.made:
            async with tasks.task_group() as group:
                group.start_soon(speech.run)
                try:
                    yield speech
                finally:
                    group.cancel_scope.cancel()

    async def run(self) -> None:
        await self._chain.watch(_probe_tts)


async def _probe_tts(tts: Tts) -> None:
    async with tts.open() as speech:
        speech.say("One.")
        speech.finish()
        async for _ in speech:
            pass


class FailoverSpeech:
    """Satisfies `ports.TtsContext`."""

    def __init__(self, chain: Chain[Tts], rate_hz: int, voice: str | None, speed: float) -> None:
        self._chain = chain
        self._rate_hz = rate_hz
        self._voice = voice
        self._speed = speed
        self._texts: list[str] = []  # said; those before `_at` are spoken
        self._at = 0
        self._spoken = _Spoken()
        self._finished = False
        self._news = anyio.Event()
        self._failed: ProviderError | None = None
        self._send, self.made = anyio.create_memory_object_stream[Speech](MOST_UNREAD)

    def say(self, text: str) -> None:
        self._texts.append(text)
        self._news.set()

    def finish(self) -> None:
        self._finished = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Speech]:
        async for speech in self.made:
            yield speech
        if self._failed is not None:
            raise self._failed

    async def run(self) -> None:
        """Have all texts spoken, each word by the first voice that can; never raises
        ProviderError."""
        with self._send:
            for link, another in self._chain.able():
                try:
                    while self._at < len(self._texts) or not self._finished:
                        if self._at == len(self._texts):
                            self._news = anyio.Event()
                            await self._news.wait()
                            continue
                        await self._speak(link, SOUND_S if another else None)
                        self._at, self._spoken = self._at + 1, _Spoken()
                except ProviderError as error:
                    self._failed = error
                    self._chain.failed(link, error)
                else:
                    self._failed = None
                    link.breaker.succeeded()
                    return

    async def _speak(self, link: Link[Tts], sound_s: float | None) -> None:
        """Speak what is left of the text in hand."""
        text = self._spoken.rest(self._texts[self._at], self._speed)
        if not text.strip():
            return
        self._spoken = _Spoken(before=self._texts[self._at][: -len(text)])
        resampler = Resampler(link.engine.traits.rate_hz, self._rate_hz)
        # What was asked for is a voice of the first engine; the others have their own.
        asked = self._voice if link is self._chain.links[0] else None
        async with link.engine.open(asked or link.voice, self._speed) as context:
            context.say(text)
            context.finish()
            await self._take(link, context, resampler, sound_s)
        tail = resampler.push(silence(0, link.engine.traits.rate_hz), last=True)
        if len(tail.samples):
            await self._send.send(Speech(tail, stand_in=link is not self._chain.links[0]))

    async def _take(
        self, link: Link[Tts], context: TtsContext, resampler: Resampler, sound_s: float | None
    ) -> None:
        stand_in = link is not self._chain.links[0]
        pieces = aiter(context)
        while True:
            try:
                with anyio.fail_after(sound_s):
                    piece = await anext(pieces, None)
            except TimeoutError as error:
                raise ProviderError(link.name, f"no sound within {sound_s:g} s") from error
            if piece is None:
                return
            self._spoken.add(piece)
            pcm = resampler.push(piece.pcm)
            await self._send.send(Speech(pcm, piece.text, stand_in))


@dataclass(slots=True)
class _Spoken:
    """How much of one text has been made to sound."""

    before: str = ""  # spoken by voices that failed
    spans: list[str] = field(default_factory=list)  # whose sound began
    span_s: float = 0.0  # of the last of them

    def add(self, piece: Speech) -> None:
        if piece.text:
            self.spans.append(piece.text)
            self.span_s = 0.0
        self.span_s += piece.pcm.duration_s

    def rest(self, text: str, speed: float) -> str:
        """What is left: from the word on which the voice broke off, as well as its pace tells.

        A word said twice is better than one that is lost.
        """
        if not self.spans:
            return text[len(self.before) :]
        begun = len(self.before) + sum(len(span) for span in self.spans[:-1])
        span = self.spans[-1]
        at = min(len(span), int(self.span_s * CHARS_PER_S * speed))
        start = span.rfind(" ", 0, at) + 1
        return text[begun + start :]


# ---------------------------------------------------------------- language models


class FailoverLlm:
    """Satisfies `ports.Llm`: the next model is asked when one fails before its first word."""

    def __init__(self, links: Sequence[Link[Llm]], report: Report) -> None:
        self._chain = Chain("llm", links, report)
        self.traits = links[0].engine.traits

    @asynccontextmanager
    async def open(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[LlmDelta]]:
        async with AsyncExitStack() as stack:
            yield self._ask(prompt, stack)

    async def _ask(self, prompt: Prompt, stack: AsyncExitStack) -> AsyncIterator[LlmDelta]:
        failed: ProviderError | None = None
        for link, _ in self._chain.able():
            begun = False
            try:
                deltas = await stack.enter_async_context(link.engine.open(prompt))
                async for delta in deltas:
                    begun = True
                    yield delta
            except ProviderError as error:
                self._chain.failed(link, error)
                if begun:  # half an answer cannot be given back
                    raise
                failed = error
            else:
                link.breaker.succeeded()
                return
        assert failed is not None, "a chain has an engine"
        raise failed

    async def warm(self, prompt: Prompt) -> None:
        link, _ = next(self._chain.able())
        await link.engine.warm(prompt)

    async def aclose(self) -> None:
        for link in self._chain.links:
            await link.engine.aclose()

    async def run(self) -> None:
        await self._chain.watch(_probe_llm)


async def _probe_llm(llm: Llm) -> None:
    async with llm.open(Prompt((Message("user", "Say yes."),), most_tokens=16)) as deltas:
        async for _ in deltas:
            pass
