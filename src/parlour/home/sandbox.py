"""Jinja for templates from outside: only what is named here, and never more work than is bounded.

Jinja's own sandbox keeps a template from reaching into Python but not from filling the memory. Here
there are no loops and no powers, arithmetic is on numbers below 1e18, texts have an upper length,
and what is built of names cannot be given a name, so that nothing doubles.
"""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from parlour.home.template_functions import (
    FILTERS,
    GLOBALS,
    RefusedError,
    bounded,
    join_texts,
    watched,
)

log = logging.getLogger(__name__)

LONGEST_SOURCE = 4096  # characters
LONGEST_RESULT = 4096  # characters
MOST_NODES = 500
DEEPEST = 40

_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.List,
    nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.If, nodes.Filter,
    nodes.Test, nodes.Call, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div,
    nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat, nodes.Assign,
)  # fmt: skip
_TESTS = {
    "defined", "undefined", "none", "number", "string", "mapping", "sequence", "boolean",
    "integer", "float", "true", "false", "in", "even", "odd", "eq", "equalto", "ne", "lt", "le",
    "gt", "ge", "==", "!=", "<", "<=", ">", ">=",
}  # fmt: skip
_METHODS = {
    str: {"lower", "upper", "strip", "split", "startswith", "endswith", "title", "capitalize"},
    dict: {"get"},
    dt.datetime: {"isoformat", "timestamp"},
    dt.timedelta: {"total_seconds"},
}
_CALLED = {name for names in _METHODS.values() for name in names}
_FIELDS = {
    dt.datetime: {"year", "month", "day", "hour", "minute", "second"},
    dt.timedelta: {"days", "seconds"},
}
# What a template of Home Assistant may ask for beyond its message: refused, with this word.
_OF_OTHERS = {"states", "is_state", "state_attr", "is_state_attr", "has_value", "expand", "this"}


@dataclass(frozen=True, slots=True)
class Script:
    """A compiled template; equal when its source is."""

    source: str
    _compiled: jinja2.Template = field(compare=False, repr=False)

    def render(self, variables: Mapping[str, object]) -> str | None:
        """The text, None when it cannot be made or is too long. Never raises."""
        pieces, length = [], 0
        try:
            for piece in self._compiled.generate(variables):
                length += len(piece)
                if length > LONGEST_RESULT:
                    raise RefusedError(f"the result is longer than {LONGEST_RESULT} characters")
                pieces.append(piece)
        except (
            jinja2.TemplateError, ArithmeticError, ValueError, TypeError, LookupError,
            AttributeError, RecursionError,
        ) as error:  # fmt: skip
            log.debug("a template gave no value: %s", error, extra={"template": self.source})
            return None
        return "".join(pieces)


def compile_script(source: str) -> Script:
    """Compile a template; RefusedError, a ValueError, with the reason for one that is not allowed."""
    if len(source) > LONGEST_SOURCE:
        raise RefusedError(f"it has {len(source)} characters, more than {LONGEST_SOURCE}")
    try:
        tree = _ENVIRONMENT.parse(source)
        _check(tree)
        # Concatenation is the only operator that Jinja does not let us watch.
        tree = _Joined().visit(tree)
        code = _ENVIRONMENT.compile(tree)
        compiled = jinja2.Template.from_code(_ENVIRONMENT, code, dict(_ENVIRONMENT.globals))
    except (jinja2.TemplateError, RecursionError, SyntaxError, MemoryError) as error:
        why = str(error).partition("\n")[0][:120]
        raise RefusedError(f"it is no template that can be read: {why}") from error
    return Script(source, compiled)


