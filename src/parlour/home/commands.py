"""A command for a device as the messages that carry it; pure."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace

from parlour.home.colors import COLORS
from parlour.home.definitions import Definition
from parlour.home.entities import Command, Feature, Kind, State, Verb
from parlour.home.features import climate_modes, features_of, options_of
from parlour.home.lamp_commands import Messages, lamp_messages
from parlour.home.meanings import NEEDS
from parlour.home.payloads import to_number
from parlour.home.readings import tilt_ends

_TEXTS = {Verb.SET_COLOR, Verb.SET_MODE}  # whose value is a text, not a number


def settle(command: Command, state: State) -> Command:
    """Resolve a toggle into on or off, and no brightness or speed into off."""
    if command.verb is Verb.TOGGLE:
        return replace(command, verb=Verb.OFF if state.on else Verb.ON)
    is_dimmed = command.verb in (Verb.SET_BRIGHTNESS, Verb.SET_SPEED)
    if is_dimmed and to_number(command.value) == 0:
        return replace(command, verb=Verb.OFF, value=None)
    return command


def rounded(definition: Definition, command: Command) -> Command:
    """The command as the device can carry it out: a fan of three speeds knows no 50 per cent."""
    number = to_number(command.value)
    if number is None:
        return command
    match command.verb:
        case Verb.SET_SPEED:
            low, high = _speeds(definition)
            share_ = (_speed(definition, number) - low + 1) / (high - low + 1) * 100
            return replace(command, value=round(share_, 1))
        case Verb.SET_VALUE:
            return replace(command, value=_stepped(definition, number))
        case Verb.SET_HUMIDITY:
            return replace(command, value=_humidity(definition, number))
        case _:
            return command


def make_messages(definition: Definition, command: Command, state: State) -> list[tuple[str, str]]:
    """Return what to publish, in order; nothing when the entity cannot do it."""
    command = settle(command, state)
    features = features_of(definition)
    verb, number = command.verb, to_number(command.value)
    # A thing that knows only positions opens and closes by them, a fan with only a speed is
    # turned on and off by that.
    if verb in (Verb.OPEN, Verb.CLOSE) and Feature.OPEN_CLOSE not in features:
        verb, number = Verb.SET_POSITION, 100.0 if verb is Verb.OPEN else 0.0
    if verb is Verb.OFF and Feature.ON_OFF not in features and definition.kind is Kind.FAN:
        verb, number = Verb.SET_SPEED, 0.0
    if NEEDS[verb] not in features or not _is_sensible(definition, verb, command.value, number):
        return []
    command = replace(command, verb=verb)
    messages = _messages(definition, command, number or 0.0, state)
    made = [(topic, payload) for topic, payload in messages if payload is not None]
    # A template that gives no text is no reason to send only the rest.
    return made if len(made) == len(messages) else []


def _is_sensible(
    definition: Definition, verb: Verb, value: str | float | None, number: float | None
) -> bool:
    match verb:
        case Verb.SET_COLOR:
            return value in COLORS
        case Verb.SET_MODE:
            return value in options_of(definition)
        case _:
            return not verb.property or number is not None


def _messages(definition: Definition, command: Command, number: float, state: State) -> Messages:
    verb, value = command.verb, str(command.value)
    match definition.kind:
        case Kind.LIGHT:
            return lamp_messages(definition, command, number, state)
        case Kind.SWITCH:
            return [_on_off(definition, verb)]
        case Kind.SIREN:
            return [_siren(definition, verb)]
        case Kind.COVER:
            return [_cover(definition, verb, number)]
        case Kind.VALVE:
            return [_valve(definition, verb, number)]
        case Kind.CLIMATE:
            return _climate(definition, verb, number, value, state)
        case _:
            return [_simple(definition, command, number)]


def _simple(definition: Definition, command: Command, number: float) -> tuple[str, str | None]:
    verb, value = command.verb, str(command.value)
    match definition.kind:
        case Kind.FAN:
            return _fan(definition, verb, number, value)
        case Kind.HUMIDIFIER:
            return _humidifier(definition, verb, number, value)
        case Kind.LOCK:
            return _lock(definition, verb)
        case Kind.VACUUM:
            return _vacuum(definition, verb)
        case Kind.MEDIA:
            return _media(definition, verb, number)
        case Kind.SCENE:
            return definition.text("command_topic"), definition.text("payload_on", "ON")
        case Kind.BUTTON:
            return _filled(definition, "command", definition.text("payload_press", "PRESS"))
        case Kind.NUMBER:
            return _filled(definition, "command", _stepped(definition, number))
        case Kind.SELECT:
            return _filled(definition, "command", value)
        case _:
            raise ValueError(f"nothing can be told to a {definition.kind}")


def _filled(
    definition: Definition,
    name: str,
    value: object,
    variables: Mapping[str, object] | None = None,
    topic: str = "",
) -> tuple[str, str | None]:
    """A value through the template `<name>_template` to the topic `<name>_topic`."""
    template = definition.template(f"{name}_template")
    return definition.text(topic or f"{name}_topic"), template.write(value, variables)


def _number(number: float) -> int | float:
    return int(number) if number == int(number) else round(number, 2)


def _on_off(definition: Definition, verb: Verb) -> tuple[str, str | None]:
    return _filled(definition, "command", _payload_on_off(definition, verb))


def _payload_on_off(definition: Definition, verb: Verb) -> str:
    if verb is Verb.ON:
        return definition.text("payload_on", "ON")
    return definition.text("payload_off", "OFF")


def _siren(definition: Definition, verb: Verb) -> tuple[str, str | None]:
    payload = _payload_on_off(definition, verb)
    is_off = verb is Verb.OFF and "command_off_template" in definition.templates
    name = "command_off" if is_off else "command"
    if f"{name}_template" in definition.templates:
        return _filled(definition, name, payload, {"state": payload}, topic="command_topic")
    return definition.text("command_topic"), json.dumps({"state": payload})


def _between(per_cent: float, low: float, high: float) -> int:
    return round(low + min(100.0, max(0.0, per_cent)) / 100 * (high - low))


def _ends(definition: Definition) -> tuple[float, float]:
    return definition.number("position_closed", 0), definition.number("position_open", 100)


def _cover(definition: Definition, verb: Verb, number: float) -> tuple[str, str | None]:
    match verb:
        case Verb.SET_POSITION:
            closed, opened = _ends(definition)
            position = _between(number, closed, opened)
            low, high = tilt_ends(definition)
            known = {"position_open": opened, "position_closed": closed}
            known |= {"position": position, "tilt_min": low, "tilt_max": high}
            return _filled(definition, "set_position", position, known)
        case Verb.SET_TILT:
            tilt = _between(number, *tilt_ends(definition))
            return _filled(definition, "tilt_command", tilt, {"tilt_position": tilt})
        case _:
            return definition.text("command_topic"), _payload_of_movement(definition, verb)


def _payload_of_movement(definition: Definition, verb: Verb) -> str:
    name = {Verb.OPEN: "open", Verb.CLOSE: "close"}.get(verb, "stop")
    return definition.text(f"payload_{name}", name.upper())


def _valve(definition: Definition, verb: Verb, number: float) -> tuple[str, str | None]:
    if verb is Verb.SET_POSITION and definition.has("set_position_topic"):
        return _filled(definition, "set_position", _between(number, *_ends(definition)))
    is_by_position = definition.flag("reports_position") and verb is not Verb.STOP
    if not is_by_position:
        return _filled(definition, "command", _payload_of_movement(definition, verb))
    ends = {Verb.OPEN: 100.0, Verb.CLOSE: 0.0}
    position = _between(ends.get(verb, number), *_ends(definition))
    return _filled(definition, "command", position)


def _climate(
    definition: Definition, verb: Verb, number: float, value: str, state: State
) -> Messages:
    modes = climate_modes(definition)
    match verb:
        case Verb.SET_TEMPERATURE if definition.has("temperature_command_topic"):
            return [_filled(definition, "temperature_command", _number(number))]
        case Verb.SET_TEMPERATURE:
            low, high = _pair(definition, number, state)
            return [
                _filled(definition, "temperature_low_command", _number(low)),
                _filled(definition, "temperature_high_command", _number(high)),
            ]
        case Verb.SET_MODE:
            return [_filled(definition, "mode_command", value)]
        case _ if "off" in modes:
            return [_filled(definition, "mode_command", _mode_for(verb, modes))]
        case _:
            return [_filled(definition, "power_command", _payload_on_off(definition, verb))]


def _pair(definition: Definition, number: float, state: State) -> tuple[float, float]:
    """The two targets between which a climate keeps: the one that counts is set, the other kept,
    unless they would cross."""
    is_fahrenheit = definition.text("temperature_unit").upper().startswith("F")
    width = 4.0 if is_fahrenheit else 2.0
    low, high = state.target_low, state.target_high
    if low is not None and high is not None and high > low:
        width = high - low
    match state.mode:
        case "heat":
            return number, max(high if high is not None else number + width, number)
        case "cool":
            return min(low if low is not None else number - width, number), number
        case _:
            return number - width / 2, number + width / 2


def _mode_for(verb: Verb, modes: tuple[str, ...]) -> str:
    if verb is Verb.OFF:
        return "off"
    warm = [mode for mode in modes if mode != "off"]
    preferred = next((mode for mode in ("heat", "auto", "heat_cool") if mode in warm), "")
    return preferred or (warm[0] if warm else "heat")


def _fan(definition: Definition, verb: Verb, number: float, value: str) -> tuple[str, str | None]:
    match verb:
        case Verb.SET_SPEED:
            return _filled(definition, "percentage_command", _speed(definition, number))
        case Verb.SET_MODE:
            return _filled(definition, "preset_mode_command", value)
        case _:
            return _on_off(definition, verb)


def _speeds(definition: Definition) -> tuple[float, float]:
    low, high = definition.number("speed_range_min", 1), definition.number("speed_range_max", 100)
    return (low, high) if low <= high else (1.0, 100.0)


def _speed(definition: Definition, per_cent: float) -> int:
    low, high = _speeds(definition)
    # A speed of one per cent is the lowest that it has, not off.
    return math.ceil(low - 1 + min(100.0, max(0.0, per_cent)) / 100 * (high - low + 1))


def _humidity(definition: Definition, per_cent: float) -> int | float:
    low, high = definition.number("min_humidity", 0), definition.number("max_humidity", 100)
    return _number(min(high, max(low, per_cent)))


def _humidifier(
    definition: Definition, verb: Verb, number: float, value: str
) -> tuple[str, str | None]:
    match verb:
        case Verb.SET_HUMIDITY:
            humidity = _humidity(definition, number)
            return _filled(definition, "target_humidity_command", humidity)
        case Verb.SET_MODE:
            return _filled(definition, "mode_command", value)
        case _:
            return _on_off(definition, verb)


def _lock(definition: Definition, verb: Verb) -> tuple[str, str | None]:
    name = "lock" if verb is Verb.LOCK else "unlock"
    return _filled(definition, "command", definition.text(f"payload_{name}", name.upper()))


_OF_VACUUM = {
    Verb.START: "start",
    Verb.PAUSE: "pause",
    Verb.STOP: "stop",
    Verb.DOCK: "return_to_base",
    Verb.LOCATE: "locate",
}


def _vacuum(definition: Definition, verb: Verb) -> tuple[str, str | None]:
    word = _OF_VACUUM[verb]
    return definition.text("command_topic"), definition.text(f"payload_{word}", word)


_OF_MEDIA = {
    Verb.ON: "on",
    Verb.OFF: "off",
    Verb.START: "play",
    Verb.PAUSE: "pause",
    Verb.STOP: "stop",
    Verb.MUTE: "mute",
    Verb.UNMUTE: "unmute",
}


def _media(definition: Definition, verb: Verb, number: float) -> tuple[str, str | None]:
    if verb is Verb.SET_VOLUME:
        scale = definition.number("volume_scale", 100)
        volume = min(100.0, max(0.0, number)) / 100 * scale
        # A scale of 1 has its steps behind the point.
        said = round(volume, 2) if scale <= 1 else round(volume)
        return _filled(definition, "volume_command", said)
    return _filled(definition, "command", definition.text(f"payload_{_OF_MEDIA[verb]}"))


def _stepped(definition: Definition, number: float) -> int | float:
    low, step = definition.number("min", 1), definition.number("step", 1)
    number = min(definition.number("max", 100), max(low, number))
    if step > 0:
        number = low + round((number - low) / step) * step
    return _number(number)
