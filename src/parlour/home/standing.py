"""How things stand in a few English words for a language model: numbers and words of ours only."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from parlour.home.entities import Entity, Feature, Kind, State
from parlour.home.plainnames import HIDDEN, known_unit, known_word

LONGEST_TEXT = 200  # characters of what a device reports in its own words

STATELESS = frozenset({Kind.SCENE, Kind.BUTTON})

_OPENINGS = frozenset({"door", "window", "garage_door", "opening", "garage", "gate"})


def standing(entity: Entity, state: State) -> str:
    """ "on, brightness 40%", "closed, position 0%", "offline", "unknown"; "" of a scene."""
    if not state.available:
        return "offline"
    if entity.kind in STATELESS:
        return ""
    said = [first for first in (_first(entity, state),) if first]
    said += [f"{name} {value}" for name, value in properties(entity, state).items()]
    return ", ".join(said) or "unknown"


def properties(entity: Entity, state: State) -> dict[str, str]:
    """What is known besides how it stands as a whole, by the name of the property."""
    found = {
        name: f"{read(state):g}{unit(entity)}"
        for name, (read, unit) in _NUMBERS.items()
        if read(state) is not None
    }
    if state.on is False and entity.kind in (Kind.LIGHT, Kind.FAN):
        # What it will be once it is on says nothing of how it is.
        found = {}
    if Feature.TILT not in entity.features:
        found.pop("tilt", None)
    if state.mode is not None and entity.kind is not Kind.SELECT:
        found["mode"] = known_word(state.mode) or HIDDEN
    if state.muted:
        found["sound"] = "muted"
    return found


def _first(entity: Entity, state: State) -> str:
    match entity.kind:
        case Kind.COVER | Kind.VALVE:
            return _word(state.cover)
        case Kind.LOCK:
            return _word(state.lock)
        case Kind.VACUUM:
            return _word(state.activity)
        case Kind.SELECT:
            return _word(state.mode)
        case Kind.BINARY_SENSOR:
            return _detected(entity, state)
        case Kind.SENSOR | Kind.NUMBER | Kind.DEVICE_TRACKER:
            return _value(entity, state)
        case Kind.CLIMATE:
            return ""  # its mode says it
        case _:
            on = "" if state.on is None else "on" if state.on else "off"
            return " ".join(filter(None, (on, _word(state.activity))))


def _word(value: str | None) -> str:
    return "" if value is None else known_word(value) or HIDDEN


def _detected(entity: Entity, state: State) -> str:
    if state.on is None:
        return ""
    if entity.device_class in _OPENINGS:
        return "open" if state.on else "closed"
    return "detected" if state.on else "clear"


def _value(entity: Entity, state: State) -> str:
    if isinstance(state.value, int | float):
        unit = known_unit(entity.unit)
        return f"{state.value:g}{'' if unit == '%' else ' '}{unit}".strip()
    return _word(state.value)


def _degrees(entity: Entity) -> str:
    return f" {known_unit(entity.unit) or '°'}" if entity.kind is Kind.CLIMATE else " °"


def _per_cent(_entity: Entity) -> str:
    return "%"


_NUMBERS: Mapping[str, tuple[Callable[[State], float | None], Callable[[Entity], str]]] = {
    "brightness": (lambda s: s.brightness, _per_cent),
    "color_temp": (lambda s: s.color_temp_k, lambda _: " K"),
    "position": (lambda s: s.position, _per_cent),
    "tilt": (lambda s: s.tilt, _per_cent),
    "measured": (lambda s: s.temperature, _degrees),
    "temperature": (lambda s: s.target_temperature, _degrees),
    "measured_humidity": (lambda s: s.humidity, _per_cent),
    "humidity": (lambda s: s.target_humidity, _per_cent),
    "speed": (lambda s: s.speed, _per_cent),
    "volume": (lambda s: s.volume, _per_cent),
}


def own_words(state: State) -> Sequence[str]:
    """What a device reports in its own words: written by anybody, at most 200 characters each."""
    said = (state.value, state.mode, state.activity, state.cover, state.lock)
    texts = [clean_text(each) for each in said if isinstance(each, str) and not known_word(each)]
    return [text for text in texts if text]


def clean_text(text: str, most: int = LONGEST_TEXT) -> str:
    """Without control characters and surplus blanks, and not too long."""
    text = text[: 4 * most]
    text = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text)
    return " ".join(text.split())[:most].strip()
