"""Tells somebody who speaks into an answer from the answer itself, where the microphone hears both."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EchoPolicy:
    """How our own voice may sound at our own microphone."""

    first_coupling_db: float = -6.0  # microphone over playout level, before anything is known: much
    margin_db: float = 8.0  # a voice must be so much above the echo; reverberation swings by 6
    reach_s: float = 0.35  # from sending to hearing: the device's buffer, the air, the room
    memory_s: float = 2.0  # of coupling, while something is played
    percentile: float = 0.9  # of what was seen; the very loudest may have been somebody else
    least_seen: int = 15  # measurements (0.3 s of frames) before the default is given up
    silent_dbfs: float = -45.0  # quieter playout excites no echo worth measuring


class EchoGuard:
    """One device without echo cancellation. Times are of one clock, levels in dBFS."""

    def __init__(self, policy: EchoPolicy | None = None) -> None:
        self._policy = policy or EchoPolicy()
        self._played: deque[tuple[float, float]] = deque()  # until when it sounds, how loud
        self._couplings: deque[tuple[float, float]] = deque()  # when, dB

    def played(self, dbfs: float, at_s: float, duration_s: float) -> None:
        """A piece of the answer was sent."""
        self._played.append((at_s + duration_s, dbfs))

    def hears(self, dbfs: float, at_s: float) -> bool:
        """Whether a sound of that level is louder than our own voice can be."""
        policy = self._policy
        while self._played and self._played[0][0] < at_s - policy.reach_s:
            self._played.popleft()
        playing_dbfs = max((level for _, level in self._played), default=-100.0)
        if playing_dbfs < policy.silent_dbfs:
            return True
        expected_dbfs = playing_dbfs + self._coupling_db(at_s)
        if dbfs > expected_dbfs + policy.margin_db:
            return True  # somebody else, who is no measure of the echo
        self._couplings.append((at_s, dbfs - playing_dbfs))
        return False

    def _coupling_db(self, at_s: float) -> float:
        policy = self._policy
        while self._couplings and self._couplings[0][0] < at_s - policy.memory_s:
            self._couplings.popleft()
        if len(self._couplings) < policy.least_seen:
            return policy.first_coupling_db
        seen = sorted(db for _, db in self._couplings)
        return seen[min(len(seen) - 1, int(policy.percentile * len(seen)))]
