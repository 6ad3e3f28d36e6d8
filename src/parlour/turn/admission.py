"""Whether one more conversation can be held without harm to those that are."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import anyio


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """When the machine has enough to do."""

    most_sessions: int = 100  # whatever it could do
    always: int = 8  # let in whatever is measured: after a restart a home's devices come at once
    most_share: float = 0.75  # of one core: the loop is one thread, and bursts need room; 0: all
    most_lag_ms: float = 8.0  # of the event loop, at the 95th percentile: half a frame of sound
    most_queue_ms: float = 20.0  # a window of the VAD waits for longer only when all is late
    session_share: float = 0.010  # of a core, for a conversation that has not shown its cost yet
    settles_s: float = 3.0  # so long after its admission
    beat_s: float = 0.025  # between two looks at the clock
    memory_s: float = 5.0  # of lag
    share_s: float = 2.0  # over which the share of the core is taken
    retry_s: float = 5.0  # for who is refused; conversations at home last seconds
    most_retry_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: str
    retry_after_s: float

    def __str__(self) -> str:
        return f"busy: {self.reason}, try again in {self.retry_after_s:.0f} s"


class Admission:
    """Measures with `run`, decides with `admit`. Without `run` only the number counts."""

    def __init__(
        self,
        policy: AdmissionPolicy | None = None,
        queue_age_ms: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.policy = policy or AdmissionPolicy()
        self.share = 0.0  # of a core that this process takes
        self._queue_age_ms = queue_age_ms
        self._lags_ms: deque[tuple[float, float]] = deque()
        self._admitted_s: deque[float] = deque()
        self._refused = 0  # in a row

    @property
    def lag_ms(self) -> float:
        """The 95th percentile of how late the event loop was in the last seconds."""
        lags = sorted(ms for _, ms in self._lags_ms)
        return lags[min(len(lags) - 1, int(0.95 * len(lags)))] if lags else 0.0

    def rated(self, sessions: int) -> int:
        """How many conversations fit, by what the present ones cost."""
        policy = self.policy
        cost = max(self.share / sessions, 0.001) if sessions else policy.session_share
        if not policy.most_share:
            return policy.most_sessions
        return max(1, min(policy.most_sessions, int(policy.most_share / cost)))

    def admit(self, now_s: float, sessions: int) -> Refusal | None:
        """Let one more in, or say why not. `sessions` are those that are open."""
        reason = self._reason(now_s, sessions)
        if reason is None:
            self._refused = 0
            self._admitted_s.append(now_s)
            return None
        self._refused += 1
        policy = self.policy
        retry_s = min(policy.most_retry_s, policy.retry_s * (1 + self._refused / max(1, sessions)))
        return Refusal(reason, round(retry_s))

    def _reason(self, now_s: float, sessions: int) -> str | None:
        policy = self.policy
        if sessions >= policy.most_sessions:
            return f"all {sessions} places are taken"
        if not policy.most_share or sessions < policy.always:
            return None
        if self.lag_ms > policy.most_lag_ms:
            return "the machine cannot keep up"
        if self._queue_age_ms() > policy.most_queue_ms:
            return "too much sound waits to be heard"
        while self._admitted_s and self._admitted_s[0] < now_s - policy.settles_s:
            self._admitted_s.popleft()
        settled = max(1, sessions - len(self._admitted_s))
        each = max(policy.session_share, self.share / settled)
        each = min(each, 2 * policy.session_share)  # a burst of its own is no measure
        if self.share + (len(self._admitted_s) + 1) * each > policy.most_share:
            return f"{sessions} conversations are as many as this machine can hold"
        return None

    def beat(self, late_ms: float, now_s: float) -> None:
        """Take note of how late the loop was."""
        self._lags_ms.append((now_s, late_ms))
        while self._lags_ms[0][0] < now_s - self.policy.memory_s:
            self._lags_ms.popleft()

    async def run(self) -> None:
        """Look at the clock again and again, until cancelled."""
        policy = self.policy
        looked_s, worked_s = anyio.current_time(), time.process_time()
        while True:
            due_s = anyio.current_time() + policy.beat_s
            await anyio.sleep_until(due_s)
            now_s = anyio.current_time()
            self.beat((now_s - due_s) * 1000, now_s)
            if now_s - looked_s >= policy.share_s:
                done_s = time.process_time()
                self.share = (done_s - worked_s) / (now_s - looked_s)
                looked_s, worked_s = now_s, done_s
