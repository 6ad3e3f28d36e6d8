"""From intent and slots to things and commands; pure, with the place of the speaker as context."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from parlour.home.entities import Command, Entity, Feature, House, Kind, State, Verb
from parlour.home.kinds import KINDS, is_aircon, shade_of
from parlour.home.meanings import INSTEAD, MEANINGS, NEEDS, SHARES, STEPS, Meaning, Sort
from parlour.ports import Judgement, Place, Slot

Slots: TypeAlias = Mapping[str, Slot]

LARGEST_STEP = 5.0  # degrees that a relative change may ask for at once
DARKEST = 5.0  # per cent; "darker" dims no further, that would be "off"
LEVELS = {"low": 33.0, "medium": 66.0, "high": 100.0}  # per cent

# Of these a home has one, or few: it is meant wherever the speaker stands.
OF_THE_HOME = frozenset(
    [
        "climate",
        "ac",
        "vacuum",
        "lock",
        "garage",
        "gate",
        "door",
        "valve",
        "siren",
        "media",
        "humidifier",
        "awning",
        "window",
    ]
)


class Reason(StrEnum):
    """Why nothing is done. What is said then is the language's affair."""

    GONE = "gone"  # a thing that was known is not here any more
    NOT_THERE = "not_there"  # `things[0]` stands elsewhere than was said
    NONE_THERE = "none_there"  # no thing of `kind` stands where it was said
    NONE_KNOWN = "none_known"  # no thing of `kind` at all
    WHICH = "which"  # one of `things`, or of `kind`
    CANNOT = "cannot"  # `things` cannot do `verb`
    IS_OFF = "is_off"  # `things[0]` is off, so it cannot be made darker
    NO_VALUE = "no_value"  # `things[0]` does not say what it is set to now
    TOO_FAR = "too_far"  # `things[0]` takes only `low` to `high`
    NO_ROOM = "no_room"  # "here" was said, and nobody knows where that is
    NO_MODE = "no_mode"  # `things[0]` has no such mode


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing is done; `reason` says what is missing."""

    reason: Reason
    things: Sequence[Entity] = ()
    kind: str = ""
    places: Sequence[str] = ()
    verb: Verb | None = None
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Commands:
    """What to send, all at once; `unable` are those meant that cannot do it."""

    commands: Sequence[Command]
    unable: Sequence[Unclear] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about how things stand; `about` as in the intents "ask_..."."""

    entities: Sequence[Entity]
    about: str
    kind: str = ""


Resolved: TypeAlias = Commands | Asked | Unclear


@dataclass(frozen=True, slots=True)
class _Meant:
    """The things meant, and the word for their kind if they were not named."""

    things: Sequence[Entity]
    kind: str = ""


def resolve(judged: Judgement, house: House, place: Place) -> Resolved:
    """Find what is meant and what to do with it. The intent is one about things."""
    meaning = MEANINGS[judged.intent]
    slots = judged.slots
    meant = _find(meaning, slots, house, place)
    if isinstance(meant, Unclear):
        return meant
    if meaning.sort is Sort.ASK:
        measured = {e.device_class for e in meant.things}
        if meaning.about == "state" and len(measured) == 1 and measured <= _MEASURED:
            return Asked(meant.things, str(measured.pop()), meant.kind)
        return Asked(meant.things, meaning.about, meant.kind)
    made = [_command(judged.intent, meaning, slots, e, house.state(e.id)) for e in meant.things]
    commands = [one for one in made if isinstance(one, Command)]
    refusals = [one for one in made if isinstance(one, Unclear)]
    if not commands:
        return _all_alike(refusals)
    return Commands(commands, refusals)


def _all_alike(refusals: Sequence[Unclear]) -> Unclear:
    first = refusals[0]
    things = [e for one in refusals if one.reason is first.reason for e in one.things]
    return Unclear(
        first.reason, things, first.kind, first.places, first.verb, first.low, first.high
    )


# ---------------------------------------------------------------- what to do


def _command(
    intent: str, meaning: Meaning, slots: Slots, entity: Entity, state: State
) -> Command | Unclear:
    match meaning.sort:
        case Sort.ACT:
            assert meaning.verb is not None
            return _act(meaning.verb, entity)
        case Sort.CHANGE:
            return _change(intent, meaning, slots, entity, state)
        case _:
            return _set(meaning, slots, entity)


