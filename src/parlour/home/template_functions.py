"""What a template from outside may call: bounded in what it returns, whatever it is given."""

import datetime as dt
import json
import math
from collections.abc import Callable
from typing import Any

import jinja2

from parlour.home.payloads import read_json

LONGEST_TEXT = 64 * 1024  # characters, on the way to the result
LARGEST_NUMBER = 1e18


class RefusedError(ValueError):
    """A template asks for something that is not allowed; the message says what."""


def watched(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: bounded(function(*args, **kwargs))


def bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise RefusedError(f"a text is longer than {LONGEST_TEXT} characters")
    if isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER:
        raise RefusedError("a number is too large")
    return value


def join_texts(*parts: Any) -> str:
    texts = [str(part) for part in parts]
    if sum(map(len, texts)) > LONGEST_TEXT:
        raise RefusedError(f"a text is longer than {LONGEST_TEXT} characters")
    return "".join(texts)


_NOTHING = object()


def _to_float(value: Any, default: Any = 0.0) -> Any:
    try:
        number = float(value)
    except (ValueError, TypeError):
        return default
    return number if math.isfinite(number) else default


def _to_int(value: Any, default: Any = 0, base: int = 10) -> Any:
    try:
        if isinstance(value, str) and base in (2, 8, 10, 16):
            return bounded(int(value, base))
    except ValueError:
        pass
    number = _to_float(value, None)
    return default if number is None else bounded(int(number))


def _round(value: Any, precision: int = 0, method: str = "common", default: Any = _NOTHING) -> Any:
    number = _to_float(value, None)
    if number is None:
        return value if default is _NOTHING else default
    precision = max(-15, min(15, int(precision)))
    number = bounded(number)
    scale = 10.0**precision
    match method:
        case "ceil":
            result = math.ceil(number * scale) / scale
        case "floor":
            result = math.floor(number * scale) / scale
        case "half":
            result = round(number * 2) / 2
        case _:
            result = round(number, precision)
    return int(result) if precision == 0 and method != "half" else result


def _replace(said: object, old: object, new: object, count: int = -1) -> str:
    text, gone, instead = str(said), str(old), str(new)
    if len(text) + (text.count(gone) + 1) * len(instead) > LONGEST_TEXT:
        raise RefusedError(f"a text is longer than {LONGEST_TEXT} characters")
    return text.replace(gone, instead, count)


def _truncate(said: object, length: int = 255, killwords: bool = False, end: str = "...") -> str:
    text = str(said)
    if len(text) <= length:
        return text
    cut = text[: max(0, int(length) - len(end))]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + end


def _to_json(value: Any) -> str:
    return str(bounded(json.dumps(value, ensure_ascii=False, default=str)))


def _default(value: Any, default: Any = "", boolean: bool = False) -> Any:
    is_missing = isinstance(value, jinja2.Undefined) or (boolean and not value)
    return default if is_missing else value


def iif(value: Any, if_true: Any = True, if_false: Any = False, if_none: Any = _NOTHING) -> Any:
    if value is None and if_none is not _NOTHING:
        return if_none
    return if_true if value else if_false


def now() -> dt.datetime:
    return dt.datetime.now().astimezone()


def as_datetime(value: Any, default: Any = None) -> Any:
    """A moment out of a Unix time or an ISO text, in local time where it names no zone."""
    number = _to_float(value, None)
    try:
        if number is not None:
            return dt.datetime.fromtimestamp(number, dt.UTC)
        return dt.datetime.fromisoformat(str(value)).astimezone()
    except (ValueError, OverflowError, OSError):
        return default


def as_timestamp(value: Any, default: Any = None) -> Any:
    moment = value if isinstance(value, dt.datetime) else as_datetime(value)
    return default if moment is None else moment.timestamp()


def _least(*values: Any) -> Any:
    return min(*values) if values[1:] else min(values[0])


def _most(*values: Any) -> Any:
    return max(*values) if values[1:] else max(values[0])


def _is_defined(value: Any) -> Any:
    if isinstance(value, jinja2.Undefined):
        raise RefusedError("a value is not defined")
    return value


def _is_number(value: Any) -> bool:
    return _to_float(value, None) is not None


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "as_datetime": as_datetime,
    "as_timestamp": as_timestamp,
    "bool": lambda value: str(value).lower() in ("true", "yes", "on", "enable", "1"),
    "capitalize": lambda text: str(text).capitalize(),
    "count": len,
    "d": _default,
    "default": _default,
    "first": lambda values: values[0],
    "float": _to_float,
    "from_json": read_json,
    "iif": iif,
    "int": _to_int,
    "is_defined": _is_defined,
    "is_number": _is_number,
    "last": lambda values: values[-1],
    "length": len,
    "lower": lambda text: str(text).lower(),
    "max": _most,
    "min": _least,
    "replace": _replace,
    "round": _round,
    "string": str,
    "title": lambda text: str(text).title(),
    "to_json": _to_json,
    "tojson": _to_json,
    "trim": lambda text: str(text).strip(),
    "truncate": _truncate,
    "upper": lambda text: str(text).upper(),
}
GLOBALS: dict[str, Callable[..., Any]] = {
    "as_datetime": as_datetime,
    "as_timestamp": as_timestamp,
    "bool": FILTERS["bool"],
    "float": _to_float,
    "iif": iif,
    "int": _to_int,
    "is_number": _is_number,
    "max": _most,
    "min": _least,
    "now": now,
    "round": _round,
    "utcnow": lambda: dt.datetime.now(dt.UTC),
}
