"""What the owner says over what devices announce, and where things stand."""

import json
import logging

import pytest

from announced import LAMP, take, zigbee_devices
from parlour.home.catalogue import Catalogue
from parlour.home.entities import Area, Feature, Floor, Kind
from parlour.home.overrides import Override, Overrides, define_own
from parlour.ids import EntityId

FLOORS = {"downstairs": ["Kitchen", "Living Room"]}
SWITCH = "homeassistant/switch/a/config"
TV = Override(
    name="Television",
    area="Living Room",
    aliases={"de_DE": ("Fernseher",)},
    mqtt={
        "component": "media",
        "command_topic": "tv/set",
        "payload_play": "play",
        "volume_command_topic": "tv/volume",
    },
)


def test_the_owner_names_places_hides_and_rates_a_thing() -> None:
    said = Override("Heater", "Attic", "top", {"de_DE": ("Ofen",)}, risk=2, expose=False)
    catalogue = Catalogue(overrides=Overrides({"office.fan": said}))
    take(catalogue, SWITCH, {"name": "Fan", "dev": {"sa": "Office"}})
    entity = catalogue.entities[EntityId("office.fan")]
    assert (entity.name, entity.area, entity.floor) == ("Heater", "Attic", "top")
    assert entity.is_named
    assert (entity.aliases, entity.risk, entity.exposed) == ({"de_DE": ("Ofen",)}, 2, False)


def test_overrides_may_be_replaced_and_ids_stay() -> None:
    catalogue = Catalogue(floors=FLOORS)
    take(catalogue, SWITCH, {"name": "Kitchen Fan"})
    id_ = EntityId("kitchen.fan")
    seen = catalogue.revision
    came, gone = catalogue.set_overrides(Overrides({id_: Override(area="Living Room")}))
    assert (came, gone) == ([id_], [])
    assert catalogue.revision > seen
    assert catalogue.entities[id_].area == "Living Room"
    assert not catalogue.entities[id_].is_named
    catalogue.set_overrides(Overrides())
    assert catalogue.entities[id_].area == "Kitchen"


def test_a_thing_is_known_to_the_owner_by_its_address_or_unique_id_too() -> None:
    fan = Override(name="Wind")
    catalogue = Catalogue(overrides=Overrides({"u1": fan, LAMP: Override(name="Sun")}))
    take(catalogue, SWITCH, {"name": "Fan", "uniq_id": "u1"})
    take(catalogue, "zigbee2mqtt/bridge/devices", zigbee_devices())
    assert catalogue.entities[EntityId("home.fan")].name == "Wind"
    assert catalogue.entities[EntityId("home.kitchen_lamp")].name == "Sun"


def test_what_is_said_under_several_names_of_a_thing_counts_together_and_its_id_first() -> None:
    catalogue = Catalogue(
        overrides=Overrides(
            {
                "u1": Override("Wind", "Attic", aliases={"": ("breeze",)}, risk=3, expose=False),
                "home.fan": Override(name="Storm", expose=True),
            }
        )
    )
    take(catalogue, SWITCH, {"name": "Fan", "uniq_id": "u1"})
    entity = catalogue.entities[EntityId("home.fan")]
    assert (entity.name, entity.area, entity.risk, entity.exposed) == ("Storm", "Attic", 3, True)
    assert entity.aliases == {"": ("breeze",)}


def test_an_override_made_before_the_areas_were_named_still_counts() -> None:
    fan = Overrides({"home.kitchen_fan": Override(name="Wind")})
    catalogue = Catalogue(floors=FLOORS, overrides=fan)
    take(catalogue, SWITCH, {"name": "Kitchen Fan"})
    assert catalogue.entities[EntityId("kitchen.fan")].name == "Wind"


