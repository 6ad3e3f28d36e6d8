"""From intent and slots to things and commands; pure, with the place of the speaker as context."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from parlour.home.entities import Command, Entity, House, Kind, State, Verb
from parlour.ids import EntityId
from parlour.ports import Place, Slot

Slots: TypeAlias = Mapping[str, Slot]

WARMEST_STEP = 5.0  # degrees that a relative change may ask for at once


@dataclass(frozen=True, slots=True)
class Commands:
    """What to send, all at once."""

    commands: Sequence[Command]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about how things stand: `about` is "on", "off", "open", "closed" or "temperature"."""

    entities: Sequence[Entity]
    about: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing is done; `reason` says in words what is missing."""

    reason: str


Resolved: TypeAlias = Commands | Asked | Unclear

_VERBS: Mapping[str, Verb] = {
    "HassTurnOn": Verb.ON,
    "HassTurnOff": Verb.OFF,
    "HassToggle": Verb.TOGGLE,
    "HassOpenCover": Verb.OPEN,
    "HassCloseCover": Verb.CLOSE,
    "HassStopMoving": Verb.STOP,
}


def resolve(intent: str, slots: Slots, house: House, place: Place) -> Resolved:
    """Find what is meant and what to do with it. `intent` is one about things, not about timers."""
    found = _find(slots, house, place)
    if isinstance(found, Unclear):
        return found
    match intent:
        case "HassGetState":
            return Asked(found, str(slots["asked"]))
        case "HassClimateGetTemperature":
            return Asked(found, "temperature")
        case "HassLightSet":
            return _each(found, house, lambda state, e: _light(slots, state, e))
        case "HassSetPosition":
            value = float(slots.get("percent", slots.get("part", 0)))
            return Commands([Command(e.id, Verb.SET_POSITION, value) for e in found])
        case "HassClimateSetTemperature":
            return _each(found, house, lambda state, e: _temperature(slots, state, e))
        case _:
            return Commands([Command(e.id, _VERBS[intent]) for e in found])


def _each(
    found: Sequence[Entity], house: House, make: Callable[[State, Entity], Command | Unclear]
) -> Resolved:
    made = [make(house.state(entity.id), entity) for entity in found]
    commands = [command for command in made if isinstance(command, Command)]
    unclear = next((command for command in made if isinstance(command, Unclear)), None)
    return Commands(commands) if commands or unclear is None else unclear


def _light(slots: Slots, state: State, entity: Entity) -> Command | Unclear:
    if "color" in slots:
        return Command(entity.id, Verb.SET_COLOR, str(slots["color"]))
    if "color_temp" in slots:
        return Command(entity.id, Verb.SET_COLOR_TEMP, float(slots["color_temp"]))
    if "step" in slots:
        step = float(slots["step"])
        if step < 0 and not state.on:
            return Unclear(f"The {spoken_name(entity)} is off.")
        now = state.brightness if state.on and state.brightness is not None else 0.0
        now = 100.0 if state.on and state.brightness is None else now
        return Command(entity.id, Verb.SET_BRIGHTNESS, min(100.0, max(5.0, now + step)))
    return Command(
        entity.id, Verb.SET_BRIGHTNESS, float(slots.get("percent", slots.get("part", 100)))
    )


def _temperature(slots: Slots, state: State, entity: Entity) -> Command | Unclear:
    if "temperature" in slots:
        wanted = float(slots["temperature"])
    elif state.target_temperature is None:
        return Unclear(f"I do not know what the {spoken_name(entity)} is set to.")
    else:
        delta = min(float(slots.get("delta", 1)), WARMEST_STEP)
        wanted = state.target_temperature + float(slots["sign"]) * delta
    low, high = entity.min_value, entity.max_value
    if (low is not None and wanted < low) or (high is not None and wanted > high):
        return Unclear(f"The {spoken_name(entity)} goes from {low:g} to {high:g} degrees.")
    return Command(entity.id, Verb.SET_TEMPERATURE, wanted)


# ---------------------------------------------------------------- which things are meant


def _find(slots: Slots, house: House, place: Place) -> list[Entity] | Unclear:
    for slot in ("name", "light", "cover", "climate"):
        if slot in slots:
            ids = [EntityId(part) for part in str(slots[slot]).split("|")]
            return _one(ids, house, place)
    kind = str(slots.get("kind", ""))
    things = [e for e in house.entities.values() if _is_of(e, kind)]
    if "area" in slots:
        return _some(things, lambda e: e.area == slots["area"], kind, f"in the {slots['area']}")
    if "floor" in slots:
        return _some(things, lambda e: e.floor == slots["floor"], kind, str(slots["floor"]))
    if "all" in slots or kind == Kind.CLIMATE:
        near = [e for e in things if e.area == place.area]
        if kind == Kind.CLIMATE and near:
            return near
        return things or Unclear(f"I do not know any {_plural(kind)}.")
    if place.area is not None:
        return _some(things, lambda e: e.area == place.area, kind, f"in the {place.area}")
    if len(things) == 1:
        return things
    if not things:
        return Unclear(f"I do not know any {_plural(kind)}.")
    return Unclear(f"Which {_plural(kind)} do you mean?")


def _one(ids: Sequence[EntityId], house: House, place: Place) -> list[Entity] | Unclear:
    """The thing of that name; of several the one in the speaker's area."""
    found = [house.entities[i] for i in ids if i in house.entities]
    near = [e for e in found if e.area == place.area]
    if len(found) > 1 and len(near) != 1:
        names = " or ".join(f"the {spoken_name(e)}" for e in found)
        return Unclear(f"Do you mean {names}?")
    if not found:
        return Unclear("That is not here any more.")
    return near if len(found) > 1 else found


def _some(
    things: Iterable[Entity], fits: Callable[[Entity], bool], kind: str, where: str
) -> list[Entity] | Unclear:
    found = [e for e in things if fits(e)]
    return found or Unclear(f"There are no {_plural(kind)} {where.lower()}.")


def _is_of(entity: Entity, kind: str) -> bool:
    if kind == "everything":
        return entity.kind in (Kind.LIGHT, Kind.SWITCH)
    return entity.kind == kind


def _plural(kind: str) -> str:
    return {"cover": "blinds", "climate": "thermostats", "everything": "devices"}.get(
        kind, f"{kind}s"
    )


def spoken_name(entity: Entity) -> str:
    """How a reply calls it: "kitchen light", with its area if the name alone does not say it."""
    name, area = entity.name.lower(), (entity.area or "").lower()
    generic = {"light", "lamp", "blinds", "blind", "thermostat"}
    return f"{area} {name}" if area and name in generic else name
