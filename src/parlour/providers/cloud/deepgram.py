"""Deepgram: a WebSocket on which it hears while somebody speaks, and whole recordings by HTTP."""

import io
import json
import logging
import math
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
)

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm, write_wav
from parlour.engines.utterance import Utterance
from parlour.errors import ProviderError
from parlour.ports import Final, Partial, Vocabulary
from parlour.providers.cloud.http import Patience, SpeechService, refusal
from parlour.traits import SttTraits

log = logging.getLogger(__name__)

NAME = "deepgram"
KEEP_ALIVE_S = 4.0  # without sound; after 10 s it hangs up with NET-0001
FINAL_S = 4.0  # after CloseStream
TRIES = 3  # connections that one utterance may wear out
AGAIN_S = 0.1  # before the second; doubled before the third
CLOSE_S = 0.5  # for the closing handshake; then the connection is cut
MOST_UNREAD = 64
MOST_KEYTERMS = 50  # it takes 500 tokens of them
# Its codes for our languages where they are not simply the first part.
CODES = {"en_US": "en-US", "en_GB": "en-GB", "de_DE": "de"}


@dataclass(frozen=True, slots=True)
class DeepgramOptions:
    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.deepgram.com"
    model: str = "nova-3"


class DeepgramStt:
    """Satisfies `ports.Stt`."""

    def __init__(
        self, options: DeepgramOptions, traits: SttTraits, patience: Patience | None = None
    ) -> None:
        self.traits = traits
        self._options = options
        self._patience = patience or Patience()
        self._names: tuple[str, ...] = ()

    async def teach(self, vocabulary: Vocabulary) -> None:
        """Names become its keyterms. They leave the house with each utterance."""
        self._names = tuple(vocabulary.names)[:MOST_KEYTERMS]

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator["DeepgramHearing"]:
        hearing = DeepgramHearing(
            self._url(language), self._options.api_key, self._patience, language
        )
        with hearing.heard:
            async with tasks.task_group() as group:
                group.start_soon(hearing.run)
                try:
                    yield hearing
                finally:
                    group.cancel_scope.cancel()

    def _url(self, language: str | None) -> str:
        query: list[tuple[str, str]] = [
            ("model", self._options.model),
            ("encoding", "linear16"),
            ("sample_rate", str(HEARING_RATE_HZ)),
            ("channels", "1"),
            ("language", _code(language) or "multi"),
            ("interim_results", "true"),
            ("endpointing", "300"),
            ("smart_format", "true"),
            *(("keyterm", name) for name in self._names),
        ]
        base = self._options.base_url.rstrip("/").replace("http", "ws", 1)
        return f"{base}/v1/listen?{urlencode(query)}"


class DeepgramHearing:
    """One utterance. Satisfies `ports.SttContext`."""

    def __init__(self, url: str, key: str, patience: Patience, language: str | None) -> None:
        self._url = url
        self._headers = {"Authorization": f"Token {key}"}
        self._patience = patience
        self._language = language
        self._utterance = Utterance()
        self._said = _Said()
        self._failed: ProviderError | None = None
        self._waiting = anyio.CancelScope()  # for its next message
        self._ended = False  # it was told that no more sound comes
        self._sent_s = 0.0  # when it was last sent anything
        self._send, self.heard = anyio.create_memory_object_stream[Partial | Final](MOST_UNREAD)

    def feed(self, pcm: Pcm) -> None:
        self._utterance.feed(pcm)

    def pause(self) -> None:
        self._utterance.pause()

    def finish(self) -> None:
        self._utterance.finish()

    async def __aiter__(self) -> AsyncIterator[Partial | Final]:
        async for heard in self.heard:
            yield heard
        if self._failed is not None:
            raise self._failed

    async def run(self) -> None:
        """Have the utterance heard, over as many connections as it takes; never raises a
        ProviderError."""
        with self._send:
            wait_s, connected = AGAIN_S, False
            for left in reversed(range(TRIES)):
                try:
                    socket = await self._connect()
                except ProviderError as error:
                    self._failed = error
                    if not left or not connected:
                        return  # one that hung up may be back in a moment; else it is not there
                    await anyio.sleep(wait_s)
                    wait_s *= 2
                    continue
                connected = True
                try:
                    await self._hear(socket)
                except ProviderError as error:
                    self._failed = error
                    return
                except ConnectionClosed as error:
                    self._failed = ProviderError(NAME, f"it hung up{_why(error)}")
                    if not left:
                        return
                    log.warning("deepgram hung up%s; it hears the utterance again", _why(error))
                    await anyio.sleep(wait_s)
                    wait_s *= 2
                else:
                    self._failed = None
                    return

    async def _hear(self, socket: ClientConnection) -> None:
        self._said, self._ended = _Said(), False
        self._sent_s = anyio.current_time()
        try:
            async with tasks.task_group() as group:
                group.start_soon(self._pump, socket)
                group.start_soon(self._keep_alive, socket)
                await self._listen(socket)
                group.cancel_scope.cancel()
        finally:
            with anyio.move_on_after(2 * CLOSE_S, shield=True):
                await socket.close()

    async def _connect(self) -> ClientConnection:
        patience = self._patience
        try:
            return await connect(
                self._url,
                additional_headers=self._headers,
                open_timeout=patience.connect_s,
                close_timeout=CLOSE_S,
                compression=None,
                proxy=None,
            )
        except InvalidStatus as error:
            response = error.response
            reason = response.headers.get("dg-error", "")
            raise refusal(NAME, response.status_code, reason, response.headers) from error
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise ProviderError(NAME, "nobody answers; check base_url and the network") from error

    async def _pump(self, socket: ClientConnection) -> None:
        """Send sound, pauses and the end."""
        try:
            async with aclosing(self._utterance.read()) as pieces:
                async for pcm in pieces:
                    self._sent_s = anyio.current_time()
                    await socket.send(pcm.tobytes() if pcm is not None else '{"type": "Finalize"}')
            await socket.send('{"type": "CloseStream"}')  # it says what it owes, then Metadata
        except ConnectionClosed:
            return  # who listens is told, too
        self._ended = True
        self._waiting.deadline = anyio.current_time() + FINAL_S

    async def _keep_alive(self, socket: ClientConnection) -> None:
        """While nothing is said into an open microphone."""
        try:
            while not self._ended:
                await anyio.sleep(KEEP_ALIVE_S / 4)
                if anyio.current_time() - self._sent_s >= KEEP_ALIVE_S:
                    self._sent_s = anyio.current_time()
                    await socket.send('{"type": "KeepAlive"}')
        except ConnectionClosed:
            return  # as above

    async def _listen(self, socket: ClientConnection) -> None:
        said = self._said
        while (message := await self._next(socket)) is not None:
            match message.get("type"):
                case "Results":
                    settled = said.take(message)
                    if text := said.text:
                        stable = len(text) if settled else len(said.fixed)
                        await self._send.send(Partial(text, min(stable, len(text))))
                case "Metadata" if self._ended:
                    break
                case "Error":
                    reason = message.get("description") or message.get("message") or "an error"
                    raise ProviderError(NAME, " ".join(str(reason).split())[:200])
                case _:
                    pass  # SpeechStarted, UtteranceEnd: the turn has ears of its own
        await self._send.send(Final(said.text, said.confidence, self._language))

    async def _next(self, socket: ClientConnection) -> dict[str, Any] | None:
        """The next message; None: it has hung up as it should. Raises ConnectionClosed."""
        raw: str | bytes | None = None
        due_s = anyio.current_time() + FINAL_S if self._ended else math.inf
        with anyio.CancelScope(deadline=due_s) as self._waiting:
            try:
                raw = await socket.recv()
            except ConnectionClosedOK:
                if self._ended:
                    return None
                raise
        if raw is None:
            raise ProviderError(NAME, f"no final within {FINAL_S:g} s")
        try:
            read = json.loads(raw)
        except ValueError as error:
            raise ProviderError(NAME, "it sends what is no JSON") from error
        return read if isinstance(read, dict) else {}


