"""From intent and slots to things and commands; pure, with the place of the speaker as context."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from parlour.home.entities import Command, Entity, Feature, House, Kind, State, Verb
from parlour.ids import EntityId
from parlour.ports import Place, Slot

Slots: TypeAlias = Mapping[str, Slot]

LARGEST_STEP = 5.0  # degrees that a relative change may ask for at once
DARKEST = 5.0  # per cent; "darker" dims no further, that would be "off"
MOST_NAMED = 3  # things that a question back lists by name


@dataclass(frozen=True, slots=True)
class Commands:
    """What to send, all at once; `unable` are those meant that cannot do it."""

    commands: Sequence[Command]
    unable: Sequence[Entity] = ()


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
_NEEDS: Mapping[Verb, tuple[frozenset[Feature], str]] = {
    Verb.ON: (frozenset({Feature.ON_OFF}), "be turned on"),
    Verb.OFF: (frozenset({Feature.ON_OFF}), "be turned off"),
    Verb.TOGGLE: (frozenset({Feature.ON_OFF}), "be switched"),
    Verb.OPEN: (frozenset({Feature.OPEN_CLOSE, Feature.POSITION}), "be opened"),
    Verb.CLOSE: (frozenset({Feature.OPEN_CLOSE, Feature.POSITION}), "be closed"),
    Verb.STOP: (frozenset({Feature.STOP}), "be stopped"),
    Verb.SET_BRIGHTNESS: (frozenset({Feature.BRIGHTNESS}), "be dimmed"),
    Verb.SET_COLOR: (frozenset({Feature.COLOR}), "change its color"),
    Verb.SET_COLOR_TEMP: (frozenset({Feature.COLOR_TEMP}), "change the warmth of its white"),
    Verb.SET_POSITION: (frozenset({Feature.POSITION}), "be opened part of the way"),
    Verb.SET_TEMPERATURE: (frozenset({Feature.TEMPERATURE}), "be set to a temperature"),
}
"""Any one of the features will do."""


def resolve(intent: str, slots: Slots, house: House, place: Place) -> Resolved:
    """Find what is meant and what to do with it. `intent` is one about things, not about timers."""
    is_question = intent in ("HassGetState", "HassClimateGetTemperature")
    found = _find(slots, house, place, is_question=is_question)
    if isinstance(found, Unclear):
        return found
    match intent:
        case "HassGetState":
            return Asked(found, str(slots["asked"]))
        case "HassClimateGetTemperature":
            return Asked(found, "temperature")
        case "HassLightSet":
            verb, value = _light(slots)
        case "HassSetPosition":
            share = _share(slots)
            verb, value = Verb.SET_POSITION, 100 - share if "closed" in slots else share
        case "HassClimateSetTemperature":
            verb, value = Verb.SET_TEMPERATURE, None
        case _:
            verb, value = _VERBS[intent], None
    able = [e for e in found if not _NEEDS[verb][0].isdisjoint(e.features)]
    unable = [e for e in found if e not in able]
    if not able:
        return Unclear(" ".join(cannot(e, verb) for e in unable[:MOST_NAMED]))
    made = [_command(verb, value, slots, house.state(e.id), e) for e in able]
    commands = [one for one in made if isinstance(one, Command)]
    refusal = next((one for one in made if isinstance(one, Unclear)), None)
    return Commands(commands, unable) if commands or refusal is None else refusal


def cannot(entity: Entity, verb: Verb) -> str:
    return f"The {spoken_name(entity)} cannot {_NEEDS[verb][1]}."


def _light(slots: Slots) -> tuple[Verb, Slot | None]:
    if "color" in slots:
        return Verb.SET_COLOR, slots["color"]
    if "color_temp" in slots:
        return Verb.SET_COLOR_TEMP, float(slots["color_temp"])
    return Verb.SET_BRIGHTNESS, None if _step(slots) else _share(slots)


def _step(slots: Slots) -> float:
    """By how many per cent brighter; darker is negative; 0 if it is no relative change."""
    return float(slots.get("step", 0)) or float(slots.get("by", 0)) * float(slots.get("sign", 0))


def _share(slots: Slots) -> float:
    return float(slots.get("percent", slots.get("part", 100)))


def _command(
    verb: Verb, value: Slot | None, slots: Slots, state: State, entity: Entity
) -> Command | Unclear:
    if verb is Verb.SET_TEMPERATURE:
        return _temperature(slots, state, entity)
    if verb is Verb.SET_BRIGHTNESS and value is None:
        return _brighter(_step(slots), state, entity)
    return Command(entity.id, verb, value)


def _brighter(step: float, state: State, entity: Entity) -> Command | Unclear:
    if step < 0 and not state.on:
        return Unclear(f"The {spoken_name(entity)} is off.")
    full = 100.0 if state.brightness is None else state.brightness
    now = full if state.on else 0.0
    return Command(entity.id, Verb.SET_BRIGHTNESS, min(100.0, max(DARKEST, now + step)))


def _temperature(slots: Slots, state: State, entity: Entity) -> Command | Unclear:
    half = float(slots.get("half", 0))
    if "temperature" in slots:
        wanted = _in_unit(float(slots["temperature"]) + half, slots.get("scale"), entity.unit)
    elif state.target_temperature is None:
        return Unclear(f"I do not know what the {spoken_name(entity)} is set to.")
    else:
        by = float(slots.get("delta", slots.get("amount", 0))) + half
        wanted = state.target_temperature + float(slots["sign"]) * min(by, LARGEST_STEP)
    low, high = entity.min_value, entity.max_value
    if low is not None and high is not None and not low <= wanted <= high:
        return Unclear(f"The {spoken_name(entity)} goes from {low:g} to {high:g} degrees.")
    return Command(entity.id, Verb.SET_TEMPERATURE, wanted)


def _in_unit(degrees: float, scale: Slot | None, unit: str | None) -> float:
    """What was said in a scale, in the entity's unit, to half a degree; unsaid, it is that unit."""
    if scale == "fahrenheit" and unit == "°C":
        return round((degrees - 32) / 1.8 * 2) / 2
    if scale == "celsius" and unit == "°F":
        return round((degrees * 1.8 + 32) * 2) / 2
    return degrees


