"""When an engine that failed is asked again; pure, the time is an argument."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerRule:
    first_s: float = 5.0  # for so long a failed engine is left alone
    longest_s: float = 120.0  # each failure in a row doubles it, up to here


class Breaker:
    """Closed: the engine is asked. Open: it is not, until a probe of it has succeeded.

    One failure opens it. A voice that answers in a second voice for a few seconds is a smaller
    evil than a house that waits for a dead engine again and again.
    """

    def __init__(self, rule: BreakerRule | None = None) -> None:
        self._rule = rule or BreakerRule()
        self._wait_s = 0.0
        self._probe_s: float | None = None  # when it is due for a probe; None: closed

    @property
    def is_open(self) -> bool:
        return self._probe_s is not None

    def due_in(self, now_s: float) -> float | None:
        """Seconds until a probe; None: there is none to be made."""
        return None if self._probe_s is None else max(0.0, self._probe_s - now_s)

    def failed(self, now_s: float, retry_after_s: float | None = None) -> None:
        """A request or a probe failed. `retry_after_s` is what the service asked for."""
        rule = self._rule
        if self._probe_s is None or now_s >= self._probe_s:
            self._wait_s = min(rule.longest_s, self._wait_s * 2 or rule.first_s)
        self._probe_s = now_s + max(self._wait_s, retry_after_s or 0.0)

    def succeeded(self) -> None:
        self._wait_s, self._probe_s = 0.0, None