class _Said:
    """What it has said of one utterance: pieces that are final, and a last one that is not."""

    def __init__(self) -> None:
        self.fixed = ""
        self.confidence: float | None = None
        self._loose = ""

    @property
    def text(self) -> str:
        return f"{self.fixed} {self._loose}".strip()

    def take(self, message: dict[str, Any]) -> bool:
        """Returns whether it stands by all it has said so far."""
        try:
            best = message["channel"]["alternatives"][0]
            text = _text(best["transcript"])
        except (KeyError, IndexError, TypeError):
            return False
        if not message.get("is_final"):
            self._loose = text
            return False
        self.fixed = f"{self.fixed} {text}".strip()
        self._loose = ""
        if text:
            self.confidence = _confidence(best)
        return bool(message.get("from_finalize") or message.get("speech_final"))


class DeepgramBatch:
    """Whole recordings. Satisfies `redecode.BatchStt`."""

    def __init__(self, options: DeepgramOptions, patience: Patience | None = None) -> None:
        self._options = options
        headers = {"Authorization": f"Token {options.api_key}"}
        self._service = SpeechService(NAME, options.base_url, headers, patience)
        self._names: tuple[str, ...] = ()

    async def teach(self, vocabulary: Vocabulary) -> None:
        self._names = tuple(vocabulary.names)[:MOST_KEYTERMS]

    async def transcribe(self, pcm: Pcm, language: str | None) -> Final:
        code = _code(language)
        query: list[tuple[str, str]] = [
            ("model", self._options.model),
            ("language", code) if code else ("detect_language", "true"),
            ("smart_format", "true"),
            *(("keyterm", name) for name in self._names),
        ]
        wav = io.BytesIO()
        write_wav(wav, pcm)
        async with self._service.open(
            "POST",
            f"/v1/listen?{urlencode(query)}",
            content=wav.getvalue(),
            headers={"Content-Type": "audio/wav"},
        ) as answer:
            said = await answer.json()
        try:
            best = said["results"]["channels"][0]["alternatives"][0]
            return Final(_text(best["transcript"]), _confidence(best), language)
        except (KeyError, IndexError, TypeError) as error:
            raise self._service.error("its answer has no transcript") from error

    async def aclose(self) -> None:
        await self._service.aclose()


def _code(language: str | None) -> str | None:
    if language is None:
        return None
    return CODES.get(language, language.partition("_")[0])


def _text(transcript: object) -> str:
    return transcript.strip() if isinstance(transcript, str) else ""


def _confidence(best: dict[str, Any]) -> float | None:
    confidence = best.get("confidence")
    return float(confidence) if isinstance(confidence, int | float) else None


def _why(error: ConnectionClosed) -> str:
    return f" ({error.rcvd.code} {error.rcvd.reason})".rstrip() if error.rcvd is not None else ""
