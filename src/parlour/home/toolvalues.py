"""From what a model asks of a thing to a command in the catalogue's own terms; pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from parlour.errors import ToolError
from parlour.home.colors import COLORS
from parlour.home.entities import Command, Entity, House, Kind, Verb
from parlour.home.meanings import INSTEAD
from parlour.home.plainnames import known_unit, shown_options
from parlour.home.resolve import LEVELS, Commands, Reason, Unclear, can, resolve
from parlour.ports import Judgement, Place, Slot, Verdict

ACTS = tuple(verb for verb in Verb if not verb.property)
SETS = tuple(verb for verb in Verb if verb.property)
PROPERTIES: Mapping[str, Verb] = {verb.property: verb for verb in SETS}

_PER_CENT = frozenset({"brightness", "position", "tilt", "speed", "volume", "humidity"})
_CHANGES: Mapping[str, tuple[str, str]] = {
    "brightness": ("brighter", "darker"),
    "temperature": ("warmer", "colder"),
    "volume": ("louder", "quieter"),
    "speed": ("faster", "slower"),
    "position": ("up", "down"),
    "humidity": ("up", "down"),
    "value": ("up", "down"),
}
"""What the grammar understands by a change of a property, upwards and downwards."""

_WHITES = {"warm": 2700.0, "warm white": 2700.0, "neutral": 4000.0, "cold": 6500.0, "cool": 6500.0}
_WORDS = {**LEVELS, "half": 50.0, "full": 100.0, "max": 100.0, "maximum": 100.0}
KELVIN = (1500.0, 10_000.0)

_NUMBER = re.compile(r"([+-]?)\s*(\d{1,6}(?:[.,]\d{1,3})?)\s*(.*)", re.DOTALL)
_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-"})  # as typography writes a minus
_SUFFIXES = frozenset({"", "%", "percent", "per cent", "k", "kelvin", "°", "degrees", "degree"})
_SCALES = {
    "c": "celsius", "°c": "celsius", "celsius": "celsius", "degrees celsius": "celsius",
    "f": "fahrenheit", "°f": "fahrenheit", "fahrenheit": "fahrenheit",
    "degrees fahrenheit": "fahrenheit",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """`sign` "+" or "-" means a change by `value`."""

    value: float
    sign: str = ""
    scale: str = ""  # of a temperature that names one


@dataclass(frozen=True, slots=True)
class Made:
    """What to send, and why others of those meant are left out."""

    commands: Sequence[Command]
    refused: Sequence[Unclear] = ()


# ---------------------------------------------------------------- acts


def acted(entity: Entity, verb: Verb) -> Command | None:
    """What a verb means to a thing; None: nothing. A scene that is turned on is activated."""
    if can(entity, verb):
        return Command(entity.id, verb)
    if entity.kind in (Kind.COVER, Kind.VALVE, Kind.LOCK):
        return None
    for instead in INSTEAD.get(verb, ()):
        if instead not in (Verb.OPEN, Verb.CLOSE) and can(entity, instead):
            return Command(entity.id, instead)
    return None


def verbs_of(entity: Entity) -> list[str]:
    return [verb.value for verb in ACTS if can(entity, verb)]


def properties_of(entity: Entity) -> list[str]:
    return [verb.property for verb in SETS if can(entity, verb)]


def act_on(things: Sequence[Entity], verb: Verb, named: str) -> Made:
    """Raises ToolError, with the verbs that would do, if no thing knows the verb."""
    commands = [command for e in things if (command := acted(e, verb))]
    if not commands:
        known = dict.fromkeys(v for e in things for v in verbs_of(e))
        settable = dict.fromkeys(p for e in things for p in properties_of(e))
        can_do = f"it can {', '.join(known)}" if known else "it can only be read"
        hint = f"; set can change {', '.join(settable)}" if settable else ""
        raise ToolError(f"{named} cannot {verb.value}; {can_do}{hint}")
    return Made(commands)


# ---------------------------------------------------------------- sets


def set_to(
    things: Sequence[Entity], name: str, value: object, named: str, house: House, place: Place
) -> Made:
    """Raises ToolError for a property that no thing has, and for a value that none can take."""
    verb = PROPERTIES[name]
    able = [e for e in things if can(e, verb)]
    if not able:
        settable = dict.fromkeys(p for e in things for p in properties_of(e))
        has = f"it has {', '.join(settable)}" if settable else "nothing of it can be set"
        raise ToolError(f"{named} has no {name} to set; {has}")
    if name in ("mode", "color"):
        return _each(able, lambda e: _worded(e, verb, str(value), named))
    number = _read(name, value)
    if number.sign and not _is_absolute(able, name, number):
        return _changed(able, name, number, house, place)
    unit = house_unit(house)
    return _each(able, lambda e: _numbered(e, verb, number, unit, named))


def house_unit(house: House) -> str:
    """The unit of temperatures in this home: that of most of its thermostats."""
    units = [e.unit for e in house.entities.values() if e.kind is Kind.CLIMATE and e.exposed]
    return "°F" if units.count("°F") > units.count("°C") else "°C"


def _each(things: Sequence[Entity], make: Callable[[Entity], Command]) -> Made:
    """Those that can take it; the error of the first if none can."""
    commands: list[Command] = []
    errors: list[ToolError] = []
    for entity in things:
        try:
            commands.append(make(entity))
        except ToolError as error:
            errors.append(error)
    if not commands:
        raise errors[0]
    return Made(commands)


def _worded(entity: Entity, verb: Verb, said: str, named: str) -> Command:
    wanted = " ".join(said.casefold().replace("_", " ").split())
    if verb is Verb.SET_COLOR:
        if wanted not in COLORS:
            raise ToolError(f"the colors are {', '.join(COLORS)}")
        return Command(entity.id, verb, wanted)
    options = shown_options(entity)
    for shown, option in options.items():
        if wanted in (shown.casefold().replace("_", " "), option.casefold().replace("_", " ")):
            return Command(entity.id, verb, option)
    raise ToolError(f"{named} has the modes {', '.join(options)}")


def _read(name: str, value: object) -> Number:
    """A number as models write them: 40, "40%", "+10", "21.5 °C", "half"."""
    said = str(value).strip().translate(_SIGNS).casefold()
    words = _WHITES if name == "color_temp" else _WORDS if name in _PER_CENT else {}
    if said in words:
        return Number(words[said])
    found = _NUMBER.fullmatch(said)
    if found is None or isinstance(value, bool):
        raise ToolError(f"value must be {_example(name)}")
    sign, digits, suffix = found[1], found[2].replace(",", "."), found[3].strip()
    scale = _SCALES.get(suffix, "") if name == "temperature" else ""
    if not scale and suffix not in _SUFFIXES and name != "value":
        raise ToolError(f"value must be {_example(name)}")
    number = float(digits)
    if sign and not number:
        raise ToolError(f"a change by nothing changes nothing; value must be {_example(name)}")
    if name in _PER_CENT and not sign and 0 < number < 1 and "%" not in suffix:
        number *= 100  # a share of one
    return Number(number, sign, scale)


def _example(name: str) -> str:
    match name:
        case "temperature":
            return 'a number of degrees such as 21, or "+1" or "-1" to change it'
        case "color_temp":
            return "kelvin, from 1500 (warm) to 10000 (cold)"
        case "tilt":
            return "a number of percent from 0 to 100"
        case "value":
            return 'a number, or "+1" or "-1" to change it'
        case _:
            return 'a number of percent from 0 to 100, or "+10" or "-10" to change it'


def _is_absolute(things: Sequence[Entity], name: str, number: Number) -> bool:
    """Whether a sign belongs to the number: the freezer is set to minus eighteen."""
    if name not in _CHANGES:
        return True
    if number.sign == "+" or name not in ("temperature", "value"):
        return False
    return all(e.min_value is not None and e.min_value < 0 for e in things)


def _numbered(entity: Entity, verb: Verb, number: Number, unit: str, named: str) -> Command:
    wanted = -number.value if number.sign == "-" else number.value
    low, high = bounds(entity, verb)
    if verb is Verb.SET_TEMPERATURE:
        is_fahrenheit = number.scale == "fahrenheit" or (not number.scale and unit == "°F")
        wanted = _in_unit(wanted, is_fahrenheit=is_fahrenheit, unit=entity.unit)
    if (low is not None and wanted < low) or (high is not None and wanted > high):
        own = known_unit(entity.unit) if verb in (Verb.SET_TEMPERATURE, Verb.SET_VALUE) else "%"
        own = "K" if verb is Verb.SET_COLOR_TEMP else own
        raise ToolError(f"{verb.property} of {named} goes from {low:g} to {high:g} {own}".strip())
    return Command(entity.id, verb, wanted)


def bounds(entity: Entity, verb: Verb) -> tuple[float | None, float | None]:
    match verb:
        case Verb.SET_COLOR_TEMP:
            return KELVIN
        case Verb.SET_TEMPERATURE | Verb.SET_VALUE | Verb.SET_HUMIDITY:
            low, high = entity.min_value, entity.max_value
            if low is None or high is None:
                return (0.0, 100.0) if verb is Verb.SET_HUMIDITY else (None, None)
            return low, high
        case _:
            return 0.0, 100.0


def _in_unit(value: float, *, is_fahrenheit: bool, unit: str | None) -> float:
    if is_fahrenheit and unit == "°C":
        return round((value - 32) / 1.8 * 2) / 2
    if not is_fahrenheit and unit == "°F":
        return float(round(value * 1.8 + 32))
    return value


def _changed(
    things: Sequence[Entity], name: str, number: Number, house: House, place: Place
) -> Made:
    """As the grammar does it: within bounds, from how each thing stands now."""
    intent = _CHANGES[name][number.sign == "-"]
    commands: list[Command] = []
    refused: list[Unclear] = []
    unit = house_unit(house)
    for entity in things:
        by = number.value
        if name == "temperature":
            is_fahrenheit = number.scale == "fahrenheit" or (not number.scale and unit == "°F")
            by *= (1.0 if is_fahrenheit else 1.8) if entity.unit == "°F" else 1.0
            by /= 1.8 if is_fahrenheit and entity.unit == "°C" else 1.0
        slots: dict[str, Slot] = {"name": entity.id, "by": by}
        match resolve(Judgement(Verdict.CLOSED, intent, slots), house, Place(place.device)):
            case Commands(commands=made):
                commands.extend(made)
            case Unclear(reason=Reason.TOO_FAR, low=low, high=high) as unclear:
                refused.append(unclear)
                if len(things) == 1:
                    raise ToolError(f"{name} goes from {low:g} to {high:g}")
            case Unclear() as unclear:
                refused.append(unclear)
            case _:
                pass
    return Made(commands, refused)
