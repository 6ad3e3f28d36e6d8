"""What is said in conversation: questions, pauses, corrections, short answers, interruptions."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import cycle

import numpy as np

from parlour_bench.fixtures import MORE_VOICES, VOICES, Fixture, can_speak, spoken, with_noise

PROFILES = ("groq", "ollama-warm", "ollama", "slow", "flaky")
NOISES_DB = (None, 15.0, 5.0)
SEED = 20

# How long people pause inside what they say, given that they pause for 200 ms at least: the share
# of pauses longer than each, by the silence-only row of livekit/eot-bench (English, 2026).
PAUSES = ((200, 1.0), (300, 0.556), (600, 0.217), (1000, 0.10), (1500, 0.0))


@dataclass(frozen=True, slots=True)
class Talk:
    """One thing that is said, and what the model answers to it."""

    kind: str  # "question", "paused", "correction", "short", "barge-in"
    parts: tuple[str, ...]
    answer: str = ""
    into: str = ""  # what is said into the answer; "" is a cough
    how: str = ""  # "words", "assent", "cough"

    @property
    def text(self) -> str:
        return " ".join(self.parts)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A talk in a voice and a room, answered by a model of a given speed."""

    talk: Talk
    fixture: Fixture
    profile: str
    snr_db: float | None = None
    pauses_ms: tuple[float, ...] = ()

    @property
    def row(self) -> str:
        """The class under which its latency is reported."""
        return {
            "question": f"open question, {self.profile}",
            "paused": "with a pause inside",
            "correction": "self-correction",
            "short": "short answer",
            "barge-in": "interrupted",
        }[self.talk.kind]


def load_talks() -> list[Talk]:
    text = files("parlour_bench").joinpath("data", "talks.jsonl").read_text(encoding="utf-8")
    rows = (json.loads(line) for line in text.splitlines() if line.strip())
    return [
        Talk(
            row["class"],
            tuple(row["parts"]),
            row.get("answer", ""),
            row.get("into", ""),
            row.get("how", ""),
        )
        for row in rows
    ]


def plan(*, quick: bool, only: str | None = None) -> list[Spoken]:
    """Everything in every voice, room and speed; quick: a fixed choice of them all, each once."""
    talks = [talk for talk in load_talks() if only in (None, talk.kind)]
    rng = np.random.default_rng(SEED)
    return list(_quick(talks, rng) if quick else _full(talks, rng))


def _quick(talks: Sequence[Talk], rng: np.random.Generator) -> Iterator[Spoken]:
    voices = cycle(_voices())
    of_kind = {kind: [t for t in talks if t.kind == kind] for kind in _KINDS}
    for profile, count in (
        ("groq", 12),
        ("ollama-warm", 8),
        ("ollama", 3),
        ("slow", 2),
        ("flaky", 6),
    ):
        for talk in _some(of_kind["question"], count, rng):
            yield _speak(talk, next(voices), profile, None, rng)
    for kind, count in (("paused", 10), ("correction", 4), ("short", 4)):
        for talk in _some(of_kind[kind], count, rng):
            yield _speak(talk, next(voices), "groq", None, rng)
    for how, count in (("words", 5), ("assent", 1), ("cough", 2)):
        for talk in [t for t in of_kind["barge-in"] if t.how == how][:count]:
            yield _speak(talk, next(voices), "groq", None, rng)
    for snr_db in (15.0, 5.0):
        for talk in _some(of_kind["question"], 3, rng):
            yield _speak(talk, next(voices), "groq", snr_db, rng)


def _full(talks: Sequence[Talk], rng: np.random.Generator) -> Iterator[Spoken]:
    for talk in talks:
        profiles = PROFILES if talk.kind == "question" else ("groq",)
        for profile in profiles:
            rooms = NOISES_DB if profile == "groq" and talk.kind != "barge-in" else (None,)
            for snr_db in rooms:
                for voice in _voices():
                    yield _speak(talk, voice, profile, snr_db, rng)


_KINDS = ("question", "paused", "correction", "short", "barge-in")


def _some(talks: Sequence[Talk], count: int, rng: np.random.Generator) -> list[Talk]:
    if not talks:
        return []
    chosen = rng.permutation(len(talks))[:count]
    return [talks[n] for n in sorted(chosen)]


def _voices() -> list[str]:
    return [voice for voice in (*VOICES, *MORE_VOICES) if can_speak(voice)]


def _speak(
    talk: Talk, voice: str, profile: str, snr_db: float | None, rng: np.random.Generator
) -> Spoken:
    pauses_ms = tuple(draw_pause_ms(rng) for _ in talk.parts[1:])
    said = spoken(talk.parts, pauses_ms, voice)
    return Spoken(
        talk, said if snr_db is None else with_noise(said, snr_db), profile, snr_db, pauses_ms
    )


def draw_pause_ms(rng: np.random.Generator) -> float:
    """A pause of PAUSES, straight between its points."""
    lengths, shares = zip(*PAUSES, strict=True)
    return float(np.interp(rng.random(), shares[::-1], lengths[::-1]).round(-1))