def _act(verb: Verb, entity: Entity) -> Command | Unclear:
    for possible in (verb, *INSTEAD.get(verb, ())):
        if (
            possible in (Verb.OPEN, Verb.CLOSE)
            and possible is not verb
            and entity.kind != Kind.VALVE
        ):
            continue
        if can(entity, possible):
            return Command(entity.id, possible)
    return Unclear(Reason.CANNOT, [entity], verb=verb)


def can(entity: Entity, verb: Verb) -> bool:
    """Whether it has what the verb needs. What knows only positions opens and closes by them."""
    if verb in (Verb.OPEN, Verb.CLOSE) and Feature.POSITION in entity.features:
        return True
    return NEEDS[verb] in entity.features


def _set(meaning: Meaning, slots: Slots, entity: Entity) -> Command | Unclear:
    verb = meaning.verb or SHARES.get(entity.kind)
    level = str(slots.get("level", ""))
    if (
        level
        and (mode := _mode(level, entity))
        and verb not in (Verb.SET_BRIGHTNESS, Verb.SET_VOLUME)
    ):
        return Command(entity.id, Verb.SET_MODE, mode)
    if verb is None or not can(entity, verb):
        return Unclear(Reason.CANNOT, [entity], verb=verb or Verb.SET_BRIGHTNESS)
    match verb:
        case Verb.SET_COLOR:
            return Command(entity.id, verb, slots["color"])
        case Verb.SET_COLOR_TEMP:
            return Command(entity.id, verb, float(slots["color_temp"]))
        case Verb.SET_MODE:
            mode = _mode(str(slots["mode"]), entity)
            return Command(entity.id, verb, mode) if mode else Unclear(Reason.NO_MODE, [entity])
        case Verb.SET_TEMPERATURE:
            return _temperature(slots, entity)
        case Verb.SET_VALUE:
            return _bounded(entity, verb, float(slots.get("value", slots.get("percent", 0))))
        case _:
            share = float(meaning.about) if meaning.about else _share(slots)
            if verb is Verb.SET_SPEED and share in _STEPS_OF_FANS and "percent" in slots:
                share = _STEPS_OF_FANS[share]
            return Command(entity.id, verb, 100 - share if meaning.sign < 0 else share)


_STEPS_OF_FANS = {1.0: 33.0, 2.0: 66.0, 3.0: 100.0, 4.0: 80.0, 5.0: 100.0}
"""Nobody wants a fan at three per cent: its regulator is meant, of three steps or of five."""


def _mode(wanted: str, entity: Entity) -> str | None:
    """The device's own word for a mode, None if it has none of that name."""
    plain = {each.casefold().replace("_", " ") for each in wanted.split("|")}
    return next((o for o in entity.options if o.casefold().replace("_", " ") in plain), None)


def _share(slots: Slots) -> float:
    if "level" in slots:
        return LEVELS[str(slots["level"])]
    return float(slots.get("percent", slots.get("part", slots.get("speed", 100))))


def _temperature(slots: Slots, entity: Entity) -> Command | Unclear:
    if "part" in slots and "temperature" not in slots:
        end = entity.max_value if float(slots["part"]) > 50 else entity.min_value
        if end is None:
            return Unclear(Reason.CANNOT, [entity], verb=Verb.SET_TEMPERATURE)
        return Command(entity.id, Verb.SET_TEMPERATURE, end)
    said = float(slots.get("temperature", slots.get("percent", 0))) + float(slots.get("half", 0))
    return _bounded(entity, Verb.SET_TEMPERATURE, _in_unit(said, slots.get("scale"), entity.unit))


def _bounded(entity: Entity, verb: Verb, wanted: float) -> Command | Unclear:
    low, high = entity.min_value, entity.max_value
    if low is not None and high is not None and not low <= wanted <= high:
        return Unclear(Reason.TOO_FAR, [entity], verb=verb, low=low, high=high)
    return Command(entity.id, verb, wanted)


def _in_unit(value: float, scale: Slot | None, unit: str | None) -> float:
    if scale == "fahrenheit" and unit == "°C":
        return round((value - 32) / 1.8 * 2) / 2
    if scale == "celsius" and unit == "°F":
        return round(value * 1.8 + 32)
    return value


