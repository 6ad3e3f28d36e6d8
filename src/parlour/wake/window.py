"""How long to wait for further claims: learnt from how late they came until now."""

import math
from collections import OrderedDict, deque
from collections.abc import Mapping

from parlour.ids import DeviceId
from parlour.wake.rules import Rules

WAKES = 50  # remembered for each device
ENOUGH_DELAYS = 20  # fewer say nothing about the latest 3 in 100
PERCENTILE = 0.97
MOST_DELAYS = 16  # of one wake; more devices than that hear no word
MOST_DEVICES = 512

# The delays of those who claimed after the device; None: nobody else claimed at all.
_Wake = tuple[float, ...] | None


class Windows:
    """The window that a device's claim opens, for each device in each group.

    Nobody else in its last 50 wakes: 0. Too little known: the window of the rules. Else the time
    in which 97 % of the others' claims came after its own, within the bounds of the rules.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._wakes: OrderedDict[tuple[str, DeviceId], deque[_Wake]] = OrderedDict()

    def window_s(self, group: str, device: DeviceId) -> float:
        wakes = self._wakes.get((group, device), deque())
        if len(wakes) == WAKES and not any(wake is not None for wake in wakes):
            return 0.0
        delays = sorted(delay for wake in wakes if wake for delay in wake)
        if len(delays) < ENOUGH_DELAYS:
            return self._rules.window_s
        late = delays[math.ceil(PERCENTILE * len(delays)) - 1]
        return min(max(late, self._rules.least_window_s), self._rules.longest_window_s)

    def learn(self, group: str, arrivals: Mapping[DeviceId, float]) -> None:
        """Take the times at which the devices of one round claimed, once it is over."""
        for device, arrived_s in arrivals.items():
            key = (group, device)
            wakes = self._wakes.setdefault(key, deque(maxlen=WAKES))
            self._wakes.move_to_end(key)
            wakes.append(_delays(device, arrived_s, arrivals))
        while len(self._wakes) > MOST_DEVICES:
            self._wakes.popitem(last=False)


def _delays(device: DeviceId, arrived_s: float, arrivals: Mapping[DeviceId, float]) -> _Wake:
    if len(arrivals) == 1:
        return None
    later = [at_s - arrived_s for other, at_s in arrivals.items() if other != device]
    return tuple([delay for delay in later if delay >= 0][:MOST_DELAYS])
