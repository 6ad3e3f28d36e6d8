"""SQL of the owner read as tokens: one reading statement, and parameters that the driver binds.

Only as much of each dialect is known as tells a parameter from a string, a comment or a cast.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Dialect: TypeAlias = Literal["sqlite", "postgresql"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)

# The parts of both dialects in which a colon, a semicolon or a question mark means nothing.
_BOTH = {
    "comment": r"--[^\n]*",
    "identifier": r'"(?:[^"]|"")*"',
}
_SQLITE = _BOTH | {
    "block": r"/\*(?:.|\n)*?(?:\*/|\Z)",  # of SQLite, one that is never closed ends with the text
    "string": r"'(?:[^']|'')*'",
    "quoted": r"`(?:[^`]|``)*`|\[[^\]]*\]",
}
_POSTGRESQL = _BOTH | {
    "escaped": r"(?<!\w)[eE]'(?:[^'\\]|''|\\(?:.|\n))*'",
    "string": r"'(?:[^']|'')*'",
    "dollar": r"(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$(?:.|\n)*?\$(?P=tag)\$",
}
_ANY = {
    "cast": r"::",
    "parameter": r"(?<!\w):(?P<name>[A-Za-z_][A-Za-z0-9_]*)",
    "semicolon": r";",
    "word": r"[^\W\d][\w$]*",
    "number": r"\d[\w.]*",
    "space": r"\s+",
    "foreign": r"\?\d*|[@$]\w+",
    "other": r"(?:.|\n)",
}


def _pattern(parts: dict[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in parts.items()))


_TOKENS: dict[Dialect, re.Pattern[str]] = {
    "sqlite": _pattern(_SQLITE | _ANY),
    "postgresql": _pattern(_POSTGRESQL | _ANY),
}
_NOTHING = ("space", "comment", "block")


@dataclass(frozen=True, slots=True)
class Statement:
    """`text` has ?1 or $1 where a parameter was; `names` are the parameters in that order."""

    text: str
    names: tuple[str, ...]


def read(sql: str, dialect: Dialect) -> Statement:
    """Check a statement and number its parameters. Raises ValueError with the mend.

    That it begins with SELECT or WITH is the first fence, for the owner's mistakes; what holds is
    that the database is opened for reading only.
    """
    if "\0" in sql:
        raise ValueError("has a character that is not text")
    text: list[str] = []
    names: list[str] = []
    first, ended = "", False
    for kind, token in _tokens(sql, dialect):
        if kind not in _NOTHING and ended:
            raise ValueError("must be one statement; leave out what follows the semicolon")
        match kind:
            case "parameter":
                if token[1:] not in names:
                    names.append(token[1:])
                mark = "?" if dialect == "sqlite" else "$"
                text.append(f"{mark}{names.index(token[1:]) + 1}")
                continue
            case "semicolon":
                ended = True
                continue
            case "foreign" if _is_parameter(token, dialect):
                raise ValueError(f"has {token}; write a parameter as :name")
            case "other" if token in ("'", '"', "`"):
                raise ValueError(f"has a {token} that is never closed")
            case _:
                pass
        if kind not in _NOTHING and not first:
            first = token
        text.append(" " if kind in ("comment", "block") else token)
    if first.upper() not in ("SELECT", "WITH"):
        raise ValueError("must begin with SELECT or WITH: a query only reads")
    return Statement("".join(text).strip(), tuple(names))


def _is_parameter(token: str, dialect: Dialect) -> bool:
    """In PostgreSQL `?` and `@` are operators, of JSON and of numbers."""
    return dialect == "sqlite" or re.fullmatch(r"\$\d+", token) is not None


def _tokens(sql: str, dialect: Dialect) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(sql):
        if dialect == "postgresql" and sql.startswith("/*", at):
            end = _end_of_comment(sql, at)
            yield "block", sql[at:end]
            at = end
            continue
        found = _TOKENS[dialect].match(sql, at)
        assert found is not None, "the last part matches whatever comes"
        assert found.lastgroup is not None, "every part has a name"
        yield found.lastgroup, found[0]
        at = found.end()


def _end_of_comment(sql: str, start: int) -> int:
    """PostgreSQL's comments may hold comments. Raises ValueError for one that is never closed."""
    depth = 0
    for found in re.finditer(r"/\*|\*/", sql[start:]):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return start + found.end()
    raise ValueError("has a comment that is never closed")
