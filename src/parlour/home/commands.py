"""A command for a device as the messages that carry it, and the state that proves it; pure."""

import json
from dataclasses import replace

from parlour.home.colors import COLORS, is_alike, to_hs, to_xy
from parlour.home.discovery import Definition, to_number
from parlour.home.entities import Command, Feature, Kind, State, Verb

Message = tuple[str, str]  # topic, payload

NEEDS = {
    Verb.ON: Feature.ON_OFF,
    Verb.OFF: Feature.ON_OFF,
    Verb.TOGGLE: Feature.ON_OFF,
    Verb.OPEN: Feature.OPEN_CLOSE,
    Verb.CLOSE: Feature.OPEN_CLOSE,
    Verb.STOP: Feature.STOP,
    Verb.SET_BRIGHTNESS: Feature.BRIGHTNESS,
    Verb.SET_COLOR: Feature.COLOR,
    Verb.SET_COLOR_TEMP: Feature.COLOR_TEMP,
    Verb.SET_POSITION: Feature.POSITION,
    Verb.SET_TEMPERATURE: Feature.TEMPERATURE,
}


def settle(command: Command, state: State) -> Command:
    """Resolve a toggle into on or off, and no brightness into off."""
    if command.verb is Verb.TOGGLE:
        return replace(command, verb=Verb.OFF if state.on else Verb.ON)
    if command.verb is Verb.SET_BRIGHTNESS and to_number(command.value) == 0:
        return replace(command, verb=Verb.OFF, value=None)
    return command


def make_messages(definition: Definition, command: Command, state: State) -> list[Message]:
    """Return what to publish, in order; nothing when the entity cannot do it."""
    command = settle(command, state)
    verb, value = command.verb, to_number(command.value)
    features = definition.features
    # A cover that knows only positions opens and closes by them.
    if verb in (Verb.OPEN, Verb.CLOSE) and Feature.OPEN_CLOSE not in features:
        verb, value = Verb.SET_POSITION, 100 if verb is Verb.OPEN else 0
    if NEEDS[verb] not in features:
        return []
    if verb is Verb.SET_COLOR and command.value not in COLORS:
        return []
    needs_number = NEEDS[verb] not in (
        Feature.ON_OFF,
        Feature.OPEN_CLOSE,
        Feature.STOP,
        Feature.COLOR,
    )
    if needs_number and value is None:
        return []
    number = value or 0.0
    match definition.kind:
        case Kind.LIGHT if definition.is_json_light:
            return [(definition.text("command_topic"), _json_light(definition, command, number))]
        case Kind.LIGHT:
            return _light(definition, command, number, state)
        case Kind.SWITCH:
            return [_on_off(definition, verb)]
        case Kind.COVER:
            return [_cover(definition, verb, number)]
        case Kind.CLIMATE:
            return [_climate(definition, verb, number)]


def is_optimistic(definition: Definition, command: Command) -> bool:
    """Whether the entity cannot report what this command causes."""
    if definition.flag("optimistic"):
        return True
    has = definition.text
    match definition.kind:
        case Kind.LIGHT if not definition.is_json_light:
            reported = {
                Verb.SET_BRIGHTNESS: "brightness_state_topic",
                Verb.SET_COLOR: "rgb_state_topic",
                Verb.SET_COLOR_TEMP: "color_temp_state_topic",
            }
            return not has(reported.get(command.verb, "state_topic"))
        case Kind.LIGHT | Kind.SWITCH:
            return not has("state_topic")
        case Kind.COVER:
            return not has("state_topic") and not has("position_topic")
        case Kind.CLIMATE:
            is_temperature = command.verb is Verb.SET_TEMPERATURE
            return not has("temperature_state_topic" if is_temperature else "mode_state_topic")


def is_caused(command: Command, state: State) -> bool:
    """Whether `state` is what `command` (settled, no toggle) brings about.

    A cover counts once it moves the right way; a stopped one once it does not move.
    """
    value = to_number(command.value)
    match command.verb:
        case Verb.ON | Verb.OFF | Verb.TOGGLE:
            return state.on is (command.verb is Verb.ON)
        case Verb.OPEN:
            return state.cover in ("open", "opening")
        case Verb.CLOSE:
            return state.cover in ("closed", "closing")
        case Verb.STOP:
            return state.cover not in ("opening", "closing")
        case Verb.SET_BRIGHTNESS:
            return state.on is not False and _is_near(state.brightness, value, 2)
        case Verb.SET_COLOR:
            wanted = COLORS.get(str(command.value))
            is_lit = state.on is not False and state.color is not None and wanted is not None
            return is_lit and is_alike(state.color or (0, 0, 0), wanted or (0, 0, 0))
        case Verb.SET_COLOR_TEMP:
            # A lamp speaks whole mireds and clips to what it can do nearby.
            is_near = _is_near(state.color_temp_k, value, max(100.0, (value or 0) * 0.05))
            return state.on is not False and is_near
        case Verb.SET_POSITION:
            return _is_near(state.position, value, 3) or _moves_towards(state, value)
        case Verb.SET_TEMPERATURE:
            return _is_near(state.target_temperature, value, 0.3)


