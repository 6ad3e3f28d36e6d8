"""The memory as a whole, in SQLite: what is kept, shown, exported and forgotten."""

import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from langgraph.checkpoint.base import CheckpointMetadata, create_checkpoint, empty_checkpoint

from parlour import tasks
from parlour.agent.memory import files
from parlour.agent.memory.memory import Memory, MemoryOptions, open_memory
from parlour.agent.memory.plain import config_of
from parlour.errors import ConfigError
from parlour.ids import DeviceId

pytestmark = pytest.mark.anyio

METADATA: CheckpointMetadata = {"source": "loop", "step": 1}


async def _say(memory: Memory, thread: str, text: str) -> None:
    state = create_checkpoint(empty_checkpoint(), None, 1)
    message = {"role": "user", "content": text, "calls": [], "call_id": ""}
    state["channel_values"] = {"messages": [message], "summary": "so far", "turn": None}
    await memory.saver.aput(config_of(thread, ""), state, METADATA, {})


async def test_all_of_it_is_there_after_a_restart(tmp_path: Path) -> None:
    options = MemoryOptions(folder=tmp_path)
    async with open_memory(options) as memory:
        assert memory.problem == ""
        await _say(memory, "device:kitchen", "hello")
        await memory.facts.add("anna", "likes tea")
        memory.threads.spoke(DeviceId("kitchen"), "device:kitchen", anyio.current_time())
    async with open_memory(options) as memory:
        (kept,) = await memory.conversations()
        assert kept.thread == "device:kitchen"
        assert kept.messages[0]["content"] == "hello"
        assert kept.summary == "so far"
        assert abs(kept.updated_utc - datetime.now(UTC)) < timedelta(seconds=20)
        assert await memory.conversation("device:kitchen") == kept
        assert await memory.conversation("nowhere") is None
        assert await memory.conversation("a" * 1000) is None
        assert memory.threads.thread(DeviceId("hall"), anyio.current_time()) == "device:kitchen"


async def test_everything_can_be_taken_along_as_json(tmp_path: Path) -> None:
    async with open_memory(MemoryOptions(folder=tmp_path)) as memory:
        await _say(memory, "person:anna", "hello")
        await _say(memory, "house", "good night")
        await memory.facts.add("anna", "likes tea")
        export = json.loads(json.dumps(await memory.export()))
    assert [each["thread"] for each in export["conversations"]] == ["house", "person:anna"]
    assert export["conversations"][0]["messages"][0]["content"] == "good night"
    assert [(fact["owner"], fact["text"]) for fact in export["facts"]] == [("anna", "likes tea")]


async def test_a_conversation_that_is_forgotten_is_gone_and_facts_stay(tmp_path: Path) -> None:
    async with open_memory(MemoryOptions(folder=tmp_path)) as memory:
        for thread in ("device:kitchen", "device:hall", "house"):
            await _say(memory, thread, "hello")
        memory.threads.spoke(DeviceId("kitchen"), "device:kitchen", anyio.current_time())
        await memory.facts.add("anna", "likes tea")
        assert await memory.forget("device:kitchen")
        assert not await memory.forget("device:kitchen")
        assert not await memory.forget("")
        assert memory.threads.thread(DeviceId("hall"), anyio.current_time()) == "device:hall"
        assert await memory.forget_all() == 2
        assert await memory.conversations() == []
        assert len(await memory.facts.all()) == 1


async def test_old_conversations_are_forgotten_while_the_server_runs(tmp_path: Path) -> None:
    options = MemoryOptions(folder=tmp_path, ttl_days=2.0)
    async with open_memory(options) as memory:
        await _say(memory, "old", "hello")
        await _say(memory, "new", "hello")
    with sqlite3.connect(tmp_path / "conversations.db") as file:
        file.execute("UPDATE spoken SET utc = utc - 3 * 86400 WHERE thread_id = 'old'")
    file.close()
    async with open_memory(options) as memory, tasks.task_group() as group:
        group.start_soon(memory.run)
        with anyio.fail_after(5):
            while await memory.conversation("old") is not None:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        assert await memory.conversation("new") is not None
        group.cancel_scope.cancel()


async def test_files_that_cannot_be_used_are_a_problem_and_no_failure(tmp_path: Path) -> None:
    for name in ("conversations.db", "facts.db"):
        (tmp_path / name).write_bytes(b"no database " * 100)
    async with open_memory(MemoryOptions(folder=tmp_path)) as memory:
        assert "conversations.db: file is not a database" in memory.problem
        assert "facts.db: file is not a database" in memory.problem
        await _say(memory, "house", "hello")
        await memory.facts.add("anna", "likes tea")
        assert len(await memory.conversations()) == len(await memory.facts.all()) == 1


async def test_two_servers_do_not_share_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BUSY_S", 0.05)
    async with open_memory(MemoryOptions(folder=tmp_path)):
        with pytest.raises(ConfigError, match="in use by another Parlour"):
            async with open_memory(MemoryOptions(folder=tmp_path)):
                pass


async def test_without_a_folder_all_is_kept_in_memory() -> None:
    async with open_memory(MemoryOptions()) as memory:
        assert memory.problem == ""
        await _say(memory, "house", "hello")
        assert len(await memory.conversations()) == 1


async def test_a_note_that_cannot_be_read_does_no_harm(tmp_path: Path) -> None:
    options = MemoryOptions(folder=tmp_path)
    async with open_memory(options):
        pass
    with sqlite3.connect(tmp_path / "conversations.db") as file:
        file.execute("INSERT OR REPLACE INTO notes VALUES ('threads', '{half')")
    file.close()
    async with open_memory(options) as memory:
        assert memory.problem == ""


def test_options_never_show_the_password() -> None:
    options = MemoryOptions("redis", redis_url="redis://:secret@localhost")
    assert "secret" not in repr(options)


def test_facts_need_neither_langgraph_nor_redis() -> None:
    code = (
        "import sys, parlour.agent.memory.facts, parlour.agent.memory.tools;"
        "print(*{name.split('.')[0] for name in sys.modules} & {'langgraph', 'redis'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
