"""A configuration file's text as plain values: YAML, each key once, `${VAR}` from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

LARGEST_CHARS = 256 * 1024
LONGEST_NUMBER = 40  # characters; a longer one is text, so that no number is too large to handle

KeyPath: TypeAlias = tuple[str | int, ...]
Value: TypeAlias = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

_REFERENCE = re.compile(r"(\$?)\$\{([^}\n]*)\}")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?")
_PRIVATE_USE = re.compile(r"([\ue000-\uf8ff])\1*")
_FIRST_PRIVATE, _MOST_REFERENCES = 0xE000, 0xF8FF - 0xE000 + 1


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong under one key, without the key itself. `()` is the file as a whole."""

    key: KeyPath
    text: str


@dataclass(slots=True)
class FileValues:
    values: dict[str, Value] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    references: dict[KeyPath, str] = field(default_factory=dict)  # as the file has them: "${VAR}"


def key_text(path: KeyPath) -> str:
    """Write a path as people do: `satellites.kitchen.area`, `languages[1]`."""
    text = ""
    for part in path:
        shown = f"[{part}]" if isinstance(part, int) else part or "''"
        text += f".{shown}" if text and isinstance(part, str) else shown
    return text


def read_text(text: str, environ: Mapping[str, str]) -> FileValues:
    """Read a file's text. Never raises: what is wrong is in `problems`, the rest in `values`.

    A value with a problem of its own is left out. Numbers, true, false and null are those of
    YAML 1.2, so that `no` and `12:30` stay text.
    """
    file = FileValues()
    if len(text) > LARGEST_CHARS:
        file.problems.append(Problem((), f"is larger than {LARGEST_CHARS // 1024} KiB"))
        return file
    if _PRIVATE_USE.search(text):
        file.problems.append(Problem((), "has a character of Unicode's private use area"))
        return file
    references: list[str] = []
    try:
        root = yaml.compose(_hide_references(text, references), _Loader)
    except yaml.YAMLError as error:
        file.problems.append(_syntax_problem(error))
        return file
    except RecursionError:
        file.problems.append(Problem((), "is nested too deeply"))
        return file
    if root is None or _is_null(root):
        return file
    if not isinstance(root, yaml.MappingNode):
        file.problems.append(Problem((), "must be a list of `key: value` lines"))
        return file
    _Reader(file, references, environ).mapping(root, ())
    return file


# A reference such as ${VAR} has braces, which YAML takes for a mapping where it stands between
# other braces. Before YAML sees the text, each is replaced by as many private characters of one
# kind as it is long, so that YAML takes it for text and columns in its errors stay right.


def _hide_references(text: str, references: list[str]) -> str:
    def hide(match: re.Match[str]) -> str:
        if len(references) == _MOST_REFERENCES:
            return match[0]
        references.append(match[0])
        return chr(_FIRST_PRIVATE + len(references) - 1) * len(match[0])

    return _REFERENCE.sub(hide, text)


class _Loader(yaml.SafeLoader):
    """YAML with the few plain types of its 1.2 core, and without anchors."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # PyYAML's own, replaced on purpose

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            raise yaml.composer.ComposerError(
                problem="a value that begins with & or * must be put in quotes",
                problem_mark=event.start_mark,
            )
        return super().compose_node(parent, index)


_TAG = "tag:yaml.org,2002:"
_PLAIN = {
    "null": re.compile(r"(?:~|null|Null|NULL|)\Z"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(r"[-+]?[0-9]+\Z"),
    "float": re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"),
}
for _name, _pattern in _PLAIN.items():
    _Loader.add_implicit_resolver(_TAG + _name, _pattern, None)


def _syntax_problem(error: yaml.YAMLError) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        # It quotes its own tokens ('<block end>', ','); longer words are the file's, perhaps secret.
        said = re.sub(r"'(?!<)[^']{2,}?'|('[^']*')", r"\1", error.problem or "this is not YAML")
        return Problem((), f"line {mark.line + 1}, column {mark.column + 1}: {said}")
    if isinstance(error, yaml.reader.ReaderError):
        return Problem((), f"has a character that is not text at position {error.position}")
    return Problem((), "is not YAML")


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "null"


class _Wrong(Exception):  # noqa: N818  # a private signal that one value is left out
    """This value has a problem, which is noted already."""


class _Reader:
    """Turns YAML's nodes into values, noting problems, lines and references on the way."""

    def __init__(self, file: FileValues, references: list[str], environ: Mapping[str, str]) -> None:
        self._file = file
        self._references = references
        self._environ = environ

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Value]:
        values = self._file.values if not path else {}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or _PRIVATE_USE.search(key_node.value):
                self._note(path, f"line {line}: a key must be plain text")
                continue
            key = key_node.value
            here = (*path, key)
            if key in seen:
                self._note(here, f"is given twice, in line {seen[key]} and in line {line}")
                continue
            seen[key] = self._file.lines[here] = line
            try:
                values[key] = self._value(value_node, here)
            except _Wrong:
                continue
        return values

    def _value(self, node: yaml.Node, path: KeyPath) -> Value:
        kind = node.tag.removeprefix(_TAG)
        match node:
            case yaml.MappingNode() if kind == "map":
                return self.mapping(node, path)
            case yaml.SequenceNode() if kind == "seq":
                return [self._value(item, (*path, at)) for at, item in enumerate(node.value)]
            case yaml.ScalarNode() if kind in _PLAIN and _PLAIN[kind].match(node.value):
                return self._plain(node.value, kind)
            case yaml.ScalarNode() if kind == "str":
                return self._expand(node.value, path)
            case _:
                raise self._wrong(path, "a value that begins with ! must be put in quotes")

    def _plain(self, text: str, kind: str) -> Value:
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if len(text) > LONGEST_NUMBER:
            return text
        return int(text) if kind == "int" else float(text)

    def _expand(self, text: str, path: KeyPath) -> str:
        if "${" in text:
            raise self._wrong(
                path, "has a ${ that is never closed; write $${...} for a plain ${...}"
            )
        found: list[str] = []

        def value(match: re.Match[str]) -> str:
            number = ord(match[1]) - _FIRST_PRIVATE
            if number >= len(self._references):
                return match[0]  # the file's own
            raw = self._references[number]
            if raw.startswith("$$"):
                return raw[1:]
            found.append(re.sub(r":-.*", "", raw[:-1]) + "}")
            return self._look_up(raw, path)

        expanded = _PRIVATE_USE.sub(value, text)
        if found:
            self._file.references[path] = " ".join(found)
        return expanded

    def _look_up(self, raw: str, path: KeyPath) -> str:
        parts = _NAME.fullmatch(raw[2:-1])
        if parts is None:
            raise self._wrong(
                path, "has a reference without a name; write ${NAME} or ${NAME:-default}"
            )
        name, default = parts[1], parts[2]
        # As in a shell, `:-` also serves when the variable is there but empty.
        value = self._environ.get(name)
        if default is not None:
            return value or default
        if value is None:
            raise self._wrong(
                path,
                f"the environment variable {name} is not set;"
                f" set it, or write ${{{name}:-default}}",
            )
        return value

    def _note(self, path: KeyPath, text: str) -> None:
        self._file.problems.append(Problem(path, text))

    def _wrong(self, path: KeyPath, text: str) -> _Wrong:
        self._note(path, text)
        return _Wrong()
