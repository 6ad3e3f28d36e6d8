"""A real Radicale, in a process of its own, as an async context."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx

USER, PASSWORD = "anna", "s3cret-Passw0rd"
MAKE = """<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:set><D:prop><D:displayname>{name}</D:displayname></D:prop></D:set></C:mkcalendar>"""


@dataclass(frozen=True)
class Radicale:
    url: str  # of the account's home
    process: anyio.abc.Process

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, auth=(USER, PASSWORD), timeout=30)

    async def make(self, calendar: str) -> str:
        """Make a calendar and return its URL."""
        async with self.client() as client:
            made = await client.request(
                "MKCALENDAR", f"{calendar}/", content=MAKE.format(name=calendar)
            )
            assert made.status_code == 201, made.text
        return f"{self.url}{calendar}/"

    async def put(self, calendar: str, name: str, data: str) -> None:
        async with self.client() as client:
            put = await client.put(
                f"{calendar}/{name}.ics", content=data, headers={"Content-Type": "text/calendar"}
            )
            assert put.status_code in (201, 204), put.text

    async def get(self, calendar: str, name: str = "") -> str:
        """A resource, or the whole calendar."""
        async with self.client() as client:
            got = await client.get(f"{calendar}/{name}.ics" if name else f"{calendar}/")
            return got.text if got.status_code == 200 else ""


@asynccontextmanager
async def radicale(folder: Path) -> AsyncIterator[Radicale]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    users = anyio.Path(folder, "users")
    await users.write_text(f"{USER}:{PASSWORD}\n")
    config = anyio.Path(folder, "radicale.conf")
    await config.write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\n"
        "delay = 0\n"
        f"[storage]\nfilesystem_folder = {folder}/collections\n"
        "[logging]\nlevel = error\n"
    )
    command = [sys.executable, "-m", "radicale", "--config", str(config)]
    silent = subprocess.DEVNULL
    async with await anyio.open_process(command, stdout=silent, stderr=silent) as process:
        try:
            with anyio.fail_after(20):
                await _answer(port)
            yield Radicale(f"http://127.0.0.1:{port}/{USER}/", process)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()


async def _answer(port: int) -> None:
    while True:
        try:
            async with await anyio.connect_tcp("127.0.0.1", port):
                return
        except OSError:
            await anyio.sleep(0.05)
