"""What voices over HTTP have in common: texts in, one request each, sound out as it comes."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from parlour.audio import Pcm, Resampler, silence
from parlour.engines.textbytext import Take, TextByText, text_by_text
from parlour.errors import AudioError, ProviderError
from parlour.ports import Speech
from parlour.providers.cloud.http import Answer
from parlour.providers.cloud.pcm import PcmReader
from parlour.providers.cloud.texts import is_speakable, parts

UNTOLD = ("", "application/octet-stream", "binary/octet-stream")  # may be bare PCM

# The sound of one part of a text; leaving the context hangs up.
Request = Callable[[str], AbstractAsyncContextManager[AsyncIterator[Pcm]]]


def speaking(
    request: Request, rate_hz: int, longest_chars: int
) -> AbstractAsyncContextManager[TextByText]:
    """Begin to speak; leaving the context ends the request that is under way."""

    async def speak(text: str, take: Take) -> None:
        for part in parts(text, longest_chars):
            if is_speakable(part):
                await _speak(request, rate_hz, part, take)

    return text_by_text(speak)


async def _speak(request: Request, to_hz: int, part: str, take: Take) -> None:
    said, resampler, rate_hz = part, None, to_hz
    async with request(part) as pieces:
        async for pcm in pieces:
            if resampler is None or pcm.rate_hz != rate_hz:
                rate_hz = pcm.rate_hz
                resampler = Resampler(rate_hz, to_hz)
            await take(Speech(resampler.push(pcm), said))
            said = ""
    if resampler is not None:
        tail = resampler.push(silence(0, rate_hz), last=True)
        if len(tail.samples):
            await take(Speech(tail))


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
