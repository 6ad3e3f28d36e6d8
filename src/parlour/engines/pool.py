"""Several Wyoming servers as one engine: each request goes to the one with the fewest in hand."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from wyoming.event import Event

from parlour import tasks
from parlour.engines.framing import BROKEN, connect
from parlour.errors import ProtocolError, ProviderError
from parlour.supervise import Health, Stage

log = logging.getLogger(__name__)

PROBE_EVERY_S = 5.0
PROBE_S = 3.0  # that a server may take to answer; it may be busy, not dead


@dataclass(slots=True)
class Server:
    """One server of a pool, as it was when it was last asked."""

    uri: str
    healthy: bool = False
    in_hand: int = 0  # requests
    reason: str = "it has not answered yet"
    info: Mapping[str, Any] = field(default_factory=dict)


async def _nothing(_uri: str) -> None:
    """Nothing is to be done before a server is used."""


class WyomingPool:
    """Satisfies `wyoming.Peers`. `run` asks every server again and again how it is."""

    def __init__(self, stage: Stage, uris: Sequence[str]) -> None:
        self.stage = stage
        self.servers = [Server(uri) for uri in uris]
        self.prepare: Callable[[str], Awaitable[None]] = _nothing
        self._news = anyio.Event()

    async def run(self) -> None:
        """Probe until cancelled."""
        async with tasks.task_group() as group:
            for server in self.servers:
                group.start_soon(self._attend, server)

    async def wait_up(self, within_s: float) -> None:
        """Wait for a server that answers. Raises ProviderError after `within_s`."""
        await self._least_busy(within_s)

    @asynccontextmanager
    async def lease(self, within_s: float) -> AsyncIterator[str]:
        server = await self._least_busy(within_s)
        server.in_hand += 1
        try:
            yield server.uri
        except (*BROKEN, TimeoutError, ProtocolError) as error:
            self._found(server, healthy=False, reason=type(error).__name__)
            raise
        finally:
            server.in_hand -= 1

    async def prepare_all(self) -> None:
        for server in self.servers:
            if server.healthy and _learns(server):
                await self.prepare(server.uri)

    async def _least_busy(self, within_s: float) -> Server:
        with anyio.move_on_after(within_s):
            while True:
                healthy = [server for server in self.servers if server.healthy]
                if healthy:
                    return min(healthy, key=lambda server: server.in_hand)
                await self._news.wait()
        reasons = "; ".join(f"{server.uri}: {server.reason}" for server in self.servers)
        raise ProviderError(self.stage.name, f"no server answers ({reasons})")

    async def _attend(self, server: Server) -> None:
        while True:
            try:
                with anyio.fail_after(PROBE_S):
                    server.info = await describe(server.uri)
                if not server.healthy and _learns(server):
                    await self.prepare(server.uri)
            except (*BROKEN, TimeoutError, ProtocolError, ProviderError) as error:
                self._found(server, healthy=False, reason=_reason(error))
            else:
                self._found(server, healthy=True, reason="")
            await anyio.sleep(PROBE_EVERY_S)

    def _found(self, server: Server, *, healthy: bool, reason: str) -> None:
        if server.healthy and not healthy:
            log.warning("%s does not serve: %s", server.uri, reason)
        server.healthy, server.reason = healthy, reason
        up = [s for s in self.servers if s.healthy]
        if up:
            ill = len(self.servers) - len(up)
            self.stage.set(
                Health.READY, f"{ill} of {len(self.servers)} do not answer" if ill else ""
            )
        else:
            self.stage.set(Health.RESTARTING, f"{server.uri}: {reason}")
        self._news.set()
        self._news = anyio.Event()


async def describe(uri: str) -> Mapping[str, Any]:
    """What a Wyoming server says of itself. Raises one of BROKEN, or ProtocolError."""
    connection = await connect(uri)
    try:
        await connection.write(Event("describe"))
        while (event := await connection.read()).type != "info":
            pass
        return event.data
    finally:
        with anyio.move_on_after(1, shield=True):
            await connection.aclose()


def _learns(server: Server) -> bool:
    """Whether it is a Parlour's, which understands what it is taught."""
    return bool(server.info.get("parlour"))


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {PROBE_S:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
