"""A Coqui server that runs already: each text is one request, answered with a whole WAV."""

import io
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from functools import partial

import anyio
import httpx

from parlour.audio import Pcm, frames, read_wav, resample
from parlour.engines.textbytext import Take, TextByText, text_by_text
from parlour.errors import AudioError, ProviderError
from parlour.ports import Speech
from parlour.traits import TtsTraits

NAME = "coqui"
CONNECT_S = 3.0
ANSWER_S = 30.0  # the server makes all of the sound before it answers, one text at a time
PIECE_S = 0.06
MOST_BYTES = 64 * 1024 * 1024
MOST_QUERY = 2_000  # characters of a text that travels in the address; longer ones are posted


@dataclass(frozen=True, slots=True)
class CoquiOptions:
    base_url: str
    speaker: str = ""
    language: str = ""


class CoquiServerTts:
    """Satisfies `ports.Tts` with `GET /api/tts`, as `TTS/server/server.py` of idiap's fork has it.

    `answer_s` is how long one text may take.
    """

    def __init__(
        self, options: CoquiOptions, traits: TtsTraits, answer_s: float = ANSWER_S
    ) -> None:
        self.traits = traits
        self._options = options
        self._answer_s = answer_s
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=CONNECT_S), trust_env=False
        )

    def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AbstractAsyncContextManager[TextByText]:
        """Its pace cannot be set: `speed` has no effect."""
        return text_by_text(partial(self._speak, voice or self._options.speaker))

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _speak(self, voice: str, text: str, take: Take) -> None:
        if not any(character.isalnum() for character in text):
            return  # the server fails at what has no sound
        pcm = await self._synthesise(text, voice)
        said = text
        for piece in frames(pcm, round(PIECE_S * pcm.rate_hz)):
            await take(Speech(piece, said))
            said = ""

    async def _synthesise(self, text: str, voice: str) -> Pcm:
        """The sound of one text, at the traits' rate. Raises ProviderError."""
        url = f"{self._options.base_url.rstrip('/')}/api/tts"
        query = {
            "text": text,
            "speaker_id": voice,
            "style_wav": "",
            "language_id": self._options.language,
        }
        post = len(text) > MOST_QUERY
        if post:
            request = self._client.build_request("POST", url, data=query)
        else:
            request = self._client.build_request("GET", url, params=query)
        try:
            with anyio.fail_after(self._answer_s):
                answer = await self._client.send(request, stream=True)
                async with aclosing(answer):
                    return await self._read(answer)
        except TimeoutError as error:
            raise ProviderError(NAME, f"no sound within {self._answer_s:g} s") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ProviderError(
                NAME, f"nobody answers at {self._options.base_url}; check coqui.base_url"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderError(NAME, f"it cannot be asked ({type(error).__name__})") from error

    async def _read(self, answer: httpx.Response) -> Pcm:
        kind = answer.headers.get("content-type", "")
        if answer.is_error:
            raise ProviderError(NAME, f"it answered {answer.status_code}; its own log says why")
        if kind.startswith(("text/", "application/json")):
            raise ProviderError(
                NAME, f"it answers with {kind} instead of sound; check coqui.base_url"
            )
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > MOST_BYTES:
                raise ProviderError(NAME, "its answer is larger than any speech")
        try:
            return resample(read_wav(io.BytesIO(bytes(body)), None), self.traits.rate_hz)
        except AudioError as error:
            raise ProviderError(NAME, f"its sound cannot be read: {error}") from error
