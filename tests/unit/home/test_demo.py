"""The demo home's devices and dialects, without a broker and without a clock."""

import json
from pathlib import Path

import pytest

import parlour_bench
from parlour.home.demo import FLOORS, DemoHome, demo_entities
from parlour.home.demo.devices import (
    NEVER,
    Cover,
    Detector,
    Fan,
    Humidifier,
    Light,
    Lock,
    Number,
    Sensor,
    Thermostat,
    Vacuum,
)
from parlour.home.demo.house import SLOW_S
from parlour.home.demo.station import Station
from parlour.home.entities import Kind

OLD = {
    "kitchen.light",
    "kitchen.coffee_machine",
    "kitchen.blinds",
    "living_room.light",
    "living_room.lamp",
    "living_room.blinds",
    "living_room.thermostat",
    "bedroom.light",
    "bedroom.lamp",
    "bedroom.blinds",
    "office.light",
    "office.fan",
}


class Playing:
    """A demo home at a time that the test sets; keeps what was said last on each topic."""

    def __init__(self) -> None:
        self.home = DemoHome()
        self.said: dict[str, str] = {}
        self.heard: list[tuple[str, str]] = []
        self.at(0.0)

    def at(self, now_s: float) -> None:
        self.heard = []
        for _, message in self.home.advance(now_s)[0]:
            self.said[message.topic] = message.payload
            self.heard.append((message.topic, message.payload))

    def tell(self, topic: str, payload: str, now_s: float) -> None:
        self.home.receive(self.station(topic), topic, payload, now_s)
        self.at(now_s)

    def station(self, topic: str) -> Station:
        found = [each for each in self.home.stations if topic in _concrete(each)]
        assert len(found) == 1, topic
        return found[0]

    def json(self, topic: str) -> dict[str, object]:
        said: dict[str, object] = json.loads(self.said[topic])
        return said

    def truth(self, slug: str) -> dict[str, object]:
        return self.home.snapshot()[slug]


COMMANDS = (
    "POWER",
    "Power1",
    "Dimmer",
    "CT",
    "Color2",
    "STATE",
    "STATUS",
    "ShutterStop1",
    "ShutterPosition1",
    "Backlog",
)
PROPERTIES = ("state", "brightness", "position", "tilt", "system_mode", "occupied_heating_setpoint")


def _concrete(station: Station) -> set[str]:
    """The topics that a station hears, with names for its wildcards."""
    found = set()
    for topic in station.subscriptions:
        names = COMMANDS if topic.endswith("#") else PROPERTIES if topic.endswith("+") else ("",)
        found |= {topic.replace("#", name).replace("+", name) for name in names}
    return found


@pytest.fixture
def playing() -> Playing:
    return Playing()


