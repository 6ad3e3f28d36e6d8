"""What is kept in the file of conversations, and what becomes of a file that cannot be used."""

import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import CheckpointMetadata, create_checkpoint, empty_checkpoint

from parlour.agent.memory import files
from parlour.agent.memory.kept import KeptSaver
from parlour.agent.memory.plain import config_of
from parlour.agent.memory.sqlite_saver import FILE, SqliteSaver, open_sqlite
from parlour.errors import ConfigError

pytestmark = pytest.mark.anyio

METADATA: CheckpointMetadata = {"source": "loop", "step": 1}


async def _put(
    saver: SqliteSaver | KeptSaver, thread: str, checkpoint_id: str, **values: Any
) -> None:
    state = create_checkpoint(empty_checkpoint(), None, 1, id=checkpoint_id)
    state["channel_values"] = values
    config = await saver.aput(config_of(thread, ""), state, METADATA, {})
    await saver.aput_writes(config, [("summary", "s")], "task")


async def test_the_state_put_last_is_the_newest_even_if_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    async with open_sqlite(tmp_path / FILE) as saver:
        for checkpoint_id in ("2", "3", "1"):
            await _put(saver, "a", checkpoint_id)
    async with open_sqlite(tmp_path / FILE) as saver:
        found = await saver.aget_tuple(config_of("a", ""))
        assert found is not None
        assert found.checkpoint["id"] == "1"
        assert len([each async for each in saver.alist(None)]) == 1
        rows = await saver.conn.execute_fetchall("SELECT checkpoint_id FROM writes")
        assert [row[0] for row in rows] == ["1"]


async def test_hundreds_of_turns_need_no_more_room_than_ten(tmp_path: Path) -> None:
    async def size_after(turns: int) -> int:
        for turn in range(turns):
            await _put(saver, f"t{turn % 3}", str(turn), messages=["word " * 500])
        (row,) = await saver.conn.execute_fetchall("PRAGMA page_count")
        return int(row[0])

    async with open_sqlite(tmp_path / FILE) as saver:
        few = await size_after(10)
        assert await size_after(200) <= few + 2
    assert len(_bytes_of(tmp_path)) < 200_000


async def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    async with open_sqlite(folder / FILE) as saver:
        await _put(saver, "a", "1")
        modes = {path.name: path.stat().st_mode & 0o777 for path in sorted(folder.iterdir())}
        assert set(modes.values()) == {0o600}
        assert folder.stat().st_mode & 0o777 == 0o700
    os.chmod(folder / FILE, 0o644)  # noqa: PTH101
    async with open_sqlite(folder / FILE):
        assert (folder / FILE).stat().st_mode & 0o777 == 0o600


async def test_a_damaged_file_is_left_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / FILE
    file.write_bytes(b"no database at all " * 100)
    async with open_sqlite(file) as saver:
        assert "conversations.db: file is not a database; move it away" in saver.problem
        await _put(saver, "a", "1")
        assert await saver.aget_tuple(config_of("a", "")) is not None
    assert file.read_bytes() == b"no database at all " * 100
    assert "lost with the next restart" in caplog.text


async def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("CREATE TABLE checkpoints (other TEXT)")
    other.close()
    before = _bytes_of(tmp_path)
    async with open_sqlite(tmp_path / FILE) as saver:
        assert "no such column" in saver.problem
        await _put(saver, "a", "1")
    assert _bytes_of(tmp_path) == before


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    async with open_sqlite(tmp_path / "data" / FILE) as saver:
        assert saver.problem.endswith(("Not a directory", "File exists"))


async def test_a_file_that_another_server_has_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BUSY_S", 0.05)
    async with open_sqlite(tmp_path / FILE):
        with pytest.raises(ConfigError, match=r"in use by another Parlour; .* data\.folder"):
            async with open_sqlite(tmp_path / FILE):
                pass
    async with open_sqlite(tmp_path / FILE) as saver:
        assert saver.problem == ""


async def test_nothing_of_a_forgotten_conversation_stays_on_the_disk(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / FILE) as saver:
        await _put(saver, "a", "1", messages=["the code is 4711"])
        await _put(saver, "b", "1", messages=["hello"])
        assert b"4711" in _bytes_of(tmp_path)
        await saver.adelete_thread("a")
        assert b"4711" not in _bytes_of(tmp_path)
        assert await saver.threads() == ["b"]


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_conversations_expire_when_nothing_was_said_for_long(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / FILE) as saver:
        for thread in ("a", "b", "c"):
            await _put(saver, thread, "1")
        await saver.conn.execute("UPDATE spoken SET utc = utc - 3600 WHERE thread_id <> 'b'")
        await saver.conn.commit()
        assert await saver.threads() == ["b", "a", "c"] or await saver.threads() == ["b", "c", "a"]
        assert await saver.expire(datetime.now(UTC) - timedelta(hours=2)) == 0
        assert await saver.expire(datetime.now(UTC) - timedelta(minutes=30)) == 2
        assert await saver.threads() == ["b"]
        assert len([each async for each in saver.alist(None)]) == 1


async def test_a_row_that_cannot_be_read_begins_anew_and_hides_no_other(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / FILE) as store:
        for thread in ("a", "b"):
            await _put(store, thread, "1")
        await store.conn.execute(
            "UPDATE checkpoints SET type = 'pickle', checkpoint = x'80' WHERE thread_id = 'a'"
        )
        await store.conn.commit()
        saver = KeptSaver(store)
        assert await saver.aget_tuple(config_of("a", "")) is None
        assert await saver.aget_tuple(config_of("b", "")) is not None
        assert saver.problem == ""
        await _put(saver, "a", "2")
        assert await store.aget_tuple(config_of("a", "")) is not None


async def test_a_turn_that_outlives_the_file_does_not_fail(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / FILE) as store:
        saver = KeptSaver(store)
    await _put(saver, "a", "1")
    assert await saver.aget_tuple(config_of("a", "")) is not None
    assert saver.problem != ""
