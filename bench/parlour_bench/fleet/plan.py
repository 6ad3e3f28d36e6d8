"""Who hears what and how late: drawn before the run, the same for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parlour.ids import DeviceId

LEVELS_DBFS = (-55.0, -25.0)  # of a wake word, from the far end of a flat to arm's length
NOISE_DBFS = -70.0
DETECTION_S = 0.06  # from the end of the word until a device's model is sure of it
DETECTION_SD_S = 0.025  # by device, by wake
WIFI_S, WIFI_SIGMA = 0.008, 0.6  # median and shape of the log-normal delay
STALL_SHARE = 0.02
STALL_S = (0.08, 0.6)
SEED = 7


@dataclass(frozen=True, slots=True)
class Ear:
    """What one device makes of a word. `late_s`: from the end of the word to its claim."""

    device: DeviceId
    level_dbfs: float
    late_s: float


@dataclass(frozen=True, slots=True)
class Word:
    """One wake word in one group."""

    group: str
    ears: tuple[Ear, ...]

    @property
    def loudest(self) -> Ear:
        return max(self.ears, key=lambda ear: ear.level_dbfs)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is; every group of `group_size` devices hears its share of the wakes."""

    devices: int = 100
    wakes: int = 200
    group_size: int = 5


def draw(size: Size, seed: int = SEED) -> list[list[Word]]:
    """The words of each group, in their order; devices that fill no group join the last one."""
    rng = np.random.default_rng(seed)
    names = [DeviceId(f"fleet-{n}") for n in range(size.devices)]
    count = max(1, size.devices // size.group_size)
    groups = [names[n * size.group_size : (n + 1) * size.group_size] for n in range(count)]
    groups[-1] += names[count * size.group_size :]
    words: list[list[Word]] = [[] for _ in groups]
    for n in range(size.wakes):
        at = n % count
        words[at].append(Word(f"fleet-{at}", _ears(groups[at], rng)))
    return words


def _ears(devices: Sequence[DeviceId], rng: np.random.Generator) -> tuple[Ear, ...]:
    levels = rng.uniform(*LEVELS_DBFS, len(devices))
    return tuple(
        Ear(device, round(float(dbfs), 1), late_s(rng))
        for device, dbfs in zip(devices, levels, strict=True)
    )


def late_s(rng: np.random.Generator) -> float:
    """From the end of the word until a device's claim leaves its network."""
    detected_s = max(0.0, DETECTION_S + rng.normal(0, DETECTION_SD_S))
    sent_s = detected_s + WIFI_S * rng.lognormal(0, WIFI_SIGMA)
    if rng.random() < STALL_SHARE:
        sent_s += rng.uniform(*STALL_S)
    return float(sent_s)
