"""The memory as a whole: which store it is in, what is kept there, and what is thrown away."""

import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

import anyio
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple

from parlour import tasks
from parlour.agent.memory import sqlite_saver
from parlour.agent.memory.facts import Facts, open_facts
from parlour.agent.memory.kept import STORE_FAILURES, KeptSaver
from parlour.agent.memory.plain import config_of
from parlour.agent.memory.sqlite_saver import open_sqlite
from parlour.agent.memory.threads import HANDOVER_S, Mode, Threads
from parlour.errors import ConfigError, ProviderError
from parlour.ids import DeviceId

log = logging.getLogger(__name__)

NOTE = "threads"
NOTE_S = 5.0  # after so long at most it is written down who spoke where
EXPIRY_S = 3600.0
CALL_S = 5.0
CLOSE_S = 2.0
LONGEST_THREAD = 300  # characters of an id that somebody asks for


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """`folder` is where SQLite's files are; None: in memory. `redis_url` is for the other kinds."""

    kind: Literal["sqlite", "redis", "redis_search"] = "sqlite"
    folder: Path | None = None
    redis_url: str = field(default="", repr=False)
    ttl_days: float = 30.0  # a conversation in which nobody spoke for so long is forgotten
    threads: Mode = "device"
    person_of: Mapping[DeviceId, str] = field(default_factory=dict)
    handover_s: float = HANDOVER_S
    prefix: str = "parlour"  # of the keys in Redis


@dataclass(frozen=True, slots=True)
class Kept:
    """A conversation as it is kept. Messages are dicts of role, content, calls and call_id."""

    thread: str
    messages: list[dict[str, Any]]
    summary: str
    updated_utc: datetime


class Shelf(Protocol):
    """What a store does for the memory besides saving checkpoints."""

    async def threads(self) -> list[str]:
        """All of them, the one that spoke last first."""
        ...

    async def expire(self, before_utc: datetime) -> int:
        """Forget conversations in which nothing was said since; how many they were."""
        ...

    async def load_note(self, name: str) -> str: ...

    async def save_note(self, name: str, value: str) -> None: ...


class Memory:
    """Made by `open_memory`. `saver` never fails and hardly waits; the other calls may.

    They raise ProviderError when the store cannot be reached.
    """

    def __init__(
        self,
        saver: KeptSaver,
        shelf: Shelf,
        facts: Facts,
        options: MemoryOptions,
        problem: str = "",
    ) -> None:
        self.saver = saver
        self.facts = facts
        self.threads = Threads(options.threads, options.person_of, options.handover_s)
        self._shelf = shelf
        self._ttl = timedelta(days=options.ttl_days)
        self._problem = problem
        self._noted: int | None = None  # changes of the threads that are written; None: not read

    @property
    def problem(self) -> str:
        """Why something is not kept as it should be, in words for the owner; "" if all is."""
        problems = dict.fromkeys((self._problem, self.saver.problem, self.facts.problem))
        return "; ".join(filter(None, problems))

    async def run(self) -> None:
        """Write what is late, note who spoke where, forget what is old. Runs until cancelled."""
        async with tasks.task_group() as group:
            group.start_soon(self.saver.run)
            group.start_soon(self._keep_house)

    # ------------------------------------------------------------ what is kept

    async def conversations(self) -> list[Kept]:
        """All of them, the one that spoke last first; without those that cannot be read."""
        with _asking():
            threads = await self._shelf.threads()
        threads += [thread for thread in self.saver.waiting() if thread not in threads]
        found = [await self.conversation(thread) for thread in threads]
        kept = [each for each in found if each is not None]
        return sorted(kept, key=lambda each: each.updated_utc, reverse=True)

    async def conversation(self, thread: str) -> Kept | None:
        if not 0 < len(thread) <= LONGEST_THREAD:
            return None
        found = await self.saver.aget_tuple(config_of(thread, ""))
        return None if found is None else _kept(thread, found)

    async def forget(self, thread: str) -> bool:
        """Forget a conversation, and whether there was one; facts stay.

        Raises ProviderError if the store is away and has still to forget it.
        """
        if not 0 < len(thread) <= LONGEST_THREAD:
            return False
        if not self.saver.problem and await self.saver.aget_tuple(config_of(thread, "")) is None:
            with _asking():  # it may be there and not be readable
                if thread not in await self._shelf.threads():
                    return False
        await self._forget([thread])
        return True

    async def forget_all(self) -> int:
        """Forget all conversations, and how many they were; facts stay. Raises as `forget`."""
        with _asking():
            threads = await self._shelf.threads()
        threads += [thread for thread in self.saver.waiting() if thread not in threads]
        self.threads.forget()
        await self._forget(threads)
        return len(threads)

    async def export(self) -> dict[str, Any]:
        """Everything that is kept, in JSON's types."""
        return {
            "exported_utc": datetime.now(UTC).isoformat(),
            "conversations": [
                {
                    "thread": each.thread,
                    "updated_utc": each.updated_utc.isoformat(),
                    "summary": each.summary,
                    "messages": each.messages,
                }
                for each in await self.conversations()
            ],
            "facts": [
                {
                    "id": fact.id,
                    "owner": fact.owner,
                    "text": fact.text,
                    "said_utc": fact.said_utc.isoformat(),
                }
                for fact in await self.facts.all()
            ],
        }

    async def _forget(self, threads: Sequence[str]) -> None:
        for thread in threads:
            self.threads.forget(thread)
            await self.saver.adelete_thread(thread)
        await self.note()
        if any(map(self.saver.is_waiting, threads)):
            raise ProviderError(
                "memory", "the store is away; it forgets when it is back, if this server still runs"
            )

    # ------------------------------------------------------------ beside the turns

    async def begin(self) -> None:
        """Find out whether the store works, so that the first turn need not. Never raises."""
        if await self.saver.flush():
            await self.note()

    async def end(self) -> None:
        """Write what is still to be written. Never raises; takes as long as its caller lets it."""
        await self.note()
        await self.saver.flush()

    async def _keep_house(self) -> None:
        expired_s = -EXPIRY_S
        while True:
            if anyio.current_time() - expired_s >= EXPIRY_S and await self._expire():
                expired_s = anyio.current_time()
            await self.note()
            await anyio.sleep(NOTE_S)

    async def _expire(self) -> bool:
        try:
            with _asking():
                count = await self._shelf.expire(datetime.now(UTC) - self._ttl)
        except ProviderError:
            return False
        if count:
            self.saver.look_again()
            log.info("%d old conversations are forgotten", count)
        return True

    async def note(self) -> None:
        """Take up who spoke where, once, and write it down when it has changed. Never raises."""
        if self.saver.problem or self._noted == self.threads.changes:
            return
        try:
            with _asking():
                if self._noted is None:
                    self._take_up(await self._shelf.load_note(NOTE))
                    self._noted = 0
                if self._noted != self.threads.changes:
                    changes = self.threads.changes
                    note = self.threads.export(anyio.current_time(), datetime.now(UTC))
                    await self._shelf.save_note(NOTE, json.dumps(note))
                    self._noted = changes
        except ProviderError as error:
            log.debug("who spoke where is not written: %s", error)

    def _take_up(self, note: str) -> None:
        try:
            kept = json.loads(note or "{}")
        except ValueError:
            log.warning("who spoke where cannot be read and begins anew")
            return
        self.threads.restore(kept, anyio.current_time(), datetime.now(UTC))


