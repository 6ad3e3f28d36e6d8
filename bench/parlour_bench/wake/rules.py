"""The rules that others use, each over all wakes of a home at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from parlour_bench.wake.homes import Flags, Numbers, Wave
from parlour_bench.wake.wakes import Wakes

WILLOW_S = 0.4
NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Arrays count wakes."""

    winner: Numbers  # index of the device that answers in the end; NOBODY: none
    answers: Numbers  # devices that answer; more than one talk at once
    taken_over: Flags
    decided_s: Wave  # the first decision, after the first claim came; infinite: none
    window_s: Wave  # how long it was to wait


def first_to_arrive(wakes: Wakes) -> Outcome:
    """Home Assistant: the first one; for 2 s every other is refused."""
    return _chosen(wakes, -wakes.arrives_s, 0.0)


def louder(window_s: float) -> Callable[[Wakes], Outcome]:
    """The highest level of those that have come within the window; later ones are refused."""

    def choose(wakes: Wakes) -> Outcome:
        return _chosen(wakes, wakes.level_dbfs, window_s)

    return choose


def willow(wakes: Wakes) -> Outcome:
    """As `louder(0.4)`, but a later claim opens another session, and is answered as well."""
    outcome = _chosen(wakes, wakes.level_dbfs, WILLOW_S)
    first = wakes.arrives_s.min(axis=1)
    late = wakes.heard & (wakes.arrives_s > first[:, None] + WILLOW_S)
    answers = outcome.answers + late.any(axis=1)
    return replace(outcome, answers=answers)


def over_noise(window_s: float) -> Callable[[Wakes], Outcome]:
    """The highest level over the device's own noise."""

    def choose(wakes: Wakes) -> Outcome:
        return _chosen(wakes, wakes.level_dbfs - wakes.noise_dbfs, window_s)

    return choose


def _chosen(wakes: Wakes, score: Wave, window_s: float) -> Outcome:
    first = wakes.arrives_s.min(axis=1)
    is_in = wakes.heard & (wakes.arrives_s <= first[:, None] + window_s)
    is_any = is_in.any(axis=1)
    best = np.where(is_in, score, -np.inf).argmax(axis=1)
    return Outcome(
        np.where(is_any, best, NOBODY),
        is_any.astype(np.int64),
        np.zeros(len(first), np.bool_),
        np.where(is_any, window_s, np.inf),
        np.full(len(first), window_s),
    )


OTHERS: dict[str, Callable[[Wakes], Outcome]] = {
    "first to arrive (Home Assistant)": first_to_arrive,
    "louder, 60 ms": louder(0.06),
    "louder, 100 ms": louder(0.1),
    "louder, 150 ms": louder(0.15),
    "louder, 400 ms (Willow)": willow,
    "over its own noise, 150 ms": over_noise(0.15),
}
