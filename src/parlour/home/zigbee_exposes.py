"""What a Zigbee device exposes, pure: each light, cover or reading as a discovery config."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from parlour.home.payloads import as_text, to_number

PUBLISHED, SETTABLE, GETTABLE = 1, 2, 4  # bits of `access`

Config = dict[str, object]

_PROPERTY = re.compile(r"\w[\w .-]{0,63}")
# A reading's property as Home Assistant's class of it; no other reading is talked about.
_SENSORS = {
    "temperature": "temperature", "local_temperature": "temperature",
    "device_temperature": "temperature", "humidity": "humidity", "soil_moisture": "moisture",
    "pressure": "pressure", "illuminance": "illuminance", "illuminance_lux": "illuminance",
    "co2": "carbon_dioxide", "voc": "volatile_organic_compounds", "pm25": "pm25", "pm10": "pm10",
    "formaldehyd": "volatile_organic_compounds", "power": "power", "energy": "energy",
    "current": "current", "voltage": "voltage", "battery": "battery", "noise": "sound_pressure",
    "wind_speed": "wind_speed", "distance": "distance", "flow": "volume_flow_rate",
    "air_quality": "", "water_consumed": "water", "gas_value": "gas",
}  # fmt: skip
_BINARY = {
    "contact": "door", "occupancy": "motion", "presence": "occupancy", "water_leak": "moisture",
    "smoke": "smoke", "gas": "gas", "carbon_monoxide": "carbon_monoxide", "vibration": "vibration",
    "moving": "moving", "rain": "moisture", "sound": "sound", "window": "window",
    "window_open": "window", "open_window": "window", "door_state": "door",
}  # fmt: skip
ONE_EACH = ("light", "switch", "cover", "climate", "lock", "fan")

Made = tuple[str, str, Config]  # component, part of the device, config


def config_of(
    type_: str,
    expose: Mapping[str, Any],
    topic: str,
    called: str,
    others: Sequence[Mapping[str, Any]] = (),
) -> Made | None:
    """Write one expose as a discovery config; None for what is no thing of the house.

    `topic` is where the device reports, `called` its name, `others` all that it exposes.
    """
    features = {
        as_text(each.get("name")): each
        for each in features_of(expose)
        if _PROPERTY.fullmatch(as_text(each.get("property")))
    }
    part = type_ + suffix_of(expose)
    config: Config | None
    match type_:
        case "light":
            config = _light(features, suffix_of(expose))
        case "switch":
            config = _switch(features)
        case "cover":
            config = _cover(features, _motor(others, suffix_of(expose)))
        case "climate":
            config = _climate(features)
        case "lock":
            config = _lock(features)
        case "fan":
            config = _fan(features)
        case "numeric" | "binary" | "enum" | "text":
            return _reading(type_, expose, topic, called)
        case _:
            return None
    if config is None:
        return None
    topics = {"state_topic": topic, "command_topic": f"{topic}/set"}
    config = {key: topics.get(as_text(value), value) for key, value in config.items()}
    return type_, part, config


# Topics stand in the configs below by their key's own name and are filled in above.
_STATE, _COMMAND = "state_topic", "command_topic"


def _said(feature: Mapping[str, Any], key: str, default: object) -> object:
    value = feature.get(key)
    return default if value is None else value


def _read(feature: Mapping[str, Any]) -> str:
    return f"{{{{ value_json[{json.dumps(feature['property'])}] }}}}"


def _write(feature: Mapping[str, Any], value: object) -> str:
    return json.dumps({feature["property"]: value})


def _fill(feature: Mapping[str, Any], inner: str = "value") -> str:
    return f"{{{json.dumps(feature['property'])}: {{{{ {inner} }}}}}}"


def _light(features: Mapping[str, Mapping[str, Any]], suffix: str) -> Config | None:
    if "state" not in features:
        return None
    is_suffixed = suffix and as_text(features["state"]["property"]).endswith(suffix)
    config: Config = {"schema": "json", _STATE: _STATE, _COMMAND: _COMMAND}
    config["suffix"] = suffix if is_suffixed else ""
    modes = []
    if (brightness := features.get("brightness")) is not None:
        config["brightness"] = True
        config["brightness_scale"] = _said(brightness, "value_max", 254)
    if "color_xy" in features or "color_hs" in features:
        modes.append("xy" if "color_xy" in features else "hs")
    if (warmth := features.get("color_temp")) is not None:
        modes.append("color_temp")
        config["min_mireds"] = _said(warmth, "value_min", 153)
        config["max_mireds"] = _said(warmth, "value_max", 500)
    if not modes:
        modes = ["brightness" if "brightness" in features else "onoff"]
    return config | {"supported_color_modes": modes}


def _switch(features: Mapping[str, Mapping[str, Any]]) -> Config | None:
    if (state := features.get("state")) is None or not access_of(state) & SETTABLE:
        return None
    on, off = _said(state, "value_on", "ON"), _said(state, "value_off", "OFF")
    return {
        _STATE: _STATE,
        _COMMAND: _COMMAND,
        "value_template": _read(state),
        "payload_on": _write(state, on),
        "payload_off": _write(state, off),
        "state_on": on,
        "state_off": off,
    }


def _motor(others: Sequence[Mapping[str, Any]], suffix: str) -> Mapping[str, Any] | None:
    """What says of a cover whether it moves; its `state` says only where it came to rest."""
    for each in others:
        is_motor = each.get("type") == "enum" and each.get("name") in ("moving", "motor_state")
        is_its_own = suffix_of(each) == suffix and access_of(each) & PUBLISHED
        if is_motor and is_its_own and _PROPERTY.fullmatch(as_text(each.get("property"))):
            return each
    return None


_MOVEMENTS = {
    "state_opening": ("opening", "open", "forward", "up", "rising"),
    "state_closing": ("closing", "close", "backward", "back", "reverse", "down", "declining"),
    "state_stopped": ("stopped", "stop", "pause", "paused"),
}


def _movements(motor: Mapping[str, Any]) -> Config:
    listed = motor.get("values")
    values = [as_text(each) for each in listed] if isinstance(listed, list) else []
    found = {
        key: next((each for each in values if each.lower() in words), None)
        for key, words in _MOVEMENTS.items()
    }
    return {key: value for key, value in found.items() if value is not None}


def _cover(
    features: Mapping[str, Mapping[str, Any]], motor: Mapping[str, Any] | None
) -> Config | None:
    config: Config = {}
    if (state := features.get("state")) is not None:
        config = {_COMMAND: _COMMAND}
        for word in ("OPEN", "CLOSE", "STOP"):
            config[f"payload_{word.lower()}"] = _write(state, word)
    if (position := features.get("position")) is not None:
        config |= {"position_topic": _STATE, "set_position_topic": _COMMAND}
        config["position_template"] = _read(position)
        config["set_position_template"] = _fill(position, "position")
        if motor is not None and len(words := _movements(motor)) == len(_MOVEMENTS):
            config |= {_STATE: _STATE, "value_template": _read(motor)} | words
    elif state is not None:
        config |= {_STATE: _STATE, "value_template": _read(state)}
        config |= {"state_open": "OPEN", "state_closed": "CLOSE", "state_stopped": "STOP"}
    if (tilt := features.get("tilt")) is not None:
        config |= {"tilt_status_topic": _STATE, "tilt_command_topic": _COMMAND}
        config["tilt_status_template"] = _read(tilt)
        config["tilt_command_template"] = _fill(tilt, "tilt_position")
    return config or None


def _climate(features: Mapping[str, Mapping[str, Any]]) -> Config | None:
    names = ("current_heating_setpoint", "occupied_heating_setpoint", "occupied_cooling_setpoint")
    setpoint = next((features[name] for name in names if name in features), None)
    if setpoint is None:
        return None
    config: Config = {
        "temperature_command_topic": _COMMAND,
        "temperature_command_template": _fill(setpoint),
        "temperature_state_topic": _STATE,
        "temperature_state_template": _read(setpoint),
        "min_temp": setpoint.get("value_min"),
        "max_temp": setpoint.get("value_max"),
        "temp_step": setpoint.get("value_step"),
        "temperature_unit": "F" if "F" in as_text(setpoint.get("unit")) else "C",
    }
    if (measured := features.get("local_temperature")) is not None:
        config |= {
            "current_temperature_topic": _STATE,
            "current_temperature_template": _read(measured),
        }
    mode = features.get("system_mode")
    if mode is not None and isinstance(mode.get("values"), list):
        config |= {
            "modes": mode["values"],
            "mode_state_topic": _STATE,
            "mode_state_template": _read(mode),
            "mode_command_topic": _COMMAND,
            "mode_command_template": _fill(mode, "value | tojson"),
        }
    return config


def _lock(features: Mapping[str, Mapping[str, Any]]) -> Config | None:
    if (state := features.get("state")) is None:
        return None
    lock, unlock = _said(state, "value_on", "LOCK"), _said(state, "value_off", "UNLOCK")
    return {
        _STATE: _STATE,
        _COMMAND: _COMMAND,
        "value_template": _read(state),
        "payload_lock": _write(state, lock),
        "payload_unlock": _write(state, unlock),
        "state_locked": lock,
        "state_unlocked": unlock,
    }


def _fan(features: Mapping[str, Mapping[str, Any]]) -> Config | None:
    state, mode, speed = (features.get(name) for name in ("state", "mode", "speed"))
    config: Config = {}
    if state is not None:
        config = _switch({"state": state}) or {}
        config["state_value_template"] = config.pop("value_template", None)
    if speed is not None:
        config |= {
            "percentage_state_topic": _STATE,
            "percentage_value_template": _read(speed),
            "percentage_command_topic": _COMMAND,
            "percentage_command_template": _fill(speed),
            "speed_range_min": max(1, int(to_number(speed.get("value_min")) or 1)),
            "speed_range_max": _said(speed, "value_max", 254),
        }
    if mode is not None and isinstance(mode.get("values"), list):
        config |= _fan_modes(mode, has_speed=speed is not None)
    return config or None


def _fan_modes(mode: Mapping[str, Any], *, has_speed: bool) -> Config:
    values = [as_text(each) for each in mode["values"]]
    steps = [each for each in ("low", "medium", "high") if each in values]
    config: Config = {
        "preset_modes": [each for each in values if each not in ("off", "on", *steps)],
        "preset_mode_state_topic": _STATE,
        "preset_mode_value_template": _read(mode),
        "preset_mode_command_topic": _COMMAND,
        "preset_mode_command_template": _fill(mode, "value | tojson"),
    }
    if len(steps) > 1 and not has_speed:
        names = json.dumps(["off", *steps])
        places = json.dumps({name: place for place, name in enumerate(["off", *steps])})
        property_ = json.dumps(mode["property"])
        config |= {
            "speed_range_min": 1,
            "speed_range_max": len(steps),
            "percentage_state_topic": _STATE,
            "percentage_value_template": f"{{{{ {places}[value_json[{property_}]] }}}}",
            "percentage_command_topic": _COMMAND,
            "percentage_command_template": _fill(mode, f"{names}[value | int] | tojson"),
        }
    return config


def _reading(type_: str, expose: Mapping[str, Any], topic: str, called: str) -> Made | None:
    name, property_ = as_text(expose.get("name")), as_text(expose.get("property"))
    known = _BINARY if type_ == "binary" else _SENSORS
    is_known = name in known and _PROPERTY.fullmatch(property_) is not None
    is_battery = name == "battery"
    if not is_known or access_of(expose) & SETTABLE or not access_of(expose) & PUBLISHED:
        return None
    if expose.get("category") and not is_battery:
        return None
    config: Config = {_STATE: topic, "value_template": _read(expose)}
    config["device_class"] = known[name] or None
    if type_ == "binary":
        config["payload_on"] = _said(expose, "value_on", True)
        config["payload_off"] = _said(expose, "value_off", False)
        if name == "contact" and "window" in called.lower():
            config["device_class"] = "window"
        return "binary_sensor", property_, config
    config["unit_of_measurement"] = expose.get("unit")
    return "sensor", property_, config


def access_of(expose: Mapping[str, Any]) -> int:
    value = expose.get("access")
    return value if isinstance(value, int) else PUBLISHED


def features_of(expose: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = expose.get("features")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def suffix_of(expose: Mapping[str, Any]) -> str:
    endpoint = as_text(expose.get("endpoint"))
    return f"_{endpoint}" if endpoint else ""
