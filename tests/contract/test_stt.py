"""What every recogniser promises, asked of each in its own process."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from engine_house import running
from houses import HOUSE
from parlour import tasks
from parlour.app import registry
from parlour.audio import HEARING_RATE_HZ, Pcm, frames, silence
from parlour.catalogue import facts
from parlour.engines import wyoming
from parlour.engines.process import EngineProcess
from parlour.engines.wyoming import WyomingStt
from parlour.errors import ProviderError
from parlour.home.sampling import training_sentences
from parlour.ports import Final, Partial, Stt, Vocabulary
from parlour.supervise import Stages
from parlour.traits import SttTraits

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("engine", ["pocketsphinx"]),
]

TEXT = "turn on the kitchen light"
FRAME = HEARING_RATE_HZ // 50


def _traits(engine: str) -> SttTraits:
    return next(iter(facts.hearing()[engine].values()))


@asynccontextmanager
async def _taught(engine: str) -> AsyncIterator[tuple[WyomingStt, Callable[[], int | None]]]:
    known = registry.STT[engine]
    async with running("stt", known.target) as process:
        stt = WyomingStt(process, _traits(engine))
        await stt.teach(Vocabulary(training_sentences(HOUSE, per_template=60)))
        yield stt, lambda: process.stage.pid


async def _hear(stt: Stt, pcm: Pcm) -> list[Partial | Final]:
    async with stt.open("en_US") as hearing:
        for frame in frames(pcm, FRAME):
            hearing.feed(frame)
        hearing.finish()
        with anyio.fail_after(20):
            return [heard async for heard in hearing]


async def test_speech_gives_partials_and_then_one_final(
    engine: str, speak: Callable[[str], Pcm]
) -> None:
    async with _taught(engine) as (stt, _):
        *partials, final = await _hear(stt, speak(TEXT))
    assert isinstance(final, Final)
    assert final.text == TEXT
    assert partials
    assert all(isinstance(partial, Partial) for partial in partials)
    assert all(0 <= p.stable_chars <= len(p.text) for p in partials if isinstance(p, Partial))


async def test_silence_and_nothing_at_all_give_an_empty_final(engine: str) -> None:
    async with _taught(engine) as (stt, _):
        for pcm in (silence(1.0, HEARING_RATE_HZ), silence(0.0, HEARING_RATE_HZ)):
            heard = await _hear(stt, pcm)
            assert isinstance(heard[-1], Final)
            assert heard[-1].text == ""


async def test_four_utterances_at_once_do_not_disturb_each_other(
    engine: str, speak: Callable[[str], Pcm]
) -> None:
    texts = [TEXT, "turn off all the lights", "open the bedroom blinds", "what time is it"]
    sounds = [speak(text) for text in texts]
    finals: dict[str, str] = {}

    async with _taught(engine) as (stt, _):

        async def hear(text: str, pcm: Pcm) -> None:
            final = (await _hear(stt, pcm))[-1]
            finals[text] = final.text

        async with tasks.task_group() as group:
            for text, pcm in zip(texts, sounds, strict=True):
                group.start_soon(hear, text, pcm)
    assert finals == {text: text for text in texts}


async def test_an_utterance_given_up_leaves_the_engine_free_for_the_next(
    engine: str, speak: Callable[[str], Pcm]
) -> None:
    async with _taught(engine) as (stt, _):
        for _ in range(6):
            async with stt.open("en_US") as hearing:
                hearing.feed(speak(TEXT))
        assert (await _hear(stt, speak(TEXT)))[-1].text == TEXT


async def test_a_process_killed_in_mid_utterance_still_yields_the_whole_final(
    engine: str, speak: Callable[[str], Pcm]
) -> None:
    async with _taught(engine) as (stt, pid), stt.open("en_US") as hearing:
        first = pid()
        assert first is not None
        for count, frame in enumerate(frames(speak(TEXT), FRAME)):
            hearing.feed(frame)
            if count == 40:
                await anyio.sleep(0.2)
                os.kill(first, signal.SIGKILL)
        hearing.finish()
        with anyio.fail_after(20):
            *_, final = [heard async for heard in hearing]
        assert final.text == TEXT
        assert pid() not in (None, first)


async def test_an_engine_that_cannot_start_is_named_in_the_error(engine: str) -> None:
    traits = _traits(engine)
    process = EngineProcess(Stages().add("stt:nowhere"), "stt", "parlour.nowhere:serve")
    async with tasks.task_group() as group:
        group.start_soon(process.run)
        async with WyomingStt(process, traits).open("en_US") as hearing:
            hearing.finish()
            with anyio.fail_after(20), pytest.raises(ProviderError, match="stt:nowhere"):
                async for _ in hearing:
                    pass
        group.cancel_scope.cancel()


async def test_an_engine_that_hangs_is_an_error_and_not_a_wait_for_ever(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wyoming, "FINAL_S", 0.5)
    async with _taught(engine) as (stt, pid), stt.open("en_US") as hearing:
        stopped = pid()
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        try:
            hearing.feed(silence(0.5, HEARING_RATE_HZ))
            hearing.finish()
            with anyio.fail_after(5), pytest.raises(ProviderError, match="no final"):
                async for _ in hearing:
                    pass
        finally:
            os.kill(stopped, signal.SIGCONT)