def is_on_its_way(command: Command, before: State, now: State) -> bool:
    """Whether a light that dims slowly has begun to: it obeys, and will arrive."""
    wanted = to_number(command.value)
    if command.verb is not Verb.SET_BRIGHTNESS or wanted is None or now.brightness is None:
        return False
    began = before.brightness if before.on else 0.0
    if began is None or now.on is False:
        return False
    return min(began, wanted) < now.brightness < max(began, wanted)


def _is_near(is_at: float | None, wanted: float | None, within: float) -> bool:
    return is_at is not None and wanted is not None and abs(is_at - wanted) <= within


def _moves_towards(state: State, wanted: float | None) -> bool:
    if state.position is None or wanted is None:
        return False
    rises = state.cover == "opening" and state.position < wanted
    return rises or (state.cover == "closing" and state.position > wanted)


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(round(number, 2))


def _on_off(definition: Definition, verb: Verb) -> Message:
    payload = (
        definition.text("payload_on", "ON")
        if verb is Verb.ON
        else definition.text("payload_off", "OFF")
    )
    return definition.text("command_topic"), payload


def _scaled(definition: Definition, per_cent: float) -> int:
    # One per cent of a coarse scale must not become 0: that would be off.
    return max(1, round(min(100.0, per_cent) / 100 * definition.number("brightness_scale", 255)))


def _color_temp(definition: Definition, kelvin: float) -> int:
    if definition.flag("color_temp_kelvin"):
        low, high = definition.number("min_kelvin", 2000), definition.number("max_kelvin", 6535)
        return round(min(high, max(low, kelvin)))
    low, high = definition.number("min_mireds", 153), definition.number("max_mireds", 500)
    return round(min(high, max(low, 1e6 / max(kelvin, 1))))


def _json_light(definition: Definition, command: Command, number: float) -> str:
    said: dict[str, object] = {"state": "OFF" if command.verb is Verb.OFF else "ON"}
    match command.verb:
        case Verb.SET_BRIGHTNESS:
            said["brightness"] = _scaled(definition, number)
        case Verb.SET_COLOR_TEMP:
            said["color_temp"] = _color_temp(definition, number)
        case Verb.SET_COLOR:
            rgb = COLORS[str(command.value)]
            modes = definition.texts("supported_color_modes")
            hue, saturation = to_hs(rgb)
            x, y = to_xy(rgb)
            if "xy" in modes:
                said["color"] = {"x": x, "y": y}
            elif "hs" in modes:
                said["color"] = {"h": round(hue, 1), "s": round(saturation, 1)}
            else:
                said["color"] = dict(zip("rgb", rgb, strict=True))
        case _:
            pass
    return json.dumps(said)


def _light(definition: Definition, command: Command, number: float, state: State) -> list[Message]:
    switch = _on_off(definition, Verb.OFF if command.verb is Verb.OFF else Verb.ON)
    match command.verb:
        case Verb.SET_BRIGHTNESS:
            value = (
                definition.text("brightness_command_topic"),
                str(_scaled(definition, number)),
            )
        case Verb.SET_COLOR:
            parts = ",".join(str(part) for part in COLORS[str(command.value)])
            value = definition.text("rgb_command_topic"), parts
        case Verb.SET_COLOR_TEMP:
            kelvin = str(_color_temp(definition, number))
            value = definition.text("color_temp_command_topic"), kelvin
        case Verb.ON if definition.text("on_command_type") == "brightness":
            scaled = _scaled(definition, state.brightness or 100)
            return [(definition.text("brightness_command_topic"), str(scaled))]
        case _:
            return [switch]
    match definition.text("on_command_type", "last"):
        case "brightness":
            return [value]
        case "first":
            return [switch, value]
        case _:
            return [value, switch]


def _cover(definition: Definition, verb: Verb, number: float) -> Message:
    if verb is Verb.SET_POSITION:
        closed = definition.number("position_closed", 0)
        opened = definition.number("position_open", 100)
        share = min(100.0, max(0.0, number)) / 100
        position = _plain(round(closed + share * (opened - closed)))
        return definition.text("set_position_topic"), position
    name = {Verb.OPEN: "open", Verb.CLOSE: "close"}.get(verb, "stop")
    return definition.text("command_topic"), definition.text(f"payload_{name}", name.upper())


def _climate(definition: Definition, verb: Verb, number: float) -> Message:
    if verb is Verb.SET_TEMPERATURE:
        return definition.text("temperature_command_topic"), _plain(number)
    if definition.text("mode_command_topic") and "off" in definition.texts("modes"):
        warm = [mode for mode in definition.texts("modes") if mode != "off"]
        preferred = next((mode for mode in ("heat", "auto", "heat_cool") if mode in warm), "")
        on = preferred or (warm[0] if warm else "heat")
        return definition.text("mode_command_topic"), on if verb is Verb.ON else "off"
    _, payload = _on_off(definition, verb)
    return definition.text("power_command_topic"), payload
