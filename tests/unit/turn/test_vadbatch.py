"""One network for all microphones."""

from collections.abc import Sequence

import anyio
import numpy as np
from numpy.typing import NDArray

import virtual_time
from parlour import tasks
from parlour.ports import VadState
from parlour.turn.vadbatch import BatchPolicy, VadBatch


class CountingVad:
    """The probability is the first sample; keeps the size of each batch."""

    window_samples = 512

    def __init__(self) -> None:
        self.batches: list[int] = []

    def new_state(self) -> VadState:
        return object()

    def judge(self, states: Sequence[VadState], windows: NDArray[np.int16]) -> NDArray[np.float32]:
        assert len({id(state) for state in states}) == len(states) == len(windows)
        self.batches.append(len(states))
        return windows[:, 0].astype(np.float32)


def _window(value: int) -> NDArray[np.int16]:
    return np.full(512, value, np.int16)


def test_one_voice_is_judged_at_once_with_or_without_the_runner() -> None:
    async def scenario() -> None:
        vad = CountingVad()
        batch = VadBatch(vad)
        heard: list[float] = []
        state = batch.new_state()
        batch.submit(state, _window(1), heard.append)
        async with tasks.task_group() as group:
            group.start_soon(batch.run)
            for n in range(2, 20):
                batch.submit(state, _window(n), heard.append)
                assert heard[-1] == n
                await anyio.sleep(0.032)
            group.cancel_scope.cancel()
        assert heard == list(range(1, 20))

    virtual_time.run(scenario)


def test_many_voices_share_a_call_and_each_keeps_its_order() -> None:
    async def scenario() -> None:
        vad = CountingVad()
        batch = VadBatch(vad)
        states = [batch.new_state() for _ in range(40)]
        heard: list[list[float]] = [[] for _ in states]
        async with tasks.task_group() as group:
            group.start_soon(batch.run)
            for n in range(30):
                for state, mine in zip(states, heard, strict=True):
                    batch.submit(state, _window(n), mine.append)
                    assert batch.queue_age_ms <= 33
                await anyio.sleep(0.032)
            group.cancel_scope.cancel()
        assert all(mine == list(range(30)) for mine in heard)
        assert max(vad.batches) == 40
        assert len(vad.batches) < 40 + 2 * 30

    virtual_time.run(scenario)


def test_two_windows_of_one_voice_go_into_two_calls() -> None:
    async def scenario() -> None:
        vad = CountingVad()
        batch = VadBatch(vad, BatchPolicy(alone=0))
        states = [batch.new_state() for _ in range(3)]
        heard: list[float] = []
        async with tasks.task_group() as group:
            group.start_soon(batch.run)
            await anyio.sleep(0.05)
            batch.submit(states[0], _window(0), heard.append)
            await anyio.sleep(0.02)
            for n in range(2):
                for state in states:
                    batch.submit(state, _window(n), heard.append)
            await anyio.sleep(0.05)
            group.cancel_scope.cancel()
        assert sorted(heard) == [0, 0, 0, 0, 1, 1, 1]

    virtual_time.run(scenario)


def test_what_is_forgotten_is_not_told_and_too_much_is_judged_at_once() -> None:
    async def scenario() -> None:
        batch = VadBatch(CountingVad(), BatchPolicy(alone=0, most_pending=4))
        states = [batch.new_state() for _ in range(8)]
        heard: list[float] = []
        async with tasks.task_group() as group:
            group.start_soon(batch.run)
            await anyio.sleep(0.05)
            batch.submit(states[0], _window(9), lambda _: None)
            await anyio.sleep(0.02)
            batch.submit(states[1], _window(1), heard.append)
            batch.forget(states[1])
            for n, state in enumerate(states[2:6], start=2):
                batch.submit(state, _window(n), heard.append)
            assert heard == [2, 3, 4, 5]
            group.cancel_scope.cancel()
        assert heard == [2, 3, 4, 5]

    virtual_time.run(scenario)
