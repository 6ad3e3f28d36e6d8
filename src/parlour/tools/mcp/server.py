"""One MCP server: a session that is kept open, and its tools as `ports.Tool`."""

import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup
from mcp import ClientSession
from mcp.client.session import IncomingMessage
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    UNSUPPORTED_PROTOCOL_VERSION,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    PaginatedRequestParams,
    ToolListChangedNotification,
)
from mcp_types import Tool as OfferedTool
from pydantic import ValidationError

from parlour import __version__, tasks
from parlour.errors import ParlourError, ProviderError, ToolError
from parlour.ports import Arguments, Order, Tool, ToolResult
from parlour.supervise import Health, Stage
from parlour.tools.mcp.child import open_child
from parlour.tools.mcp.link import Ends, leaves
from parlour.tools.mcp.options import McpOptions
from parlour.tools.mcp.pins import Pins
from parlour.tools.mcp.result import text_of
from parlour.tools.mcp.schema import clean_text
from parlour.tools.mcp.shelf import Shelf
from parlour.tools.mcp.web import open_web

log = logging.getLogger(__name__)

MOST_OFFERED = 512  # of a server, of which the owner may choose
MOST_PAGES = 16
MOST_CALLS = 16  # of a server at once
LONGEST_REASON = 200  # characters of what a server says went wrong
LOOK_S = 60.0  # between two looks at the list of an idle server: it may have died or changed
LOOK_AGAIN_S = 1.0  # however often it says that its list has changed
LIST_S = 10.0  # for the list of tools; a server that takes longer hangs

# What the SDK raises out of a call, besides what the server says went wrong.
BROKEN = (anyio.ClosedResourceError, anyio.BrokenResourceError, RuntimeError, OSError)
KNOWN = (ParlourError, TimeoutError, MCPError, ValidationError, *BROKEN)


