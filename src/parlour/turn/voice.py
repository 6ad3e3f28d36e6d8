"""From a text to packets of speech: out of the cache, or made by the voice, shaped and encoded."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from parlour.audio import OpusPacket, Pcm
from parlour.ports import TtsContext
from parlour.turn.engines import Engines
from parlour.turn.playout import PlayoutFormat, encode
from parlour.turn.replycache import ReplyKey
from parlour.turn.shaping import Shaper


class Voice:
    """The voice of one answer: its loudness is even over all texts that it speaks."""

    def __init__(self, engines: Engines, form: PlayoutFormat) -> None:
        self._engines = engines
        self._form = form
        self._shaper = Shaper(engines.tts.traits.rate_hz)
        self._stood_in = False  # another voice spoke the text in hand

    async def speak(self, text: str, take: Callable[[OpusPacket], Awaitable[None]]) -> None:
        """Hand over the packets of a text as they are made, counted from 0. Raises ProviderError."""
        key = self._key(text)
        if (kept := self._engines.cache.get(key)) is not None:
            for packet in kept:
                await take(packet)
            return
        made: list[OpusPacket] = []
        self._stood_in = False
        opened = self._engines.tts.open(self._engines.voice, self._engines.speed)
        async with opened as context:
            context.say(text)
            context.finish()
            async with aclosing(encode(self._shape(context), self._form)) as packets:
                async for packet in packets:
                    made.append(packet)
                    await take(packet)
        if not self._stood_in:  # else it would be heard long after its voice was well again
            self._engines.cache.put(key, tuple(made))

    async def prepare(self, text: str) -> None:
        """Have the packets of a text ready. Raises ProviderError."""
        if self._key(text) not in self._engines.cache:
            await self.speak(text, _drop)

    async def _shape(self, context: TtsContext) -> AsyncIterator[Pcm]:
        first = True
        async for speech in context:
            self._stood_in = self._stood_in or speech.stand_in
            samples = self._shaper.push(speech.pcm.samples, first=first)
            first = False
            if len(samples):
                yield Pcm(samples, speech.pcm.rate_hz)

    def _key(self, text: str) -> ReplyKey:
        engines, form = self._engines, self._form
        return ReplyKey(
            engines.voice or engines.tts.traits.default_voice,
            text,
            engines.speed,
            form.rate_hz,
            form.frame_ms,
            form.bitrate_bps,
        )


async def _drop(packet: OpusPacket) -> None:
    """The cache keeps it."""
