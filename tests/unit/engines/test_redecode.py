"""A recogniser of whole recordings that hears while somebody speaks."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import anyio
import numpy as np
import pytest

import virtual_time
from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.engines.redecode import Redecoding, RedecodingHearing
from parlour.errors import ProviderError
from parlour.ports import Final, Partial, Vocabulary
from parlour.traits import Partials, SttTraits

TRAITS = SttTraits("batch", {}, Partials.NONE, offline=True)
WORD_S = 0.4
LOUD = 8000


@dataclass
class Batch:
    """Hears one word for each 0.4 s of loud sound: "w0 w1 ..."; takes a tenth of its length."""

    speed: float = 0.1
    fails_at: int | None = None
    decodes: list[float] = field(default_factory=list)  # seconds of sound of each that was begun
    finished: int = 0
    heard_before: int = 0  # words of parts that were settled

    async def teach(self, vocabulary: Vocabulary) -> None:
        """It hears what is loud."""

    async def transcribe(self, pcm: Pcm, language: str | None) -> Final:
        self.decodes.append(pcm.duration_s)
        if self.fails_at == len(self.decodes):
            raise ProviderError("batch", "it fails as told")
        await anyio.sleep(pcm.duration_s * self.speed)
        self.finished += 1
        loud_s = float((np.abs(pcm.samples) > LOUD // 2).sum()) / HEARING_RATE_HZ
        return Final(" ".join(f"w{n}" for n in range(round(loud_s * 100) // round(WORD_S * 100))))


@dataclass
class Heard:
    partials: list[tuple[float, Partial]] = field(default_factory=list)
    final: str | None = None
    final_s: float = 0.0


def _run(batch: Batch, scenario: Callable[[RedecodingHearing], Coroutine[Any, Any, None]]) -> Heard:
    heard = Heard()

    async def body() -> None:
        async with Redecoding(batch, TRAITS).open("en") as hearing:

            async def follow() -> None:
                async for one in hearing:
                    if isinstance(one, Partial):
                        heard.partials.append((anyio.current_time(), one))
                    else:
                        heard.final, heard.final_s = one.text, anyio.current_time()

            async with tasks.task_group() as group:
                group.start_soon(follow)
                await scenario(hearing)

    virtual_time.run(body)
    return heard


async def _feed(hearing: RedecodingHearing, seconds: float, amplitude: int = LOUD) -> None:
    for _ in range(round(seconds / 0.02)):
        hearing.feed(Pcm(np.full(320, amplitude, np.int16), HEARING_RATE_HZ))
        await anyio.sleep(0.02)


def test_words_are_heard_while_they_are_spoken_and_become_stable() -> None:
    async def scenario(hearing: RedecodingHearing) -> None:
        await _feed(hearing, 2.0)
        hearing.finish()

    batch = Batch()
    heard = _run(batch, scenario)
    assert heard.final == "w0 w1 w2 w3 w4"
    assert len(heard.partials) >= 3
    assert all(at_s < 2.1 for at_s, _ in heard.partials)
    assert any(partial.stable_chars > 0 for _, partial in heard.partials)
    assert all("w0 w1 w2 w3 w4".startswith(partial.text) for _, partial in heard.partials)


def test_the_last_decode_begins_at_the_pause_and_is_the_final_without_a_wait() -> None:
    async def scenario(hearing: RedecodingHearing) -> None:
        await _feed(hearing, 2.0)
        hearing.pause()
        await _feed(hearing, 0.5, amplitude=20)
        hearing.finish()

    batch = Batch()
    heard = _run(batch, scenario)
    settled = [(at_s, partial) for at_s, partial in heard.partials if partial.settled]
    assert settled[-1][1].text == heard.final == "w0 w1 w2 w3 w4"
    assert settled[-1][0] < 2.3
    assert heard.final_s == pytest.approx(2.5, abs=0.03)
    assert batch.decodes[-1] == pytest.approx(2.0, abs=0.03)  # nothing was decoded for the silence


def test_who_goes_on_after_the_pause_is_heard_on() -> None:
    async def scenario(hearing: RedecodingHearing) -> None:
        await _feed(hearing, 0.8)
        hearing.pause()
        await _feed(hearing, 0.4, amplitude=20)
        await _feed(hearing, 0.8)
        hearing.pause()
        await _feed(hearing, 0.4, amplitude=20)
        hearing.finish()

    heard = _run(Batch(), scenario)
    assert heard.final == "w0 w1 w2 w3"
    assert [p.text for _, p in heard.partials if p.settled] == ["w0 w1", "w0 w1 w2 w3"]


def test_one_decode_at_a_time_and_one_that_a_pause_makes_useless_is_stopped() -> None:
    async def scenario(hearing: RedecodingHearing) -> None:
        await _feed(hearing, 2.0)
        hearing.pause()
        await _feed(hearing, 1.5, amplitude=20)
        hearing.finish()

    batch = Batch(speed=0.6)
    heard = _run(batch, scenario)
    assert heard.final == "w0 w1 w2 w3 w4"
    assert batch.finished < len(batch.decodes)
    assert len(batch.decodes) <= 6


def test_nothing_fed_is_nothing_heard() -> None:
    async def scenario(hearing: RedecodingHearing) -> None:
        hearing.finish()

    batch = Batch()
    assert _run(batch, scenario).final == ""
    assert batch.decodes == []


def test_a_decode_that_fails_is_told_to_the_reader() -> None:
    async def scenario(hearing: RedecodingHearing) -> None:
        await _feed(hearing, 1.0)
        hearing.finish()

    with pytest.raises(ProviderError, match="fails as told"):
        _run(Batch(fails_at=2), scenario)


def test_a_long_speech_is_settled_in_parts_and_little_sound_is_kept() -> None:
    async def scenario(hearing: RedecodingHearing) -> None:
        for _ in range(8):
            await _feed(hearing, 4.0)
            await _feed(hearing, 0.4, amplitude=20)
        hearing.pause()
        await _feed(hearing, 0.4, amplitude=20)
        hearing.finish()

    batch = Batch(speed=0.01)
    heard = _run(batch, scenario)
    assert max(batch.decodes) < 31
    assert heard.final is not None
    assert len(heard.final.split()) == pytest.approx(80, abs=2)


def test_a_decode_that_began_in_the_silence_is_not_begun_again_at_the_pause() -> None:
    batch = Batch(speed=0.2)

    async def scenario(hearing: RedecodingHearing) -> None:
        await _feed(hearing, 0.8)
        await _feed(hearing, 0.08, amplitude=0)  # at 60 ms the last decode begins
        hearing.pause()
        await anyio.sleep(1.0)
        hearing.finish()

    heard = _run(batch, scenario)
    settled = [(at_s, one) for at_s, one in heard.partials if one.settled]
    assert settled[0][1].text == "w0 w1"
    # 0.86 s of sound take 0.17 s; a second decode would take as long again.
    assert settled[0][0] < 0.8 + 0.06 + 0.2 * 0.9 + 0.05
    assert batch.finished == len(batch.decodes)
