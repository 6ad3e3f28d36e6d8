"""A saver that no turn waits for: what the store does not take at once is written later."""

import logging
import random
import sqlite3
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
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

from parlour.agent.memory.plain import PlainSerializer, config_of, dump, is_listed, key_of, load
from parlour.errors import ProviderError

log = logging.getLogger(__name__)

DEADLINE_S = 0.5  # the longest that a turn waits, once; after that it does not wait at all
LATE_S = 5.0  # for what no turn waits for
FIRST_S, LONGEST_S = 0.5, 30.0  # between two tries of a store that fails
MOST_THREADS = 200
MOST_WRITES = 100  # pending ones of a checkpoint

Failures = tuple[type[Exception], ...]
STORE_FAILURES: Failures = (ProviderError, OSError, sqlite3.Error)
_UNREADABLE = (ValueError, KeyError, TypeError)  # a state that somebody else wrote, or half a one


@dataclass(slots=True, eq=False)
class _Copy:
    """The newest state of a thread, as bytes: who reads it may change what he gets."""

    key: tuple[str, str]
    id: str
    checkpoint: bytes
    metadata: bytes
    parent: str | None
    versions: ChannelVersions
    is_put: bool = False
    writes: dict[tuple[str, int], bytes] = field(default_factory=dict)
    unwritten: deque[tuple[bytes, str, str]] = field(default_factory=deque)

    @property
    def waits(self) -> bool:
        return not self.is_put or bool(self.unwritten)

    @property
    def config(self) -> RunnableConfig:
        return config_of(*self.key, self.id)

    def as_tuple(self) -> CheckpointTuple:
        return CheckpointTuple(
            self.config,
            load(self.checkpoint),
            load(self.metadata),
            config_of(*self.key, self.parent) if self.parent else None,
            [(task_id, *load(value)) for (task_id, _), value in self.writes.items()],
        )

    def add(self, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str) -> None:
        replaces = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        for index, (channel, value) in enumerate(writes):
            place = task_id, WRITES_IDX_MAP.get(channel, index)
            if replaces or place not in self.writes:
                self.writes[place] = dump([channel, value])
        self.unwritten.append((dump([list(each) for each in writes]), task_id, task_path))

    async def write(self, store: BaseCheckpointSaver[Any]) -> None:
        if not self.is_put:
            config = config_of(*self.key, self.parent)
            await store.aput(config, load(self.checkpoint), load(self.metadata), self.versions)
            self.is_put = True
        while self.unwritten:
            writes, task_id, task_path = self.unwritten[0]
            pairs = [(channel, value) for channel, value in load(writes)]
            await store.aput_writes(self.config, pairs, task_id, task_path)
            self.unwritten.popleft()


