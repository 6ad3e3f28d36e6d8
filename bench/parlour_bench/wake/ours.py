"""Our own rule, by the very code of the server: each wake is played to `parlour.wake`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np

from parlour.ids import DeviceId
from parlour.wake.arbiter import Arbiter, Lost, TakenOver, Verdict, Won
from parlour.wake.calibration import Calibration
from parlour_bench.wake.homes import Wave
from parlour_bench.wake.rules import NOBODY, Outcome
from parlour_bench.wake.steps import Comes, Leaves, Sounds, Step, device_id, spoil, steps
from parlour_bench.wake.wakes import Wakes

EVERY_S = 600.0  # one wake
AUDIBLE_S, ENDED_S = 2.0, 6.0  # after the first claim: a short question, and its answer
ROUGH_SEED = 11


def calibrated(wakes: Wakes) -> Outcome:
    """As in a home whose devices have been compared once."""
    return play(wakes, _gains(wakes.known_db))


def not_calibrated(wakes: Wakes) -> Outcome:
    return play(wakes, _gains(np.zeros_like(wakes.known_db)))


def in_a_rough_world(wakes: Wakes) -> Outcome:
    """Calibrated, and with mishaps: what must hold then is that one device answers."""
    first = int(1e9 * wakes.scenes.facing[0])  # so that each home has mishaps of its own
    rng = np.random.default_rng((ROUGH_SEED, first))
    return play(wakes, _gains(wakes.known_db), lambda found: spoil(found, rng))


def play(
    wakes: Wakes,
    gains: Mapping[DeviceId, float],
    change: Callable[[list[Step]], list[Step]] = list,
) -> Outcome:
    """All wakes of a home, one after the other, to one arbiter."""
    arbiter = Arbiter(calibration=Calibration(measured_db=gains))
    count = len(wakes.heard)
    heard = [_Heard() for _ in range(count)]
    for n in range(count):
        begin_s = EVERY_S * (n + 1)
        found = change(steps(wakes, n, begin_s))
        if found:
            _play(arbiter, found, heard[n])
    numbers = {device_id(n): n for n in range(len(wakes.home.room_of))}
    return Outcome(
        np.array([NOBODY if one.last is None else numbers[one.last] for one in heard]),
        np.array([one.most for one in heard]),
        np.array([one.is_taken_over for one in heard]),
        np.array([one.decided_s for one in heard]),
        np.array([one.window_s for one in heard]),
    )


def _gains(gains_db: Wave) -> dict[DeviceId, float]:
    return {device_id(n): float(gain_db) for n, gain_db in enumerate(gains_db)}


@dataclass(slots=True)
class _Heard:
    """What somebody in the home hears of one wake."""

    answering: set[DeviceId] = field(default_factory=set)
    wins: int = 0
    most: int = 0  # that ever answered at once, or one after the other though none had gone
    last: DeviceId | None = None
    is_taken_over: bool = False
    decided_s: float = np.inf
    window_s: float = 0.0

    def take(self, verdicts: Sequence[Verdict], after_s: float) -> None:
        for verdict in verdicts:
            match verdict:
                case Won(device=device):
                    self.answering.add(device)
                    self.wins += 1
                    self.last = device
                    self.decided_s = min(self.decided_s, after_s)
                case TakenOver(loser=loser, winner=winner):
                    self.answering = self.answering - {loser} | {winner}
                    self.last, self.is_taken_over = winner, True
                case Lost(device=device):
                    self.answering.discard(device)  # it may have answered until now
                case _:
                    assert_never(verdict)
        self.most = max(self.most, len(self.answering), self.wins)

    def leave(self) -> DeviceId | None:
        """Whoever answers has gone."""
        self.wins = 0
        return self.answering.pop() if self.answering else None


def _play(arbiter: Arbiter, found: Sequence[Step], heard: _Heard) -> None:
    first_s = found[0].at_s
    if isinstance(found[0], Comes):
        claim = found[0].claim
        heard.window_s = arbiter.window_s(claim.group, claim.device)
    for step in found:
        _decide(arbiter, heard, first_s, until_s=step.at_s)
        heard.take(_answer(arbiter, step, heard), step.at_s - first_s)
    _decide(arbiter, heard, first_s, until_s=first_s + AUDIBLE_S)
    for device in heard.answering:
        arbiter.audible(device, first_s + AUDIBLE_S)
    _decide(arbiter, heard, first_s, until_s=first_s + ENDED_S)
    for device in heard.answering:
        arbiter.ended(device, first_s + ENDED_S)


def _decide(arbiter: Arbiter, heard: _Heard, first_s: float, until_s: float) -> None:
    while (due_s := arbiter.due_s()) is not None and due_s <= until_s:
        heard.take(arbiter.decide(due_s), due_s - first_s)


def _answer(arbiter: Arbiter, step: Step, heard: _Heard) -> list[Verdict]:
    match step:
        case Comes(at_s=at_s, claim=claim):
            return arbiter.claim(claim, at_s)
        case Sounds(at_s=at_s, device=device, level_dbfs=level, noise_dbfs=noise):
            return arbiter.level(device, level, noise, at_s)
        case Leaves(at_s=at_s):
            gone = heard.leave()
            return [] if gone is None else arbiter.gone(gone, at_s)
        case _:
            assert_never(step)