# ---------------------------------------------------------------- which things are meant


def _find(
    slots: Slots, house: House, place: Place, *, is_question: bool
) -> Sequence[Entity] | Unclear:
    if "here" in slots and place.area is None:
        return Unclear("I do not know which room I am in.")
    named: list[Entity] = []
    for slot in ("name", "light", "cover", "climate", "name2", "cover2"):
        if slot in slots:
            one = _one(str(slots[slot]), slots, house, place)
            if isinstance(one, Unclear):
                return one
            named.append(one)
    if named:
        return list({e.id: e for e in named}.values())
    kind = str(slots["kind"])
    things = [e for e in house.entities.values() if _is_of(e, kind)]
    near = _near(things, slots, place)
    if near is not None:
        there = _called(near, slots)
        return there or Unclear(f"There are no {_plural(kind)} {_where(slots, place)}.")
    if not things:
        return Unclear(f"I do not know any {_plural(kind)}.")
    around = [e for e in things if e.area == place.area] if place.area else []
    if "all" in slots or len(things) == 1:
        return _called(things, slots)
    if around:
        return _called(around, slots)
    if is_question:
        return _called(things, slots)
    if place.area is not None and kind != Kind.CLIMATE:
        return Unclear(f"There are no {_plural(kind)} in the {place.area.lower()}.")
    return Unclear(_which(_called(things, slots), kind))


def _near(things: Iterable[Entity], slots: Slots, place: Place) -> list[Entity] | None:
    """Those where the sentence says that they are; None if it does not say."""
    areas = {slots[slot] for slot in ("area", "area2") if slot in slots}
    if "here" in slots:
        areas.add(str(place.area))
    if areas:
        return [e for e in things if e.area in areas]
    if "floor" in slots:
        return [e for e in things if e.floor == slots["floor"]]
    return None


def _called(things: Sequence[Entity], slots: Slots) -> Sequence[Entity]:
    """A lamp is what is called one, if any is; a light is any light."""
    if str(slots.get("noun", "")).startswith("lamp"):
        return [e for e in things if "lamp" in e.name.lower().split()] or things
    return things


def _one(value: str, slots: Slots, house: House, place: Place) -> Entity | Unclear:
    """The thing of that name; of several the one where the sentence or else the speaker is."""
    ids = [EntityId(part) for part in value.split("|")]
    known = [house.entities[i] for i in ids if i in house.entities]
    if not known:
        return Unclear("That is not here any more.")
    there = _near(known, slots, place)
    if there is not None and not there:
        return Unclear(f"The {spoken_name(known[0])} is not {_where(slots, place)}.")
    found = there or known
    near = [e for e in found if e.area == place.area]
    if len(found) == 1 or len(near) == 1:
        return (found if len(found) == 1 else near)[0]
    return Unclear(_which(found, "thing"))


def _which(found: Sequence[Entity], kind: str) -> str:
    if len(found) > MOST_NAMED:
        return f"Which {_plural(kind)} do you mean? Please name the room."
    return f"Do you mean {' or '.join(f'the {spoken_name(e)}' for e in found)}?"


def _where(slots: Slots, place: Place) -> str:
    if "here" in slots:
        return f"in the {str(place.area).lower()}"
    areas = [str(slots[slot]).lower() for slot in ("area", "area2") if slot in slots]
    return f"in the {' or the '.join(areas)}" if areas else str(slots["floor"]).lower()


_DOORS = frozenset({"garage", "gate", "door", "window", "damper"})


def _is_of(entity: Entity, kind: str) -> bool:
    if kind == "everything":
        return entity.kind in (Kind.LIGHT, Kind.SWITCH)
    # "Open the blinds" must not open the garage: what lets people in is moved by its name only.
    return entity.kind == kind and (kind != Kind.COVER or entity.device_class not in _DOORS)


def _plural(kind: str) -> str:
    return {"cover": "blinds", "climate": "thermostats", "everything": "devices"}.get(
        kind, f"{kind}s"
    )


def spoken_name(entity: Entity) -> str:
    """How a reply calls it: "coffee machine"; a single word with its area: "kitchen light"."""
    name, area = entity.name.lower(), (entity.area or "").lower()
    return f"{area} {name}" if area and " " not in name.strip() else name
