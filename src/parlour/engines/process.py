"""An engine in a child process, watched: started, taught, restarted, and ended without a trace."""

import json
import logging
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream
from wyoming.event import Event

from parlour import tasks
from parlour.engines.framing import BROKEN, connect
from parlour.errors import ParlourError, ProviderError
from parlour.supervise import Health, Stage, keep_running

log = logging.getLogger(__name__)

START_S = 20.0  # for a child to answer its first question; large models take a while to load
ASK_S = 0.02  # between two tries while it starts
ASK_AGAIN_S = 5.0  # between two questions to a child that is ready
ANSWER_S = 5.0  # a child that takes longer hangs: learning a vocabulary takes half a second
LAST_WORDS_S = 0.2  # for what a child wrote just before its end
STOP_S = 2.0  # for a child to end by itself

REFUSED = 78  # a child's exit code where something is missing: EX_CONFIG of sysexits.h
REFUSED_S = 30.0  # until it is tried again all the same: the owner may have brought it

LONGEST_LOG = 10_000  # characters of a line that a child writes

Kind = Literal["stt", "tts"]


class EngineEndedError(ParlourError):
    """The process of an engine has ended; the stage that it belongs to names the engine."""

    retry = True


async def _nothing(_uri: str) -> None:
    """Nothing is to be done before the engine serves."""


class EngineProcess:
    """`target` is "module:function", which makes the engine in the child from `options`.

    `prepare` is called with the URI of each new child before it counts as ready. Satisfies
    `wyoming.Peers`.
    """

    def __init__(
        self,
        stage: Stage,
        kind: Kind,
        target: str,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.stage = stage
        self.uri = ""
        self.prepare: Callable[[str], Awaitable[None]] = _nothing
        self._last_line = ""  # that the child wrote to its standard error
        self._options = json.dumps(dict(options or {}))
        self._kind = kind
        self._target = target

    async def run(self) -> None:
        """Keep a child running until cancelled; it is gone, and waited for, when this returns."""
        folder = Path(tempfile.mkdtemp(prefix="parlour-"))  # 0700: the socket is ours alone
        try:
            self.uri = f"unix://{folder / 'engine.sock'}"
            await keep_running(self.stage, self._run_once)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def wait_up(self, within_s: float) -> None:
        """Wait for a child that serves. Raises ProviderError after `within_s`, or at once where it
        is known that it cannot."""
        with anyio.move_on_after(within_s):
            await self.stage.wait_settled()
            if self.stage.health is Health.READY:
                return
        raise ProviderError(self.stage.name, self.stage.reason or "it does not start")

    @asynccontextmanager
    async def lease(self, within_s: float) -> AsyncIterator[str]:
        await self.wait_up(within_s)
        yield self.uri

    async def prepare_all(self) -> None:
        await self.prepare(self.uri)

    async def _run_once(self) -> None:
        await anyio.Path(self.uri.removeprefix("unix://")).unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "parlour.engines.child",
            self._kind,
            self._target,
            self.uri,
            self._options,
        ]
        child = await anyio.open_process(command, stdout=None)
        self.stage.pid = child.pid
        read = anyio.Event()  # all that the child wrote
        try:
            async with tasks.task_group() as group:
                group.start_soon(self._log_errors, child, read)
                group.start_soon(self._attend)
                code = await child.wait()
                with anyio.move_on_after(LAST_WORDS_S):
                    await read.wait()
                group.cancel_scope.cancel()
            if code == REFUSED:  # something is missing that a restart does not bring
                self.stage.set(Health.DOWN, self._last_line or "it refuses to start")
                await anyio.sleep(REFUSED_S)
                raise EngineEndedError(self.stage.reason)
            how = f"signal {-code}" if code < 0 else f"code {code}"
            raise EngineEndedError(f"its process ended with {how}")
        finally:
            self.stage.pid = None
            with anyio.CancelScope(shield=True):
                await _stop(child)

    async def _attend(self) -> None:
        """Ask until the child answers, prepare it, call it ready, and see to it that it lives."""
        try:
            with anyio.fail_after(START_S):
                while not await _answers(self.uri):  # noqa: ASYNC110 - nothing tells us
                    await anyio.sleep(ASK_S)
                await self.prepare(self.uri)
        except TimeoutError as error:
            raise ProviderError(self.stage.name, f"not ready within {START_S:.0f} s") from error
        self.stage.set(Health.READY)
        while True:
            await anyio.sleep(ASK_AGAIN_S)
            answered = False
            with anyio.move_on_after(ANSWER_S):
                answered = await _answers(self.uri)
            if not answered:
                raise EngineEndedError(f"its process did not answer within {ANSWER_S:.0f} s")

    async def _log_errors(self, child: Process, read: anyio.Event) -> None:
        assert child.stderr is not None
        text = ""
        async for piece in TextReceiveStream(child.stderr, errors="replace"):
            *lines, text = (text + piece)[-LONGEST_LOG:].split("\n")
            for line in lines:
                log.info("%s: %s", self.stage.name, line)
                self._last_line = line.strip() or self._last_line
        read.set()


async def _answers(uri: str) -> bool:
    try:
        connection = await connect(uri)
    except OSError:
        return False
    try:
        await connection.write(Event("describe"))
        await connection.read()
    except BROKEN:
        return False
    finally:
        await connection.aclose()
    return True


async def _stop(child: Process) -> None:
    """Close its standard input, ask it to end, and insist."""
    if child.returncode is None:
        child.terminate()
        with anyio.move_on_after(STOP_S):
            await child.wait()
    if child.returncode is None:
        child.kill()
        await child.wait()
    await child.aclose()
