"""MCP servers that break every promise, for tests: `python mcp_rogue.py WAY`. No SDK would."""

import json
import os
import signal
import sys
import time
from typing import Any

TOOLS: list[dict[str, Any]] = [
    {"name": "hello", "description": "Say hello.", "inputSchema": {"type": "object"}}
]
NEWEST = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(line: str, way: str) -> None:
    message = json.loads(line)
    if "id" not in message or "method" not in message:
        return
    match message["method"]:
        case "initialize" if way == "newest":
            error = {"code": -32601, "message": "Method not found"}
            return send({"id": message["id"], "error": error})
        case "server/discover":
            result: dict[str, Any] = {
                "supportedVersions": ["2026-07-28"],
                "capabilities": {},
            }
        case "initialize":
            result = {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "rogue", "version": "1"},
            }
        case "tools/list":
            result = {"tools": TOOLS}
        case "tools/call":
            result = called(way)
        case _:
            result = {}
    send({"id": message["id"], "result": result | (NEWEST if way == "newest" else {})})


def called(way: str) -> dict[str, Any]:
    if way == "nonsense":
        return {"content": "none"}
    misbehave(way)
    hidden = "a\u202eb\x1b[31m\u200b\U000e0041c"
    text = {"big": "x" * 3_000_000, "hidden": hidden}.get(way, "hello")
    return {"content": [{"type": "text", "text": text}]}


def misbehave(way: str) -> None:
    match way:
        case "hang":
            time.sleep(300)
        case "endless":
            while True:
                sys.stdout.write("x" * 65536)
        case "garbage":
            while True:
                sys.stdout.write("what is this?\n")
        case "notify":
            while True:
                send({"method": "notifications/tools/list_changed"})
        case "ask":
            for number in range(1_000_000):
                send({"id": number, "method": "roots/list"})
        case _:
            pass


def main(way: str) -> None:
    match way:
        case "silent":
            time.sleep(300)
        case "ends":
            sys.exit(7)
        case "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case "greets":
            sys.stdout.write("Welcome!\n\nListening on stdio\n")
        case "stderr":
            for _ in range(2000):
                sys.stderr.write("secret " * 200 + "\n")
        case "deaf":
            for _ in range(3):  # the hand-shake and the list; nothing after it
                answer(sys.stdin.readline(), way)
            os.close(0)
            time.sleep(300)
        case _:
            pass
    for line in sys.stdin:
        answer(line, way)
    if way == "stubborn":
        time.sleep(300)


if __name__ == "__main__":
    main(sys.argv[1])
