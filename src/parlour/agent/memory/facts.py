"""What somebody asked to be remembered: a fact a line, kept until it is forgotten."""

import logging
import sqlite3
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

import anyio
from anyio import to_thread

from parlour.agent.memory.files import Tables, empty_log, open_file
from parlour.agent.memory.words import normal, ranked, words_of
from parlour.errors import ProviderError, ToolError

log = logging.getLogger(__name__)

T = TypeVar("T")

FILE = "facts.db"
MOST_FACTS = 500  # of an owner
LONGEST_FACT = 300  # characters
LONGEST_OWNER = 80
CALL_S = 3.0
CLOSE_S = 3.0
ENOUGH = 0.25  # of the words of a query, for a fact to be named at all

_SCRIPT = """
CREATE TABLE IF NOT EXISTS facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, text TEXT NOT NULL,
    same TEXT NOT NULL, said_utc REAL NOT NULL, UNIQUE (owner, same)
);
"""


_PROOF = "SELECT id, owner, text, same, said_utc FROM facts LIMIT 0"
_TABLES = Tables(_SCRIPT, _PROOF, each_on_disk=True)


@dataclass(frozen=True, slots=True)
class Fact:
    """`owner` is whoever it is about or for: a person, or the house. Ids are never used again."""

    id: int
    owner: str
    text: str
    said_utc: datetime


class Facts(Protocol):
    """All raise ProviderError when they cannot be reached."""

    @property
    def problem(self) -> str:
        """Why facts are kept in memory only; "" if they are not."""
        ...

    async def add(self, owner: str, text: str) -> Fact:
        """Keep a fact; one that is known but for case and blanks is only said anew.

        Raises ToolError for a text that is empty or too long, and when the owner has 500.
        """
        ...

    async def all(self, owner: str | None = None) -> list[Fact]:
        """Oldest first. None: of all owners."""
        ...

    async def find(self, owner: str, words: str, most: int = 5) -> list[Fact]:
        """Those that fit the words best, best first; of equal ones, and of no words, the newest."""
        ...

    async def forget(self, fact_id: int) -> Fact | None:
        """The fact that is forgotten now; None: there was none."""
        ...

    async def forget_all(self, owner: str | None = None) -> int:
        """How many are forgotten now. None: those of all owners."""
        ...


def clean(owner: str, text: str) -> tuple[str, str]:
    """Owner and text on one line each, without control characters. Raises ToolError."""
    owner, text = _line(owner), _line(text)
    if not text:
        raise ToolError("there is nothing to remember: say the fact as one sentence")
    if len(text) > LONGEST_FACT:
        raise ToolError(f"a fact may have {LONGEST_FACT} characters; say it shorter, or as two")
    if not owner or len(owner) > LONGEST_OWNER:
        raise ToolError("nobody to remember it for")
    return owner, text


def full(owner: str) -> ToolError:
    return ToolError(f"{MOST_FACTS} facts are kept for {owner}; forget some of them first")


def best(facts: Sequence[Fact], words: str, most: int) -> list[Fact]:
    """The facts that fit the words best, as `Facts.find` returns them."""
    newest = sorted(facts, key=lambda fact: (fact.said_utc, fact.id), reverse=True)
    if not words_of(words):
        return newest[:most]
    fits = ranked(words, [fact.text for fact in newest])
    found = [(fit, fact) for fit, fact in zip(fits, newest, strict=True) if fit >= ENOUGH]
    found.sort(key=lambda each: round(each[0], 3), reverse=True)  # stable: the newest stay first
    return [fact for _, fact in found[:most]]


def _line(text: str) -> str:
    plain = (each if unicodedata.category(each) not in {"Cc", "Cs"} else " " for each in text)
    return " ".join("".join(plain).split())


