"""What comes in messages, made harmless: JSON, numbers, texts and names from outside."""

import json
import math
import unicodedata
from functools import cached_property
from typing import Any

LARGEST_BYTES = 64 * 1024  # of any message; real ones stay below 10 KiB, save a list of devices
LONGEST_NAME = 60  # characters


class Payload:
    """One message's text; its JSON is parsed once, however many entities look into it."""

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def decode(cls, data: bytes) -> "Payload":
        return cls(data.decode("utf-8", "replace"))

    @cached_property
    def json(self) -> Any:
        """The parsed JSON, None when it is none."""
        try:
            return read_json(self.text)
        except (ValueError, RecursionError):
            return None


def read_json(text: str | bytes) -> Any:
    """Parse JSON without NaN, infinities and lone surrogates; ValueError, RecursionError if none."""
    value = json.loads(text, parse_constant=lambda _: None)
    escape = b"\\ud" if isinstance(text, bytes) else "\\ud"
    return _mend(value) if escape in text.lower() else value  # type: ignore[operator]


def _mend(value: Any) -> Any:
    # Half a pair of UTF-16 cannot be written to a socket, a log or a screen.
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_mend(key): _mend(each) for key, each in value.items()}
        case list():
            return [_mend(each) for each in value]
        case _:
            return value


def to_number(value: object, most: float = 1e9) -> float | None:
    """Read a finite number out of JSON or text, None if it is none or beyond `most`."""
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) <= most else None


def as_text(value: object) -> str:
    """What a template or a config says, as the text that goes over the wire."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case dict() | list():
            return json.dumps(value)
        case _:
            return str(value)


def is_same(said: object, expected: str) -> bool:
    """Whether a value is the expected payload; true and True are written in both ways."""
    text = as_text(said)
    is_truth = text.lower() in ("true", "false")
    return text == expected or (is_truth and text.lower() == expected.lower())


def clean_name(text: str) -> str:
    """Take control characters and surplus blanks out of a name and cut it to 60 characters."""
    if not text.isascii() or not text.isprintable():
        text = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text)
    return " ".join(text.split())[:LONGEST_NAME].strip()


def plain(number: float) -> str:
    """A number as devices read it: 21 and not 21.0, at most two decimals."""
    return str(int(number)) if number == int(number) else str(round(number, 2))
