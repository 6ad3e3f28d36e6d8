"""Whom a word of the house is for: devices by area and floor, and who stands in for one that is away."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from parlour.errors import InputError
from parlour.ids import DeviceId


@dataclass(frozen=True, slots=True)
class Satellite:
    """A microphone and speaker, where it stands as far as that is known."""

    device: DeviceId
    name: str = ""
    area: str | None = None
    floor: str | None = None


def satellites(
    configured: Mapping[DeviceId, tuple[str | None, str | None]],
    floors: Mapping[str, Sequence[str]],
    connected: Collection[DeviceId],
) -> list[Satellite]:
    """Those of the configuration (area and name by id) and those that came without being in it."""
    floor_of = {_key(area): floor for floor, areas in floors.items() for area in areas}
    found = [
        Satellite(device, name or "", area, floor_of.get(_key(area)) if area else None)
        for device, (area, name) in configured.items()
    ]
    return [*found, *(Satellite(device) for device in connected if device not in configured)]


def recipients(
    satellites: Sequence[Satellite],
    *,
    area: str | None = None,
    floor: str | None = None,
    device: str | None = None,
    areas: Collection[str] = (),
    floors: Collection[str] = (),
) -> list[Satellite]:
    """The devices of an area, of a floor, one by its id or name; without any of these, all.

    `areas` and `floors` are those of the house, in which no device need stand. Raises InputError,
    which names those known, for a name that is not, and for a place without a device.
    """
    chosen = list(satellites)
    if device is not None:
        chosen = [s for s in chosen if _key(device) in (_key(s.device), _key(s.name))]
        if not chosen:
            raise InputError(_unknown("device", device, [s.name or s.device for s in satellites]))
    if area is not None:
        known = {*areas, *(s.area for s in satellites if s.area)}
        chosen = _standing(chosen, "area", area, known, [s.area for s in chosen])
    if floor is not None:
        known = {*floors, *(s.floor for s in satellites if s.floor)}
        chosen = _standing(chosen, "floor", floor, known, [s.floor for s in chosen])
    return chosen


def nearest(
    device: DeviceId, satellites: Sequence[Satellite], connected: Collection[DeviceId]
) -> list[DeviceId]:
    """The device itself, else all of its area, else all of its floor, else all there are."""
    here = [s for s in satellites if s.device in connected]
    own = next((s for s in satellites if s.device == device), Satellite(device))
    for near in (
        [s for s in here if s.device == device],
        [s for s in here if own.area and s.area == own.area],
        [s for s in here if own.floor and s.floor == own.floor],
    ):
        if near:
            return [s.device for s in near]
    return [s.device for s in here]


def _standing(
    chosen: list[Satellite],
    kind: str,
    wanted: str,
    known: Collection[str],
    places: Sequence[str | None],
) -> list[Satellite]:
    if _key(wanted) not in map(_key, known):
        raise InputError(_unknown(kind, wanted, known))
    there = [s for s, place in zip(chosen, places, strict=True) if _key(place) == _key(wanted)]
    if not there:
        raise InputError(f"no device that speaks stands in {wanted}")
    return there


def _unknown(kind: str, wanted: str, known: Collection[str]) -> str:
    names = ", ".join(sorted(known))
    return f"there is no {kind} {wanted}; " + (f"known: {names}" if names else "none is known yet")


def _key(name: str | None) -> str:
    return " ".join((name or "").casefold().replace("_", " ").split())
