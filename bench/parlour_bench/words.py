"""Where each word lies in a recording: from the synthesiser's own clock, else by its phonemes.

flite prints the end of each phoneme; which phonemes belong to which word is told by having it
say each word alone. That is exact to its frame of 5 ms, and the ends lie within 20 ms of what
is audible. espeak-ng has no such clock: its words are spread over the recording by the number
of their phonemes, which is right to about 100 ms. In both, the outer ends are those of the
sound itself, to 10 ms.
"""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Word:
    """A word and the samples it lies between."""

    text: str
    start: int
    end: int


def place(text: str, bounds_s: Sequence[float], start: int, end: int, rate_hz: int) -> list[Word]:
    """Lay words between samples. `bounds_s` has the end of each word but the last one, from `start`
    on; what lies outside the sound is moved to its edge."""
    inner = [min(end, max(start, start + round(bound * rate_hz))) for bound in bounds_s]
    edges = [start, *sorted(inner), end]
    return [Word(word, *edges[n : n + 2]) for n, word in enumerate(text.split())]


def bounds_by_weight(weights: Sequence[int], duration_s: float) -> list[float]:
    """Spread words over a time by their weights."""
    total, at, bounds = sum(weights), 0, []
    for weight in weights[:-1]:
        at += weight
        bounds.append(duration_s * at / total)
    return bounds


def flite_bounds(text: str, voice: str, program: str, begin_s: float) -> list[float] | None:
    """The end of each word but the last one, from `begin_s` of the recording on; None if the
    phonemes cannot be told apart."""
    ends = _phoneme_ends(_run(program, "-voice", voice, "-psdur", "-t", text, "none"))
    counts = [len(_phonemes(program, voice, word)) for word in text.split()]
    if sum(counts) != len(ends) or not all(counts):
        return None
    bounds, at = [], 0
    for count in counts[:-1]:
        at += count
        bounds.append(ends[at - 1] - begin_s)
    return bounds


def espeak_weights(text: str, voice: str, program: str) -> list[int]:
    """The number of phonemes in each word."""
    return [_count_phonemes(program, voice, word) for word in text.split()]


def letter_weights(text: str) -> list[int]:
    return [len(word) for word in text.split()]


@cache
def _phonemes(program: str, voice: str, word: str) -> list[str]:
    said = _run(program, "-voice", voice, "-ps", "-t", word, "none").split()
    return [phoneme for phoneme in said if phoneme != "pau"]


@cache
def _count_phonemes(program: str, voice: str, word: str) -> int:
    said = _run(program, "-q", "-x", "--sep=_", "-v", voice, word).split("_")
    return max(1, sum(bool(phoneme.strip(" \n#',|:")) for phoneme in said))


def _phoneme_ends(said: str) -> list[float]:
    """From "pau:0.198 t:0.252 ..."."""
    found = re.findall(r"(\S+):([\d.]+)", said)
    return [float(end) for phoneme, end in found if phoneme != "pau"]


def _run(*order: str) -> str:
    return subprocess.run(order, capture_output=True, check=False, text=True).stdout
