"""Commands about MCP servers. They need no running server: what it saw is in the data folder."""

import json

import typer

from parlour.app.mcpservers import pins_of
from parlour.app.sections import Config
from parlour.app.tables import print_table
from parlour.errors import InputError
from parlour.tools.mcp.options import EVERY
from parlour.tools.mcp.pins import Pin


def list_tools(config: Config, *, as_json: bool) -> None:
    pins = pins_of(config)
    known = [pin for pin in pins.pins() if pin.server in config.mcp]
    others = {name: _not_allowed(config, name, pins.offers(name)) for name in config.mcp}
    if as_json:
        records = [
            {"server": p.server, "tool": p.tool, "state": p.state, "description": p.description}
            for p in known
        ]
        typer.echo(json.dumps({"tools": records, "not_allowed": others}, ensure_ascii=False))
        return
    rows = [(p.server, p.tool, _state(config, p), p.description) for p in known]
    if rows:
        print_table(("SERVER", "TOOL", "STATE", "WHAT IT SAYS OF ITSELF"), rows)
    for name, section in config.mcp.items():
        if others[name]:
            typer.echo(f"{name} also offers {', '.join(others[name])}")
        elif not any(pin.server == name for pin in known):
            what = "has not been connected yet" if section.tools else "is allowed no tool"
            typer.echo(f"{name} {what}")
    if not config.mcp:
        typer.echo("no MCP server is configured")


def approve(config: Config, server: str, tool: str | None) -> None:
    """Take what a server offers now. It is used within a moment, by a running server too."""
    if server not in config.mcp:
        there = ", ".join(config.mcp) or "none"
        raise InputError(f"no MCP server is called {server}; there are: {there}")
    pins = pins_of(config)
    known = [pin.tool for pin in pins.pins() if pin.server == server]
    if tool is not None and tool not in known:
        raise InputError(f"{server} has shown no tool {tool}; it has: {', '.join(known) or 'none'}")
    taken = pins.approve(server, tool)
    for pin in taken:
        typer.echo(f"{pin.server} {pin.tool} is approved: {pin.description}")
    if not taken:
        typer.echo("nothing waits to be approved")


def _not_allowed(config: Config, server: str, offers: list[str]) -> list[str]:
    allowed = config.mcp[server].tools
    return [] if EVERY in allowed else [name for name in offers if name not in allowed]


def _state(config: Config, pin: Pin) -> str:
    allowed = config.mcp[pin.server].tools
    return pin.state if EVERY in allowed or pin.tool in allowed else "not allowed"
