"""What every spotter of wake words keeps, whatever is behind it."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import anyio
import numpy as np
import pytest
from anyio import lowlevel

from parlour import tasks
from parlour.audio import Pcm, frames, read_wav, resample
from parlour.errors import AudioError, ConfigError
from parlour.ports import Heard, WakeWord, WakeWordStream
from parlour.providers.espeak import EspeakSynthesiser
from parlour.providers.microwakeword import MicroWakeWord

ENGINES: dict[str, Callable[[], WakeWord]] = {"microwakeword": MicroWakeWord}
PHRASES = {
    "okay_nabu": "okay nabu",
    "hey_jarvis": "hey jarvis",
    "alexa": "alexa",
    "hey_mycroft": "hey mycroft",
}
VOICES = ("slt", "rms", "awb")  # the three of flite that a recogniser takes for people
HEARING = 16_000
# Two test processes share the cores, and a thread's own clock runs on while its sibling holds the
# same core. The figures themselves stand in docs/wakeword.md.
NOISE = 3


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> WakeWord:
    return ENGINES[request.param]()


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Pcm]:
    folder = tmp_path_factory.mktemp("words")

    def said(text: str, voice: str) -> Pcm:
        target = folder / f"{voice}-{len(text)}-{text[:12]}.wav"
        if not target.exists():
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", target], check=True)
        return read_wav(target)

    return said


@pytest.fixture(scope="module")
def nabu(said: Callable[[str, str], Pcm]) -> Pcm:
    return in_a_room(said("okay nabu", "slt"))


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Pcm:
    """A minute of somebody reading a licence aloud."""
    text = Path(__file__).parents[2].joinpath("LICENSE").read_text(encoding="utf-8")[:1_400]
    target = tmp_path_factory.mktemp("reading") / "reading.wav"
    subprocess.run(["flite", "-voice", "rms", "-t", text, "-o", target], check=True)
    pcm = read_wav(target)
    assert pcm.duration_s > 60
    return Pcm(pcm.samples[: 60 * HEARING], HEARING)


def room(seconds: float, seed: int = 0, spread: float = 20) -> Pcm:
    noise = np.random.default_rng(seed).normal(0, spread, round(seconds * HEARING))
    return Pcm(noise.astype(np.int16), HEARING)


def put_together(*pieces: Pcm) -> Pcm:
    return Pcm(np.concatenate([piece.samples for piece in pieces]), HEARING)


def in_a_room(pcm: Pcm, before_s: float = 0.7, after_s: float = 0.7) -> Pcm:
    return put_together(room(before_s, 1), pcm, room(after_s, 2))


def hear(stream: WakeWordStream, pcm: Pcm, frame: int = 320) -> list[Heard]:
    return [heard for piece in frames(pcm, frame) for heard in stream.feed(piece)]


@pytest.fixture
def listening(engine: WakeWord) -> Iterator[WakeWordStream]:
    with closing(engine.open(list(PHRASES))) as stream:
        yield stream


# ---------------------------------------------------------------- hearing


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("word", PHRASES)
def test_a_word_is_heard_once_and_not_as_another(
    listening: WakeWordStream, said: Callable[[str, str], Pcm], word: str, voice: str
) -> None:
    alone = said(PHRASES[word], voice)
    heard = hear(listening, in_a_room(alone))
    assert [each.word for each in heard] == [word]
    assert 0.5 < heard[0].score <= 1
    began, ended = round(0.7 * HEARING), round(0.7 * HEARING) + len(alone.samples)
    assert began < heard[0].end_sample < ended + 0.5 * HEARING


def test_most_words_of_a_robot_are_heard_when_listening_closely(engine: WakeWord) -> None:
    """The formant voices are harder than people; two of the four words, whose hits are many."""
    robot = EspeakSynthesiser()
    heard = 0
    for word in ("okay_nabu", "alexa"):
        for voice in ("en-us", "en-gb"):
            sound = np.concatenate(list(robot.speak(PHRASES[word], voice, 0.9)))
            pcm = resample(Pcm(sound, 22_050), HEARING)
            with closing(engine.open([word], 1.0)) as stream:
                heard += bool(hear(stream, in_a_room(pcm)))
    assert heard >= 3


def test_nothing_is_heard_in_a_minute_of_other_speech(
    listening: WakeWordStream, reading: Pcm
) -> None:
    assert hear(listening, reading, 960) == []


@pytest.mark.parametrize("spread", [0, 3, 300, 8_000])
def test_nothing_is_heard_in_silence_and_noise(engine: WakeWord, spread: float) -> None:
    with closing(engine.open(list(PHRASES), 1.0)) as stream:
        assert hear(stream, room(5, spread=spread)) == []


def test_clipping_hides_no_word_and_makes_none(engine: WakeWord, nabu: Pcm, reading: Pcm) -> None:
    def clipped(pcm: Pcm) -> Pcm:
        loud = np.clip(pcm.samples.astype(np.int32) * 8, -32_768, 32_767)
        return Pcm(loud.astype(np.int16), HEARING)

    with closing(engine.open(["okay_nabu"], 1.0)) as stream:
        assert [each.word for each in hear(stream, clipped(nabu))] == ["okay_nabu"]
        stream.reset()
        assert hear(stream, clipped(Pcm(reading.samples[: 10 * HEARING], HEARING))) == []
        stream.reset()
        square = np.where(np.arange(3 * HEARING) // 40 % 2, 32_767, -32_768)
        assert hear(stream, Pcm(square.astype(np.int16), HEARING)) == []


def test_8_khz_sound_is_refused_and_nothing_is_heard_in_it_if_it_claims_to_be_16(
    listening: WakeWordStream, nabu: Pcm, reading: Pcm
) -> None:
    with pytest.raises(AudioError, match="16000 Hz, not 8000"):
        listening.feed(resample(nabu, 8_000))
    quick = resample(Pcm(reading.samples[: 10 * HEARING], HEARING), 8_000).samples
    assert hear(listening, Pcm(quick, HEARING)) == []
    assert hear(listening, Pcm(resample(nabu, 8_000).samples, HEARING, len(quick))) == []


def test_the_size_of_the_pieces_does_not_matter(engine: WakeWord, nabu: Pcm) -> None:
    found = []
    for frame in (1, 37, 160, 320, 960, 1_600):
        piece = Pcm(nabu.samples[: 400 if frame == 1 else None], HEARING)
        with closing(engine.open(["okay_nabu"])) as stream:
            found.append(hear(stream, piece, frame))
    assert found[0] == []
    assert all(heard == found[1] for heard in found[2:])
    assert len(found[1]) == 1


def test_an_empty_piece_is_no_error(listening: WakeWordStream) -> None:
    assert listening.feed(room(0)) == []


def test_positions_are_those_of_the_stream(engine: WakeWord, nabu: Pcm) -> None:
    with closing(engine.open(["okay_nabu"])) as stream:
        first = hear(stream, nabu)[0].end_sample
    late = Pcm(nabu.samples, HEARING, start=1_000_000)
    with closing(engine.open(["okay_nabu"])) as stream:
        assert hear(stream, late)[0].end_sample == first + 1_000_000


# ---------------------------------------------------------------- once, again, anew


def test_a_word_within_a_second_of_another_is_not_heard_and_later_it_is(
    engine: WakeWord, said: Callable[[str, str], Pcm]
) -> None:
    word = said("alexa", "rms")
    quick = put_together(room(0.7), word, word, room(0.7))
    slow = put_together(room(0.7), word, room(1.5), word, room(0.7))
    with closing(engine.open(["alexa"])) as stream:
        assert len(hear(stream, quick)) == 1
        stream.reset()
        assert len(hear(stream, slow)) == 2


def test_a_reset_forgets_the_beginning_of_a_word(engine: WakeWord, nabu: Pcm) -> None:
    with closing(engine.open(["okay_nabu"])) as stream:
        whole = hear(stream, nabu)
        half = whole[0].end_sample - round(0.35 * HEARING)
        stream.reset()
        assert hear(stream, Pcm(nabu.samples[:half], HEARING)) == []
        stream.reset()
        assert hear(stream, Pcm(nabu.samples[half:], HEARING, half)) == []
        stream.reset()
        assert hear(stream, nabu) == whole


def test_a_stream_that_jumps_begins_anew_and_a_lost_packet_does_not(
    engine: WakeWord, nabu: Pcm
) -> None:
    with closing(engine.open(["okay_nabu"])) as stream:
        end = hear(stream, nabu)[0].end_sample
        half = end - round(0.35 * HEARING)
        begun, rest = nabu.samples[:half], nabu.samples[half:]
        stream.reset()
        assert hear(stream, Pcm(begun, HEARING)) == []
        assert hear(stream, Pcm(rest, HEARING, half + HEARING)) == []
        stream.reset()
        hear(stream, Pcm(begun, HEARING), 160)
        assert len(hear(stream, Pcm(rest, HEARING, half + 960), 160)) == 1


def test_two_streams_do_not_mix(
    engine: WakeWord, nabu: Pcm, said: Callable[[str, str], Pcm]
) -> None:
    other = in_a_room(said("hey jarvis", "awb"), 0.5)
    with closing(engine.open(list(PHRASES))) as stream:
        alone = hear(stream, nabu)
        stream.reset()
        theirs_alone = hear(stream, other)
    ours, theirs = engine.open(list(PHRASES)), engine.open(list(PHRASES))
    with closing(ours), closing(theirs):
        heard: tuple[list[Heard], list[Heard]] = [], []
        pairs = zip(frames(nabu, 320), frames(other, 320), strict=False)
        for mine, its in pairs:
            heard[0].extend(ours.feed(mine))
            heard[1].extend(theirs.feed(its))
    assert heard == (alone, theirs_alone)
    assert [each.word for each in alone + theirs_alone] == ["okay_nabu", "hey_jarvis"]


def test_a_closed_stream_hears_nothing_and_closes_twice(engine: WakeWord, nabu: Pcm) -> None:
    stream = engine.open(["okay_nabu"])
    stream.close()
    stream.close()
    assert hear(stream, nabu) == []


# ---------------------------------------------------------------- choosing


def test_only_the_words_that_were_asked_for_are_heard(engine: WakeWord, nabu: Pcm) -> None:
    with closing(engine.open(["alexa", "hey_jarvis"], 1.0)) as stream:
        assert hear(stream, nabu) == []


def test_more_sensitivity_hears_earlier_and_less_hears_no_more(engine: WakeWord, nabu: Pcm) -> None:
    heard = []
    for sensitivity in (0.0, 0.5, 1.0):
        with closing(engine.open(["okay_nabu"], sensitivity)) as stream:
            heard.append(hear(stream, nabu))
    assert len(heard[0]) <= len(heard[1]) <= len(heard[2]) == 1
    assert heard[2][0].end_sample <= heard[1][0].end_sample


def test_a_word_that_there_is_not_is_named(engine: WakeWord) -> None:
    with pytest.raises(ConfigError, match="there is no wake word okay_nabo.*okay_nabu"):
        engine.open(["okay_nabo"])


def test_the_traits_name_every_word_with_its_phrase(engine: WakeWord) -> None:
    for word, phrase in PHRASES.items():
        assert engine.traits.words[word].text.lower() == phrase
        assert engine.traits.words[word].licence.weights


# ---------------------------------------------------------------- the second check


@pytest.mark.anyio
@pytest.mark.parametrize("word", PHRASES)
async def test_a_pre_roll_with_the_word_is_confirmed_by_any_spelling_of_it(
    engine: WakeWord, said: Callable[[str, str], Pcm], word: str
) -> None:
    for voice in VOICES:
        alone = said(PHRASES[word], voice)
        whole = put_together(room(2), alone, room(0.1))
        pre_roll = Pcm(whole.samples[-round(1.5 * HEARING) :], HEARING)
        assert await engine.confirm(pre_roll, PHRASES[word].title()) is True
        assert await engine.confirm(pre_roll, word) is True


@pytest.mark.anyio
async def test_a_pre_roll_without_the_word_is_refused(
    engine: WakeWord, reading: Pcm, said: Callable[[str, str], Pcm]
) -> None:
    for second in range(0, 40, 2):
        at = second * HEARING
        piece = Pcm(reading.samples[at : at + 2 * HEARING], HEARING)
        assert await engine.confirm(piece, "OK, Nabu!") is False
    other = put_together(room(0.5), said("alexa", "slt"), room(0.3))
    assert await engine.confirm(other, "hey jarvis") is False
    assert await engine.confirm(room(2, spread=0), "alexa") is False


@pytest.mark.anyio
async def test_what_cannot_be_judged_is_believed(engine: WakeWord, nabu: Pcm) -> None:
    for phrase in ("", "hi esp", "computer", "நபு", "x" * 10_000):
        assert await engine.confirm(nabu, phrase) is None
    assert await engine.confirm(Pcm(nabu.samples[:1_000], HEARING), "okay nabu") is None
    assert await engine.confirm(room(0), "okay nabu") is None


@pytest.mark.anyio
async def test_a_pre_roll_of_any_length_and_rate_costs_no_more_than_its_end(
    engine: WakeWord, nabu: Pcm, reading: Pcm
) -> None:
    long = put_together(reading, nabu)
    assert await engine.confirm(long, "okay nabu") is True
    assert await engine.confirm(resample(nabu, 24_000), "okay nabu") is True
    assert await engine.confirm(put_together(nabu, room(3)), "okay nabu") is False


@pytest.mark.anyio
async def test_checks_at_once_do_not_mix(engine: WakeWord, nabu: Pcm) -> None:
    answers: dict[int, bool | None] = {}

    async def check(number: int) -> None:
        pcm = nabu if number % 2 else room(2, number)
        answers[number] = await engine.confirm(pcm, "okay nabu")

    async with tasks.task_group() as group:
        for number in range(20):
            group.start_soon(check, number)
    assert answers == {number: bool(number % 2) for number in range(20)}


# ---------------------------------------------------------------- what it costs


def best(measure: Callable[[], float], tries: int = 5) -> float:
    """The least of some: what else this machine does is none of ours."""
    return min(measure() for _ in range(tries))


@pytest.mark.parametrize("words", [1, 4])
def test_a_second_of_sound_costs_about_3_ms_for_each_word_at_most(
    engine: WakeWord, reading: Pcm, words: int
) -> None:
    ten = list(frames(Pcm(reading.samples[: 10 * HEARING], HEARING), 320))
    with closing(engine.open(list(PHRASES)[:words])) as stream:

        def measure() -> float:
            stream.reset()
            began_s = time.thread_time()
            for piece in ten:
                stream.feed(piece)
            return (time.thread_time() - began_s) * 1000 / 10

        assert best(measure) <= 3 * words * NOISE


def test_a_check_costs_about_5_ms_at_most(engine: WakeWord, reading: Pcm) -> None:
    piece = Pcm(reading.samples[: 2 * HEARING], HEARING)

    async def some() -> list[float]:  # on a loop as it is outside of tests
        costs_ms = []
        for _ in range(10):
            began_s = time.thread_time()
            assert await engine.confirm(piece, "okay nabu") is False
            costs_ms.append((time.thread_time() - began_s) * 1000)
        return costs_ms

    assert min(anyio.run(some)) <= 5 * NOISE


@pytest.mark.anyio
async def test_a_check_holds_the_loop_for_about_2_ms_at_most(
    engine: WakeWord, reading: Pcm
) -> None:
    piece = Pcm(reading.samples[: 2 * HEARING], HEARING)
    longest_ms = []
    for _ in range(8):
        held = [0.0]
        async with tasks.task_group() as group:
            group.start_soon(_watch, held)
            await lowlevel.checkpoint()
            await engine.confirm(piece, "okay nabu")
            group.cancel_scope.cancel()
        longest_ms.append(held[0])
    assert 0 < min(longest_ms) <= 2 * NOISE


async def _watch(held: list[float]) -> None:
    """The longest that others have had the loop, in milliseconds of work."""
    while True:
        began_s = time.thread_time()
        await lowlevel.checkpoint()
        held[0] = max(held[0], (time.thread_time() - began_s) * 1000)


@pytest.mark.anyio
async def test_a_check_that_is_cancelled_stops_within_a_slice(
    engine: WakeWord, reading: Pcm
) -> None:
    piece = Pcm(reading.samples[: 2 * HEARING], HEARING)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await engine.confirm(piece, "okay nabu")
    assert scope.cancelled_caught
