"""What Zigbee2MQTT lists under `bridge/`: itself, its devices with what they expose, its groups."""

from collections.abc import Iterator, Sequence

from parlour.home.demo.devices import Cover, Detector, Light, Lock, Switch, Thermostat
from parlour.home.demo.zigbee import (
    BASE,
    BIRTH,
    BRIDGE,
    PREFIX,
    SENSORS,
    VERSION,
    Group,
    Json,
    Zigbee,
)

PUBLISHED, SETTABLE, ALL = 1, 3, 7  # bits of "access": published 1, settable 2, gettable 4

INFO: Json = {
    "version": VERSION,
    "commit": "unknown",
    "coordinator": {"ieee_address": BRIDGE, "type": "ZStack3x0", "meta": {"revision": 1}},
    "network": {"channel": 15, "pan_id": 6754, "extended_pan_id": "0x00124b0029e6a1f0"},
    "log_level": "info",
    "permit_join": False,
    "permit_join_end": None,
    "restart_required": False,
    "config": {
        "mqtt": {"base_topic": BASE, "server": "mqtt://localhost:1883"},
        "homeassistant": {
            "enabled": True,
            "discovery_topic": PREFIX,
            "status_topic": BIRTH,
        },
        "availability": {"enabled": True},
        "device_options": {"retain": True},
    },
    "config_schema": {},
}

COORDINATOR: Json = {
    "ieee_address": BRIDGE,
    "type": "Coordinator",
    "network_address": 0,
    "supported": True,
    "disabled": False,
    "friendly_name": "Coordinator",
    "definition": None,
    "interviewing": False,
    "interview_completed": True,
    "interview_state": "SUCCESSFUL",
    "endpoints": {},
}


def list_device(zigbee: Zigbee) -> Json:
    return {
        "ieee_address": zigbee.ieee,
        "type": "Router" if zigbee.is_on_mains else "EndDevice",
        "network_address": int(zigbee.ieee[-4:], 16),
        "supported": True,
        "disabled": False,
        "friendly_name": zigbee.name,
        "definition": {
            "model": zigbee.model,
            "vendor": zigbee.vendor,
            "description": zigbee.about,
            "exposes": list(_exposes(zigbee)),
            "supports_ota": False,
            "options": [],
        },
        "power_source": "Mains (single phase)" if zigbee.is_on_mains else "Battery",
        "model_id": zigbee.model,
        "manufacturer": zigbee.vendor,
        "interviewing": False,
        "interview_completed": True,
        "interview_state": "SUCCESSFUL",
        "endpoints": {"1": {"bindings": [], "configured_reportings": [], "scenes": []}},
    }


def list_group(group: Group, members: Sequence[Zigbee]) -> Json:
    return {
        "id": group.number,
        "friendly_name": group.name,
        "description": None,
        "scenes": [{"id": number, "name": name} for number, (name, _) in group.scenes.items()],
        "members": [{"ieee_address": each.ieee, "endpoint": 1} for each in members],
    }


def _exposes(zigbee: Zigbee) -> Iterator[Json]:
    switched = _binary("state", "ON", "OFF", ALL) | {"value_toggle": "TOGGLE"}
    match zigbee.device:
        case Light(modes=modes):
            features = [switched, _numeric("brightness", ALL, least=0, most=254)]
            if "color_temp" in modes:
                features.append(_numeric("color_temp", ALL, "mired", 153, 500))
            if "color" in modes:
                parts = [_numeric(part, ALL) for part in "xy"]
                about = {"name": "color_xy", "label": "Color (X/Y)", "property": "color"}
                features.append({"type": "composite", "access": ALL, **about, "features": parts})
            yield {"type": "light", "features": features}
        case Switch():
            yield {"type": "switch", "features": [switched]}
        case Lock():
            states = ["not_fully_locked", "locked", "unlocked"]
            lock = [_binary("state", "LOCK", "UNLOCK", ALL), _enum("lock_state", states, PUBLISHED)]
            yield {"type": "lock", "features": lock}
        case Cover() as cover:
            features = [
                _enum("state", ["OPEN", "CLOSE", "STOP"], SETTABLE),
                _numeric("position", ALL, "%", 0, 100),
            ]
            if cover.tilt is not None:
                features.append(_numeric("tilt", ALL, "%", 0, 100))
            yield {"type": "cover", "features": features}
            yield _enum("moving", ["UP", "STOP", "DOWN"], PUBLISHED)
        case Thermostat() as thermostat:
            least, most = thermostat.least, thermostat.most
            setpoint = _numeric("occupied_heating_setpoint", ALL, "°C", least, most)
            yield {
                "type": "climate",
                "features": [
                    setpoint | {"value_step": 0.5},
                    _numeric("local_temperature", PUBLISHED | 4, "°C"),
                    _enum("system_mode", thermostat.modes, ALL),
                    _enum("running_state", ["idle", "heat"], PUBLISHED | 4),
                ],
            }
        case Detector():
            is_contact = zigbee.detects == "contact"
            yield _binary(zigbee.detects, not is_contact, is_contact, PUBLISHED)
        case _:
            pass
    for prop in zigbee.reads:
        yield _numeric(prop, PUBLISHED, str(SENSORS[prop]["unit_of_measurement"]))
    yield _numeric("linkquality", PUBLISHED, "lqi", 0, 255) | {"category": "diagnostic"}


def _named(kind: str, name: str, access: int) -> Json:
    label = name.replace("_", " ").capitalize()
    return {"type": kind, "name": name, "label": label, "property": name, "access": access}


def _binary(name: str, on: object, off: object, access: int) -> Json:
    return _named("binary", name, access) | {"value_on": on, "value_off": off}


def _enum(name: str, values: Sequence[str], access: int) -> Json:
    return _named("enum", name, access) | {"values": list(values)}


def _numeric(
    name: str, access: int, unit: str = "", least: float | None = None, most: float | None = None
) -> Json:
    rest = {"unit": unit or None, "value_min": least, "value_max": most}
    return _named("numeric", name, access) | {k: v for k, v in rest.items() if v is not None}
