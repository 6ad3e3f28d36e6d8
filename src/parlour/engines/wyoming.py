"""Recognisers and voices behind the Wyoming protocol, as `ports.Stt` and `ports.Tts`.

An utterance is kept in memory until its final: when the engine dies in the middle of it, the
next process hears it again from the start, and nobody has to repeat himself.
"""

import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import Protocol

import anyio
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm, Resampler, silence
from parlour.engines.framing import BROKEN, LEARNED, PARTIAL, PAUSE, VOCABULARY, Connection, connect
from parlour.engines.textbytext import Take, TextByText, text_by_text
from parlour.engines.utterance import Utterance
from parlour.errors import ProtocolError, ProviderError
from parlour.ports import Final, Partial, Speech, Vocabulary
from parlour.traits import SttTraits, TtsTraits

log = logging.getLogger(__name__)

MOST_HEARD = 64  # partials that nobody has read yet; then the engine is not read from
RESTART_S = 6.0  # for a dead engine's successor to be ready
LEARN_S = 15.0
CONNECT_S = 3.0  # to another machine
FINAL_S = 15.0  # without a word after all the sound; a hung process is replaced sooner
SOUND_S = 10.0  # for the next piece of speech
NOTICE_S = 0.05  # until the end of a process has been noticed
TRIES = 3  # processes that one utterance or text may wear out


class Peers(Protocol):
    """Where an engine serves: in a child process, or on one or more machines."""

    prepare: Callable[[str], Awaitable[None]]  # called with the URI of each that comes up

    def lease(self, within_s: float) -> AbstractAsyncContextManager[str]:
        """The URI of one that serves, for one request. What goes wrong inside tells how it is.

        Raises ProviderError if there is none `within_s`.
        """
        ...

    async def prepare_all(self) -> None:
        """Prepare those that are up. Raises ProviderError."""
        ...


async def _connect(uri: str) -> Connection:
    with anyio.fail_after(CONNECT_S):
        return await connect(uri)


class WyomingStt:
    """A recogniser in a process of its own. Satisfies `ports.Stt`."""

    def __init__(self, peers: Peers, traits: SttTraits, patience_s: float = RESTART_S) -> None:
        self.traits = traits
        self._peers = peers
        self._patience_s = patience_s
        self._vocabulary = Vocabulary()
        peers.prepare = self._prepare

    async def teach(self, vocabulary: Vocabulary) -> None:
        """Expect this, now and after each restart. Raises ProviderError."""
        self._vocabulary = vocabulary
        async with self._peers.lease(RESTART_S):
            await self._peers.prepare_all()

    async def _prepare(self, uri: str) -> None:
        learn = self._vocabulary
        if not learn.sentences and not learn.names:
            return
        payload = "\n".join(learn.sentences).encode(errors="replace")
        try:
            with anyio.fail_after(LEARN_S):
                connection = await connect(uri)
                try:
                    await connection.write(Event(VOCABULARY, {"names": list(learn.names)}, payload))
                    while (await connection.read()).type != LEARNED:
                        pass
                finally:
                    await connection.aclose()
        except (*BROKEN, TimeoutError, ProtocolError) as error:
            raise ProviderError(self.traits.name, "it does not learn its sentences") from error

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator["WyomingHearing"]:
        """Begin an utterance; works while the engine is being restarted, too."""
        hearing = WyomingHearing(self._peers, self.traits.name, language, self._patience_s)
        with hearing.heard:  # closed last: it is read after the engine has said its final
            async with tasks.task_group() as group:
                group.start_soon(hearing.run)
                try:
                    yield hearing
                finally:
                    group.cancel_scope.cancel()


