"""States of things out of their messages: per kind, which topic says what."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from parlour.home.definitions import Definition
from parlour.home.entities import Kind, State
from parlour.home.lamps import read_json_lamp, read_lamp, read_template_lamp
from parlour.home.payloads import Payload, as_text, clean_name, is_same, to_number
from parlour.home.templates import Lookup, Template

Apply = Callable[[State, object], State]

NO_MODE = "None"  # Home Assistant's word for no preset, no mode, no option
LARGEST_READING = 1e15  # of a sensor: a Unix time in milliseconds is one, too


@dataclass(frozen=True, slots=True)
class Channel:
    """One thing that one topic says. What a message does not say, or says badly, stays."""

    topic: str
    template: Template
    apply: Apply

    def read(self, state: State, payload: Payload) -> State:
        value = self.template.read(payload)
        return state if value is None else self.apply(state, value)


def channels_of(definition: Definition) -> tuple[Channel, ...]:
    """Everything that the thing's messages say, in the order in which it is to be applied."""
    channels = [each for each in _channels(definition) if each.topic]
    for mirror, topic in definition.mirrors:
        channels += [replace(each, topic=mirror) for each in channels if each.topic == topic]
    return tuple(channels)


def _channels(definition: Definition) -> Iterator[Channel]:
    of = partial(_channel, definition)
    match definition.kind:
        case Kind.LIGHT:
            yield from _of_light(definition)
        case Kind.SWITCH | Kind.BINARY_SENSOR:
            yield of("state_topic", "value_template", partial(_on, definition))
        case Kind.SIREN:
            yield of("state_topic", "state_value_template", partial(_siren, definition))
        case Kind.COVER:
            yield from _of_cover(definition)
        case Kind.VALVE:
            # ESPHome's valves have a topic for their position, as Home Assistant's covers.
            yield of("position_topic", "position_template", partial(_position, definition))
            yield of("state_topic", "value_template", partial(_valve, definition))
        case Kind.CLIMATE:
            yield from _of_climate(definition)
        case Kind.FAN:
            yield of("state_topic", "state_value_template", partial(_on, definition))
            yield of(
                "percentage_state_topic", "percentage_value_template", partial(_speed, definition)
            )
            none = definition.text("payload_reset_preset_mode", NO_MODE)
            apply = partial(_mode, none)
            yield of("preset_mode_state_topic", "preset_mode_value_template", apply)
        case Kind.HUMIDIFIER:
            yield from _of_humidifier(definition)
        case _:
            yield from _of_simple(definition)


def _of_simple(definition: Definition) -> Iterator[Channel]:
    text, of = definition.text, partial(_channel, definition)
    match definition.kind:
        case Kind.LOCK:
            yield of("state_topic", "value_template", partial(_lock, definition))
        case Kind.VACUUM:
            yield Channel(text("state_topic"), Lookup(), _vacuum)
        case Kind.SELECT:
            yield of("state_topic", "value_template", partial(_option, definition))
        case Kind.NUMBER | Kind.SENSOR:
            yield of("state_topic", "value_template", _reading)
        case Kind.DEVICE_TRACKER:
            yield of("state_topic", "value_template", partial(_presence, definition))
        case Kind.MEDIA:
            yield of("state_topic", "value_template", partial(_media, definition))
            yield of("volume_state_topic", "volume_value_template", partial(_volume, definition))
            yield of("mute_state_topic", "mute_value_template", partial(_muted, definition))
        case _:
            pass


def _channel(definition: Definition, topic: str, template: str, apply: Apply) -> Channel:
    found = definition.templates.get(template)
    if found is None and template == "state_value_template":
        found = definition.templates.get("value_template")
    return Channel(definition.text(topic), found or Lookup(), apply)


def _of_light(definition: Definition) -> Iterator[Channel]:
    match definition.schema:
        case "json":
            whole = Lookup(is_json=True)
            yield Channel(
                definition.text("state_topic"), whole, partial(read_json_lamp, definition)
            )
        case "template":
            yield from (
                Channel(definition.text("state_topic"), template, partial(read_template_lamp, key))
                for key, template in definition.templates.items()
                if key in ("state_template", "brightness_template", "color_temp_template")
            )
            yield from _of_template_color(definition)
        case _:
            of = partial(_channel, definition)
            yield of("state_topic", "state_value_template", partial(_on, definition))
            for name in ("brightness", "rgb", "hs", "xy", "color_temp", "color_mode"):
                apply = partial(read_lamp, definition, name)
                yield of(f"{name}_state_topic", f"{name}_value_template", apply)


