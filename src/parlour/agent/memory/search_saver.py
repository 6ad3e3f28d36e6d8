"""Conversations in a Redis with the search module, by LangGraph's own saver for it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from redis.asyncio import Redis
from redis.exceptions import RedisError
from redisvl.exceptions import RedisVLError  # type: ignore[import-untyped]

from parlour.agent.memory.plain import key_of
from parlour.agent.memory.redis_client import NAME, calling, reason
from parlour.agent.memory.redis_saver import RedisSaver
from parlour.errors import ProviderError

MISSING = (
    "it has no search module (RediSearch and RedisJSON, as in Redis 8 or Redis Stack), which"
    " memory.store: redis_search needs; memory.store: redis needs none"
)


class SearchSaver(BaseCheckpointSaver[Any]):
    """AsyncRedisSaver that waits for its server, and lets go of all but the newest checkpoint.

    Of what it keeps, no more than a search finds at once is listed. Raises ProviderError.
    """

    def __init__(self, client: Redis, prefix: str, ttl: timedelta) -> None:
        super().__init__()
        self._client = client
        minutes = max(1, int(ttl.total_seconds() // 60))
        self._saver = AsyncRedisSaver(
            redis_client=client,
            ttl={"default_ttl": minutes, "refresh_on_read": False},
            checkpoint_prefix=f"{prefix}:checkpoint",
            checkpoint_write_prefix=f"{prefix}:checkpoint_write",
        )
        self._is_set_up = False

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        with _searching():
            await self._set_up()
            return await self._saver.aget_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - as the base class calls it
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        with _searching():
            await self._set_up()
            listing = self._saver.alist(config, filter=filter, before=before, limit=limit)
            listed = [found async for found in listing]
        for found in listed:
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        with _searching():
            await self._set_up()
            put = await self._saver.aput(config, checkpoint, metadata, new_versions)
            await self._saver.aprune([key_of(config)[0]], strategy="keep_latest")
        return put

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        with _searching():
            await self._set_up()
            await self._saver.aput_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        with _searching():
            await self._set_up()
            await self._saver.adelete_thread(thread_id)

    def get_next_version(self, current: Any, channel: Any) -> Any:
        return self._saver.get_next_version(current, channel)

    async def _set_up(self) -> None:
        if not self._is_set_up:
            if not await has_modules(self._client):
                raise ProviderError(NAME, MISSING)
            await self._saver.asetup()
            self._is_set_up = True


class SearchShelf:
    """Satisfies `memory.Shelf`."""

    def __init__(self, notes: RedisSaver, saver: SearchSaver) -> None:
        self._saver = saver
        self.load_note = notes.load_note
        self.save_note = notes.save_note

    async def threads(self) -> list[str]:
        found = [key_of(each.config)[0] async for each in self._saver.alist(None)]
        return list(dict.fromkeys(found))

    async def expire(self, before_utc: datetime) -> int:
        """Nothing: Redis does."""
        return 0


async def has_modules(client: Redis) -> bool:
    """Whether a server has what this saver needs. Raises ProviderError if it cannot be asked."""
    try:
        with calling():
            for command in (("FT._LIST",), ("JSON.TYPE", "parlour", "$")):
                await client.execute_command(*command)  # type: ignore[no-untyped-call]
    except ProviderError as error:
        if "unknown command" in str(error.__cause__).lower():
            return False
        raise
    return True


@contextmanager
def _searching() -> Iterator[None]:
    try:
        with calling():
            yield
    except RedisVLError as error:  # whose text may hold a query
        cause = error.__cause__
        known = isinstance(cause, RedisError | OSError)
        why = reason(cause) if known else "its search module refuses"
        raise ProviderError(NAME, why) from error
