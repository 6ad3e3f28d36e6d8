"""Announcements as real devices make them, written down by hand, and a short way to take them in."""

import json
from typing import Any

from parlour.home.catalogue import Catalogue
from parlour.ids import EntityId

LAMP = "0x00158d0001a2b3c4"
PLUG = "0x00158d0002b3c4d5"
BLIND = "0x00158d0003c4d5e6"
VALVE = "0x00158d0004d5e6f7"
CONTACT = "0x00158d0005e6f708"
DOUBLE = "0x00158d0006f70819"
LOCK = "0x00158d0007081920"
FAN = "0x00158d0008192031"


def numeric(name: str, access: int, **more: object) -> dict[str, object]:
    return {"type": "numeric", "name": name, "property": name, "access": access, **more}


def state(property_: str = "state", on: object = "ON", off: object = "OFF") -> dict[str, object]:
    return {
        "type": "binary", "name": "state", "property": property_, "access": 7,
        "value_on": on, "value_off": off, "value_toggle": "TOGGLE",
    }  # fmt: skip


LIGHT = {
    "type": "light",
    "features": [
        state(),
        numeric("brightness", 7, value_min=0, value_max=254),
        numeric("color_temp", 7, value_min=250, value_max=454, unit="mired"),
        {
            "type": "composite", "name": "color_xy", "property": "color", "access": 7,
            "features": [numeric("x", 7), numeric("y", 7)],
        },
    ],
}  # fmt: skip


def device(address: str, name: str, *exposes: dict[str, Any]) -> dict[str, object]:
    return {
        "ieee_address": address, "friendly_name": name, "type": "Router", "supported": True,
        "disabled": False, "interview_completed": True, "network_address": 4711,
        "definition": {"model": "M", "vendor": "V", "description": "D", "exposes": [
            *exposes, numeric("linkquality", 1, category="diagnostic", unit="lqi"),
        ]},
    }  # fmt: skip


def zigbee_devices(lamp: str = "Kitchen Lamp") -> list[dict[str, object]]:
    setpoint = numeric(
        "current_heating_setpoint", 7, value_min=5, value_max=35, value_step=0.5, unit="°C"
    )
    mode = {"type": "enum", "name": "system_mode", "property": "system_mode", "access": 7,
            "values": ["off", "auto", "heat"]}  # fmt: skip
    cover_state = {"type": "enum", "name": "state", "property": "state", "access": 3,
                   "values": ["OPEN", "CLOSE", "STOP"]}  # fmt: skip
    contact = {"type": "binary", "name": "contact", "property": "contact", "access": 1,
               "value_on": False, "value_off": True}  # fmt: skip
    fan_mode = {"type": "enum", "name": "mode", "property": "fan_mode", "access": 7,
                "values": ["off", "low", "medium", "high", "smart"]}  # fmt: skip
    position = numeric("position", 7, value_min=0, value_max=100, unit="%")
    return [
        {"ieee_address": "0x00124b0000000001", "friendly_name": "Coordinator",
         "type": "Coordinator", "definition": None},
        device(LAMP, lamp, LIGHT),
        device(PLUG, "Office/Printer", {"type": "switch", "features": [state()]},
               numeric("power", 1, unit="W"), numeric("countdown", 7, category="config")),
        device(BLIND, "Bedroom Blind", {"type": "cover", "features": [cover_state, position]}),
        device(VALVE, "Bathroom Radiator", {"type": "climate", "features": [
            setpoint, numeric("local_temperature", 5), mode]},
            numeric("battery", 1, category="diagnostic", unit="%")),
        device(CONTACT, "Kitchen Window", contact,
               numeric("battery", 1, category="diagnostic", unit="%"),
               numeric("voltage", 1, category="diagnostic", unit="mV")),
        device(DOUBLE, "Hall Switch",
               {"type": "switch", "endpoint": "left", "features": [state("state_left")]},
               {"type": "switch", "endpoint": "right", "features": [state("state_right")]}),
        device(LOCK, "Front Door", {"type": "lock", "features": [state("state", "LOCK", "UNLOCK")]}),
        device(FAN, "Bedroom Fan", {"type": "fan", "features": [state("fan_state"), fan_mode]}),
    ]  # fmt: skip


def zigbee_groups() -> list[dict[str, object]]:
    return [
        {"id": 9, "friendly_name": "kitchen_lamps", "scenes": [{"id": 3, "name": "Cosy"}],
         "members": [{"ieee_address": LAMP, "endpoint": 1}]},
        {"id": 10, "friendly_name": "empty", "scenes": [], "members": []},
    ]  # fmt: skip


