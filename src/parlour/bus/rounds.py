"""Who answers, asked by whoever holds a device's socket; here within one process.

`rounds_redis` asks the same of several processes. Verdicts do not come as results: they go to `tell`,
a plain call, in the order in which they hold. `run` decides in time and must run all the while.
"""

import anyio

from parlour.ids import DeviceId
from parlour.wake.arbiter import Arbiter
from parlour.wake.calibration import Calibration
from parlour.wake.claim import Claim
from parlour.wake.rounds import Tell
from parlour.wake.rules import RoundId, Verdict


class MemoryRounds:
    """Rounds of one process."""

    def __init__(self, arbiter: Arbiter, tell: Tell) -> None:
        self._arbiter = arbiter
        self._tell = tell
        self._changed = anyio.Event()

    @property
    def limited(self) -> frozenset[DeviceId]:
        return self._arbiter.limited

    def calibrate(self, calibration: Calibration) -> None:
        self._arbiter.calibration = calibration

    async def claim(self, claim: Claim) -> None:
        self._told(self._arbiter.claim(claim, anyio.current_time()))

    async def level(self, device: DeviceId, level_dbfs: float, noise_dbfs: float | None) -> None:
        now_s = anyio.current_time()
        self._told(self._arbiter.level(device, level_dbfs, noise_dbfs, now_s))

    async def audible(self, device: DeviceId, round_id: RoundId | None = None) -> bool:
        return self._arbiter.audible(device, anyio.current_time(), round_id)

    async def ended(self, device: DeviceId, round_id: RoundId | None = None) -> None:
        self._arbiter.ended(device, anyio.current_time(), round_id)

    async def gone(self, device: DeviceId) -> None:
        self._told(self._arbiter.gone(device, anyio.current_time()))

    async def decide(self, group: str) -> None:
        self._told(self._arbiter.decide(anyio.current_time()))

    async def run(self) -> None:
        while True:
            self._changed = anyio.Event()
            due_s = self._arbiter.due_s()
            wait_s = None if due_s is None else due_s - anyio.current_time()
            with anyio.move_on_after(wait_s):
                await self._changed.wait()
            self._told(self._arbiter.decide(anyio.current_time()), has_changed=False)

    def _told(self, verdicts: list[Verdict], has_changed: bool = True) -> None:
        for verdict in verdicts:
            self._tell(verdict)
        if has_changed:
            self._changed.set()
