"""The look-ups among Home Assistant's templates: `{{ value_json.a["b"] }}` and `{{ value }}`, no more."""

import json
import re
from dataclasses import dataclass

_LOOKUP = re.compile(
    r"\{\{-?\s*(value|value_json)((?:\.\w+|\[(?:'[^']*'|\"[^\"]*\"|\d+)\])*)\s*-?\}\}"
)
_STEP = re.compile(r"\.(\w+)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A path into a payload; `is_json` false: the payload itself as text."""

    is_json: bool = False
    path: tuple[str | int, ...] = ()

    def read(self, payload: str) -> object:
        """Return the value, None when the payload does not hold it or is no JSON."""
        if not self.is_json:
            return payload
        try:
            value = json.loads(payload)
        except (ValueError, RecursionError):
            return None
        for step in self.path:
            match value:
                case dict():
                    value = value.get(str(step))
                case list() if isinstance(step, int) and step < len(value):
                    value = value[step]
                case _:
                    return None
        return value


def parse_template(text: str) -> Lookup | None:
    """Return the look-up that a template is, None when it is more than a look-up."""
    found = _LOOKUP.fullmatch(text.strip())
    if found is None:
        return None
    root, rest = found.groups()
    if root == "value":
        return None if rest else Lookup()
    path: list[str | int] = []
    for dotted, single, double, index in _STEP.findall(rest):
        path.append(int(index) if index else dotted or single or double)
    return Lookup(is_json=True, path=tuple(path))
