"""Zigbee2MQTT, Tasmota, ESPHome and zwave-js-ui as they announce themselves, each thing once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from announced import (
    BLIND,
    CONTACT,
    ESPHOME_COVER,
    ESPHOME_LIGHT,
    ESPHOME_SENSOR,
    FAN,
    LAMP,
    LIGHT,
    LOCK,
    MAC,
    VALVE,
    ZWAVE_DIMMER_DEFAULT,
    device,
    numeric,
    state,
    take,
    tasmota,
    zigbee_devices,
    zigbee_discovery,
    zigbee_groups,
)
from parlour.home.catalogue import Catalogue
from parlour.home.commands import make_messages
from parlour.home.entities import Command, Feature, Kind, State, Verb
from parlour.ids import EntityId

DEVICES, GROUPS = "zigbee2mqtt/bridge/devices", "zigbee2mqtt/bridge/groups"
DISCOVERED = f"homeassistant/light/{LAMP}/light/config"
TASMOTA = f"tasmota/discovery/{MAC}/config"


def told(catalogue: Catalogue, entity: str, verb: Verb, value: str | float | None = None) -> object:
    """The messages of a command, each payload as JSON where it is JSON."""
    id_ = EntityId(entity)
    definition = catalogue.definition(id_)
    assert definition is not None
    made = make_messages(definition, Command(id_, verb, value), catalogue.state(id_))
    return [(topic, _parsed(payload)) for topic, payload in made]


def _parsed(payload: str) -> object:
    return json.loads(payload) if payload.startswith("{") else payload


def hear(catalogue: Catalogue, topic: str, said: object) -> None:
    payload = said if isinstance(said, str) else json.dumps(said)
    catalogue.receive(topic, payload.encode())


def test_zigbee2mqtt_lists_everything_once_and_nothing_of_itself() -> None:
    catalogue = Catalogue()
    take(catalogue, DEVICES, zigbee_devices())
    kinds = {id_: entity.kind for id_, entity in catalogue.entities.items()}
    assert kinds == {
        "home.kitchen_lamp": Kind.LIGHT,
        "home.office_printer": Kind.SWITCH,
        "home.office_printer_power": Kind.SENSOR,
        "home.bedroom_blind": Kind.COVER,
        "home.bathroom_radiator": Kind.CLIMATE,
        "home.bathroom_radiator_battery": Kind.SENSOR,
        "home.kitchen_window": Kind.BINARY_SENSOR,
        "home.kitchen_window_battery": Kind.SENSOR,
        "home.hall_switch_left": Kind.SWITCH,
        "home.hall_switch_right": Kind.SWITCH,
        "home.front_door": Kind.LOCK,
        "home.bedroom_fan": Kind.FAN,
    }


def test_a_zigbee_lamp_counts_to_254_and_keeps_to_its_own_warmth() -> None:
    catalogue = Catalogue()
    take(catalogue, DEVICES, zigbee_devices())
    lamp = "home.kitchen_lamp"
    to = "zigbee2mqtt/Kitchen Lamp/set"
    bright = told(catalogue, lamp, Verb.SET_BRIGHTNESS, 50)
    assert bright == [(to, {"state": "ON", "brightness": 127})]
    warm = told(catalogue, lamp, Verb.SET_COLOR_TEMP, 1500)
    assert warm == [(to, {"state": "ON", "color_temp": 454})]
    said = {"state": "ON", "brightness": 254, "color_mode": "color_temp", "color_temp": 250}
    hear(catalogue, "zigbee2mqtt/bridge/state", {"state": "online"})
    hear(catalogue, "zigbee2mqtt/Kitchen Lamp", said | {"update": {"state": "idle"}})
    assert catalogue.state(EntityId(lamp)) == State(on=True, brightness=100, color_temp_k=4000)


@pytest.mark.parametrize("native_first", [True, False])
def test_a_zigbee_lamp_that_is_announced_twice_appears_once(native_first: bool) -> None:
    catalogue = Catalogue()
    announcements = [(DEVICES, [zigbee_devices()[1]]), (DISCOVERED, zigbee_discovery())]
    for topic, config in announcements if native_first else announcements[::-1]:
        take(catalogue, topic, config)
    assert list(catalogue.entities) == ["home.kitchen_lamp"]
    definition = catalogue.definition(EntityId("home.kitchen_lamp"))
    assert definition is not None
    assert definition.is_native
    take(catalogue, DEVICES, [])
    assert list(catalogue.entities) == ["home.kitchen_lamp"]
    catalogue.receive_config(DISCOVERED, b"")
    assert not catalogue.entities


def test_an_area_that_only_discovery_knows_counts_for_the_native_lamp() -> None:
    catalogue = Catalogue()
    take(catalogue, DEVICES, [zigbee_devices()[1]])
    config = zigbee_discovery()
    take(catalogue, DISCOVERED, config | {"device": {**config["device"], "sa": "Kitchen"}})  # type: ignore[dict-item]
    assert catalogue.entities[EntityId("home.kitchen_lamp")].area == "Kitchen"


def test_a_renamed_zigbee_device_keeps_its_id_and_gets_its_new_topics() -> None:
    catalogue = Catalogue()
    take(catalogue, DEVICES, zigbee_devices())
    catalogue.take_fresh()
    came, gone = take(catalogue, DEVICES, zigbee_devices("Pantry Lamp"))
    assert (came, gone) == (["home.kitchen_lamp"], [])
    entity = catalogue.entities[EntityId("home.kitchen_lamp")]
    assert entity.name == "Pantry Lamp"
    fresh = {"zigbee2mqtt/Pantry Lamp", "zigbee2mqtt/Pantry Lamp/availability"}
    assert catalogue.take_fresh() == fresh
    assert "zigbee2mqtt/Kitchen Lamp" not in catalogue.topics


def test_a_zigbee_bridge_that_is_away_takes_its_devices_along() -> None:
    catalogue = Catalogue()
    take(catalogue, DEVICES, zigbee_devices())
    lamp = EntityId("home.kitchen_lamp")
    assert not catalogue.state(lamp).available
    hear(catalogue, "zigbee2mqtt/bridge/state", {"state": "online"})
    assert catalogue.state(lamp).available  # the bridge need not tell of each device
    hear(catalogue, "zigbee2mqtt/Kitchen Lamp/availability", {"state": "offline"})
    assert not catalogue.state(lamp).available
    hear(catalogue, "zigbee2mqtt/Kitchen Lamp/availability", "online")  # as old bridges write it
    assert catalogue.state(lamp).available
    hear(catalogue, "zigbee2mqtt/bridge/state", {"state": "offline"})
    assert not catalogue.state(lamp).available


def test_zigbee_devices_of_each_kind_are_told_and_heard_in_their_words() -> None:
    catalogue = Catalogue()
    take(catalogue, DEVICES, zigbee_devices())
    at = "zigbee2mqtt/Bedroom Blind"
    hear(catalogue, at, {"position": 20, "state": "OPEN"})
    blind = EntityId("home.bedroom_blind")
    assert (catalogue.state(blind).position, catalogue.state(blind).cover) == (20, "open")
    assert told(catalogue, blind, Verb.SET_POSITION, 50) == [(f"{at}/set", {"position": 50})]
    assert told(catalogue, blind, Verb.CLOSE) == [(f"{at}/set", {"state": "CLOSE"})]
    at = "zigbee2mqtt/Bathroom Radiator"
    hear(catalogue, at, {"current_heating_setpoint": 21, "local_temperature": 19.5,
                         "system_mode": "heat", "battery": 80})  # fmt: skip
    radiator = catalogue.state(EntityId("home.bathroom_radiator"))
    assert (radiator.target_temperature, radiator.temperature, radiator.mode) == (21, 19.5, "heat")
    assert catalogue.state(EntityId("home.bathroom_radiator_battery")).value == 80
    temperature = told(catalogue, "home.bathroom_radiator", Verb.SET_TEMPERATURE, 19.5)
    assert temperature == [(f"{at}/set", {"current_heating_setpoint": 19.5})]
    mode = told(catalogue, "home.bathroom_radiator", Verb.SET_MODE, "auto")
    assert mode == [(f"{at}/set", {"system_mode": "auto"})]
    hear(catalogue, "zigbee2mqtt/Kitchen Window", {"contact": False})
    assert catalogue.state(EntityId("home.kitchen_window")).on is True
    hear(catalogue, "zigbee2mqtt/Hall Switch", {"state_left": "ON", "state_right": "OFF"})
    assert catalogue.state(EntityId("home.hall_switch_left")).on is True
    assert catalogue.state(EntityId("home.hall_switch_right")).on is False
    right = told(catalogue, "home.hall_switch_right", Verb.TOGGLE)
    assert right == [("zigbee2mqtt/Hall Switch/set", {"state_right": "ON"})]
    hear(catalogue, "zigbee2mqtt/Front Door", {"state": "LOCK"})
    assert catalogue.state(EntityId("home.front_door")).lock == "locked"
    unlock = told(catalogue, "home.front_door", Verb.UNLOCK)
    assert unlock == [("zigbee2mqtt/Front Door/set", {"state": "UNLOCK"})]
    hear(catalogue, "zigbee2mqtt/Bedroom Fan", {"fan_state": "ON", "fan_mode": "medium"})
    fan = catalogue.state(EntityId("home.bedroom_fan"))
    assert (fan.on, fan.speed, fan.mode) == (True, 66.7, "medium")
    fast = told(catalogue, "home.bedroom_fan", Verb.SET_SPEED, 100)
    assert fast == [("zigbee2mqtt/Bedroom Fan/set", {"fan_mode": "high"})]


def test_the_bounds_are_those_that_the_device_exposes() -> None:
    catalogue = Catalogue()
    take(catalogue, DEVICES, zigbee_devices())
    radiator = catalogue.entities[EntityId("home.bathroom_radiator")]
    assert (radiator.min_value, radiator.max_value, radiator.step) == (5, 35, 0.5)
    assert (radiator.unit, radiator.options) == ("°C", ("off", "auto", "heat"))
    power = catalogue.entities[EntityId("home.office_printer_power")]
    assert (power.unit, power.device_class) == ("W", "power")
    window = catalogue.entities[EntityId("home.kitchen_window")]
    assert window.device_class == "window"


def test_two_lamps_of_one_device_are_told_apart() -> None:
    catalogue = Catalogue()
    halves = [
        {"type": "light", "endpoint": end, "features": [state(f"state_{end}"), {
            "type": "numeric", "name": "brightness", "property": f"brightness_{end}",
            "access": 7, "value_max": 254}]}
        for end in ("l1", "l2")
    ]  # fmt: skip
    take(catalogue, DEVICES, [device(LAMP, "Hall", *halves)])
    hear(catalogue, "zigbee2mqtt/Hall", {"state_l1": "ON", "brightness_l1": 127, "state_l2": "OFF"})
    assert catalogue.state(EntityId("home.hall_l1")).brightness == 50
    assert catalogue.state(EntityId("home.hall_l2")).on is False
    dim = told(catalogue, "home.hall_l2", Verb.SET_BRIGHTNESS, 100)
    assert dim == [("zigbee2mqtt/Hall/set", {"state_l2": "ON", "brightness_l2": 254})]


@pytest.mark.parametrize("groups_first", [True, False])
def test_a_zigbee_group_is_one_lamp_with_what_all_its_members_can_do(groups_first: bool) -> None:
    catalogue = Catalogue()
    lists = [(DEVICES, zigbee_devices()), (GROUPS, zigbee_groups())]
    for topic, listed in lists[::-1] if groups_first else lists:
        take(catalogue, topic, listed)
    group = catalogue.entities[EntityId("home.kitchen_lamps")]
    assert group.kind is Kind.LIGHT
    assert Feature.COLOR in group.features
    scene = told(catalogue, "home.kitchen_lamps_cosy", Verb.ACTIVATE)
    assert scene == [("zigbee2mqtt/kitchen_lamps/set", {"scene_recall": 3})]
    assert not [id_ for id_ in catalogue.entities if "empty" in id_]


def test_a_zigbee_group_that_is_announced_twice_appears_once() -> None:
    catalogue = Catalogue()
    identifier = "zigbee2mqtt_1221051039810110150109113116116_9"
    about = {"ids": [identifier], "name": "kitchen_lamps"}
    light = {"name": None, "schema": "json", "cmd_t": "zigbee2mqtt/kitchen_lamps/set", "dev": about}
    scene = {"name": "Cosy", "cmd_t": "zigbee2mqtt/kitchen_lamps/set", "dev": about}
    at = "homeassistant/light/1221051039810110150109113116116_9"
    take(catalogue, f"{at}/light/config", light | {"uniq_id": "9_light_zigbee2mqtt"})
    take(catalogue, DEVICES, [zigbee_devices()[1]])
    take(catalogue, GROUPS, zigbee_groups()[:1])
    take(catalogue, f"{at.replace('light', 'scene')}/scene_3/config",
         scene | {"uniq_id": "9_scene_3_zigbee2mqtt"})  # fmt: skip
    names = {"home.kitchen_lamps", "home.kitchen_lamps_cosy", "home.kitchen_lamp"}
    assert set(catalogue.entities) == names


def test_who_can_be_asked_is_asked_until_heard() -> None:
    catalogue = Catalogue()
    take(catalogue, DEVICES, zigbee_devices())
    polls = dict(catalogue.polls)
    assert json.loads(polls["zigbee2mqtt/Kitchen Lamp/get"]) == {"state": "", "brightness": ""}
    assert "zigbee2mqtt/Kitchen Window/get" not in polls  # it sleeps
    hear(catalogue, "zigbee2mqtt/Kitchen Lamp", {"state": "OFF"})
    assert "zigbee2mqtt/Kitchen Lamp/get" not in dict(catalogue.polls)


def test_a_tasmota_relay_is_a_switch_with_the_names_it_was_given() -> None:
    catalogue = Catalogue()
    take(catalogue, TASMOTA, tasmota(rl=[1, 1, 0], fn=["Kettle", None]))
    assert set(catalogue.entities) == {"home.kettle", "home.tasmota_2"}
    assert catalogue.polls == [("cmnd/tasmota_1A2B3C/STATE", "")]
    kettle = EntityId("home.kettle")
    assert told(catalogue, kettle, Verb.ON) == [("cmnd/tasmota_1A2B3C/POWER1", "ON")]
    hear(catalogue, "tele/tasmota_1A2B3C/LWT", "Online")
    assert catalogue.state(kettle) == State()
    hear(catalogue, "stat/tasmota_1A2B3C/RESULT", {"POWER1": "ON"})
    assert catalogue.state(kettle).on is True
    hear(catalogue, "tele/tasmota_1A2B3C/STATE", {"Uptime": "1T", "POWER1": "OFF", "POWER2": "ON"})
    assert catalogue.state(kettle).on is False
    assert catalogue.state(EntityId("home.tasmota_2")).on is True
    hear(catalogue, "tele/tasmota_1A2B3C/LWT", "Offline")
    assert not catalogue.state(kettle).available


def test_a_tasmota_of_one_relay_calls_it_by_no_number() -> None:
    catalogue = Catalogue()
    take(catalogue, TASMOTA, tasmota())
    hear(catalogue, "stat/tasmota_1A2B3C/RESULT", {"POWER": "ON"})
    assert catalogue.state(EntityId("home.kettle")).on is True


def test_a_tasmota_of_one_shutter_calls_it_by_no_number() -> None:
    catalogue = Catalogue()
    take(catalogue, TASMOTA, tasmota(rl=[3, 3, 0, 0, 0, 0, 0, 0], dn="Awning"))
    assert [each.name for each in catalogue.entities.values()] == ["Awning"]
    take(catalogue, TASMOTA, tasmota(rl=[3, 3, 3, 3, 0, 0, 0, 0], dn="Awning"))
    assert [each.name for each in catalogue.entities.values()] == ["Awning 1", "Awning 2"]


def test_a_zigbee_cover_says_by_its_motor_that_it_moves() -> None:
    state = {
        "type": "enum", "name": "state", "property": "state", "access": 3,
        "values": ["OPEN", "CLOSE", "STOP"],
    }  # fmt: skip
    cover = {
        "type": "cover",
        "features": [state, numeric("position", 7, value_min=0, value_max=100)],
    }
    motor = {
        "type": "enum", "name": "moving", "property": "moving", "access": 1,
        "values": ["UP", "STOP", "DOWN"],
    }  # fmt: skip
    catalogue = Catalogue()
    take(catalogue, "zigbee2mqtt/bridge/devices", [device(BLIND, "Blind", cover, motor)])
    id_, topic = EntityId("home.blind"), "zigbee2mqtt/Blind"
    hear(catalogue, topic, {"state": "OPEN", "position": 60, "moving": "DOWN"})
    assert (catalogue.state(id_).cover, catalogue.state(id_).position) == ("closing", 60)
    hear(catalogue, topic, {"state": "OPEN", "position": 40, "moving": "STOP"})
    assert catalogue.state(id_).cover == "open"
    hear(catalogue, topic, {"state": "CLOSE", "position": 0, "moving": "STOP"})
    assert catalogue.state(id_).cover == "closed"


def test_a_tasmota_relay_that_stands_for_a_lamp_is_a_light() -> None:
    catalogue = Catalogue()
    options = {"30": 1}
    take(catalogue, TASMOTA, tasmota(so=options))
    assert catalogue.entities[EntityId("home.kettle")].kind is Kind.LIGHT


@pytest.mark.parametrize(
    ("subtype", "features"),
    [
        (1, {Feature.BRIGHTNESS}),
        (2, {Feature.BRIGHTNESS, Feature.COLOR_TEMP}),
        (3, {Feature.BRIGHTNESS, Feature.COLOR}),
        (4, {Feature.BRIGHTNESS, Feature.COLOR}),
        (5, {Feature.BRIGHTNESS, Feature.COLOR, Feature.COLOR_TEMP}),
    ],
)
def test_a_tasmota_lamp_can_do_what_its_type_says(subtype: int, features: set[Feature]) -> None:
    catalogue = Catalogue()
    take(catalogue, TASMOTA, tasmota(rl=[2], lt_st=subtype))
    lamp = EntityId("home.kettle")
    assert catalogue.entities[lamp].features == {Feature.ON_OFF} | features
    said = {"POWER": "ON", "Dimmer": 40, "HSBColor": "120,100,40", "CT": 400}
    hear(catalogue, "tele/tasmota_1A2B3C/STATE", said)
    assert catalogue.state(lamp).brightness == 40
    if Feature.COLOR in features:
        assert catalogue.state(lamp).color == (0, 255, 0)
        red = told(catalogue, lamp, Verb.SET_COLOR, "red")
        assert red == [("cmnd/tasmota_1A2B3C/Color2", "255,0,0")]
    dimmer = told(catalogue, lamp, Verb.SET_BRIGHTNESS, 30)
    assert dimmer == [("cmnd/tasmota_1A2B3C/Dimmer", "30")]


def test_a_tasmota_lamp_that_is_split_is_a_colour_and_a_white_lamp() -> None:
    catalogue = Catalogue()
    take(catalogue, TASMOTA, tasmota(rl=[2, 2], lt_st=5, lk=0, fn=["Strip", "White"]))
    strip, white = (catalogue.entities[EntityId(f"home.{name}")] for name in ("strip", "white"))
    assert Feature.COLOR in strip.features
    assert white.features == {Feature.ON_OFF, Feature.BRIGHTNESS, Feature.COLOR_TEMP}
    dim = told(catalogue, "home.white", Verb.SET_BRIGHTNESS, 30)
    assert dim == [("cmnd/tasmota_1A2B3C/Dimmer2", "30"), ("cmnd/tasmota_1A2B3C/POWER2", "ON")]


@pytest.mark.parametrize(("option", "position"), [(0, 30), (1, 70)])
def test_a_tasmota_shutter_may_count_backwards(option: int, position: int) -> None:
    catalogue = Catalogue()
    take(catalogue, TASMOTA, tasmota(rl=[3, 3], sho=[option], dn="Blind"))
    blind = EntityId("home.blind")
    moved = told(catalogue, blind, Verb.SET_POSITION, 30)
    assert moved == [("cmnd/tasmota_1A2B3C/ShutterPosition1", str(position))]
    stop = told(catalogue, blind, Verb.STOP)
    assert stop == [("cmnd/tasmota_1A2B3C/Backlog", "ShutterStop1")]
    said = {"Shutter1": {"Position": 100 if option else 0, "Direction": 0, "Target": 0}}
    hear(catalogue, "stat/tasmota_1A2B3C/RESULT", said)
    assert catalogue.state(blind).cover == "closed"
    hear(catalogue, "stat/tasmota_1A2B3C/STATUS10", {"StatusSNS": {
        "Shutter1": {"Position": position, "Direction": -1 if option else 1}}})  # fmt: skip
    assert (catalogue.state(blind).position, catalogue.state(blind).cover) == (30, "opening")


def test_a_tasmota_fan_has_three_speeds_and_a_lamp() -> None:
    catalogue = Catalogue()
    take(catalogue, TASMOTA, tasmota(**{"if": 1, "rl": [2, 0, 0, 0], "fn": ["Ceiling"]}))
    kinds = {entity.kind for entity in catalogue.entities.values()}
    assert kinds == {Kind.LIGHT, Kind.FAN}
    slow = told(catalogue, "home.tasmota_fan", Verb.SET_SPEED, 30)
    assert slow == [("cmnd/tasmota_1A2B3C/FanSpeed", "1")]
    hear(catalogue, "stat/tasmota_1A2B3C/RESULT", {"FanSpeed": 3})
    fan = catalogue.state(EntityId("home.tasmota_fan"))
    assert (fan.on, fan.speed) == (True, 100)


def test_a_tasmota_sensor_says_its_unit() -> None:
    catalogue = Catalogue()
    sensors = {"sn": {"Time": "x", "DS18B20": {"Id": "0", "Temperature": 20.6}, "TempUnit": "C"}}
    take(catalogue, f"tasmota/discovery/{MAC}/sensors", sensors | {"ver": 1})
    assert not catalogue.entities  # the device itself is not known yet
    take(catalogue, TASMOTA, tasmota(rl=[]))
    [entity] = catalogue.entities.values()
    assert (entity.name, entity.unit) == ("Tasmota Temperature", "°C")
    hear(catalogue, "tele/tasmota_1A2B3C/SENSOR", {"DS18B20": {"Temperature": 21.5}})
    assert catalogue.state(entity.id).value == 21.5


@pytest.mark.parametrize("native_first", [True, False])
def test_a_tasmota_that_also_announces_itself_to_home_assistant_appears_once(
    native_first: bool,
) -> None:
    catalogue = Catalogue()
    discovery = {
        "name": "Kettle", "stat_t": "tele/tasmota_1A2B3C/STATE",
        "avty_t": "tele/tasmota_1A2B3C/LWT", "pl_avail": "Online", "pl_not_avail": "Offline",
        "cmd_t": "cmnd/tasmota_1A2B3C/POWER", "val_tpl": "{{value_json.POWER}}",
        "uniq_id": "1A2B3C_RL_1", "dev": {"ids": ["1A2B3C"], "name": "Tasmota", "mf": "Tasmota"},
    }  # fmt: skip
    both = [
        (TASMOTA, tasmota()),
        ("homeassistant/switch/1A2B3C_RL_1/config", discovery),
    ]
    for topic, config in both if native_first else both[::-1]:
        take(catalogue, topic, config)
    assert len(catalogue.entities) == 1
    [id_] = catalogue.entities
    definition = catalogue.definition(id_)
    assert definition is not None
    assert definition.is_native


def test_an_esphome_lamp_and_its_sensor() -> None:
    catalogue = Catalogue()
    take(catalogue, "homeassistant/light/desk/desk_lamp/config", ESPHOME_LIGHT)
    take(catalogue, "homeassistant/sensor/desk/temperature/config", ESPHOME_SENSOR)
    assert set(catalogue.entities) == {"office.desk_lamp", "office.desk_temperature"}
    lamp = EntityId("office.desk_lamp")
    hear(catalogue, "desk/status", "online")
    said = {"color_mode": "rgb", "state": "ON", "brightness": 128,
            "color": {"r": 255, "g": 0, "b": 0}}  # fmt: skip
    hear(catalogue, "desk/light/desk_lamp/state", said)
    assert catalogue.state(lamp) == State(on=True, brightness=50.2, color=(255, 0, 0))
    blue = told(catalogue, lamp, Verb.SET_COLOR, "blue")
    color = {"state": "ON", "color": {"r": 0, "g": 0, "b": 255}}
    assert blue == [("desk/light/desk_lamp/command", color)]
    hear(catalogue, "desk/sensor/temperature/state", "21.50")
    assert catalogue.state(EntityId("office.desk_temperature")).value == 21.5


def test_an_esphome_gate_reports_both_its_state_and_its_position() -> None:
    catalogue = Catalogue()
    take(catalogue, "homeassistant/cover/gate/gate/config", ESPHOME_COVER)
    gate = EntityId("home.gate")
    hear(catalogue, "gate/status", "online")
    hear(catalogue, "gate/cover/gate/position/state", "100")
    hear(catalogue, "gate/cover/gate/state", "closing")
    assert catalogue.state(gate) == State(cover="closing", position=100)
    assert catalogue.entities[gate].device_class == "garage"
    half = told(catalogue, gate, Verb.SET_POSITION, 50)
    assert half == [("gate/cover/gate/position/command", "50")]


def test_a_zwave_dimmer_counts_to_99_and_is_turned_on_by_its_brightness() -> None:
    catalogue = Catalogue()
    take(catalogue, "homeassistant/light/Dimmer/dimmer/config", ZWAVE_DIMMER_DEFAULT)
    dimmer = EntityId("living_room.dimmer")
    hear(catalogue, "zwave/_CLIENTS/ZWAVE_GATEWAY-zui/status", {"value": True})
    hear(catalogue, "zwave/Living_Room/Dimmer/38/0/currentValue", {"time": 1, "value": 50})
    assert catalogue.state(dimmer) == State(on=True, brightness=50.5)
    to = "zwave/Living_Room/Dimmer/38/0/targetValue/set"
    assert told(catalogue, dimmer, Verb.SET_BRIGHTNESS, 30) == [(to, "30")]
    assert told(catalogue, dimmer, Verb.OFF) == [(to, "0")]
    hear(catalogue, "zwave/Living_Room/Dimmer/38/0/currentValue", {"time": 1, "value": 0})
    assert catalogue.state(dimmer).on is False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["type", "name", "property", "features", "access", "values", "endpoint", "value_on", "unit",
     "ieee_address", "friendly_name", "definition", "exposes", "members", "scenes", "id", "rl",
     "tp", "ft", "fn", "state", "sho", "lt_st", "so", "sn", "dn", "t"]
)  # fmt: skip


@given(st.dictionaries(KEYS, JSON | st.lists(st.dictionaries(KEYS, JSON), max_size=2)))
def test_no_announcement_of_any_source_raises(odd: dict[str, object]) -> None:
    catalogue = Catalogue()
    lamp = {**device(LAMP, "Lamp"), "definition": {"exposes": [{**LIGHT, **odd}, odd]}}
    take(catalogue, DEVICES, [lamp, {**lamp, **odd}, odd])
    take(catalogue, GROUPS, [odd, {"id": 1, "friendly_name": "g", **odd}])
    take(catalogue, TASMOTA, {**tasmota(rl=[2, 3, 3]), **odd})
    take(catalogue, f"tasmota/discovery/{MAC}/sensors", {"sn": odd})
    for topic in sorted(catalogue.topics):
        hear(catalogue, topic, odd)


@pytest.mark.parametrize("payload", [b"{", b"[", b"3", b"[1]", b'[{"ieee_address": 3}]', b"\xff"])
def test_a_broken_list_keeps_what_was_known(payload: bytes) -> None:
    catalogue = Catalogue()
    take(catalogue, TASMOTA, tasmota())
    catalogue.receive_config(DEVICES, payload)
    assert len(catalogue.entities) == 1


def test_what_a_test_names_exists() -> None:
    catalogue = Catalogue()
    take(catalogue, DEVICES, zigbee_devices())
    for address in (BLIND, VALVE, CONTACT, LOCK, FAN):
        definitions = [catalogue.definition(id_) for id_ in catalogue.entities]
        assert any(each is not None and each.device == address for each in definitions)
