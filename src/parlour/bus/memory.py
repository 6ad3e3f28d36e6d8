"""Events within one process: whoever publishes never waits, whoever is slow misses the oldest."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import anyio

from parlour.events import Event

LONGEST_BACKLOG = 1000  # events per subscriber: minutes of a busy house


class Subscription:
    """Events since it was opened, oldest first. `missed` counts those that were dropped."""

    def __init__(self) -> None:
        self.missed = 0
        self._events: deque[Event] = deque()
        self._arrived = anyio.Event()

    def put(self, event: Event) -> None:
        if len(self._events) == LONGEST_BACKLOG:
            self._events.popleft()
            self.missed += 1
        self._events.append(event)
        self._arrived.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            while self._events:
                yield self._events.popleft()
            self._arrived = anyio.Event()
            await self._arrived.wait()


class MemoryBus:
    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def publish(self, event: Event) -> None:
        """Hand the event to every subscriber. A plain call; never waits, never raises."""
        for subscription in self._subscriptions:
            subscription.put(event)

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        subscription = Subscription()
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
