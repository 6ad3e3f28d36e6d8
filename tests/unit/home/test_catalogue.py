"""Entities, their ids and their states."""

import itertools
import json
import math

import pytest

from announced import device, take
from parlour.home.catalogue import Catalogue
from parlour.home.entities import Kind, State
from parlour.home.overrides import Override, Overrides
from parlour.home.whereabouts import make_id
from parlour.ids import EntityId

FLOORS = {"downstairs": ["Kitchen", "Living Room"]}


def announce(catalogue: Catalogue, kind: str, name: str, area: str = "", **config: object) -> None:
    config["device"] = {"name": name, "suggested_area": area}
    key = name.lower().replace(" ", "-") + area
    topic = f"homeassistant/{kind}/{key}/config"
    catalogue.receive_config(topic, json.dumps(config).encode())


@pytest.mark.parametrize(
    ("area", "name", "expected"),
    [
        ("Kitchen", "Kitchen Light", "kitchen.light"),
        ("Living Room", "Lamp", "living_room.lamp"),
        ("Küche", "Küche", "kuche.kuche"),
        (None, "Porch", "home.porch"),
        ("Kitchen", "!!", "kitchen.thing"),
    ],
)
def test_an_id_is_the_area_and_the_name_without_it(
    area: str | None, name: str, expected: str
) -> None:
    assert make_id(area, name) == expected


def test_equal_names_get_different_ids_that_stay() -> None:
    catalogue = Catalogue()
    for node in ("a", "b"):
        catalogue.receive_config(f"homeassistant/switch/{node}/config", b'{"name": "Fan"}')
    assert list(catalogue.entities) == ["home.fan", "home.fan_2"]
    seen = catalogue.revision
    catalogue.receive_config("homeassistant/switch/a/config", b"")
    assert catalogue.revision > seen
    assert list(catalogue.entities) == ["home.fan_2"]
    catalogue.receive_config("homeassistant/switch/a/config", b'{"name": "Fan"}')
    assert set(catalogue.entities) == {"home.fan", "home.fan_2"}


def test_the_same_announcement_again_changes_nothing_and_a_broken_one_removes_nothing() -> None:
    catalogue = Catalogue()
    topic = "homeassistant/switch/a/config"
    catalogue.receive_config(topic, b'{"name": "Fan"}')
    seen = catalogue.revision
    assert catalogue.receive_config(topic, b'{"name": "Fan"}') == ([], [])
    assert catalogue.receive_config(topic, b'{"name": ') == ([], [])
    assert catalogue.revision == seen


def test_an_entity_that_moves_to_another_area_keeps_its_id() -> None:
    catalogue = Catalogue()
    topic = "homeassistant/switch/a/config"
    catalogue.receive_config(topic, b'{"name": "Fan", "dev": {"sa": "Office"}}')
    seen = catalogue.revision
    came, gone = catalogue.receive_config(topic, b'{"name": "Fan", "dev": {"sa": "Attic"}}')
    assert (came, gone) == (["office.fan"], [])
    assert catalogue.entities[EntityId("office.fan")].area == "Attic"
    assert catalogue.revision > seen


def test_an_area_is_told_from_the_name_when_the_house_knows_it() -> None:
    catalogue = Catalogue(floors=FLOORS)
    catalogue.receive_config("homeassistant/switch/a/config", b'{"name": "living room fan"}')
    entity = catalogue.entities[EntityId("living_room.fan")]
    assert (entity.area, entity.floor) == ("Living Room", "downstairs")


def test_a_json_light_reports_in_the_units_of_people() -> None:
    catalogue = Catalogue()
    announce(catalogue, "light", "L", schema="json", state_topic="s", brightness_scale=200)
    said = {"state": "ON", "brightness": 50, "color_mode": "color_temp", "color_temp": 250}
    assert catalogue.receive("s", json.dumps(said).encode()) == ["home.l"]
    assert catalogue.state(EntityId("home.l")) == State(on=True, brightness=25, color_temp_k=4000)
    said = {"color_mode": "rgb", "color": {"r": 1, "g": 2, "b": 3}}
    catalogue.receive("s", json.dumps(said).encode())
    assert catalogue.state(EntityId("home.l")) == State(on=True, brightness=25, color=(1, 2, 3))


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'{"brightness": "x"}', b"nan", b"1e999"])
def test_a_state_that_says_nothing_changes_nothing(payload: bytes) -> None:
    catalogue = Catalogue()
    announce(catalogue, "light", "L", schema="json", state_topic="s")
    announce(catalogue, "cover", "C", position_topic="s")
    catalogue.receive("s", payload)
    assert catalogue.state(EntityId("home.l")) == State()
    assert catalogue.state(EntityId("home.c")) == State()


def test_a_cover_that_counts_backwards_is_read_in_per_cent_open() -> None:
    catalogue = Catalogue()
    announce(catalogue, "cover", "C", position_topic="p", position_open=0, position_closed=50)
    catalogue.receive("p", b"10")
    assert catalogue.state(EntityId("home.c")) == State(cover="open", position=80)


@pytest.mark.parametrize(
    ("mode", "first", "both"), [("all", False, True), ("any", True, True), ("latest", True, True)]
)
def test_availability_follows_its_mode(mode: str, first: bool, both: bool) -> None:
    catalogue = Catalogue()
    topics = [{"topic": "a"}, {"topic": "b"}]
    announce(catalogue, "switch", "S", availability=topics, availability_mode=mode)
    assert not catalogue.state(EntityId("home.s")).available
    catalogue.receive("a", b"online")
    assert catalogue.state(EntityId("home.s")).available is first
    catalogue.receive("b", b"online")
    assert catalogue.state(EntityId("home.s")).available is both


