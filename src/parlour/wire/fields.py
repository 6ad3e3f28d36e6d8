"""JSON messages read with care: every complaint is one sentence that names its field."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn, TypeVar

from parlour.errors import ProtocolError

DEEPEST = 32  # levels of nesting in one message; more is an attack, not a message
LONGEST_TEXT = 512  # characters of one text field, unless its message says otherwise
LONGEST_NAME = 60  # characters of a phrase, a group, an id

Value = TypeVar("Value", bound=str | int)

# Listed one by one, not by Unicode category, so that a C and a TypeScript peer do just the same.
# U+200C and U+200D stay: Indic and Persian words and joined emoji are spelt with them.
_BLANK = re.compile(r"[\t\n\r\u2028\u2029]")
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ud800-\udfff]"
)


class MalformedError(ProtocolError):
    """Input that is wrong in itself and harms nothing else: it may be refused and forgotten."""


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """Turn tabs and line ends into blanks, drop what cannot be seen, cut to `longest` characters.

    The result always encodes as UTF-8: half a surrogate pair, which JSON can smuggle in, is dropped.
    """
    return _UNSEEN.sub("", _BLANK.sub(" ", text))[:longest]


def write_message(message: Mapping[str, object]) -> str:
    """Write JSON as small as it gets: a device parses it in a few kilobytes of memory."""
    return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def read_message(text: str) -> "Fields":
    """Read one JSON object. Raises MalformedError, also for NaN, doubled keys and deep nesting."""
    try:
        message = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_read_float,
            object_pairs_hook=_read_object,
        )
    except MalformedError:
        raise
    except RecursionError as error:
        raise MalformedError(f"the message is nested more than {DEEPEST} levels deep") from error
    except ValueError as error:
        raise MalformedError("the message is not valid JSON") from error
    if not isinstance(message, dict):
        raise MalformedError(f"a message is a JSON object, not {_name_type(message)}")
    # Only a message with that many brackets can be that deep; the others skip the walk.
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(message)
    return Fields(message)


class Fields:
    """One JSON object. A field that is null counts as absent; unknown fields are no error."""

    def __init__(self, values: Mapping[str, object], path: str = "") -> None:
        self._values = values
        self._path = path

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def text(self, key: str, default: str | None = None, *, longest: int = LONGEST_TEXT) -> str:
        """Without a default the field must be there. Cleaned and cut, never refused for length."""
        value = self._values.get(key)
        if value is None:
            return self._need(key) if default is None else default
        if not isinstance(value, str):
            self._refuse(key, "a string", value)
        return clean(value, longest)

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Without a default the field must be there; true is not 1 and "1" is not 1."""
        value = self._values.get(key)
        if value is None:
            return self._need(key) if default is None else default
        if isinstance(value, bool) or not isinstance(value, int):
            self._refuse(key, "an integer", value)
        if not low <= value <= high:
            raise MalformedError(f"{self._path}{key} must lie between {low} and {high}")
        return value

    def number(self, key: str, low: float, high: float) -> float | None:
        """None if the field is absent."""
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse(key, "a number", value)
        if not low <= value <= high:
            raise MalformedError(f"{self._path}{key} must lie between {low:g} and {high:g}")
        return float(value)

    def flag(self, key: str, default: bool | None = False) -> bool:
        """Pass None as the default if the field must be there."""
        value = self._values.get(key)
        if value is None:
            return self._need(key) if default is None else default
        if not isinstance(value, bool):
            self._refuse(key, "true or false", value)
        return value

    def choice(self, key: str, choices: Sequence[Value], default: Value | None = None) -> Value:
        """Without a default the field must be there."""
        value = self._values.get(key)
        if value is None:
            return self._need(key) if default is None else default
        for choice in choices:
            if type(value) is type(choice) and value == choice:
                return choice
        listed = ", ".join(str(choice) for choice in choices)
        raise MalformedError(f"{self._path}{key} must be one of {listed}")

    def section(self, key: str, *, required: bool = False) -> "Fields":
        """An object inside this one; absent reads as empty unless it is required."""
        value = self._values.get(key)
        if value is None:
            return self._need(key) if required else Fields({}, f"{self._path}{key}.")
        if not isinstance(value, dict):
            self._refuse(key, "an object", value)
        return Fields(value, f"{self._path}{key}.")

    def sections(self, key: str) -> list["Fields"]:
        """An array of objects; absent reads as empty."""
        value = self._values.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise MalformedError(f"{self._path}{key} must be an array of objects")
        return [Fields(item, f"{self._path}{key}[{n}].") for n, item in enumerate(value)]

    def raw(self) -> Mapping[str, object]:
        return self._values

    def _need(self, key: str) -> NoReturn:
        raise MalformedError(f"{self._path}{key} is missing")

    def _refuse(self, key: str, wanted: str, value: object) -> NoReturn:
        raise MalformedError(f"{self._path}{key} must be {wanted}, not {_name_type(value)}")


def _name_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _read_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise MalformedError(f'the field "{clean(twice, 40)}" is there twice')
    return values


def _read_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):  # 1e999 is valid JSON and becomes infinity
        raise MalformedError("the message holds a number that is too large")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedError(f"the message holds {name}, which JSON does not have")


def _check_depth(message: object) -> None:
    level = [message]
    for _ in range(DEEPEST):
        level = [item for container in level for item in _containers_in(container)]
        if not level:
            return
    raise MalformedError(f"the message is nested more than {DEEPEST} levels deep")


def _containers_in(value: object) -> Iterator[object]:
    match value:
        case dict():
            items: Iterable[object] = value.values()
        case list():
            items = value
        case _:
            items = ()
    return (item for item in items if isinstance(item, dict | list))
