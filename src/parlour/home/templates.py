"""Templates of devices: plain look-ups read directly, all others by Jinja behind an allow-list."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from parlour.home.payloads import Payload, as_text
from parlour.home.sandbox import Script, compile_script

_LOOKUP = re.compile(
    r"\{\{-?\s*(value|value_json)((?:\.[A-Za-z]\w*|\[(?:'[^']*'|\"[^\"]*\"|\d+)\])*)\s*-?\}\}"
)
_STEP = re.compile(r"\.(\w+)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[(\d+)\]")
_TAG = re.compile(r"\{[{%#]")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A path into a payload; `is_json` false: the payload itself as text."""

    is_json: bool = False
    path: tuple[str | int, ...] = ()

    def read(self, payload: Payload) -> object:
        """Return the value, None when the payload does not hold it or is no JSON."""
        if not self.is_json:
            return payload.text
        value = payload.json
        for step in self.path:
            match value:
                case dict():
                    value = value.get(str(step))
                case list() if isinstance(step, int) and step < len(value):
                    value = value[step]
                case _:
                    return None
        return value

    def write(self, value: object, variables: Mapping[str, object] | None = None) -> str | None:
        """The message for a command's value; None when the template asks for what is not there."""
        return None if self.is_json else as_text(value)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template that is more than a look-up."""

    script: Script

    def read(self, payload: Payload) -> object:
        """Return the text, None when it cannot be made or is empty."""
        variables: dict[str, object] = {"value": payload.text}
        if payload.json is not None:
            variables["value_json"] = payload.json
        text = self.script.render(variables)
        return None if text is None or text.strip() in ("", "None") else text.strip()

    def write(self, value: object, variables: Mapping[str, object] | None = None) -> str | None:
        """The message for a command's value; None when it cannot be made."""
        # An empty message would be a command, too, and one that nobody gave.
        return self.script.render({"value": value, **(variables or {})}) or None


Template = Lookup | Rendered


@lru_cache(maxsize=2048)
def parse_template(text: str) -> Template:
    """Read a template; ValueError, with the reason, for one that is not allowed.

    Compiling costs up to 5 ms, but devices of one make share their few templates.
    """
    found = _LOOKUP.fullmatch(text.strip())
    if found is not None and not (found[1] == "value" and found[2]):
        return _lookup(found[1], found[2])
    return Rendered(compile_script(text))


def is_template(text: str) -> bool:
    """Whether a text holds anything to be filled in."""
    return _TAG.search(text) is not None


def _lookup(root: str, rest: str) -> Lookup:
    if root == "value":
        return Lookup()
    path: list[str | int] = []
    for dotted, single, double, index in _STEP.findall(rest):
        path.append(int(index) if index else dotted or single or double)
    return Lookup(is_json=True, path=tuple(path))
