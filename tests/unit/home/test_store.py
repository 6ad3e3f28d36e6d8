"""What is kept in the file, and what becomes of a file that cannot be used."""

import logging
import os
import sqlite3
import sys
import time
from pathlib import Path

import anyio
import pytest

from parlour.errors import HomeError
from parlour.home import store as module
from parlour.home.store import FILE, MIGRATIONS, MOST_WAITING, Store, open_store

pytestmark = pytest.mark.anyio


async def test_what_was_written_is_there_after_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    async with open_store(folder) as store:
        assert store.problem == ""
        store.save_assignment("kitchen.light", {"name": "Küchenlicht", "risk": 2})
        store.save_assignment("hall.lamp", {"exposed": False})
        store.save_assignment("hall.lamp", {})
    async with open_store(folder) as store:
        assert await store.load_assignments() == {
            "kitchen.light": {"name": "Küchenlicht", "risk": 2}
        }


async def test_a_read_sees_what_was_written_before_it() -> None:
    async with open_store(None) as store:
        for number in range(50):
            store.save_assignment(f"a.{number}", {"n": number})
        assert len(await store.load_assignments()) == 50


async def test_a_write_does_not_make_its_caller_wait(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        began_s = time.perf_counter()
        for number in range(100):
            store.save_assignment("a.b", {"n": number})
        took_s = time.perf_counter() - began_s
        assert took_s / 100 < 0.002
        assert await store.load_assignments() == {"a.b": {"n": 99}}


async def test_a_transaction_is_kept_whole_or_not_at_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep = ("INSERT INTO assignments VALUES (?, ?)", ("a.b", "{}"))
    async with open_store(tmp_path) as store:
        store.write([keep, ("INSERT INTO nowhere VALUES (1)", ())])
        assert await store.load_assignments() == {}
        assert "no such table: nowhere" in caplog.text
        store.write([keep])
        assert await store.load_assignments() == {"a.b": {}}


async def test_what_is_damaged_in_a_row_costs_that_row_only() -> None:
    async with open_store(None) as store:
        for entity, text in (("a.a", "{"), ("a.b", "[1]"), ("a.c", '{"name": "C"}')):
            store.write([("INSERT INTO assignments VALUES (?, ?)", (entity, text))])
        assert await store.load_assignments() == {"a.c": {"name": "C"}}


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, None])
async def test_a_file_that_is_none_is_said_and_left_alone(
    content: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / FILE
    if content is None:  # a database of which a page was lost
        async with open_store(tmp_path) as store:
            for number in range(500):
                store.save_assignment(f"a.{number}", {"text": "x" * 200})
        damaged = bytearray(path.read_bytes())
        damaged[4096 * 4 : 4096 * 9] = b"\xff" * 4096 * 5
        content = bytes(damaged)
    path.write_bytes(content)
    async with open_store(tmp_path) as store:
        assert FILE in store.problem
        store.save_assignment("a.b", {"name": "B"})
        assert await store.load_assignments() == {"a.b": {"name": "B"}}
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "lost with the next restart" in line
    assert FILE in line
    assert path.read_bytes()[:100] == content[:100]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    folder = anyio.Path(tmp_path)
    await folder.chmod(0o500)
    async with open_store(tmp_path / "data") as store:
        assert "Permission denied" in store.problem
    await folder.chmod(0o700)


async def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    async with open_store(tmp_path / "data") as store:
        assert "exists" in store.problem


async def test_a_file_of_a_later_version_is_not_touched(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    async with open_store(tmp_path) as store:
        assert "of a later Parlour" in store.problem


async def test_a_file_that_another_process_holds_is_an_error_that_names_the_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_S", 0.1)
    hold = (
        "import sys; from pathlib import Path; from parlour.home.store import _connect;"
        f" held = _connect({str(tmp_path / FILE)!r}); print('held', flush=True); sys.stdin.read()"
    )
    async with await anyio.open_process([sys.executable, "-c", hold]) as holder:
        assert holder.stdout is not None
        await holder.stdout.receive()
        with pytest.raises(HomeError, match=r"in use by another Parlour.*data\.folder"):
            async with open_store(tmp_path):
                pass
        holder.kill()
    async with open_store(tmp_path) as store:
        assert store.problem == ""


async def test_an_older_file_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(tmp_path) as store:
        store.save_assignment("a.b", {"name": "B"})
    later = (*MIGRATIONS, ("CREATE TABLE memory(id INTEGER PRIMARY KEY, text TEXT)",))
    monkeypatch.setattr(module, "MIGRATIONS", later)
    async with open_store(tmp_path) as store:
        store.write([("INSERT INTO memory VALUES (1, 'tea')", ())])
        assert await store.read("SELECT text FROM memory") == [("tea",)]
        assert await store.load_assignments() == {"a.b": {"name": "B"}}


async def test_a_disk_that_is_far_behind_is_not_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_store(None) as store:
        _overfill(store)
        assert "too slow" in caplog.text


def _overfill(store: Store) -> None:
    store._waiting = MOST_WAITING
    store.save_assignment("a.b", {"n": 1})
    store._waiting = 0
