"""What a recogniser's server does with an engine that refuses."""

from collections.abc import Iterable

import anyio
import pytest
from anyio.streams.stapled import StapledObjectStream
from wyoming.audio import AudioStart

from parlour.audio import HEARING_RATE_HZ
from parlour.engines.blocking import Hearing
from parlour.engines.framing import Connection
from parlour.engines.serve import LANES, _Ear
from parlour.errors import ProviderError


class _Refusing:
    def learn(self, sentences: Iterable[str]) -> None:
        pass

    def hear(self) -> Hearing:
        raise ProviderError("refusing", "not now")


@pytest.mark.anyio
async def test_utterances_that_could_not_begin_leave_their_lanes_free() -> None:
    lanes = anyio.CapacityLimiter(LANES)
    async with StapledObjectStream(*anyio.create_memory_object_stream[bytes](1)) as pipe:
        for _ in range(LANES + 1):
            ear = _Ear(_Refusing(), lanes, Connection(pipe))  # type: ignore[arg-type]
            with anyio.fail_after(5), pytest.raises(ProviderError):
                await ear.receive(AudioStart(HEARING_RATE_HZ, 2, 1).event())
            ear.close()
    assert lanes.borrowed_tokens == 0
