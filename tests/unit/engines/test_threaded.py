"""Blocking engines on a loop."""

import anyio
import numpy as np
import pytest

from parlour.audio import HEARING_RATE_HZ, Pcm, Samples
from parlour.engines.blocking import Hearing
from parlour.engines.redecode import RedecodePolicy
from parlour.engines.threaded import InThread, Threaded
from parlour.errors import ProviderError
from parlour.ports import Final, Partial, Vocabulary

pytestmark = pytest.mark.anyio


class Counting:
    """Says how many pieces it was fed, and settles at a pause."""

    def __init__(self) -> None:
        self.open = 0

    def learn(self, vocabulary: Vocabulary) -> None:
        """It counts, whatever it is taught."""

    def hear(self, language: str | None) -> "CountingHearing":
        if language == "xx":
            raise ProviderError("counting", "it does not know xx")
        self.open += 1
        return CountingHearing(self)


class CountingHearing:
    def __init__(self, engine: Counting) -> None:
        self._engine = engine
        self._pieces = 0

    def feed(self, pcm: Pcm) -> Partial | None:
        self._pieces += 1
        return Partial(f"{self._pieces}") if self._pieces % 2 else None

    def pause(self) -> Partial | None:
        text = f"{self._pieces}"
        return Partial(text, len(text))

    def finish(self) -> Final:
        return Final(f"{self._pieces}")

    def close(self) -> None:
        self._engine.open -= 1


def _piece() -> Pcm:
    return Pcm(np.zeros(320, np.int16), HEARING_RATE_HZ)


async def test_pieces_and_pauses_reach_the_engine_in_their_order() -> None:
    hearing: Hearing = CountingHearing(Counting())
    assert hearing.finish() == Final("0")
    async with Threaded(Counting()).open("en") as context:
        context.feed(_piece())
        context.feed(_piece())
        context.pause()
        context.feed(_piece())
        context.finish()
        with anyio.fail_after(5):
            heard = [one async for one in context]
    assert heard == [Partial("1"), Partial("2", 1), Partial("3"), Final("3")]


async def test_utterances_that_could_not_begin_leave_their_lanes_free() -> None:
    engine = Counting()
    stt = Threaded(engine, lanes=2)
    for _ in range(5):
        with anyio.fail_after(5), pytest.raises(ProviderError, match="xx"):
            async with stt.open("xx"):
                pass
    async with stt.open("en"):
        assert engine.open == 1


async def test_an_utterance_given_up_closes_its_hearing() -> None:
    engine = Counting()
    async with Threaded(engine).open(None) as context:
        context.feed(_piece())
    assert engine.open == 0


async def test_a_batch_engine_hears_at_a_pause_what_it_was_fed() -> None:
    class Loud:
        def learn(self, vocabulary: Vocabulary) -> None:
            """It hears what is loud."""

        def transcribe(self, samples: Samples, language: str | None) -> Final:
            return Final("loud" if np.abs(samples).max() > 1000 else "")

    async with InThread(Loud(), RedecodePolicy(least_new_s=60)).open(None) as context:
        context.feed(Pcm(np.full(16_000, 8_000, np.int16), HEARING_RATE_HZ))
        context.pause()
        with anyio.fail_after(5):
            async for heard in context:
                assert heard == Partial("loud", 4)
                break
