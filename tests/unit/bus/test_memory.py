"""The bus within one process."""

import anyio

import virtual_time
from parlour import tasks
from parlour.bus.memory import LONGEST_BACKLOG, MemoryBus
from parlour.events import Event, SpeechBegan
from parlour.ids import TurnId


def _event(number: int) -> Event:
    return SpeechBegan(TurnId("t"), 0.0, number)


def test_every_subscriber_gets_every_event_in_order() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        with bus.subscribe() as one, bus.subscribe() as other:
            for number in range(3):
                bus.publish(_event(number))
            for subscription in (one, other):
                events = aiter(subscription)
                assert [await anext(events) for _ in range(3)] == [_event(n) for n in range(3)]
                await events.aclose()  # type: ignore[attr-defined]

    virtual_time.run(scenario)


def test_a_slow_subscriber_misses_the_oldest_and_is_told_how_many() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        with bus.subscribe() as slow:
            for number in range(LONGEST_BACKLOG + 5):
                bus.publish(_event(number))
            assert slow.missed == 5
            events = aiter(slow)
            assert await anext(events) == _event(5)
            await events.aclose()  # type: ignore[attr-defined]

    virtual_time.run(scenario)


def test_a_waiting_subscriber_wakes_when_something_is_published() -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        got: list[Event] = []

        async def read() -> None:
            with bus.subscribe() as subscription:
                async for event in subscription:
                    got.append(event)
                    return

        async with tasks.task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            bus.publish(_event(7))
        assert got == [_event(7)]
        bus.publish(_event(8))  # nobody listens any more: nothing is kept

    virtual_time.run(scenario)
