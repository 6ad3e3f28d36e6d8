"""A Coqui server that runs already: each text is one request, answered with a whole WAV."""

import io
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import anyio
import httpx

from parlour import tasks
from parlour.audio import Pcm, frames, read_wav, resample
from parlour.errors import AudioError, ProviderError
from parlour.ports import Speech
from parlour.traits import TtsTraits

NAME = "coqui"
CONNECT_S = 3.0
ANSWER_S = 30.0  # the server makes all of the sound before it answers, one text at a time
PIECE_S = 0.06
MOST_MADE = 64
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

    @asynccontextmanager
    async def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AsyncIterator["CoquiSpeech"]:
        """Its pace cannot be set: `speed` has no effect."""
        speech = CoquiSpeech(self, voice or self._options.speaker)
        with speech.made:
            async with tasks.task_group() as group:
                group.start_soon(speech.run)
                try:
                    yield speech
                finally:
                    group.cancel_scope.cancel()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def synthesise(self, text: str, voice: str) -> Pcm:
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


class CoquiSpeech:
    """Satisfies `ports.TtsContext`."""

    def __init__(self, server: CoquiServerTts, voice: str) -> None:
        self._server = server
        self._voice = voice
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
                    if not self._texts:
                        self._news = anyio.Event()
                        await self._news.wait()
                        continue
                    text = self._texts.popleft()
                    if any(character.isalnum() for character in text):
                        await self._speak(text)
            except ProviderError as error:
                self._failed = error

    async def _speak(self, text: str) -> None:
        pcm = await self._server.synthesise(text, self._voice)
        for piece in frames(pcm, round(PIECE_S * pcm.rate_hz)):
            await self._send.send(Speech(piece, text))
            text = ""
