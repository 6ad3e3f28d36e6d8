"""The shape of what decides who answers, asked by whoever holds a device's socket."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from parlour.ids import DeviceId
from parlour.wake.calibration import Calibration
from parlour.wake.claim import Claim
from parlour.wake.rules import RoundId, Verdict

Tell: TypeAlias = Callable[[Verdict], None]
"""Verdicts in the order in which they hold; a plain call."""


class Rounds(Protocol):
    """All calls may raise ProviderError, within 2 s, where the state lies outside of the process."""

    @property
    def limited(self) -> frozenset[DeviceId]:
        """Devices of this process that claim too often and are refused."""
        ...

    def calibrate(self, calibration: Calibration) -> None:
        """How loud devices hear, from the next claim on."""
        ...

    async def claim(self, claim: Claim) -> None:
        """Open a round or join it; `claim.at_s` counts in anyio.current_time()."""
        ...

    async def level(self, device: DeviceId, level_dbfs: float, noise_dbfs: float | None) -> None:
        """Add the level to a claim that had none; it may take over."""
        ...

    async def audible(self, device: DeviceId, round_id: RoundId | None = None) -> bool:
        """To be asked before the first sound. False: another device answers, stay silent.

        After a ProviderError it may be heard: it had won, and to be silent is worse.
        """
        ...

    async def ended(self, device: DeviceId, round_id: RoundId | None = None) -> None:
        """Release the others: the turn of the device is over."""
        ...

    async def gone(self, device: DeviceId) -> None:
        """The socket of the device has gone."""
        ...

    async def decide(self, group: str) -> None:
        """Decide the group's round if it is due; any number of times, by anybody."""
        ...

    async def run(self) -> None:
        """Decide rounds when they are due, until cancelled."""
        ...
