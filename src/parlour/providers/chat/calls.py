"""The arguments of tool calls as JSON text."""

import json
from collections.abc import Mapping


def read_arguments(text: str) -> Mapping[str, object] | None:
    """The object that a model wrote; None if it is none, or only half of one."""
    try:
        read = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def write_arguments(arguments: Mapping[str, object]) -> str:
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
