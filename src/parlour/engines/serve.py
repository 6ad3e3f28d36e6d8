"""An engine behind the Wyoming protocol, on a socket, in its own process."""

import logging
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import anyio
from anyio import to_thread
from anyio.abc import ByteStream
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm, Resampler, Samples
from parlour.engines.blocking import Synthesiser
from parlour.engines.framing import BROKEN, LEARNED, PARTIAL, PAUSE, VOCABULARY, Connection
from parlour.errors import InputError, ParlourError, ProtocolError
from parlour.ports import Final, Partial, SttContext, Vocabulary

log = logging.getLogger(__name__)

IDLE_S = 120.0  # a connection on which nothing comes for so long is closed
LANES = 4  # texts at work at once; further ones wait for their turn
LONGEST_TEXT = 20_000  # characters of one synthesis
LONGEST_SOUND_S = 300.0  # of one utterance; what comes after it is not heard
SLOWEST, FASTEST = 0.1, 10.0  # of a voice's own speed
MOST_CONNECTIONS = 64
SENTENCE_ENDS = ".!?…।॥\n"


class Hears(Protocol):
    """What a process that hears serves: `ports.Stt` without its traits."""

    async def teach(self, vocabulary: Vocabulary) -> None: ...

    def open(self, language: str | None) -> AbstractAsyncContextManager[SttContext]: ...


async def serve_recogniser(engine: Hears, uri: str, info: Mapping[str, Any]) -> None:
    """Serve until cancelled: `transcribe`, `audio-start`, chunks, `audio-stop` in; partials and a
    `transcript` out; `parlour-vocabulary` teaches. `info` is what `describe` is answered with."""

    async def talk(connection: Connection) -> None:
        language: str | None = None
        while True:
            event = await _next_event(connection)
            match event.type:
                case "describe":
                    await connection.write(Event("info", dict(info)))
                case "transcribe":
                    language = str(event.data.get("language") or "").replace("-", "_") or None
                case "audio-start":
                    await _hear(engine, connection, AudioStart.from_event(event), language)
                    language = None
                case _ if event.type == VOCABULARY:
                    await _teach(engine, connection, event)
                case _:
                    pass  # Wyoming peers ignore what they do not know

    await _serve(uri, talk)


async def serve_synthesiser(engine: Synthesiser, uri: str, info: Mapping[str, Any]) -> None:
    """Serve until cancelled: `synthesize` in; `audio-start`, chunks and `audio-stop` out. A text
    may also come in pieces, between `synthesize-start` and `synthesize-stop`."""
    lanes = anyio.CapacityLimiter(LANES)

    async def talk(connection: Connection) -> None:
        while True:
            event = await _next_event(connection)
            match event.type:
                case "describe":
                    await connection.write(Event("info", dict(info)))
                case "synthesize":
                    text = str(event.data.get("text", ""))
                    await _Speaker(engine, lanes, connection, event.data).speak(text)
                case "synthesize-start":
                    await _speak_pieces(_Speaker(engine, lanes, connection, event.data), connection)
                case _:
                    pass  # as above

    await _serve(uri, talk)


async def _next_event(connection: Connection) -> Event:
    with anyio.fail_after(IDLE_S):
        return await connection.read()


async def _serve(uri: str, talk: Callable[[Connection], Awaitable[None]]) -> None:
    places = anyio.CapacityLimiter(MOST_CONNECTIONS)

    async def handle(stream: ByteStream) -> None:
        async with stream:
            connection = Connection(stream)
            try:
                try:
                    places.acquire_nowait()
                except anyio.WouldBlock:
                    await _complain(connection, "too many are connected; try again later")
                    return
                try:
                    await talk(connection)
                finally:
                    places.release()
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
            local_host=host.strip("[]"), local_port=int(port)
        ) as listeners:
            await listeners.serve(handle)


async def _complain(connection: Connection, reason: str) -> None:
    with anyio.move_on_after(1):
        try:
            await connection.write(Error(reason).event())
        except BROKEN:
            log.debug("a peer has gone before it could be told: %s", reason)


# ---------------------------------------------------------------- hearing


async def _teach(engine: Hears, connection: Connection, event: Event) -> None:
    sentences = (event.payload or b"").decode(errors="replace").splitlines()
    names = [str(name) for name in event.data.get("names") or ()]
    await engine.teach(Vocabulary(sentences, names))
    await connection.write(Event(LEARNED, {"sentences": len(sentences)}))


