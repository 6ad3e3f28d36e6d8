"""The figures by which it is decided who answers, and the verdicts that come of it."""

from dataclasses import dataclass
from typing import NewType

from parlour.ids import DeviceId

RoundId = NewType("RoundId", str)  # one word and the devices that heard it, e.g. "home/17"


@dataclass(frozen=True, slots=True)
class Rules:
    """Why these: docs/decisions/0033."""

    window_s: float = 0.150  # from the first claim to the decision, until more is known
    least_window_s: float = 0.08
    longest_window_s: float = 0.2
    takeover_s: float = 0.6  # from the first claim; later nothing is taken over
    takeover_db: float = 3.0
    tie_db: float = 1.5
    engaged_db: float = 6.0  # for a device that speaks, rings or is in a follow-up
    floor_dbfs: float = -75.0  # calibrated; who hears less makes no claim (next room: about -50)
    hold_s: float = 2.0  # at the longest losers make no new claim
    last_winner_s: float = 60.0
    same_word_s: float = 1.0  # claims of words that ended this close are of one word
    most_claims: int = 8  # of one device
    claims_s: float = 10.0  # in this time; more are refused
    one_by_one: bool = True  # whoever wins ends the older turn of another device of the group


@dataclass(frozen=True, slots=True)
class Won:
    """This device answers. Once for each round."""

    device: DeviceId
    round_id: RoundId


@dataclass(frozen=True, slots=True)
class Lost:
    """This device is silent, also if it answered until now, and makes no claim for `hold_s`."""

    device: DeviceId
    hold_s: float
    round_id: RoundId


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The loser, who had won or has gone, answers no more; the winner does, instead of it."""

    loser: DeviceId
    winner: DeviceId
    round_id: RoundId


Verdict = Won | Lost | TakenOver
