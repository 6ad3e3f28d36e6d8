"""Timers on a clock that jumps."""

import anyio
import pytest

import virtual_time
from parlour import tasks
from parlour.errors import HomeError
from parlour.home.timers import LONGEST_S, MOST_TIMERS, Timer, Timers, spoken
from parlour.ids import DeviceId

HALL, KITCHEN = DeviceId("hall"), DeviceId("kitchen")


def test_timers_ring_in_order_also_when_a_shorter_one_comes_later() -> None:
    async def scenario() -> None:
        timers = Timers()
        rung: list[tuple[float, str]] = []

        async def ring(timer: Timer) -> None:
            rung.append((round(anyio.current_time(), 3), timer.name))

        async with tasks.task_group() as group:
            group.start_soon(timers.run, ring)
            timers.set(HALL, 300, "long")
            await anyio.sleep(10)
            timers.set(HALL, 60, "short")
            gone = timers.set(HALL, 5, "gone")
            timers.cancel([gone])
            await anyio.sleep(400)
            group.cancel_scope.cancel()
        assert rung == [(70.0, "short"), (300.0, "long")]
        assert timers.find(HALL) == []

    virtual_time.run(scenario)


def test_a_timer_is_found_by_name_or_length_first_on_the_device_that_asks() -> None:
    async def scenario() -> None:
        timers = Timers()
        tea = timers.set(HALL, 240, "tea")
        plain = timers.set(HALL, 60)
        other = timers.set(KITCHEN, 30, "egg")
        assert timers.find(HALL) == [plain, tea]
        assert timers.find(HALL, "egg") == [other]
        assert timers.find(KITCHEN) == [other]
        assert timers.find(HALL, seconds=240) == [tea]
        assert timers.find(HALL, "rice") == []
        assert timers.find(DeviceId("attic")) == [other, plain, tea]
        await anyio.sleep(20)
        assert tea.left_s(anyio.current_time()) == 220

    virtual_time.run(scenario)


def test_a_paused_timer_keeps_what_is_left_and_time_can_be_added() -> None:
    async def scenario() -> None:
        timers = Timers()
        rung: list[tuple[float, str]] = []

        async def ring(timer: Timer) -> None:
            rung.append((round(anyio.current_time(), 3), timer.name))

        async with tasks.task_group() as group:
            group.start_soon(timers.run, ring)
            tea, egg = timers.set(HALL, 60, "tea"), timers.set(HALL, 100, "egg")
            await anyio.sleep(20)
            (paused,) = timers.pause([tea])
            assert timers.pause([tea]) == []
            assert timers.all == (egg, paused)
            longer = timers.add(paused, 30)
            await anyio.sleep(100)
            assert rung == [(100.0, "egg")]
            assert longer.left_s(anyio.current_time()) == 70
            (running,) = timers.resume([longer])
            assert timers.resume([longer]) == []
            shorter = timers.add(running, -20)
            assert timers.find(HALL, seconds=60) == [shorter]
            with pytest.raises(HomeError, match="less than that left"):
                timers.add(shorter, -50)
            with pytest.raises(HomeError, match="up to twenty four hours"):
                timers.add(shorter, LONGEST_S)
            await anyio.sleep(60)
            with pytest.raises(HomeError, match="is over"):
                timers.add(shorter, 60)
            assert [t.name for t in timers.ringing] == ["egg", "tea"]
            timers.finish(egg)
            assert [t.name for t in timers.ringing] == ["tea"]
            group.cancel_scope.cancel()
        assert rung == [(100.0, "egg"), (170.0, "tea")]

    virtual_time.run(scenario)


def test_too_many_and_too_long_are_refused_in_words() -> None:
    async def scenario() -> None:
        timers = Timers()
        for seconds in (0, LONGEST_S + 1):
            with pytest.raises(HomeError, match="up to twenty four hours"):
                timers.set(HALL, seconds)
        for _ in range(MOST_TIMERS):
            timers.set(HALL, LONGEST_S)
        with pytest.raises(HomeError, match="There are 30 timers already"):
            timers.set(HALL, 60)

    virtual_time.run(scenario)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "one second"),
        (90, "one minute and thirty seconds"),
        (3600, "one hour"),
        (3725, "one hour, two minutes and five seconds"),
        (0, "no time"),
    ],
)
def test_a_span_is_said_as_people_say_it(seconds: int, said: str) -> None:
    assert spoken(seconds) == said
