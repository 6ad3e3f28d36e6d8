"""Queries of real databases: what they answer, what they cannot do, and what is said when they fail."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from parlour import tasks
from parlour.app.databases import open_databases
from parlour.app.databasesection import Database, SqlitePlace, parse_database_url
from parlour.errors import ProviderError, ToolError
from parlour.ports import Tool
from parlour.tools.database import Query
from parlour.tools.sql import Statement
from parlour.tools.sqlite_queries import SqliteQueries
from postgres_server import READER, PostgresServer, postgres_server
from tool_orders import call

pytestmark = pytest.mark.anyio

ROWS = [
    ("Pencil", 12, 0.5, "2026-01-31"),
    ("Paper", 0, 4.25, None),
    ("Robert'); --", 3, 1e-7, None),
]
TABLE = "name TEXT, count INTEGER, price DOUBLE PRECISION, since DATE"
NAME = {"name": {"type": "string"}}
QUERIES: Mapping[str, Any] = {
    "stock": {
        "description": "How many of an article are in stock",
        "sql": "SELECT name, count, price, since FROM stock WHERE name LIKE :name ORDER BY name",
        "parameters": NAME,
    },
    "count": {"description": "All", "sql": "SELECT count(*) AS all_there_is FROM stock"},
    "many": {
        "description": "Many",
        "sql": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
        " SELECT i, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' AS filler FROM n",
        "parameters": {"last": {"type": "integer"}},
        "most_rows": 100,
    },
    "endless": {
        "description": "For ever",
        "sql": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    },
    "since": {
        "description": "By day",
        "sql": "SELECT name FROM stock WHERE since >= :day",
        "parameters": {"day": {"type": "date"}},
    },
    "optional": {
        "description": "Maybe",
        "sql": "SELECT count(*) AS n FROM stock WHERE (:name IS NULL OR name = :name)",
        "parameters": {"name": {"required": False}},
    },
    "wrong": {"description": "Wrong", "sql": "SELECT nmae FROM stock"},
    "elsewhere": {"description": "Wrong", "sql": "SELECT 1 FROM nowhere"},
}
WRITING_POSTGRES = "WITH g AS (DELETE FROM stock RETURNING *) SELECT count(*) FROM g"


@asynccontextmanager
async def opened(url: str, deadline_s: float = 5.0, **more: Any) -> AsyncIterator[dict[str, Tool]]:
    queries = {**QUERIES, **more}
    section = Database.model_validate({"url": url, "deadline_s": deadline_s, "queries": queries})
    async with open_databases({"shop": section}) as tools:
        yield {tool.spec.name.removeprefix("shop_"): tool for tool in tools}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "a shop?.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE stock ({TABLE})")
        connection.executemany("INSERT INTO stock VALUES (?, ?, ?, ?)", ROWS)
    connection.close()
    return f"sqlite://{str(path).replace('?', '%3F')}"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        days = ["NULL" if row[3] is None else f"'{row[3]}'" for row in ROWS]
        values = ", ".join(
            f"($q${name}$q$, {count}, {price}, {day})"
            for (name, count, price, _), day in zip(ROWS, days, strict=True)
        )
        server.sql(
            f"CREATE TABLE stock ({TABLE}); INSERT INTO stock VALUES {values};"
            f"GRANT ALL ON stock TO {READER};"
        )
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, file: str) -> str:
    if request.param == "sqlite":
        return file
    server: PostgresServer = request.getfixturevalue("server")
    return server.url()


# ---------------------------------------------------------------- answers


async def test_a_query_is_a_tool_and_its_answer_a_compact_table(url: str) -> None:
    async with opened(url) as tools:
        spec = tools["stock"].spec
        assert spec.name == "shop_stock"
        assert spec.parameters["required"] == ["name"]
        assert not tools["stock"].trusted
        assert tools["stock"].tier({}) == 0
        assert await call(tools["stock"], {"name": "P%"}) == (
            "name | count | price | since\nPaper | 0 | 4.25 | -\nPencil | 12 | 0.5 | 2026-01-31"
        )
        assert await call(tools["stock"], {"name": "nothing like it"}) == "nothing found"


@pytest.mark.parametrize(
    "name",
    ["'", '"', "'; DROP TABLE stock; --", "Robert'); --", "\\'", "$1", ":name", "?", "%s", "é"],
)
async def test_whatever_a_value_holds_it_is_data(url: str, name: str) -> None:
    async with opened(url) as tools:
        found = await call(tools["stock"], {"name": name})
        assert ("Robert'); -- | 3 | 0.0000001" in found) == (name == "Robert'); --")
        assert await call(tools["count"]) == "all_there_is\n3"


async def test_rows_that_are_not_shown_are_counted(url: str) -> None:
    async with opened(url) as tools:
        text = await call(tools["many"], {"last": 100})
        assert len(text) <= 2000
        shown = text.count("\n") - 1
        assert text.endswith(f"({100 - shown} more rows)")
        text = await call(tools["many"], {"last": 5000})
        assert "(at least 10" in text


async def test_days_are_compared_as_the_database_keeps_them(url: str) -> None:
    async with opened(url) as tools:
        assert await call(tools["since"], {"day": "2026-01-31"}) == "name\nPencil"
        assert await call(tools["since"], {"day": "2026-02-01"}) == "nothing found"
        with pytest.raises(ToolError, match="day must be a date such as 2026-05-31"):
            await call(tools["since"], {"day": "next week"})


async def test_what_is_left_out_is_null(url: str) -> None:
    async with opened(url, optional=_typed(url)) as tools:
        assert await call(tools["optional"]) == "n\n3"
        assert await call(tools["optional"], {"name": "Paper"}) == "n\n1"


def _typed(url: str) -> dict[str, Any]:
    """PostgreSQL wants to know the type of a parameter that stands beside IS NULL."""
    sql = str(QUERIES["optional"]["sql"])
    typed = sql.replace(":name IS", ":name::text IS") if url.startswith("postgres") else sql
    return {**QUERIES["optional"], "sql": typed}


# ---------------------------------------------------------------- nothing is written


async def test_a_writing_query_fails_at_sqlite(file: str) -> None:
    """It begins with WITH, so that the configuration lets it pass; the database does not."""
    writing = "WITH g AS (SELECT 'Paper' AS n) DELETE FROM stock WHERE name IN (SELECT n FROM g)"
    async with opened(file, gone={"description": "x", "sql": writing}) as tools:
        with pytest.raises(ProviderError, match=r"shop\.queries\.gone cannot be run: it writes"):
            await call(tools["gone"])
        assert await call(tools["count"]) == "all_there_is\n3"


@pytest.mark.parametrize("sql", ["CREATE TABLE t (x)", "ATTACH 'x.db' AS x"])
async def test_what_the_configuration_would_refuse_does_no_harm_to_sqlite(
    file: str, sql: str
) -> None:
    place = parse_database_url(file)
    assert isinstance(place, SqlitePlace)
    queries = SqliteQueries("shop", place.path)
    with pytest.raises(ProviderError, match=r"databases\.shop\.queries\.x cannot be run"):
        await queries.run(Query("x", "x", Statement(sql, ())), [])


async def test_a_writing_query_fails_at_postgresql(server: PostgresServer) -> None:
    writing = {
        "gone": WRITING_POSTGRES,
        "sequence": "SELECT nextval('numbers')",
        "locked": "SELECT * FROM stock FOR UPDATE",
        "unlocked": "SELECT set_config('transaction_read_only', 'off', true), count(*) FROM stock",
    }
    server.sql(f"CREATE SEQUENCE IF NOT EXISTS numbers; GRANT ALL ON SEQUENCE numbers TO {READER}")
    more: dict[str, Any] = {name: {"description": "x", "sql": sql} for name, sql in writing.items()}
    async with opened(server.url(), **more) as tools:
        for name in writing:
            with pytest.raises(ProviderError):
                await call(tools[name])
        with pytest.raises(
            ProviderError, match=r"databases\.shop\.queries\.gone cannot be run: it writes"
        ):
            await call(tools["gone"])
    assert server.sql("SELECT count(*) FROM stock").strip() == "3"


# ---------------------------------------------------------------- failures


async def test_a_wrong_query_is_named_with_what_the_database_says(url: str) -> None:
    async with opened(url) as tools:
        for query, said in (("wrong", "nmae"), ("elsewhere", "nowhere")):
            with pytest.raises(ProviderError) as caught:
                await call(tools[query])
            assert str(caught.value).startswith(
                f"shop: databases.shop.queries.{query} cannot be run: "
            )
            assert said in str(caught.value)
            assert not caught.value.retry


async def test_a_query_that_takes_too_long_is_stopped(url: str) -> None:
    async with opened(url, deadline_s=0.3) as tools:
        began = anyio.current_time()
        with pytest.raises(ProviderError, match=r"took longer than 0\.3 s"):
            await call(tools["endless"])
        assert anyio.current_time() - began < 2
        assert await call(tools["count"]) == "all_there_is\n3"


async def test_whoever_goes_away_stops_the_database(server: PostgresServer) -> None:
    async with opened(server.url(), deadline_s=50) as tools:
        with anyio.move_on_after(0.2):
            await call(tools["endless"])
        for _ in range(100):
            query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%RECURSIVE%' AND state = 'active' AND pid <> pg_backend_pid()"
            if server.sql(query).strip() == "0":
                return
            await anyio.sleep(0.02)
        pytest.fail("it is still running")


async def test_whoever_goes_away_frees_the_thread_of_sqlite(file: str) -> None:
    async with opened(file, deadline_s=50) as tools:
        for _ in range(3):  # more than there are threads
            with anyio.move_on_after(0.05):
                await call(tools["endless"])
        with anyio.fail_after(2):
            assert await call(tools["count"]) == "all_there_is\n3"


async def test_a_file_that_is_missing_or_none_is_named(tmp_path: Path) -> None:
    async with opened(f"sqlite://{tmp_path}/none.db") as tools:
        with pytest.raises(ProviderError, match=f"shop: there is no file {tmp_path}/none.db"):
            await call(tools["count"])
    (tmp_path / "text.db").write_text("not a database at all" * 100)
    async with opened(f"sqlite://{tmp_path}/text.db") as tools:
        with pytest.raises(ProviderError, match=r"text\.db cannot be read"):
            await call(tools["count"])


async def test_a_file_that_another_program_writes_is_said_to_be_busy(file: str) -> None:
    path = file.removeprefix("sqlite://").replace("%3F", "?")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    async with opened(file, deadline_s=0.2) as tools:
        with pytest.raises(ProviderError, match="another program is writing to it"):
            await call(tools["count"])
    writer.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda s: s.url(password="wr0ng-secret"),
            "does not accept the login; check databases.shop.url",
        ),
        (lambda s: s.url(database="nowhere"), "has no such database; check databases.shop.url"),
    ],
)
async def test_a_server_that_refuses_is_told_from_one_that_is_away(
    server: PostgresServer, change: Callable[[PostgresServer], str], said: str
) -> None:
    async with opened(change(server)) as tools:
        with pytest.raises(ProviderError) as caught:
            await call(tools["count"])
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_server_that_comes_back_is_asked_again(server: PostgresServer) -> None:
    async with opened(server.url()) as tools:
        assert await call(tools["count"]) == "all_there_is\n3"
        await anyio.to_thread.run_sync(server.stop)
        with pytest.raises(ProviderError, match=rf"nobody answers at 127\.0\.0\.1:{server.port}"):
            await call(tools["count"])
        await anyio.to_thread.run_sync(server.start)
        assert await call(tools["count"]) == "all_there_is\n3"
        await anyio.to_thread.run_sync(server.stop)
        await anyio.to_thread.run_sync(server.start)
        assert await call(tools["count"]) == "all_there_is\n3"  # without having noticed


async def test_a_value_of_the_wrong_kind_is_the_callers_to_mend(server: PostgresServer) -> None:
    exact = {
        "description": "x",
        "sql": "SELECT name FROM stock WHERE count = :count",
        "parameters": {"count": {"type": "string"}},
    }
    async with opened(server.url(), exact=exact) as tools:
        assert await call(tools["exact"], {"count": "12"}) == "name\nPencil"
        with pytest.raises(ToolError, match="count does not fit: the database wants a int4"):
            await call(tools["exact"], {"count": "a dozen"})
        with pytest.raises(ToolError, match="does not fit what the database keeps"):
            await call(tools["exact"], {"count": "99999999999"})


async def test_questions_at_once_wait_for_their_turn(url: str) -> None:
    async with opened(url) as tools, tasks.task_group() as group:
        for _ in range(8):
            group.start_soon(call, tools["count"])