async def _hear(
    engine: Hears, connection: Connection, form: AudioStart, language: str | None
) -> None:
    """One utterance, from its `audio-start` to its transcript."""
    if form.width != 2 or form.channels not in (1, 2) or not 4_000 <= form.rate <= 192_000:
        raise ProtocolError("sound must be 16 bit, of one or two channels")
    ear = _Ear(form)
    async with engine.open(language) as hearing, tasks.task_group() as group:
        group.start_soon(_report, hearing, connection)
        while True:
            event = await _next_event(connection)
            match event.type:
                case "audio-chunk":
                    if (pcm := ear.take(event.payload or b"")) is not None:
                        hearing.feed(pcm)
                case "audio-stop":
                    hearing.finish()
                    break
                case _ if event.type == PAUSE:
                    hearing.pause()
                case "describe" | "audio-start":
                    raise ProtocolError(f"{event.type} in the middle of an utterance")
                case _:
                    pass  # as above


class _Ear:
    """Brings the sound of one utterance to 16 kHz mono, as much as is heard of it."""

    def __init__(self, form: AudioStart) -> None:
        self._form = form
        self._resampler = Resampler(form.rate, HEARING_RATE_HZ)
        self._samples = 0

    def take(self, data: bytes) -> Pcm | None:
        pcm = Pcm.frombytes(data, self._form.rate)
        if self._form.channels == 2:
            whole = pcm.samples[: len(pcm.samples) // 2 * 2].reshape(-1, 2)
            pcm = Pcm(whole.mean(axis=1).astype(pcm.samples.dtype), pcm.rate_hz)
        pcm = self._resampler.push(pcm)
        if not len(pcm.samples) or self._samples > LONGEST_SOUND_S * HEARING_RATE_HZ:
            return None
        self._samples = pcm.end
        return pcm


async def _report(hearing: SttContext, connection: Connection) -> None:
    """Pass on what is heard; that the peer has gone is noticed where it is read from."""
    try:
        async for heard in hearing:
            await connection.write(_said(heard))
    except BROKEN:
        log.debug("a peer has gone in the middle of its utterance")


def _said(heard: Partial | Final) -> Event:
    match heard:
        case Partial(text=text, stable_chars=stable):
            return Event(PARTIAL, {"text": text, "stable_chars": stable})
        case Final():
            return Event(
                "transcript",
                {
                    "text": heard.text,
                    "language": heard.language,
                    "confidence": heard.confidence,
                    "rejected": heard.rejected,
                },
            )


# ---------------------------------------------------------------- speaking


class _Speaker:
    """The voice of one request."""

    def __init__(
        self,
        engine: Synthesiser,
        lanes: anyio.CapacityLimiter,
        connection: Connection,
        asked: Mapping[str, Any],
    ) -> None:
        self._engine = engine
        self._lanes = lanes
        self._connection = connection
        self._voice = str((asked.get("voice") or {}).get("name") or "")
        self._speed = _speed(asked.get("speed"))

    async def speak(self, text: str) -> None:
        if len(text) > LONGEST_TEXT:
            raise InputError(f"a text of more than {LONGEST_TEXT} characters; say it in parts")
        async with self._lanes:
            rate = await to_thread.run_sync(self._engine.rate_hz, self._voice)
            await self._connection.write(AudioStart(rate, 2, 1).event())
            pieces = self._engine.speak(text, self._voice, self._speed)
            try:
                while (samples := await to_thread.run_sync(_next, pieces)) is not None:
                    audio = samples.astype("<i2", copy=False).tobytes()
                    await self._connection.write(AudioChunk(rate, 2, 1, audio).event())
            finally:
                close = getattr(pieces, "close", None)
                if close is not None:
                    close()
            await self._connection.write(AudioStop().event())


async def _speak_pieces(speaker: _Speaker, connection: Connection) -> None:
    """Speak each sentence as soon as it is whole; then `synthesize-stopped`."""
    text = ""
    while True:
        event = await _next_event(connection)
        match event.type:
            case "synthesize-chunk":
                text += str(event.data.get("text", ""))
                if (end := max(text.rfind(mark) for mark in SENTENCE_ENDS) + 1) > 0:
                    await speaker.speak(text[:end])
                    text = text[end:]
            case "synthesize-stop":
                break
            case _:
                pass  # `synthesize` repeats the whole text for those that know no pieces
    if text.strip():
        await speaker.speak(text)
    await connection.write(Event("synthesize-stopped"))


def _speed(asked: object) -> float:
    if asked is None:
        return 1.0
    # JSON as Python reads it has NaN and infinities.
    if not isinstance(asked, int | float) or not math.isfinite(asked) or asked <= 0:
        raise InputError(f"there is no speed of {asked!r}")
    return min(max(float(asked), SLOWEST), FASTEST)


def _next(pieces: Iterator[Samples]) -> Samples | None:
    return next(pieces, None)
