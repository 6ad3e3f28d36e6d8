"""ElevenLabs' voices: a request for each text, or all of them over one WebSocket."""

import base64
import binascii
import json
import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from parlour import tasks
from parlour.audio import Pcm
from parlour.engines.textbytext import MOST_MADE
from parlour.errors import ProviderError
from parlour.ports import Speech, TtsContext
from parlour.providers.cloud.http import Patience, SpeechService, refusal
from parlour.providers.cloud.pcm import PcmReader
from parlour.providers.cloud.speaking import sound, speaking
from parlour.providers.cloud.texts import is_speakable, parts
from parlour.traits import TtsTraits

NAME = "elevenlabs"
LONGEST_CHARS = 5_000  # of one request; the models take up to 40,000, and then they take long
SLOWEST, FASTEST = 0.7, 1.2  # of voice_settings.speed
CLOSE_S = 0.5  # for the closing handshake; then the connection is cut
MOST_MESSAGE_BYTES = 4 * 1024 * 1024
# Between two texts, while a language model thinks; 180 is the most it grants, 20 its default.
INACTIVITY_S = 180


@dataclass(frozen=True, slots=True)
class ElevenLabsOptions:
    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.elevenlabs.io"
    model: str = "eleven_flash_v2_5"
    language: str | None = None  # "hi_IN"; None: it tells by the text
    websocket: bool = False


class ElevenLabsTts:
    """Satisfies `ports.Tts`."""

    def __init__(
        self,
        options: ElevenLabsOptions,
        traits: TtsTraits,
        patience: Patience | None = None,
    ) -> None:
        self.traits = traits
        self._options = options
        self._key = {"xi-api-key": options.api_key}
        self._service = SpeechService(NAME, options.base_url, self._key, patience)

    def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AbstractAsyncContextManager[TtsContext]:
        voice = quote(voice or self.traits.default_voice, safe="")
        settings = {"speed": min(max(speed, SLOWEST), FASTEST)}
        if self._options.websocket:
            return self._open_socket(voice, settings)
        request = partial(self._request, voice, settings)
        return speaking(request, self.traits.rate_hz, LONGEST_CHARS)

    async def aclose(self) -> None:
        await self._service.aclose()

    @property
    def _format(self) -> str:
        return f"pcm_{self.traits.rate_hz}"

    @property
    def _language(self) -> dict[str, str]:
        language = self._options.language
        return {"language_code": language.partition("_")[0]} if language else {}

    @asynccontextmanager
    async def _request(
        self, voice: str, settings: dict[str, float], text: str
    ) -> AsyncIterator[AsyncIterator[Pcm]]:
        path = f"/v1/text-to-speech/{voice}/stream?output_format={self._format}"
        body = {"text": text, "model_id": self._options.model, "voice_settings": settings}
        async with (
            self._service.open("POST", path, json=body | self._language) as answer,
            aclosing(sound(answer, NAME, self.traits.rate_hz)) as pieces,
        ):
            yield pieces

    @asynccontextmanager
    async def _open_socket(
        self, voice: str, settings: dict[str, float]
    ) -> AsyncIterator["SocketSpeech"]:
        query = {
            "model_id": self._options.model,
            "output_format": self._format,
            "inactivity_timeout": str(INACTIVITY_S),
        } | self._language
        base = self._options.base_url.rstrip("/").replace("http", "ws", 1)
        url = f"{base}/v1/text-to-speech/{voice}/stream-input?{urlencode(query)}"
        speech = SocketSpeech(url, self._key, settings, self.traits.rate_hz, self._service.patience)
        with speech.made:
            async with tasks.task_group() as group:
                group.start_soon(speech.run)
                try:
                    yield speech
                finally:
                    group.cancel_scope.cancel()


