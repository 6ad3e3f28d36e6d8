"""The tools of a server that may be used: allowed by the owner, known by their pins, cleaned."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from anyio import to_thread
from mcp_types import Tool as OfferedTool

from parlour.ports import Arguments, Order, Tool, ToolResult, ToolSpec
from parlour.tools.mcp.options import EVERY, McpOptions
from parlour.tools.mcp.pins import Offer, Pins
from parlour.tools.mcp.schema import (
    LONGEST_DESCRIPTION,
    UnusableError,
    clean_schema,
    clean_text,
    fingerprint,
    tool_name,
)

log = logging.getLogger(__name__)

MOST_TOOLS = 32  # of a server: each stands in every prompt
MOST_NAMED = 20  # tools in a line of the log
MOST_SHOWN = 64  # names of tools in `parlour mcp list` that are not allowed yet

NAME = re.compile(r"[!-~]{1,128}")  # others do not exist: a name is shown on terminals
LONGEST_SHOWN = 60  # characters of one in a log

Call: TypeAlias = Callable[[str, Arguments, Order], Awaitable[ToolResult]]
"""Calls a tool by the server's own name for it."""


class Shelf:
    """`tools` is what can be called; the same objects as long as nothing changes."""

    def __init__(self, options: McpOptions, pins: Pins, call: Call) -> None:
        self.tools: list[Tool] = []
        self._options = options
        self._pins = pins
        self._call = call
        self._stamp: tuple[int, ...] = ()
        self._built: dict[str, Tool] = {}  # by fingerprint

    @property
    def is_outdated(self) -> bool:
        """Whether something was approved, or forgotten, since the last look."""
        return self._pins.stamp() != self._stamp

    async def stock(self, offered: Mapping[str, OfferedTool]) -> str:
        """Put out what may be used of an offer; return what the owner should know, "" if nothing.

        Raises ConfigError where the pins cannot be read or kept.
        """
        wanted = self._options.tools
        offered = {name: tool for name, tool in offered.items() if NAME.fullmatch(name)}
        chosen = [tool for name, tool in offered.items() if EVERY in wanted or name in wanted]
        del chosen[MOST_TOOLS:]
        chosen.sort(key=lambda tool: tool.name)  # a prompt that stays the same stays cached
        offers = {
            tool.name: Offer(
                fingerprint(tool.name, tool.description or "", tool.input_schema),
                clean_text(tool.description or "", LONGEST_DESCRIPTION),
            )
            for tool in chosen
        }
        check = partial(
            self._pins.check,
            self._options.name,
            offers,
            every=EVERY in wanted,
            known=tuple(_shown(tool.name) for tool in list(offered.values())[:MOST_SHOWN]),
        )
        refused = await to_thread.run_sync(check)
        self._stamp = self._pins.stamp()
        self._build([(offers[t.name].fingerprint, t) for t in chosen if t.name not in refused])
        return "; ".join(self._notes(offered, refused))

    def _build(self, usable: Sequence[tuple[str, OfferedTool]]) -> None:
        built: dict[str, Tool] = {}
        names: set[str] = set()
        for key, offered in usable:
            try:
                tool = self._built.get(key) or self._make(offered)
                if tool.spec.name in names:
                    raise UnusableError("another one has the same name")
            except UnusableError as error:
                shown = _shown(offered.name)
                log.warning("%s: the tool %s is left out: %s", self._options.name, shown, error)
                continue
            names.add(tool.spec.name)
            built[key] = tool
        self._built = built
        self.tools = list(built.values())

    def _make(self, offered: OfferedTool) -> Tool:
        tier = self._options.tier
        description = clean_text(offered.description or "", LONGEST_DESCRIPTION)
        return Tool(
            ToolSpec(
                tool_name(self._options.name, offered.name),
                description or _shown(offered.name),
                clean_schema(offered.input_schema),
            ),
            run=partial(self._call, offered.name),
            tier=lambda _arguments: tier,
            deadline_s=self._options.deadline_s + 1.0,  # the session's own comes first
            trusted=False,
        )

    def _notes(self, offered: Mapping[str, OfferedTool], refused: Mapping[str, str]) -> list[str]:
        name, wanted = self._options.name, self._options.tools
        notes: list[str] = []
        if refused:
            which = ", ".join(f"{_shown(tool)} ({why})" for tool, why in refused.items())
            notes.append(
                f"switched off: {which}; look at them with `parlour mcp list`, and take"
                f" them with `parlour mcp approve {name}`"
            )
        missing = [tool for tool in wanted if tool not in offered and tool != EVERY]
        if missing:
            notes.append(f"it does not offer {', '.join(missing)}")
        if missing or not wanted:
            shown = [_shown(tool) for tool in list(offered)[:MOST_NAMED]]
            more = f" and {len(offered) - MOST_NAMED} more" if len(offered) > MOST_NAMED else ""
            notes.append(f"mcp.{name}.tools may name {', '.join(shown) or 'nothing'}{more}")
        if EVERY in wanted and len(offered) > MOST_TOOLS:
            notes.append(f"only the first {MOST_TOOLS} of its {len(offered)} tools are used")
        return notes


def _shown(name: str) -> str:
    return clean_text(name, LONGEST_SHOWN)
