"""How a stage is watched: its restart rule, its back-off, its intensity limit and its state."""

import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import anyio

from parlour.errors import ParlourError
from parlour.ids import StageName

log = logging.getLogger(__name__)


class Health(StrEnum):
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    DOWN = "down"  # failed too often; tried again at the longest back-off
    OFF = "off"  # not configured, on purpose


@dataclass(frozen=True, slots=True)
class RestartRule:
    """When a failed stage is started again. Defaults as in docs/design.md, "Supervision"."""

    first_s: float = 0.1  # wait before the first restart
    longest_s: float = 30.0  # no wait is longer
    factor: float = 2.0  # each failure in a row waits this much longer
    jitter: float = 0.2  # share of the wait left to chance, so that stages do not march in step
    failures: int = 5  # this many failures ...
    within_s: float = 60.0  # ... within this time mark the stage as down
    healthy_s: float = 30.0  # a run this long makes the next failure the first again


class RestartLog:
    """The failures of one stage so far; pure, the time is an argument."""

    def __init__(self, rule: RestartRule) -> None:
        self.rule = rule
        self.is_down = False  # failed too often, and not healthy since
        self._failed_s: deque[float] = deque(maxlen=rule.failures)
        self._wait_s = 0.0

    def failed(self, *, ready_s: float, now_s: float) -> float:
        """Note a failure and return the seconds to wait before the next start, without jitter.

        `ready_s` is when the run became ready to work, `now_s` itself if it never did.
        """
        rule = self.rule
        if now_s - ready_s >= rule.healthy_s:
            self._wait_s, self.is_down = 0.0, False
        self._failed_s.append(now_s)
        if len(self._failed_s) == rule.failures and now_s - self._failed_s[0] <= rule.within_s:
            self.is_down = True
        self._wait_s = self._wait_s * rule.factor or rule.first_s
        if self.is_down:
            self._wait_s = rule.longest_s
        self._wait_s = min(rule.longest_s, self._wait_s)
        return self._wait_s


@dataclass(slots=True)
class Stage:
    """One supervised part of the house, as `/health` shows it."""

    name: StageName
    health: Health = Health.STARTING
    reason: str = ""
    restarts: int = 0
    pid: int | None = None
    needed: bool = True  # without it the house is not ready
    _changed: anyio.Event = field(default_factory=anyio.Event, repr=False)

    def set(self, health: Health, reason: str = "") -> None:
        if health is self.health and reason == self.reason:
            return
        log.info("%s is %s%s", self.name, health, f": {reason}" if reason else "")
        self.health, self.reason = health, reason
        self._changed.set()
        self._changed = anyio.Event()

    async def wait_ready(self) -> None:
        """Wait until the stage is ready; the caller sets the deadline."""
        while self.health is not Health.READY:
            await self._changed.wait()

    async def wait_settled(self) -> None:
        """Wait until the stage is ready, off or down: whatever it is going to be for now."""
        while self.health not in (Health.READY, Health.OFF, Health.DOWN):
            await self._changed.wait()


class Stages:
    """All stages of the house, in the order in which they were built."""

    def __init__(self) -> None:
        self._stages: dict[StageName, Stage] = {}

    def add(self, name: str, *, needed: bool = True) -> Stage:
        stage = Stage(StageName(name), needed=needed)
        if stage.name in self._stages:
            raise ValueError(f"two stages are called {name}")
        self._stages[stage.name] = stage
        return stage

    def __iter__(self) -> Iterator[Stage]:
        return iter(self._stages.values())

    @property
    def ready(self) -> bool:
        return all(s.health in (Health.READY, Health.OFF) for s in self if s.needed)


async def keep_running(
    stage: Stage, run: Callable[[], Awaitable[None]], rule: RestartRule | None = None
) -> None:
    """Run a stage for ever: when it fails or returns, wait as its rule says and run it again.

    `run` sets the stage READY itself once it can work. Returns only by cancellation.
    """
    failures = RestartLog(rule or RestartRule())
    while True:
        started_s = anyio.current_time()
        try:
            await run()
            reason = "it stopped by itself"
        except Exception as error:
            reason = str(error) or type(error).__name__
            level = logging.DEBUG if isinstance(error, ParlourError | OSError) else logging.ERROR
            log.log(level, "stage failed", exc_info=True, extra={"stage": stage.name})
        now_s = anyio.current_time()
        # A run that never got READY was not healthy, however long it tried.
        ready_s = started_s if stage.health is Health.READY else now_s
        wait_s = failures.failed(ready_s=ready_s, now_s=now_s)
        stage.restarts += 1
        stage.set(Health.DOWN if failures.is_down else Health.RESTARTING, reason)
        await anyio.sleep(wait_s * (1 - failures.rule.jitter * random.random()))