class SocketSpeech:
    """Texts over one WebSocket. Satisfies `ports.TtsContext`."""

    def __init__(
        self,
        url: str,
        headers: dict[str, str],
        settings: dict[str, float],
        rate_hz: int,
        patience: Patience,
    ) -> None:
        self._url = url
        self._headers = headers
        self._settings = settings
        self._patience = patience
        self._reader = PcmReader(rate_hz)
        self._texts: list[str] = []
        self._sent = 0  # of them
        self._waiting = anyio.CancelScope()  # for its next message
        self._owes = False  # sound of a text that was sent
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
        """Speak until `finish`; never raises a ProviderError."""
        with self._send:
            try:
                await self._converse()
            except ProviderError as error:
                self._failed = error

    async def _converse(self) -> None:
        try:
            socket = await connect(
                self._url,
                additional_headers=self._headers,
                open_timeout=self._patience.connect_s + self._patience.first_s,
                max_size=MOST_MESSAGE_BYTES,
                close_timeout=CLOSE_S,
                compression=None,
                proxy=None,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            raise refusal(NAME, status, "", error.response.headers) from error
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise ProviderError(NAME, "its WebSocket cannot be reached; check base_url") from error
        try:
            async with tasks.task_group() as group:
                group.start_soon(self._write, socket)
                await self._listen(socket)
                group.cancel_scope.cancel()
        finally:
            with anyio.move_on_after(2 * CLOSE_S, shield=True):
                await socket.close()

    async def _write(self, socket: ClientConnection) -> None:
        try:
            await socket.send(json.dumps({"text": " ", "voice_settings": self._settings}))
            while True:
                while self._sent < len(self._texts):
                    text = self._texts[self._sent]
                    self._sent += 1
                    for part in filter(is_speakable, parts(text, LONGEST_CHARS)):
                        # Each text ends with a blank; `flush` has it spoken without waiting.
                        await socket.send(json.dumps({"text": f"{part.strip()} ", "flush": True}))
                        self._expect()
                if self._finished:
                    await socket.send(json.dumps({"text": ""}))
                    self._expect()
                    return
                self._news = anyio.Event()
                await self._news.wait()
        except ConnectionClosed:
            return  # who listens is told, too

    def _expect(self) -> None:
        self._owes = True
        self._waiting.deadline = anyio.current_time() + self._patience.first_s

    async def _listen(self, socket: ClientConnection) -> None:
        said = ""
        while (message := await self._next(socket)) is not None:
            said += _spoken(message)
            # Nothing is held back: nobody knows whether another message comes before the next text.
            for pcm in [*self._reader.push(_sound(message)), *self._reader.flush()]:
                await self._send.send(Speech(pcm, said))
                said = ""
            if message.get("isFinal"):
                break
        for pcm in self._reader.push(b"", last=True):
            await self._send.send(Speech(pcm, said))
            said = ""

    async def _next(self, socket: ClientConnection) -> dict[str, Any] | None:
        """The next message; None: it has closed as it should."""
        # While more texts may come, it is silent as long as nobody says any.
        due_s = anyio.current_time() + self._patience.next_s if self._owes else math.inf
        raw: str | bytes | None = None
        try:
            with anyio.CancelScope(deadline=due_s) as self._waiting:
                raw = await socket.recv()
            if raw is None:
                raise ProviderError(NAME, "it fell silent in the middle of its answer")
            self._owes = self._finished
            read = json.loads(raw)
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code == 1000 and self._finished:
                return None
            why = error.rcvd.reason if error.rcvd is not None else ""
            if "key" in why.lower():
                raise refusal(NAME, 401, "", {}) from error
            raise ProviderError(NAME, f"its WebSocket broke off {why}".rstrip()) from error
        except ValueError as error:
            raise ProviderError(NAME, "it sends what is no JSON") from error
        if not isinstance(read, dict):
            raise ProviderError(NAME, "it sends JSON that is no object")
        if error_text := read.get("error") or read.get("message"):
            raise ProviderError(NAME, " ".join(str(error_text).split())[:200])
        return read


def _sound(message: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(message.get("audio") or b"", validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise ProviderError(NAME, "it sends sound that is no base64") from error


def _spoken(message: dict[str, Any]) -> str:
    """The characters that the sound of this message speaks, if it says so."""
    alignment = message.get("alignment")
    characters = alignment.get("chars") if isinstance(alignment, dict) else None
    return "".join(str(c) for c in characters) if isinstance(characters, list) else ""
