"""Runs of conversations against a server whose recogniser and model work by a script."""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from parlour.app.virtual_device import VirtualDevice
from parlour.app.virtual_dialogue import Line
from parlour.app.virtual_turn import Turn
from parlour.audio import Pcm
from parlour.turn.lexicon import normalise
from parlour_bench.fixtures import Fixture, Word, cough, fixture
from parlour_bench.talks import Spoken

STT_DELAY_MS = 60  # of a good streaming recogniser: words are there so long after they were said
FIRST_SOUND_MS = 20  # of a good local voice
MS_PER_CHARACTER = 60  # of speech: about 170 words a minute
INTO_S = 1.2  # from the first sound of an answer to when somebody speaks into it
FRAME_S = 0.02
DEFAULT = "All right, I see what you mean, and I will keep it in mind."


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation that was held: the turns, the first of which answers what was said first."""

    spoken: Spoken
    turns: tuple[Turn, ...]

    @property
    def turn(self) -> Turn:
        return self.turns[0]

    @property
    def cut_off(self) -> bool:
        """Whether a turn was taken before the speaker was done."""
        early = self.turn.end_of_turn_ms is not None and self.turn.end_of_turn_ms < 0
        return self.turn.merges > 0 or early

    @property
    def lost_words(self) -> bool:
        return normalise(self.turn.transcript) != normalise(self.spoken.talk.text)

    @property
    def words_unheard(self) -> int:
        """Words that the server believes were heard, beyond those that left the speaker."""
        return sum(_excess(turn) for turn in self.turns)


class Script:
    """The file that tells the scripted engines what is said and answered next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._write({}, {})

    def tell(self, spoken: Spoken, words: Iterable[Word], answers: dict[str, str]) -> None:
        stt = {
            "delay_ms": STT_DELAY_MS,
            "words": [[word.text, word.start, word.end] for word in words],
        }
        self._write(stt, {"profile": spoken.profile, "answers": answers, "default": DEFAULT})

    def _write(self, stt: dict[str, object], llm: dict[str, object]) -> None:
        tts = {"first_ms": FIRST_SOUND_MS, "rtf": 0.05, "ms_per_character": MS_PER_CHARACTER}
        aside = self._path.with_suffix(".new")
        aside.write_text(json.dumps({"stt": stt, "llm": llm, "tts": tts}), encoding="utf-8")
        os.replace(aside, self._path)  # noqa: PTH105  # in one step, for whoever reads it just now


def write_config(folder: Path) -> tuple[Path, Script]:
    """A configuration with scripted engines; returns its path, and the script."""
    script = folder / "script.json"
    config = folder / "config.yml"
    config.write_text(
        "stt: {provider: scripted}\ntts: {provider: scripted}\nllm: {provider: scripted}\n"
        f"script: {{path: {json.dumps(str(script))}}}\nconversation: {{follow_up_s: 1}}\n"
    )
    return config, Script(script)


async def hold(
    device_url: str,
    script: Script,
    said: Iterable[Spoken],
    *,
    hear_s: float | None,
    tell: Callable[[Held], None],
) -> list[Held]:
    """Hold one conversation after the other, each on a connection of its own."""
    results = []
    for n, spoken in enumerate(said):
        name = f"bench-{n}"  # a device of its own, so that no conversation remembers another
        async with VirtualDevice(device_url, name, mode="realtime") as device:
            if spoken.talk.kind == "barge-in":
                held = await _interrupt(device, script, spoken)
            else:
                words = _moved(spoken.fixture, device.sent_samples)
                script.tell(spoken, words, {spoken.talk.text: spoken.talk.answer or DEFAULT})
                turn = await device.speak(
                    spoken.fixture.pcm, hear_s=hear_s, ends=spoken.fixture.speech_end
                )
                held = Held(spoken, (turn,))
        tell(held)
        results.append(held)
    return results


async def _interrupt(device: VirtualDevice, script: Script, spoken: Spoken) -> Held:
    """Ask, and say something into the answer. Where the second recording will lie in the
    microphone's sound is known once it is said, so its words are told then."""
    talk, first = spoken.talk, spoken.fixture
    second = fixture(talk.into, first.voice) if talk.into else None
    sound = second.pcm if second is not None else cough()
    words = list(_moved(first, 0))
    answers = {talk.text: talk.answer}
    if talk.into:
        answers[talk.into] = DEFAULT
    script.tell(spoken, words, answers)

    def begins(pcm: Pcm) -> None:
        if pcm is sound and second is not None:
            later = _moved(second, device.sent_samples)
            script.tell(spoken, [*words, *later], answers)

    lines = [Line(first.pcm), Line(sound, INTO_S)]
    turns = await device.converse(lines, begins=begins)
    return Held(spoken, tuple(turns))


def _moved(said: Fixture, by: int) -> Iterable[Word]:
    return (Word(word.text, word.start + by, word.end + by) for word in said.words)


def _excess(turn: Turn) -> int:
    """The scripted voice spends equal time on each letter, so what was played is known exactly."""
    played = 0
    begins_s = 0.0
    for text in turn.sentences:
        words, at = text.split(), 0
        for word in words:
            at = text.index(word, at) + len(word)
            played += begins_s + at * MS_PER_CHARACTER / 1000 <= turn.played_s + 1e-6
        made_s = len(text) * MS_PER_CHARACTER / 1000
        begins_s += -(-made_s // FRAME_S) * FRAME_S  # the last frame is filled up
    return max(0, len(turn.heard.split()) - played)
