"""Entities, their ids and their states."""

import json

import pytest

from parlour.home.catalogue import Catalogue, make_id
from parlour.home.entities import State
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


def test_an_entity_that_moves_to_another_area_goes_and_comes() -> None:
    catalogue = Catalogue()
    topic = "homeassistant/switch/a/config"
    catalogue.receive_config(topic, b'{"name": "Fan", "dev": {"sa": "Office"}}')
    came, gone = catalogue.receive_config(topic, b'{"name": "Fan", "dev": {"sa": "Attic"}}')
    assert came == ["attic.fan"]
    assert [entity.id for entity in gone] == ["office.fan"]


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
