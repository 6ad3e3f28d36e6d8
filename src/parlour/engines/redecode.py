"""Makes a recogniser that only knows whole recordings hear while somebody speaks.

What has been said so far is decoded again and again, one decode at a time. Words on which two
decodes in a row agree are stable (LocalAgreement-2; Macháček et al., 2023). At a pause the last
decode begins at once: if nothing but silence follows, it is the final, and nobody waits for it.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import anyio
import numpy as np

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.errors import ProviderError
from parlour.level import level_dbfs
from parlour.ports import Final, Partial, Vocabulary
from parlour.traits import Partials, SttTraits


class BatchStt(Protocol):
    """A recogniser of whole recordings."""

    async def teach(self, vocabulary: Vocabulary) -> None:
        """As `ports.Stt.teach`."""
        ...

    async def transcribe(self, pcm: Pcm, language: str | None) -> Final:
        """Takes 0.1 to 3 s; cancelling stops it. Raises ProviderError."""
        ...


@dataclass(frozen=True, slots=True)
class RedecodePolicy:
    least_new_s: float = 0.3  # of sound, for another decode to be worth it; inf: only at pauses
    most_kept_s: float = 28.0  # Whisper's window is 30 s
    cut_s: float = 14.0  # of which so much is settled at once, when it is full
    eager_s: float = 0.06  # of silence after speech: it is decoded whole before anybody asks
    quiet_db: float = 25.0  # below the utterance's loudest second: what follows a pause is silence
    most_unread: int = 64  # partials; then the next decode waits


class Redecoding:
    """Satisfies `ports.Stt` with any BatchStt."""

    def __init__(
        self, batch: BatchStt, traits: SttTraits, policy: RedecodePolicy | None = None
    ) -> None:
        self.traits = replace(traits, partials=Partials.REPLACE, settles=True)
        self._batch = batch
        self._policy = policy or RedecodePolicy()

    async def teach(self, vocabulary: Vocabulary) -> None:
        await self._batch.teach(vocabulary)

    def open(self, language: str | None) -> AbstractAsyncContextManager["RedecodingHearing"]:
        return redecoding(self._batch, language, self._policy)


@asynccontextmanager
async def redecoding(
    batch: BatchStt, language: str | None, policy: RedecodePolicy
) -> AsyncIterator["RedecodingHearing"]:
    """Begin an utterance."""
    hearing = RedecodingHearing(batch, language, policy)
    with hearing.heard:
        async with tasks.task_group() as group:
            group.start_soon(hearing.run)
            try:
                yield hearing
            finally:
                group.cancel_scope.cancel()


class RedecodingHearing:
    """One utterance. Satisfies `ports.SttContext`."""

    def __init__(self, batch: BatchStt, language: str | None, policy: RedecodePolicy) -> None:
        self._batch = batch
        self._language = language
        self._policy = policy
        self._pieces: deque[Pcm] = deque()
        self._kept = 0  # samples in `_pieces`
        self._fed = 0  # samples in all
        self._spoken_until = 0  # of those, up to the last piece that was no silence
        self._loudest_dbfs = -100.0
        self._settled = ""  # the text of sound that is kept no longer
        self._before: list[str] = []  # words of the decode before
        self._decoded = 0  # up to which sample the last decode went
        self._last = Final("")
        self._paused = self._finished = False
        self._news = anyio.Event()
        self._decoding: anyio.CancelScope | None = None
        self._decoding_until = 0  # up to which sample the decode goes that is under way
        self._failed: ProviderError | None = None
        self._send, self.heard = anyio.create_memory_object_stream[Partial | Final](
            policy.most_unread
        )

    def feed(self, pcm: Pcm) -> None:
        self._pieces.append(pcm)
        self._kept += len(pcm.samples)
        self._fed += len(pcm.samples)
        dbfs = level_dbfs(pcm.samples)
        self._loudest_dbfs = max(self._loudest_dbfs, dbfs)
        if dbfs > self._loudest_dbfs - self._policy.quiet_db:
            self._spoken_until = self._fed
            self._paused = False
        self._news.set()

    def pause(self) -> None:
        """Decode what there is at once; a decode that began before the last word is of no use."""
        if self._decoding is not None and self._decoding_until < self._spoken_until:
            self._decoding.cancel()
        self._paused = True
        self._news.set()

    def finish(self) -> None:
        self._finished = True
        self.pause()

    async def __aiter__(self) -> AsyncIterator[Partial | Final]:
        async for heard in self.heard:
            yield heard
        if self._failed is not None:
            raise self._failed

    # ------------------------------------------------------------ decoding

    @property
    def _is_covered(self) -> bool:
        """Whether the last decode has heard all that was no silence."""
        return self._decoded >= self._spoken_until and self._decoded > 0

    async def run(self) -> None:
        """Decode until finished; never raises."""
        with self._send:
            try:
                while not (self._finished and (self._is_covered or not self._fed)):
                    await self._wait_for_sound()
                    if not self._is_covered or not self._paused:
                        await self._decode()
                    if self._paused and self._is_covered and not self._finished:
                        await self._stand_by()
                await self._send.send(replace(self._last, text=self._whole()))
            except ProviderError as error:
                self._failed = error

    async def _wait_for_sound(self) -> None:
        while not (self._paused or self._finished or self._is_worth_a_decode):
            self._news = anyio.Event()
            await self._news.wait()

    @property
    def _is_worth_a_decode(self) -> bool:
        """Enough that is new, or a silence that may be the end. A decode that begins in between
        would be in the way of the one at the end, since most engines cannot be stopped."""
        quiet = self._fed - self._spoken_until
        if quiet >= self._policy.eager_s * HEARING_RATE_HZ:
            return not self._is_covered and self._spoken_until > 0
        is_new = self._fed - self._decoded >= self._policy.least_new_s * HEARING_RATE_HZ
        return is_new and quiet == 0

    async def _stand_by(self) -> None:
        """All is said up to the pause: wait for what comes after it."""
        text = self._whole()
        await self._send.send(Partial(text, len(text)))
        while self._paused and self._is_covered and not self._finished:
            self._news = anyio.Event()
            await self._news.wait()

    async def _decode(self) -> None:
        until = self._fed
        if not self._kept:
            return
        samples = np.concatenate([piece.samples for piece in self._pieces])
        final: Final | None = None
        self._decoding_until = until
        with anyio.CancelScope() as self._decoding:
            final = await self._batch.transcribe(Pcm(samples, HEARING_RATE_HZ), self._language)
        self._decoding = None
        if final is None:
            return  # a pause came: it is decoded anew, whole
        self._decoded, self._last = until, final
        words = final.text.split()
        agreed = _common(self._before, words)
        self._before = words
        if not (self._paused and self._is_covered):
            text = self._whole()
            stable = " ".join([self._settled, *agreed]).strip()
            # Only at a pause does it stand by the whole of it.
            await self._send.send(Partial(text, min(len(stable), max(0, len(text) - 1))))
        await self._make_room()

    async def _make_room(self) -> None:
        """Settle the first part of a long utterance, by itself, and forget its sound."""
        policy = self._policy
        if self._kept < policy.most_kept_s * HEARING_RATE_HZ:
            return
        cut = round(policy.cut_s * HEARING_RATE_HZ)
        samples = np.concatenate([piece.samples for piece in self._pieces])
        cut = _quietest(samples, cut)
        first = await self._batch.transcribe(Pcm(samples[:cut], HEARING_RATE_HZ), self._language)
        self._settled = f"{self._settled} {first.text}".strip()
        self._pieces = deque([Pcm(samples[cut:], HEARING_RATE_HZ)])
        self._kept -= cut
        self._before, self._last = [], Final("")
        self._decoded = 0

    def _whole(self) -> str:
        return f"{self._settled} {self._last.text}".strip()


def _common(one: list[str], other: list[str]) -> list[str]:
    """The words that both begin with."""
    for n, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return one[:n]
    return one[: len(other)]


def _quietest(samples: np.ndarray[tuple[int], np.dtype[np.int16]], around: int) -> int:
    """The middle of the quietest 100 ms within two seconds of `around`."""
    hop = HEARING_RATE_HZ // 10
    first = max(0, around - 2 * HEARING_RATE_HZ)
    window = samples[first : around + 2 * HEARING_RATE_HZ]
    hops = window[: len(window) // hop * hop].reshape(-1, hop).astype(np.float32)
    return first + int(np.argmin((hops**2).mean(axis=1))) * hop + hop // 2
