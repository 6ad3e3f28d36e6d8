"""What the server sees of a wake, one thing after the other; as it should be, or spoiled."""

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from parlour.ids import DeviceId
from parlour.wake.claim import Claim
from parlour_bench.wake.wakes import DETECTION_S, Wakes

SHARE = 0.01  # of the claims has one mishap, for each kind there is
ABSURD_DBFS = (math.nan, math.inf, -math.inf, 60.0)
AHEAD_S = 30.0  # of a clock that is wrong


@dataclass(frozen=True, slots=True)
class Comes:
    at_s: float
    claim: Claim


@dataclass(frozen=True, slots=True)
class Sounds:
    """The level that a claim lacked, from the sound that came after it."""

    at_s: float
    device: DeviceId
    level_dbfs: float
    noise_dbfs: float


@dataclass(frozen=True, slots=True)
class Leaves:
    """The socket of whoever answers is gone."""

    at_s: float


Step: TypeAlias = Comes | Sounds | Leaves


def device_id(number: int) -> DeviceId:
    return DeviceId(f"device-{number}")


def steps(wakes: Wakes, number: int, begin_s: float) -> list[Step]:
    """Of one wake, in the order of time. A device knows the mean delay of detectors, and no more:
    `at_s` is wrong by what its own differs, and by the network."""
    found: list[Step] = []
    for n in np.flatnonzero(wakes.heard[number]):
        at_s = begin_s + float(wakes.arrives_s[number, n])
        claim = Claim(
            device_id(int(n)),
            at_s - DETECTION_S,
            float(wakes.level_dbfs[number, n]),
            float(wakes.noise_dbfs[number, n]),
            float(wakes.score[number, n]),
        )
        found.append(Comes(at_s, claim))
    return sorted(found, key=lambda step: step.at_s)


def spoil(found: list[Step], rng: np.random.Generator) -> list[Step]:
    """Let happen to claims what happens: lost, sent twice, late, without a level, with an absurd
    one, with a clock that is ahead; and to a device that answers, that it goes."""
    spoiled: list[Step] = []
    for step in found:
        if isinstance(step, Comes):
            spoiled += _mishap(step, int(rng.random() / SHARE), rng)
    if spoiled and rng.random() < SHARE:
        spoiled.append(Leaves(spoiled[0].at_s + float(rng.uniform(0.05, 1.5))))
    return sorted(spoiled, key=lambda step: step.at_s)


def _mishap(step: Comes, kind: int, rng: np.random.Generator) -> list[Step]:
    claim = step.claim
    match kind:
        case 0:
            return []
        case 1:
            return [step, Comes(step.at_s + float(rng.uniform(0.0, 0.4)), claim)]
        case 2:
            return [Comes(step.at_s + float(rng.uniform(0.6, 1.5)), claim)]
        case 3:
            return [Comes(step.at_s, replace(claim, level_dbfs=None, noise_dbfs=None))]
        case 4:
            bare = replace(claim, level_dbfs=None, noise_dbfs=None)
            level, noise = claim.level_dbfs or 0.0, claim.noise_dbfs or 0.0
            return [
                Comes(step.at_s, bare),
                Sounds(step.at_s + float(rng.uniform(0.0, 0.3)), claim.device, level, noise),
            ]
        case 5:
            absurd = ABSURD_DBFS[int(rng.integers(len(ABSURD_DBFS)))]
            return [Comes(step.at_s, replace(claim, level_dbfs=absurd))]
        case 6:
            return [Comes(step.at_s, replace(claim, at_s=claim.at_s + AHEAD_S))]
        case _:
            return [step]