IEEE = "0x00158d0001d82a31"
CONTACT = {
    "unique_id": f"{IEEE}_contact_zigbee2mqtt",
    "device_class": "door",
    "state_topic": "w",
    "device": {
        "identifiers": [f"zigbee2mqtt_{IEEE}"],
        "name": "Side Entrance",
        "suggested_area": "Hall",
    },
}
BATTERY = CONTACT | {
    "unique_id": f"{IEEE}_battery_zigbee2mqtt",
    "device_class": "battery",
    "entity_category": "diagnostic",
}
LOCK = CONTACT | {"unique_id": f"{IEEE}_lock_zigbee2mqtt", "device_class": "", "name": None}
DISCOVERED = {"sensor/b": BATTERY, "binary_sensor/c": CONTACT, "lock/l": LOCK}


def named(catalogue: Catalogue) -> dict[str, str]:
    return {id_: entity.name for id_, entity in catalogue.entities.items()}


@pytest.mark.parametrize("order", list(itertools.permutations(["sensor/b", "binary_sensor/c"])))
def test_the_only_reading_of_a_device_is_called_as_the_device(order: tuple[str, ...]) -> None:
    catalogue = Catalogue()
    for at in order:
        take(catalogue, f"homeassistant/{at}/config", DISCOVERED[at])
    catalogue.settle()
    assert named(catalogue) == {
        "hall.side_entrance": "Side Entrance",
        "hall.side_entrance_battery": "Side Entrance Battery",
    }


@pytest.mark.parametrize("order", list(itertools.permutations(DISCOVERED)))
def test_what_can_be_told_something_has_the_plain_id_whoever_comes_first(
    order: tuple[str, ...],
) -> None:
    catalogue = Catalogue()
    for at in order:
        take(catalogue, f"homeassistant/{at}/config", DISCOVERED[at])
    catalogue.settle()
    assert named(catalogue) == {
        "hall.side_entrance": "Side Entrance",
        "hall.side_entrance_battery": "Side Entrance Battery",
        "hall.side_entrance_door": "Side Entrance Door",
    }
    assert catalogue.entities[EntityId("hall.side_entrance")].kind is Kind.LOCK


@pytest.mark.parametrize("is_native_first", [True, False])
def test_an_id_is_made_of_what_all_sources_say_once_they_have_said_it(
    is_native_first: bool,
) -> None:
    contact = {"type": "binary", "name": "contact", "property": "contact", "access": 1}
    listed = [device(IEEE, "Side Entrance", contact)]
    both: list[tuple[str, object]] = [
        ("zigbee2mqtt/bridge/devices", listed),
        ("homeassistant/binary_sensor/c/config", CONTACT | {"device_class": "window"}),
    ]
    catalogue = Catalogue()
    for topic, config in both if is_native_first else both[::-1]:
        take(catalogue, topic, config)
    came, gone = catalogue.settle()
    assert bool(came) == bool(gone) == is_native_first
    assert named(catalogue) == {"hall.side_entrance": "Side Entrance"}
    # Whoever says more of a contact than its maker knows is heard.
    assert catalogue.entities[EntityId("hall.side_entrance")].device_class == "window"
    seen = catalogue.revision
    assert catalogue.settle() == ([], [])
    assert catalogue.revision == seen


def test_a_thing_takes_its_state_its_topics_and_its_timers_to_its_settled_id() -> None:
    catalogue = Catalogue()
    config = {"name": "Air", "state_topic": "s", "expire_after": 5}
    for at in ("b", "a"):
        take(catalogue, f"homeassistant/sensor/{at}/config", config | {"unique_id": at})
    assert catalogue.receive("s", b"21") == ["home.air", "home.air_2"]
    came, gone = catalogue.settle()
    assert set(came) == {each.id for each in gone} == {"home.air", "home.air_2"}
    assert catalogue.state(EntityId("home.air_2")).value == 21
    assert catalogue.receive("s", b"22", 1.0) == ["home.air", "home.air_2"]
    assert set(catalogue.advance(6.0)) == {"home.air", "home.air_2"}
    # A settled id stays, though another would now be the first.
    take(catalogue, "homeassistant/sensor/0/config", config | {"unique_id": "0"})
    assert catalogue.settle() == ([], [])
    assert set(catalogue.entities) == {"home.air", "home.air_2", "home.air_3"}


def test_what_the_owner_wrote_under_an_id_is_found_when_the_id_is_made() -> None:
    written = Overrides({"hall.side_entrance": Override(name="Gate")})
    catalogue = Catalogue(overrides=written)
    contact = {"type": "binary", "name": "contact", "property": "contact", "access": 1}
    take(catalogue, "zigbee2mqtt/bridge/devices", [device(IEEE, "Side Entrance", contact)])
    take(catalogue, "homeassistant/binary_sensor/c/config", CONTACT)
    catalogue.settle()
    assert named(catalogue) == {"hall.side_entrance": "Gate"}


def test_a_thermometer_that_is_called_as_its_room_keeps_what_it_measures_in_its_name() -> None:
    catalogue = Catalogue(floors=FLOORS)
    config = {
        "device_class": "temperature",
        "state_topic": "t",
        "device": {"name": "Kitchen", "identifiers": ["k"]},
    }
    take(catalogue, "homeassistant/sensor/k/config", config)
    assert named(catalogue) == {"kitchen.temperature": "Kitchen Temperature"}


def test_a_timer_goes_with_what_announced_it() -> None:
    catalogue = Catalogue()
    config = {"name": "Air", "state_topic": "s"}
    take(catalogue, "homeassistant/sensor/a/config", config | {"expire_after": 5})
    catalogue.receive("s", b"21", 1.0)
    take(catalogue, "homeassistant/sensor/a/config", config)
    assert catalogue.next_s == math.inf
