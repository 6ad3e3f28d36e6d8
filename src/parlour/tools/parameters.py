"""What a declared tool is called with: its parameters, their schema, and values made of arguments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TypeAlias

from parlour.errors import ToolError
from parlour.ports import Arguments

LONGEST_TEXT = 300  # characters of one argument; what is said in a breath is shorter
KINDS = ("string", "integer", "number", "boolean", "date", "time")

Value: TypeAlias = str | int | float | bool | date | time | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """`kind` is one of KINDS. `choices` are all that it may be, () for anything of its kind."""

    name: str
    kind: str = "string"
    description: str = ""
    choices: tuple[str, ...] = ()
    required: bool = True


def schema(parameters: Iterable[Parameter]) -> dict[str, object]:
    """The JSON schema of an object of them."""
    given = list(parameters)
    return {
        "type": "object",
        "properties": {each.name: _property(each) for each in given},
        "required": [each.name for each in given if each.required],
        "additionalProperties": False,
    }


def _property(parameter: Parameter) -> dict[str, object]:
    formats = {"date": "as 2026-05-31", "time": "as 18:30"}
    said = (parameter.description, formats.get(parameter.kind, ""))
    kind = "string" if parameter.kind in formats else parameter.kind
    shown: dict[str, object] = {"type": kind, "description": ", ".join(filter(None, said))}
    if parameter.choices:
        shown["enum"] = list(parameter.choices)
    return {key: value for key, value in shown.items() if value != ""}


def values_of(parameters: Iterable[Parameter], arguments: Arguments) -> dict[str, Value]:
    """A value for each parameter, None for one that was left out. Raises ToolError."""
    return {each.name: _value(each, arguments) for each in parameters}


def _value(parameter: Parameter, arguments: Mapping[str, object]) -> Value:
    name, given = parameter.name, arguments.get(parameter.name)
    if given is None or (given == "" and not parameter.required):
        if parameter.required:
            raise ToolError(f"{name} is missing")
        return None
    _check(parameter, given)
    match parameter.kind, given:
        case "date", str():
            return day(name, given)
        case "time", str():
            return clock(name, given)
        case "string", str(text):
            return text
        case "boolean", bool(truth):
            return truth
        case "integer" | "number", bool():
            pass
        case ("integer", int(number)) | ("number", int(number) | float(number)):
            return number
        case _:
            pass
    article = "an" if parameter.kind == "integer" else "a"
    raise ToolError(f"{name} must be {article} {parameter.kind}")


def _check(parameter: Parameter, given: object) -> None:
    name = parameter.name
    if isinstance(given, str):
        if len(given) > LONGEST_TEXT:
            raise ToolError(f"{name} has more than {LONGEST_TEXT} characters")
        if not _is_text(given):
            raise ToolError(f"{name} has a character that is not text")
    if parameter.choices and given not in parameter.choices:
        raise ToolError(f"{name} must be one of {', '.join(parameter.choices)}")


def _is_text(text: str) -> bool:
    """JSON can bring half of a pair of surrogates, which nothing can send on."""
    return not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)


def day(name: str, text: str) -> date:
    """Read 2026-05-31, or the day of a date and time. Raises ToolError."""
    try:
        return datetime.fromisoformat(text.strip()).date()
    except ValueError as error:
        raise ToolError(f"{name} must be a date such as 2026-05-31") from error


def clock(name: str, text: str) -> time:
    """Read 18:30. Raises ToolError."""
    try:
        return time.fromisoformat(text.strip())
    except ValueError as error:
        raise ToolError(f"{name} must be a time such as 18:30") from error
