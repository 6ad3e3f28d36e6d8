"""Queries of a PostgreSQL database over a small pool whose connections can only read."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import anyio
import asyncpg  # type: ignore[import-untyped]

from parlour.errors import ProviderError, ToolError
from parlour.tools.answers import MOST_COUNTED
from parlour.tools.database import DEADLINE_S, Query, Rows
from parlour.tools.parameters import Value

MOST_CONNECTIONS = 2
CONNECT_S = 3.0
CLOSE_S = 2.0
IDLE_S = 300.0  # after which a connection that nobody uses is closed


@dataclass(frozen=True, slots=True)
class PostgresOptions:
    """`host` is a name, an address or the folder of a socket. `tls` as in `sslmode`."""

    host: str
    port: int
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: str = "prefer"
    deadline_s: float = DEADLINE_S


class PostgresQueries:
    """Satisfies `database.Queries`. Connects when it is first asked, and again after a restart."""

    def __init__(self, name: str, options: PostgresOptions, pool: Any) -> None:
        self._name = name
        self._options = options
        self._pool = pool

    async def run(self, query: Query, values: Sequence[Value]) -> Rows:
        with self._explaining(query):
            try:
                return await self._read(query, values)
            except _GONE:  # the server was started anew meanwhile; to read twice is no harm
                return await self._read(query, values)

    async def check(self, query: Query) -> None:
        with self._explaining(query):
            async with self._pool.acquire() as connection:
                await connection.prepare(query.statement.text)

    @contextmanager
    def _explaining(self, query: Query) -> Iterator[None]:
        try:
            with anyio.fail_after(self._options.deadline_s):
                yield
        except (TimeoutError, asyncpg.QueryCanceledError) as error:
            raise self._late() from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise self._explained(error, query) from error

    async def _read(self, query: Query, values: Sequence[Value]) -> Rows:
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            prepared = await connection.prepare(query.statement.text)
            wanted = [kind.name for kind in prepared.get_parameters()]
            bound = [
                _bound(name, value, kind)
                for name, value, kind in zip(query.statement.names, values, wanted, strict=True)
            ]
            cursor = await prepared.cursor(*bound)
            rows = await cursor.fetch(query.most_rows)
            more = len(await cursor.fetch(MOST_COUNTED)) if len(rows) == query.most_rows else 0
            columns = [attribute.name for attribute in prepared.get_attributes()]
            return Rows(columns, [tuple(row) for row in rows], more)

    def _late(self) -> ProviderError:
        return ProviderError(self._name, f"took longer than {self._options.deadline_s:g} s")

    def _explained(self, error: Exception, query: Query) -> Exception:
        key = f"databases.{self._name}"
        place = f"{self._options.host}:{self._options.port}"
        match error:
            case asyncpg.InvalidAuthorizationSpecificationError():  # a wrong password as well
                reason = f"does not accept the login; check {key}.url"
            case asyncpg.InvalidCatalogNameError():
                reason = f"the server at {place} has no such database; check {key}.url"
            case asyncpg.DataError():
                return ToolError("a value does not fit what the database keeps there")
            case asyncpg.ReadOnlySQLTransactionError():
                reason = f"{key}.queries.{query.name} cannot be run: it writes"
            case asyncpg.SyntaxOrAccessError() | asyncpg.FeatureNotSupportedError():
                reason = f"{key}.queries.{query.name} cannot be run: {_first_line(error)}"
            case OSError() | asyncpg.PostgresConnectionError() | asyncpg.CannotConnectNowError():
                return ProviderError(self._name, f"nobody answers at {place}")
            case asyncpg.InterfaceError() | asyncpg.AdminShutdownError():
                return ProviderError(self._name, f"the connection to {place} broke")
            case _:
                # Its words may come from a row or from somebody's function.
                return ProviderError(self._name, f"failed ({type(error).__name__})")
        wrong = ProviderError(self._name, reason)
        wrong.retry = False
        return wrong


_GONE = (
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    ConnectionResetError,
    BrokenPipeError,
)


@asynccontextmanager
async def open_postgres(name: str, options: PostgresOptions) -> AsyncIterator[PostgresQueries]:
    """A pool without a connection yet; leaving hangs up. Never raises by itself."""
    pool = asyncpg.create_pool(
        host=options.host,
        port=options.port,
        user=options.user,
        password=options.password,
        database=options.database,
        ssl=_tls(options.tls),
        min_size=0,
        max_size=MOST_CONNECTIONS,
        max_inactive_connection_lifetime=IDLE_S,
        timeout=min(CONNECT_S, options.deadline_s),
        command_timeout=None,  # the deadline is the server's, and anyio's behind it
        server_settings={
            "application_name": "parlour",
            "default_transaction_read_only": "on",
            "statement_timeout": str(int(options.deadline_s * 1000)),
            "idle_in_transaction_session_timeout": "30000",
        },
    )
    await pool
    try:
        yield PostgresQueries(name, options, pool)
    finally:
        with anyio.move_on_after(CLOSE_S, shield=True) as scope:
            await pool.close()
        if scope.cancelled_caught:
            pool.terminate()


def _tls(mode: str) -> str | ssl.SSLContext:
    return ssl.create_default_context() if mode == "verify-full" else mode


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


# ---------------------------------------------------------------- values as the database wants them


def _bound(name: str, value: Value, kind: str) -> object:
    """PostgreSQL says what type each parameter has; a value of another is turned into it."""
    if value is None or kind not in _READERS:
        return value.isoformat() if isinstance(value, date | time) else value
    try:
        return _READERS[kind](value)
    except (ValueError, TypeError, InvalidOperation) as error:
        raise ToolError(f"{name} does not fit: the database wants a {kind}") from error


def _text(value: Value) -> str:
    match value:
        case date() | time():
            return value.isoformat()
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _whole(value: Value) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return int(_number(value))


def _number(value: Value) -> Decimal:
    return Decimal(str(value))


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _moment(value: Value) -> datetime:
    return datetime.fromisoformat(_text(value))


def _moment_here(value: Value) -> datetime:
    return _moment(value).astimezone()


def _day(value: Value) -> date:
    return value if isinstance(value, date) else _moment(value).date()


def _time(value: Value) -> time:
    return value if isinstance(value, time) else time.fromisoformat(_text(value))


_READERS: Mapping[str, Callable[[Value], object]] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "citext", "unknown"), _text),
    **dict.fromkeys(("int2", "int4", "int8", "oid"), _whole),
    **dict.fromkeys(("float4", "float8"), lambda value: float(_number(value))),
    "numeric": _number,
    "bool": _truth,
    "date": _day,
    "time": _time,
    "timestamp": _moment,
    "timestamptz": _moment_here,
    "uuid": lambda value: UUID(_text(value)),
}
