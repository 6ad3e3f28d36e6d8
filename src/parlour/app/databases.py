"""From the section `databases` to tools; a driver is loaded when something needs it."""

# ruff: noqa: PLC0415  # see above

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from parlour.app.databasesection import (
    Database,
    PostgresPlace,
    SqlitePlace,
    dialect_of,
    parse_database_url,
)
from parlour.errors import ProviderError
from parlour.ports import Tool
from parlour.tools.database import Queries, query_tools


@asynccontextmanager
async def open_databases(databases: Mapping[str, Database]) -> AsyncIterator[list[Tool]]:
    """A tool for each query. Nothing is asked of a database before a tool is run."""
    tools: list[Tool] = []
    async with AsyncExitStack() as stack:
        for name, section in databases.items():
            place = parse_database_url(section.url.get_secret_value())
            queries = await _open(name, place, section.deadline_s, stack)
            dialect = dialect_of(place)
            every = [query.checked(key, dialect) for key, query in section.queries.items()]
            tools += query_tools(name, queries, every, section.deadline_s)
        yield tools


async def check_database(name: str, section: Database) -> list[str]:
    """What is wrong with a database, or with single queries of it, in plain words; nothing is
    asked of it that reads a row."""
    place = parse_database_url(section.url.get_secret_value())
    told: list[str] = []
    async with AsyncExitStack() as stack:
        queries = await _open(name, place, section.deadline_s, stack)
        for key, query in section.queries.items():
            try:
                await queries.check(query.checked(key, dialect_of(place)))
            except ProviderError as error:
                told.append(str(error).removeprefix(f"{name}: "))
                if f"databases.{name}.queries." not in told[-1]:
                    break  # it is not this query: the others would say the same, each in its time
    return told


async def _open(
    name: str, place: SqlitePlace | PostgresPlace, deadline_s: float, stack: AsyncExitStack
) -> Queries:
    match place:
        case SqlitePlace(path=path):
            from parlour.tools.sqlite_queries import SqliteQueries

            return SqliteQueries(name, path, deadline_s)
        case PostgresPlace():
            from parlour.tools.postgres_queries import PostgresOptions, open_postgres

            options = PostgresOptions(
                place.host,
                place.port,
                place.database,
                place.user,
                place.password,
                place.tls,
                deadline_s,
            )
            return await stack.enter_async_context(open_postgres(name, options))
