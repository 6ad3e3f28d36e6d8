"""The whole server as its owner starts it, in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from parlour.app.cli import main
from parlour.app.virtual_device import VirtualDevice
from parlour.app.virtual_turn import Turn
from parlour.audio import Pcm, join, silence

START_S = 20.0


class Running:
    """A `parlour serve` of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.device_url = f"ws{url.removeprefix('http')}/device"

    def health(self) -> dict[str, Any]:
        body: dict[str, Any] = httpx.get(f"{self.url}/health", trust_env=False).json()
        return body

    def entities(self) -> dict[str, dict[str, Any]]:
        body = httpx.get(f"{self.url}/api/home", trust_env=False).json()
        return {entity["id"]: entity["state"] for entity in body["entities"]}

    def ask(self, text: str, **options: object) -> dict[str, Any]:
        body: dict[str, Any] = httpx.post(
            f"{self.url}/api/ask", json={"text": text, **options}, trust_env=False
        ).json()
        return body


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    stdout: str
    stderr: str


def parlour(url: str, *arguments: str) -> Ended:
    """The command line as it is typed, without the second that a process of its own takes."""
    out, err, code = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["parlour", *arguments, "--url", url])
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


@contextmanager
def serving(folder: Path, config: str = "") -> Iterator[Running]:
    """Serve by a configuration, to which a folder for the data below `folder` is added."""
    (folder / "config.yml").write_text(f"{config}\ndata: {{folder: '{folder / 'data'}'}}\n")
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "parlour", "serve", "--port", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "Parlour listens on http://" in line
        assert time.monotonic() - began < START_S
        yield Running(process, line.split()[3])
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def padded(pcm: Pcm) -> Pcm:
    return join([silence(0.3, 16_000), pcm, silence(0.3, 16_000)], 16_000)


def say(server: Running, pcm: Pcm) -> Turn:
    async def speak() -> Turn:
        async with VirtualDevice(server.device_url, "test") as link:
            return await link.speak(padded(pcm))

    return anyio.run(speak)
