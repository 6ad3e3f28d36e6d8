"""Each saver of conversations against LangGraph's own suite, and against what a turn needs."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict

import anyio
import pytest
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    CheckpointMetadata,
    create_checkpoint,
    empty_checkpoint,
)
from langgraph.checkpoint.conformance.initializer import RegisteredCheckpointer
from langgraph.checkpoint.conformance.validate import validate
from langgraph.graph import END, START, StateGraph

from parlour import tasks
from parlour.agent.memory.kept import KeptSaver
from parlour.agent.memory.memory import MemoryOptions, open_memory
from parlour.agent.memory.plain import config_of
from parlour.agent.memory.redis_client import open_redis
from parlour.agent.memory.redis_saver import RedisSaver
from parlour.agent.memory.search_saver import SearchSaver, has_modules
from parlour.agent.memory.sqlite_saver import open_sqlite
from parlour.errors import ConfigError, ProviderError
from parlour.ids import DeviceId
from redis_server import RedisServer, needs_redis, redis_server

pytestmark = [pytest.mark.anyio, needs_redis]

# Of the suite, these want older checkpoints, which savers of the newest do not have.
NEED_HISTORY = {
    "test_put_multiple_checkpoints_same_thread",
    "test_put_incremental_channel_update",
    "test_get_tuple_specific_checkpoint_id",
    "test_list_all",
    "test_list_by_thread",
    "test_list_ordering",
    "test_list_metadata_filter_single_key",
    "test_list_metadata_filter_step",
    "test_list_metadata_custom_keys",
    "test_list_before",
    "test_list_limit",
    "test_list_limit_plus_before",
    "test_list_combined_thread_and_filter",
}
BASE = {"put", "put_writes", "get_tuple", "list", "delete_thread"}

Open = Callable[[Path], AbstractAsyncContextManager[BaseCheckpointSaver[Any]]]


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncGenerator[BaseCheckpointSaver[Any]]:
    async with open_sqlite(folder / "conversations.db") as saver:
        yield saver


@asynccontextmanager
async def _redis(folder: Path) -> AsyncGenerator[BaseCheckpointSaver[Any]]:
    async with redis_server(folder) as server, _saver(server) as saver:
        yield saver


@asynccontextmanager
async def _saver(server: RedisServer) -> AsyncGenerator[RedisSaver]:
    async with open_redis(server.url) as client:
        yield RedisSaver(client, "parlour", timedelta(days=30))


@asynccontextmanager
async def _kept_in_sqlite(folder: Path) -> AsyncGenerator[BaseCheckpointSaver[Any]]:
    async with _sqlite(folder) as store:
        yield KeptSaver(store)


@asynccontextmanager
async def _kept_in_redis(folder: Path) -> AsyncGenerator[BaseCheckpointSaver[Any]]:
    async with _redis(folder) as store:
        yield KeptSaver(store)


@pytest.mark.parametrize(
    ("open_saver", "extended"),
    [
        (_sqlite, set()),
        (_redis, {"prune"}),
        (_kept_in_sqlite, set()),
        (_kept_in_redis, set()),
    ],
)
async def test_a_saver_passes_all_of_langgraphs_suite_that_needs_no_history(
    open_saver: Open, extended: set[str], tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        saver = await stack.enter_async_context(open_saver(tmp_path))

        async def factory() -> AsyncGenerator[BaseCheckpointSaver[Any]]:
            yield saver

        report = await validate(RegisteredCheckpointer("saver", factory))
    results = report.results
    assert {name for name, result in results.items() if result.detected} == BASE | extended
    failed = {each.split(":")[0] for result in results.values() for each in result.failures}
    assert failed == NEED_HISTORY, [each for r in results.values() for each in r.failures]


# ---------------------------------------------------------------- as the agent uses them


class State(TypedDict, total=False):
    version: int
    messages: list[dict[str, Any]]
    summary: str
    turn: dict[str, Any] | None
    pending: dict[str, Any] | None


def _graph(saver: BaseCheckpointSaver[Any], answer: Callable[[str], Awaitable[str]]) -> Any:
    """A graph of two nodes with the channels of the agent's."""

    async def respond(state: State) -> State:
        said = (state.get("turn") or {}).get("text", "")
        messages = [*state.get("messages", []), {"role": "user", "content": said}]
        return {"messages": [*messages, {"role": "assistant", "content": await answer(said)}]}

    async def trim(state: State) -> State:
        return {"messages": state["messages"][-40:], "version": state.get("version", 0) + 1}

    builder = StateGraph(State)
    builder.add_node("respond", respond)
    builder.add_node("trim", trim)
    builder.add_edge(START, "respond")
    builder.add_edge("respond", "trim")
    builder.add_edge("trim", END)
    return builder.compile(checkpointer=saver)


async def _at_once(said: str) -> str:
    return f"You said {said}."


async def _say(graph: Any, text: str, thread: str = "device:kitchen") -> None:
    turn = {"text": text}
    config = {"configurable": {"thread_id": thread}}
    await graph.ainvoke({"turn": turn}, config, durability="exit")


