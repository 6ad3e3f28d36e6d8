"""Engines in their own processes, as the server runs them, for the contract suites."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from parlour import tasks
from parlour.engines.process import EngineProcess, Kind
from parlour.supervise import Stages


@asynccontextmanager
async def running(
    kind: Kind, module: str, options: Mapping[str, Any] | None = None
) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(Stages().add(f"{kind}:{module}"), kind, module, options)
    async with tasks.task_group() as group:
        group.start_soon(process.run)
        await process.wait_up(20)
        yield process
        group.cancel_scope.cancel()
