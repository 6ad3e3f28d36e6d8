"""Who answers, across processes: the state of a group is one text in a plain Redis from version 5.

Each process runs the rules of `wake.group` itself, on the state that it reads (`rounds_store`): there
is one order of changes, and each is made once. Redis' clock is the clock of all.

| to decide a round                | when                                              |
|----------------------------------|---------------------------------------------------|
| the process that opened it       | at its due time                                   |
| every other that has a claim     | 50 ms later, if it has not heard of a decision    |

Verdicts are published. Who misses one finds it in the state when it decides itself, and nobody is
heard without `audible`, which asks the state: a lost message never makes two devices answer.
"""

import logging
import math
from collections import OrderedDict
from dataclasses import replace

import anyio
from redis.asyncio import Redis
from redis.exceptions import RedisError

from parlour import tasks
from parlour.bus.rounds_store import RoundsStore, as_text
from parlour.bus.rounds_text import Kept, News, read_news
from parlour.errors import ProviderError
from parlour.ids import DeviceId, new_session_id
from parlour.wake.calibration import Calibration
from parlour.wake.claim import Claim, believable
from parlour.wake.group import Group
from parlour.wake.limit import Limit
from parlour.wake.round import Ear
from parlour.wake.rounds import Tell
from parlour.wake.rules import Lost, RoundId, Rules, TakenOver, Verdict, Won
from parlour.wake.window import Windows

FOLLOWER_S = 0.05  # after the due time: longer than a decision takes to be heard of
GIVE_UP_S = 2.0  # a round that cannot be decided for so long is lost to its devices
FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 2.0
MOST_DEVICES = 1024

log = logging.getLogger(__name__)


