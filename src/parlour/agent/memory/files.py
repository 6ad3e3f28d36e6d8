"""How a SQLite file of the memory is opened: for its owner only, and left alone if it is damaged."""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from parlour.errors import ConfigError

BUSY_S = 2.0  # a server that was told to stop lets go of the file in that time
LARGEST_LOG_BYTES = 1_000_000  # what the write-ahead log is cut to


@dataclass(frozen=True, slots=True)
class Tables:
    """What a file holds. `each_on_disk`: a change that was acknowledged survives a power cut;
    otherwise the last few may not, and nothing else is lost."""

    script: str  # makes them where they are not yet
    proof: str  # a query that fails on a file of something else
    each_on_disk: bool


def open_file(path: Path | None, tables: Tables) -> tuple[sqlite3.Connection, str]:
    """A connection that any one thread at a time may use, and why it is one in memory ("" if not).

    None: in memory, on purpose. Raises ConfigError if another process has the file.
    """
    if path is None:
        return _connect(":memory:", tables), ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        with contextlib.suppress(PermissionError):
            path.chmod(0o600)
        return _connect(str(path), tables), ""
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ConfigError(
                f"{path} is in use by another Parlour; stop that one, or give this one a folder of"
                " its own with data.folder"
            ) from error
        problem = f"{path}: {error}"
    except sqlite3.DatabaseError as error:
        problem = f"{path}: {error}; move it away to begin anew"
    except OSError as error:
        problem = f"{path.parent}: {error.strerror or error}"
    return _connect(":memory:", tables), problem


def _connect(path: str, tables: Tables) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
    try:
        # Two servers would each believe theirs to be the newest state.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN IMMEDIATE")
        connection.commit()
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall():
            connection.execute(tables.proof)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if tables.each_on_disk else 'NORMAL'}")
        connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
        connection.execute(f"PRAGMA journal_size_limit = {LARGEST_LOG_BYTES}")
        connection.execute("PRAGMA wal_autocheckpoint = 200")  # pages
        connection.executescript(tables.script)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def empty_log(connection: sqlite3.Connection) -> None:
    """Take what was forgotten out of the write-ahead log as well."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