async def _said(saver: BaseCheckpointSaver[Any], thread: str = "device:kitchen") -> list[str]:
    found = await saver.aget_tuple(config_of(thread, ""))
    messages = found.checkpoint["channel_values"]["messages"] if found is not None else []
    return [each["content"] for each in messages if each["role"] == "user"]


@pytest.mark.parametrize("open_saver", [_kept_in_sqlite, _kept_in_redis])
async def test_a_graph_goes_on_where_it_was(open_saver: Open, tmp_path: Path) -> None:
    async with open_saver(tmp_path) as saver:
        graph = _graph(saver, _at_once)
        await _say(graph, "one")
        await _say(graph, "two")
        await _say(graph, "elsewhere", thread="device:hall")
        assert await _said(saver) == ["one", "two"]
        assert await _said(saver, "device:hall") == ["elsewhere"]
        assert len([each async for each in saver.alist(None)]) == 2


@pytest.mark.parametrize("open_saver", [_kept_in_sqlite, _kept_in_redis])
async def test_what_a_user_was_told_can_be_put_into_the_state_afterwards(
    open_saver: Open, tmp_path: Path
) -> None:
    async with open_saver(tmp_path) as saver:
        graph = _graph(saver, _at_once)
        await _say(graph, "one")
        heard = [{"role": "user", "content": "one, cut off"}]
        config = {"configurable": {"thread_id": "device:kitchen"}}
        await graph.aupdate_state(config, {"messages": heard}, as_node="trim")
        assert await _said(saver) == ["one, cut off"]
        await _say(graph, "two")
        assert await _said(saver) == ["one, cut off", "two"]
        assert len([each async for each in saver.alist(None)]) == 1


@pytest.mark.parametrize("open_saver", [_kept_in_sqlite, _kept_in_redis])
async def test_a_turn_that_is_cut_or_fails_leaves_a_conversation_that_goes_on(
    open_saver: Open, tmp_path: Path
) -> None:
    hanging = anyio.Event()

    async def answer(said: str) -> str:
        if said == "for ever":
            hanging.set()
            await anyio.sleep_forever()
        if said == "fails":
            raise ProviderError("model", "it is away")
        return "Yes."

    async with open_saver(tmp_path) as saver:
        graph = _graph(saver, answer)
        await _say(graph, "one")
        async with tasks.task_group() as group:
            group.start_soon(_say, graph, "for ever")
            await hanging.wait()
            group.cancel_scope.cancel()
        with pytest.raises(ProviderError):
            await _say(graph, "fails")
        await _say(graph, "two")
        assert await _said(saver) == ["one", "two"]


