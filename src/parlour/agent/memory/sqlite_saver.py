"""Conversations in a SQLite file: LangGraph's own saver, kept to the newest state of each."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import aiosqlite
import anyio
from anyio import to_thread
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from parlour.agent.memory.files import Tables, open_file
from parlour.agent.memory.plain import PlainSerializer

log = logging.getLogger(__name__)

FILE = "conversations.db"
CLOSE_S = 3.0

# The tables are those of langgraph-checkpoint-sqlite, which adds to them what they lack. They are
# made here as well because the triggers need them.
_SCRIPT = """
CREATE TABLE IF NOT EXISTS checkpoints (
    thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT NOT NULL,
    parent_checkpoint_id TEXT, type TEXT, checkpoint BLOB, metadata BLOB,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
);
CREATE TABLE IF NOT EXISTS writes (
    thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT NOT NULL,
    task_id TEXT NOT NULL, task_path TEXT NOT NULL DEFAULT '', idx INTEGER NOT NULL,
    channel TEXT NOT NULL, type TEXT, value BLOB,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);
CREATE TABLE IF NOT EXISTS spoken (thread_id TEXT PRIMARY KEY, utc REAL NOT NULL);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- The saver keeps every state there ever was. The one that was put last is the newest, whatever
-- its id: ids hold the time of day, and a board without a clock starts in the past.
CREATE TRIGGER IF NOT EXISTS newest_only AFTER INSERT ON checkpoints BEGIN
    DELETE FROM checkpoints WHERE thread_id = NEW.thread_id
        AND checkpoint_ns = NEW.checkpoint_ns AND checkpoint_id <> NEW.checkpoint_id;
    DELETE FROM writes WHERE thread_id = NEW.thread_id
        AND checkpoint_ns = NEW.checkpoint_ns AND checkpoint_id <> NEW.checkpoint_id;
    INSERT OR REPLACE INTO spoken VALUES
        (NEW.thread_id, (julianday('now') - 2440587.5) * 86400.0);
END;
CREATE TRIGGER IF NOT EXISTS writes_of_the_newest BEFORE INSERT ON writes
WHEN NOT EXISTS (SELECT 1 FROM checkpoints WHERE thread_id = NEW.thread_id
    AND checkpoint_ns = NEW.checkpoint_ns AND checkpoint_id = NEW.checkpoint_id)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS forgotten AFTER DELETE ON checkpoints
WHEN NOT EXISTS (SELECT 1 FROM checkpoints WHERE thread_id = OLD.thread_id)
BEGIN DELETE FROM spoken WHERE thread_id = OLD.thread_id; END;
"""


_PROOF = "SELECT thread_id, checkpoint_ns, checkpoint_id, metadata FROM checkpoints LIMIT 0"
# A disk that is waited for each turn would wear out a memory card for little.
_TABLES = Tables(_SCRIPT, _PROOF, each_on_disk=False)


class SqliteSaver(AsyncSqliteSaver):
    """Keeps the newest checkpoint of each thread and namespace, and its pending writes.

    It cannot list, read or fork older ones. `problem` says why it keeps them in memory only, and
    is "" where they are on the disk. Raises sqlite3.Error.
    """

    def __init__(self, connection: aiosqlite.Connection, problem: str) -> None:
        super().__init__(connection, serde=PlainSerializer())
        self.problem = problem

    async def adelete_thread(self, thread_id: str) -> None:
        await super().adelete_thread(thread_id)
        await self._empty_log()

    async def threads(self) -> list[str]:
        """All of them, the one that spoke last first."""
        async with self.lock:
            rows = await self.conn.execute_fetchall(
                "SELECT thread_id FROM spoken ORDER BY utc DESC"
            )
        return [str(row[0]) for row in rows]

    async def expire(self, before_utc: datetime) -> int:
        """Forget those in which nothing was said since; how many they were."""
        async with self.lock:
            rows = await self.conn.execute_fetchall(
                "SELECT thread_id FROM spoken WHERE utc < ?", (before_utc.timestamp(),)
            )
        for row in rows:
            await self.adelete_thread(str(row[0]))
        return len(list(rows))

    async def load_note(self, name: str) -> str:
        async with self.lock:
            rows = await self.conn.execute_fetchall(
                "SELECT value FROM notes WHERE name = ?", (name,)
            )
        return "".join(str(row[0]) for row in rows)

    async def save_note(self, name: str, value: str) -> None:
        async with self.lock:
            await self.conn.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))
            await self.conn.commit()

    async def _empty_log(self) -> None:
        async with self.lock:
            await self.conn.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")


@asynccontextmanager
async def open_sqlite(path: Path | None) -> AsyncIterator[SqliteSaver]:
    """The saver of a file, which is made for its owner only; None: in memory.

    A file that cannot be used is left as it is, and the saver is one in memory that says why in
    `problem`. The last turns may be lost in a power cut. Raises ConfigError if another process has the file.
    """
    opened, problem = await to_thread.run_sync(open_file, path, _TABLES)
    if problem:
        log.error("conversations are lost with the next restart: %s", problem)
    connection = aiosqlite.Connection(lambda: opened, iter_chunk_size=64)
    try:
        await connection
        saver = SqliteSaver(connection, problem)
        await saver.setup()
        yield saver
    finally:
        with anyio.move_on_after(CLOSE_S, shield=True):
            await connection.close()
