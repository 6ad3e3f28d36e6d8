"""Which part of a JSON answer is wanted: a path such as `departures[0:3].{time: at, line: line.name}`.

It is a small part of JMESPath: names, "quoted names", [n], slices, [*] and one shape in braces,
with the same meaning. What a slice or [*] comes to, the rest of the path is looked up in each.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

LONGEST = 300  # characters of a path
DEEPEST = 5  # shapes within shapes

_TOKEN = re.compile(
    r'\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|"(?P<quoted>[^"\\]+)"'
    r"|\[(?P<index>-?[0-9]{1,6})\]|\[(?P<slice>(?:-?[0-9]{1,6})?:(?:-?[0-9]{1,6})?|\*)\]"
    r"|(?P<mark>[.,:{}]))\s*"
)


@dataclass(frozen=True, slots=True)
class _Shape:
    parts: Mapping[str, "Path"]


@dataclass(frozen=True, slots=True)
class _Each:
    first: int | None
    end: int | None


_Step: TypeAlias = str | int | _Each | _Shape
Path: TypeAlias = tuple[_Step, ...]


def read(text: str) -> Path:
    """Raises ValueError with the place at which the path cannot be read."""
    if len(text) > LONGEST:
        raise ValueError(f"must have at most {LONGEST} characters")
    reader = _Reader(text)
    path = reader.path()
    if reader.kind:
        raise reader.wrong()
    return path


def pick(value: object, path: Sequence[_Step]) -> object:
    """What lies under a path; None where nothing does."""
    for at, step in enumerate(path):
        match step, value:
            case str(), Mapping():
                value = value.get(step)
            case int(), list():
                value = value[step] if -len(value) <= step < len(value) else None
            case _Each(first=first, end=end), list():
                found = (pick(each, path[at + 1 :]) for each in value[first:end])
                return [each for each in found if each is not None]
            case _Shape(parts=parts), Mapping():
                value = {label: pick(value, inner) for label, inner in parts.items()}
            case _:
                return None
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self.kind = self.token = ""
        self._next()

    def path(self) -> Path:
        steps: list[_Step] = [] if self.kind in ("index", "slice") else [self._step()]
        while self.kind in ("index", "slice") or self._is("."):
            if self._is("."):
                self._next()
                steps.append(self._step())
            else:
                steps.append(self._bracket())
        return tuple(steps)

    def wrong(self) -> ValueError:
        return ValueError(f"cannot be read from character {self._at - len(self.token) + 1} on")

    def _step(self) -> _Step:
        if self._is("{"):
            return self._shape()
        return self._name()

    def _name(self) -> str:
        if self.kind not in ("name", "quoted"):
            raise self.wrong()
        name = self.token
        self._next()
        return name

    def _bracket(self) -> _Step:
        kind, token = self.kind, self.token
        self._next()
        if kind == "index":
            return int(token)
        first, _, end = token.strip("*").partition(":")
        return _Each(int(first) if first else None, int(end) if end else None)

    def _shape(self) -> _Shape:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.wrong()
        parts: dict[str, Path] = {}
        while not parts or self._is(","):
            self._next()
            label = self._name()
            if not self._is(":"):
                raise self.wrong()
            self._next()
            parts[label] = self.path()
        if not self._is("}"):
            raise self.wrong()
        self._next()
        self._depth -= 1
        return _Shape(parts)

    def _is(self, mark: str) -> bool:
        return self.kind == "mark" and self.token == mark

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self.token = ""
            self.kind = "" if self._at == len(self._text) else "wrong"
            return
        self._at = found.end()
        self.kind = found.lastgroup or ""
        self.token = found[self.kind]