def _change(
    intent: str, meaning: Meaning, slots: Slots, entity: Entity, state: State
) -> Command | Unclear:
    verb = meaning.verb or SHARES.get(entity.kind)
    if entity.kind is Kind.COVER and not slots.keys() & {"by", "amount", "delta", "percent"}:
        return _act(Verb.OPEN if meaning.sign > 0 else Verb.CLOSE, entity)
    if verb is None or not can(entity, verb):
        return Unclear(Reason.CANNOT, [entity], verb=verb or Verb.SET_BRIGHTNESS)
    step = float(slots.get("by", slots.get("delta", slots.get("amount", 0))))
    step += float(slots.get("half", 0))
    step = (step or STEPS.get(verb, entity.step or 1.0)) * meaning.sign
    now = _NOW[verb](state)
    if verb is Verb.SET_BRIGHTNESS:
        if step < 0 and state.on is False:
            return Unclear(Reason.IS_OFF, [entity])
        now = (100.0 if now is None else now) if state.on is not False else 0.0
        return Command(entity.id, verb, min(100.0, max(DARKEST, now + step)), step)
    if now is None:
        return Unclear(Reason.NO_VALUE, [entity])
    if verb is Verb.SET_TEMPERATURE:
        largest = LARGEST_STEP * (1.8 if entity.unit == "°F" else 1)
        step = max(-largest, min(largest, step))
        low = entity.min_value if entity.min_value is not None else now - largest
        high = entity.max_value if entity.max_value is not None else now + largest
        return Command(entity.id, verb, min(high, max(low, now + step)), step)
    if verb is Verb.SET_VALUE:
        return _bounded(entity, verb, now + step)
    return Command(entity.id, verb, min(100.0, max(0.0, now + step)), step)


