"""A small MCP server on the official SDK, to measure calls with: `python -m parlour_bench.mcp_echo`."""

from mcp.server import MCPServer

server = MCPServer("echo", log_level="ERROR")


@server.tool()
def echo(text: str) -> str:
    """Say it again."""
    return text


if __name__ == "__main__":
    server.run()