def _of_template_color(definition: Definition) -> Iterator[Channel]:
    for part in ("red", "green", "blue"):
        if (template := definition.templates.get(f"{part}_template")) is not None:
            apply = partial(read_template_lamp, f"{part}_template")
            yield Channel(definition.text("state_topic"), template, apply)


def _of_cover(definition: Definition) -> Iterator[Channel]:
    of = partial(_channel, definition)
    # The position first: whether a cover that stopped is closed is told from where it is.
    yield of("position_topic", "position_template", partial(_position, definition))
    yield of("tilt_status_topic", "tilt_status_template", partial(_tilt, definition))
    yield of("state_topic", "value_template", partial(_cover, definition))


def _of_climate(definition: Definition) -> Iterator[Channel]:
    of = partial(_channel, definition)
    yield of("mode_state_topic", "mode_state_template", _climate_mode)
    for key in ("temperature", "temperature_low", "temperature_high"):
        yield of(f"{key}_state_topic", f"{key}_state_template", partial(_target, key))
    for key in ("temperature", "humidity"):
        apply = partial(_measured, key)
        yield of(f"current_{key}_topic", f"current_{key}_template", apply)


def _of_humidifier(definition: Definition) -> Iterator[Channel]:
    of = partial(_channel, definition)
    yield of("state_topic", "state_value_template", partial(_on, definition))
    none = definition.text("payload_reset_mode", NO_MODE)
    yield of("mode_state_topic", "mode_state_template", partial(_mode, none))
    yield of("target_humidity_state_topic", "target_humidity_state_template", _target_humidity)
    yield of("current_humidity_topic", "current_humidity_template", partial(_measured, "humidity"))


def _on(definition: Definition, state: State, value: object) -> State:
    text = definition.text
    if is_same(value, text("state_on", text("payload_on", "ON"))):
        return replace(state, on=True)
    if is_same(value, text("state_off", text("payload_off", "OFF"))):
        return replace(state, on=False)
    return state


def _siren(definition: Definition, state: State, value: object) -> State:
    said = Payload(as_text(value)).json
    if isinstance(said, dict):
        value = said.get("state")
    return _on(definition, state, value)


def share(number: float, low: float, high: float) -> float:
    """Where a number lies between two ends, in per cent; the ends may be the other way round."""
    return round(min(100.0, max(0.0, (number - low) / (high - low) * 100)), 1)


def _position(definition: Definition, state: State, value: object) -> State:
    # A message may hold the position and the tilt at once, as JSON.
    said = Payload(as_text(value)).json
    if isinstance(said, dict):
        state = _tilt(definition, state, said.get("tilt_position"))
        value = said.get("position")
    number = to_number(value)
    closed, opened = (
        definition.number("position_closed", 0),
        definition.number("position_open", 100),
    )
    if number is None or opened == closed:
        return state
    position = share(number, closed, opened)
    is_moving = state.cover in ("opening", "closing") and definition.has("state_topic")
    cover = state.cover if is_moving else ("open" if position > 0 else "closed")
    return replace(state, position=position, cover=cover)


def _tilt(definition: Definition, state: State, value: object) -> State:
    number = to_number(value)
    closed, opened = tilt_ends(definition)
    if number is None or opened == closed:
        return state
    return replace(state, tilt=share(number, closed, opened))


def tilt_ends(definition: Definition) -> tuple[float, float]:
    """The closed and the opened end of a tilt, as the device counts."""
    low, high = definition.number("tilt_min", 0), definition.number("tilt_max", 100)
    closed = definition.number("tilt_closed_value", low)
    opened = definition.number("tilt_opened_value", high)
    return (low, high) if closed == opened else (closed, opened)


def _cover(definition: Definition, state: State, value: object) -> State:
    for name in ("open", "closed", "opening", "closing", "stopped"):
        if not is_same(value, definition.text(f"state_{name}", name)):
            continue
        if name != "stopped" or state.position is None:
            return replace(state, cover=name)
        # A cover that has no word for having arrived says that it stopped.
        return replace(state, cover="open" if state.position > 0 else "closed")
    return state


def _valve(definition: Definition, state: State, value: object) -> State:
    said = Payload(as_text(value)).json
    position: object = value
    if isinstance(said, dict):
        value, position = said.get("state"), said.get("position")
    if definition.flag("reports_position"):
        state = _position(definition, state, position)
        names: tuple[str, ...] = ("opening", "closing")
    else:
        names = ("open", "closed", "opening", "closing")
    for name in names:
        if value is not None and is_same(value, definition.text(f"state_{name}", name)):
            state = replace(state, cover=name)
    return state