class SqliteFacts:
    """Satisfies `Facts`. A fact is on the disk before `add` returns."""

    def __init__(
        self, connection: sqlite3.Connection, thread: ThreadPoolExecutor, problem: str
    ) -> None:
        self._connection = connection
        self._thread = thread
        self._problem = problem

    @property
    def problem(self) -> str:
        return self._problem

    async def add(self, owner: str, text: str) -> Fact:
        owner, text = clean(owner, text)
        said_utc = datetime.now(UTC)
        return await self._ask(lambda: self._add(owner, text, said_utc))

    async def all(self, owner: str | None = None) -> list[Fact]:
        return await self._ask(lambda: self._all(owner))

    async def find(self, owner: str, words: str, most: int = 5) -> list[Fact]:
        return await self._ask(lambda: best(self._all(owner), words, most))

    async def forget(self, fact_id: int) -> Fact | None:
        return await self._ask(lambda: self._forget(fact_id))

    async def forget_all(self, owner: str | None = None) -> int:
        return await self._ask(lambda: self._forget_all(owner))

    # ------------------------------------------------------------ in the thread

    def _add(self, owner: str, text: str, said_utc: datetime) -> Fact:
        same = normal(text)
        with self._connection as change:
            change.execute("BEGIN IMMEDIATE")
            known = change.execute(
                "UPDATE facts SET text = ?, said_utc = ? WHERE owner = ? AND same = ? RETURNING *",
                (text, said_utc.timestamp(), owner, same),
            ).fetchone()
            if known is not None:
                return _fact(known)
            (count,) = change.execute(
                "SELECT count(*) FROM facts WHERE owner = ?", (owner,)
            ).fetchone()
            if count >= MOST_FACTS:
                raise full(owner)
            return _fact(
                change.execute(
                    "INSERT INTO facts (owner, text, same, said_utc) VALUES (?, ?, ?, ?)"
                    " RETURNING *",
                    (owner, text, same, said_utc.timestamp()),
                ).fetchone()
            )

    def _all(self, owner: str | None) -> list[Fact]:
        rows = self._connection.execute(
            "SELECT * FROM facts WHERE ? IS NULL OR owner = ? ORDER BY id", (owner, owner)
        )
        return [_fact(row) for row in rows]

    def _forget(self, fact_id: int) -> Fact | None:
        if not 0 < fact_id < 2**63:
            return None
        with self._connection as change:
            rows = change.execute("DELETE FROM facts WHERE id = ? RETURNING *", (fact_id,))
            gone = rows.fetchall()
        empty_log(self._connection)
        return _fact(gone[0]) if gone else None

    def _forget_all(self, owner: str | None) -> int:
        with self._connection as change:
            gone = change.execute("DELETE FROM facts WHERE ? IS NULL OR owner = ?", (owner, owner))
        empty_log(self._connection)
        return gone.rowcount

    async def _ask(self, work: Callable[[], T]) -> T:
        asked = self._thread.submit(work)
        try:
            with anyio.fail_after(CALL_S):
                return await to_thread.run_sync(asked.result, abandon_on_cancel=True)
        except TimeoutError as error:
            raise ProviderError("facts", "the disk does not answer") from error
        except sqlite3.Error as error:
            raise ProviderError("facts", str(error)) from error


@asynccontextmanager
async def open_facts(folder: Path | None) -> AsyncIterator[SqliteFacts]:
    """The facts of a folder, which is made; None: in memory.

    A file that cannot be used is left as it is, and the facts are kept in memory only, which
    `problem` says. Raises ConfigError if another process has the file.
    """
    with ThreadPoolExecutor(1, "facts") as thread:
        path = None if folder is None else folder / FILE
        opened = thread.submit(lambda: open_file(path, _TABLES))
        connection, problem = await to_thread.run_sync(opened.result)
        if problem:
            log.error("what is to be remembered is lost with the next restart: %s", problem)
        try:
            yield SqliteFacts(connection, thread, problem)
        finally:
            with anyio.move_on_after(CLOSE_S, shield=True):
                closed = thread.submit(connection.close)
                await to_thread.run_sync(closed.result, abandon_on_cancel=True)


def _fact(row: tuple[int, str, str, str, float]) -> Fact:
    fact_id, owner, text, _, said_utc = row
    return Fact(fact_id, owner, text, datetime.fromtimestamp(said_utc, UTC))
