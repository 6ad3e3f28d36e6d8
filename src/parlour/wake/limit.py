"""Devices that claim too often: a broken button, a wake word model that hears it everywhere."""

from collections import OrderedDict, deque

from parlour.ids import DeviceId
from parlour.wake.rules import Rules

MOST_DEVICES = 512


class Limit:
    """At most `most_claims` of a device in any `claims_s`; refused claims count, too."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._claims: OrderedDict[DeviceId, deque[float]] = OrderedDict()
        self._refused_s: dict[DeviceId, float] = {}

    @property
    def devices(self) -> frozenset[DeviceId]:
        """Those whose claims were refused within `claims_s` of the last `prune`."""
        return frozenset(self._refused_s)

    def allows(self, device: DeviceId, now_s: float) -> bool:
        """Count one more claim of the device."""
        claims = self._claims.setdefault(device, deque(maxlen=self._rules.most_claims))
        self._claims.move_to_end(device)
        if len(self._claims) > MOST_DEVICES:
            forgotten, _ = self._claims.popitem(last=False)
            self._refused_s.pop(forgotten, None)
        is_allowed = len(claims) < self._rules.most_claims or self._is_past(claims[0], now_s)
        claims.append(now_s)
        if not is_allowed:
            self._refused_s[device] = now_s
        return is_allowed

    def prune(self, now_s: float) -> None:
        past = [name for name, at_s in self._refused_s.items() if self._is_past(at_s, now_s)]
        for device in past:
            del self._refused_s[device]

    def _is_past(self, at_s: float, now_s: float) -> bool:
        return now_s - at_s >= self._rules.claims_s
