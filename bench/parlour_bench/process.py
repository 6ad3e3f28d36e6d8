"""A server of the bench's own: started from nothing, timed until ready, weighed, and stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.abc
import httpx

from parlour.errors import ParlourError

READY_S = 60.0  # a server that needs longer has failed; the target is in report.py
POLL_S = 0.02
STOP_S = 10.0


class ServerFailedError(ParlourError):
    """The server did not start; its last words are in the text."""


@dataclass(frozen=True, slots=True)
class OwnServer:
    url: str  # http://127.0.0.1:PORT
    pid: int
    ready_s: float  # from the start of the process until /health said so


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process and its children hold, in MB of 10^6 bytes."""

    processes: int
    rss_mb: float  # counts shared pages once for each process
    pss_mb: float  # shares them out: what the family takes from the machine
    uss_mb: float  # what would come back if it went


@asynccontextmanager
async def own_server(
    config: Path | None = None, *, core: int | None = None
) -> AsyncIterator[OwnServer]:
    """Run `parlour serve` on a free port, with the built-in default or a configuration.

    With the default its data lie in a folder that is removed; a configuration names its own.
    `core`: the only one that it may run on. Raises ServerFailedError.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environment = dict(os.environ)
    with _log_file() as log:
        folder = Path(log.name).parent
        default = folder / "config.yml"
        default.write_text(f"data: {{folder: {json.dumps(str(folder / 'data'))}}}\n", "utf-8")
        environment["PARLOUR_CONFIG"] = str(config or default)
        began_s = anyio.current_time()
        process = await anyio.open_process(
            [sys.executable, "-m", "parlour", "serve", "--host", "127.0.0.1", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        if core is not None:
            os.sched_setaffinity(process.pid, {core})  # its threads and children follow
        try:
            await _wait_ready(url, process, Path(log.name))
            yield OwnServer(url, process.pid, anyio.current_time() - began_s)
        finally:
            await _stop(process)


def weigh(pid: int) -> Memory | None:
    """Weigh a process with all its children; None where the system cannot tell (not Linux)."""
    rollups = [r for r in map(_read_rollup, _family(pid)) if r is not None]
    if not rollups:
        return None
    rss, pss, uss = (sum(column) * 1024 / 1e6 for column in zip(*rollups, strict=True))
    return Memory(len(rollups), round(rss, 1), round(pss, 1), round(uss, 1))


async def _wait_ready(url: str, process: anyio.abc.Process, log: Path) -> None:
    """Ask until it is ready: another process has no other way to tell."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        with anyio.move_on_after(READY_S):
            while process.returncode is None:
                try:
                    if (await client.get("/health")).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass  # nobody listens yet
                await anyio.sleep(POLL_S)
    why = "ended" if process.returncode is not None else f"was not ready within {READY_S:.0f} s"
    raise ServerFailedError(f"the server {why}; it said: {_last_words(log)}")


async def _stop(process: anyio.abc.Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.terminate()
            with anyio.move_on_after(STOP_S):
                await process.wait()
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


@contextmanager
def _log_file() -> Iterator[BinaryIO]:
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("wb") as log:
        yield log


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "nothing"


def _family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # "pid (name) state ppid ...", where the name may hold anything.
            parent = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
        children.setdefault(parent, []).append(int(stat.parent.name))
    family = [pid]
    for member in family:  # grows while it is walked
        family.extend(children.get(member, []))
    return family


def _read_rollup(pid: int) -> tuple[int, int, int] | None:
    """RSS, PSS and USS in KiB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return None
    kib = {line.partition(":")[0]: int(line.split()[1]) for line in lines}
    return kib["Rss"], kib["Pss"], kib["Private_Clean"] + kib["Private_Dirty"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
