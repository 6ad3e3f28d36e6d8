"""Blocking engines on a loop: each call of theirs runs in a thread, one after the other."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
from anyio import to_thread

from parlour import tasks
from parlour.audio import Pcm
from parlour.engines.blocking import BatchRecogniser, Hearing, Recogniser
from parlour.engines.redecode import RedecodePolicy, RedecodingHearing, redecoding
from parlour.errors import ProviderError
from parlour.ports import Final, Partial, Vocabulary

LANES = 4  # utterances at work at once; further ones wait for their turn
MOST_UNREAD = 64  # partials; then the engine waits


class Threaded:
    """A streaming recogniser. Satisfies `serve.Hears`."""

    def __init__(self, engine: Recogniser, lanes: int = LANES) -> None:
        self._engine = engine
        self._lanes = lanes
        self._limiter: anyio.CapacityLimiter | None = None  # belongs to the loop that serves

    async def teach(self, vocabulary: Vocabulary) -> None:
        await to_thread.run_sync(self._engine.learn, vocabulary)

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator["ThreadedHearing"]:
        self._limiter = self._limiter or anyio.CapacityLimiter(self._lanes)
        async with self._limiter:
            blocking = await to_thread.run_sync(self._engine.hear, language)
            hearing = ThreadedHearing(blocking)
            try:
                with hearing.heard:
                    async with tasks.task_group() as group:
                        group.start_soon(hearing.run)
                        try:
                            yield hearing
                        finally:
                            group.cancel_scope.cancel()
            finally:
                blocking.close()


class ThreadedHearing:
    """One utterance. Satisfies `ports.SttContext`; who feeds it sets the limit to its length."""

    def __init__(self, blocking: Hearing) -> None:
        self._blocking = blocking
        self._pieces: deque[Pcm | None] = deque()  # None is a pause
        self._finished = False
        self._news = anyio.Event()
        self._failed: ProviderError | None = None
        self._send, self.heard = anyio.create_memory_object_stream[Partial | Final](MOST_UNREAD)

    def feed(self, pcm: Pcm) -> None:
        self._pieces.append(pcm)
        self._news.set()

    def pause(self) -> None:
        self._pieces.append(None)
        self._news.set()

    def finish(self) -> None:
        self._finished = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Partial | Final]:
        async for heard in self.heard:
            yield heard
        if self._failed is not None:
            raise self._failed

    async def run(self) -> None:
        """Work off what was fed, until `finish`; never raises a ProviderError."""
        with self._send:
            try:
                while self._pieces or not self._finished:
                    if self._pieces:
                        await self._take(self._pieces.popleft())
                    else:
                        self._news = anyio.Event()
                        await self._news.wait()
                await self._send.send(await to_thread.run_sync(self._blocking.finish))
            except ProviderError as error:
                self._failed = error

    async def _take(self, pcm: Pcm | None) -> None:
        if pcm is None:
            said = await to_thread.run_sync(self._blocking.pause)
        else:
            said = await to_thread.run_sync(self._blocking.feed, pcm)
        if said is not None:
            await self._send.send(said)


class InThread:
    """A recogniser of whole recordings. Satisfies `redecode.BatchStt` and `serve.Hears`."""

    def __init__(
        self, engine: BatchRecogniser, policy: RedecodePolicy | None = None, lanes: int = LANES
    ) -> None:
        self._engine = engine
        self._policy = policy or RedecodePolicy()
        self._lanes = lanes
        self._limiter: anyio.CapacityLimiter | None = None

    async def teach(self, vocabulary: Vocabulary) -> None:
        await to_thread.run_sync(self._engine.learn, vocabulary)

    def open(self, language: str | None) -> AbstractAsyncContextManager[RedecodingHearing]:
        return redecoding(self, language, self._policy)

    async def transcribe(self, pcm: Pcm, language: str | None) -> Final:
        """A decode cannot be stopped: when cancelled, it waits for its end, as the next would."""
        self._limiter = self._limiter or anyio.CapacityLimiter(self._lanes)
        return await to_thread.run_sync(
            self._engine.transcribe, pcm.samples, language, limiter=self._limiter
        )
