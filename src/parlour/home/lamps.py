"""The three dialects in which lamps report: one topic per property, one JSON object, templates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from parlour.home.colors import Rgb, from_hs, from_xy
from parlour.home.definitions import Definition
from parlour.home.entities import State
from parlour.home.payloads import as_text, to_number


def read_lamp(definition: Definition, name: str, state: State, value: object) -> State:
    """Apply one property of a lamp of the default schema."""
    match name:
        case "brightness":
            brightness = per_cent(value, definition.number("brightness_scale", 255))
            return replace(state, brightness=state.brightness if brightness is None else brightness)
        case "color_temp":
            return replace(state, color_temp_k=kelvin(definition, value) or state.color_temp_k)
        case "color_mode":
            return _in_mode(state, as_text(value))
        case _:
            parts = _parts(value)
            color = {"rgb": _rgb, "hs": _hs, "xy": _xy}[name](parts)
            return replace(state, color=color or state.color)


def read_template_lamp(key: str, state: State, value: object) -> State:
    """Apply what one template of a lamp found: `key` is the template's."""
    number = to_number(value)
    match key:
        case "state_template":
            said = as_text(value).lower()
            return replace(state, on=said == "on") if said in ("on", "off") else state
        case "brightness_template":
            brightness = per_cent(value, 255)
            return state if brightness is None else replace(state, brightness=brightness)
        case "color_temp_template" if number is not None and number > 0:
            # Whether it means mireds or kelvin is plain from the number.
            return replace(state, color_temp_k=number if number > 1000 else round(1e6 / number))
        case _ if number is not None:
            parts = list(state.color or (0, 0, 0))
            place = ("red_template", "green_template", "blue_template").index(key)
            parts[place] = min(255, max(0, round(number)))
            return replace(state, color=(parts[0], parts[1], parts[2]))
        case _:
            return state


def read_json_lamp(definition: Definition, state: State, said: object) -> State:
    """Apply one JSON object; `suffix` tells the lamps of a device with several apart."""
    if not isinstance(said, dict):
        return state
    suffix = definition.text("suffix")

    def get(name: str) -> object:
        return said.get(name + suffix)

    if get("state") in ("ON", "OFF"):
        state = replace(state, on=get("state") == "ON")
    brightness = per_cent(get("brightness"), definition.number("brightness_scale", 255))
    if brightness is not None:
        state = replace(state, brightness=brightness)
    mode = get("color_mode")
    warmth, color = kelvin(definition, get("color_temp")), get("color")
    if warmth is not None and mode in (None, "color_temp"):
        state = replace(state, color_temp_k=warmth, color=None if mode else state.color)
    if isinstance(color, dict) and mode != "color_temp" and (rgb := _json_color(color, mode)):
        state = replace(state, color=rgb, color_temp_k=None if mode else state.color_temp_k)
    return state


def per_cent(value: object, scale: float) -> float | None:
    number = to_number(value)
    if number is None or scale <= 0:
        return None
    return round(min(100.0, max(0.0, number / scale * 100)), 1)


def kelvin(definition: Definition, value: object) -> float | None:
    number = to_number(value)
    if number is None or number <= 0:
        return None
    return number if definition.flag("color_temp_kelvin") else float(round(1e6 / number))


def _in_mode(state: State, mode: str) -> State:
    if mode == "color_temp":
        return replace(state, color=None)
    is_color = mode in ("rgb", "rgbw", "rgbww", "hs", "xy")
    return replace(state, color_temp_k=None) if is_color else state


def _parts(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return list(as_text(value).strip("[]() ").split(",")[:6])


def _numbers(parts: Sequence[object], count: int) -> list[float] | None:
    numbers = [number for part in parts if (number := to_number(part)) is not None]
    return numbers[:count] if len(numbers) >= count else None


def _rgb(parts: Sequence[object]) -> Rgb | None:
    if (numbers := _numbers(parts, 3)) is None:
        return None
    red, green, blue = (min(255, max(0, round(number))) for number in numbers)
    return red, green, blue


def _hs(parts: Sequence[object]) -> Rgb | None:
    numbers = _numbers(parts, 2)
    return None if numbers is None else from_hs(numbers[0], numbers[1])


def _xy(parts: Sequence[object]) -> Rgb | None:
    numbers = _numbers(parts, 2)
    if numbers is None or not all(0.001 <= number <= 1 for number in numbers):
        return None
    return from_xy(numbers[0], numbers[1])


def _json_color(color: Mapping[str, object], mode: object) -> Rgb | None:
    rgb = _rgb([color.get("r"), color.get("g"), color.get("b")])
    of_hs = _hs([color.get("h", color.get("hue")), color.get("s", color.get("saturation"))])
    of_xy = _xy([color.get("x"), color.get("y")])
    return rgb or (of_hs or of_xy if mode == "hs" else of_xy or of_hs)