class KeptSaver(BaseCheckpointSaver[Any]):
    """What was put last is what is read, whether the store has it yet or not.

    `problem` says that and why something is not written, and is "" while all is well. As long as
    the store fails, `run` alone speaks to it. A thread of which nothing is known then begins
    anew, and takes the place of the older one when the store is back.

    `alone`: nobody else writes to the store, so that what is known need not be read again.
    """

    def __init__(
        self,
        store: BaseCheckpointSaver[Any],
        failures: Failures = STORE_FAILURES,
        *,
        alone: bool = False,
    ) -> None:
        super().__init__(serde=PlainSerializer())
        self.lost = 0  # conversations of which the newest state was dropped for lack of room
        self._store = store
        # aiosqlite raises a ValueError for a file that is closed.
        self._failures: Failures = (*failures, ValueError)
        self._alone = alone
        self._copies: OrderedDict[tuple[str, str], _Copy] = OrderedDict()
        self._deleted: set[str] = set()  # threads that the store has still to forget
        self._reason = ""
        self._wake = anyio.Event()
        self._writing = anyio.Lock()  # two writers could leave the older state of a thread behind

    @property
    def problem(self) -> str:
        return self._reason and f"conversations are not written at the moment: {self._reason}"

    def is_waiting(self, thread: str) -> bool:
        """Whether the store does not know yet what became of a thread."""
        return thread in self._deleted or any(
            copy.waits for copy in self._copies.values() if copy.key[0] == thread
        )

    def waiting(self) -> list[str]:
        """The threads of which the store has not the newest state."""
        return list(dict.fromkeys(copy.key[0] for copy in self._copies.values() if copy.waits))

    def look_again(self) -> None:
        """The store was changed past us: what it has is to be read from it."""
        for key in [key for key, copy in self._copies.items() if not copy.waits]:
            del self._copies[key]

    # ------------------------------------------------------------ as LangGraph calls it

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        key = key_of(config)
        copy = self._copies.get(key)
        wanted = get_checkpoint_id(config)
        fits = copy is not None and wanted in (None, copy.id)
        if copy is not None and fits and (copy.waits or self._alone):
            return copy.as_tuple()
        if key[0] in self._deleted:
            return None
        if not self._reason:
            was_read, found = await self._read(config)
            if was_read:
                if wanted is None and self._copies.get(key) is copy:
                    self._note(key, found)
                return found
        # Meanwhile another turn may have put something newer.
        copy = self._copies.get(key)
        return copy.as_tuple() if copy is not None and wanted in (None, copy.id) else None

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Raises TypeError for a state that is not plain, and nothing else."""
        key = key_of(config)
        metadata = get_checkpoint_metadata(config, metadata)
        self._keep(
            _Copy(
                key,
                checkpoint["id"],
                dump(checkpoint),
                dump(metadata),
                get_checkpoint_id(config),
                dict(new_versions),
            )
        )
        await self._try(key)
        return config_of(*key, checkpoint["id"])

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Pending writes of a state that is not the newest any more are dropped."""
        key, wanted = key_of(config), get_checkpoint_id(config)
        copy = self._copies.get(key)
        if copy is None and not self._reason:
            await self.aget_tuple(config_of(*key))
            copy = self._copies.get(key)
        if copy is None or copy.id != wanted or len(copy.writes) + len(writes) > MOST_WRITES:
            return
        copy.add(writes, task_id, task_path)
        await self._try(key)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - as the base class calls it
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """What the store has and what waits for it; raises what the store raises."""
        waiting = [copy for copy in self._copies.values() if copy.waits]
        hidden = {copy.key for copy in waiting}
        listed = [copy.as_tuple() for copy in waiting]
        listed = [each for each in listed if is_listed(each, config, filter, before)]
        async for found in self._store.alist(config, filter=filter, before=before):
            key = key_of(found.config)
            if key not in hidden and key[0] not in self._deleted:
                listed.append(found)
        listed.sort(key=lambda each: each.checkpoint["id"], reverse=True)
        for found in listed[:limit]:
            yield found

    async def adelete_thread(self, thread_id: str) -> None:
        """From now on it is gone; `is_waiting` says whether the store has still to forget it."""
        for key in [key for key in self._copies if key[0] == thread_id]:
            del self._copies[key]
        self._deleted.add(thread_id)
        await self._try((thread_id, ""))

    def get_next_version(self, current: Any, channel: None) -> Any:
        return self._store.get_next_version(current, channel)

    def with_allowlist(self, extra_allowlist: object) -> "KeptSaver":
        """Nothing but plain JSON is ever read, so there is nothing to allow."""
        return self

    # ------------------------------------------------------------ beside the turns

    async def run(self) -> None:
        """Write what waits, as soon as the store takes it. Returns only by cancellation."""
        wait_s = FIRST_S
        while True:
            await self._wake.wait()
            if await self.flush():
                self._wake = anyio.Event()
                wait_s = FIRST_S
            else:
                await anyio.sleep(wait_s * random.uniform(0.8, 1.0))
                wait_s = min(LONGEST_S, 2 * wait_s)

    async def flush(self) -> bool:
        """Ask the store whether it works, and write all that waits; whether all is written."""
        try:
            with anyio.fail_after(LATE_S):
                await self._store.aget_tuple(config_of("", ""))
            while (key := self._oldest_waiting()) is not None:
                with anyio.fail_after(LATE_S):
                    async with self._writing:
                        await self._write(key)
        except self._failures as error:
            self._failed(error)
            return False
        if self._reason:
            log.warning("conversations are written again")
            self._reason = ""
        return True

    # ------------------------------------------------------------ the store

    def _oldest_waiting(self) -> tuple[str, str] | None:
        if self._deleted:
            return next(iter(self._deleted)), ""
        return next((key for key, copy in self._copies.items() if copy.waits), None)

    async def _try(self, key: tuple[str, str]) -> None:
        """Write it now if the store works, else leave it to `run`; so does a turn that is cut."""
        is_written = False
        try:
            if not self._reason:
                with anyio.fail_after(DEADLINE_S):
                    async with self._writing:
                        await self._write(key)
                is_written = True
        except self._failures as error:
            self._failed(error)
        finally:
            if not is_written:
                self._wake.set()

    async def _write(self, key: tuple[str, str]) -> None:
        """Bring the store up to date about a thread; under the lock. Raises what it raises."""
        thread, _ = key
        if thread in self._deleted:
            await self._store.adelete_thread(thread)
            self._deleted.discard(thread)
        if (copy := self._copies.get(key)) is not None:
            await copy.write(self._store)

    async def _read(self, config: RunnableConfig) -> tuple[bool, CheckpointTuple | None]:
        try:
            with anyio.fail_after(DEADLINE_S):
                return True, await self._store.aget_tuple(config)
        except _UNREADABLE:
            log.warning("a conversation cannot be read and begins anew")
        except self._failures as error:
            self._failed(error)
        return False, None

    def _failed(self, error: Exception) -> None:
        is_late = isinstance(error, TimeoutError)
        reason = "the store does not answer" if is_late else str(error) or type(error).__name__
        if not self._reason:
            log.warning("conversations are not written, and kept in memory: %s", reason)
        self._reason = reason
        self._wake.set()

    # ------------------------------------------------------------ the copies

    def _note(self, key: tuple[str, str], found: CheckpointTuple | None) -> None:
        """Remember what the store has, for when it is away."""
        copy = self._copies.get(key)
        if found is None:
            self._copies.pop(key, None)
        elif copy is None or copy.id != found.checkpoint["id"]:
            parent = get_checkpoint_id(found.parent_config) if found.parent_config else None
            noted = _Copy(
                key,
                found.checkpoint["id"],
                dump(found.checkpoint),
                dump(found.metadata),
                parent,
                {},
            )
            noted.is_put = True
            self._keep(noted)

    def _keep(self, copy: _Copy) -> None:
        self._copies[copy.key] = copy
        self._copies.move_to_end(copy.key)
        if len(self._copies) <= MOST_THREADS:
            return
        oldest = next((each for each in self._copies.values() if not each.waits), None)
        if oldest is None:
            oldest = next(iter(self._copies.values()))
            self.lost += 1
            log.error("what was last said in a conversation is lost: too many wait to be written")
        del self._copies[oldest.key]
