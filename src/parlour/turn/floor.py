"""Whether this device may answer: others may have heard the same words."""

from typing import Protocol


class Floor(Protocol):
    async def take(self) -> bool:
        """Wait until it is known who answers. True: this device, and nobody else from now on."""
        ...


class OwnFloor:
    """Satisfies `Floor` where nobody else could have heard anything."""

    async def take(self) -> bool:
        return True
