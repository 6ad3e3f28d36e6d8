"""Calls of models made fit for the tools they name: wrong types are mended, nonsense is explained."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from parlour.errors import ToolError
from parlour.ports import Arguments, Tool, ToolCall

LONGEST_TEXT = 2_000  # characters of one argument
LONGEST_NAME = 64  # characters; OpenAI and Anthropic refuse a history with a longer one
LARGEST = 1e15  # nothing that is said is counted further, and JSON keeps it exactly
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_WRAPPERS = ("arguments", "parameters", "args", "input")
_NOTHING = (None, "", "null", "none", "None")


def find_tool(name: str, tools: Mapping[str, Tool]) -> Tool:
    """The tool of that name, however a model spells it. Raises ToolError that names the tools."""
    if name in tools:
        return tools[name]
    known = {_key(each): tool for each, tool in tools.items()}
    spelt = _key(name.removeprefix("functions.").removeprefix("function."))
    if spelt in known:
        return known[spelt]
    near = difflib.get_close_matches(spelt, known, 3, 0.6) or list(known)[:20]
    names = ", ".join(known[each].spec.name for each in near)
    raise ToolError(f"There is no tool {name[:40]!r}. There are: {names}.")


def tidy(call: ToolCall, tools: Mapping[str, Tool]) -> ToolCall:
    """A call as it should have been written, so that two of the same are equal.

    One that cannot work is as the model wrote it, but for a name that no provider takes back.
    """
    try:
        tool = find_tool(call.name, tools)
        return replace(call, name=tool.spec.name, arguments=fitted(call.arguments, tool))
    except ToolError:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", call.name.removeprefix("functions."))
        return replace(call, name=name[:LONGEST_NAME] or "nothing")


def fitted(arguments: Mapping[str, object], tool: Tool) -> Arguments:
    """The arguments as the tool's schema wants them. Raises ToolError that says what is wrong."""
    schema = tool.spec.parameters
    properties = _mapping(schema.get("properties"))
    given = _unwrapped(arguments, properties)
    required = schema.get("required")
    fit: dict[str, object] = {}
    for key, wanted in properties.items():
        value = _named(given, key)
        needed = isinstance(required, Sequence) and key in required
        if _is_plain(value) and value in _NOTHING:
            if needed:
                raise ToolError(f"{tool.spec.name} needs {key}: {_describe(_mapping(wanted))}.")
            continue
        fit[key] = _fit(key, value, _mapping(wanted))
    if not properties and schema.get("additionalProperties", True):
        return dict(given)
    return fit


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str)


def _unwrapped(
    arguments: Mapping[str, object], properties: Mapping[str, Any]
) -> Mapping[str, object]:
    """Some models put the arguments into an object of their own."""
    if len(arguments) == 1 and not any(_key(key) in map(_key, properties) for key in arguments):
        (key, inner), *_ = arguments.items()
        if key in _WRAPPERS and isinstance(inner, dict):
            return inner
    return arguments


def _named(given: Mapping[str, object], key: str) -> object:
    if key in given:
        return given[key]
    return next((value for name, value in given.items() if _key(name) == _key(key)), None)


def _fit(key: str, value: object, wanted: Mapping[str, Any]) -> object:
    options = wanted.get("enum")
    if isinstance(options, list) and options:
        value = _option(value, options)
        if value in options:
            return value
    kind = wanted.get("type")
    kinds = [k for k in kind if k != "null"] if isinstance(kind, list) else [kind]
    if len(kinds) > 1 and _is_of(value, kinds):
        return value
    match kinds[0]:
        case "string":
            return _text(key, value)
        case "number" | "integer":
            return _number(key, value, wanted, whole=kinds[0] == "integer")
        case "boolean":
            return _boolean(key, value)
        case "array":
            items = value if isinstance(value, list) else [value]
            return [_fit(key, item, _mapping(wanted.get("items"))) for item in items]
        case _:
            return value


def _option(value: object, options: Sequence[object]) -> object:
    """The option that is meant; what is none goes to the tool, which knows what is nearest."""
    if value in options:
        return value
    spelt = {_key(str(option)): option for option in options}
    return spelt.get(_key(str(value)), value)


def _text(key: str, value: object) -> str:
    if isinstance(value, str):
        return value.strip()[:LONGEST_TEXT]
    if isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else f"{_finite(key, value):g}"
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return value[0].strip()[:LONGEST_TEXT]
    raise ToolError(f"{key} must be a text.")


def _number(key: str, value: object, wanted: Mapping[str, Any], *, whole: bool) -> float | int:
    if isinstance(value, str):
        found = _NUMBER.findall(value)
        value = float(found[0].replace(",", ".")) if len(found) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ToolError(f"{key} must be a number.")
    value = _finite(key, value)
    low, high = wanted.get("minimum"), wanted.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        raise ToolError(f"{key} must lie between {low} and {high}.")
    return round(value) if whole or float(value).is_integer() else value


def _finite(key: str, value: float) -> float | int:
    if -LARGEST <= value <= LARGEST:
        return value
    raise ToolError(f"{key} must be a number.")


def _boolean(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    spelt = str(value).strip().casefold()
    if spelt in _TRUE or spelt in _FALSE:
        return spelt in _TRUE
    raise ToolError(f"{key} must be true or false.")


def _is_of(value: object, kinds: Sequence[object]) -> bool:
    match value:
        case bool():
            return "boolean" in kinds
        case str():
            return "string" in kinds
        case int() | float():
            return "number" in kinds or "integer" in kinds
        case _:
            return False


def _describe(wanted: Mapping[str, Any]) -> str:
    return str(wanted.get("description") or wanted.get("type") or "a value")[:100]


def _key(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name).casefold()


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}
