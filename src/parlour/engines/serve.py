"""An engine behind the Wyoming protocol, on a socket, in its own process."""

import logging
import math
from collections.abc import Awaitable, Callable, Iterator

import anyio
from anyio import to_thread
from anyio.abc import ByteStream
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event

from parlour.audio import HEARING_RATE_HZ, Pcm, Samples
from parlour.engines.blocking import Hearing, Recogniser, Synthesiser
from parlour.engines.framing import BROKEN, LEARNED, PARTIAL, PAUSE, VOCABULARY, Connection
from parlour.errors import InputError, ParlourError, ProtocolError
from parlour.ports import Partial

log = logging.getLogger(__name__)

IDLE_S = 120.0  # a connection on which nothing comes for so long is closed
LANES = 4  # utterances or texts at work at once; further ones wait for their turn
LONGEST_TEXT = 20_000  # characters of one synthesis
SLOWEST, FASTEST = 0.1, 10.0  # of a voice's own speed


async def serve_recogniser(engine: Recogniser, uri: str) -> None:
    """Serve until cancelled: `transcribe`, `audio-start`, chunks, `audio-stop` in; partials and a
    `transcript` out; `parlour-vocabulary` teaches."""
    lanes = anyio.CapacityLimiter(LANES)

    async def talk(connection: Connection) -> None:
        ear = _Ear(engine, lanes, connection)
        try:
            while True:
                with anyio.fail_after(IDLE_S):
                    event = await connection.read()
                await ear.receive(event)
        finally:
            ear.close()

    await _serve(uri, talk)


async def serve_synthesiser(engine: Synthesiser, uri: str) -> None:
    """Serve until cancelled: `synthesize` in; `audio-start`, chunks and `audio-stop` out."""
    lanes = anyio.CapacityLimiter(LANES)

    async def talk(connection: Connection) -> None:
        while True:
            with anyio.fail_after(IDLE_S):
                event = await connection.read()
            if event.type == "describe":
                await connection.write(Event("info", {"tts": [_program("synthesiser")]}))
            elif event.type == "synthesize":
                await _speak(engine, lanes, connection, event)

    await _serve(uri, talk)


def _program(name: str) -> dict[str, object]:
    return {"name": name, "installed": True, "attribution": {"name": "Parlour", "url": ""}}


async def _serve(uri: str, talk: Callable[[Connection], Awaitable[None]]) -> None:
    async def handle(stream: ByteStream) -> None:
        async with stream:
            connection = Connection(stream)
            try:
                await talk(connection)
            except (*BROKEN, TimeoutError):
                log.debug("a peer has gone")
            except ProtocolError as error:
                log.warning("a peer broke the protocol: %s", error)
            except ParlourError as error:
                await _complain(connection, str(error))
            except Exception:
                log.exception("a request failed")
                await _complain(connection, "the engine failed")

    scheme, _, rest = uri.partition("://")
    if scheme == "unix":
        async with await anyio.create_unix_listener(rest, mode=0o600) as listener:
            await listener.serve(handle)
    else:
        host, _, port = rest.rpartition(":")
        async with await anyio.create_tcp_listener(
            local_host=host, local_port=int(port)
        ) as listeners:
            await listeners.serve(handle)


async def _complain(connection: Connection, reason: str) -> None:
    with anyio.move_on_after(1):
        try:
            await connection.write(Error(reason).event())
        except BROKEN:
            log.debug("a peer has gone before it could be told: %s", reason)


class _Ear:
    """The utterance of one connection."""

    def __init__(
        self, engine: Recogniser, lanes: anyio.CapacityLimiter, connection: Connection
    ) -> None:
        self._engine = engine
        self._lanes = lanes
        self._connection = connection
        self._hearing: Hearing | None = None
        self._samples = 0

    async def receive(self, event: Event) -> None:
        match event.type:
            case "describe":
                await self._connection.write(Event("info", {"asr": [_program("recogniser")]}))
            case "audio-start":
                if AudioStart.from_event(event).rate != HEARING_RATE_HZ:
                    raise ProtocolError(f"sound must come at {HEARING_RATE_HZ} Hz")
                self.close()
                await self._lanes.acquire_on_behalf_of(self)
                self._samples = 0
                try:
                    self._hearing = await to_thread.run_sync(self._engine.hear)
                finally:
                    if self._hearing is None:
                        self._lanes.release_on_behalf_of(self)
            case "audio-chunk" if self._hearing is not None:
                pcm = Pcm.frombytes(event.payload or b"", HEARING_RATE_HZ, self._samples)
                self._samples = pcm.end
                partial = await to_thread.run_sync(self._hearing.feed, pcm)
                if partial is not None:
                    await self._connection.write(_partial(partial))
            case "audio-stop" if self._hearing is not None:
                final = await to_thread.run_sync(self._hearing.finish)
                self.close()
                said = {
                    "text": final.text,
                    "language": final.language,
                    "confidence": final.confidence,
                    "rejected": final.rejected,
                }
                await self._connection.write(Event("transcript", said))
            case _ if event.type == PAUSE and self._hearing is not None:
                settled = await to_thread.run_sync(self._hearing.pause)
                if settled is not None:
                    await self._connection.write(_partial(settled))
            case _ if event.type == VOCABULARY:
                sentences = (event.payload or b"").decode(errors="replace").splitlines()
                await to_thread.run_sync(self._engine.learn, sentences)
                await self._connection.write(Event(LEARNED, {"sentences": len(sentences)}))
            case _:
                pass  # Wyoming peers ignore what they do not know

    def close(self) -> None:
        if self._hearing is not None:
            self._hearing.close()
            self._hearing = None
            self._lanes.release_on_behalf_of(self)


def _partial(partial: Partial) -> Event:
    return Event(PARTIAL, {"text": partial.text, "stable_chars": partial.stable_chars})


async def _speak(
    engine: Synthesiser, lanes: anyio.CapacityLimiter, connection: Connection, event: Event
) -> None:
    text = str(event.data.get("text", ""))
    if len(text) > LONGEST_TEXT:
        raise InputError(f"a text of more than {LONGEST_TEXT} characters")
    voice = str((event.data.get("voice") or {}).get("name") or "")
    speed = _speed(event.data.get("speed"))
    rate = engine.rate_hz
    async with lanes:
        await connection.write(AudioStart(rate, 2, 1).event())
        pieces = engine.speak(text, voice, speed)
        try:
            while (samples := await to_thread.run_sync(_next, pieces)) is not None:
                audio = samples.astype("<i2", copy=False).tobytes()
                await connection.write(AudioChunk(rate, 2, 1, audio).event())
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        await connection.write(AudioStop().event())


def _speed(asked: object) -> float:
    if asked is None:
        return 1.0
    # JSON as Python reads it has NaN and infinities.
    if not isinstance(asked, int | float) or not math.isfinite(asked) or asked <= 0:
        raise InputError(f"there is no speed of {asked!r}")
    return min(max(float(asked), SLOWEST), FASTEST)


def _next(pieces: Iterator[Samples]) -> Samples | None:
    return next(pieces, None)
