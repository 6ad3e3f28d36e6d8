"""What voices over HTTP have in common: texts in, one request each, sound out as it comes."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio

from parlour import tasks
from parlour.audio import Pcm, Resampler, silence
from parlour.errors import AudioError, ProviderError
from parlour.ports import Speech
from parlour.providers.cloud.http import Answer
from parlour.providers.cloud.pcm import PcmReader
from parlour.providers.cloud.texts import is_speakable, parts

MOST_MADE = 64  # pieces made ahead of their reader: four seconds
UNTOLD = ("", "application/octet-stream", "binary/octet-stream")  # may be bare PCM

# The sound of one part of a text; leaving the context hangs up.
Request = Callable[[str], AbstractAsyncContextManager[AsyncIterator[Pcm]]]


@asynccontextmanager
async def speaking(
    request: Request, rate_hz: int, longest_chars: int
) -> AsyncIterator["HttpSpeech"]:
    """Begin to speak; leaving the context ends the request that is under way."""
    speech = HttpSpeech(request, rate_hz, longest_chars)
    with speech.made:
        async with tasks.task_group() as group:
            group.start_soon(speech.run)
            try:
                yield speech
            finally:
                group.cancel_scope.cancel()


class HttpSpeech:
    """Satisfies `ports.TtsContext`."""

    def __init__(self, request: Request, rate_hz: int, longest_chars: int) -> None:
        self._request = request
        self._rate_hz = rate_hz
        self._longest_chars = longest_chars
        self._texts: deque[str] = deque()
        self._finished = False
        self._news = anyio.Event()
        self._failed: ProviderError | None = None
        self._send, self.made = anyio.create_memory_object_stream[Speech](MOST_MADE)

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
        """Speak texts as they come, until `finish`; never raises a ProviderError."""
        with self._send:
            try:
                while self._texts or not self._finished:
                    if self._texts:
                        await self._speak(self._texts.popleft())
                    else:
                        self._news = anyio.Event()
                        await self._news.wait()
            except ProviderError as error:
                self._failed = error

    async def _speak(self, text: str) -> None:
        for part in parts(text, self._longest_chars):
            if not is_speakable(part):
                continue
            said, resampler, rate_hz = part, None, self._rate_hz
            async with self._request(part) as pieces:
                async for pcm in pieces:
                    if resampler is None or pcm.rate_hz != rate_hz:
                        rate_hz = pcm.rate_hz
                        resampler = Resampler(rate_hz, self._rate_hz)
                    await self._send.send(Speech(resampler.push(pcm), said))
                    said = ""
            if resampler is not None:
                tail = resampler.push(silence(0, rate_hz), last=True)
                if len(tail.samples):
                    await self._send.send(Speech(tail))


async def sound(answer: Answer, name: str, rate_hz: int) -> AsyncGenerator[Pcm, None]:
    """The sound of an answer as it comes. Raises ProviderError for what is none."""
    if not (answer.kind.startswith("audio/") or answer.kind in UNTOLD):
        raise ProviderError(name, f"it answers with {answer.kind} instead of sound; check base_url")
    if answer.kind in ("audio/mpeg", "audio/ogg", "audio/opus", "audio/aac", "audio/flac"):
        raise ProviderError(name, f"it sends {answer.kind}, though PCM was asked for")
    reader = PcmReader(rate_hz)
    made = 0
    try:
        async for chunk in answer.pieces():
            for pcm in reader.push(chunk):
                made += 1
                yield pcm
        for pcm in reader.push(b"", last=True):
            made += 1
            yield pcm
    except AudioError as error:
        raise ProviderError(name, f"its sound cannot be read: {error}") from error
    if not made:
        raise ProviderError(name, "it answered without any sound")