async def test_after_redis_was_killed_in_a_turn_and_is_back_it_has_the_newest_state(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with redis_server(tmp_path) as server, _saver(server) as store:

        async def answer(said: str) -> str:
            if said == "two":
                server.kill()
            return "Yes."

        saver = KeptSaver(store)
        graph = _graph(saver, answer)
        async with tasks.task_group() as group:
            group.start_soon(saver.run)
            await _say(graph, "one")
            assert saver.problem == ""
            await _say(graph, "two")
            assert "redis: it is away" in saver.problem
            await _say(graph, "three")
            await _say(graph, "new", thread="device:hall")
            assert await _said(saver) == ["one", "two", "three"]
            await server.start()
            with anyio.fail_after(10):
                while saver.problem:  # noqa: ASYNC110 - it shows no event
                    await anyio.sleep(0.05)
            group.cancel_scope.cancel()
        assert await _said(store) == ["one", "two", "three"]
        assert await _said(store, "device:hall") == ["new"]
        await _say(graph, "four")
        assert await _said(store) == ["one", "two", "three", "four"]
    told = [each.message for each in caplog.records if each.name.endswith("memory.kept")]
    assert told == [
        "conversations are not written, and kept in memory: redis: it is away",
        "conversations are written again",
    ]


async def test_a_redis_that_answers_nothing_delays_one_turn_by_half_a_second_and_no_other(
    tmp_path: Path,
) -> None:
    async with redis_server(tmp_path) as server, _saver(server) as store:
        saver = KeptSaver(store)
        graph = _graph(saver, _at_once)
        await _say(graph, "one")
        server.freeze()
        began_s = anyio.current_time()
        await _say(graph, "two")
        assert anyio.current_time() - began_s < 1.0
        began_s = anyio.current_time()
        await _say(graph, "three")
        assert anyio.current_time() - began_s < 0.3
        assert "does not answer" in saver.problem
        server.thaw()
        assert await saver.flush()
        assert saver.problem == ""
        assert await _said(store) == ["one", "two", "three"]


async def test_a_write_that_was_given_up_and_arrives_late_does_not_undo_a_newer_one(
    tmp_path: Path,
) -> None:
    async with redis_server(tmp_path) as server, _saver(server) as store:
        older, newer = (
            create_checkpoint(empty_checkpoint(), None, step, id=f"{step}") for step in (1, 2)
        )
        config = config_of("device:kitchen", "")
        metadata: CheckpointMetadata = {"source": "loop", "step": 1}
        # The numbers are given in the order of the puts; Redis sees them the other way round.
        first, second = next(store._order), next(store._order)
        for number, checkpoint in ((second, newer), (first, older)):
            store._order = iter([number])  # type: ignore[assignment]
            await store.aput(config, checkpoint, metadata, {})
        found = await store.aget_tuple(config)
        assert found is not None
        assert found.checkpoint["id"] == "2"


async def test_a_call_that_was_cut_off_leaves_no_answer_for_the_next_one(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as server, _saver(server) as store:
        await _say(_graph(store, _at_once), "one")
        server.freeze()
        with anyio.move_on_after(0.1):
            await store.threads()
        server.thaw()
        for _ in range(20):
            assert await _said(store) == ["one"]
            assert await store.threads() == ["device:kitchen"]


async def test_no_error_shows_the_password(tmp_path: Path) -> None:
    async with redis_server(tmp_path, "--requirepass", "right horse") as server:
        host = f"127.0.0.1:{server.port}"
        for login in (":wrong-horse@", "anna:wrong-horse@", ""):
            async with open_redis(f"redis://{login}{host}/0") as client:
                with pytest.raises(ProviderError) as raised:
                    await RedisSaver(client, "parlour", timedelta(days=1)).threads()
                assert str(raised.value) == "redis: it refuses the login"
                assert "horse" not in _all_of(raised.value)
        with pytest.raises(ConfigError) as bad:
            async with open_redis("redis://:wrong-horse@127.0.0.1:wrong-horse/0"):
                pass
        assert "horse" not in _all_of(bad.value)


def _all_of(error: BaseException | None) -> str:
    """What a log with the traceback would show of an error."""
    texts = []
    while error is not None:
        texts += [repr(error), str(error)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join(texts)


async def test_a_conversation_is_gone_when_its_time_is_over(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as server, open_redis(server.url) as client:
        saver = RedisSaver(client, "parlour", timedelta(days=2))
        await _say(_graph(saver, _at_once), "one")
        for key in await client.keys("*"):
            assert 172_000 < await client.ttl(key) <= 172_800
        assert sorted(await client.keys("*")) == [
            b"{parlour}:conversation:device:kitchen",
            b"{parlour}:conversations",
        ]


async def test_a_state_that_somebody_else_wrote_begins_anew(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as server, open_redis(server.url) as client:
        store = RedisSaver(client, "parlour", timedelta(days=2))
        for state in (b"\xff", b"[]", b'{"checkpoint": 1}', b'{"checkpoint": {}, "parent": 1}'):
            await client.hset("{parlour}:conversation:device:kitchen", b'["state",""]', state)
            with pytest.raises(ValueError, match=r"."):
                await store.aget_tuple(config_of("device:kitchen", ""))
            saver = KeptSaver(store)
            await _say(_graph(saver, _at_once), "one")
            assert await _said(store) == ["one"]
            assert saver.problem == ""


async def test_a_redis_without_the_search_module_is_refused_with_a_remedy(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as server:
        async with open_redis(server.url) as client:
            has_search = await has_modules(client)
        options = MemoryOptions("redis_search", redis_url=server.url)
        if not has_search:
            with pytest.raises(ConfigError, match=r"no search module .* redis needs none"):
                async with open_memory(options):
                    pass


async def test_langgraphs_own_saver_passes_where_the_server_has_the_search_module(
    tmp_path: Path,
) -> None:
    async with redis_server(tmp_path) as server, open_redis(server.url) as client:
        if not await has_modules(client):
            pytest.skip("this Redis has no search module")
        saver = KeptSaver(SearchSaver(client, "parlour", timedelta(days=1)))
        graph = _graph(saver, _at_once)
        await _say(graph, "one")
        await _say(graph, "two")
        assert await _said(saver) == ["one", "two"]
        assert len([each async for each in saver.alist(None)]) == 1


async def test_a_redis_that_is_away_at_the_start_prevents_nothing(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as server:
        for kind in ("redis", "redis_search"):
            server.kill()
            options = MemoryOptions(kind, redis_url=server.url)
            async with open_memory(options) as memory:
                assert "redis: it is away" in memory.problem
                await _say(_graph(memory.saver, _at_once), "one")
                memory.threads.spoke(DeviceId("kitchen"), "device:kitchen", anyio.current_time())
                with pytest.raises(ProviderError, match="away"):
                    await memory.facts.add("anna", "the key is under the pot")
                with pytest.raises(ProviderError, match="away"):
                    await memory.forget("device:hall")
                await server.start()
                if kind == "redis":
                    assert await memory.saver.flush()
                    assert memory.problem == ""
        async with open_memory(MemoryOptions("redis", redis_url=server.url)) as memory:
            assert await _said(memory.saver) == ["one"]
            assert memory.threads.changes == 0
            assert memory.threads.thread(DeviceId("hall"), anyio.current_time()) == "device:kitchen"
            assert await memory.forget_all() == 1
            assert await memory.conversations() == []