def test_a_hand_written_thing_comes_and_goes_with_what_the_owner_writes() -> None:
    catalogue = Catalogue(floors=FLOORS, overrides=Overrides({"living_room.tv": TV}))
    tv = EntityId("living_room.tv")
    entity = catalogue.entities[tv]
    assert (entity.kind, entity.name, entity.floor) == (Kind.MEDIA, "Television", "downstairs")
    assert entity.features == {Feature.START, Feature.VOLUME}
    assert entity.aliases == {"de_DE": ("Fernseher",)}
    came, gone = catalogue.set_overrides(Overrides())
    assert (came, [each.id for each in gone]) == ([], [tv])
    catalogue.set_overrides(Overrides({"living_room.tv": TV}))
    assert tv in catalogue.entities


@pytest.mark.parametrize(
    "mqtt",
    [{}, {"component": "toaster"}, {"component": "switch", "command_topic": "#"},
     {"component": "switch", "command_template": "{% for i in x %}{% endfor %}"}],
)  # fmt: skip
def test_a_hand_written_thing_that_cannot_be_used_is_named(
    mqtt: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match=r"^x\.y: "):
        define_own("x.y", Override(mqtt=mqtt))
    with caplog.at_level(logging.WARNING):
        catalogue = Catalogue(overrides=Overrides({"x.y": Override(mqtt=mqtt)}))
    assert not catalogue.entities
    assert "x.y" in caplog.text


def test_a_device_cannot_take_the_id_that_the_owner_gave() -> None:
    catalogue = Catalogue(overrides=Overrides({"living_room.tv": TV}))
    take(catalogue, SWITCH, {"name": "TV", "dev": {"sa": "Living Room"}})
    assert catalogue.entities[EntityId("living_room.tv")].kind is Kind.MEDIA
    assert catalogue.entities[EntityId("living_room.tv_2")].kind is Kind.SWITCH


@pytest.mark.parametrize(
    ("name", "suggested", "area"),
    [
        ("Lamp", "kitchen", "Kitchen"),
        ("Lamp", "Küche", "Kitchen"),
        ("Lamp", "Cellar", "Cellar"),
        ("Kitchen Lamp", "", "Kitchen"),
        ("Küchen Lampe", "", None),
        ("Lamp in the living room left", "", "Living Room"),
        ("Guest Bathroom Lamp", "", "Guest Bathroom"),
        ("Bathroom Lamp", "", "Bathroom"),
        ("浴室灯", "", "Bathroom"),
        ("Lamp", "", None),
    ],
)
def test_an_area_is_told_from_what_the_device_says(
    name: str, suggested: str, area: str | None
) -> None:
    areas = {
        "Kitchen": Area("Kitchen", aliases={"de_DE": ("Küche",)}),
        "Bathroom": Area("Bathroom", "upstairs", {"zh_CN": ("浴室",)}),
        "Guest Bathroom": Area("Guest Bathroom"),
    }
    catalogue = Catalogue(floors=FLOORS, overrides=Overrides(areas=areas))
    take(catalogue, SWITCH, {"name": name, "dev": {"sa": suggested}})
    [entity] = catalogue.entities.values()
    assert entity.area == area


def test_places_hold_what_the_owner_named_and_where_things_stand() -> None:
    areas = {"Attic": Area("Attic", "top", {"": ("loft",)})}
    floors = {"top": Floor("top", {"de_DE": ("oben",)})}
    catalogue = Catalogue(floors=FLOORS, overrides=Overrides({}, areas, floors))
    take(catalogue, SWITCH, {"name": "Fan", "dev": {"sa": "Cellar"}})
    assert set(catalogue.places.areas) == {"Kitchen", "Living Room", "Attic", "Cellar"}
    assert catalogue.places.areas["Attic"].aliases == {"": ("loft",)}
    assert set(catalogue.places.floors) == {"downstairs", "top"}
    assert catalogue.places.floors["top"].aliases == {"de_DE": ("oben",)}


def test_a_lock_of_an_unknown_origin_stays_exposed() -> None:
    catalogue = Catalogue()
    catalogue.receive_config(
        "homeassistant/lock/a/config", json.dumps({"name": "Door", "cmd_t": "c"}).encode()
    )
    assert catalogue.entities[EntityId("home.door")].exposed
