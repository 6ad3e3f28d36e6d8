"""Engines that work by a script."""

import json
from pathlib import Path

import anyio
import numpy as np
import pytest

import virtual_time
from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.errors import ProviderError
from parlour.ports import Final, Message, Partial, Prompt, TextDelta
from parlour.providers.scripted import PROFILES, ScriptedLlm, ScriptedStt, ScriptedTts

MS = 16  # samples
WORDS = (("turn", 100, 300), ("it", 320, 400), ("off", 420, 700))


def _write(path: Path, **sections: object) -> Path:
    script = path / "script.json"
    script.write_text(json.dumps(sections))
    return script


def _stt(path: Path, **options: object) -> ScriptedStt:
    words = [[text, start * MS, end * MS] for text, start, end in WORDS]
    return ScriptedStt(_write(path, stt={"words": words} | options))


async def _hear(
    stt: ScriptedStt, until_ms: int, *, start_ms: int = 0, pause: bool = False
) -> tuple[list[Partial], str]:
    """Feed 20 ms at a time; returns the partials and the final."""
    partials: list[Partial] = []
    final = ""
    async with stt.open("en_US") as hearing:

        async def follow() -> None:
            nonlocal final
            async for heard in hearing:
                match heard:
                    case Partial():
                        partials.append(heard)
                    case Final(text=text):
                        final = text

        async with tasks.task_group() as group:
            group.start_soon(follow)
            for at in range(start_ms, until_ms, 20):
                hearing.feed(Pcm(np.zeros(20 * MS, np.int16), HEARING_RATE_HZ, at * MS))
                await anyio.sleep(0.02)
            if pause:
                hearing.pause()
                await anyio.sleep(0.01)
            hearing.finish()
    return partials, final


def test_each_word_is_heard_a_little_after_it_was_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        partials, final = await _hear(_stt(tmp_path, delay_ms=60), 900)
        assert [p.text for p in partials] == ["turn", "turn it", "turn it off"]
        assert final == "turn it off"

    virtual_time.run(scenario)


def test_at_a_pause_it_stands_by_all_that_lies_in_the_sound(tmp_path: Path) -> None:
    async def scenario() -> None:
        partials, _ = await _hear(_stt(tmp_path, delay_ms=500), 760, pause=True)
        assert partials[-1].text == "turn it off"
        assert partials[-1].settled

    virtual_time.run(scenario)


def test_only_what_lies_in_its_own_sound_is_heard(tmp_path: Path) -> None:
    async def scenario() -> None:
        assert (await _hear(_stt(tmp_path), 1000, start_ms=440))[1] == "off"
        assert (await _hear(_stt(tmp_path), 500))[1] == "turn it"

    virtual_time.run(scenario)


def test_words_come_again_with_each_period(tmp_path: Path) -> None:
    async def scenario() -> None:
        stt = _stt(tmp_path, period_samples=1000 * MS)
        assert (await _hear(stt, 2900, start_ms=1000))[1] == "turn it off turn it off"

    virtual_time.run(scenario)


def test_a_word_is_misheard_at_first_where_the_script_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        revision = {"word": 1, "first": "at", "for_ms": 150}
        partials, final = await _hear(_stt(tmp_path, revisions=[revision]), 900)
        assert [p.text for p in partials] == ["turn", "turn at", "turn it", "turn it off"]
        assert final == "turn it off"

    virtual_time.run(scenario)


def test_a_broken_script_is_an_error_that_names_it(tmp_path: Path) -> None:
    script = tmp_path / "script.json"

    async def scenario() -> None:
        for text in (None, "{", "[]", '{"stt": 3}'):
            if text is not None:
                script.write_text(text)
            with pytest.raises(ProviderError, match=r"script\.json"):
                async with ScriptedStt(script).open(None):
                    pass

    virtual_time.run(scenario)


# ---------------------------------------------------------------- thinking

ASKED = Prompt((Message("system", "Be brief."), Message("user", "[now]\nWhat is two plus two?")))


async def _ask(llm: ScriptedLlm, prompt: Prompt = ASKED) -> tuple[str, list[float]]:
    """The answer, and when each piece of it came, in ms."""
    began_s, text, times = anyio.current_time(), "", []
    async with llm.open(prompt) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                text += delta.text
                times.append(round((anyio.current_time() - began_s) * 1000, 3))
    return text, times


@pytest.mark.parametrize("profile", ["groq", "ollama", "ollama-warm", "slow", "instant"])
def test_a_profile_is_a_first_token_and_a_pace(tmp_path: Path, profile: str) -> None:
    async def scenario() -> None:
        answers = {"two plus two": "That is four, I think."}
        llm = ScriptedLlm(_write(tmp_path, llm={"profile": profile, "answers": answers}))
        text, times = await _ask(llm)
        assert text == "That is four, I think."
        pace = PROFILES[profile]
        wanted = [pace.first_token_ms + 1000 * n / pace.tokens_per_s for n in range(5)]
        assert times == pytest.approx(wanted, abs=0.01)
        assert (llm.counts.calls, llm.counts.tokens, llm.counts.cancelled) == (1, 5, 0)

    virtual_time.run(scenario)


def test_a_prompt_that_was_read_ahead_costs_nothing_the_second_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        llm = ScriptedLlm(_write(tmp_path, llm={"prefill_ms_per_token": 10}))
        cold = (await _ask(llm))[1][0]
        assert (await _ask(llm))[1][0] == 0
        longer = Prompt((*ASKED.messages, Message("user", "And three?" * 4)))
        await llm.warm(longer)
        assert (await _ask(llm, longer))[1][0] == 0
        assert cold > 50

    virtual_time.run(scenario)


@pytest.mark.parametrize("flaw", ["error", "die"])
def test_a_model_fails_as_the_script_says(tmp_path: Path, flaw: str) -> None:
    async def scenario() -> None:
        llm = ScriptedLlm(_write(tmp_path, llm={"fail": flaw, "fail_after_tokens": 2}))
        with pytest.raises(ProviderError):
            await _ask(llm)
        assert llm.counts.tokens == (2 if flaw == "die" else 0)

    virtual_time.run(scenario)


def test_a_model_that_hangs_is_cancelled_and_counted(tmp_path: Path) -> None:
    async def scenario() -> None:
        llm = ScriptedLlm(_write(tmp_path, llm={"fail": "hang"}))
        with anyio.move_on_after(5):
            await _ask(llm)
        assert llm.counts.cancelled == 1

    virtual_time.run(scenario)


# ---------------------------------------------------------------- speaking


def test_speech_is_as_long_as_its_letters_and_comes_at_the_scripts_pace(tmp_path: Path) -> None:
    async def scenario() -> None:
        manner = {"first_ms": 100, "rtf": 0.5, "ms_per_character": 50}
        tts = ScriptedTts(_write(tmp_path, tts=manner))
        async with tts.open() as speech:
            speech.say("four")
            speech.say("five!")
            speech.finish()
            made = [(anyio.current_time(), piece) async for piece in speech]
        assert [piece.text for _, piece in made if piece.text] == ["four", "five!"]
        assert sum(piece.pcm.duration_s for _, piece in made) == pytest.approx(0.45)
        assert made[0][0] == pytest.approx(0.1)

    virtual_time.run(scenario)
