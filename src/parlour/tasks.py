"""The one way to start tasks: a group that waits for them and raises what went wrong as it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup


@asynccontextmanager
async def task_group() -> AsyncIterator[TaskGroup]:
    """Open an anyio task group that raises a lone error bare.

    A plain group wraps even one ProviderError into an ExceptionGroup, which
    `except ProviderError` then misses. Several errors still come as a group.
    """
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as failures:
        lone: BaseException = failures
        while isinstance(lone, BaseExceptionGroup) and len(lone.exceptions) == 1:
            lone = lone.exceptions[0]
        if isinstance(lone, BaseExceptionGroup):
            raise
        context = lone.__context__
        try:
            raise lone
        finally:
            # The group says nothing that the error itself does not; what led to the error does.
            lone.__context__ = context
