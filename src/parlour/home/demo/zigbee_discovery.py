"""What Zigbee2MQTT's extension announces to Home Assistant of its devices and groups."""

import json
from collections.abc import Iterator, Sequence

from parlour.home.demo.devices import Cover, Detector, Light, Lock, Switch, Thermostat
from parlour.home.demo.station import Message, make_slug
from parlour.home.demo.zigbee import (
    BASE,
    BRIDGE,
    PREFIX,
    SENSORS,
    STATE,
    VERSION,
    Group,
    Json,
    Zigbee,
)

DETECTORS = {
    "contact": "door",
    "occupancy": "motion",
    "water_leak": "moisture",
    "smoke": "smoke",
}


def announce_device(zigbee: Zigbee) -> Iterator[Message]:
    about: Json = {
        "identifiers": [f"zigbee2mqtt_{zigbee.ieee}"],
        "manufacturer": zigbee.vendor,
        "model": zigbee.about,
        "model_id": zigbee.model,
        "name": zigbee.name,
        "via_device": f"zigbee2mqtt_bridge_{BRIDGE}",
    }
    about |= zigbee.overrides.get("device", {})
    for component, object_id, own in _entities(zigbee):
        config = own | dict(zigbee.overrides.get(object_id, {})) | {"device": about}
        config |= _rest(zigbee.topic, zigbee.name, zigbee.ieee, component, object_id)
        topic = f"{PREFIX}/{component}/{zigbee.ieee}/{object_id}/config"
        yield Message(topic, json.dumps(config))


def announce_group(group: Group, members: Sequence[Zigbee]) -> Iterator[Message]:
    # The base topic in the number is written as the codes of its letters.
    coded = "".join(str(ord(letter)) for letter in BASE) + f"_{group.number}"
    about: Json = {
        "identifiers": [f"zigbee2mqtt_{coded}"],
        "manufacturer": "Zigbee2MQTT",
        "model": "Group",
        "name": group.name,
        "sw_version": VERSION,
        "via_device": f"zigbee2mqtt_bridge_{BRIDGE}",
        "suggested_area": group.area,
    }
    lights = [each.device for each in members if isinstance(each.device, Light)]
    # A group can whatever one of its members can.
    modes = list(dict.fromkeys(mode for light in lights for mode in light.modes))
    config = _light(group.topic, modes)
    config["group"] = [f"{each.ieee}_light_{BASE}" for each in members]
    config |= _rest(group.topic, group.name, str(group.number), "light", "light")
    topic = f"{PREFIX}/light/{coded}/light/config"
    yield Message(topic, json.dumps(config | {"device": about}))
    for number, (name, _) in group.scenes.items():
        scene: Json = {
            "name": name,
            "command_topic": f"{group.topic}/set",
            "payload_on": f'{{ "scene_recall": {number} }}',
        }
        object_id = f"scene_{number}"
        scene |= _rest(group.topic, group.name, str(group.number), "scene", object_id)
        topic = f"{PREFIX}/scene/{coded}/{object_id}/config"
        yield Message(topic, json.dumps(scene | {"device": about}))


def _rest(topic: str, name: str, id_: str, component: str, object_id: str) -> Json:
    """What every announcement of Zigbee2MQTT holds besides its own."""
    suffix = "" if object_id == component else f"_{object_id}"
    entity = f"{make_slug(name)}{suffix}"
    stateless = component in ("climate", "scene")
    return ({} if stateless else {"state_topic": topic}) | {
        "object_id": entity,
        "default_entity_id": f"{component}.{entity}",
        "unique_id": f"{id_}_{object_id}_{BASE}",
        "availability": [
            {"topic": STATE, "value_template": "{{ value_json.state }}"},
            {"topic": f"{topic}/availability", "value_template": "{{ value_json.state }}"},
        ],
        "availability_mode": "all",
        "origin": {"name": "Zigbee2MQTT", "sw": VERSION, "url": "https://www.zigbee2mqtt.io"},
    }


