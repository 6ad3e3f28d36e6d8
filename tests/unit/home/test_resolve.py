"""Which things are meant, and what they are to do."""

from collections.abc import Sequence
from dataclasses import replace

from houses import HOUSE, MemoryHouse
from parlour.home.entities import Command, Entity, Feature, Kind, Verb
from parlour.home.replies import explain
from parlour.home.resolve import Commands, Resolved, Unclear, resolve
from parlour.home.wording import wording
from parlour.ids import DeviceId, EntityId
from parlour.ports import Judgement, Place, Slot, Verdict

HALL = Place(DeviceId("hall"))
KITCHEN = Place(DeviceId("board"), "Kitchen")
GARAGE = Entity(
    EntityId("garage.door"),
    Kind.COVER,
    "Garage Door",
    "Garage",
    features=frozenset({Feature.OPEN_CLOSE}),
    device_class="garage",
)


def _resolve(
    intent: str, place: Place = HALL, house: Sequence[Entity] = tuple(HOUSE), **slots: Slot
) -> Resolved:
    return resolve(Judgement(Verdict.CLOSED, intent, slots), MemoryHouse(house), place)


def _targets(resolved: Resolved) -> set[str]:
    assert isinstance(resolved, Commands)
    return {command.target for command in resolved.commands}


def _refusal(resolved: Resolved) -> str:
    assert isinstance(resolved, Unclear)
    return explain(resolved)


def test_the_blinds_are_all_blinds_but_never_the_garage() -> None:
    house = [*HOUSE, GARAGE]
    everything = _targets(_resolve("open", house=house, kind="blind", all=1))
    assert everything == {"kitchen.blinds", "living_room.blinds", "bedroom.blinds"}
    assert _targets(_resolve("open", house=house, name="garage.door")) == {"garage.door"}


def test_here_means_the_room_of_the_speaker_even_for_all() -> None:
    resolved = _resolve("off", KITCHEN, kind="light", all=1, here=1)
    assert _targets(resolved) == {"kitchen.light"}
    assert _refusal(_resolve("off", kind="light", here=1)) == "I do not know which room I am in."


def test_a_name_in_two_rooms_is_the_one_that_is_named_or_near_or_is_asked_about() -> None:
    fans = [
        replace(HOUSE[1], id=EntityId(f"{a}.fan"), name="Fan", area=a) for a in ("Attic", "Kitchen")
    ]
    house = [*HOUSE, *fans]
    both = "Attic.fan|Kitchen.fan"
    assert _targets(_resolve("on", KITCHEN, house, name=both)) == {"Kitchen.fan"}
    assert _targets(_resolve("on", KITCHEN, house, name=both, area="Attic")) == {"Attic.fan"}
    assert (
        _refusal(_resolve("on", HALL, house, name=both))
        == "Do you mean the attic fan or the kitchen fan?"
    )


def test_a_thing_is_not_where_it_is_not() -> None:
    resolved = _resolve("on", name="kitchen.coffee_machine", area="Bedroom")
    assert _refusal(resolved) == "The coffee machine is not in the bedroom."
    assert (
        _refusal(_resolve("open", kind="blind", area="Office"))
        == "There are no blinds in the office."
    )


def test_what_a_thing_cannot_do_is_refused_in_words() -> None:
    refused = _resolve("set_color", name="kitchen.light", color="red")
    assert _refusal(refused) == "The kitchen light cannot change its color."
    plain = replace(HOUSE[0], features=frozenset({Feature.ON_OFF}))
    assert (
        _refusal(_resolve("set", HALL, [plain], name="kitchen.light", percent=30))
        == "The kitchen light cannot be dimmed."
    )


def test_of_several_only_those_that_can_are_told_to() -> None:
    resolved = _resolve("set_color", kind="light", floor="downstairs", color="blue")
    assert _targets(resolved) == {"living_room.light", "living_room.lamp"}
    assert isinstance(resolved, Commands)
    assert [e.id for one in resolved.unable for e in one.things] == ["kitchen.light"]


def test_brighter_and_darker_start_from_how_it_stands_and_stay_in_range() -> None:
    house = MemoryHouse()
    light = EntityId("kitchen.light")
    for on, now, step, then in (
        (True, 50, 20, 70),
        (True, 90, 20, 100),
        (True, 10, -20, 5),
        (False, 80, 20, 20),
    ):
        house.states[light] = replace(house.states[light], on=on, brightness=float(now))
        judged = Judgement(Verdict.OPEN, "brighter" if step > 0 else "darker", {"name": light})
        resolved = resolve(judged, house, HALL)
        assert resolved == Commands([Command(light, Verb.SET_BRIGHTNESS, then, step)], [])
    dark = resolve(Judgement(Verdict.OPEN, "darker", {"name": light}), house, HALL)
    assert _refusal(dark) == "The kitchen light is off."


def test_closing_by_a_part_leaves_the_rest_open() -> None:
    resolved = _resolve("set_closed", name="bedroom.blinds", part=75)
    assert resolved == Commands([Command(EntityId("bedroom.blinds"), Verb.SET_POSITION, 25.0)], [])


def test_degrees_of_the_other_scale_are_converted_and_the_range_is_kept() -> None:
    resolved = _resolve("set_temperature", kind="climate", temperature=68, scale="fahrenheit")
    assert isinstance(resolved, Commands)
    assert [command.value for command in resolved.commands] == [20.0]
    too_hot = _resolve("set_temperature", kind="climate", temperature=40)
    assert _refusal(too_hot) == "The living room thermostat can be set from 5 to 30 only."


def test_a_single_word_is_spoken_with_its_area() -> None:
    name = wording("en").name
    assert name(replace(HOUSE[0], name="Light")) == "kitchen light"
    assert name(HOUSE[0]) == "kitchen light"
    assert name(HOUSE[1]) == "coffee machine"