class _Here:
    """A device of this process. `version`: of the latest verdict that it was told."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.version = 0
        self.awaited: RoundId | None = None
        self.since_s = 0.0


class RedisRounds:
    """Rounds of several processes with one prefix; each tells the verdicts of its own devices."""

    def __init__(
        self,
        redis: Redis,
        tell: Tell,
        rules: Rules | None = None,
        calibration: Calibration | None = None,
        prefix: str = "parlour",
    ) -> None:
        self.rules = rules or Rules()
        self.calibration = calibration or Calibration()
        self._redis = redis
        self._tell = tell
        self._process = new_session_id()
        self._store = RoundsStore(redis, prefix, self._process, self._take)
        self._windows = Windows(self.rules)
        self._limit = Limit(self.rules)
        self._here: OrderedDict[DeviceId, _Here] = OrderedDict()
        self._due: dict[str, float] = {}  # group: when to decide, in anyio.current_time()
        self._changed = anyio.Event()

    @property
    def limited(self) -> frozenset[DeviceId]:
        return self._limit.devices

    def calibrate(self, calibration: Calibration) -> None:
        self.calibration = calibration

    async def claim(self, claim: Claim) -> None:
        began_s = anyio.current_time()
        self._limit.prune(began_s)
        claim = believable(claim, began_s)
        here = await self._moved(claim.device, claim.group)
        is_allowed: bool | None = None
        was_open = False

        def step(group: Group, now_s: float) -> list[Verdict]:
            nonlocal is_allowed, was_open
            asked = replace(claim, at_s=now_s - (anyio.current_time() - claim.at_s))
            if is_allowed is None:  # counted once, however often the state was changed meanwhile
                is_allowed = group.knows(asked, self.rules)
                is_allowed = is_allowed or self._limit.allows(claim.device, began_s)
            if not is_allowed:
                return group.refuse(claim.device, now_s, self.rules)
            was_open = group.opened is not None
            return group.claim(asked, self._ear(claim.device, group.name), now_s, self.rules)

        kept, now_s = await self._store.change(claim.group, step)
        opened = kept.group.opened
        # The decision may have been heard of before this call came back.
        is_decided = here.version > kept.version
        if opened is not None and claim.device in opened.candidates and not is_decided:
            if here.awaited != opened.id:
                here.awaited, here.since_s = opened.id, began_s
            later_s = FOLLOWER_S if was_open else 0.0
            self._decide_in(claim.group, opened.due_s - now_s + later_s)

    async def level(self, device: DeviceId, level_dbfs: float, noise_dbfs: float | None) -> None:
        here = self._here.get(device)
        if here is None:
            return
        ear = self._ear(device, here.group)

        def step(group: Group, now_s: float) -> list[Verdict]:
            return group.level(device, level_dbfs, noise_dbfs, ear, now_s, self.rules)

        await self._store.change(here.group, step)

    async def audible(self, device: DeviceId, round_id: RoundId | None = None) -> bool:
        here = self._here.get(device)
        is_answering = False

        def step(group: Group, now_s: float) -> list[Verdict]:
            nonlocal is_answering
            is_answering = group.audible(device, round_id)
            return []

        if here is not None:
            await self._store.change(here.group, step)
        return is_answering

    async def ended(self, device: DeviceId, round_id: RoundId | None = None) -> None:
        here = self._here.get(device)

        def step(group: Group, now_s: float) -> list[Verdict]:
            group.ended(device, round_id)
            return []

        if here is not None:
            await self._store.change(here.group, step)

    async def gone(self, device: DeviceId) -> None:
        here = self._here.pop(device, None)
        if here is not None:
            await self._store.change(here.group, lambda group, s: group.gone(device, s, self.rules))

    async def decide(self, group: str) -> None:
        """Also tells the devices of this process what was decided and not heard of."""
        kept, now_s = await self._store.change(group, lambda one, s: one.decide(s, self.rules))
        for device, here in list(self._here.items()):
            if here.group == group and here.version <= kept.version:
                self._settle(device, here, kept, now_s)

    async def run(self) -> None:
        async with tasks.task_group() as group:
            group.start_soon(self._listen)
            while True:
                self._changed = anyio.Event()
                due_s = min(self._due.values(), default=math.inf)
                with anyio.move_on_after(due_s - anyio.current_time()):
                    await self._changed.wait()
                now_s = anyio.current_time()
                for name in [name for name, due_s in self._due.items() if due_s <= now_s]:
                    del self._due[name]
                    if self._awaits(name):
                        group.start_soon(self._decide_safely, name)

    async def _moved(self, device: DeviceId, group: str) -> _Here:
        here = self._here.get(device)
        if here is not None and here.group != group:

            def leave(left: Group, now_s: float) -> list[Verdict]:
                return left.leave(device, now_s, self.rules)

            await self._store.change(here.group, leave)
        if here is None or here.group != group:
            here = self._here[device] = _Here(group)
        self._here.move_to_end(device)
        if len(self._here) > MOST_DEVICES:
            self._here.popitem(last=False)
        return here

    def _ear(self, device: DeviceId, group: str) -> Ear:
        floor_dbfs = self.calibration.floors_dbfs.get(device, self.rules.floor_dbfs)
        window_s = self._windows.window_s(group, device)
        return Ear(self.calibration.gain_db(device), floor_dbfs, window_s)

    # In time.

    def _decide_in(self, group: str, wait_s: float) -> None:
        due_s = anyio.current_time() + wait_s
        self._due[group] = min(due_s, self._due.get(group, due_s))
        self._changed.set()

    def _awaits(self, group: str) -> bool:
        return any(one.group == group and one.awaited for one in self._here.values())

    async def _decide_safely(self, group: str) -> None:
        try:
            await self.decide(group)
        except ProviderError as error:
            log.warning("a round could not be decided: %s", error)
            long_ago_s = anyio.current_time() - GIVE_UP_S
            for device, here in list(self._here.items()):
                if here.group == group and here.awaited and here.since_s < long_ago_s:
                    self._tell_awaiting(here, Lost(device, 0.0, here.awaited))
            if self._awaits(group):
                self._decide_in(group, FOLLOWER_S)

    def _settle(self, device: DeviceId, here: _Here, kept: Kept, now_s: float) -> None:
        group, awaited = kept.group, here.awaited
        opened, decided = group.opened, group.decided
        if awaited is None:
            return
        if opened is not None and opened.id == awaited:
            self._decide_in(group.name, max(0.001, opened.due_s - now_s))
            return
        here.version = kept.version
        if decided is not None and decided.id == awaited and group.answering == device:
            self._tell_awaiting(here, Won(device, awaited))
        else:
            hold_s = decided.hold_s(now_s, self.rules) if decided is not None else 0.0
            self._tell_awaiting(here, Lost(device, hold_s, awaited))

    def _tell_awaiting(self, here: _Here, verdict: Verdict) -> None:
        here.awaited = None
        self._tell(verdict)

    # Verdicts.

    async def _listen(self) -> None:
        wait_s = FIRST_RETRY_S
        while True:
            try:
                async with self._redis.pubsub() as heard:
                    await heard.subscribe(self._store.channel)
                    while True:
                        message = await heard.get_message(timeout=LONGEST_RETRY_S)
                        wait_s = FIRST_RETRY_S
                        if message is not None and message["type"] == "message":
                            self._hear(as_text(message["data"]))
            except (RedisError, OSError) as error:
                if wait_s == FIRST_RETRY_S:
                    reason = type(error).__name__
                    log.warning("verdicts of other processes are not heard: %s", reason)
            await anyio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    def _hear(self, text: str) -> None:
        news = read_news(text)
        if news is not None and news.process != self._process:
            self._take(news, is_again=False)

    def _take(self, news: News, is_again: bool) -> None:
        """Tell what concerns devices of this process and is not older than what they know."""
        if news.past:
            self._windows.learn(news.group, news.past)
        fresh = [self._concerned(verdict, news.version, is_again) for verdict in news.verdicts]
        for verdict, concerned in zip(news.verdicts, fresh, strict=True):
            for here in concerned:
                here.version = news.version
                here.awaited = None
            if concerned:
                self._tell(verdict)

    def _concerned(self, verdict: Verdict, version: int, is_again: bool) -> list[_Here]:
        all_here = [self._here[one] for one in _devices(verdict) if one in self._here]
        return [
            here
            for here in all_here
            if version > here.version or (is_again and version == here.version)
        ]


def _devices(verdict: Verdict) -> list[DeviceId]:
    if isinstance(verdict, TakenOver):
        return [verdict.loser, verdict.winner]
    return [verdict.device]