def _entities(zigbee: Zigbee) -> Iterator[tuple[str, str, Json]]:
    """All announcements of one device: component, object id, config."""
    topic = zigbee.topic
    match zigbee.device:
        case Light() as light:
            yield "light", "light", _light(topic, light.modes)
        case Switch():
            yield "switch", "switch", _switch(topic)
        case Lock():
            config: Json = {
                "name": None,
                "command_topic": f"{topic}/set",
                "value_template": '{{ value_json["state"] }}',
                "state_locked": "LOCK",
                "state_unlocked": "UNLOCK",
            }
            yield "lock", "lock", config
        case Cover() as cover:
            yield "cover", "cover", _cover(topic, cover)
        case Thermostat() as thermostat:
            yield "climate", "climate", _climate(topic, thermostat)
        case Detector():
            is_contact = zigbee.detects == "contact"
            config = {
                "value_template": f'{{{{ value_json["{zigbee.detects}"] }}}}',
                "payload_on": not is_contact,
                "payload_off": is_contact,
                "device_class": DETECTORS[zigbee.detects],
            }
            yield "binary_sensor", zigbee.detects, config
        case _:
            pass
    for prop in zigbee.reads:
        # Without a name: Home Assistant makes one of the device class.
        reading: Json = {"value_template": f'{{{{ value_json["{prop}"] }}}}'}
        rest = {"state_class": "measurement", "enabled_by_default": True}
        yield "sensor", prop, reading | SENSORS[prop] | rest
    quality: Json = {
        "name": "Linkquality",
        "value_template": '{{ value_json["linkquality"] }}',
        "unit_of_measurement": "lqi",
        "state_class": "measurement",
        "enabled_by_default": False,
        "entity_category": "diagnostic",
        "icon": "mdi:signal",
    }
    yield "sensor", "linkquality", quality


def _light(topic: str, modes: Sequence[str]) -> Json:
    spoken = ["xy" if mode == "color" else mode for mode in modes if mode != "brightness"]
    config: Json = {
        "name": None,
        "schema": "json",
        "command_topic": f"{topic}/set",
        "brightness": True,
        "brightness_scale": 254,
        "supported_color_modes": spoken or ["brightness"],
    }
    return config | ({"min_mireds": 153, "max_mireds": 500} if "color_temp" in spoken else {})


def _switch(topic: str) -> Json:
    return {
        "name": None,
        "command_topic": f"{topic}/set",
        "payload_on": "ON",
        "payload_off": "OFF",
        "value_template": '{{ value_json["state"] }}',
    }


def _cover(topic: str, cover: Cover) -> Json:
    config: Json = {
        "name": None,
        "command_topic": f"{topic}/set",
        "position_topic": topic,
        "position_template": '{{ value_json["position"] }}',
        "set_position_topic": f"{topic}/set",
        "set_position_template": '{ "position": {{ position }} }',
        "state_opening": "UP",
        "state_closing": "DOWN",
        "state_stopped": "STOP",
        "value_template": '{% if "moving" in value_json and value_json["moving"] %} '
        '{{ value_json["moving"] }} {% else %} STOP {% endif %}',
    }
    if cover.tilt is not None:
        config |= {
            "tilt_command_topic": f"{topic}/set/tilt",
            "tilt_status_topic": topic,
            "tilt_status_template": '{{ value_json["tilt"] }}',
        }
    return config


def _climate(topic: str, thermostat: Thermostat) -> Json:
    return {
        "name": None,
        "temperature_unit": "C",
        "temp_step": 0.5,
        "min_temp": f"{thermostat.least:g}",
        "max_temp": f"{thermostat.most:g}",
        "current_temperature_topic": topic,
        "current_temperature_template": '{{ value_json["local_temperature"] }}',
        "temperature_command_topic": f"{topic}/set/occupied_heating_setpoint",
        "temperature_state_topic": topic,
        "temperature_state_template": '{{ value_json["occupied_heating_setpoint"] }}',
        "mode_command_topic": f"{topic}/set/system_mode",
        "mode_state_topic": topic,
        "mode_state_template": '{{ value_json["system_mode"] }}',
        "modes": list(thermostat.modes),
        "action_topic": topic,
        "action_template": "{% set values = {None:None,'idle':'idle','heat':'heating',"
        "'cool':'cooling','fan_only':'fan'} %}{{ values[value_json[\"running_state\"]] }}",
    }
