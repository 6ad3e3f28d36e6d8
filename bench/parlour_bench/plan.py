"""What is said in which voice, room and speed of model, and in which order; all of it seeded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, product

import numpy as np

from parlour_bench.fixtures import (
    LEAD_S,
    MORE_VOICES,
    VOICES,
    Fixture,
    spoken,
    with_noise,
)
from parlour_bench.manifest import (
    Kind,
    Utterance,
    how_it_ends,
    load_chatter,
    load_manifest,
)

ALL_VOICES = (*VOICES, *MORE_VOICES)
SEED = 20
PROFILES = ("groq", "ollama-warm", "ollama", "slow", "flaky")  # of the scripted model
NOISES_DB = (15.0, 5.0)

# How long people pause inside what they say, given that they pause for 200 ms at least: the share
# of pauses longer than each, by the silence-only row of livekit/eot-bench (English, 2026).
PAUSES_MS = ((200, 1.0), (300, 0.556), (600, 0.217), (1000, 0.10), (1500, 0.0))
INTO_S = (0.8, 2.5)  # after the first sound of an answer somebody begins to speak into it

# How many of each a quick run says; a share of each stratum, chosen by SEED.
QUICK_COMMANDS = {"closed": 16, "extendable": 4}
QUICK_QUESTIONS = {"groq": 9, "ollama-warm": 5, "ollama": 2, "slow": 1, "flaky": 2}
QUICK_BARGE_IN = {"words": 4, "assent": 1, "cough": 1}
QUICK_HOME = {Kind.CHATTER: 5, Kind.CORRECTION: 2, Kind.SHORT: 2}
QUICK_TALKS = {Kind.PAUSED: 7, Kind.SHORT: 1}
QUICK_NOISY = 1  # of commands and of questions, at each noise
SHORT_COMMANDS = (  # lights that obey at once, so that no time goes by with blinds
    "turn on the kitchen light",
    "turn off the living room lamp",
    "turn on the office fan",
    "switch on the kitchen light",
    "turn off the bedroom lamp",
)
SHORT_QUESTIONS = 5


class Group(StrEnum):
    """Which server it is said to."""

    EMBEDDED = "embedded"  # the engines that are built in, and no language model
    SPOKEN = "spoken"  # a recogniser and a model by script, and a real voice
    SCRIPTED = "scripted"  # the voice as well, so that it is known where each word lies


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance in a voice and a room. Its sound is made when it is wanted."""

    utterance: Utterance
    voice: str
    profile: str = ""  # of the model; "": the engines that are built in
    snr_db: float | None = None
    pauses_ms: tuple[float, ...] = ()
    into_s: float = 0.0  # after the first sound of the answer

    @property
    def kind(self) -> Kind:
        return self.utterance.kind

    @property
    def group(self) -> Group:
        if not self.profile:
            return Group.EMBEDDED
        return Group.SCRIPTED if self.kind is Kind.BARGE_IN else Group.SPOKEN

    @property
    def row(self) -> str:
        """The class under which it is reported."""
        name = _row(self.utterance, self.profile)
        return name if self.snr_db is None else f"{name}, {self.snr_db:.0f} dB"

    def hear_s(self, wanted: float | None) -> float | None:
        """How much of the answer is heard. Whoever pauses hears it out: cutting it off would look
        as if the speaker was done."""
        return None if self.kind is Kind.PAUSED else wanted

    def fixture(self) -> Fixture:
        """Takes up to half a second the first time, and a few milliseconds later on."""
        made = spoken(self.utterance.parts, self.pauses_ms, self.voice)
        return made if self.snr_db is None else with_noise(made, self.snr_db)


def _row(utterance: Utterance, profile: str) -> str:
    match utterance.kind:
        case Kind.COMMAND:
            return f"{how_it_ends(utterance.text)} command"
        case Kind.QUESTION:
            return f"open question, {profile}"
        case Kind.PAUSED:
            return "with pauses inside"
        case Kind.CORRECTION:
            return f"self-correction, {profile}" if profile else "self-correction"
        case Kind.SHORT:
            return f"short answer, {profile}" if profile else "short answer"
        case Kind.BARGE_IN:
            return "barge-in to silence"
        case Kind.CHATTER:
            return "chatter"


def full(voices: Sequence[str]) -> list[Said]:
    """Everything in every voice and room, shuffled, so that any beginning of it is a fair sample.

    The voices of espeak-ng speak only to the scripted recogniser: pocketsphinx was taught people.
    """
    rng = np.random.default_rng(SEED)
    human = [voice for voice in voices if voice in VOICES]
    said = list(_full(load_manifest() + load_chatter(), voices, human, rng))
    return [said[n] for n in rng.permutation(len(said))]


