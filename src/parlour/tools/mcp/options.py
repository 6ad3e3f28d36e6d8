"""What one server is to be run or reached with, and what may be used of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

EVERY = "*"
"""In place of names: every tool that the server offers."""


@dataclass(frozen=True, slots=True)
class McpOptions:
    """Either `command` or `url` is set. Nothing that may hold a secret is in the repr."""

    name: str  # lower case, digits and underscores: tools are called <name>_<tool>
    command: tuple[str, ...] = field(default=(), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path | None = None  # to run it in; None: ours
    url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tools: tuple[str, ...] = ()  # as the server calls them; (EVERY,): all
    tier: int = 1  # of every tool: what a server says of its own harmlessness counts for nothing
    deadline_s: float = 10.0  # of a call
    start_s: float = 15.0  # from the start of the process to its list of tools
