"""Supervision: when a failed stage is started again, and what its health says meanwhile."""

import logging
from collections.abc import Awaitable, Callable

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import virtual_time
from parlour.errors import ProviderError
from parlour.ids import StageName
from parlour.supervise import Health, RestartLog, RestartRule, Stage, Stages, keep_running
from parlour.tasks import task_group

EXACT = RestartRule(jitter=0.0)


def watch(
    run: Callable[[Stage], Awaitable[None]], for_s: float, rule: RestartRule = EXACT
) -> tuple[Stage, list[float]]:
    """Keep `run` running for a while; returns its stage and the moments it was started."""
    stage = Stage(StageName("stt:test"))
    started_s: list[float] = []

    async def noted() -> None:
        started_s.append(round(anyio.current_time(), 6))
        await run(stage)

    async def main() -> None:
        with anyio.move_on_after(for_s):
            await keep_running(stage, noted, rule)

    virtual_time.run(main)
    return stage, started_s


async def fail_at_once(stage: Stage) -> None:
    raise ProviderError("test", "no luck")


def test_the_ladder_of_waits_is_exact_and_ends_at_the_longest() -> None:
    patient = RestartRule(jitter=0.0, failures=100)
    _, started_s = watch(fail_at_once, 200, patient)
    # 0.1 doubles to 25.6, then 30 s for ever: the ninth wait ends at 51.1 s.
    assert started_s == [
        *(0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3, 12.7, 25.5, 51.1),
        *(81.1, 111.1, 141.1, 171.1),
    ]


def test_five_failures_within_a_minute_mark_a_stage_as_down() -> None:
    stage, started_s = watch(fail_at_once, 1.4)
    assert (stage.health, len(started_s)) == (Health.RESTARTING, 4)
    stage, started_s = watch(fail_at_once, 1.6)
    assert (stage.health, len(started_s)) == (Health.DOWN, 5)
    assert stage.reason == "test: no luck"
    assert stage.restarts == 5


def test_a_stage_that_is_down_stays_down_and_is_tried_at_the_longest_wait() -> None:
    stage, started_s = watch(fail_at_once, 200)
    assert started_s == [0, 0.1, 0.3, 0.7, 1.5, 31.5, 61.5, 91.5, 121.5, 151.5, 181.5]
    assert stage.health is Health.DOWN


def test_a_day_of_failures_does_not_end_supervision() -> None:
    async def fail_slowly(stage: Stage) -> None:
        await anyio.sleep(45)
        raise ProviderError("test", "timed out")

    day_s = 86_400
    stage, started_s = watch(fail_slowly, day_s)
    assert started_s[-1] > day_s - 80
    assert stage.health is Health.RESTARTING  # never five times within a minute


def test_a_healthy_run_makes_the_next_failure_the_first_again() -> None:
    async def work_then_fail(stage: Stage) -> None:
        stage.set(Health.READY)
        await anyio.sleep(30)
        raise ProviderError("test", "no luck")

    _, started_s = watch(work_then_fail, 120)
    assert started_s == [0, 30.1, 60.2, 90.3]


def test_a_long_try_that_never_got_ready_does_not_count_as_healthy() -> None:
    async def connect_in_vain(stage: Stage) -> None:
        await anyio.sleep(75)
        raise TimeoutError

    stage, started_s = watch(connect_in_vain, 310)
    assert started_s == [0, 75.1, 150.3, 225.7, 301.5]
    assert stage.reason == "TimeoutError"


def test_a_stage_that_was_down_can_recover() -> None:
    async def work_from_a_minute_on(stage: Stage) -> None:
        if anyio.current_time() < 60:
            raise ProviderError("test", "no luck")
        stage.set(Health.READY)
        await anyio.sleep(40 if anyio.current_time() < 100 else 1_000)
        raise ProviderError("test", "a new fault")

    stage, started_s = watch(work_from_a_minute_on, 101.55)
    assert started_s[-1] == 61.5
    assert stage.health is Health.RESTARTING
    assert stage.reason == "test: a new fault"
    stage, started_s = watch(work_from_a_minute_on, 110)
    assert started_s[-1] == 101.6
    assert (stage.health, stage.reason) == (Health.READY, "")


def test_a_stage_that_returns_is_started_again() -> None:
    async def stop(stage: Stage) -> None:
        stage.set(Health.READY)

    stage, started_s = watch(stop, 0.5)
    assert started_s == [0, 0.1, 0.3]
    assert stage.reason == "it stopped by itself"


def test_jitter_only_shortens_a_wait_and_by_no_more_than_its_share() -> None:
    _, started_s = watch(fail_at_once, 2_000, RestartRule(jitter=0.2))
    waits_s = [after - before for before, after in zip(started_s[5:], started_s[6:], strict=False)]
    assert len(waits_s) > 50
    assert all(24 <= wait_s <= 30 for wait_s in waits_s)
    assert max(waits_s) - min(waits_s) > 1


def test_a_fault_of_our_own_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def stumble(stage: Stage) -> None:
        raise KeyError("bug")

    watch(stumble, 0.05)
    watch(fail_at_once, 0.05)
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert errors[0].exc_info


def test_cancellation_ends_supervision_and_is_no_failure() -> None:
    async def work(stage: Stage) -> None:
        stage.set(Health.READY)
        await anyio.sleep(1_000)

    stage, started_s = watch(work, 5)
    assert (started_s, stage.health, stage.restarts) == ([0], Health.READY, 0)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=40))
def test_no_wait_is_negative_or_longer_than_the_longest(runs: list[tuple[float, float]]) -> None:
    log, now_s = RestartLog(RestartRule()), 0.0
    for trying_s, working_s in runs:
        ready_s = now_s + trying_s
        now_s = ready_s + working_s
        wait_s = log.failed(ready_s=ready_s, now_s=now_s)
        assert 0.1 <= wait_s <= 30
        assert not log.is_down or wait_s == 30
        now_s += wait_s


# ---------------------------------------------------------------- stages


def test_waiting_for_ready_ends_when_the_stage_is_ready() -> None:
    async def main() -> float:
        stage = Stage(StageName("tts:test"))

        async def rise() -> None:
            await anyio.sleep(1)
            stage.set(Health.RESTARTING, "stumbled")
            await anyio.sleep(1)
            stage.set(Health.READY)

        async with task_group() as group:
            group.start_soon(rise)
            await stage.wait_ready()
            return anyio.current_time()

    assert virtual_time.run(main) == 2


@pytest.mark.parametrize("health", [Health.READY, Health.OFF, Health.DOWN])
def test_waiting_for_settled_ends_in_every_final_state(health: Health) -> None:
    async def main() -> float:
        stage = Stage(StageName("tts:test"))

        async def settle() -> None:
            await anyio.sleep(1)
            stage.set(Health.RESTARTING)
            await anyio.sleep(1)
            stage.set(health)

        async with task_group() as group:
            group.start_soon(settle)
            await stage.wait_settled()
            return anyio.current_time()

    assert virtual_time.run(main) == 2


def test_stages_keep_their_order_and_are_ready_when_all_are() -> None:
    stages = Stages()
    stt, llm = stages.add("stt:test"), stages.add("llm")
    assert [stage.name for stage in stages] == ["stt:test", "llm"]
    stt.set(Health.READY)
    assert not stages.ready
    llm.set(Health.OFF)
    assert stages.ready


def test_two_stages_cannot_have_one_name() -> None:
    stages = Stages()
    stages.add("bus")
    with pytest.raises(ValueError, match="bus"):
        stages.add("bus")
