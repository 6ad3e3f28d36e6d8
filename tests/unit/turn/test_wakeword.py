"""A microphone that the server listens to: what it remembers, and our own voice in it."""

from collections.abc import Callable

import numpy as np
import pytest

from parlour.audio import Pcm, Samples, frames
from parlour.level import level_dbfs
from parlour.ports import Heard
from parlour.providers.microwakeword import MicroWakeWord
from parlour.turn.wakeword import WakeListener

HEARING = 16_000
FRAME = 320
AIR = 1_600  # samples from sending to hearing


@pytest.fixture(scope="module")
def engine() -> MicroWakeWord:
    return MicroWakeWord()


# ---------------------------------------------------------------- our own voice


def hear(
    listener: WakeListener, microphone: Samples, playing: Samples | None = None
) -> list[Heard]:
    """Frame by frame, as a session does: what is sent is told, and heard later."""
    heard = []
    for frame in frames(Pcm(microphone, HEARING), FRAME):
        now_s = frame.end / HEARING
        if playing is not None and frame.start < len(playing):
            sent = playing[frame.start : frame.end]
            listener.played(level_dbfs(sent), now_s, len(sent) / HEARING)
        heard += listener.feed(frame, now_s)
    return heard


def echo_of(playing: Samples, coupling_db: float, length: int) -> Samples:
    """What the microphone hears of it: late, weaker, with a little of the room behind it."""
    late = np.zeros(length)
    direct = playing[: length - AIR].astype(np.float64)
    for delay, share in ((0, 1.0), (400, 0.4), (1_100, 0.25), (2_300, 0.12)):
        count = min(len(direct), length - AIR - delay)
        late[AIR + delay : AIR + delay + count] += share * direct[:count]
    late *= 10 ** (coupling_db / 20)
    return (late + room(length)).clip(-32_768, 32_767).astype(np.int16)


def room(count: int) -> Samples:
    return np.random.default_rng(2).normal(0, 15, count).astype(np.int16)


def at_level(samples: Samples, dbfs: float) -> Samples:
    scale = 10 ** ((dbfs - level_dbfs(samples)) / 20)
    return (samples * scale).clip(-32_768, 32_767).astype(np.int16)


@pytest.fixture(scope="module")
def answer(speak: Callable[[str], Pcm]) -> Samples:
    said = speak("if you need me again. alexa. that is what i am called in this house")
    return at_level(said.samples, -20)


@pytest.mark.parametrize("coupling_db", [-30, -20, -10, -6])
def test_a_wake_word_in_our_own_answer_wakes_nobody(
    engine: MicroWakeWord, answer: Samples, coupling_db: float
) -> None:
    microphone = echo_of(answer, coupling_db, len(answer) + HEARING)
    deaf = WakeListener(engine.open(["alexa"], 1.0))
    assert hear(deaf, microphone)  # what would happen
    listener = WakeListener(engine.open(["alexa"], 1.0))
    assert hear(listener, microphone, answer) == []


@pytest.mark.parametrize("above_db", [9, 12, 18])
def test_somebody_well_above_our_answer_wakes(
    engine: MicroWakeWord, speak: Callable[[str], Pcm], above_db: float
) -> None:
    playing = at_level(speak("the weather will be fine tomorrow, with a little wind from the west"
                             " and nineteen degrees in the afternoon").samples, -20)  # fmt: skip
    microphone = echo_of(playing, -20, len(playing) + HEARING).astype(np.int32)
    word = at_level(speak("alexa").samples, -40 + above_db)
    at = 2 * HEARING
    microphone[at : at + len(word)] += word
    listener = WakeListener(engine.open(["alexa"], 1.0))
    heard = hear(listener, microphone.clip(-32_768, 32_767).astype(np.int16), playing)
    assert [each.word for each in heard] == ["alexa"]


def test_a_quiet_word_wakes_when_the_answer_has_ended(
    engine: MicroWakeWord, answer: Samples, speak: Callable[[str], Pcm]
) -> None:
    playing = answer[: 2 * HEARING]
    word = at_level(speak("alexa").samples, -45)
    microphone = np.concatenate([echo_of(playing, -6, 3 * HEARING), word, room(HEARING)])
    listener = WakeListener(engine.open(["alexa"]))
    assert [each.word for each in hear(listener, microphone, playing)] == ["alexa"]


def test_a_reset_and_a_close_reach_the_stream(
    engine: MicroWakeWord, speak: Callable[[str], Pcm]
) -> None:
    said = np.concatenate([room(HEARING // 2), speak("okay nabu").samples, room(HEARING // 2)])
    listener = WakeListener(engine.open(["okay_nabu"]))
    assert len(hear(listener, said)) == 1
    listener.reset()
    assert len(hear(listener, said)) == 1
    listener.close()
    assert hear(listener, said) == []
