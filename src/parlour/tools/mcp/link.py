"""The two ends that the SDK's session talks through, watched: a server that floods is hung up on."""

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self, TypeAlias

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse

from parlour.errors import ProviderError

LARGEST_MESSAGE = 1024 * 1024  # bytes; a server that sends a larger one is hung up on
MOST_UNASKED = 2000  # messages that answer nothing of ours, within ...
UNASKED_S = 10.0
MOST_UNSENT = 64  # messages that a server does not take from us

Item: TypeAlias = SessionMessage | Exception


class ReadEnd(Protocol):
    async def receive(self) -> Item: ...
    async def aclose(self) -> None: ...


class WriteEnd(Protocol):
    async def send(self, item: SessionMessage, /) -> None: ...
    async def aclose(self) -> None: ...


class Ledger:
    """What goes to and fro on one connection, counted. Exceeding a limit raises ProviderError."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._asked = 0  # requests without an answer
        self._unasked = 0
        self._since_s = 0.0
        self.unsent = 0

    def sent(self, item: SessionMessage) -> None:
        self._asked += isinstance(item.message, JSONRPCRequest)

    def received(self, item: Item) -> None:
        """Note a message; an exception stands for one that could not be read."""
        if self.unsent > MOST_UNSENT:
            raise ProviderError(self._name, "it asks and does not listen")
        message = item.message if isinstance(item, SessionMessage) else None
        if isinstance(message, JSONRPCResponse | JSONRPCError) and self._asked:
            self._asked -= 1
            return
        now_s = anyio.current_time()
        if now_s - self._since_s > UNASKED_S:
            self._since_s, self._unasked = now_s, 0
        self._unasked += 1
        if self._unasked > MOST_UNASKED:
            raise ProviderError(
                self._name, f"more than {MOST_UNASKED} messages in {UNASKED_S:.0f} s, unasked"
            )

    def hung_up(self) -> ProviderError:
        return ProviderError(self._name, "it hung up")


class Incoming:
    """What the session reads; the end of it is an error, since the session would wait for ever."""

    def __init__(self, inner: ReadEnd, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger

    async def receive(self) -> Item:
        try:
            item = await self._inner.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError) as error:
            raise self._ledger.hung_up() from error
        self._ledger.received(item)
        return item

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        return await self.receive()

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class Outgoing:
    """What the session writes, until `hang_up`: the SDK would otherwise wait, shielded, for seconds
    to tell a server that does not listen that a call is off."""

    def __init__(self, inner: WriteEnd, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger
        self._sending: set[anyio.CancelScope] = set()
        self._is_open = True

    async def send(self, item: SessionMessage, /) -> None:
        self._ledger.sent(item)
        with anyio.CancelScope() as scope:
            self._sending.add(scope)
            self._ledger.unsent = len(self._sending)
            try:
                if self._is_open:
                    await self._inner.send(item)
            finally:
                self._sending.discard(scope)
                self._ledger.unsent = len(self._sending)
        if not self._is_open:
            raise anyio.BrokenResourceError

    def hang_up(self) -> None:
        """Send nothing more, and let nobody wait to."""
        self._is_open = False
        for scope in self._sending:
            scope.cancel()

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


Ends: TypeAlias = tuple[Incoming, Outgoing]


def watched(name: str, read: ReadEnd, write: WriteEnd) -> Ends:
    ledger = Ledger(name)
    return Incoming(read, ledger), Outgoing(write, ledger)


def leaves(error: Exception) -> Iterator[Exception]:
    """The errors themselves, however deep in groups: several parts of a connection fail at once."""
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error
