"""Commands for lamps in their three dialects: topics, JSON, templates; pure."""

import json

from parlour.home.colors import COLORS, to_hs, to_xy
from parlour.home.definitions import Definition
from parlour.home.entities import Command, State, Verb
from parlour.home.features import color_modes

Messages = list[tuple[str, str | None]]  # topic, payload; no payload: its template gave none


def lamp_messages(
    definition: Definition, command: Command, number: float, state: State
) -> Messages:
    """Return what to publish; `number` is the command's value, `state` what was last seen."""
    match definition.schema:
        case "json":
            payload = _json(definition, command, number)
            return [(definition.text("command_topic"), payload)]
        case "template":
            return [_by_template(definition, command, number)]
        case _:
            return _by_topics(definition, command, number, state)


def scaled(per_cent: float, scale: float) -> int:
    # One per cent of a coarse scale must not become 0: that would be off.
    return max(1, round(min(100.0, per_cent) / 100 * scale))


def color_temp(definition: Definition, kelvin: float) -> int:
    """A colour temperature as the lamp counts, within what it can do."""
    low_k, high_k = definition.maybe_number("min_kelvin"), definition.maybe_number("max_kelvin")
    if definition.flag("color_temp_kelvin"):
        return round(min(high_k or 6535, max(low_k or 2000, kelvin)))
    low, high = definition.number("min_mireds", 153), definition.number("max_mireds", 500)
    return round(min(high, max(low, 1e6 / max(kelvin, 1))))


def _json(definition: Definition, command: Command, number: float) -> str:
    suffix = definition.text("suffix")
    said: dict[str, object] = {"state": "OFF" if command.verb is Verb.OFF else "ON"}
    match command.verb:
        case Verb.SET_BRIGHTNESS:
            said["brightness"] = scaled(number, definition.number("brightness_scale", 255))
        case Verb.SET_COLOR_TEMP:
            said["color_temp"] = color_temp(definition, number)
        case Verb.SET_COLOR:
            said["color"] = _json_color(definition, str(command.value))
        case _:
            pass
    return json.dumps({key + suffix: value for key, value in said.items()})


def _json_color(definition: Definition, name: str) -> dict[str, float]:
    rgb, modes = COLORS[name], color_modes(definition)
    if "xy" in modes:
        x, y = to_xy(rgb)
        return {"x": x, "y": y}
    if "hs" in modes:
        hue, saturation = to_hs(rgb)
        return {"h": round(hue, 1), "s": round(saturation, 1)}
    return dict(zip("rgb", rgb, strict=True))


def _by_template(definition: Definition, command: Command, number: float) -> tuple[str, str | None]:
    known: dict[str, object] = {"state": "off" if command.verb is Verb.OFF else "on"}
    match command.verb:
        case Verb.SET_BRIGHTNESS:
            known["brightness"] = scaled(number, 255)
        case Verb.SET_COLOR_TEMP:
            known["color_temp"] = color_temp(definition, number)
        case Verb.SET_COLOR:
            rgb = COLORS[str(command.value)]
            hue, saturation = to_hs(rgb)
            known |= dict(zip(("red", "green", "blue"), rgb, strict=True))
            known |= {"hue": round(hue, 1), "sat": round(saturation, 1)}
        case _:
            pass
    name = "command_off_template" if command.verb is Verb.OFF else "command_on_template"
    payload = definition.template(name).write(known["state"], known)
    return definition.text("command_topic"), payload


def _by_topics(definition: Definition, command: Command, number: float, state: State) -> Messages:
    kind_of_on = definition.text("on_command_type", "last")
    word = "off" if command.verb is Verb.OFF else "on"
    said = definition.text(f"payload_{word}", word.upper())
    switch = definition.text("command_topic"), definition.template("command_template").write(said)
    match command.verb:
        case Verb.SET_BRIGHTNESS:
            value = _brightness(definition, number)
        case Verb.SET_COLOR:
            value = _color(definition, COLORS[str(command.value)])
        case Verb.SET_COLOR_TEMP:
            warmth = color_temp(definition, number)
            template = definition.template("color_temp_command_template")
            value = definition.text("color_temp_command_topic"), template.write(warmth)
        case Verb.ON if kind_of_on == "brightness":
            return [_brightness(definition, state.brightness or 100)]
        case _:
            return [switch]
    # Some lamps jump to full brightness when they are told to be on, so one that is on already
    # is not told again.
    if state.on or kind_of_on == "brightness":
        return [value]
    return [switch, value] if kind_of_on == "first" else [value, switch]


def _brightness(definition: Definition, per_cent: float) -> tuple[str, str | None]:
    value = scaled(per_cent, definition.number("brightness_scale", 255))
    template = definition.template("brightness_command_template")
    return definition.text("brightness_command_topic"), template.write(value)


def _color(definition: Definition, rgb: tuple[int, int, int]) -> tuple[str, str | None]:
    hue, saturation = to_hs(rgb)
    x, y = to_xy(rgb)
    spaces: dict[str, dict[str, object]] = {
        "rgb": dict(zip(("red", "green", "blue"), rgb, strict=True)),
        "hs": {"hue": round(hue, 1), "sat": round(saturation, 1)},
        "xy": {"x": x, "y": y},
    }
    space = next(each for each in spaces if definition.has(f"{each}_command_topic"))
    known = spaces[space]
    joined = ",".join(str(part) for part in known.values()) + definition.text("color_suffix")
    template = definition.template(f"{space}_command_template")
    return definition.text(f"{space}_command_topic"), template.write(joined, known)