def zigbee_discovery(address: str = LAMP, name: str = "Kitchen Lamp") -> dict[str, object]:
    """What Zigbee2MQTT's Home Assistant extension says of a lamp."""
    return {
        "availability": [
            {"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"},
            {"topic": f"zigbee2mqtt/{name}/availability",
             "value_template": "{{ value_json.state }}"},
        ],
        "availability_mode": "all",
        "brightness": True, "brightness_scale": 254,
        "supported_color_modes": ["xy", "color_temp"],
        "command_topic": f"zigbee2mqtt/{name}/set",
        "device": {
            "identifiers": [f"zigbee2mqtt_{address}"], "manufacturer": "IKEA", "name": name,
            "sw_version": "2.3.093", "via_device": "zigbee2mqtt_bridge_0x00124b0000000001",
        },
        "effect": True, "effect_list": ["blink", "breathe"],
        "max_mireds": 454, "min_mireds": 250, "name": None, "object_id": "kitchen_lamp",
        "origin": {"name": "Zigbee2MQTT", "sw": "2.1.0", "url": "https://www.zigbee2mqtt.io"},
        "schema": "json", "state_topic": f"zigbee2mqtt/{name}",
        "unique_id": f"{address}_light_zigbee2mqtt",
    }  # fmt: skip


ESPHOME_LIGHT = {
    "schema": "json", "name": "Desk Lamp", "brightness": True, "clrm": True,
    "sup_clrm": ["rgb", "color_temp"], "min_mirs": 153, "max_mirs": 500,
    "stat_t": "desk/light/desk_lamp/state", "cmd_t": "desk/light/desk_lamp/command",
    "avty_t": "desk/status", "pl_avail": "online", "pl_not_avail": "offline",
    "uniq_id": "ESPlightdesk_lamp",
    "dev": {"ids": "a0b1c2d3e4f5", "name": "Desk", "sw": "esphome v2026.1.0", "mdl": "esp32dev",
            "mf": "espressif", "sa": "Office", "cns": [["mac", "a0:b1:c2:d3:e4:f5"]]},
}  # fmt: skip
ESPHOME_SENSOR = {
    "dev_cla": "temperature", "unit_of_meas": "°C", "stat_cla": "measurement", "exp_aft": 120,
    "name": "Temperature", "stat_t": "desk/sensor/temperature/state", "avty_t": "desk/status",
    "uniq_id": "ESPsensortemperature", "sug_dsp_prc": 1, "dev": ESPHOME_LIGHT["dev"],
}  # fmt: skip
ESPHOME_COVER = {
    "dev_cla": "garage", "name": "Gate", "stat_t": "gate/cover/gate/state",
    "cmd_t": "gate/cover/gate/command", "pos_t": "gate/cover/gate/position/state",
    "set_pos_t": "gate/cover/gate/position/command", "avty_t": "gate/status",
    "uniq_id": "ESPcovergate", "dev": {"ids": "a0b1c2d3e4f6", "name": "Gate"},
}  # fmt: skip

ZWAVE_DIMMER = {
    "schema": "json", "brightness": True, "brightness_scale": 99,
    "command_topic": "zwave/Living_Room/Dimmer/38/0/targetValue/set",
    "state_topic": "zwave/Living_Room/Dimmer/38/0/currentValue",
}  # fmt: skip
ZWAVE_DIMMER_DEFAULT = {
    "state_topic": "zwave/Living_Room/Dimmer/38/0/currentValue",
    "command_topic": "zwave/Living_Room/Dimmer/38/0/targetValue/set",
    "state_value_template": "{{ 'OFF' if value_json.value == 0 else 'ON' }}",
    "brightness_state_topic": "zwave/Living_Room/Dimmer/38/0/currentValue",
    "brightness_value_template": "{{ (value_json.value | round(0)) | int }}",
    "brightness_command_topic": "zwave/Living_Room/Dimmer/38/0/targetValue/set",
    "brightness_scale": 99, "on_command_type": "brightness",
    "payload_off": 0, "state_off": "OFF", "state_on": "ON",
    "availability": [{"topic": "zwave/_CLIENTS/ZWAVE_GATEWAY-zui/status",
                      "value_template": "{{'online' if value_json.value else 'offline'}}"}],
    "device": {"identifiers": ["zwavejs2mqtt_0xd1e2f3a4_node7"], "name": "Dimmer",
               "suggested_area": "Living Room"},
    "name": "Dimmer", "unique_id": "zwavejs2mqtt_0xd1e2f3a4_7-38-0-currentValue",
}  # fmt: skip

MAC = "C45BBE1A2B3C"


def tasmota(**more: object) -> dict[str, object]:
    return {
        "ip": "192.168.1.20", "dn": "Tasmota", "fn": ["Kettle", None], "hn": "tasmota-1A2B3C-2876",
        "mac": MAC, "md": "Sonoff Basic", "ty": 0, "if": 0, "ofln": "Offline", "onln": "Online",
        "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "13.4.0", "t": "tasmota_1A2B3C",
        "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1, 0, 0, 0],
        "swc": [-1, -1], "swn": [None, None], "btn": [0, 0], "lk": 1, "lt_st": 0,
        "so": {"4": 0, "11": 0, "13": 0, "17": 0, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0,
               "114": 0, "117": 0},
        "bat": 0, "dslp": 0, "sho": [0, 0, 0, 0], "sht": [[0, 0, 0]] * 4, "ver": 1, **more,
    }  # fmt: skip


def take(catalogue: Catalogue, topic: str, config: object) -> tuple[list[EntityId], list[str]]:
    """Announce; returns the ids that came or changed and the names of what went."""
    came, gone = catalogue.receive_config(topic, json.dumps(config).encode())
    return came, [entity.name for entity in gone]