def announced(topic: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(dict(DemoHome().announcements())[topic])
    return found


# ---------------------------------------------------------------- the house


def test_it_holds_every_entity_that_the_bench_speaks_to() -> None:
    lines = Path(parlour_bench.__file__).with_name("data").joinpath("commands.jsonl").read_text()
    wanted = {entity for line in lines.splitlines() for entity in json.loads(line).get("after", {})}
    assert {entity.id for entity in demo_entities()} >= OLD | wanted


def test_it_has_a_thing_of_every_kind_in_every_room() -> None:
    entities = demo_entities()
    # What plays sound cannot be announced.
    assert {entity.kind for entity in entities} == set(Kind) - {Kind.MEDIA}
    areas = {area for listed in FLOORS.values() for area in listed}
    assert {entity.area for entity in entities} == areas | {None}
    assert len({entity.id for entity in entities}) == len(entities) > 40


def test_no_two_devices_share_a_topic_or_a_unique_id() -> None:
    topics = [topic for topic, _ in DemoHome().announcements()]
    assert len(topics) == len(set(topics))
    configs = [json.loads(each) for topic, each in DemoHome().announcements() if "/config" in topic]
    ids = [each.get("unique_id", each.get("uniq_id")) for each in configs]
    ids = [each for each in ids if each is not None]
    assert len(ids) == len(set(ids))


def test_garbage_is_ignored_and_only_changes_are_told(playing: Playing) -> None:
    before = playing.home.snapshot()
    assert len(playing.said) > 60
    payloads = ("", "{", "[]", "nan?", "-", '{"color": {"r": "x"}}', '{"state": 7}', "99,x")
    for station in playing.home.stations:
        for topic in _concrete(station):
            for payload in payloads:
                playing.home.receive(station, topic, payload, 0.1)
    playing.at(0.1)
    assert playing.home.snapshot() == before
    playing.tell("parlour_demo/office_fan/set", "ON", 0.2)
    assert playing.heard == [("parlour_demo/office_fan/state", '{"state": "ON"}')]


def test_a_scene_moves_devices_of_every_dialect(playing: Playing) -> None:
    playing.tell("parlour_demo/kitchen_light/set", "ON", 1.0)
    playing.tell("zigbee2mqtt/Hall Light/set", '{"state": "ON"}', 1.0)
    playing.tell("zigbee2mqtt/Front Door/set", '{"state": "UNLOCK"}', 1.0)
    playing.at(2.0)
    assert playing.truth("hall_front_door") == {"locked": False}
    playing.tell("parlour_demo/good_night/set", "ON", 3.0)
    playing.at(4.0)
    assert playing.said["parlour_demo/kitchen_light/state"] == "OFF"
    assert playing.json("zigbee2mqtt/Hall Light")["state"] == "OFF"
    assert playing.truth("hall_front_door") == {"locked": True}


# ---------------------------------------------------------------- how devices behave


def test_a_light_dims_for_half_a_second() -> None:
    light = Light()
    light.dim(1, 10.0)
    assert light.is_on
    light.advance(10.25)
    assert light.level == pytest.approx(50)
    assert light.advance(10.5) == NEVER
    assert light.level == 1
    light.dim(0, 11.0)
    assert light.truth == {"on": False, "level": 1}


def test_blinds_travel_three_seconds_and_stop_on_the_way() -> None:
    blinds = Cover()
    blinds.obey("CLOSE", 0.0)
    assert blinds.doing == "closing"
    blinds.advance(1.5)
    blinds.obey("STOP", 1.5)
    assert (blinds.doing, blinds.position) == ("open", 50)
    blinds.obey("CLOSE", 60.0)
    blinds.advance(61.0)
    assert blinds.position == pytest.approx(16.7, abs=0.1)
    blinds.advance(62.0)
    assert blinds.doing == "closed"


def test_slats_tilt_without_moving_the_blinds() -> None:
    blinds = Cover(tilt=50)
    blinds.slant(100, 0.0)
    blinds.advance(0.25)
    assert blinds.truth == {"position": 100, "doing": "open", "tilt": 75}
    assert blinds.advance(0.5) == NEVER


def test_a_room_warms_towards_its_target() -> None:
    thermostat = Thermostat(target=21, measured=20.8)
    thermostat.advance(0.0)
    thermostat.advance(4.0)
    assert thermostat.measured == 20.9
    thermostat.advance(60.0)
    assert thermostat.measured == 21
    thermostat.switch("off")
    thermostat.advance(64.0)
    assert thermostat.measured == 20.9


def test_a_vacuum_cleans_returns_and_charges() -> None:
    vacuum = Vacuum()
    vacuum.obey("start", 0.0)
    vacuum.advance(60.0)
    assert (vacuum.activity, round(vacuum.battery)) == ("cleaning", 94)
    vacuum.obey("pause", 60.0)
    assert vacuum.advance(500.0) == NEVER
    vacuum.obey("start", 500.0)
    vacuum.advance(559.0)
    assert vacuum.activity == "cleaning"
    vacuum.advance(560.0)
    assert vacuum.activity == "returning"
    vacuum.advance(575.0)
    assert vacuum.activity == "docked"
    vacuum.advance(1575.0)
    assert vacuum.battery == 100


def test_a_lock_takes_a_moment_to_turn() -> None:
    lock = Lock()
    lock.turn(False, 0.0)
    assert lock.advance(0.25) == pytest.approx(0.35)
    assert lock.is_locked
    lock.advance(0.6)
    assert not lock.is_locked


def test_a_detector_comes_and_goes() -> None:
    motion = Detector(every_s=600, for_s=30)
    assert motion.advance(100.0) == 570
    motion.advance(670.0)
    assert motion.detects
    motion.advance(700.0)
    assert not motion.detects
    anna = Detector(detects=True, every_s=90, for_s=60)
    anna.advance(0.0)
    assert anna.detects
    anna.advance(60.0)
    assert not anna.detects


def test_a_sensor_swings_about_its_middle() -> None:
    sensor = Sensor(20, 2)
    assert sensor.advance(5.0) == 30
    sensor.advance(905.0)
    assert sensor.value == 22
    sensor.advance(2705.0)
    assert sensor.value == 18


def test_fans_humidifiers_and_numbers_keep_to_their_limits() -> None:
    fan, humidifier = Fan(presets=("sleep",)), Humidifier()
    fan.take_preset("storm")
    assert not fan.is_on
    fan.take_preset("sleep")
    assert fan.truth == {"on": True, "speed": 50, "preset": "sleep"}
    fan.blow(130)
    assert fan.truth == {"on": True, "speed": 100, "preset": None}
    humidifier.aim(95)
    humidifier.switch("desert")
    assert (humidifier.target, humidifier.mode) == (80, "normal")
    number = Number(15, 1, 60, 1, "min")
    number.take(61)
    assert number.value == 15


# ---------------------------------------------------------------- Home Assistant's own discovery


def test_an_inverted_cover_reports_and_takes_how_far_it_is_closed(playing: Playing) -> None:
    config = announced("homeassistant/cover/parlour_demo/kids_room_curtains/config")
    assert (config["pos_open"], config["pos_clsd"]) == (0, 100)
    assert playing.said["parlour_demo/kids_room_curtains/position"] == "0"
    playing.tell("parlour_demo/kids_room_curtains/position/set", "75", 1.0)
    playing.at(10.0)
    assert playing.truth("kids_room_curtains")["position"] == 25
    assert playing.said["parlour_demo/kids_room_curtains/position"] == "75"


def test_a_light_of_a_scale_of_100_and_one_of_templates_take_their_brightness(
    playing: Playing,
) -> None:
    playing.tell("parlour_demo/bathroom_light/bri/set", "30", 1.0)
    playing.tell("parlour_demo/hall_staircase_light/set", "on,128,", 1.0)
    playing.at(2.0)
    assert playing.truth("bathroom_light") == {"on": True, "level": 30}
    assert playing.said["parlour_demo/bathroom_light/bri"] == "30"
    assert playing.truth("hall_staircase_light")["level"] == 50
    assert playing.said["parlour_demo/hall_staircase_light/state"] == "on,128,370"
    playing.tell("parlour_demo/hall_staircase_light/set", "off", 3.0)
    assert playing.truth("hall_staircase_light")["on"] is False


def test_a_siren_takes_a_word_or_an_object(playing: Playing) -> None:
    playing.tell("parlour_demo/hall_siren/set", '{"state": "ON", "tone": "beep"}', 1.0)
    assert playing.said["parlour_demo/hall_siren/state"] == "ON"
    playing.tell("parlour_demo/hall_siren/set", "OFF", 2.0)
    assert playing.said["parlour_demo/hall_siren/state"] == "OFF"


# ---------------------------------------------------------------- Zigbee2MQTT


def test_zigbee2mqtt_lists_its_devices_with_what_they_expose() -> None:
    listed = json.loads(dict(DemoHome().announcements())["zigbee2mqtt/bridge/devices"])
    assert listed[0]["type"] == "Coordinator"
    by_name = {each["friendly_name"]: each for each in listed}
    (light, *_) = by_name["Kids Room Light"]["definition"]["exposes"]
    assert [each["name"] for each in light["features"]] == [
        "state",
        "brightness",
        "color_temp",
        "color_xy",
    ]
    assert light["features"][1]["value_max"] == 254
    (contact, battery, _) = by_name["Kitchen Window"]["definition"]["exposes"]
    assert (contact["value_on"], contact["value_off"], contact["access"]) == (False, True, 1)
    assert battery["unit"] == "%"


def test_its_discovery_is_as_its_extension_writes_it() -> None:
    config = announced("homeassistant/light/0x0017880104e45522/light/config")
    assert config["brightness_scale"] == 254
    assert config["supported_color_modes"] == ["xy", "color_temp"]
    assert config["availability_mode"] == "all"
    assert config["availability"] == [
        {"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"},
        {
            "topic": "zigbee2mqtt/Kids Room Light/availability",
            "value_template": "{{ value_json.state }}",
        },
    ]
    assert config["unique_id"] == "0x0017880104e45522_light_zigbee2mqtt"
    device = config["device"]
    assert isinstance(device, dict)
    assert device["identifiers"] == ["zigbee2mqtt_0x0017880104e45522"]
    coded = "1221051039810110150109113116116_1"
    group = announced(f"homeassistant/light/{coded}/light/config")
    assert group["group"] == [
        "0x0017880104e45522_light_zigbee2mqtt",
        "0x0017880104e45523_light_zigbee2mqtt",
    ]
    scene = announced(f"homeassistant/scene/{coded}/scene_1/config")
    assert scene["payload_on"] == '{ "scene_recall": 1 }'
    assert "state_topic" not in scene


@pytest.mark.parametrize(
    ("tail", "payload", "slug", "truth"),
    [
        ("Hall Light/set", '{"state": "ON", "brightness": 127}', "hall_light", {"level": 50}),
        ("Hall Light/set", "ON", "hall_light", {"on": True}),
        ("Hall Light/set/brightness", "254", "hall_light", {"on": True, "level": 100}),
        ("Kids Room Light/set", '{"color_temp": 250}', "kids_room_light", {"kelvin": 4000}),
        (
            "Kids Room Light/set",
            '{"color": {"hue": 240, "saturation": 100}}',
            "kids_room_light",
            {"color": (0, 0, 255)},
        ),
        ("Office Shutters/set", '{"position": 40}', "office_shutters", {"position": 40}),
        ("Office Shutters/set/tilt", "100", "office_shutters", {"tilt": 100}),
        ("Office Shutters/set", '{"state": "CLOSE"}', "office_shutters", {"doing": "closed"}),
        (
            "Bathroom Radiator/set/occupied_heating_setpoint",
            "19.5",
            "bathroom_radiator",
            {"target": 19.5},
        ),
        ("Bathroom Radiator/set/system_mode", "off", "bathroom_radiator", {"mode": "off"}),
        ("Front Door/set", '{"state": "UNLOCK"}', "hall_front_door", {"locked": False}),
        ("Living Room Television/set", "TOGGLE", "living_room_television", {"on": True}),
        ("Play Corner/set", '{"state": "ON"}', "kids_room_night_light", {"on": True}),
        ("Play Corner/set", '{"scene_recall": 1}', "kids_room_light", {"on": True, "level": 5}),
    ],
)
def test_zigbee_devices_obey(
    playing: Playing, tail: str, payload: str, slug: str, truth: dict[str, object]
) -> None:
    playing.tell(f"zigbee2mqtt/{tail}", payload, 1.0)
    for step in range(60):
        playing.at(1 + step / 10)
    now = playing.truth(slug)
    assert {key: now[key] for key in truth} == truth


def test_a_zigbee_device_says_how_it_stands_when_told_and_when_asked(playing: Playing) -> None:
    topic = "zigbee2mqtt/Kids Room Night Light"
    playing.tell(f"{topic}/set", '{"state": "OFF"}', 1.0)  # as it is already
    assert topic in dict(playing.heard)
    playing.tell(f"{topic}/get", '{"state": ""}', 2.0)
    assert dict(playing.heard)[topic] == playing.said[topic]
    assert playing.json("zigbee2mqtt/Kitchen Window")["contact"] is False  # open
    assert playing.truth("kitchen_window") == {"detects": True}


def test_a_group_is_on_when_one_of_its_members_is(playing: Playing) -> None:
    playing.tell("zigbee2mqtt/Kids Room Night Light/set", '{"state": "ON"}', 1.0)
    assert playing.json("zigbee2mqtt/Play Corner")["state"] == "ON"
    playing.tell("zigbee2mqtt/Play Corner/set", '{"state": "OFF"}', 2.0)
    assert playing.json("zigbee2mqtt/Kids Room Night Light")["state"] == "OFF"


def test_zigbee2mqtt_announces_again_when_home_assistant_comes(playing: Playing) -> None:
    playing.tell("homeassistant/status", "online", 1.0)
    assert "homeassistant/light/0x0017880104e45521/light/config" in dict(playing.heard)


# ---------------------------------------------------------------- ESPHome


def test_esphome_abbreviates_and_writes_whole_topics() -> None:
    config = announced("homeassistant/valve/garden-node/water/config")
    assert config["stat_t"] == "garden-node/valve/water/state"
    assert config["cmd_t"] == "garden-node/valve/water/command"
    assert config["set_pos_t"] == "garden-node/valve/water/position/command"
    assert config["avty_t"] == "garden-node/status"
    assert config["uniq_id"] == "ESPvalvewater"
    device = config["dev"]
    assert isinstance(device, dict)
    assert set(device) == {"ids", "name", "sw", "mdl", "mf", "sa", "cns"}


def test_esphome_components_obey(playing: Playing) -> None:
    playing.tell("garden-node/valve/water/command", "OPEN", 1.0)
    assert playing.said["garden-node/valve/water/state"] == "opening"
    playing.tell("garden-node/number/watering_time/command", "20", 1.0)
    assert playing.said["garden-node/number/watering_time/state"] == "20.000000"
    playing.tell("laundry-node/select/washing_program/command", "Wool", 1.0)
    playing.tell("laundry-node/select/washing_program/command", "Silk", 1.0)
    assert playing.said["laundry-node/select/washing_program/state"] == "Wool"
    playing.at(3.0)
    assert playing.truth("garden_water") == {"position": 100, "doing": "open"}


# ---------------------------------------------------------------- Tasmota


def test_tasmota_announces_in_its_own_way() -> None:
    config = announced("tasmota/discovery/DC4F22A0B102/config")
    assert (config["t"], config["dn"], config["lt_st"]) == ("garage_light", "Garage Light", 1)
    assert config["rl"] == [2, 0, 0, 0, 0, 0, 0, 0]
    assert config["mac"] == "DC4F22A0B102"
    assert announced("tasmota/discovery/DC4F22A0B103/config")["rl"] == [3, 3, 0, 0, 0, 0, 0, 0]
    sensors = announced("tasmota/discovery/DC4F22A0B106/sensors")["sn"]
    assert isinstance(sensors, dict)
    assert set(sensors["AM2301"]) == {"Temperature", "Humidity"}


def test_a_tasmota_relay_answers_with_its_result(playing: Playing) -> None:
    playing.tell("cmnd/garage_heater/Power1", "ON", 1.0)
    assert playing.heard == [
        ("stat/garage_heater/RESULT", '{"POWER": "ON"}'),
        ("stat/garage_heater/POWER", "ON"),
    ]
    playing.tell("cmnd/garage_heater/POWER", "", 2.0)  # a question
    assert playing.said["stat/garage_heater/POWER"] == "ON"
    playing.tell("cmnd/garage_heater/STATE", "", 3.0)
    assert playing.json("stat/garage_heater/RESULT")["POWER"] == "ON"


def test_a_tasmota_dimmer_counts_to_100(playing: Playing) -> None:
    playing.tell("cmnd/garage_light/Dimmer", "40", 1.0)
    said = playing.json("stat/garage_light/RESULT")
    assert (said["POWER"], said["Dimmer"]) == ("ON", 40)
    assert playing.truth("garage_light") == {"on": True, "level": 40}


def test_a_tasmota_shutter_tells_of_its_way(playing: Playing) -> None:
    playing.tell("cmnd/garden_awning/ShutterPosition1", "50", 1.0)
    going = playing.json("stat/garden_awning/RESULT")["Shutter1"]
    assert going == {"Position": 0, "Direction": 1, "Target": 50, "Tilt": 0}
    playing.at(3.0)
    there = playing.json("stat/garden_awning/RESULT")["Shutter1"]
    assert there == {"Position": 50, "Direction": 0, "Target": 50, "Tilt": 0}


def test_tasmota_takes_several_commands_at_once(playing: Playing) -> None:
    playing.tell("cmnd/garage_light/Backlog", "Dimmer 25; Power OFF;", 1.0)
    assert playing.truth("garage_light") == {"on": False, "level": 25}
    playing.tell("cmnd/garden_awning/Backlog", "ShutterOpen1", 2.0)
    playing.at(8.0)
    assert playing.truth("garden_awning")["position"] == 100
    playing.tell("cmnd/garden_awning/STATUS", "10", 9.0)
    measured = playing.json("stat/garden_awning/STATUS10")["StatusSNS"]
    assert isinstance(measured, dict)
    assert measured["Shutter1"]["Position"] == 100


def test_tasmota_tells_what_it_measures_every_ten_seconds(playing: Playing) -> None:
    playing.tell("cmnd/bathroom_washing_machine/POWER", "ON", 1.0)
    topic = "tele/bathroom_washing_machine/SENSOR"
    playing.at(9.0)
    assert topic not in dict(playing.heard)
    playing.at(10.0)
    assert playing.json(topic)["ENERGY"] == {"Power": 1850}


# ---------------------------------------------------------------- who misbehaves


def test_the_garden_lights_are_slow(playing: Playing) -> None:
    playing.tell("garden-node/light/lights/command", '{"state": "ON"}', 1.0)
    _, wait_s = playing.home.advance(1.0)
    assert wait_s <= SLOW_S
    playing.at(3.4)
    assert playing.truth("garden_lights")["on"] is False
    playing.at(3.5)
    assert playing.truth("garden_lights")["on"] is True
    assert playing.json("garden-node/light/lights/state")["state"] == "ON"


def test_the_shed_light_is_away_and_says_nothing(playing: Playing) -> None:
    playing.tell("cmnd/garden_shed_light/POWER", "ON", 1.0)
    assert playing.heard == []
    assert not any("garden_shed_light" in topic for topic in playing.said)
    assert playing.truth("garden_shed_light")["on"] is False


def test_the_doorbell_chime_obeys_and_reports_nothing(playing: Playing) -> None:
    config = announced("homeassistant/switch/parlour_demo/garden_doorbell_chime/config")
    assert "stat_t" not in config
    playing.tell("parlour_demo/garden_doorbell_chime/set", "ON", 1.0)
    assert playing.heard == []
    assert playing.truth("garden_doorbell_chime") == {"on": True}


def test_the_attic_fan_hears_no_command(playing: Playing) -> None:
    playing.tell("garage-node/fan/attic_fan/command", "ON", 1.0)
    assert playing.heard == []
    assert playing.truth("garage_attic_fan")["on"] is False
    assert playing.said["garage-node/fan/attic_fan/state"] == "OFF"
