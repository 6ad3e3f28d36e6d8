"""How long a spoken duration is."""

from collections.abc import Mapping

from parlour.ports import Slot

SECONDS: Mapping[str, float] = {
    "hours": 3600,
    "half_hours": 3600,
    "minutes": 60,
    "half_minutes": 60,
    "seconds": 1,
    "span": 1,
}
"""By slot, what one of its values is worth."""


def seconds_of(slots: Mapping[str, Slot]) -> int:
    """How long a duration is; 0 if the sentence names none."""
    return sum(round(float(slots.get(slot, 0)) * size) for slot, size in SECONDS.items())
