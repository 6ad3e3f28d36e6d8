"""Tools of installed packages: the section `tools`, loaded through the entry points `parlour.tools`."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points

from parlour.app.toolvalues import check_names
from parlour.errors import ConfigError, ParlourError
from parlour.ports import Tool

GROUP = "parlour.tools"


def plugin_tools(
    settings: Mapping[str, Mapping[str, object]], installed: Iterable[EntryPoint] | None = None
) -> list[Tool]:
    """Call each package that is named with its settings. Raises ConfigError, one for the first.

    `installed` is for tests; as a rule they are those of this Python.
    """
    points = {point.name: point for point in installed or entry_points(group=GROUP)}
    tools: list[Tool] = []
    for name, own in settings.items():
        if name not in points:
            raise ConfigError(f"tools.{name}: {_missing(name, points)}")
        tools += _made(name, points[name], own)
    return tools


def _missing(name: str, points: Mapping[str, EntryPoint]) -> str:
    if not points:
        return "no installed package offers tools; install the one that offers these"
    close = get_close_matches(name, points, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"no installed package offers it; there is {', '.join(sorted(points))}{hint}"


def _made(name: str, point: EntryPoint, settings: Mapping[str, object]) -> list[Tool]:
    package = point.dist.name if point.dist else point.module
    try:
        make: Callable[[Mapping[str, object]], object] = point.load()
    except Exception as error:  # somebody else's code: whatever it raises
        raise ConfigError(f"tools.{name}: {package} cannot be loaded: {_said(error)}") from error
    if not callable(make):
        raise ConfigError(f"tools.{name}: {point.value} of {package} is no function")
    try:
        tools = make(dict(settings))
    except ParlourError as error:
        raise ConfigError(f"tools.{name}: {error}") from error
    except Exception as error:  # as above
        raise ConfigError(f"tools.{name}: {package} failed: {_said(error)}") from error
    if not isinstance(tools, list) or not all(isinstance(tool, Tool) for tool in tools):
        raise ConfigError(f"tools.{name}: {package} must return a list of parlour.ports.Tool")
    try:
        check_names([tool.spec for tool in tools])
    except ValueError as error:
        raise ConfigError(f"tools.{name}: {package}: {error}") from error
    return tools


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0][:200]
