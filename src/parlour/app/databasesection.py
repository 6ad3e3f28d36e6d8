"""The section `databases` of `config.yml`: where each is, and the only questions it is ever asked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import unquote

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from parlour.app.section import Section
from parlour.app.toolvalues import Description, Parameter, Word
from parlour.app.values import between
from parlour.tools import sql as statements
from parlour.tools.database import Query as CheckedQuery

TLS_MODES = ("disable", "prefer", "require", "verify-full")
EXAMPLE = "must look like sqlite:///folder/file.db or postgresql://user:password@host/database"
_POSTGRESQL = re.compile(
    r"postgres(?:ql)?://(?:(?P<login>.*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^@:/?\s\[\]]*)"
    r"(?::(?P<port>[0-9]{1,5}))?/(?P<database>[^/?\s@]+)(?:\?(?P<options>[^\s?]*))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    path: Path


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    host: str
    port: int
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: str = "prefer"


def parse_database_url(text: str) -> SqlitePlace | PostgresPlace:
    """Where a database is; ValueError says the mend and repeats no part of the text.

    `sqlite:///folder/file.db` is `/folder/file.db` and `sqlite:///~/file.db` lies in the home of
    whoever runs the server. The login of PostgreSQL ends at the last @, so that a password from
    the environment need not be quoted; %40 and the like are decoded.
    """
    if found := re.fullmatch(r"sqlite:///+([^?\0\s][^?\0]*)", text):
        given = unquote(found[1])
        return SqlitePlace(Path(given).expanduser() if given.startswith("~") else Path(f"/{given}"))
    parts = _POSTGRESQL.fullmatch(text)
    if parts is None or int(parts["port"] or 5432) not in range(1, 65536):
        raise ValueError(EXAMPLE)
    options = dict(each.partition("=")[::2] for each in (parts["options"] or "").split("&") if each)
    tls = options.pop("sslmode", "prefer")
    host = unquote(options.pop("host", parts["host"].strip("[]")))
    if options or not host:
        raise ValueError(
            f"{EXAMPLE}, with no options but sslmode, and host for the folder of a socket"
        )
    if tls not in TLS_MODES:
        raise ValueError(f"must have an sslmode of {', '.join(TLS_MODES)}")
    user, colon, password = (parts["login"] or "").partition(":")
    return PostgresPlace(
        host,
        int(parts["port"] or 5432),
        unquote(parts["database"]),
        unquote(user) or None,
        unquote(password) if colon else None,
        tls,
    )


def _database_url(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    parse_database_url(text)
    return text


# It may hold a password, so it is never shown.
DatabaseUrl: TypeAlias = Annotated[SecretStr, BeforeValidator(_database_url)]


def _why_not(sql: str, dialect: statements.Dialect, parameters: Iterable[str]) -> str:
    try:
        used = set(statements.read(sql, dialect).names)
    except ValueError as error:
        return str(error)
    known = set(parameters)
    if missing := sorted(used - known):
        return f"uses :{missing[0]}, which is not among its parameters"
    if idle := sorted(known - used):
        return f"does not use its parameter {idle[0]}; write it as :{idle[0]}"
    return ""


class Query(Section):
    """One question, of which a model only fills the parameters in; a tool, as in `shop_stock`."""

    description: Description = Field(description="One sentence for the model: what it answers")
    parameters: dict[Word, Parameter] = Field(
        default_factory=dict, description="What a model fills in, by name"
    )
    sql: str = Field(description="One SELECT; :name stands for a parameter's value")
    most_rows: Annotated[int, between(1, 200, int)] = Field(
        default=20, description="Rows that are shown, 1 to 200; further ones are counted"
    )
    trusted: bool = Field(
        default=False,
        description="true: nobody outside this house writes what it returns, so that a turn which"
        " has read it may still do things",
    )

    @field_validator("sql", mode="before")
    @classmethod
    def _is_one_reading_statement(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            raise ValueError("must be text")  # noqa: TRY004  # pydantic listens for ValueError
        if "parameters" not in info.data:
            return value  # they are wrong themselves
        # Which database it is for stands elsewhere; what neither of them takes is wrong here.
        wrong = [
            _why_not(value, dialect, info.data["parameters"]) for dialect in statements.DIALECTS
        ]
        if all(wrong):
            raise ValueError(wrong[0])
        return value

    def checked(self, name: str, dialect: statements.Dialect) -> CheckedQuery:
        """Raises ValueError for what only the other dialect would take."""
        if wrong := _why_not(self.sql, dialect, self.parameters):
            raise ValueError(f"{name} {wrong}")
        return CheckedQuery(
            name,
            self.description,
            statements.read(self.sql, dialect),
            tuple(each.declared(name) for name, each in self.parameters.items()),
            self.most_rows,
            self.trusted,
        )


class Database(Section):
    """A database of one's own, opened for reading only."""

    url: DatabaseUrl = Field(
        description="sqlite:///folder/file.db, or postgresql://user:password@host:5432/database,"
        " with ?sslmode=verify-full for TLS that is checked"
    )
    deadline_s: Annotated[float, between(0.1, 60.0)] = Field(
        default=5.0, description="Seconds after which a query is given up"
    )
    queries: dict[Word, Query] = Field(description="The questions, by name")

    @field_validator("queries", mode="after")
    @classmethod
    def _fit_the_database(cls, queries: dict[str, Query], info: ValidationInfo) -> dict[str, Query]:
        if "url" in info.data:
            place = parse_database_url(info.data["url"].get_secret_value())
            for name, query in queries.items():
                query.checked(name, dialect_of(place))
        return queries


def dialect_of(place: SqlitePlace | PostgresPlace) -> statements.Dialect:
    return "sqlite" if isinstance(place, SqlitePlace) else "postgresql"
