"""A server as a child process: JSON lines over its pipes, and nothing of it left afterwards.

The SDK's own transport hands down HOME, USER and more of our environment, keeps a line however
long it gets, and lets the server write to our standard error.
"""

import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import Process
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from parlour import tasks
from parlour.errors import ProviderError
from parlour.supervise import Stage
from parlour.tools.mcp.link import LARGEST_MESSAGE, Ends, Item, watched
from parlour.tools.mcp.options import McpOptions
from parlour.tools.mcp.schema import clean_text

log = logging.getLogger(__name__)

MOST_GARBAGE = 100  # lines that are no message: some servers greet, none recites
LONGEST_LOG = 500  # characters of a line on standard error
LAST_WORDS_S = 0.5  # for the exit code of a process that has closed its standard output
STOP_S = 1.0  # to end by itself, and again when told to
POLL_S = 0.01

BROKEN = (anyio.ClosedResourceError, anyio.BrokenResourceError, OSError)


@asynccontextmanager
async def open_child(options: McpOptions, stage: Stage) -> AsyncIterator[Ends]:
    """Start the server; it and all that it started is gone when the context is left, which takes
    up to two seconds. Raises ProviderError, also into the context when the process ends."""
    process = await _start(options)
    stage.pid = process.pid
    ours, read = anyio.create_memory_object_stream[Item](0)
    write, theirs = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        with ours, read, write, theirs:
            async with tasks.task_group() as group:
                group.start_soon(_read, options.name, process, ours)
                group.start_soon(_write, process, theirs)
                group.start_soon(_log_errors, options.name, process)
                yield watched(options.name, read, write)
                group.cancel_scope.cancel()
    finally:
        stage.pid = None
        with anyio.CancelScope(shield=True):
            await _stop(process)


async def _start(options: McpOptions) -> Process:
    environment = {"PATH": os.environ.get("PATH", os.defpath), **options.environment}
    program = options.command[0]
    if options.folder is not None and not options.folder.is_dir():
        raise ProviderError(options.name, f"there is no folder {options.folder}")
    try:
        with anyio.CancelScope(shield=True):  # or nobody would know of a process just made
            process = await anyio.open_process(
                list(options.command),
                env=environment,
                cwd=options.folder,
                start_new_session=True,  # its own group, to end all of; and Ctrl-C is for us alone
            )
    except FileNotFoundError as error:
        raise ProviderError(options.name, f"there is no program {program}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its command cannot be used"
        raise ProviderError(options.name, f"{program} cannot be started: {reason}") from error
    return process


async def _read(name: str, process: Process, ours: MemoryObjectSendStream[Item]) -> None:
    """Hand over each line as a message, until the process ends, which raises ProviderError."""
    assert process.stdout is not None
    garbage = 0
    line = bytearray()
    while True:
        try:
            piece = await process.stdout.receive()
        except (anyio.EndOfStream, *BROKEN) as error:
            raise ProviderError(name, await _end_of(process)) from error
        *whole, rest = piece.split(b"\n")
        for part in whole:
            line += part
            garbage += not await _hand_over(name, bytes(line), ours)
            line.clear()
            if garbage > MOST_GARBAGE:
                raise ProviderError(name, "it writes to its standard output what is no message")
        line += rest
        _check_length(name, line)


async def _hand_over(name: str, line: bytes, ours: MemoryObjectSendStream[Item]) -> bool:
    """False for a line that is no message. One of blanks is none, and no harm."""
    _check_length(name, line)
    if not line.strip():
        return True
    try:
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        log.debug("%s: no message: %s", name, _shown(line))
        return False
    with suppress(*BROKEN):  # the session is ending, and says why
        await ours.send(SessionMessage(message))
    return True


def _check_length(name: str, line: bytes | bytearray) -> None:
    if len(line) > LARGEST_MESSAGE:
        raise ProviderError(name, f"it sent a message of more than {LARGEST_MESSAGE} bytes")


async def _write(process: Process, theirs: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None
    async for item in theirs:
        text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
        try:
            await process.stdin.send(text.encode() + b"\n")
        except BROKEN:
            return  # it is ending; the reader says how


async def _log_errors(name: str, process: Process) -> None:
    """At DEBUG only, since anything may stand there; read in any case, or the server would stall."""
    assert process.stderr is not None
    line = bytearray()
    with suppress(anyio.EndOfStream, *BROKEN):
        while True:
            *whole, rest = (await process.stderr.receive()).split(b"\n")
            for part in whole:
                line += part[:LONGEST_LOG]
                log.debug("%s: %s", name, _shown(line))
                line.clear()
            line += rest[: max(0, LONGEST_LOG - len(line))]


def _shown(line: bytes | bytearray) -> str:
    return clean_text(bytes(line[: 4 * LONGEST_LOG]).decode("utf-8", "replace"), LONGEST_LOG)


# ---------------------------------------------------------------- its end


async def _end_of(process: Process) -> str:
    await _ended(process, LAST_WORDS_S)
    match process.returncode:
        case None:
            return "it closed its standard output"
        case code if code < 0:
            return f"its process ended with signal {-code}"
        case code:
            return f"its process ended with code {code}"


async def _ended(process: Process, within_s: float) -> bool:
    """Look, since waiting for the process would also wait for whoever inherited its pipes."""
    with anyio.move_on_after(within_s):
        while process.returncode is None:  # noqa: ASYNC110 - see above
            await anyio.sleep(POLL_S)
    return process.returncode is not None


async def _stop(process: Process) -> None:
    """Close its standard input as the protocol asks, then tell its group to end, then end it."""
    assert process.stdin is not None
    with suppress(*BROKEN):
        await process.stdin.aclose()
    if not await _ended(process, STOP_S):
        _signal_group(process, signal.SIGTERM)
        await _ended(process, STOP_S)
    _signal_group(process, signal.SIGKILL)  # what the server started itself, too
    await process.aclose()


def _signal_group(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
