"""Conversations in a plain Redis: one hash a conversation, and only its newest state."""

import itertools
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_checkpoint_metadata,
)
from redis.asyncio import Redis

from parlour.agent.memory.plain import (
    PlainSerializer,
    config_of,
    dump,
    is_listed,
    key_of,
    load,
)
from parlour.agent.memory.redis_client import as_bytes, as_text, calling

# Fields of the hash of a thread are named by JSON lists: ["state",ns], ["id",ns], ["order",ns]
# and ["write",ns,task,index]. No name can be the beginning of one of another namespace.

_PUT = """
-- A command that its client gave up may still lie in a socket and arrive after a newer one.
local by, number = string.match(redis.call('HGET', KEYS[1], ARGV[3]) or '', '^(%S+) (%d+)$')
if by == ARGV[7] and tonumber(number) > tonumber(ARGV[8]) then return 0 end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, #ARGV[4]) == ARGV[4] then redis.call('HDEL', KEYS[1], field) end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[5])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[6])
redis.call('HSET', KEYS[1], ARGV[3], ARGV[7] .. ' ' .. ARGV[8])
redis.call('EXPIRE', KEYS[1], ARGV[9])
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[2], now, ARGV[10])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[9]))
redis.call('EXPIRE', KEYS[2], ARGV[9])
return 1
"""

_PUT_WRITES = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
for index = 4, #ARGV, 2 do redis.call(ARGV[3], KEYS[1], ARGV[index], ARGV[index + 1]) end
return 1
"""


class RedisSaver(BaseCheckpointSaver[int]):
    """Needs Redis 5 or later, Valkey or KeyDB, and no module. All of a thread changes at once.

    Kept is the newest checkpoint of each thread and namespace with its pending writes, until
    nothing was put for `ttl`. It keeps no history: an older checkpoint cannot be read, listed or
    forked, a thread cannot be copied, and runs cannot be deleted one by one. Values must be plain
    JSON. Raises ProviderError when Redis does not do it, ValueError when what is kept cannot be
    read. Only the asynchronous methods are there.
    """

    def __init__(self, client: Redis, prefix: str, ttl: timedelta) -> None:
        super().__init__(serde=PlainSerializer())
        self._client = client
        self._prefix = f"{{{prefix}}}"  # all keys on one node of a cluster
        self._index = f"{self._prefix}:conversations"
        self._ttl_s = max(1, int(ttl.total_seconds()))
        self._put = client.register_script(_PUT)
        self._put_writes = client.register_script(_PUT_WRITES)
        self._writer = secrets.token_hex(8)
        self._order = itertools.count(1)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        thread, namespace = key_of(config)
        state = {
            "checkpoint": checkpoint,
            "metadata": get_checkpoint_metadata(config, metadata),
            "parent": get_checkpoint_id(config),
        }
        arguments: list[str | bytes | int] = [
            *(_field(name, namespace) for name in ("state", "id", "order")),
            _writes_of(namespace),
            dump(state),
            checkpoint["id"],
            self._writer,
            next(self._order),
            self._ttl_s,
            thread,
        ]
        with calling():
            await self._put(keys=[self._key(thread), self._index], args=arguments)
        return config_of(thread, namespace, checkpoint["id"])

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Writes of a checkpoint that is not the newest any more are dropped."""
        if not writes:
            return
        thread, namespace = key_of(config)
        replaces = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        arguments: list[str | bytes] = [
            _field("id", namespace),
            str(get_checkpoint_id(config)),
            "HSET" if replaces else "HSETNX",
        ]
        for index, (channel, value) in enumerate(writes):
            place = WRITES_IDX_MAP.get(channel, index)
            arguments += [
                _field("write", namespace, task_id, place),
                dump([task_path, channel, value]),
            ]
        with calling():
            await self._put_writes(keys=[self._key(thread)], args=arguments)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        thread, namespace = key_of(config)
        found = _checkpoint(thread, namespace, await self._read(thread))
        wanted = get_checkpoint_id(config)
        if found is None or wanted not in (None, found.checkpoint["id"]):
            return None
        return found

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - as the base class calls it
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """At most one a namespace, newest first."""
        threads = [key_of(config)[0]] if config is not None else await self.threads()
        listed: list[CheckpointTuple] = []
        for thread in threads:
            fields = await self._read(thread)
            for name in fields:
                kind, namespace, *_ = load(name)
                found = _checkpoint(thread, namespace, fields) if kind == "state" else None
                if found is not None and is_listed(found, config, filter, before):
                    listed.append(found)
        listed.sort(key=lambda each: each.checkpoint["id"], reverse=True)
        for found in listed[:limit]:
            yield found

    async def adelete_thread(self, thread_id: str) -> None:
        with calling():
            async with self._client.pipeline(transaction=True) as change:
                change.delete(self._key(thread_id))
                change.zrem(self._index, thread_id)
                await change.execute()

    async def aprune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
    ) -> None:
        if strategy == "delete":
            for thread_id in thread_ids:
                await self.adelete_thread(thread_id)

    async def threads(self) -> list[str]:
        """All of them, the one that spoke last first."""
        with calling():
            names = await self._client.zrevrange(self._index, 0, -1)
        return [as_text(name) for name in names]

    async def expire(self, before_utc: datetime) -> int:
        """Nothing: Redis does."""
        return 0

    async def load_note(self, name: str) -> str:
        with calling():
            value = await self._client.get(f"{self._prefix}:note:{name}")
        return as_text(value or b"")

    async def save_note(self, name: str, value: str) -> None:
        with calling():
            await self._client.set(f"{self._prefix}:note:{name}", value, ex=self._ttl_s)

    async def _read(self, thread: str) -> dict[bytes, bytes]:
        with calling():
            fields = await self._client.hgetall(self._key(thread))
        return {as_bytes(name): as_bytes(value) for name, value in fields.items()}

    def _key(self, thread: str) -> str:
        return f"{self._prefix}:conversation:{thread}"


def _checkpoint(
    thread: str, namespace: str, fields: Mapping[bytes, bytes]
) -> CheckpointTuple | None:
    """Raises ValueError for a state that cannot be read."""
    text = fields.get(_field("state", namespace))
    if text is None:
        return None
    try:
        state = load(text)
        checkpoint, parent = state["checkpoint"], state["parent"]
        beginning = _writes_of(namespace)
        writes = []
        for name, value in fields.items():
            if name.startswith(beginning):
                path, channel, written = load(value)
                *_, task_id, place = load(name)
                writes.append((path, task_id, place, channel, written))
        writes.sort(key=lambda each: each[:3])
        return CheckpointTuple(
            config_of(thread, namespace, checkpoint["id"]),
            checkpoint,
            state["metadata"],
            config_of(thread, namespace, parent) if parent else None,
            [(task_id, channel, written) for _, task_id, _, channel, written in writes],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("a state is not what this saver writes") from error


def _field(*parts: str | int) -> bytes:
    return dump(parts)


def _writes_of(namespace: str) -> bytes:
    return _field("write", namespace)[:-1] + b","
