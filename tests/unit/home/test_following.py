"""How states are followed: retained, late, expiring, too large; and what went away is dropped."""

import json

import pytest

from announced import MAC, take, tasmota, zigbee_devices
from parlour.home.abbreviations import DEVICE, KEYS, ORIGIN
from parlour.home.catalogue import MOST_ENTITIES, Catalogue
from parlour.home.entities import Command, State, Verb
from parlour.home.payloads import LARGEST_BYTES
from parlour.ids import EntityId

X = EntityId("home.x")
SENSOR = "homeassistant/sensor/x/config"
BINARY = "homeassistant/binary_sensor/x/config"


def test_a_reading_that_is_not_renewed_expires() -> None:
    catalogue = Catalogue()
    take(catalogue, SENSOR, {"name": "X", "stat_t": "s", "exp_aft": 60})
    catalogue.receive("s", b"20", 10.0)
    assert catalogue.next_s == 70
    catalogue.receive("s", b"21", 30.0)
    assert catalogue.advance(70.0) == []
    assert catalogue.state(X) == State(value=21)
    assert catalogue.advance(90.0) == [X]
    assert catalogue.state(X) == State(available=False, value=21)
    catalogue.receive("s", b"22", 100.0)
    assert catalogue.state(X) == State(value=22)


def test_a_motion_ends_after_its_delay() -> None:
    catalogue = Catalogue()
    take(catalogue, BINARY, {"name": "X", "stat_t": "s", "off_dly": 5})
    catalogue.receive("s", b"ON", 0.0)
    catalogue.receive("s", b"ON", 3.0)
    assert catalogue.advance(5.0) == []
    assert catalogue.state(X).on is True
    assert catalogue.advance(8.0) == [X]
    assert catalogue.state(X).on is False
    assert catalogue.next_s == float("inf")


def test_a_retained_message_is_older_than_what_was_heard_live() -> None:
    catalogue = Catalogue()
    take(catalogue, SENSOR, {"name": "X", "stat_t": "s"})
    catalogue.receive("s", b"1", is_retained=True)
    assert catalogue.state(X).value == 1
    catalogue.receive("s", b"2")
    assert catalogue.receive("s", b"1", is_retained=True) == []
    assert catalogue.state(X).value == 2
    catalogue.begin_sweep()  # after a reconnection it may be the newer one
    catalogue.receive("s", b"3", is_retained=True)
    assert catalogue.state(X).value == 3


def test_a_message_that_is_too_large_is_ignored() -> None:
    catalogue = Catalogue()
    take(catalogue, SENSOR, {"name": "X", "stat_t": "s"})
    assert catalogue.receive("s", b"1" + b" " * LARGEST_BYTES) == []
    assert catalogue.state(X).value is None


def test_the_topic_of_a_newcomer_is_wanted_again() -> None:
    catalogue = Catalogue()
    take(catalogue, SENSOR, {"name": "X", "stat_t": "s"})
    assert catalogue.take_fresh() == {"s"}
    take(catalogue, SENSOR, {"name": "Y", "stat_t": "s"})
    assert catalogue.take_fresh() == set()
    take(catalogue, "homeassistant/sensor/other/config", {"name": "Z", "stat_t": "s"})
    assert catalogue.take_fresh() == {"s"}


def test_what_is_not_announced_again_after_a_reconnection_is_dropped() -> None:
    catalogue = Catalogue()
    take(catalogue, SENSOR, {"name": "X", "stat_t": "s"})
    take(catalogue, BINARY, {"name": "Y", "stat_t": "s"})
    take(catalogue, f"tasmota/discovery/{MAC}/config", tasmota())
    take(catalogue, "zigbee2mqtt/bridge/devices", zigbee_devices()[:2])
    catalogue.begin_sweep()
    take(catalogue, BINARY, {"name": "Y", "stat_t": "s"})
    take(catalogue, "zigbee2mqtt/bridge/devices", zigbee_devices()[:2])
    came, gone = catalogue.sweep()
    assert came == []
    assert {entity.id for entity in gone} == {"home.x", "home.kettle"}
    assert set(catalogue.entities) == {"home.y", "home.kitchen_lamp"}
    take(catalogue, SENSOR, {"name": "X", "stat_t": "s"})
    assert "home.x" in catalogue.entities


def test_a_battery_is_the_only_reading_of_itself_that_a_device_shows() -> None:
    catalogue = Catalogue()
    announced: dict[str, dict[str, object]] = {
        "Signal": {"ent_cat": "diagnostic"},
        "Battery": {"ent_cat": "diagnostic", "dev_cla": "battery"},
        "Restart": {"ent_cat": "config"},
        "Hidden": {"en": False},
    }
    for name, more in announced.items():
        topic = f"homeassistant/sensor/{name}/config"
        take(catalogue, topic, {"name": name, "stat_t": "s", **more})
    assert set(catalogue.entities) == {"home.battery"}


