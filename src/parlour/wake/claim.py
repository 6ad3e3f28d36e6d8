"""A claim to answer: what one microphone knows of a wake word, and what of it can be believed."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from parlour.ids import DeviceId

HOME = "home"  # the group of devices that name none

LONGEST_AGE_S = 2.0  # as long as the pre-roll that a server keeps; what claims more has a bad clock
LEAST_DBFS = -120.0
MOST_DBFS = 6.0  # a full-scale square wave has +3; beyond this a number is no level
LONGEST_NAME = 60  # characters of a group or phrase


class Kind(StrEnum):
    """What made a device claim."""

    BUTTON = "button"
    WAKE = "wake"
    FOLLOW_UP = "follow_up"  # speech without a wake word, in a conversation that goes on


@dataclass(frozen=True, slots=True)
class Claim:
    """One device's claim; None stands for what is not known (yet)."""

    device: DeviceId
    at_s: float  # when the word ended, in the server's clock: arrival minus the claim's own age
    level_dbfs: float | None  # of the word, before automatic gain
    noise_dbfs: float | None = None
    score: float | None = None  # of the wake word model, 0..1
    group: str = HOME
    phrase: str = ""
    kind: Kind = Kind.WAKE
    is_engaged: bool = False  # it speaks, rings or is in a follow-up at this moment


def believable(claim: Claim, now_s: float) -> Claim:
    """The claim with all that cannot be true left out; the only place where claims are checked.

    A level that no sound has becomes unknown, not the loudest: a broken device must not win.
    """
    at_s = claim.at_s if math.isfinite(claim.at_s) else now_s
    return replace(
        claim,
        at_s=min(max(at_s, now_s - LONGEST_AGE_S), now_s),
        level_dbfs=believable_dbfs(claim.level_dbfs),
        noise_dbfs=believable_dbfs(claim.noise_dbfs),
        score=_within(claim.score, 0.0, 1.0),
        group=claim.group[:LONGEST_NAME] or HOME,
        phrase=claim.phrase[:LONGEST_NAME],
    )


def believable_dbfs(dbfs: float | None) -> float | None:
    """None for what no microphone measures: NaN, +60 dBFS."""
    return _within(dbfs, LEAST_DBFS, MOST_DBFS)


def _within(value: float | None, least: float, most: float) -> float | None:
    return value if value is not None and least <= value <= most else None
