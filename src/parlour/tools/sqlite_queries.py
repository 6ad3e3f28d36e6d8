"""Queries of an SQLite file, each on a connection of its own in a thread: it can only read."""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import quote

import anyio
from anyio import to_thread

from parlour.errors import ProviderError, ToolError
from parlour.ports import Slot
from parlour.tools.answers import MOST_COUNTED
from parlour.tools.database import DEADLINE_S, Query, Rows
from parlour.tools.parameters import Value

MOST_THREADS = 2  # of one file; more questions at once wait
LOOK_EVERY = 2000  # steps of SQLite's machine, some tens of microseconds
PATIENCE_S = 1.0  # for another program that is writing
LARGEST_VALUE_BYTES = 1 << 20


class _Call:
    """What the thread and its caller share. `stopped` is only ever set."""

    def __init__(self, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self.until_s = time.monotonic() + deadline_s
        self.stopped = False

    @property
    def late(self) -> bool:
        return time.monotonic() > self.until_s

    def should_stop(self) -> bool:
        return self.stopped or self.late


class SqliteQueries:
    """Satisfies `database.Queries`.

    The file is opened anew for each query, which costs 0.2 ms and lets it be replaced meanwhile.
    """

    def __init__(self, name: str, path: Path, deadline_s: float = DEADLINE_S) -> None:
        self._name = name
        self._path = path
        self._deadline_s = deadline_s
        self._limiter = anyio.CapacityLimiter(MOST_THREADS)

    async def run(self, query: Query, values: Sequence[Value]) -> Rows:
        return await self._ask(query, query.statement.text, values)

    async def check(self, query: Query) -> None:
        nothing = [None] * len(query.statement.names)
        await self._ask(query, f"EXPLAIN {query.statement.text}", nothing)

    async def _ask(self, query: Query, text: str, values: Sequence[Value]) -> Rows:
        call = _Call(self._deadline_s)
        read = partial(self._read, call, query, text, values)
        try:
            return await to_thread.run_sync(read, abandon_on_cancel=True, limiter=self._limiter)
        finally:
            call.stopped = True  # where it was cancelled, the thread ends within microseconds

    def _read(self, call: _Call, query: Query, text: str, values: Sequence[Value]) -> Rows:
        if not self._path.is_file():
            raise ProviderError(self._name, f"there is no file {self._path}")
        try:
            with closing(self._connect(call)) as connection:
                found = connection.execute(text, [_bound(v) for v in values])
                columns = [column[0] for column in found.description or ()]
                rows = found.fetchmany(query.most_rows)
                more = len(found.fetchmany(MOST_COUNTED)) if len(rows) == query.most_rows else 0
                return Rows(columns, rows, more)
        except (sqlite3.Error, OverflowError) as error:
            raise self._explained(error, call, query) from error

    def _connect(self, call: _Call) -> sqlite3.Connection:
        patience_s = min(PATIENCE_S, call.deadline_s)
        place = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        connection = sqlite3.connect(place, uri=True, timeout=patience_s)
        connection.set_progress_handler(call.should_stop, LOOK_EVERY)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _explained(self, error: Exception, call: _Call, query: Query) -> Exception:
        text = str(error)
        key = f"databases.{self._name}.queries.{query.name}"
        if isinstance(error, OverflowError):
            return ToolError("a number is too large")
        if "interrupted" in text:
            return ProviderError(self._name, f"took longer than {call.deadline_s:g} s")
        if "unable to open" in text or "not a database" in text or "malformed" in text:
            return ProviderError(self._name, f"{self._path} cannot be read: {text}")
        if "locked" in text or "busy" in text:
            return ProviderError(self._name, "another program is writing to it; try again")
        reason = "it writes" if "readonly" in text else text
        wrong = ProviderError(self._name, f"{key} cannot be run: {reason}")
        wrong.retry = False
        return wrong


def _bound(value: Value) -> Slot | None:
    """SQLite keeps dates and times as text."""
    return value if value is None or isinstance(value, str | int | float) else value.isoformat()
