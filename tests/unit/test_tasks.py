"""The task group: what comes out of it when tasks fail."""

import traceback

import anyio
import pytest

import virtual_time
from parlour.errors import ProviderError
from parlour.tasks import task_group


async def fail_after(seconds: float, error: BaseException) -> None:
    await anyio.sleep(seconds)
    raise error


def test_a_lone_error_comes_out_bare() -> None:
    error = ProviderError("whisper", "it fell over")

    async def work() -> None:
        async with task_group() as group:
            group.start_soon(fail_after, 1.0, error)
            group.start_soon(anyio.sleep, 60)

    with pytest.raises(ProviderError) as caught:
        virtual_time.run(work)
    assert caught.value is error


def test_an_error_of_the_body_comes_out_bare() -> None:
    async def work() -> None:
        async with task_group() as group:
            group.start_soon(anyio.sleep, 60)
            raise KeyError("body")

    with pytest.raises(KeyError, match="body"):
        virtual_time.run(work)


def test_a_lone_error_comes_bare_through_nested_groups() -> None:
    async def work() -> None:
        async with task_group(), anyio.create_task_group(), task_group() as inner:  # noqa: TID251
            inner.start_soon(fail_after, 1.0, KeyError("deep"))

    with pytest.raises(KeyError, match="deep"):
        virtual_time.run(work)


def test_several_errors_come_as_a_group() -> None:
    async def work() -> None:
        async with task_group() as group:
            group.start_soon(fail_after, 1.0, KeyError("one"))
            group.start_soon(fail_after, 1.0, ValueError("two"))

    with pytest.raises(ExceptionGroup) as caught:
        virtual_time.run(work)
    assert {str(error) for error in caught.value.exceptions} == {"'one'", "two"}


def test_a_failure_cancels_the_other_tasks_at_once() -> None:
    ended_s: list[float] = []

    async def sleep_long() -> None:
        try:
            await anyio.sleep(60)
        finally:
            ended_s.append(anyio.current_time())

    async def work() -> None:
        async with task_group() as group:
            group.start_soon(sleep_long)
            group.start_soon(fail_after, 2.5, KeyError("one"))

    with pytest.raises(KeyError):
        virtual_time.run(work)
    assert ended_s == [2.5]


def test_the_cause_and_the_context_of_an_error_survive() -> None:
    async def with_cause() -> None:
        try:
            raise OSError("no route")
        except OSError as error:
            raise ProviderError("deepgram", "unreachable") from error

    async def with_context() -> None:
        try:
            raise OSError("no route")
        except OSError:
            raise ProviderError("deepgram", "unreachable")  # noqa: B904

    async def work(index: int) -> None:
        async with task_group() as group:
            group.start_soon((with_cause, with_context)[index])

    for index in range(2):
        with pytest.raises(ProviderError) as caught:
            virtual_time.run(work, index)
        story = "".join(traceback.format_exception(caught.value))
        assert "no route" in story
        assert "ExceptionGroup" not in story


def test_a_cancelled_group_ends_in_silence() -> None:
    async def work() -> float:
        with anyio.move_on_after(3):
            async with task_group() as group:
                group.start_soon(anyio.sleep, 60)
        return anyio.current_time()

    assert virtual_time.run(work) == 3
