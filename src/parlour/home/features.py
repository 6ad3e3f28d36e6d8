"""What an announced thing can be told, and between which bounds."""

from collections.abc import Iterator
from dataclasses import dataclass

from parlour.home.definitions import Definition
from parlour.home.entities import Feature, Kind
from parlour.home.payloads import clean_name

MOST_OPTIONS = 100


@dataclass(frozen=True, slots=True)
class Range:
    """The bounds of what can be set, and its unit."""

    low: float | None = None
    high: float | None = None
    step: float | None = None
    unit: str | None = None


def features_of(definition: Definition) -> frozenset[Feature]:
    return frozenset(_features(definition))


def range_of(definition: Definition) -> Range:
    match definition.kind:
        case Kind.CLIMATE:
            is_fahrenheit = definition.text("temperature_unit").upper().startswith("F")
            low, high = (45.0, 95.0) if is_fahrenheit else (7.0, 35.0)
            step = definition.maybe_number("temp_step")
            unit = "°F" if is_fahrenheit else "°C"
            low, high = definition.number("min_temp", low), definition.number("max_temp", high)
            return Range(low, high, step, unit)
        case Kind.NUMBER:
            low, high = definition.number("min", 1), definition.number("max", 100)
            return Range(low, high, definition.number("step", 1), _unit(definition))
        case Kind.HUMIDIFIER:
            low, high = definition.number("min_humidity", 0), definition.number("max_humidity", 100)
            return Range(low, high, None, "%")
        case Kind.SENSOR:
            return Range(unit=_unit(definition))
        case _:
            return Range()


def options_of(definition: Definition) -> tuple[str, ...]:
    """The modes or options as they go over the wire, those that can be said."""
    match definition.kind:
        case Kind.CLIMATE:
            said = climate_modes(definition)
        case Kind.HUMIDIFIER:
            said = definition.texts("modes")
        case Kind.FAN:
            said = definition.texts("preset_modes")
        case Kind.SELECT:
            said = definition.texts("options")
        case _:
            said = ()
    return tuple(each for each in said[:MOST_OPTIONS] if each == clean_name(each) != "")


def _unit(definition: Definition) -> str | None:
    return clean_name(definition.text("unit_of_measurement")) or None


def _features(definition: Definition) -> Iterator[Feature]:
    match definition.kind:
        case Kind.LIGHT:
            yield from _of_light(definition)
        case Kind.COVER:
            yield from _of_cover(definition)
        case Kind.CLIMATE:
            yield from _of_climate(definition)
        case Kind.FAN:
            yield from _of_fan(definition)
        case Kind.HUMIDIFIER:
            yield from _of_humidifier(definition)
        case Kind.MEDIA:
            yield from _of_media(definition)
        case _ if definition.has("command_topic"):
            yield from _of_simple(definition)
        case _:
            pass


def _of_simple(definition: Definition) -> Iterator[Feature]:
    match definition.kind:
        case Kind.SWITCH | Kind.SIREN:
            yield Feature.ON_OFF
        case Kind.VALVE:
            yield from _of_valve(definition)
        case Kind.VACUUM:
            yield from _of_vacuum(definition)
        # Whoever asks for a code asks a person: nobody says one to a room.
        case Kind.LOCK if not definition.has("code_format"):
            yield Feature.LOCK
        case Kind.SCENE | Kind.BUTTON:
            yield Feature.ACTIVATE
        case Kind.NUMBER:
            yield Feature.VALUE
        case Kind.SELECT:
            yield Feature.MODE
        case _:
            pass


_JSON_COLORS = {"rgb", "rgbw", "rgbww", "hs", "xy"}


def _of_light(definition: Definition) -> Iterator[Feature]:
    has = definition.has
    if not has("command_topic"):
        return
    yield Feature.ON_OFF
    match definition.schema:
        case "json":
            yield from _of_json_light(definition)
        case "template":
            if has("brightness_template"):
                yield Feature.BRIGHTNESS
            if all(has(f"{part}_template") for part in ("red", "green", "blue")):
                yield Feature.COLOR
            if has("color_temp_template"):
                yield Feature.COLOR_TEMP
        case _:
            if has("brightness_command_topic"):
                yield Feature.BRIGHTNESS
            if any(has(f"{space}_command_topic") for space in ("rgb", "hs", "xy")):
                yield Feature.COLOR
            if has("color_temp_command_topic"):
                yield Feature.COLOR_TEMP


