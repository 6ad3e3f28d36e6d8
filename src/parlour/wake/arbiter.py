"""Which device answers, for all groups of a home. Pure: the time is an argument, nothing waits.

    arbiter.claim(Claim(kitchen, at_s=12.0, level_dbfs=-31.0), now_s=12.0)   # []
    arbiter.claim(Claim(hall, at_s=12.05, level_dbfs=-40.0), now_s=12.05)    # []
    arbiter.due_s()                                                          # 12.15
    arbiter.decide(now_s=12.15)              # [Lost(hall, 2.0, ...), Won(kitchen, ...)]

Every claim gets a verdict: at once, with the decision, or, repeated by the device that has won, none
but the one it has. Whoever wins is to be told `audible` before it is heard, and `ended` when its turn
is over. The rules stand in `group` and `candidates`, the figures in `rules`.
"""

from collections import OrderedDict

from parlour.ids import DeviceId
from parlour.wake.calibration import Calibration
from parlour.wake.claim import Claim, believable
from parlour.wake.group import Group
from parlour.wake.limit import Limit
from parlour.wake.round import Ear
from parlour.wake.rules import Lost, RoundId, Rules, TakenOver, Verdict, Won
from parlour.wake.window import Windows

__all__ = ["Arbiter", "Lost", "RoundId", "Rules", "TakenOver", "Verdict", "Won"]

MOST_GROUPS = 64
MOST_DEVICES = 1024


class Arbiter:
    """One for a home. `calibration` may be replaced at any time; it counts from the next claim."""

    def __init__(self, rules: Rules | None = None, calibration: Calibration | None = None) -> None:
        self.rules = rules or Rules()
        self.calibration = calibration or Calibration()
        self._windows = Windows(self.rules)
        self._limit = Limit(self.rules)
        self._groups: dict[str, Group] = {}
        self._places: OrderedDict[DeviceId, str] = OrderedDict()  # the group each claimed in last

    @property
    def limited(self) -> frozenset[DeviceId]:
        """Devices that claim too often and are refused."""
        return self._limit.devices

    def window_s(self, group: str, device: DeviceId) -> float:
        """How long a claim of this device waits for those of others."""
        return self._windows.window_s(group, device)

    def answering(self, group: str) -> DeviceId | None:
        """The device of the group that answers now."""
        held = self._groups.get(group)
        return None if held is None else held.answering

    def claim(self, claim: Claim, now_s: float) -> list[Verdict]:
        """Take a claim as it arrives, in any order and state."""
        claim = believable(claim, now_s)
        self._limit.prune(now_s)
        verdicts = self._move(claim.device, claim.group, now_s)
        group = self._group(claim.group, now_s)
        if group is None:
            return [*verdicts, Lost(claim.device, 0.0, RoundId(f"{claim.group}/0"))]
        if not group.knows(claim, self.rules) and not self._limit.allows(claim.device, now_s):
            return [*verdicts, *group.refuse(claim.device, now_s, self.rules)]
        verdicts += group.claim(claim, self._ear(claim.device, group.name), now_s, self.rules)
        self._learn(group)
        return verdicts

    def level(
        self, device: DeviceId, level_dbfs: float, noise_dbfs: float | None, now_s: float
    ) -> list[Verdict]:
        """Take the level of a device that claimed without one."""
        group = self._group_of(device)
        if group is None:
            return []
        ear = self._ear(device, group.name)
        return group.level(device, level_dbfs, noise_dbfs, ear, now_s, self.rules)

    def audible(self, device: DeviceId, now_s: float, round_id: RoundId | None = None) -> bool:
        """It begins to be heard: no takeover any more. False: it must not, it does not answer."""
        group = self._group_of(device)
        return group is not None and group.audible(device, round_id)

    def ended(self, device: DeviceId, now_s: float, round_id: RoundId | None = None) -> None:
        """Its turn is over, with all that follows it up. Of another round than its last: ignored."""
        group = self._group_of(device)
        if group is not None:
            group.ended(device, round_id)

    def gone(self, device: DeviceId, now_s: float) -> list[Verdict]:
        """Its socket has gone; if it was to answer and was not heard yet, the next best does."""
        group = self._group_of(device)
        return [] if group is None else group.gone(device, now_s, self.rules)

    def due_s(self) -> float | None:
        """When `decide` is to be called next."""
        return min((one.opened.due_s for one in self._groups.values() if one.opened), default=None)

    def decide(self, now_s: float) -> list[Verdict]:
        """Decide all rounds that are due; too early or twice does nothing."""
        self._limit.prune(now_s)
        verdicts: list[Verdict] = []
        for group in self._groups.values():
            verdicts += group.decide(now_s, self.rules)
            self._learn(group)
        return verdicts

    def _ear(self, device: DeviceId, group: str) -> Ear:
        floor_dbfs = self.calibration.floors_dbfs.get(device, self.rules.floor_dbfs)
        window_s = self._windows.window_s(group, device)
        return Ear(self.calibration.gain_db(device), floor_dbfs, window_s)

    def _learn(self, group: Group) -> None:
        if group.past:
            self._windows.learn(group.name, group.past)
            group.past = {}

    def _group_of(self, device: DeviceId) -> Group | None:
        return self._groups.get(self._places.get(device, ""))

    def _move(self, device: DeviceId, group: str, now_s: float) -> list[Verdict]:
        """Take the device out of the group in which it claimed before, if that was another."""
        last = self._group_of(device)
        self._places[device] = group
        self._places.move_to_end(device)
        if len(self._places) > MOST_DEVICES:
            self._places.popitem(last=False)
        if last is None or last.name == group:
            return []
        return last.leave(device, now_s, self.rules)

    def _group(self, name: str, now_s: float) -> Group | None:
        if name not in self._groups and len(self._groups) >= MOST_GROUPS:
            idle = [key for key, one in self._groups.items() if one.is_idle(now_s, self.rules)]
            for key in idle:
                del self._groups[key]
        if name not in self._groups and len(self._groups) >= MOST_GROUPS:
            return None
        return self._groups.setdefault(name, Group(name))