def _quieten() -> None:
    """The SDK logs what it cannot read as errors, payload and all."""
    if not log.isEnabledFor(logging.DEBUG):
        for name in ("mcp", "client", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


@dataclass(slots=True)
class _Job:
    """A call on its way: `scope` is left by whoever waits for it and no longer wants to."""

    done: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    text: str = ""
    error: ParlourError | None = None
    finished: bool = False


class McpServer:
    """`run` is the life of one connection, for `keep_running`; calls may come from any task.

    A call is made by the session's own tasks: whoever waits for it may be cancelled at once, and
    the server is told afterwards.
    """

    def __init__(self, options: McpOptions, pins: Pins) -> None:
        self.options = options
        self._session: ClientSession | None = None
        self._calls: TaskGroup | None = None
        self._stage: Stage | None = None
        self._running = 0  # calls
        self._reason = "it has not been started"
        self._look = anyio.Event()  # at the list, soon
        self._note = ""  # what the owner was told last
        self._shelf = Shelf(options, pins, self._call)

    def tools(self) -> list[Tool]:
        """What can be called now, nothing while not connected; equal as long as nothing changes.

        An approval that was given meanwhile is seen here, and holds a moment later.
        """
        if self._session is None:
            return []
        if self._shelf.is_outdated:
            self._look.set()
        return list(self._shelf.tools)

    async def run(self, stage: Stage) -> None:
        """Connect, list the tools, serve calls. Raises ProviderError when the connection ends."""
        _quieten()
        self._stage = stage
        self._reason = "it is starting"
        try:
            async with self._open(stage) as (read, write):
                name = Implementation(name="parlour", version=__version__)
                session = ClientSession(read, write, message_handler=self._hear, client_info=name)
                async with session, tasks.task_group() as calls:
                    try:
                        with anyio.fail_after(self.options.start_s):
                            await _shake_hands(session)
                            await self._read_list(session)
                        self._session, self._calls = session, calls
                        self._reason = "the connection broke off"  # until more is known
                        await self._attend(session)
                    finally:
                        self._session = self._calls = None
                        write.hang_up()
        except (*KNOWN, ExceptionGroup) as error:
            failure = self._failure(error)
            self._reason = str(failure).removeprefix(f"{self.options.name}: ")
            if failure is error:
                raise
            raise failure from error
        finally:
            self._session = self._calls = None

    def _open(self, stage: Stage) -> AbstractAsyncContextManager[Ends]:
        return open_child(self.options, stage) if self.options.command else open_web(self.options)

    async def _attend(self, session: ClientSession) -> None:
        """Look at the list now and then, and whenever there is a reason to, until it fails."""
        while True:
            with anyio.move_on_after(LOOK_S) as idle:
                await self._look.wait()
            self._look = anyio.Event()
            if idle.cancelled_caught and self._running:
                continue  # it is at work, and a call has its own deadline
            await self._read_list(session)
            await anyio.sleep(LOOK_AGAIN_S)

    async def _hear(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._look.set()

    # ------------------------------------------------------------ the list

    async def _read_list(self, session: ClientSession) -> None:
        """Read the server's tools, put out what may be used, and say so."""
        try:
            with anyio.fail_after(max(LIST_S, self.options.deadline_s)):
                offered = await _all_tools(session)
        except TimeoutError as error:
            raise ProviderError(self.options.name, "it does not list its tools") from error
        note = await self._shelf.stock(offered)
        if note and note != self._note:
            log.warning("the MCP server %s: %s", self.options.name, note)
        self._note = note
        if self._stage is not None:
            self._stage.set(Health.READY, note)

    # ------------------------------------------------------------ calls

    async def _call(self, name: str, arguments: Arguments, _order: Order) -> ToolResult:
        """Raises ToolError for what the tool itself refuses, ProviderError for all else."""
        session, calls = self._session, self._calls
        if session is None or calls is None:
            raise self._unconnected()
        if self._running >= MOST_CALLS:
            raise ProviderError(self.options.name, f"{MOST_CALLS} calls of it are under way")
        job = _Job()
        self._running += 1
        calls.start_soon(self._carry_out, session, job, name, dict(arguments))
        try:
            with anyio.move_on_after(self.options.deadline_s):
                await job.done.wait()
        finally:
            job.scope.cancel()
        if not job.done.is_set():
            self._look.set()  # a server that does not even list its tools is started anew
            raise ProviderError(
                self.options.name, f"no answer within {self.options.deadline_s:g} s"
            )
        if job.error is not None:
            raise job.error
        if not job.finished:
            raise self._unconnected()
        return ToolResult(job.text)

    async def _carry_out(
        self, session: ClientSession, job: _Job, name: str, arguments: dict[str, object]
    ) -> None:
        # Not `session.call_tool`: that checks the answer against a schema of the server's, whose
        # regular expressions would run here.
        request = CallToolRequest(params=CallToolRequestParams(name=name, arguments=arguments))
        try:
            with job.scope:
                result = await session.send_request(request, CallToolResult)
                job.text = text_of(result)
                if result.is_error:
                    job.error = ToolError(job.text or "the tool failed and does not say why")
                job.finished = True
        except MCPError as error:
            job.error = self._refusal(error)
        except ValidationError:
            job.error = ProviderError(self.options.name, "its answer is none of the protocol's")
        except BROKEN:
            log.debug("a call broke off", exc_info=True)
        finally:
            self._running -= 1
            job.done.set()

    def _refusal(self, error: MCPError) -> ParlourError:
        if error.code == CONNECTION_CLOSED:
            return self._unconnected()
        said = clean_text(error.message, LONGEST_REASON)
        if error.code == INVALID_PARAMS:
            return ToolError(said or "these arguments cannot be used")
        return ProviderError(self.options.name, said or "the call failed")

    def _unconnected(self) -> ProviderError:
        return ProviderError(f"the MCP server {self.options.name} is not connected", self._reason)

    def _failure(self, error: Exception) -> Exception:
        """What ended the connection. Where several parts of it failed at once, the cause is what
        one of ours says; the others saw a closed stream."""
        told = list(leaves(error))
        name = self.options.name
        for leaf in told:
            if isinstance(leaf, ParlourError):
                return leaf
        match told[0]:
            case TimeoutError():
                return ProviderError(name, f"no answer within {self.options.start_s:g} s")
            case MCPError(message=message):
                return ProviderError(name, f"it says: {clean_text(message, LONGEST_REASON)}")
            case leaf if isinstance(leaf, KNOWN):
                return ProviderError(name, "what it answers is none of the protocol's")
            case leaf:
                return leaf  # a mistake of ours


async def _shake_hands(session: ClientSession) -> None:
    """As servers of every year know it; those that know only the newest way are met on theirs."""
    try:
        await session.initialize()
    except MCPError as error:
        if error.code not in (METHOD_NOT_FOUND, INVALID_PARAMS, UNSUPPORTED_PROTOCOL_VERSION):
            raise
        await session.discover()


async def _all_tools(session: ClientSession) -> dict[str, OfferedTool]:
    """By name; of two with one name the first, and of too many the first ones."""
    offered: dict[str, OfferedTool] = {}
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        params = PaginatedRequestParams(cursor=cursor) if cursor else None
        page = await session.list_tools(params=params)
        for tool in page.tools:
            if len(offered) < MOST_OFFERED:
                offered.setdefault(tool.name, tool)
        cursor = page.next_cursor
        if not cursor:
            break
    return offered
