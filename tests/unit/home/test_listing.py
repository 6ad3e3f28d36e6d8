"""What a model is told of the house: few things, in order, and how those stand that matter."""

import pytest

from parlour.home.entities import Kind, State
from parlour.home.listing import MOST_LISTED, Directory
from parlour.ids import DeviceId, EntityId
from parlour.ports import Place
from toolhouse import DEMO, KITCHEN, Kit, ToolHouse, only

HALL = Place(DeviceId("door"), "Hall")
NOWHERE = Place(DeviceId("phone"))
CHARACTERS_A_TOKEN = 4
FORTY = [e for e in DEMO if e.kind is not Kind.SENSOR][:40]


def ids(listing: str) -> list[str]:
    return [line.partition(":")[0] for line in listing.splitlines() if "." in line.split(":")[0]]


def test_the_own_room_comes_first_and_every_room_once() -> None:
    lines = Kit().tools.listing(KITCHEN).splitlines()
    assert lines[0] == "downstairs > Kitchen"
    assert lines[4] == "kitchen.light: light"
    headings = [line for line in lines if " > " in line]
    assert len(headings) == len(set(headings))
    assert Kit(place=HALL).tools.listing(HALL).startswith("downstairs > Hall\n")


@pytest.mark.parametrize("place", [KITCHEN, HALL, NOWHERE])
def test_at_most_forty_are_listed_and_what_only_measures_elsewhere_comes_last(place: Place) -> None:
    listed = ids(Kit().tools.listing(place))
    assert len(listed) == MOST_LISTED
    kinds = {e.id: e for e in DEMO}
    measuring = [i for i in listed if kinds[EntityId(i)].kind is Kind.SENSOR]
    assert all(kinds[EntityId(i)].area == place.area for i in measuring)


def test_list_and_schemas_of_the_demo_home_take_less_than_1500_tokens() -> None:
    whole, forty = Kit(), Kit(ToolHouse(FORTY))
    for kit in (whole, forty):
        told = kit.tools.listing(KITCHEN) + kit.schemas()
        assert len(told) / CHARACTERS_A_TOKEN < 1500
    assert '"enum":["kitchen.blinds"' in forty.schemas()
    assert "kitchen.blinds" not in whole.schemas()


def test_only_what_can_be_set_is_proposed_to_be_set() -> None:
    specs = {
        tool.spec.name: str(tool.spec.parameters)
        for tool in Kit(ToolHouse(FORTY)).tools.tools(KITCHEN)
    }
    assert "'hall.front_door'" in specs["act"]
    assert "'hall.front_door'" not in specs["set"]
    assert "'kitchen.window'" not in specs["act"]


def test_groups_are_of_two_or_more_and_never_of_what_lets_somebody_in() -> None:
    groups = Directory(ToolHouse()).groups
    assert {"home/lights", "upstairs/lights", "kids_room/lights", "home/covers"} <= set(groups)
    assert "kitchen/lights" not in groups
    for things in groups.values():
        assert len(things) > 1
        assert all(e.kind not in (Kind.LOCK, Kind.VALVE) for e in things)
        assert all(e.device_class not in ("garage", "gate", "door") for e in things)


def test_a_name_is_told_where_it_says_more_than_the_id() -> None:
    renamed = [e for e in DEMO if e.id == "kitchen.light"]
    listing = Kit(ToolHouse(renamed)).tools.listing(KITCHEN)
    assert listing.endswith("kitchen.light: light")
    other = [type(renamed[0])(renamed[0].id, Kind.LIGHT, "Big Glow", "Kitchen", "downstairs")]
    assert Kit(ToolHouse(other)).tools.listing(KITCHEN).endswith('kitchen.light: "Big Glow", light')


def test_things_in_another_script_are_listed_under_ids_that_can_be_read() -> None:
    entity = type(DEMO[0])(EntityId("रस_ई.ल_इट"), Kind.LIGHT, "लाइट", "रसोई", "नीचे")
    heading, line = Kit(ToolHouse([entity])).tools.listing(NOWHERE).splitlines()
    assert heading.startswith("नीचे (floor_") and "रसोई (room_" in heading
    assert line.isascii() is False
    assert line.startswith("room_") and line.endswith('"लाइट", light')


# ---------------------------------------------------------------- how it stands now


def test_the_situation_tells_of_the_own_room_and_of_what_was_named() -> None:
    states = {EntityId("office.temperature"): State(value=21.5)}
    kit = Kit(ToolHouse(states=states))
    quiet = kit.situation("good morning").splitlines()
    assert quiet[0] == "room: Kitchen"
    assert "kitchen.light off" in quiet[1]
    assert len(quiet) == 2
    asked = kit.situation("how warm is it in the office").splitlines()
    assert "office.temperature: temperature sensor, 21.5 °C" in asked[2]
    assert asked[2].startswith("also: ")


@pytest.mark.parametrize(
    ("language", "text", "named"),
    [
        ("en", "turn on the bedroom lamp", "bedroom.lamp"),
        ("en", "is the front door locked", "hall.front_door"),
        ("de", "mach die Wohnzimmer Lampe an", "living_room.lamp"),
        ("hi", "बेडरूम का लैंप जलाओ", "bedroom.lamp"),
        ("ta", "படுக்கையறை விளக்கு", "bedroom.light"),
    ],
)
def test_what_is_named_in_any_language_is_told_of(language: str, text: str, named: str) -> None:
    told = Kit(language=language).situation(text)
    assert named in told
    assert "garden" not in told


def test_a_name_that_was_said_does_not_tell_of_all_its_room() -> None:
    told = Kit().situation("turn on the living room lamp")
    assert "living_room.lamp off" in told
    assert "living_room.light" not in told


def test_a_room_that_nobody_knows_is_unknown() -> None:
    assert Kit(place=NOWHERE).situation("hello") == "room: unknown"


@pytest.mark.parametrize("text", ["", "x" * 5000, "the " * 1000, "kitchen " * 500])
def test_a_situation_stays_short_whatever_is_said(text: str) -> None:
    assert len(Kit().situation(text)) < 1600


def test_a_home_of_few_things_tells_of_no_others() -> None:
    kit = Kit(ToolHouse(only(lambda e: e.area == "Kitchen")))
    assert "more;" not in kit.tools.listing(KITCHEN)
    assert "groups" not in kit.tools.listing(KITCHEN)
