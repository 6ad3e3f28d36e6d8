"""Brokers for tests: the embedded one and a real mosquitto, each as an async context with a URL."""

import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio


def find_mosquitto() -> str | None:
    return shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[tuple[str, anyio.abc.Process]]:
    """Run mosquitto on a free port; yields its URL and the process, which the test may kill."""
    binary = find_mosquitto()
    assert binary is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    config = anyio.Path(folder, "mosquitto.conf")
    await config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    silent = subprocess.DEVNULL
    command = [binary, "-c", str(config)]
    async with await anyio.open_process(command, stdout=silent, stderr=silent) as process:
        try:
            with anyio.fail_after(5):
                await _answer(port)
            yield f"mqtt://127.0.0.1:{port}", process
        finally:
            with suppress(ProcessLookupError):
                process.terminate()


async def _answer(port: int) -> None:
    while True:
        try:
            async with await anyio.connect_tcp("127.0.0.1", port):
                return
        except OSError:
            await anyio.sleep(0.02)