def _number(value: str | float | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None


_NOW: Mapping[Verb, Callable[[State], float | None]] = {
    Verb.SET_BRIGHTNESS: lambda s: s.brightness,
    Verb.SET_POSITION: lambda s: s.position,
    Verb.SET_TEMPERATURE: lambda s: s.target_temperature,
    Verb.SET_SPEED: lambda s: s.speed if s.on is not False else 0.0,
    Verb.SET_VOLUME: lambda s: s.volume,
    Verb.SET_HUMIDITY: lambda s: s.target_humidity,
    Verb.SET_VALUE: lambda s: _number(s.value),
}


# ---------------------------------------------------------------- what is meant


def _find(meaning: Meaning, slots: Slots, house: House, place: Place) -> _Meant | Unclear:
    if "here" in slots and place.area is None:
        return Unclear(Reason.NO_ROOM)
    things = [e for e in house.entities.values() if e.exposed]
    if meaning.about == "battery" and "name" in slots:
        return _battery_of(str(slots["name"]), things)
    if "name" in slots:
        named = [_one(str(slots[s]), slots, things, place) for s in ("name", "name2") if s in slots]
        unclear = next((one for one in named if isinstance(one, Unclear)), None)
        if unclear is not None:
            return unclear
        return _Meant([e for one in named if not isinstance(one, Unclear) for e in one])
    if meaning.sort is Sort.ASK and meaning.about in _READINGS and "kind" not in slots:
        return _readings(meaning.about, slots, things, place)
    kind = str(slots.get("kind") or meaning.kind)
    found = _of_kind(kind, meaning, slots, things, place)
    if isinstance(found, Unclear) or "kind2" not in slots:
        return found
    second = _of_kind(str(slots["kind2"]), meaning, slots, things, place)
    if isinstance(second, Unclear):
        return second
    known = {e.id for e in found.things}
    return _Meant([*found.things, *(e for e in second.things if e.id not in known)], kind)


def _of_kind(
    kind: str, meaning: Meaning, slots: Slots, things: Sequence[Entity], place: Place
) -> _Meant | Unclear:
    """All that is meant by "the lights", said in a place."""
    is_question = meaning.sort is Sort.ASK
    able = [e for e in things if kind in KINDS and KINDS[kind](e)]
    if meaning.verb in (Verb.OPEN, Verb.CLOSE, Verb.LOCK, Verb.UNLOCK) and not is_question:
        able = [e for e in able if can(e, meaning.verb)]
    if meaning.about in ("locked", "unlocked"):
        able = [e for e in able if e.kind is Kind.LOCK]
    if not able:
        return Unclear(Reason.NONE_KNOWN, kind=kind)
    left = _without(able, slots)
    near = _near(left, slots, place)
    if near is not None:
        there = _narrowed(near, kind)
        # A vacuum cleans where it does not stand; and there is one thermostat for many rooms.
        is_far = kind == "vacuum" or (kind in OF_THE_HOME and "here" in slots)
        if there or (is_far and len(left) == 1):
            return _Meant(there or left, kind)
        return Unclear(Reason.NONE_THERE, kind=kind, places=_said_places(slots, place))
    if _is_of_all(slots) or kind == "everything":
        every = _narrowed(left, kind)
        return _Meant(every, kind) if every else Unclear(Reason.NONE_KNOWN, kind=kind)
    around = [e for e in left if e.area == place.area] if place.area else []
    if around:
        return _Meant(_narrowed(around, kind), kind)
    left = list(_narrowed(left, kind))
    if len(left) == 1 or is_question or _are_alike(left, kind):
        return _Meant(left, kind)
    if not left:
        return Unclear(Reason.NONE_KNOWN, kind=kind)
    if place.area is not None and kind not in OF_THE_HOME:
        return Unclear(Reason.NONE_THERE, kind=kind, places=[place.area])
    called = _called(left, kind, str(slots.get("noun", "")))
    return _Meant(called, kind) if called else Unclear(Reason.WHICH, left, kind)


def _called(things: Sequence[Entity], kind: str, noun: str) -> Sequence[Entity]:
    """Of all that heat, one is called a radiator; "the temperature" is the thermostat's."""
    for word in (noun, "thermostat") if kind == "climate" else ():
        called = [e for e in things if _is_called(e, word)]
        if len(called) == 1:
            return called
    return ()


def _is_called(entity: Entity, noun: str) -> bool:
    names = (entity.name, *(alias for each in entity.aliases.values() for alias in each))
    return any(noun in name.casefold().split() for name in names)


BOTH = 2  # of the list `all`: both of those here, not all that there are


def _is_of_all(slots: Slots) -> bool:
    return "whole" in slots or "any" in slots or slots.get("all", BOTH) != BOTH


def _are_alike(things: Sequence[Entity], kind: str) -> bool:
    """Exceptions made of all that there is leave what is meant clear."""
    return not things and bool(kind)


def _without(things: Sequence[Entity], slots: Slots) -> list[Entity]:
    """All but what was excepted: by name, by area, or what is of a kind in an area."""
    names = {
        part for s in ("but_name", "but_name2") if s in slots for part in str(slots[s]).split("|")
    }
    areas = _named_in(slots, "but_area", "but_area2")
    kind = str(slots.get("but_kind", ""))

    def is_excepted(entity: Entity) -> bool:
        if entity.id in names:
            return True
        in_area = not areas or entity.area in areas
        if kind:
            return KINDS[kind](entity) and in_area
        return bool(areas) and in_area

    return [e for e in things if not is_excepted(e)]


def _near(things: Iterable[Entity], slots: Slots, place: Place) -> list[Entity] | None:
    """Those where the sentence says that they are; None if it does not say."""
    areas = _named_in(slots, "area", "area2")
    if "here" in slots and place.area is not None:
        areas.add(place.area)
    if areas:
        return [e for e in things if e.area in areas]
    if "floor" in slots:
        floors = _named_in(slots, "floor", "floor2")
        return [e for e in things if e.floor in floors]
    return None


def _named_in(slots: Slots, *names: str) -> set[str]:
    """The places that were named; of one name there may be two."""
    return {part for name in names if name in slots for part in str(slots[name]).split("|")}


def _narrowed(things: Sequence[Entity], kind: str) -> Sequence[Entity]:
    """A lamp is what is called one, if anything is; a light is any light."""
    match kind:
        case "lamp":
            close = [e for e in things if "lamp" in e.name.lower().split()]
        case "curtain" | "shutter" | "blind":
            close = [e for e in things if shade_of(e) == kind]
            close = close or [e for e in things if kind == "blind" and shade_of(e) != "curtain"]
        case "climate":
            warming = [e for e in things if not is_aircon(e)]
            close = [e for e in warming if "heat" in e.options] or warming
        case _:
            close = []
    return close or things


def _one(
    value: str, slots: Slots, things: Sequence[Entity], place: Place
) -> Sequence[Entity] | Unclear:
    """The thing of that name; of several the one where the sentence or else the speaker is."""
    known = [e for e in things if e.id in value.split("|")]
    if not known:
        return Unclear(Reason.GONE)
    there = _near(known, slots, place)
    if there is not None and not there:
        return Unclear(Reason.NOT_THERE, known[:1], places=_said_places(slots, place))
    found = there or known
    near = [e for e in found if e.area == place.area]
    if len(found) == 1 or len(near) == 1:
        return found if len(found) == 1 else near
    if "all" in slots or there is not None and len({e.area for e in found}) == 1:
        return found
    return Unclear(Reason.WHICH, near or found)


def _said_places(slots: Slots, place: Place) -> list[str]:
    if "here" in slots:
        return [str(place.area)]
    areas = [str(slots[slot]) for slot in ("area", "area2") if slot in slots]
    return areas or [str(slots["floor"])]


# ---------------------------------------------------------------- what is measured

_MEASURED = {"temperature", "humidity", "battery"}
_READINGS = {"temperature", "humidity", "battery", "state"}
_DETECTORS = {
    "motion": frozenset({"motion", "occupancy", "presence", "moving"}),
    "leak": frozenset({"moisture"}),
    "smoke": frozenset({"smoke", "gas", "carbon_monoxide"}),
    "power": frozenset({"power", "energy", "current"}),
    "air": frozenset({"aqi", "carbon_dioxide", "pm25", "volatile_organic_compounds"}),
}


def _readings(about: str, slots: Slots, things: Sequence[Entity], place: Place) -> _Meant | Unclear:
    """What measures it where it was asked about: a sensor, or else a thermostat."""
    if about == "state":
        return _detectors(slots, things, place)
    sensors = [e for e in things if e.kind is Kind.SENSOR and e.device_class == about]
    others = [e for e in things if _measures(e, about)]
    if about == "battery":
        return _Meant(sensors, about) if sensors else Unclear(Reason.NONE_KNOWN, kind=about)
    for candidates in (sensors, others):
        near = _near(candidates, slots, place)
        if near:
            return _Meant(near, about)
    if _near(things, slots, place) is not None:
        return Unclear(Reason.NONE_THERE, kind=about, places=_said_places(slots, place))
    for candidates in (sensors, others):
        around = [e for e in candidates if place.area and e.area == place.area]
        if around:
            return _Meant(around, about)
    inside = others or sensors
    return _Meant(inside, about) if inside else Unclear(Reason.NONE_KNOWN, kind=about)


def _battery_of(value: str, things: Sequence[Entity]) -> _Meant | Unclear:
    """The battery of a thing is a sensor of its own, called after it."""
    named = [e for e in things if e.id in value.split("|")]
    batteries = [e for e in things if e.device_class == "battery"]
    found = [e for e in named if e in batteries] or [
        b for b in batteries for e in named if b.name.casefold().startswith(e.name.casefold())
    ]
    if found or named:
        return _Meant(found or named, "battery")
    return Unclear(Reason.GONE)


def _measures(entity: Entity, about: str) -> bool:
    if about == "temperature":
        return entity.kind is Kind.CLIMATE
    return about == "humidity" and entity.kind is Kind.HUMIDIFIER


def _detectors(slots: Slots, things: Sequence[Entity], place: Place) -> _Meant | Unclear:
    if "who" in slots:
        found = [e for e in things if e.kind is Kind.DEVICE_TRACKER]
        return _Meant(found, "who") if found else Unclear(Reason.NONE_KNOWN, kind="who")
    what = str(slots.get("detects", "motion"))
    of = [e for e in things if e.device_class in _DETECTORS.get(what, frozenset())]
    near = _near(of, slots, place)
    found = of if near is None else near
    if found:
        return _Meant(found, what)
    if near is not None:
        return Unclear(Reason.NONE_THERE, kind=what, places=_said_places(slots, place))
    return Unclear(Reason.NONE_KNOWN, kind=what)
