"""Hands out what a graph streams, and stops the graph for good when nobody listens any more."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import anyio
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectSendStream

from parlour import tasks
from parlour.ports import Piece

MOST_AHEAD = 64  # pieces; then the graph waits


@asynccontextmanager
async def streaming(stream: AsyncGenerator[Piece, None]) -> AsyncIterator[AsyncIterator[Piece]]:
    """The pieces of `astream`. Leaving cancels all nodes and waits until they are gone: about 1 ms.

    LangGraph cleans up when it is cancelled once. A scope of anyio cancels again at every await,
    the cleaning up too, and then nodes live on and models go on talking: so the graph runs behind
    a shield, and is cancelled by hand.
    """
    pieces, received = anyio.create_memory_object_stream[Piece](MOST_AHEAD)
    async with tasks.task_group() as group:
        pump = await group.start(_pump, stream, pieces)
        try:
            with received:
                yield received
        finally:
            pump.cancel()


async def _pump(
    stream: AsyncGenerator[Piece, None],
    pieces: MemoryObjectSendStream[Piece],
    *,
    task_status: TaskStatus["asyncio.Task[object] | None"],
) -> None:
    with anyio.CancelScope(shield=True), pieces:
        task_status.started(asyncio.current_task())
        async with aclosing(stream):
            async for piece in stream:
                await pieces.send(piece)
