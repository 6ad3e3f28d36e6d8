"""When each stage of a turn was reached, on one clock, counted from the end of speech."""

from typing import get_args

from parlour.audio import HEARING_RATE_HZ
from parlour.events import Stamp

ORDER: tuple[Stamp, ...] = get_args(Stamp)


class SampleClock:
    """Tells when a sample of the microphone was spoken, from when the latest one arrived.

    Sound arrives in real time, so a sample lies as long before the latest one in time as in
    count. A burst (pre-roll) makes earlier samples look later than they were, never the
    later ones, and it is the end of speech that counts.
    """

    def __init__(self) -> None:
        self._sample, self._at_s = 0, 0.0

    def arrived(self, end_sample: int, now_s: float) -> None:
        self._sample, self._at_s = end_sample, now_s

    def time_of(self, sample: int) -> float:
        return self._at_s - (self._sample - sample) / HEARING_RATE_HZ


class Stamps:
    """The stamps of one turn; the first time a stage is reached counts, or the last if `again`."""

    def __init__(self) -> None:
        self._at_s: dict[Stamp, float] = {}

    def mark(self, stamp: Stamp, at_s: float, *, again: bool = False) -> None:
        if again or stamp not in self._at_s:
            self._at_s[stamp] = at_s

    def take(self, other: "Stamps") -> None:
        """Add the stamps of a part of the turn, e.g. of the answer that was given in the end."""
        for stamp, at_s in other._at_s.items():  # noqa: SLF001  # one of us
            self.mark(stamp, at_s)

    def stages_ms(self) -> dict[str, float]:
        """Milliseconds from `speech_end` to each stage reached, in order; empty before it."""
        zero_s = self._at_s.get("speech_end")
        if zero_s is None:
            return {}
        return {s: round((self._at_s[s] - zero_s) * 1000, 1) for s in ORDER if s in self._at_s}
