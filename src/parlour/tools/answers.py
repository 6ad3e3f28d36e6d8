"""What a database or a service answers, as compact text for a model: tables, lines, plain values."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal

MOST_CHARACTERS = 2000
LONGEST_CELL = 200
MOST_COUNTED = 1000  # rows that are counted and not shown
NOTHING = "nothing found"

_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\uf8ff]+"
)


def clean(text: str, longest: int = LONGEST_CELL) -> str:
    """On one line, without control characters and what hides or turns text round."""
    plain = " ".join(_UNFIT.sub(" ", text[: 4 * longest]).split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def cell(value: object) -> str:
    """A value as a model reads it best: no exponents, ISO dates in the time of the house."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value) if value.bit_length() < 256 else "a huge number"
        case float() | Decimal():
            return _decimal(value)
        case datetime():
            local = value.astimezone() if value.tzinfo else value
            exact = "seconds" if local.second or local.microsecond else "minutes"
            return local.replace(tzinfo=None).isoformat(" ", exact)
        case time():
            return value.isoformat("seconds" if value.second else "minutes")
        case date():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return f"({len(value)} bytes)"
        case Mapping() | list() | tuple():
            return clean(json.dumps(value, ensure_ascii=False, default=str)) or "-"
        case _:
            return clean(str(value)) or "-"


def _decimal(value: float | Decimal) -> str:
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        return "-"
    if abs(exact.adjusted()) > 30:
        return f"{exact:.6e}"
    text = f"{exact:f}"
    return text.removesuffix(".0") if isinstance(value, float) else text


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    more: int = 0,
    most_characters: int = MOST_CHARACTERS,
) -> str:
    """A head and a line for each row; `more` rows are known of and not given.

    A bar inside a value becomes a stroke, so that no value looks like two.
    """
    if not rows:
        return NOTHING
    lines = [" | ".join(clean(column, 60) for column in columns)]
    lines += (" | ".join(cell(value).replace("|", "/") for value in row) for row in rows)
    return joined(lines, more, most_characters)


def joined(lines: Sequence[str], more: int = 0, most_characters: int = MOST_CHARACTERS) -> str:
    """Lines that fit, and how many do not."""
    kept, used = [], 0
    for line in lines:
        used += len(line) + 1
        if used > most_characters - 24:  # room for the remark
            break
        kept.append(line)
    more += len(lines) - len(kept)
    if not kept:
        return lines[0][: most_characters - 1] + "…"
    if more:
        kept.append(f"({'at least ' if more >= MOST_COUNTED else ''}{more} more rows)")
    return "\n".join(kept)


def text_of(value: object) -> str:
    """JSON as text: a scalar plain, objects of one shape as a table, else a line for each thing."""
    match value:
        case None:
            return NOTHING
        case Mapping():
            if not value:
                return NOTHING
            return joined([f"{clean(str(key), 60)}: {cell(each)}" for key, each in value.items()])
        case list():
            if not value:
                return NOTHING
            if all(isinstance(each, Mapping) and each for each in value):
                columns = _columns(value)
                return table(columns, [[each.get(column) for column in columns] for each in value])
            return joined([cell(each) for each in value])
        case str():
            lines = filter(None, (clean(line, 600) for line in value[:8000].splitlines()))
            return joined(list(lines) or [NOTHING])
        case _:
            return cell(value)


def _columns(objects: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(key for each in objects for key in each))
