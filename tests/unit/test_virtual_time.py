"""The loop that other tests trust: its clock, its order and its alarm."""

import time

import anyio
import pytest

import virtual_time
from parlour.tasks import task_group


def test_a_day_of_sleep_takes_no_time_and_is_exact() -> None:
    async def sleep() -> float:
        await anyio.sleep(86_400 * 3)
        return anyio.current_time()

    began_s = time.monotonic()
    assert virtual_time.run(sleep) == 86_400 * 3
    assert time.monotonic() - began_s < 5


def test_the_clock_starts_at_zero_and_arguments_arrive() -> None:
    async def now(offset_s: float, name: str) -> tuple[float, str]:
        return anyio.current_time() + offset_s, name

    assert virtual_time.run(now, 2.5, "x") == (2.5, "x")


def test_the_clock_stands_still_while_tasks_are_ready() -> None:
    async def spin() -> float:
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        return anyio.current_time()

    assert virtual_time.run(spin) == 0.0


def test_tasks_wake_in_the_order_of_their_timers() -> None:
    async def race() -> list[tuple[float, str]]:
        woken: list[tuple[float, str]] = []

        async def wait(seconds: float, name: str) -> None:
            await anyio.sleep(seconds)
            woken.append((anyio.current_time(), name))

        async with task_group() as group:
            group.start_soon(wait, 3.0, "last")
            group.start_soon(wait, 0.25, "first")
            group.start_soon(wait, 1.0, "middle")
        return woken

    assert virtual_time.run(race) == [(0.25, "first"), (1.0, "middle"), (3.0, "last")]


def test_a_deadline_cuts_a_wait_at_its_very_moment() -> None:
    async def wait() -> tuple[bool, float]:
        with anyio.move_on_after(1.5) as scope:
            await anyio.Event().wait()
        return scope.cancelled_caught, anyio.current_time()

    assert virtual_time.run(wait) == (True, 1.5)


def test_streams_between_tasks_work() -> None:
    async def pass_on() -> list[int]:
        sender, receiver = anyio.create_memory_object_stream[int](1)

        async def send() -> None:
            async with sender:
                for number in range(3):
                    await anyio.sleep(10)
                    await sender.send(number)

        async with task_group() as group, receiver:
            group.start_soon(send)
            return [number async for number in receiver]

    assert virtual_time.run(pass_on) == [0, 1, 2]


def test_a_wait_that_nothing_can_end_is_an_error_and_not_a_hang() -> None:
    async def wait_for_ever() -> None:
        await anyio.sleep(7)
        await anyio.Event().wait()

    with pytest.raises(RuntimeError, match=r"deadlock at 7 s"):
        virtual_time.run(wait_for_ever)


def test_an_error_of_the_coroutine_comes_through_as_it_is() -> None:
    async def fail() -> None:
        await anyio.sleep(1)
        raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        virtual_time.run(fail)
