"""What every voice promises, asked of each in its own process."""

import os
import signal

import anyio
import numpy as np
import pytest

from engine_house import running
from parlour.app import registry
from parlour.audio import Pcm, join
from parlour.catalogue import facts
from parlour.engines.process import ANSWER_S, ASK_AGAIN_S
from parlour.engines.wyoming import WyomingTts
from parlour.errors import ProviderError
from parlour.ports import Tts
from parlour.traits import TtsTraits

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("engine", ["espeak"]),
]


def _traits(engine: str) -> TtsTraits:
    return next(iter(facts.speaking()[engine].values()))


TEXT = "The kitchen light is on."


async def _speak(tts: Tts, *texts: str, voice: str | None = None, speed: float = 1.0) -> Pcm:
    async with tts.open(voice, speed) as speech:
        for text in texts:
            speech.say(text)
        speech.finish()
        with anyio.fail_after(20):
            pieces = [piece async for piece in speech]
    assert all(piece.pcm.rate_hz == tts.traits.rate_hz for piece in pieces)
    return join([piece.pcm for piece in pieces], tts.traits.rate_hz)


async def test_a_sentence_becomes_sound_of_a_plausible_length(engine: str) -> None:
    known = registry.TTS[engine]
    async with running("tts", known.target) as process:
        tts = WyomingTts(process, _traits(engine))
        pcm = await _speak(tts, TEXT)
        assert 0.8 < pcm.duration_s < 4
        assert np.abs(pcm.samples.astype(int)).max() > 3000
        faster = await _speak(tts, TEXT, speed=1.5)
        assert faster.duration_s < 0.85 * pcm.duration_s
        both = await _speak(tts, TEXT, TEXT)
        assert both.duration_s == pytest.approx(2 * pcm.duration_s, rel=0.1)


async def test_each_voice_speaks_its_language(engine: str) -> None:
    greetings = {"hi": "नमस्ते", "ta": "வணக்கம்", "de": "Guten Abend", "bn": "নমস্কার", "te": "నమస్తే"}
    known = registry.TTS[engine]
    async with running("tts", known.target) as process:
        tts = WyomingTts(process, _traits(engine))
        for voice in _traits(engine).voices.values():
            language = next(iter(voice.languages))
            text = greetings.get(language.partition("_")[0], "hello")
            assert (await _speak(tts, text, voice=voice.id)).duration_s > 0.2, voice.id


@pytest.mark.parametrize("text", ["", " ", "...", "\u263a\ufe0f", "<speak>&amp;</speak>", "a\x00b"])
async def test_odd_texts_are_no_error(engine: str, text: str) -> None:
    known = registry.TTS[engine]
    async with running("tts", known.target) as process:
        await _speak(WyomingTts(process, _traits(engine)), text)


async def test_an_unknown_voice_is_refused_with_those_there_are(engine: str) -> None:
    known = registry.TTS[engine]
    async with running("tts", known.target) as process:
        with pytest.raises(ProviderError, match="no voice nobody"):
            await _speak(WyomingTts(process, _traits(engine)), TEXT, voice="nobody")


async def test_a_long_text_that_is_given_up_frees_the_voice_at_once(engine: str) -> None:
    known = registry.TTS[engine]
    async with running("tts", known.target) as process:
        tts = WyomingTts(process, _traits(engine))
        async with tts.open() as speech:
            speech.say(TEXT * 200)
            async for _ in speech:
                break
        with anyio.fail_after(2):
            assert (await _speak(tts, TEXT)).duration_s < 4


async def test_a_process_killed_in_mid_speech_speaks_on_without_saying_anything_twice(
    engine: str,
) -> None:
    known = registry.TTS[engine]
    async with running("tts", known.target) as process:
        tts = WyomingTts(process, _traits(engine))
        text = TEXT * 12
        whole = await _speak(tts, text)
        first = process.stage.pid
        assert first is not None
        pieces: list[Pcm] = []
        async with tts.open() as speech:
            speech.say(text)
            speech.finish()
            with anyio.fail_after(20):
                async for piece in speech:
                    pieces.append(piece.pcm)
                    if len(pieces) == 3:
                        os.kill(first, signal.SIGKILL)
        spoken = join(pieces, tts.traits.rate_hz)
        assert spoken.duration_s == pytest.approx(whole.duration_s, rel=0.02)


async def test_a_process_that_hangs_is_noticed_and_replaced(engine: str) -> None:
    known = registry.TTS[engine]
    async with running("tts", known.target) as process:
        first = process.stage.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        with anyio.fail_after(ASK_AGAIN_S + ANSWER_S + 10):
            while process.stage.restarts == 0:  # noqa: ASYNC110 - nothing tells a test
                await anyio.sleep(0.1)
            pcm = await _speak(WyomingTts(process, _traits(engine)), TEXT)
        assert pcm.duration_s > 0.8
        assert process.stage.pid != first