def _of_json_light(definition: Definition) -> Iterator[Feature]:
    modes = color_modes(definition)
    if definition.flag("brightness") or modes - {"onoff"}:
        yield Feature.BRIGHTNESS
    if modes & _JSON_COLORS:
        yield Feature.COLOR
    if "color_temp" in modes:
        yield Feature.COLOR_TEMP


def color_modes(definition: Definition) -> set[str]:
    """Of a light of the schema "json": those it names, or of old the flags it sets."""
    named = set(definition.texts("supported_color_modes"))
    return named or {mode for mode in ("rgb", "hs", "xy", "color_temp") if definition.flag(mode)}


def _of_cover(definition: Definition) -> Iterator[Feature]:
    # A payload set to null in the announcement says that the cover cannot do it.
    if definition.has("set_position_topic"):
        yield Feature.POSITION
    if definition.has("tilt_command_topic"):
        yield Feature.TILT
    if definition.has("command_topic"):
        yield Feature.OPEN_CLOSE
        if definition.options.get("payload_stop", "STOP") is not None:
            yield Feature.STOP


def _of_valve(definition: Definition) -> Iterator[Feature]:
    yield Feature.OPEN_CLOSE
    if definition.flag("reports_position") or definition.has("set_position_topic"):
        yield Feature.POSITION
    if definition.has("payload_stop"):
        yield Feature.STOP


def _of_climate(definition: Definition) -> Iterator[Feature]:
    has = definition.has
    is_pair = has("temperature_high_command_topic") and has("temperature_low_command_topic")
    if has("temperature_command_topic") or is_pair:
        yield Feature.TEMPERATURE
    modes = climate_modes(definition)
    if modes:
        yield Feature.MODE
    if has("power_command_topic") or "off" in modes:
        yield Feature.ON_OFF


def climate_modes(definition: Definition) -> tuple[str, ...]:
    """The modes that can be set; Home Assistant's own where the device names none."""
    if not definition.has("mode_command_topic"):
        return ()
    default = ("auto", "off", "cool", "heat", "dry", "fan_only")
    return definition.texts("modes") if "modes" in definition.options else default


def _of_fan(definition: Definition) -> Iterator[Feature]:
    if definition.has("command_topic"):
        yield Feature.ON_OFF
    if definition.has("percentage_command_topic"):
        yield Feature.SPEED
    if definition.has("preset_mode_command_topic") and definition.texts("preset_modes"):
        yield Feature.MODE


def _of_humidifier(definition: Definition) -> Iterator[Feature]:
    if definition.has("command_topic"):
        yield Feature.ON_OFF
    if definition.has("target_humidity_command_topic"):
        yield Feature.HUMIDITY
    if definition.has("mode_command_topic") and definition.texts("modes"):
        yield Feature.MODE


_OF_VACUUM = {
    "start": Feature.START,
    "pause": Feature.PAUSE,
    "stop": Feature.STOP,
    "return_home": Feature.DOCK,
    "locate": Feature.LOCATE,
}


def _of_vacuum(definition: Definition) -> Iterator[Feature]:
    named = definition.texts("supported_features") or ("start", "stop", "return_home")
    yield from (_OF_VACUUM[name] for name in named if name in _OF_VACUUM)


def _of_media(definition: Definition) -> Iterator[Feature]:
    has = definition.has
    if has("command_topic"):
        pairs = {
            Feature.ON_OFF: ("payload_on", "payload_off"),
            Feature.START: ("payload_play",),
            Feature.PAUSE: ("payload_pause",),
            Feature.STOP: ("payload_stop",),
            Feature.MUTE: ("payload_mute", "payload_unmute"),
        }
        yield from (feature for feature, keys in pairs.items() if all(map(has, keys)))
    if has("volume_command_topic"):
        yield Feature.VOLUME
