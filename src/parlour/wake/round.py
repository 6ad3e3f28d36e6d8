"""One round: a word, the devices that heard it, and which of them answers."""

from dataclasses import dataclass, field

from parlour.ids import DeviceId
from parlour.wake.candidates import Candidate
from parlour.wake.claim import Claim, Kind
from parlour.wake.rules import RoundId, Rules
from parlour.wake.score import score_db


@dataclass(frozen=True, slots=True)
class Ear:
    """What is known of the claiming device: its gain, its floor and the window that it opens."""

    gain_db: float
    floor_dbfs: float
    window_s: float


@dataclass(slots=True)
class Round:
    """One word, or one utterance that follows up. `arrivals` are of wake words only."""

    id: RoundId
    at_s: float  # when the word ended, by the first claim
    opened_s: float
    due_s: float
    candidates: dict[DeviceId, Candidate] = field(default_factory=dict)
    arrivals: dict[DeviceId, float] = field(default_factory=dict)
    winner: DeviceId | None = None
    decided_s: float = 0.0
    is_audible: bool = False
    was_taken: bool = False
    is_over: bool = False

    @property
    def claimants(self) -> list[Candidate]:
        return [one for one in self.candidates.values() if one.has_claimed]

    def join(self, candidate: Candidate) -> None:
        self.candidates[candidate.device] = candidate

    def has_heard(self, candidate: Candidate, rules: Rules) -> bool:
        """Whether the device claims for the same word again; to press a button is another."""
        older = self.candidates.get(candidate.device)
        if older is None or (candidate.is_button and not older.is_button):
            return False
        return candidate.at_s - older.at_s < rules.same_word_s

    def is_late(self, candidate: Candidate, now_s: float, rules: Rules) -> bool:
        """Whether a claim came after the decision on its word, or while the losers are held."""
        if self.winner == candidate.device:
            return False  # its user says the word again
        if candidate.at_s <= self.at_s + rules.same_word_s:
            return True
        return not self.is_over and now_s < self.decided_s + rules.hold_s

    def hold_s(self, now_s: float, rules: Rules) -> float:
        """How long a loser is still to be silent."""
        return 0.0 if self.is_over else max(0.0, self.decided_s + rules.hold_s - now_s)


def candidate_of(claim: Claim, ear: Ear, is_answering: bool) -> Candidate:
    return Candidate(
        claim.device,
        claim.at_s,
        None if claim.level_dbfs is None else score_db(claim, ear.gain_db),
        claim.score,
        claim.is_engaged or is_answering,
        claim.kind is Kind.BUTTON,
    )