def test_an_unknown_component_is_ignored_quietly(caplog: pytest.LogCaptureFixture) -> None:
    catalogue = Catalogue()
    for component in ("camera", "update", "device_automation", "tag", "media_player", "media"):
        take(catalogue, f"homeassistant/{component}/x/config", {"name": "X"})
    assert not catalogue.entities
    assert not caplog.records


def test_a_thing_that_moves_to_a_device_message_stays_the_same_thing() -> None:
    catalogue = Catalogue()
    own = {"name": "X", "stat_t": "s", "uniq_id": "u", "qos": 2, "encoding": ""}
    take(catalogue, SENSOR, own)
    catalogue.receive("s", b"5")
    assert take(catalogue, SENSOR, {"migrate_discovery": True}) == ([], [])
    device = {"dev": {"ids": "d"}, "o": {"name": "n"}, "cmps": {"a": {"p": "sensor", **own}}}
    take(catalogue, "homeassistant/device/d/config", device)
    assert catalogue.receive_config(SENSOR, b"")[1] == []
    assert list(catalogue.entities) == ["home.x"]
    assert catalogue.state(X).value == 5
    device["cmps"] = {"a": {"p": "sensor"}}
    assert take(catalogue, "homeassistant/device/d/config", device)[1] == ["X"]


def test_a_component_inherits_what_its_device_shares() -> None:
    catalogue = Catalogue()
    config = {
        "~": "base", "dev": {"name": "Box"}, "o": {"name": "n"}, "stat_t": "~/state",
        "cmd_t": "~/set", "avty": {"t": "~/up"}, "qos": 1,
        "cmps": {"a": {"p": "switch", "val_tpl": "{{ value_json.a }}"}},
    }  # fmt: skip
    take(catalogue, "homeassistant/device/node/box/config", config)
    assert catalogue.topics == {"base/state", "base/up"}
    catalogue.receive("base/up", b"online")
    catalogue.receive("base/state", b'{"a": "ON"}')
    assert catalogue.state(EntityId("home.box")) == State(on=True)


def test_availability_may_have_a_template_and_payloads_of_its_own() -> None:
    catalogue = Catalogue()
    entry = {"t": "a", "val_tpl": "{{ 'yes' if value_json.up else 'no' }}", "pl_avail": "yes",
             "pl_not_avail": "no"}  # fmt: skip
    take(catalogue, SENSOR, {"name": "X", "stat_t": "s", "avty": [entry]})
    catalogue.receive("a", b'{"up": 1}')
    assert catalogue.state(X).available
    catalogue.receive("a", b"nonsense")
    assert catalogue.state(X).available is False


def test_a_toggle_of_a_thing_that_cannot_report_goes_by_what_it_was_told() -> None:
    catalogue = Catalogue()
    take(catalogue, "homeassistant/switch/x/config", {"name": "X", "cmd_t": "c"})
    catalogue.tell(Command(X, Verb.ON))
    assert catalogue.state(X).on is None  # nobody is told that it is on
    assert catalogue.told(X).on is True


def test_snapshots_of_the_entities_do_not_change() -> None:
    catalogue = Catalogue()
    take(catalogue, SENSOR, {"name": "X"})
    before = catalogue.entities
    take(catalogue, BINARY, {"name": "Y"})
    assert set(before) == {"home.x"}
    assert catalogue.entities is catalogue.entities


def test_a_flood_of_things_ends_at_the_limit() -> None:
    catalogue = Catalogue()
    for part in range(MOST_ENTITIES // 400 + 2):
        components = {f"c{n}": {"p": "sensor", "name": f"S{n}", "stat_t": "s"} for n in range(450)}
        config = {"dev": {"ids": "d"}, "o": {"name": "n"}, "cmps": components}
        take(catalogue, f"homeassistant/device/d{part}/config", config)
    assert len(catalogue.entities) == MOST_ENTITIES


def test_names_with_half_a_character_can_be_written_everywhere() -> None:
    catalogue = Catalogue()
    payload = rb'{"name": "X\ud83d", "cmd_t": "c\udc00", "pl_on": "\ud800", "stat_t": "s"}'
    catalogue.receive_config("homeassistant/switch/x/config", payload)
    [(id_, entity)] = catalogue.entities.items()
    definition = catalogue.definition(id_)
    assert definition is not None
    for text in (entity.name, definition.text("payload_on"), definition.text("command_topic")):
        text.encode()


def test_every_short_key_stands_for_one_long_key() -> None:
    assert len(KEYS) + len(DEVICE) + len(ORIGIN) >= 283
    assert {"cmd_t": "command_topic", "hum_cmd_t": "target_humidity_command_topic"}.items() <= (
        KEYS.items()
    )
    catalogue = Catalogue()
    config = {"dev": {"name": "Box", "sa": "Attic", "mf": "M"}, "o": {"name": "n", "sw": "1"},
              "stat_t": "s"}  # fmt: skip
    take(catalogue, SENSOR, config)
    definition = catalogue.definition(EntityId("attic.box"))
    assert definition is not None
    assert definition.options["origin"] == {"name": "n", "sw_version": "1"}
    assert json.dumps(definition.options["device"])
