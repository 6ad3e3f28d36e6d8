"""Queries of the owner's own databases as tools: no model ever writes SQL, it fills parameters in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from parlour.ports import Arguments, Order, Tool, ToolResult, ToolSpec
from parlour.tools.answers import table
from parlour.tools.parameters import Parameter, Value, schema, values_of
from parlour.tools.sql import Statement

DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True)
class Query:
    """`statement` has been checked. `trusted`: nobody outside this house wrote what it returns."""

    name: str
    description: str
    statement: Statement
    parameters: tuple[Parameter, ...] = ()
    most_rows: int = 20
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """`more` is how many were found and not fetched, MOST_COUNTED at the most."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]] = field(repr=False)
    more: int = 0


class Queries(Protocol):
    """A database that can only be read."""

    async def run(self, query: Query, values: Sequence[Value]) -> Rows:
        """Bind the values in the statement's order. Cancelling stops the database's work as well.

        Raises ToolError for values it cannot take, ProviderError for everything else.
        """
        ...

    async def check(self, query: Query) -> None:
        """Have it read the statement and run nothing. Raises ProviderError, also where it knows
        no such column."""
        ...


def query_tools(
    database: str, queries: Queries, every: Sequence[Query], deadline_s: float
) -> list[Tool]:
    return [_tool(database, queries, query, deadline_s) for query in every]


def _tool(database: str, queries: Queries, query: Query, deadline_s: float) -> Tool:
    async def run(arguments: Arguments, order: Order) -> ToolResult:
        values = values_of(query.parameters, arguments)
        found = await queries.run(query, [values[name] for name in query.statement.names])
        return ToolResult(table(found.columns, found.rows, more=found.more))

    spec = ToolSpec(f"{database}_{query.name}", query.description, schema(query.parameters))
    # The database gives up first and says why; the tool's own deadline is the fence behind it.
    return Tool(spec, run, deadline_s=deadline_s + 1.0, trusted=query.trusted)
