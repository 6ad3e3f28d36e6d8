"""What the owner of a home decided, in `config.yml` and since: as the house takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from parlour.app.homesections import Device
from parlour.app.sections import Config
from parlour.home.demo import FLOORS
from parlour.home.entities import Area, Floor, Names
from parlour.home.overrides import Override, Overrides
from parlour.home.permission import Permit, Policy, Rule

ASSIGNED = ("name", "area", "floor", "aliases", "risk", "expose")
"""What may be decided while the server runs; it wins over `config.yml`."""


def policy_of(config: Config) -> Policy:
    """Asking back is the default in the demo home only: nobody's door is behind it."""
    said = config.permissions
    rules = [Rule(Permit(r.permit), r.who, r.target, r.verb) for r in said.rules]
    risky = said.risky or ("deny" if config.mqtt else "confirm")
    return Policy(rules, Permit(risky), said.pin.get_secret_value() if said.pin else "")


def floors_of(config: Config) -> dict[str, list[str]]:
    """Every floor that is named anywhere, with its areas."""
    floors = {
        floor: list(areas)
        for floor, areas in (config.mqtt.floors if config.mqtt else FLOORS).items()
    }
    floor_of = {area.casefold(): floor for floor, areas in floors.items() for area in areas}
    for floor in config.floors:
        floors.setdefault(floor, [])
    for name, area in config.areas.items():
        before = floor_of.get(name.casefold())
        if area.floor is None or area.floor == before:
            continue
        if before is not None:  # of the demo home, which the owner rearranges
            floors[before] = [a for a in floors[before] if a.casefold() != name.casefold()]
        floors.setdefault(area.floor, []).append(name)
    return floors


def path_of(given: str | None) -> Path | None:
    return Path(given).expanduser() if given else None


def overrides_of(config: Config, assigned: Mapping[str, Mapping[str, Any]]) -> Overrides:
    """What the configuration says, and over it what was decided since, by entity id."""
    standing = {
        area.casefold(): Area(area, floor)
        for floor, areas in floors_of(config).items()
        for area in areas
    }
    areas = {}
    for name, said in config.areas.items():
        area = standing.get(name.casefold(), Area(name))
        areas[area.name] = replace(area, aliases=names_of(said.aliases))
    spelt = {**standing, **{area.name.casefold(): area for area in areas.values()}}
    devices = {}
    for key, device in config.devices.items():
        override = override_of(device)
        if device.area is not None and (known := spelt.get(device.area.casefold())):
            override = replace(override, area=known.name)
        devices[key] = override
    for key, decided in assigned.items():
        devices[key] = _decided(devices.get(key, Override()), decided)
    floors = {name: Floor(name, names_of(floor.aliases)) for name, floor in config.floors.items()}
    return Overrides(devices, areas, floors)


def override_of(device: Device) -> Override:
    return Override(
        name=device.name,
        area=device.area,
        floor=device.floor,
        aliases=names_of(device.aliases),
        risk=device.risk,
        expose=device.expose,
        mqtt=device.mqtt,
    )


def names_of(aliases: Mapping[str, Sequence[str]]) -> Names:
    return {language: tuple(names) for language, names in aliases.items()}


def _decided(before: Override, said: Mapping[str, Any]) -> Override:
    values = {key: value for key, value in said.items() if key in ASSIGNED}
    if "aliases" in values:
        values["aliases"] = {**before.aliases, **names_of(values["aliases"])}
    return replace(before, **values)
