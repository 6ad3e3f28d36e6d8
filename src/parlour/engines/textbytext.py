"""What voices have in common: texts in, spoken one after the other, sound out as it is made."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from parlour import tasks
from parlour.errors import ProviderError
from parlour.ports import Speech

MOST_MADE = 64  # pieces made ahead of their reader: four seconds; then the engine waits

Take = Callable[[Speech], Awaitable[None]]
Speak = Callable[[str, Take], Awaitable[None]]  # speaks one text; raises ProviderError


@asynccontextmanager
async def text_by_text(speak: Speak) -> AsyncIterator["TextByText"]:
    """Begin to speak; leaving the context stops the text that is being spoken."""
    speech = TextByText(speak)
    with speech.made:
        async with tasks.task_group() as group:
            group.start_soon(speech.run)
            try:
                yield speech
            finally:
                group.cancel_scope.cancel()


class TextByText:
    """Satisfies `ports.TtsContext`."""

    def __init__(self, speak: Speak) -> None:
        self._speak = speak
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
                        await self._speak(self._texts.popleft(), self._send.send)
                    else:
                        self._news = anyio.Event()
                        await self._news.wait()
            except ProviderError as error:
                self._failed = error