def _check(tree: nodes.Template) -> None:
    known = set(GLOBALS) | {"value", "value_json"} | _COMMAND_NAMES
    queue: list[tuple[nodes.Node, int, bool]] = [(tree, 0, False)]
    count = 0
    while queue:
        node, depth, is_named = queue.pop()
        count += 1
        if count > MOST_NODES or depth > DEEPEST:
            raise RefusedError("it is too complicated")
        if not isinstance(node, _NODES):
            raise RefusedError(f"it uses {type(node).__name__}, which is not allowed")
        if isinstance(node, nodes.Assign):
            is_named = True
            if isinstance(node.target, nodes.Name):
                known.add(node.target.name)
        # A list of a list of a list, each named twice, is no longer than its source but has no
        # end when it is written out.
        is_list = isinstance(node, nodes.List | nodes.Tuple | nodes.Dict)
        if is_named and is_list and next(node.find_all(nodes.Name), None) is not None:
            raise RefusedError("it names a list that is made of names")
        _check_names(node)
        queue.extend((child, depth + 1, is_named) for child in node.iter_child_nodes())
    for name in tree.find_all(nodes.Name):
        if name.name in _OF_OTHERS:
            raise RefusedError(f"it asks about other things of the house ({name.name})")
        if name.name not in known:
            raise RefusedError(f"it uses {name.name[:40]}, which is not known here")


def _check_names(node: nodes.Node) -> None:
    match node:
        case nodes.Name(name=name) | nodes.Getattr(attr=name) if name.startswith("_"):
            raise RefusedError("it uses a name that begins with an underscore")
        case nodes.Getitem(arg=nodes.Const(value=str() as key)) if key.startswith("__"):
            raise RefusedError("it uses a name that begins with an underscore")
        case nodes.Filter(name=name) if name not in FILTERS:
            raise RefusedError(f"it uses the filter {name[:40]}, which is not allowed")
        case nodes.Test(name=name) if name not in _TESTS:
            raise RefusedError(f"it uses the test {name[:40]}, which is not allowed")
        case nodes.Call(dyn_args=None, dyn_kwargs=None, node=nodes.Name()):
            pass
        case nodes.Call(dyn_args=None, dyn_kwargs=None, node=nodes.Getattr(attr=name)):
            if name not in _CALLED:
                raise RefusedError(f"it calls {name[:40]}, which is not allowed")
        case nodes.Call():
            raise RefusedError("it calls something that is not named")
        case nodes.Assign(target=target) if not isinstance(target, nodes.Name):
            raise RefusedError("it sets several names at once")
        case _:
            pass


class _Joined(jinja2.visitor.NodeTransformer):
    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        name = nodes.Name("join_texts", "load", lineno=node.lineno)
        return nodes.Call(name, node.nodes, [], None, None, lineno=node.lineno)


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset[str]()

    def getattr(self, obj: Any, attribute: str) -> Any:
        # A key of the message comes first: "update" and "items" are names of readings, too.
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        for type_, names in (*_METHODS.items(), *_FIELDS.items()):
            if isinstance(obj, type_) and attribute in names:
                return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict | list | tuple | str):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=str(argument)[:40])

    def is_safe_callable(self, obj: Any) -> bool:
        return True  # the tree names everything that is called

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return bounded(left + right)
        is_time = isinstance(left, dt.datetime | dt.timedelta)
        if operator in "+-" and is_time and isinstance(right, dt.datetime | dt.timedelta):
            return super().call_binop(context, operator, left, right)
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise RefusedError(f"{operator} is for numbers")
        return bounded(super().call_binop(context, operator, bounded(left), bounded(right)))


# What templates of commands are given besides the value.
_COMMAND_NAMES = {
    "state", "brightness", "color_temp", "color_temp_kelvin", "red", "green", "blue", "hue", "sat",
    "x", "y", "position", "tilt_position", "position_open", "position_closed", "tilt_min",
    "tilt_max", "code", "tone", "volume_level", "duration", "transition", "effect", "flash",
    "entity_id", "name", "white", "hs", "rgb", "xy",
}  # fmt: skip


def _make_environment() -> _Environment:
    environment = _Environment(optimized=False, autoescape=False, cache_size=0)
    environment.filters = {name: watched(made) for name, made in FILTERS.items()}
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    environment.globals = {name: watched(made) for name, made in GLOBALS.items()}
    environment.globals["join_texts"] = join_texts
    return environment


_ENVIRONMENT = _make_environment()
