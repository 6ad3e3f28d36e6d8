"""What the house must not forget: one SQLite file, written by a thread of its own."""

import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import anyio
from anyio import to_thread

from parlour.errors import HomeError

log = logging.getLogger(__name__)

FILE = "parlour.db"
BUSY_S = 2.0  # a server that was told to stop lets go of the file in that time
CLOSE_S = 3.0
MOST_WAITING = 1000  # transactions; a disk that is so far behind does not come back

# Each entry brings the file from the version of its index to the next one; none is ever changed.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE timers(
            id INTEGER PRIMARY KEY, device TEXT NOT NULL, name TEXT NOT NULL,
            seconds INTEGER NOT NULL, ends_utc REAL, left_s REAL NOT NULL
        )""",
        """CREATE TABLE alarms(
            id INTEGER PRIMARY KEY, device TEXT NOT NULL, name TEXT NOT NULL,
            at TEXT NOT NULL, day TEXT NOT NULL, days TEXT NOT NULL, snoozed_utc REAL
        )""",
        "CREATE TABLE assignments(entity TEXT PRIMARY KEY, overrides JSON NOT NULL)",
    ),
    ("CREATE TABLE satellites(device TEXT PRIMARY KEY, kept JSON NOT NULL)",),
)

Value: TypeAlias = str | int | float | bytes | None
Statement: TypeAlias = tuple[str, Sequence[Value]]


class Store:
    """Writes are laid down in their order and cost the caller nothing; reads see them all.

    `problem` says why what is kept is kept in memory only, and is "" where it is on the disk.
    """

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread
        self._waiting = 0
        self._failing = False
        self.problem = ""

    def write(self, statements: Sequence[Statement]) -> None:
        """Carry out all of them in one transaction, soon. Never raises, never waits.

        A transaction that fails is logged and given up; nothing of it is kept.
        """
        if self._waiting >= MOST_WAITING:
            log.error("the disk is too slow: something is not kept")
            return
        self._waiting += 1
        self._thread.submit(self._write, list(statements))

    async def read(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, after everything that was written before. Raises HomeError."""
        asked = self._thread.submit(self._read, sql, values)
        return await to_thread.run_sync(asked.result)

    async def flush(self) -> None:
        """Wait until everything written so far is on the disk."""
        await self.read("SELECT 1")

    # ------------------------------------------------------------ what people decided about things

    async def load_assignments(self) -> dict[str, dict[str, Any]]:
        """What the owner decided about entities, by their ids; what is damaged is left out."""
        return _objects(await self.read("SELECT entity, overrides FROM assignments"))

    def save_assignment(self, entity: str, overrides: dict[str, Any]) -> None:
        """Replace what is kept about an entity; nothing in it: forget it."""
        if overrides:
            text = json.dumps(overrides, ensure_ascii=False)
            self.write([("INSERT OR REPLACE INTO assignments VALUES (?, ?)", (entity, text))])
        else:
            self.write([("DELETE FROM assignments WHERE entity = ?", (entity,))])

    async def load_satellites(self) -> dict[str, dict[str, Any]]:
        """What is kept about microphones, by their ids; what is damaged is left out."""
        return _objects(await self.read("SELECT device, kept FROM satellites"))

    def save_satellite(self, device: str, kept: dict[str, Any]) -> None:
        """Replace what is kept about a microphone; nothing in it: forget it."""
        if kept:
            text = json.dumps(kept, ensure_ascii=False)
            self.write([("INSERT OR REPLACE INTO satellites VALUES (?, ?)", (device, text))])
        else:
            self.write([("DELETE FROM satellites WHERE device = ?", (device,))])

    # ------------------------------------------------------------ in the thread

    def _write(self, statements: Sequence[Statement]) -> None:
        try:
            with self._connection as transaction:
                transaction.execute("BEGIN IMMEDIATE")
                for sql, values in statements:
                    transaction.execute(sql, values)
        except sqlite3.Error as error:
            log.log(
                logging.DEBUG if self._failing else logging.ERROR,
                "not kept, and lost with the next restart: %s",
                error,
            )
            self._failing = True
        else:
            if self._failing:
                log.warning("what is new is kept again")
            self._failing = False
        finally:
            self._waiting -= 1

    def _read(self, sql: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise HomeError(f"what is kept cannot be read: {error}") from error


def _objects(rows: Sequence[tuple[Any, ...]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, text in rows:
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if isinstance(value, dict):
            found[name] = value
        else:
            log.warning("what was kept about %s cannot be read", name)
    return found


@asynccontextmanager
async def open_store(folder: Path | None) -> AsyncIterator[Store]:
    """The store in a folder, which is made; None: in memory.

    A file that cannot be used is left as it is, and the store is one in memory that says why in
    `problem`. Raises HomeError if another process has the file.
    """
    with ThreadPoolExecutor(1, "store") as thread:
        opened = thread.submit(_open, folder)
        connection, problem = await to_thread.run_sync(opened.result)
        if problem:
            log.error("timers, alarms and settings are lost with the next restart: %s", problem)
        store = Store(connection, thread)
        store.problem = problem
        try:
            yield store
        finally:
            with anyio.move_on_after(CLOSE_S, shield=True):
                closed = thread.submit(connection.close)
                await to_thread.run_sync(closed.result, abandon_on_cancel=True)


def _open(folder: Path | None) -> tuple[sqlite3.Connection, str]:
    if folder is None:
        return _connect(":memory:"), ""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        return _connect(str(path)), ""
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise HomeError(
                f"{path} is in use by another Parlour; stop that one, or give this one a folder of"
                " its own with data.folder"
            ) from error
        return _connect(":memory:"), f"{path}: {error}"
    except sqlite3.DatabaseError as error:
        return _connect(":memory:"), f"{path}: {error}; move it away to begin anew"
    except OSError as error:
        return _connect(":memory:"), f"{folder}: {error.strerror or error}"


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        # Two servers would ring the same timers: the file is one process's as long as it runs.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a power cut takes nothing that was said
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError(f"it is of a later Parlour (version {version})")
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
