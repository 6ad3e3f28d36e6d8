"""A home file: areas, floors and devices written down, for `parlour interpret`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from parlour.errors import InputError
from parlour.home.entities import Area, Entity, Feature, Floor, Kind, Places, State
from parlour.home.paper import PaperHouse, resting
from parlour.ids import EntityId

LARGEST_BYTES = 4 * 1024 * 1024

_DIM = {Feature.ON_OFF, Feature.BRIGHTNESS}
USUAL: dict[Kind, set[Feature]] = {
    Kind.LIGHT: _DIM | {Feature.COLOR, Feature.COLOR_TEMP},
    Kind.SWITCH: {Feature.ON_OFF},
    Kind.COVER: {Feature.OPEN_CLOSE, Feature.STOP, Feature.POSITION, Feature.TILT},
    Kind.CLIMATE: {Feature.ON_OFF, Feature.TEMPERATURE, Feature.MODE},
    Kind.FAN: {Feature.ON_OFF, Feature.SPEED, Feature.MODE},
    Kind.LOCK: {Feature.LOCK},
    Kind.VALVE: {Feature.OPEN_CLOSE, Feature.STOP},
    Kind.SIREN: {Feature.ON_OFF},
    Kind.VACUUM: {Feature.START, Feature.STOP, Feature.PAUSE, Feature.DOCK, Feature.LOCATE},
    Kind.SCENE: {Feature.ACTIVATE},
    Kind.BUTTON: {Feature.ACTIVATE},
    Kind.NUMBER: {Feature.VALUE},
    Kind.SELECT: {Feature.MODE},
    Kind.HUMIDIFIER: {Feature.ON_OFF, Feature.HUMIDITY, Feature.MODE},
    Kind.MEDIA: {Feature.ON_OFF, Feature.START, Feature.STOP, Feature.PAUSE}
    | {Feature.VOLUME, Feature.MUTE},
    Kind.SENSOR: set(),
    Kind.BINARY_SENSOR: set(),
    Kind.DEVICE_TRACKER: set(),
}
"""What the things of a kind usually can, where the file does not say."""

# These come with others: what can be dimmed can be turned on.
_WITH = {
    Kind.LIGHT: {Feature.ON_OFF},
    Kind.FAN: {Feature.ON_OFF},
    Kind.CLIMATE: {Feature.ON_OFF},
    Kind.COVER: {Feature.OPEN_CLOSE, Feature.STOP},
    Kind.HUMIDIFIER: {Feature.ON_OFF},
    Kind.MEDIA: {Feature.ON_OFF},
}

Names = dict[str, list[str]]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Floor(_Part):
    aliases: Names = Field(default_factory=dict)


class _Area(_Part):
    floor: str | None = None
    aliases: Names = Field(default_factory=dict)


class _Device(_Part):
    kind: Kind
    name: str
    area: str | None = None
    floor: str | None = None
    aliases: Names = Field(default_factory=dict)
    device_class: str | None = None
    features: list[Feature] | None = None
    min: float | None = None
    max: float | None = None
    step: float | None = None
    unit: str | None = None
    options: list[str] = Field(default_factory=list)
    state: dict[str, Any] = Field(default_factory=dict)
    risk: Annotated[int, Field(ge=0, le=3)] | None = None
    expose: bool = True


class _Home(_Part):
    floors: dict[str, _Floor] = Field(default_factory=dict)
    areas: dict[str, _Area] = Field(default_factory=dict)
    devices: dict[str, _Device]


def load_home(path: Path) -> PaperHouse:
    """Read a home file. Raises InputError, which names the line or the key that is wrong."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path} has more than {LARGEST_BYTES} bytes, that is no home")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    try:
        return _house(_Home.model_validate(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(f"{path}: {where}: {first['msg']}") from error
    except TypeError as error:
        raise InputError(f"{path}: a state holds what no state has: {error}") from error


def _house(home: _Home) -> PaperHouse:
    areas = {name: Area(name, a.floor, _names(a.aliases)) for name, a in home.areas.items()}
    floors = {name: Floor(name, _names(f.aliases)) for name, f in home.floors.items()}
    entities = [_entity(id_, device, areas) for id_, device in home.devices.items()]
    for entity in entities:
        if entity.area is not None:
            areas.setdefault(entity.area, Area(entity.area, entity.floor))
        if entity.floor is not None:
            floors.setdefault(entity.floor, Floor(entity.floor))
    states = {e.id: _state(e, home.devices[e.id].state) for e in entities}
    return PaperHouse(entities, Places(areas, floors), states)


def _entity(id_: str, device: _Device, areas: dict[str, Area]) -> Entity:
    area = areas.get(device.area or "")
    features = USUAL[device.kind] if device.features is None else set(device.features)
    return Entity(
        id=EntityId(id_),
        kind=device.kind,
        name=device.name,
        area=device.area,
        floor=device.floor or (area.floor if area else None),
        aliases=_names(device.aliases),
        features=frozenset(features | _WITH.get(device.kind, set())),
        device_class=device.device_class,
        min_value=device.min,
        max_value=device.max,
        step=device.step,
        unit=device.unit or ("°C" if device.kind is Kind.CLIMATE else None),
        options=tuple(device.options),
        risk=device.risk,
        exposed=device.expose,
    )


def _state(entity: Entity, said: dict[str, Any]) -> State:

    if entity.kind is Kind.LIGHT and not said:
        return State(on=True, brightness=50.0)  # so that it can be made darker, and brighter
    if isinstance(said.get("color"), list):
        said = {**said, "color": tuple(said["color"])}
    return replace(resting(entity), **said)


def _names(aliases: Names) -> dict[str, tuple[str, ...]]:
    return {language: tuple(names) for language, names in aliases.items()}
