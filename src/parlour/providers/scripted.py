"""Engines with scripted timing: they hear, think and speak by a script, for benches and tests.

They are real engines of the server, chosen by `provider: scripted`, and do everything that others
do but the work: `bench/` measures with them what Parlour itself costs, and how it fares with a
model of a given speed. The script is a JSON file, read anew whenever it has changed:

    {"stt": {"words": [["turn", 4800, 8000], ...], "delay_ms": 60, "final_ms": 0,
             "period_samples": null, "revisions": [{"word": 1, "first": "an", "for_ms": 120}],
             "fail": null},
     "llm": {"profile": "groq", "answers": {"question in plain words": "..."}, "default": "...",
             "first_token_ms": 180, "tokens_per_s": 60, "prefill_ms_per_token": 0, "fail": null,
             "fail_after_tokens": 0},
     "tts": {"first_ms": 20, "rtf": 0.05, "ms_per_character": 60}}

"{n}" in an answer is the number of the call, so that no two are alike. A word lies between two samples of the microphone's stream at 16 kHz, of which a recogniser's
context hears a part; with `period_samples` the words come again and again.
"""

import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count, takewhile
from os.path import commonprefix
from pathlib import Path
from typing import Any

import anyio
import numpy as np

from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.errors import ProviderError
from parlour.ports import (
    Final,
    LlmDelta,
    Partial,
    Prompt,
    Speech,
    TextDelta,
    ToolCall,
    Usage,
    Vocabulary,
)
from parlour.traits import Grade, Licence, LlmTraits, Partials, Quality, SttTraits, TtsTraits, Voice

NAME = "scripted"
STABLE_S = 0.2  # a word that old will not change any more
SLACK_S = 0.1  # a word that began so much before the first sound is still heard
CHARACTERS_PER_TOKEN = 4
TONE_HZ, TONE_AMPLITUDE = 220.0, 3000.0
PIECE_S = 0.06  # of speech, as other voices make it

_BY_SCRIPT = {"en_US": Quality(Grade.GOOD, source="it says what its script says")}
STT_TRAITS = SttTraits(
    name=NAME,
    model="script",
    languages=_BY_SCRIPT,
    partials=Partials.REPLACE,
    offline=True,
    licence=Licence("Apache-2.0", any_use=True),
    settles=True,
)
TTS_TRAITS = TtsTraits(
    name=NAME,
    model="script",
    voices={"tone": Voice("tone", _BY_SCRIPT, "a tone for each letter")},
    default_voice="tone",
    rate_hz=HEARING_RATE_HZ,
    offline=True,
    licence=Licence("Apache-2.0", any_use=True),
)


