"""Who of those that claimed is the best one.

| first that tells them apart     | better                                                        |
|---------------------------------|---------------------------------------------------------------|
| a button                        | pressed                                                       |
| score, `engaged_db` if engaged  | higher, unless both are (not) engaged and within `tie_db`     |
| who won last                    | within `last_winner_s`                                        |
| score of the wake word model    | higher                                                        |
| id                              | smaller                                                       |

Of an engaged device the bonus is all its advantage: whoever is more than `engaged_db` better wins.
Whose level is unknown is worse than all others; an engaged one is as good as the best, because
nothing shows that its user has left it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from parlour.ids import DeviceId
from parlour.wake.claim import LEAST_DBFS
from parlour.wake.rules import Rules


@dataclass(slots=True)
class Candidate:
    """A device in a round. `score_db` is calibrated and without bonus; None: unknown level."""

    device: DeviceId
    at_s: float
    score_db: float | None
    confidence: float | None = None
    is_engaged: bool = False
    is_button: bool = False
    has_claimed: bool = True  # False: it answers, and somebody else heard speech that follows


def best(
    candidates: Collection[Candidate], last_winner: DeviceId | None, rules: Rules
) -> Candidate:
    """The one who answers, the same for any order; there must be one candidate at least."""
    pressed = [one for one in candidates if one.is_button]
    among = pressed or candidates
    loudest_db = max((_known_db(one) for one in among), default=LEAST_DBFS)
    merits = {one.device: _merit_db(one, loudest_db, rules) for one in among}
    leader = max(among, key=lambda one: (merits[one.device], one.is_engaged, one.device))
    tied = [
        one
        for one in among
        if one.is_engaged == leader.is_engaged
        and (merits[leader.device] - merits[one.device] < rules.tie_db or one is leader)
    ]
    return min(tied, key=lambda one: _tie_break(one, last_winner))


def is_clearly_better(one: Candidate, other: Candidate, rules: Rules) -> bool:
    """Whether `one` may take over from `other`; not if the level of either is unknown."""
    if one.score_db is None or other.score_db is None:
        return False
    advantage_db = one.score_db - other.score_db
    advantage_db += rules.engaged_db * (one.is_engaged - other.is_engaged)
    return advantage_db > rules.takeover_db


def _known_db(candidate: Candidate) -> float:
    return LEAST_DBFS if candidate.score_db is None else candidate.score_db


def _merit_db(candidate: Candidate, loudest_db: float, rules: Rules) -> float:
    if not candidate.is_engaged:
        return _known_db(candidate)
    known_db = loudest_db if candidate.score_db is None else candidate.score_db
    return known_db + rules.engaged_db


def _tie_break(candidate: Candidate, last_winner: DeviceId | None) -> tuple[bool, float, str]:
    confidence = -1.0 if candidate.confidence is None else candidate.confidence
    return candidate.device != last_winner, -confidence, candidate.device