def _full(
    utterances: Iterable[Utterance],
    voices: Sequence[str],
    human: Sequence[str],
    rng: np.random.Generator,
) -> Iterator[Said]:
    rooms: tuple[float | None, ...] = (None, *NOISES_DB)
    for utterance in utterances:
        match utterance.kind:
            case Kind.COMMAND | Kind.CORRECTION | Kind.SHORT:
                for voice, snr_db in product(human, rooms):
                    yield _say(utterance, voice, rng, snr_db=snr_db)
            case Kind.CHATTER:
                for voice in human:
                    yield _say(utterance, voice, rng)
            case Kind.QUESTION:
                for voice, profile in product(voices, PROFILES):
                    yield _say(utterance, voice, rng, profile)
            case Kind.PAUSED | Kind.BARGE_IN:
                pass
        for voice, snr_db in product(voices, _rooms_of_talks(utterance.kind)):
            yield _say(utterance, voice, rng, "groq", snr_db)


def _rooms_of_talks(kind: Kind) -> tuple[float | None, ...]:
    """In which rooms it is said to the fast scripted model, besides what was planned already."""
    match kind:
        case Kind.COMMAND | Kind.CHATTER:
            return ()
        case Kind.QUESTION:
            return NOISES_DB
        case Kind.BARGE_IN:
            return (None,)
        case Kind.CORRECTION | Kind.SHORT | Kind.PAUSED:
            return (None, *NOISES_DB)


def quick(voices: Sequence[str]) -> list[Said]:
    """A fixed choice of each class, the voices taking turns, shuffled; under five minutes."""
    rng = np.random.default_rng(SEED)
    said = list(_quick(load_manifest() + load_chatter(), voices, rng))
    return [said[n] for n in rng.permutation(len(said))]


def _quick(
    utterances: Sequence[Utterance], voices: Sequence[str], rng: np.random.Generator
) -> Iterator[Said]:
    of_kind = {kind: [u for u in utterances if u.kind is kind] for kind in Kind}
    if human := [voice for voice in voices if voice in VOICES]:
        yield from _quick_home(of_kind, cycle(human), rng)
    yield from _quick_talks(of_kind, cycle(voices), rng)


def _quick_home(
    of_kind: Mapping[Kind, Sequence[Utterance]], voices: Iterator[str], rng: np.random.Generator
) -> Iterator[Said]:
    commands = of_kind[Kind.COMMAND]
    for ending, count in QUICK_COMMANDS.items():
        for utterance in _some([u for u in commands if how_it_ends(u.text) == ending], count, rng):
            yield _say(utterance, next(voices), rng)
    for kind, count in QUICK_HOME.items():
        for utterance in _some(of_kind[kind], count, rng):
            yield _say(utterance, next(voices), rng)
    for snr_db in NOISES_DB:
        for utterance in _some(commands, QUICK_NOISY, rng):
            yield _say(utterance, next(voices), rng, snr_db=snr_db)


def _quick_talks(
    of_kind: Mapping[Kind, Sequence[Utterance]], voices: Iterator[str], rng: np.random.Generator
) -> Iterator[Said]:
    for kind, count in QUICK_TALKS.items():
        for utterance in _some(of_kind[kind], count, rng):
            yield _say(utterance, next(voices), rng, "groq")
    for profile, count in QUICK_QUESTIONS.items():
        for utterance in _some(of_kind[Kind.QUESTION], count, rng):
            yield _say(utterance, next(voices), rng, profile)
    for how, count in QUICK_BARGE_IN.items():
        for utterance in _some([u for u in of_kind[Kind.BARGE_IN] if u.how == how], count, rng):
            yield _say(utterance, next(voices), rng, "groq")
    for snr_db in NOISES_DB:
        for utterance in _some(of_kind[Kind.QUESTION], QUICK_NOISY, rng):
            yield _say(utterance, next(voices), rng, "groq", snr_db)


def short() -> list[Said]:
    """Half a minute: a few closed commands and questions, in the voice that is heard best."""
    rng = np.random.default_rng(SEED)
    utterances = load_manifest()
    questions = [u for u in utterances if u.kind is Kind.QUESTION]
    by_text = {u.text: u for u in utterances if u.kind is Kind.COMMAND}
    return [
        *(_say(by_text[text], VOICES[0], rng) for text in SHORT_COMMANDS),
        *(_say(u, VOICES[0], rng, "groq") for u in _some(questions, SHORT_QUESTIONS, rng)),
    ]


def draw_pause_ms(rng: np.random.Generator) -> float:
    """A pause of PAUSES_MS, straight between its points."""
    lengths, shares = zip(*PAUSES_MS, strict=True)
    return float(np.interp(rng.random(), shares[::-1], lengths[::-1]).round(-1))


def _say(
    utterance: Utterance,
    voice: str,
    rng: np.random.Generator,
    profile: str = "",
    snr_db: float | None = None,
) -> Said:
    pauses_ms = tuple(draw_pause_ms(rng) for _ in utterance.parts[1:])
    into_s = float(rng.uniform(*INTO_S)) - LEAD_S if utterance.kind is Kind.BARGE_IN else 0.0
    return Said(utterance, voice, profile, snr_db, pauses_ms, into_s)


def _some(stratum: Sequence[Utterance], count: int, rng: np.random.Generator) -> list[Utterance]:
    chosen = rng.permutation(len(stratum))[:count]
    return [stratum[n] for n in sorted(chosen)]
