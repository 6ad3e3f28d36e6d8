"""Engines in their own processes, as the server runs them, for the contract suites."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from parlour import tasks
from parlour.engines.process import EngineProcess, Kind
from parlour.supervise import Stages


@asynccontextmanager
async def running(kind: Kind, module: str) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(Stages().add(f"{kind}:{module}"), kind, module)
    async with tasks.task_group() as group:
        group.start_soon(process.run)
        await process.wait_up(20)
        yield process
        group.cancel_scope.cancel()