class WyomingHearing:
    """One utterance on its way to a recogniser. Satisfies `ports.SttContext`."""

    def __init__(self, peers: Peers, name: str, language: str | None, patience_s: float) -> None:
        self._peers = peers
        self._patience_s = patience_s
        self._name = name
        self._language = language
        self._utterance = Utterance()
        self._send, self.heard = anyio.create_memory_object_stream[Partial | Final](MOST_HEARD)
        self._failed: ProviderError | None = None
        self._pumped = False  # the engine has got all the sound
        self._waiting = anyio.CancelScope()  # for the engine's next word

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
        """Have the utterance heard, by as many processes as it takes; never raises."""
        with self._send:
            for _ in range(TRIES):
                try:
                    async with self._peers.lease(self._patience_s) as uri:
                        await self._hear(uri)
                except ProviderError as error:
                    self._failed = error
                    return
                except (*BROKEN, ProtocolError) as error:
                    log.warning("%s broke off, it hears the utterance again: %r", self._name, error)
                    await anyio.sleep(NOTICE_S)
                else:
                    return
            self._failed = ProviderError(self._name, f"it broke off {TRIES} times")

    async def _hear(self, uri: str) -> None:
        self._pumped = False
        connection = await _connect(uri)
        try:
            async with tasks.task_group() as group:
                group.start_soon(self._pump, connection)
                await self._listen(connection)
                group.cancel_scope.cancel()
        finally:
            with anyio.move_on_after(1, shield=True):
                await connection.aclose()

    async def _pump(self, connection: Connection) -> None:
        try:
            await connection.write(Event("transcribe", {"language": self._language}))
            await connection.write(AudioStart(HEARING_RATE_HZ, 2, 1).event())
            async with aclosing(self._utterance.read()) as pieces:
                async for pcm in pieces:
                    if pcm is None:
                        await connection.write(Event(PAUSE, {}))
                        continue
                    chunk = AudioChunk(HEARING_RATE_HZ, 2, 1, pcm.tobytes())
                    await connection.write(chunk.event())
            await connection.write(AudioStop().event())
        except BROKEN:
            return  # `_listen` is told, too; two errors at once would come as a group
        self._pumped = True
        self._waiting.deadline = anyio.current_time() + FINAL_S

    async def _listen(self, connection: Connection) -> None:
        while True:
            event = await self._read(connection)
            data = event.data
            if event.type == PARTIAL:
                said = Partial(str(data.get("text", "")), int(data.get("stable_chars", 0)))
                await self._send.send(said)
            elif event.type == "transcript":
                final = Final(
                    str(data.get("text", "")),
                    data.get("confidence"),
                    data.get("language"),
                    str(data.get("rejected") or ""),
                )
                await self._send.send(final)
                return
            elif event.type == "error":
                raise ProviderError(self._name, str(data.get("text", "it failed")))

    async def _read(self, connection: Connection) -> Event:
        event: Event | None = None
        due_s = anyio.current_time() + FINAL_S if self._pumped else math.inf
        with anyio.CancelScope(deadline=due_s) as self._waiting:
            event = await connection.read()
        if event is None:
            raise ProviderError(self._name, f"no final within {FINAL_S:.0f} s")
        return event


class WyomingTts:
    """A voice in a process of its own. Satisfies `ports.Tts`."""

    def __init__(self, peers: Peers, traits: TtsTraits, patience_s: float = RESTART_S) -> None:
        self.traits = traits
        self._peers = peers
        self._patience_s = patience_s

    def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AbstractAsyncContextManager[TextByText]:
        """Begin to speak; works while the engine is being restarted, too."""
        return text_by_text(partial(self._speak, voice or self.traits.default_voice, speed))

    async def _speak(self, voice: str, speed: float, text: str, take: Take) -> None:
        """Speak one text, by as many processes as it takes; sound once made is not made again."""
        speaking = _Speaking(take, text)
        request = {"text": text, "voice": {"name": voice}, "speed": speed}
        for _ in range(TRIES):
            try:
                async with self._peers.lease(self._patience_s) as uri:
                    await self._synthesise(uri, request, speaking)
            except (*BROKEN, ProtocolError) as error:
                log.warning("%s broke off, it speaks on: %r", self.traits.name, error)
                await anyio.sleep(NOTICE_S)
            else:
                return
        raise ProviderError(self.traits.name, f"it broke off {TRIES} times")

    async def _synthesise(
        self, uri: str, request: dict[str, object], speaking: "_Speaking"
    ) -> None:
        connection = await _connect(uri)
        try:
            await connection.write(Event("synthesize", request))
            rate, resampler = self.traits.rate_hz, None
            while True:
                event = await self._read(connection)
                match event.type:
                    case "audio-start":
                        rate = AudioStart.from_event(event).rate
                        resampler = Resampler(rate, self.traits.rate_hz)
                    case "audio-chunk" if resampler is not None:
                        pcm = Pcm.frombytes(event.payload or b"", rate)
                        await speaking.take(resampler.push(pcm))
                    case "audio-stop":
                        if resampler is not None:
                            await speaking.take(resampler.push(silence(0, rate), last=True))
                        return
                    case "error":
                        reason = str(event.data.get("text", "it failed"))
                        raise ProviderError(self.traits.name, reason)
                    case _:
                        pass  # Wyoming peers ignore what they do not know
        finally:
            with anyio.move_on_after(1, shield=True):
                await connection.aclose()

    async def _read(self, connection: Connection) -> Event:
        event: Event | None = None
        with anyio.move_on_after(SOUND_S):
            event = await connection.read()
        if event is None:
            raise ProviderError(self.traits.name, f"no sound within {SOUND_S:.0f} s")
        return event


class _Speaking:
    """How much of one text has been handed over, whichever process made it."""

    def __init__(self, take: Take, text: str) -> None:
        self._text = text
        self._take = take
        self._handed = 0  # samples

    async def take(self, pcm: Pcm) -> None:
        if pcm.end <= self._handed or not len(pcm.samples):
            return  # a process before this one made it
        fresh = Pcm(pcm.samples[max(0, self._handed - pcm.start) :], pcm.rate_hz, self._handed)
        await self._take(Speech(fresh, "" if self._handed else self._text))
        self._handed = fresh.end
