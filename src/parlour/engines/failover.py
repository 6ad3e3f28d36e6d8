"""Several engines of a kind as one: the first that is able serves, the next takes over.

It may do so in the middle of an utterance, which it then hears from the start, or of an answer,
of which it speaks the rest.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import anyio

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm, Resampler, silence
from parlour.engines.chain import Chain, Link, Report
from parlour.engines.textbytext import Take, TextByText, text_by_text
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

MOST_UNREAD = 64  # partials
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

    def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AbstractAsyncContextManager[TextByText]:
        return text_by_text(partial(self._speak, voice, speed))

    async def run(self) -> None:
        await self._chain.watch(_probe_tts)

    async def _speak(self, voice: str | None, speed: float, text: str, take: Take) -> None:
        """Have a text spoken, each word by the first voice that can."""
        spoken, failed = _Spoken(text), None
        for link, another in self._chain.able():
            try:
                await self._speak_rest(
                    link, voice, speed, spoken, take, SOUND_S if another else None
                )
            except ProviderError as error:
                failed = error
                self._chain.failed(link, error)
            else:
                link.breaker.succeeded()
                return
        if failed is not None:
            raise failed

    async def _speak_rest(
        self,
        link: Link[Tts],
        voice: str | None,
        speed: float,
        spoken: "_Spoken",
        take: Take,
        sound_s: float | None,
    ) -> None:
        text = spoken.begin_rest(speed)
        if not text.strip():
            return
        # What was asked for is a voice of the first engine; the others have their own.
        stand_in = link is not self._chain.links[0]
        rate_hz = link.engine.traits.rate_hz
        resampler = Resampler(rate_hz, self.traits.rate_hz)
        async with link.engine.open(
            link.voice if stand_in else voice or link.voice, speed
        ) as context:
            context.say(text)
            context.finish()
            async for piece in _with_deadline(link.name, context, sound_s):
                spoken.add(piece)
                await take(Speech(resampler.push(piece.pcm), piece.text, stand_in))
        tail = resampler.push(silence(0, rate_hz), last=True)
        if len(tail.samples):
            await take(Speech(tail, stand_in=stand_in))


async def _with_deadline(
    name: str, context: TtsContext, sound_s: float | None
) -> AsyncIterator[Speech]:
    """Each piece of speech, or ProviderError when one takes too long."""
    pieces = aiter(context)
    while True:
        try:
            with anyio.fail_after(sound_s):
                piece = await anext(pieces, None)
        except TimeoutError as error:
            raise ProviderError(name, f"no sound within {sound_s:g} s") from error
        if piece is None:
            return
        yield piece


async def _probe_tts(tts: Tts) -> None:
    async with tts.open() as speech:
        speech.say("One.")
        speech.finish()
        async for _ in speech:
            pass


@dataclass(slots=True)
class _Spoken:
    """How much of one text has been made to sound."""

    text: str
    begun: int = 0  # characters spoken by voices that failed
    spans: list[str] = field(default_factory=list)  # of the present voice, whose sound began
    span_s: float = 0.0  # of the last of them

    def add(self, piece: Speech) -> None:
        if piece.text:
            self.spans.append(piece.text)
            self.span_s = 0.0
        self.span_s += piece.pcm.duration_s

    def begin_rest(self, speed: float) -> str:
        """What is left for the next voice: from the word on which the last one broke off, as well
        as its pace tells. A word said twice is better than one that is lost."""
        if self.spans:
            span = self.spans[-1]
            at = min(len(span), int(self.span_s * CHARS_PER_S * speed))
            self.begun += sum(map(len, self.spans[:-1])) + span.rfind(" ", 0, at) + 1
            self.spans, self.span_s = [], 0.0
        return self.text[self.begun :]


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
