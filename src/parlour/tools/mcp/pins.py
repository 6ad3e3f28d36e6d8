"""Which tools the owner knows: the hash of each as it was when it was first seen, or approved.

A server that changes what it says of a tool would otherwise put new words before the model
behind the owner's back. The file is read and replaced under a lock, since `parlour mcp approve`
writes it while the server runs.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from parlour.errors import ConfigError

FILE = "mcp_pins.json"
VERSION = 1
LARGEST_BYTES = 4 * 1024 * 1024
MOST_KNOWN = 128  # tools of a server, those that it no longer offers included

_Servers: TypeAlias = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as its server describes it now; `description` is cleaned."""

    fingerprint: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """What is kept of a tool. `approved` is "" for one that nobody has approved yet."""

    server: str
    tool: str
    approved: str
    offered: str
    description: str

    @property
    def state(self) -> str:
        if self.approved == self.offered:
            return "approved"
        return "changed" if self.approved else "new"


class Pins:
    """Kept in `path`, or in memory for None. Every method raises ConfigError where the file cannot
    be read or written: what is not known to be the same is not used."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._memory: _Servers = {}

    def stamp(self) -> tuple[int, ...]:
        """Another one after each change of the file, by whomever. Costs microseconds."""
        try:
            found = os.stat(self._path) if self._path else None  # noqa: PTH116 - half the time
        except OSError:
            found = None
        return (found.st_ino, found.st_mtime_ns, found.st_size) if found else ()

    def check(
        self, server: str, offers: Mapping[str, Offer], *, every: bool, known: tuple[str, ...] = ()
    ) -> dict[str, str]:
        """Pin what is seen for the first time; return the tools that may not be used, and why.

        `every`: the owner allowed whatever there is. What appears only after the first time is
        then as suspicious as a change. `known` are all names the server offers, for `mcp list`.
        """
        with self._changing() as servers:
            entry = servers.setdefault(server, {"every": False, "tools": {}})
            tools: dict[str, dict[str, str]] = entry["tools"]
            for name in [n for n, kept in tools.items() if not kept["approved"]]:
                if name not in offers:
                    del tools[name]
            wait = every and entry["every"]
            for name, offer in offers.items():
                if name not in tools:
                    if len(tools) >= MOST_KNOWN:
                        continue
                    tools[name] = {"approved": "" if wait else offer.fingerprint}
                tools[name] |= {"offered": offer.fingerprint, "description": offer.description}
            entry["every"] = every
            entry["offers"] = list(known)
        return {
            name: "is one too many" if name not in tools else _pin(server, name, tools[name]).state
            for name, offer in offers.items()
            if name not in tools or tools[name]["approved"] != offer.fingerprint
        }

    def approve(self, server: str, tool: str | None = None) -> list[Pin]:
        """Take a tool, or all of a server, as offered last; return those that this changed."""
        with self._changing() as servers:
            tools = servers.get(server, {}).get("tools", {})
            waiting = [
                _pin(server, name, kept)
                for name, kept in tools.items()
                if tool in (None, name) and kept["approved"] != kept["offered"]
            ]
            for pin in waiting:
                tools[pin.tool]["approved"] = pin.offered
        return waiting

    def pins(self) -> list[Pin]:
        """Everything that is kept, by server and tool."""
        return [
            _pin(server, name, kept)
            for server, entry in sorted(self._read().items())
            for name, kept in sorted(entry["tools"].items())
        ]

    def offers(self, server: str) -> list[str]:
        """The names of all that a server offered when it was last asked."""
        return [str(name) for name in self._read().get(server, {}).get("offers", [])]

    # ------------------------------------------------------------ the file

    @contextmanager
    def _changing(self) -> Iterator[_Servers]:
        if self._path is None:
            yield self._memory
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._path.with_suffix(".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                servers = self._read()
                before = json.dumps(servers)
                yield servers
                if json.dumps(servers) != before:
                    self._write(servers)
        except OSError as error:
            raise ConfigError(f"{self._path}: {error.strerror or error}") from error

    def _read(self) -> _Servers:
        if self._path is None:
            return self._memory
        try:
            with self._path.open("rb") as file:
                text = file.read(LARGEST_BYTES)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigError(f"{self._path}: {error.strerror or error}") from error
        try:
            return _servers(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"{self._path} cannot be read; move it away to have every tool pinned anew"
            ) from error

    def _write(self, servers: _Servers) -> None:
        assert self._path is not None
        handle, new = tempfile.mkstemp(dir=self._path.parent, prefix=".mcp_pins")  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"version": VERSION, "servers": servers}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(new).replace(self._path)
        except BaseException:
            Path(new).unlink(missing_ok=True)
            raise


def _pin(server: str, name: str, kept: Mapping[str, str]) -> Pin:
    return Pin(server, name, kept["approved"], kept["offered"], kept["description"])


def _servers(data: Any) -> _Servers:
    """The file's content, of which every part that is used was looked at."""
    if data["version"] != VERSION:
        raise ValueError(data["version"])
    servers: _Servers = {}
    for server, entry in data["servers"].items():
        tools = {
            str(name): {key: str(kept[key]) for key in ("approved", "offered", "description")}
            for name, kept in entry["tools"].items()
        }
        offers = [str(name) for name in entry.get("offers", [])]
        servers[server] = {"every": bool(entry["every"]), "tools": tools, "offers": offers}
    return servers
