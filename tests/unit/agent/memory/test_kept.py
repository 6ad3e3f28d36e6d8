"""A store that fails, hangs or forgets, and the saver that no turn notices it through."""

import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import anyio
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    create_checkpoint,
    empty_checkpoint,
)
from langgraph.checkpoint.memory import InMemorySaver

from parlour import tasks
from parlour.agent.memory.kept import MOST_THREADS, KeptSaver
from parlour.agent.memory.plain import PlainSerializer, config_of
from parlour.errors import ProviderError
from virtual_time import run


class Store(BaseCheckpointSaver[str]):
    """LangGraph's own saver in memory, with a plug that can be pulled."""

    def __init__(self) -> None:
        super().__init__()
        self.mode = "works"
        self.calls: list[str] = []
        self._saver = InMemorySaver(serde=PlainSerializer())

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        await self._call("get")
        return self._saver.get_tuple(config)

    async def alist(
        self, config: RunnableConfig | None, **rest: Any
    ) -> AsyncIterator[CheckpointTuple]:
        await self._call("list")
        for found in self._saver.list(config, **rest):
            yield found

    async def aput(
        self, config: RunnableConfig, checkpoint: Checkpoint, *rest: Any
    ) -> RunnableConfig:
        await self._call(f"put {checkpoint['id']}")
        return self._saver.put(config, checkpoint, *rest)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], *rest: Any
    ) -> None:
        await self._call(f"write {config['configurable']['checkpoint_id']}")
        self._saver.put_writes(config, writes, *rest)

    async def adelete_thread(self, thread_id: str) -> None:
        await self._call(f"delete {thread_id}")
        self._saver.delete_thread(thread_id)

    def get_next_version(self, current: str | None, channel: None) -> str:
        return self._saver.get_next_version(current, channel)

    async def _call(self, call: str) -> None:
        self.calls.append(call)
        if self.mode == "hangs":
            await anyio.sleep_forever()
        if self.mode == "fails":
            raise ProviderError("store", "it is away")
        if self.mode == "is slow":
            await anyio.sleep(0.4)


METADATA: CheckpointMetadata = {"source": "loop", "step": 1}


def _state(checkpoint_id: str, **values: Any) -> Checkpoint:
    made = create_checkpoint(empty_checkpoint(), None, 1, id=checkpoint_id)
    made["channel_values"] = values
    # LangGraph's own store keeps the values by their versions.
    made["channel_versions"] = dict.fromkeys(values, checkpoint_id)
    return made


async def _put(
    saver: BaseCheckpointSaver[Any], checkpoint_id: str, thread: str = "a", **values: Any
) -> RunnableConfig:
    state = _state(checkpoint_id, **values)
    return await saver.aput(config_of(thread, ""), state, METADATA, state["channel_versions"])


async def _id(saver: BaseCheckpointSaver[Any], thread: str = "a") -> str | None:
    found = await saver.aget_tuple(config_of(thread, ""))
    return None if found is None else found.checkpoint["id"]


def test_a_state_is_in_the_store_when_the_turn_goes_on() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        config = await _put(saver, "1", messages=[{"role": "user", "content": "हैलो"}])
        assert config == config_of("a", "", "1")
        assert await _id(store) == "1"
        found = await saver.aget_tuple(config_of("a", ""))
        assert found is not None
        assert found.checkpoint["channel_values"]["messages"][0]["content"] == "हैलो"
        assert saver.problem == ""
        assert not saver.is_waiting("a")

    run(claim)


def test_a_store_that_fails_stops_no_turn_and_has_the_newest_state_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        await _put(saver, "0")
        async with tasks.task_group() as group:
            group.start_soon(saver.run)
            store.mode = "fails"
            for number in range(1, 5):
                await _put(saver, str(number))
                await _put(saver, f"b{number}", thread="b")
                assert await _id(saver) == str(number)
            assert saver.problem.endswith("store: it is away")
            await anyio.sleep(100)
            store.mode = "works"
            store.calls.clear()
            await anyio.sleep(31)
            assert saver.problem == ""
            assert await _id(store) == "4"
            assert await _id(store, "b") == "b4"
            assert [call for call in store.calls if call.startswith("put")] == ["put 4", "put b4"]
            group.cancel_scope.cancel()

    with caplog.at_level(logging.INFO):
        run(claim)
    assert len(caplog.records) == 2


def test_a_store_that_hangs_delays_one_turn_by_half_a_second() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        store.mode = "hangs"
        assert await _id(saver) is None
        assert anyio.current_time() == 0.5
        await _put(saver, "1")
        assert await _id(saver) == "1"
        assert anyio.current_time() == 0.5
        assert "does not answer" in saver.problem
        store.mode = "works"
        assert await saver.flush()
        assert await _id(store) == "1"

    run(claim)


def test_two_turns_at_once_wait_half_a_second_together() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        store.mode = "is slow"
        async with tasks.task_group() as group:
            group.start_soon(_put, saver, "1", "a")
            group.start_soon(_put, saver, "1", "b")
        assert anyio.current_time() == 0.5
        assert saver.is_waiting("b")
        assert await saver.flush()
        assert await _id(store, "b") == "1"

    run(claim)


def test_a_store_is_tried_less_and_less_often() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        store.mode = "fails"
        async with tasks.task_group() as group:
            group.start_soon(saver.run)
            await _put(saver, "1")
            await anyio.sleep(3600)
            group.cancel_scope.cancel()
        assert 120 <= len(store.calls) <= 160

    run(claim)


