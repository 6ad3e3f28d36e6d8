"""Texts with {names} in them, read once: addresses, bodies and questions of declared tools."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import TypeAlias
from urllib.parse import quote

from parlour.errors import ToolError
from parlour.tools.answers import cell
from parlour.tools.parameters import Value

Values: TypeAlias = Mapping[str, Value]

_PARTS = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[^{}]+|[{}]")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_URL = re.compile(r"(https?)://([^/?#\\\s]*)((?:/[^?#\\\s]*)?)(?:\?([^#\s]*))?")


@dataclass(frozen=True, slots=True)
class Field:
    name: str


@dataclass(frozen=True, slots=True)
class Template:
    parts: tuple[str | Field, ...]

    @property
    def names(self) -> set[str]:
        return {part.name for part in self.parts if isinstance(part, Field)}

    @property
    def only(self) -> str | None:
        """The name, where the text is nothing but one field."""
        match self.parts:
            case [Field(name=name)]:
                return name
            case _:
                return None


def read(text: str) -> Template:
    """`{name}` is a field, `{{` and `}}` are braces. Raises ValueError."""
    return Template(tuple(_parts(text)))


def _parts(text: str) -> Iterator[str | Field]:
    for found in _PARTS.finditer(text):
        match found[0]:
            case "{{" | "}}":
                yield found[0][0]
            case "{" | "}":
                raise ValueError(
                    f"has a {found[0]} by itself; write {found[0] * 2} for a plain one"
                )
            case part if found[1] is not None:
                if not _NAME.fullmatch(found[1]):
                    raise ValueError(f"has {part}, which is no name of a parameter")
                yield Field(found[1])
            case part:
                yield part


def plain(value: Value) -> str:
    """As a service takes it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value
        case date() | time():
            return value.isoformat()
        case _:
            return cell(value)


def spoken(template: Template, values: Values) -> str:
    """For a person's ears; what was left out is left out."""
    filled = (
        part if isinstance(part, str) else _heard(values.get(part.name)) for part in template.parts
    )
    return " ".join("".join(filled).split())


def _heard(value: Value) -> str:
    return "" if value is None else cell(value)


# ---------------------------------------------------------------- addresses


@dataclass(frozen=True, slots=True)
class UrlTemplate:
    """Scheme, host and port are the owner's; values only come into path and query, encoded."""

    origin: str
    path: tuple[Template, ...]  # between the strokes
    query: tuple[Template, ...]  # between the ampersands

    @property
    def names(self) -> set[str]:
        return {name for part in (*self.path, *self.query) for name in part.names}

    @property
    def path_names(self) -> set[str]:
        return {name for part in self.path for name in part.names}

    def fill(self, values: Values) -> str:
        """The address for these values. Raises ToolError for those that would leave their place.

        A pair of the query whose value was left out is left out as well.
        """
        path = "/".join(_segment(part, values) for part in self.path)
        pairs = [_filled(part, values) for part in self.query if not _lacks(part, values)]
        return f"{self.origin}{path}{'?' if pairs else ''}{'&'.join(pairs)}"


def read_url(text: str) -> UrlTemplate:
    """Raises ValueError with the mend; no error repeats any part of the text but a field."""
    found = _URL.fullmatch(text)
    if found is None:
        raise ValueError("must look like https://host/path?key={parameter}")
    scheme, authority, path, query = found.groups()
    if not _AUTHORITY.fullmatch(authority):
        raise ValueError("must name a host of yours, with neither a login nor a parameter in it")
    if any(part in (".", "..") for part in path.split("/")):
        raise ValueError("may not have . or .. in its path")
    return UrlTemplate(
        f"{scheme}://{authority}",
        tuple(read(part) for part in path.split("/")),
        tuple(read(part) for part in (query or "").split("&") if part),
    )


def _segment(template: Template, values: Values) -> str:
    """Some servers decode a path and only then resolve its dots, so those are not even encoded."""
    for name in sorted(template.names):
        text = plain(values[name])
        if not text.strip() or any(part in (".", "..") for part in re.split(r"[/\\]", text)):
            raise ToolError(f"{name} cannot be that")
    filled = _filled(template, values)
    if template.names and filled in (".", ".."):
        raise ToolError(f"{min(template.names)} cannot be that")
    return filled


def _filled(template: Template, values: Values) -> str:
    return "".join(
        part if isinstance(part, str) else quote(plain(values[part.name]), safe="")
        for part in template.parts
    )


def _lacks(template: Template, values: Values) -> bool:
    return any(values[name] is None for name in template.names)


# ---------------------------------------------------------------- bodies


def names_in(body: object) -> set[str]:
    """The fields of a body as the owner wrote it. Raises ValueError."""
    match body:
        case str():
            return read(body).names
        case Mapping():
            return {name for each in body.values() for name in names_in(each)}
        case list():
            return {name for each in body for name in names_in(each)}
        case _:
            return set()


def fill_body(body: object, values: Values) -> object:
    """A string that is one field becomes its value, as a number where it is one; a key whose value
    was left out is left out as well."""
    match body:
        case str():
            template = read(body)
            if template.only is not None:
                value = values[template.only]
                return value.isoformat() if isinstance(value, date | time) else value
            return "".join(
                part if isinstance(part, str) else _part(values[part.name])
                for part in template.parts
            )
        case Mapping():
            filled = {key: fill_body(each, values) for key, each in body.items()}
            return {key: each for key, each in filled.items() if each is not None}
        case list():
            return [fill_body(each, values) for each in body]
        case _:
            return body


def _part(value: Value) -> str:
    return "" if value is None else plain(value)
