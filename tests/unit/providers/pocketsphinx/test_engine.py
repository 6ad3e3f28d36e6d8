"""The recogniser on real speech: flite speaks, pocketsphinx hears."""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from parlour.audio import HEARING_RATE_HZ, Pcm, Samples, frames, join, read_wav, silence
from parlour.ports import Final, Partial, Vocabulary
from parlour.providers.pocketsphinx import PocketsphinxOptions, PocketsphinxRecogniser

Speak = Callable[[str, str], Pcm]

VOICES = ["slt", "rms", "awb"]
THINGS = ["light", "lights", "lamp", "blinds", "heater", "coffee machine"]
ROOMS = ["kitchen", "living room", "bedroom", "office"]
NUMBERS = ["ten", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty"]
HOUSE = [
    *(f"{do} the {what}" for do, what in product(["turn on", "turn off", "stop"], THINGS)),
    *(
        f"{do} the {room} {what}"
        for do, room, what in product(["turn on", "turn off", "open", "close"], ROOMS, THINGS)
    ),
    *(f"set the {r} {t} to {n} percent" for r, t, n in product(ROOMS, THINGS, NUMBERS)),
    *(f"set a timer for {number} minutes" for number in NUMBERS),
    *("turn off all the lights", "what time is it", "stop"),
]
COMMANDS = [
    "turn on the kitchen light",
    "turn off the living room lamp",
    "open the bedroom blinds",
    "turn on the coffee machine",
    "set a timer for twenty minutes",
    "set the bedroom light to forty percent",
    "turn off all the lights",
    "what time is it",
]
CHATTER = [
    "i turned on the light yesterday and left",
    "did you see the game on television last night",
    "she closed the door and walked into the kitchen",
    "seven hundred and forty two",
    "scientists have discovered a new planet",
    "what do you want to eat tonight",
    "the light in her eyes was beautiful",
    "breaking news from the capital",
]


@pytest.fixture(scope="module")
def speak(tmp_path_factory: pytest.TempPathFactory) -> Speak:
    folder = tmp_path_factory.mktemp("speech")

    @cache
    def speak(text: str, voice: str = "slt") -> Pcm:
        target = Path(folder, f"{len(list(folder.iterdir()))}.wav")
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", target], check=True)
        return read_wav(target)

    return speak


@pytest.fixture
def recogniser() -> PocketsphinxRecogniser:
    recogniser = PocketsphinxRecogniser()
    recogniser.learn(Vocabulary(HOUSE))
    return recogniser


def listen(recogniser: PocketsphinxRecogniser, pcm: Pcm) -> Iterator[Partial | Final]:
    hearing = recogniser.hear()
    for frame in frames(pcm, 320):
        if partial := hearing.feed(frame):
            yield partial
    yield hearing.finish()


def final(recogniser: PocketsphinxRecogniser, pcm: Pcm) -> Final:
    *_, last = listen(recogniser, pcm)
    assert isinstance(last, Final)
    return last


def loud(pcm: Pcm, gain_db: float) -> Pcm:
    louder = pcm.samples * 10 ** (gain_db / 20)
    return Pcm(np.clip(louder, -32768, 32767).astype(np.int16), pcm.rate_hz)


def test_nine_of_ten_commands_are_heard_word_for_word_in_three_voices(
    recogniser: PocketsphinxRecogniser, speak: Speak
) -> None:
    heard = [
        final(recogniser, speak(text, voice)).text == text
        for text, voice in product(COMMANDS, VOICES)
    ]
    assert sum(heard) >= 0.9 * len(heard)


def test_chatter_is_rejected_in_three_voices(
    recogniser: PocketsphinxRecogniser, speak: Speak
) -> None:
    for text, voice in product(CHATTER, VOICES):
        heard = final(recogniser, speak(text, voice))
        assert heard.text == ""
        assert heard.rejected
        assert heard.confidence is not None
        assert heard.confidence < 0.6


def test_nothing_is_rejected_when_everything_is_to_be_believed(speak: Speak) -> None:
    recogniser = PocketsphinxRecogniser(PocketsphinxOptions(believe=0.0))
    recogniser.learn(Vocabulary(HOUSE))
    heard = final(recogniser, speak("scientists have discovered a new planet", "slt"))
    assert heard.text.startswith("scientists have discovered")


def test_a_recogniser_that_was_taught_nothing_writes_down_what_it_hears(speak: Speak) -> None:
    heard = final(PocketsphinxRecogniser(), speak("what time is it", "rms"))
    assert heard == Final("what time is it", language="en")


@pytest.mark.parametrize("name", ["zigbee", "gruffalo", "meera's"])
def test_a_name_that_no_dictionary_has_is_heard_once_it_is_learned(
    recogniser: PocketsphinxRecogniser, speak: Speak, name: str
) -> None:
    command = f"turn on the {name} lamp"
    assert final(recogniser, speak(command, "slt")).text != command
    recogniser.learn(Vocabulary([*HOUSE, command, f"turn off the {name} lamp"]))
    assert final(recogniser, speak(command, "slt")).text == command


def test_an_utterance_ends_with_the_vocabulary_that_it_began_with(
    recogniser: PocketsphinxRecogniser, speak: Speak
) -> None:
    hearing = recogniser.hear()
    recogniser.learn(Vocabulary(["read the next page"]))
    hearing.feed(speak("turn on the kitchen light", "slt"))
    assert hearing.finish().text == "turn on the kitchen light"
    assert final(recogniser, speak("read the next page", "slt")).text == "read the next page"


@pytest.mark.parametrize("gain_db", [-12.0, 6.0])
def test_quiet_and_loud_speech_is_understood(
    recogniser: PocketsphinxRecogniser, speak: Speak, gain_db: float
) -> None:
    heard = [final(recogniser, loud(speak(text, "slt"), gain_db)).text for text in COMMANDS]
    assert sum(text in heard for text in COMMANDS) >= 0.85 * len(COMMANDS)


def test_silence_before_and_after_changes_nothing(
    recogniser: PocketsphinxRecogniser, speak: Speak
) -> None:
    pause = silence(0.3, HEARING_RATE_HZ)
    padded = join([pause, speak("open the bedroom blinds", "slt"), pause], HEARING_RATE_HZ)
    assert final(recogniser, padded).text == "open the bedroom blinds"


def test_partials_grow_into_the_final_and_what_is_stable_stands(
    recogniser: PocketsphinxRecogniser, speak: Speak
) -> None:
    *partials, last = listen(recogniser, speak("turn on the living room lamp", "slt"))
    assert last.text == "turn on the living room lamp"
    assert len(partials) > 3
    assert any(partial.text == "turn on" for partial in partials)
    for before, partial in zip(partials, partials[1:], strict=False):
        assert isinstance(partial, Partial)
        assert partial != before
        assert last.text.startswith(partial.text[: partial.stable_chars])
    assert max(p.stable_chars for p in partials if isinstance(p, Partial)) >= len("turn on the")


def test_utterances_at_the_same_time_do_not_disturb_each_other(
    recogniser: PocketsphinxRecogniser, speak: Speak
) -> None:
    hearings = [recogniser.hear() for _ in COMMANDS]
    sounds = [list(frames(speak(text, "slt"), 1600)) for text in COMMANDS]
    for at in range(max(map(len, sounds))):
        for hearing, sound in zip(hearings, sounds, strict=True):
            if at < len(sound):
                hearing.feed(sound[at])
    assert [hearing.finish().text for hearing in hearings] == COMMANDS


def test_threads_may_hear_while_another_teaches(
    recogniser: PocketsphinxRecogniser, speak: Speak
) -> None:
    sounds = [speak(text, "slt") for text in COMMANDS[:1] * 6]
    with ThreadPoolExecutor(3) as threads:
        lesson = threads.submit(recogniser.learn, Vocabulary(HOUSE))
        heard = threads.map(lambda pcm: final(recogniser, pcm).text, sounds)
        assert list(heard) == COMMANDS[:1] * 6
        lesson.result()


def test_an_utterance_given_up_leaves_no_trace(
    recogniser: PocketsphinxRecogniser, speak: Speak
) -> None:
    hearing = recogniser.hear()
    hearing.feed(speak("turn off all the lights", "slt"))
    hearing.close()
    hearing.close()
    assert final(recogniser, speak("what time is it", "slt")).text == "what time is it"


def test_no_sound_and_silence_give_an_empty_final(recogniser: PocketsphinxRecogniser) -> None:
    assert recogniser.hear().finish() == Final("", language="en")
    assert final(recogniser, silence(2.0, HEARING_RATE_HZ)).text == ""
    hearing = recogniser.hear()
    assert hearing.feed(silence(0.0, HEARING_RATE_HZ)) is None
    assert hearing.finish().text == ""


def noise(spread: float) -> Samples:
    raw = np.random.default_rng(1).normal(0, spread, 2 * HEARING_RATE_HZ)
    return np.clip(raw, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize(
    "samples",
    [
        noise(300),
        noise(30_000),
        np.full(HEARING_RATE_HZ, 32767, np.int16),
        np.full(HEARING_RATE_HZ, -32768, np.int16),
        np.tile(np.array([32767, -32768], np.int16), HEARING_RATE_HZ // 2),
        np.array([1], np.int16),
    ],
    ids=["hiss", "clipped noise", "all high", "all low", "alternating", "one sample"],
)
def test_what_is_no_speech_is_no_command_and_the_next_utterance_is_heard(
    recogniser: PocketsphinxRecogniser, speak: Speak, samples: Samples
) -> None:
    assert final(recogniser, Pcm(samples, HEARING_RATE_HZ)).text == ""
    heard = final(recogniser, speak("turn on the kitchen light", "slt"))
    assert heard.text == "turn on the kitchen light"


def test_a_minute_of_noise_does_not_deafen_it(
    recogniser: PocketsphinxRecogniser, speak: Speak
) -> None:
    rested = [final(recogniser, speak(text, "slt")) for text in COMMANDS]
    tired = PocketsphinxRecogniser()
    tired.learn(Vocabulary(HOUSE))
    for _ in range(30):
        assert final(tired, Pcm(noise(2_000), HEARING_RATE_HZ)).text == ""
    assert [final(tired, speak(text, "slt")) for text in COMMANDS] == rested


def test_the_library_writes_nothing_to_the_streams_of_its_process(
    capfd: pytest.CaptureFixture[str], speak: Speak
) -> None:
    recogniser = PocketsphinxRecogniser()
    recogniser.learn(Vocabulary([*HOUSE, "turn on the zigbee lamp"]))
    final(recogniser, speak("turn on the kitchen light", "slt"))
    final(recogniser, Pcm(noise(30_000), HEARING_RATE_HZ))
    recogniser.hear().finish()
    assert capfd.readouterr() == ("", "")