def test_what_the_store_had_is_read_from_memory_while_it_is_away() -> None:
    async def claim() -> None:
        store = Store()
        await _put(store, "1", summary="of old")
        saver = KeptSaver(store)
        assert await _id(saver) == "1"
        store.mode = "fails"
        found = await saver.aget_tuple(config_of("a", ""))
        assert found is not None
        assert found.checkpoint["channel_values"] == {"summary": "of old"}
        assert await _id(saver, "b") is None

    run(claim)


def test_what_another_server_wrote_or_forgot_is_seen_while_the_store_works() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        await _put(saver, "1")
        await _put(store, "2")
        assert await _id(saver) == "2"
        await store.adelete_thread("a")
        assert await _id(saver) is None
        store.mode = "fails"
        assert await _id(saver) is None

    run(claim)


def test_who_is_alone_with_a_store_reads_what_he_wrote_from_memory() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store, alone=True)
        await _put(saver, "1")
        store.calls.clear()
        assert await _id(saver) == "1"
        assert store.calls == []

    run(claim)


def test_a_turn_that_is_cut_in_a_write_is_written_later() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        async with tasks.task_group() as group:
            group.start_soon(saver.run)
            store.mode = "is slow"
            with anyio.move_on_after(0.1):
                await _put(saver, "1")
            assert saver.is_waiting("a")
            assert await _id(saver) == "1"
            await anyio.sleep(5)
            assert await _id(store) == "1"
            assert not saver.is_waiting("a")
            assert saver.problem == ""
            group.cancel_scope.cancel()

    run(claim)


def test_a_state_put_while_the_late_ones_are_written_is_written_too() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        store.mode = "fails"
        await _put(saver, "1")
        async with tasks.task_group() as group:
            group.start_soon(saver.run)
            await anyio.sleep(2)
            store.mode = "is slow"
            while not saver.problem or not any(call == "put 1" for call in store.calls[1:]):  # noqa: ASYNC110
                await anyio.sleep(0.1)
            await _put(saver, "2")
            await _put(saver, "1", thread="b")
            await anyio.sleep(10)
            assert (await _id(store), await _id(store, "b")) == ("2", "1")
            group.cancel_scope.cancel()

    run(claim)


def test_pending_writes_are_kept_with_their_state() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        store.mode = "fails"
        config = await _put(saver, "1")
        await saver.aput_writes(config, [("messages", {"n": 1}), ("summary", "s")], "task")
        await saver.aput_writes(config, [("messages", {"n": 2}), ("summary", "s")], "task")
        await saver.aput_writes(config_of("a", "", "0"), [("messages", "stale")], "task")
        expected = [("task", "messages", {"n": 1}), ("task", "summary", "s")]
        for reader in (saver, store):
            found = await reader.aget_tuple(config)
            assert found is not None
            assert found.pending_writes == expected
            store.mode = "works"
            assert await saver.flush()

    run(claim)


def test_too_many_conversations_that_wait_lose_the_oldest_and_say_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        await _put(saver, "1", thread="written")
        store.mode = "fails"
        for number in range(MOST_THREADS + 2):
            await _put(saver, "1", thread=f"t{number}")
        assert saver.lost == 2
        store.mode = "works"
        assert await saver.flush()
        assert await _id(store, "t1") is None
        assert await _id(store, "t2") == "1"

    run(claim)
    assert caplog.text.count("is lost") == 2


def test_what_is_forgotten_while_the_store_is_away_is_forgotten_there_later() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        await _put(saver, "1")
        await _put(saver, "1", thread="b")
        store.mode = "fails"
        await saver.adelete_thread("a")
        await saver.adelete_thread("b")
        assert saver.is_waiting("a")
        assert await _id(saver) is None
        await _put(saver, "2", thread="b")
        assert await _id(saver, "b") == "2"
        store.mode = "works"
        assert [each.checkpoint["id"] async for each in saver.alist(None)] == ["2"]
        assert await saver.flush()
        assert not saver.is_waiting("a")
        assert await _id(store) is None
        assert [each.checkpoint["id"] async for each in store.alist(config_of("b", ""))] == ["2"]

    run(claim)


def test_who_reads_a_state_may_change_it() -> None:
    async def claim() -> None:
        store = Store()
        saver = KeptSaver(store)
        store.mode = "fails"
        messages = ["one"]
        await _put(saver, "1", messages=messages)
        messages.append("two")
        for _ in range(2):
            found = await saver.aget_tuple(config_of("a", ""))
            assert found is not None
            assert found.checkpoint["channel_values"]["messages"] == ["one"]
            found.checkpoint["channel_values"]["messages"].append("three")

    run(claim)


def test_what_is_not_plain_is_refused_at_once() -> None:
    async def claim() -> None:
        saver = KeptSaver(Store())
        with pytest.raises(TypeError, match="a conversation cannot keep a set"):
            await _put(saver, "1", messages={1})
        await _put(saver, "2", failed=ValueError("private"), half="\ud83d")
        found = await saver.aget_tuple(config_of("a", ""))
        assert found is not None
        assert found.checkpoint["channel_values"] == {"failed": "ValueError", "half": "\ud83d"}

    run(claim)


@pytest.mark.parametrize(
    "data",
    [
        ("msgpack", b"\x80"),
        ("pickle", b"cos\nsystem\n(S'false'\ntR."),
        ("json", b"\xff\xfe"),
        ("json", b"[" * 100_000),
    ],
)
def test_what_this_saver_did_not_write_is_not_read(data: tuple[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"."):
        PlainSerializer().loads_typed(data)
