"""What every spotter of wake words needs: frames of one size, and one word heard per utterance."""

from collections.abc import Iterable, Iterator

import numpy as np

from parlour.audio import HEARING_RATE_HZ, Pcm, Samples
from parlour.errors import AudioError
from parlour.ports import Heard

REFRACTORY_S = 1.0  # nobody says two wake words within it; the end of one may sound like another
LONGEST_GAP_S = 0.2  # of lost packets, over which a word is still the same word


class Cutter:
    """Cuts one stream at 16 kHz into frames of one size, which know where they lie in it."""

    def __init__(self, frame_samples: int) -> None:
        self._frame_samples = frame_samples
        self._rest: Samples = np.zeros(0, np.int16)
        self._end: int | None = None  # of what was pushed, in the stream

    def continues(self, pcm: Pcm) -> bool:
        """Whether a piece goes on where the last one ended, or nearly. Raises AudioError."""
        if pcm.rate_hz != HEARING_RATE_HZ:
            raise AudioError(f"wake words are heard at {HEARING_RATE_HZ} Hz, not {pcm.rate_hz}")
        return self._end is None or 0 <= pcm.start - self._end <= LONGEST_GAP_S * HEARING_RATE_HZ

    def push(self, pcm: Pcm) -> Iterator[Pcm]:
        """Whole frames; what remains is kept for the next piece."""
        samples = np.concatenate([self._rest, pcm.samples]) if len(self._rest) else pcm.samples
        start, size = pcm.end - len(samples), self._frame_samples
        whole = len(samples) - len(samples) % size
        self._rest, self._end = samples[whole:].copy(), pcm.end
        for at in range(0, whole, size):
            yield Pcm(samples[at : at + size], HEARING_RATE_HZ, start + at)

    def clear(self) -> None:
        self._rest, self._end = self._rest[:0], None


class OncePerUtterance:
    """A score stays high for a while; the word was said once."""

    def __init__(self, refractory_s: float = REFRACTORY_S) -> None:
        self._refractory_samples = round(refractory_s * HEARING_RATE_HZ)
        self._above: set[str] = set()
        self._deaf_until: int | None = None

    def take(self, above: Iterable[tuple[str, float]], end_sample: int) -> list[Heard]:
        """The words that score above their threshold now become at most one that was heard.

        A word must have been below before; of several the highest score wins.
        """
        scores = dict(above)
        fresh = [(score, word) for word, score in scores.items() if word not in self._above]
        self._above = set(scores)
        if not fresh or (self._deaf_until is not None and end_sample < self._deaf_until):
            return []
        score, word = max(fresh)
        self._deaf_until = end_sample + self._refractory_samples
        return [Heard(word, score, end_sample)]

    def clear(self) -> None:
        self._above, self._deaf_until = set(), None


def plain_phrase(text: str) -> str:
    """A phrase as it is compared: "OK, Nabu!", "okay_nabu" and "Okay Nabu" are one."""
    letters = "".join(each if each.isalnum() else " " for each in text.casefold())
    return " ".join("okay" if word == "ok" else word for word in letters.split())