def _climate_mode(state: State, value: object) -> State:
    mode = clean_name(as_text(value))
    if not mode:
        return state
    return _aim(replace(state, mode=mode, on=mode != "off"))


def _target(key: str, state: State, value: object) -> State:
    number = to_number(value)
    if number is None:
        return state
    match key:
        case "temperature_low":
            return _aim(replace(state, target_low=number))
        case "temperature_high":
            return _aim(replace(state, target_high=number))
        case _:
            return replace(state, target_temperature=number)


def _aim(state: State) -> State:
    """Of a pair of targets, show the one that counts in this mode, or the middle of both."""
    low, high = state.target_low, state.target_high
    if low is None or high is None:
        return state
    middle = round((low + high) / 2, 2)
    shown = {"heat": low, "cool": high}.get(state.mode or "", middle)
    return replace(state, target_temperature=shown)


def _measured(key: str, state: State, value: object) -> State:
    number = to_number(value)
    if number is None:
        return state
    if key == "temperature":
        return replace(state, temperature=number)
    return replace(state, humidity=number)


def _target_humidity(state: State, value: object) -> State:
    number = to_number(value)
    return state if number is None else replace(state, target_humidity=number)


def _speed(definition: Definition, state: State, value: object) -> State:
    number = to_number(value)
    low, high = definition.number("speed_range_min", 1), definition.number("speed_range_max", 100)
    if number is None or high < low:
        return state
    state = replace(state, speed=share(number, low - 1, high))
    # Not every fan says on or off beside its speed.
    return state if definition.has("state_topic") else replace(state, on=number >= low)


def _mode(none: str, state: State, value: object) -> State:
    mode = clean_name(as_text(value))
    if not mode:
        return state
    return replace(state, mode=None if is_same(value, none) else mode)


def _option(definition: Definition, state: State, value: object) -> State:
    # "None" is no option chosen, unless it is one.
    options = definition.texts("options")
    return _mode("" if NO_MODE in options else NO_MODE, state, value)


_LOCKS = {
    "locked": "LOCKED",
    "unlocked": "UNLOCKED",
    "locking": "LOCKING",
    "unlocking": "UNLOCKING",
    "jammed": "JAMMED",
    "open": "OPEN",
}


def _lock(definition: Definition, state: State, value: object) -> State:
    for name, default in _LOCKS.items():
        if is_same(value, definition.text(f"state_{name}", default)):
            return replace(state, lock=name)
    return state


_VACUUM = frozenset({"cleaning", "docked", "paused", "returning", "error", "idle"})


def _vacuum(state: State, value: object) -> State:
    said = Payload(as_text(value)).json
    activity = said.get("state") if isinstance(said, dict) else value
    if not isinstance(activity, str) or activity not in _VACUUM:
        return state
    return replace(state, activity=activity, on=activity == "cleaning")


def _reading(state: State, value: object) -> State:
    number = to_number(value, LARGEST_READING)
    if number is not None:
        return replace(state, value=number)
    text = clean_name(as_text(value))
    return replace(state, value=text) if text else state


def _presence(definition: Definition, state: State, value: object) -> State:
    if is_same(value, definition.text("payload_home", "home")):
        return replace(state, value="home")
    if is_same(value, definition.text("payload_not_home", "not_home")):
        return replace(state, value="not_home")
    if is_same(value, definition.text("payload_reset", "None")):
        return replace(state, value=None)
    return _reading(state, value)


_PLAYING = {"playing": True, "paused": True, "idle": True, "on": True, "off": False}


def _media(definition: Definition, state: State, value: object) -> State:
    said = clean_name(as_text(value)).lower()
    for name in _PLAYING:
        if said == definition.text(f"state_{name}", name).lower():
            activity = name if name in ("playing", "paused", "idle") else None
            return replace(state, on=_PLAYING[name], activity=activity)
    return _on(definition, state, value)


def _volume(definition: Definition, state: State, value: object) -> State:
    number, scale = to_number(value), definition.number("volume_scale", 100)
    if number is None or scale <= 0:
        return state
    return replace(state, volume=share(number, 0, scale))


def _muted(definition: Definition, state: State, value: object) -> State:
    if is_same(value, definition.text("state_muted", "true")):
        return replace(state, muted=True)
    if is_same(value, definition.text("state_unmuted", "false")):
        return replace(state, muted=False)
    return state