class Script:
    """The file, read anew when it has changed. Raises ProviderError if it cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed_ns = -1
        self._read: Mapping[str, Any] = {}

    def section(self, name: str) -> Mapping[str, Any]:
        try:
            changed_ns = self._path.stat().st_mtime_ns
            if changed_ns != self._changed_ns:
                self._read = json.loads(self._path.read_text(encoding="utf-8"))
                self._changed_ns = changed_ns
            section = self._read.get(name, {})
        except (OSError, ValueError, AttributeError) as error:
            raise ProviderError(NAME, f"the script {self._path} cannot be used: {error}") from error
        if not isinstance(section, dict):
            raise ProviderError(NAME, f'"{name}" in the script {self._path} is no object')
        return section


# ---------------------------------------------------------------- hearing


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int


class ScriptedStt:
    """Satisfies `ports.Stt`."""

    traits = STT_TRAITS

    def __init__(self, script: Path) -> None:
        self._script = Script(script)

    async def teach(self, vocabulary: Vocabulary) -> None:
        """It knows its script and nothing else."""

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator["ScriptedHearing"]:
        yield ScriptedHearing(self._script.section("stt"))


class ScriptedHearing:
    """One utterance. Satisfies `ports.SttContext`."""

    def __init__(self, script: Mapping[str, Any]) -> None:
        self._words = [_Word(str(text), int(a), int(b)) for text, a, b in script.get("words", ())]
        self._period = script.get("period_samples")
        self._delay = _samples(script.get("delay_ms", 60))
        self._final_s = float(script.get("final_ms", 0)) / 1000
        self._revisions = {int(r["word"]): r for r in script.get("revisions", ())}
        self._fail = script.get("fail")
        self._start: int | None = None
        self._heard = 0
        self._finished = self._paused = False
        self._news = anyio.Event()

    def feed(self, pcm: Pcm) -> None:
        self._start = pcm.start if self._start is None else self._start
        self._heard = pcm.end
        self._news.set()

    def pause(self) -> None:
        self._paused = True
        self._news.set()

    def finish(self) -> None:
        self._finished = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Partial | Final]:
        said = ""
        while not self._finished:
            await self._news.wait()
            self._news = anyio.Event()
            if self._fail == "error":
                raise ProviderError(NAME, "it fails as told")
            if self._fail == "hang" or self._finished:
                continue
            if self._paused:  # it stands by all that lies in the sound so far
                self._paused = False
                said = self._text(self._heard)
                yield Partial(said, len(said))
            elif (text := self._text(self._heard - self._delay)) != said:
                said = text
                yield Partial(text, len(self._text(self._heard - _samples(STABLE_S * 1000))))
        if self._fail == "hang":
            await anyio.sleep_forever()
        await anyio.sleep(self._final_s)
        yield Final(self._text(self._heard), 1.0, "en")

    def _text(self, until: int) -> str:
        return " ".join(self._shown(n, word, until) for n, word in self._spoken(until))

    def _shown(self, n: int, word: _Word, until: int) -> str:
        revision = self._revisions.get(n)
        if revision and until < word.end + _samples(revision["for_ms"]):
            return str(revision["first"])
        return word.text

    def _spoken(self, until: int) -> Iterator[tuple[int, _Word]]:
        if self._start is None:
            return
        first = self._start - _samples(SLACK_S * 1000)
        for lap in self._laps(until):
            for n, word in enumerate(self._words):
                if first <= word.start + lap and word.end + lap <= until:
                    yield n, word

    def _laps(self, until: int) -> Iterator[int]:
        if not self._period:
            return iter((0,))
        first = ((self._start or 0) // self._period - 1) * self._period
        laps = count(max(0, first), self._period)
        return takewhile(lambda lap: lap <= until, laps)


# ---------------------------------------------------------------- thinking


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a model is, and what goes wrong with it."""

    first_token_ms: float
    tokens_per_s: float
    prefill_ms_per_token: float = 0.0
    fail: str | None = None  # "hang", "error", "die", "garbage", "cut_tool_call"
    fail_after_tokens: int = 0


PROFILES: Mapping[str, Pace] = {
    "instant": Pace(0, math.inf),
    "groq": Pace(180, 60),
    "ollama": Pace(400, 25),
    "ollama-warm": Pace(120, 25),
    "slow": Pace(1500, 10),
    "flaky": Pace(180, 60),  # and every third call fails, in turn by each of FLAWS
}
FLAWS = ("hang", "error", "die", "garbage")
GARBAGE = "\x00\x1b\ufffd\u202e\ue000"


@dataclass(slots=True)
class Counts:
    calls: int = 0
    tokens: int = 0
    cancelled: int = 0


