"""The MCP servers of the configuration: their sessions, kept up, and all their tools."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from parlour import tasks
from parlour.app.clock import data_folder
from parlour.app.mcpsection import COMMAND_TIER, URL_TIER, McpSection
from parlour.app.sections import Config
from parlour.ports import Tool
from parlour.supervise import RestartRule, Stages, keep_running
from parlour.tools.mcp.options import McpOptions
from parlour.tools.mcp.pins import FILE, Pins

# To start a program costs seconds of a core. Three starts that hang are enough to call it down.
RULE = RestartRule(first_s=0.5, longest_s=60.0, failures=3, within_s=120.0)


class McpServers:
    """`run` is their life; each has a stage of its own, `mcp:<name>`."""

    def __init__(self, config: Config, stages: Stages) -> None:
        # Here, so that a house without servers does not load the SDK.
        from parlour.tools.mcp.server import McpServer  # noqa: PLC0415

        pins = pins_of(config)
        self._servers = [
            (McpServer(options_of(name, section), pins), stages.add(f"mcp:{name}", needed=False))
            for name, section in config.mcp.items()
        ]

    def tools(self) -> list[Tool]:
        """Of all servers that are connected, in the order of the configuration."""
        return [tool for server, _ in self._servers for tool in server.tools()]

    async def run(self) -> None:
        """Keep every server connected until cancelled; none is left running afterwards."""
        async with tasks.task_group() as group:
            for server, stage in self._servers:
                group.start_soon(keep_running, stage, partial(server.run, stage), RULE)


async def check_server(config: Config, name: str) -> tuple[list[str], str]:
    """Start one, and end it again: its tools that may be used, and what the owner should know.

    Nothing is pinned by this. Raises ProviderError where it cannot be started or asked.
    """
    from parlour.tools.mcp.server import McpServer  # noqa: PLC0415  # as above

    with TemporaryDirectory(prefix="parlour-doctor-") as folder:
        kept, copy = data_folder(config) / FILE, Path(folder) / FILE
        if kept.is_file():
            copy.write_bytes(kept.read_bytes())
        server = McpServer(options_of(name, config.mcp[name]), Pins(copy))
        stage = Stages().add(f"mcp:{name}", needed=False)
        async with tasks.task_group() as group:
            group.start_soon(server.run, stage)
            await stage.wait_ready()
            tools, note = [tool.spec.name for tool in server.tools()], stage.reason
            group.cancel_scope.cancel()
    return tools, note


def pins_of(config: Config) -> Pins:
    return Pins(data_folder(config) / FILE)


def options_of(name: str, section: McpSection) -> McpOptions:
    tier = COMMAND_TIER if section.command else URL_TIER
    return McpOptions(
        name,
        command=tuple(section.command or ()),
        environment={k: v.get_secret_value() for k, v in section.environment.items()},
        folder=Path(section.folder).expanduser() if section.folder else None,
        url=section.url or "",
        headers={k: v.get_secret_value() for k, v in section.headers.items()},
        tools=tuple(section.tools),
        tier=tier if section.tier is None else section.tier,
        deadline_s=section.deadline_s,
        start_s=section.start_s,
    )