@asynccontextmanager
async def open_memory(options: MemoryOptions) -> AsyncIterator[Memory]:
    """The memory, as long as the context is open; `run` of it must run meanwhile.

    A Redis that is away, and a file that cannot be used, are told by `problem`. Raises
    ConfigError for what only the owner can mend: a file that another server has, a bad URL, a
    Redis without the modules that were asked for.
    """
    async with AsyncExitStack() as stack:
        if options.kind == "sqlite":
            memory = await _in_sqlite(options, stack)
        else:
            memory = await _in_redis(options, stack)
        await memory.begin()
        try:
            yield memory
        finally:
            with anyio.move_on_after(CLOSE_S, shield=True):
                await memory.end()


async def _in_sqlite(options: MemoryOptions, stack: AsyncExitStack) -> Memory:
    folder = options.folder
    path = None if folder is None else folder / sqlite_saver.FILE
    saver = await stack.enter_async_context(open_sqlite(path))
    facts = await stack.enter_async_context(open_facts(folder))
    kept = KeptSaver(saver, alone=True)  # the file is this process's
    return Memory(kept, saver, facts, options, saver.problem)


async def _in_redis(options: MemoryOptions, stack: AsyncExitStack) -> Memory:
    # A memory in SQLite needs no client for Redis.
    from parlour.agent.memory.redis_client import open_redis  # noqa: PLC0415
    from parlour.agent.memory.redis_facts import RedisFacts  # noqa: PLC0415
    from parlour.agent.memory.redis_saver import RedisSaver  # noqa: PLC0415

    ttl = timedelta(days=options.ttl_days)
    client = await stack.enter_async_context(open_redis(options.redis_url))
    plain = RedisSaver(client, options.prefix, ttl)
    store: BaseCheckpointSaver[Any] = plain
    shelf: Shelf = plain
    if options.kind == "redis_search":
        from parlour.agent.memory.search_saver import (  # noqa: PLC0415
            MISSING,
            SearchSaver,
            SearchShelf,
            has_modules,
        )

        try:
            if not await has_modules(client):
                raise ConfigError(f"redis: {MISSING}")
        except ProviderError as error:
            log.warning("whether Redis has its search module is not known yet: %s", error)
        store = SearchSaver(client, options.prefix, ttl)
        shelf = SearchShelf(plain, store)
    return Memory(KeptSaver(store), shelf, RedisFacts(client, options.prefix), options)


@contextmanager
def _asking() -> Iterator[None]:
    """Raise what a store raises as ProviderError, at the latest after CALL_S."""
    try:
        with anyio.fail_after(CALL_S):
            yield
    except ProviderError:
        raise
    except STORE_FAILURES as error:
        raise ProviderError("memory", str(error) or "the store does not answer") from error


def _kept(thread: str, found: CheckpointTuple) -> Kept:
    values = found.checkpoint["channel_values"]
    messages, summary = values.get("messages"), values.get("summary")
    try:
        updated_utc = datetime.fromisoformat(found.checkpoint["ts"]).astimezone(UTC)
    except ValueError:
        updated_utc = datetime.fromtimestamp(0, UTC)
    return Kept(
        thread,
        [dict(each) for each in messages if isinstance(each, dict)]
        if isinstance(messages, list)
        else [],
        summary if isinstance(summary, str) else "",
        updated_utc,
    )
