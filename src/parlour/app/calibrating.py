"""One measurement of the wizard: a wake word said some times at one metre. Pure; time is an argument."""

from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from parlour.ids import DeviceId

WORDS = 3
LONGEST_S = 60.0
MOST_SPREAD_DB = 6.0  # between the words; more is another distance, another voice, or a noise
SAME_WORD_S = 1.0  # claims this close are of one word


class State(StrEnum):
    COLLECTING = "collecting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Collection:
    """The levels of the last words, until they agree. Of no use for anything but its device."""

    device: DeviceId
    began_s: float
    levels_dbfs: tuple[float, ...] = ()
    unlevelled: int = 0  # words of which no level is known
    is_cancelled: bool = False
    last_s: float = float("-inf")

    def state(self, now_s: float) -> State:
        if self.level_dbfs is not None:
            return State.DONE
        if self.is_cancelled:
            return State.CANCELLED
        return State.FAILED if self.left_s(now_s) <= 0 else State.COLLECTING

    def left_s(self, now_s: float) -> float:
        return max(0.0, self.began_s + LONGEST_S - now_s)

    @property
    def level_dbfs(self) -> float | None:
        """What it came to: the median of words that agree."""
        if len(self.levels_dbfs) < WORDS or self.spread_db > MOST_SPREAD_DB:
            return None
        return median(self.levels_dbfs)

    @property
    def spread_db(self) -> float:
        return max(self.levels_dbfs) - min(self.levels_dbfs) if self.levels_dbfs else 0.0

    def take(self, level_dbfs: float | None, now_s: float) -> None:
        """Count a word; None: its level is not known, or not yet."""
        if self.state(now_s) is not State.COLLECTING:
            return
        if level_dbfs is None:
            self.unlevelled += 1
        elif now_s - self.last_s >= SAME_WORD_S:
            self.last_s = now_s
            self.levels_dbfs = (*self.levels_dbfs, level_dbfs)[-WORDS:]

    def trouble(self, now_s: float) -> str:
        """What is wrong, and what to do about it; "" if nothing is."""
        heard, state = len(self.levels_dbfs), self.state(now_s)
        if heard == WORDS and self.spread_db > MOST_SPREAD_DB:
            return f"the words differ by {self.spread_db:.0f} dB: say it again, at one metre"
        if state is not State.FAILED:
            return ""
        if self.unlevelled and not heard:
            return "it heard the wake word, but reports no level, and sent no sound to measure"
        said = "no wake word was" if not heard else f"only {heard} of {WORDS} wake words were"
        return f"{said} heard within {LONGEST_S:.0f} s"
