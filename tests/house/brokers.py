"""A real mosquitto for tests, as an async context with a URL, and the demo home to play on one."""

import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio

from parlour.home.demo import DemoHome, run_demo
from parlour.ids import StageName
from parlour.supervise import Stage
from parlour.tasks import task_group


def find_mosquitto() -> str | None:
    return shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@asynccontextmanager
async def mosquitto(
    folder: Path, *, port: int = 0, lines: str = "allow_anonymous true\n"
) -> AsyncIterator[tuple[str, anyio.abc.Process]]:
    """Run mosquitto on a port, a free one for 0; yields its URL and the process, which the test
    may kill. `lines` go into its configuration."""
    binary = find_mosquitto()
    assert binary is not None
    port = port or free_port()
    config = anyio.Path(folder, "mosquitto.conf")
    await config.write_text(f"listener {port} 127.0.0.1\n{lines}")
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


@asynccontextmanager
async def demo_at(url: str) -> AsyncIterator[DemoHome]:
    """Play the demo home on a broker; its `snapshot()` is how its devices really stand."""
    home, stage = DemoHome(), Stage(StageName("demo"))
    async with task_group() as group:
        group.start_soon(run_demo, url, stage, home)
        with anyio.fail_after(5):
            await stage.wait_ready()
        yield home
        group.cancel_scope.cancel()


async def _answer(port: int) -> None:
    while True:
        try:
            async with await anyio.connect_tcp("127.0.0.1", port):
                return
        except OSError:
            await anyio.sleep(0.02)