class ScriptedLlm:
    """Satisfies `ports.Llm`. Remembers which prompts it has read, as a server's cache does."""

    traits = LlmTraits(NAME, "by script", offline=True, tools=True)

    def __init__(self, script: Path) -> None:
        self.counts = Counts()
        self._script = Script(script)
        self._seen = ""  # the text of the prompt read last

    @asynccontextmanager
    async def open(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[LlmDelta]]:
        self.counts.calls += 1
        finished = False
        try:
            async with aclosing(self._generate(prompt)) as deltas:
                yield deltas
            finished = True
        finally:
            self.counts.cancelled += not finished

    async def warm(self, prompt: Prompt) -> None:
        try:
            pace = self._pace(self._script.section("llm"))
        except ProviderError:
            return
        await anyio.sleep(self._prefill_s(prompt, pace))

    async def aclose(self) -> None:
        """There is nothing to hang up."""

    async def _generate(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        script = self._script.section("llm")
        pace = self._pace(script)
        if pace.fail == "error":
            raise ProviderError(NAME, "it fails as told")
        if pace.fail == "hang":
            await anyio.sleep_forever()
        tokens = _tokens(_answer(script, prompt).replace("{n}", str(self.counts.calls)))
        first_s = anyio.current_time() + self._prefill_s(prompt, pace) + pace.first_token_ms / 1000
        for n, token in enumerate(tokens):
            await anyio.sleep_until(first_s + n / pace.tokens_per_s)
            if pace.fail and n >= pace.fail_after_tokens:
                async for delta in _fail(pace.fail):
                    yield delta
                return
            self.counts.tokens += 1
            yield TextDelta(token)
        yield Usage(len(_text(prompt)) // CHARACTERS_PER_TOKEN, len(tokens))

    def _pace(self, script: Mapping[str, Any]) -> Pace:
        name = script.get("profile", "instant")
        if name not in PROFILES:
            raise ProviderError(NAME, f"no profile {name!r}; there is {', '.join(PROFILES)}")
        pace = PROFILES[name]
        if name == "flaky" and self.counts.calls % 3 == 0:
            pace = replace(
                pace, fail=FLAWS[self.counts.calls // 3 % len(FLAWS)], fail_after_tokens=6
            )
        given = {key: script[key] for key in Pace.__dataclass_fields__ if key in script}
        return replace(pace, **given)

    def _prefill_s(self, prompt: Prompt, pace: Pace) -> float:
        text = _text(prompt)
        cached = len(commonprefix([text, self._seen]))
        self._seen = text
        uncached = (len(text) - cached) / CHARACTERS_PER_TOKEN
        return uncached * pace.prefill_ms_per_token / 1000


async def _fail(how: str) -> AsyncGenerator[LlmDelta, None]:
    match how:
        case "die":
            raise ProviderError(NAME, "it died in the middle of a sentence")
        case "garbage":
            for _ in range(20):
                yield TextDelta(GARBAGE)
        case "cut_tool_call":
            return  # half a call is never handed out, so nothing is
        case "tool_call":
            yield ToolCall("c1", "act", {"target": "kitchen.light", "verb": "on"})
        case _:
            await anyio.sleep_forever()


def _answer(script: Mapping[str, Any], prompt: Prompt) -> str:
    asked = prompt.messages[-1].content if prompt.messages else ""
    for question, answer in dict(script.get("answers", {})).items():
        if question.casefold() in asked.casefold():
            return str(answer)
    return str(script.get("default", "I am not sure about that, but I can look it up if you like."))


def _tokens(text: str) -> list[str]:
    words = text.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]


def _text(prompt: Prompt) -> str:
    return "\n".join(f"{message.role}: {message.content}" for message in prompt.messages)


# ---------------------------------------------------------------- speaking


@dataclass(frozen=True, slots=True)
class _Manner:
    first_ms: float = 20.0
    rtf: float = 0.05  # seconds of work for a second of speech
    ms_per_character: float = 60.0


class ScriptedTts:
    """Satisfies `ports.Tts`: a tone for each letter, so that it is known where each word lies."""

    traits = TTS_TRAITS

    def __init__(self, script: Path) -> None:
        self._script = Script(script)

    @asynccontextmanager
    async def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AsyncIterator["ScriptedSpeech"]:
        script = self._script.section("tts")
        given = {key: float(script[key]) for key in _Manner.__dataclass_fields__ if key in script}
        yield ScriptedSpeech(replace(_Manner(), **given), speed)


@dataclass(slots=True)
class ScriptedSpeech:
    """Satisfies `ports.TtsContext`."""

    manner: _Manner
    speed: float
    _texts: list[str] = field(default_factory=list)
    _finished: bool = False
    _news: anyio.Event = field(default_factory=anyio.Event)

    def say(self, text: str) -> None:
        self._texts.append(text)
        self._news.set()

    def finish(self) -> None:
        self._finished = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Speech]:
        while True:
            while self._texts:
                text = self._texts.pop(0)
                await anyio.sleep(self.manner.first_ms / 1000)
                for n, pcm in enumerate(self._pieces(text)):
                    await anyio.sleep(pcm.duration_s * self.manner.rtf if n else 0)
                    yield Speech(pcm, "" if n else text)
            if self._finished:
                return
            self._news = anyio.Event()
            await self._news.wait()

    def _pieces(self, text: str) -> Sequence[Pcm]:
        sound = tone(len(text) * self.manner.ms_per_character / 1000 / self.speed)
        size = _samples(PIECE_S * 1000)
        starts = range(0, len(sound), size)
        return [Pcm(sound[at : at + size], HEARING_RATE_HZ, at) for at in starts]


def tone(duration_s: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    at = np.arange(_samples(duration_s * 1000)) / HEARING_RATE_HZ
    return (TONE_AMPLITUDE * np.sin(2 * np.pi * TONE_HZ * at)).astype(np.int16)


def _samples(ms: float) -> int:
    return round(ms * HEARING_RATE_HZ / 1000)
