"""Values as models write them: percent, degrees, kelvin, modes; and what they change by."""

from dataclasses import replace

import pytest

from parlour.errors import ToolError
from parlour.home.entities import Entity, State
from parlour.ids import EntityId
from toolhouse import DEMO, Kit, ToolHouse

THERMOSTAT = EntityId("living_room.thermostat")
LIGHT = EntityId("kitchen.light")


def set_(kit: Kit, target: str, name: str, value: object) -> object:
    """What is sent; None if nothing is."""
    kit.house.sent.clear()
    kit.run("set", target=target, property=name, value=value)
    return kit.house.sent[0].value if kit.house.sent else None


@pytest.mark.parametrize(
    ("target", "name", "value", "sent"),
    [
        ("kitchen.light", "brightness", "40", 40),
        ("kitchen.light", "brightness", "40%", 40),
        ("kitchen.light", "brightness", "40 percent", 40),
        ("kitchen.light", "brightness", 40, 40),
        ("kitchen.light", "brightness", "0.4", 40),
        ("kitchen.light", "brightness", "half", 50),
        ("kitchen.light", "brightness", "max", 100),
        ("kitchen.light", "brightness", 0, 0),
        ("kitchen.blinds", "position", "30", 30),
        ("office.shutters", "tilt", "25", 25),
        ("living_room.ceiling_fan", "speed", "low", 33),
        ("living_room.ceiling_fan", "mode", "Sleep", "sleep"),
        ("living_room.light", "color", "Warm White", "warm white"),
        ("living_room.light", "color", "sky_blue", "sky blue"),
        ("living_room.light", "color_temp", "2700K", 2700),
        ("living_room.light", "color_temp", "warm", 2700),
        ("living_room.thermostat", "temperature", "21,5", 21.5),
        ("living_room.thermostat", "temperature", "21.5 °C", 21.5),
        ("living_room.thermostat", "temperature", "70 F", 21),
        ("living_room.thermostat", "mode", "HEAT", "heat"),
        ("bedroom.humidifier", "humidity", "45", 45),
        ("garden.watering_time", "value", "15 min", 15),
        ("bathroom.washing_program", "mode", "wool", "Wool"),
    ],
)
def test_a_value_is_read_as_it_is_meant(
    target: str, name: str, value: object, sent: object
) -> None:
    assert set_(Kit(), target, name, value) == sent


@pytest.mark.parametrize(
    ("target", "name", "value", "error"),
    [
        ("kitchen.light", "brightness", "140", "brightness of kitchen.light goes from 0 to 100 %"),
        ("kitchen.light", "brightness", "bright", "value must be a number of percent"),
        ("kitchen.light", "brightness", True, "value must be"),
        ("kitchen.light", "brightness", "1e9", "value must be"),
        ("kitchen.light", "brightness", "+0", "a change by nothing"),
        ("kitchen.light", "color", "blue", "kitchen.light has no color to set; it has brightness"),
        ("hall.front_door", "position", "1", "nothing of it can be set"),
        ("office.temperature", "temperature", "20", "nothing of it can be set"),
        ("living_room.light", "color", "mauve", "the colors are red, orange"),
        ("living_room.light", "color_temp", "400", "goes from 1500 to 10000 K"),
        ("living_room.thermostat", "temperature", "35", "goes from 5 to 30 °C"),
        ("living_room.thermostat", "temperature", "hot", "value must be a number of degrees"),
        ("living_room.thermostat", "mode", "cool", "has the modes off, heat"),
        ("bedroom.humidifier", "humidity", "90", "goes from 30 to 80 %"),
        ("garden.watering_time", "value", "100", "value of garden.watering_time goes from 1 to 60"),
        ("garden.watering_time", "value", "+100", "value goes from 1 to 60"),
        ("kitchen.light", "warmth", "1", "property must be one of brightness"),
    ],
)
def test_what_cannot_be_set_is_an_error_that_says_what_can(
    target: str, name: str, value: object, error: str
) -> None:
    kit = Kit()
    with pytest.raises(ToolError, match=error):
        kit.run("set", target=target, property=name, value=value)
    assert kit.house.sent == []


@pytest.mark.parametrize(
    ("target", "name", "state", "value", "sent"),
    [
        ("kitchen.light", "brightness", State(on=True, brightness=40), "+10", 50),
        ("kitchen.light", "brightness", State(on=True, brightness=40), "-10%", 30),
        ("kitchen.light", "brightness", State(on=True, brightness=40), -10, 30),
        ("kitchen.light", "brightness", State(on=True, brightness=40), "\u221210", 30),
        ("kitchen.light", "brightness", State(on=True, brightness=95), "+10", 100),
        ("kitchen.light", "brightness", State(on=True, brightness=10), "-50", 5),
        ("living_room.thermostat", "temperature", State(target_temperature=20), "+1.5", 21.5),
        ("living_room.thermostat", "temperature", State(target_temperature=20), "-2 degrees", 18),
        ("living_room.thermostat", "temperature", State(target_temperature=20), "+9 F", 25),
        ("kitchen.blinds", "position", State(position=50), "+20", 70),
        ("living_room.ceiling_fan", "speed", State(on=True, speed=50), "-25", 25),
        ("bedroom.humidifier", "humidity", State(target_humidity=50), "+5", 55),
        ("garden.watering_time", "value", State(value=10.0), "+5", 15),
    ],
)
def test_a_sign_changes_what_is_set_now(
    target: str, name: str, state: State, value: object, sent: float
) -> None:
    assert set_(Kit(ToolHouse(states={EntityId(target): state})), target, name, value) == sent


def test_a_change_that_the_state_forbids_is_said_and_is_no_error() -> None:
    kit = Kit(ToolHouse(states={LIGHT: State(on=False)}))
    done = kit.run("set", target="kitchen.light", property="brightness", value="-10")
    assert done.text == "nothing was done: is_off"
    assert done.say == "The kitchen light is off."
    assert kit.house.sent == []


def test_each_of_a_group_is_changed_from_where_it_stands() -> None:
    states = {
        EntityId("living_room.lamp"): State(on=True, brightness=20),
        EntityId("living_room.light"): State(on=True, brightness=60),
    }
    kit = Kit(ToolHouse(states=states))
    kit.run("set", target="living_room/lights", property="brightness", value="+10")
    assert {str(c.target): c.value for c in kit.house.sent} == {
        "living_room.lamp": 30,
        "living_room.light": 70,
    }


def test_a_bare_temperature_is_in_the_unit_of_the_home() -> None:
    def in_fahrenheit(*ids: str) -> list[Entity]:
        return [
            replace(e, unit="°F", min_value=41, max_value=86) if e.id in ids else e for e in DEMO
        ]

    american = Kit(ToolHouse(in_fahrenheit("living_room.thermostat", "bathroom.radiator")))
    assert "°F" in american.schemas()
    assert set_(american, THERMOSTAT, "temperature", "70") == 70
    assert set_(american, THERMOSTAT, "temperature", "21 C") == 70
    assert set_(american, THERMOSTAT, "temperature", "+2") == 72
    mixed = Kit(ToolHouse(in_fahrenheit("living_room.thermostat")))
    assert "°C" in mixed.schemas()
    assert set_(mixed, THERMOSTAT, "temperature", "21") == 70


def test_minus_eighteen_is_a_temperature_where_it_can_be_one() -> None:
    freezer = [replace(e, min_value=-25, max_value=-10) if e.id == THERMOSTAT else e for e in DEMO]
    assert set_(Kit(ToolHouse(freezer)), THERMOSTAT, "temperature", "-18") == -18


def test_every_thing_of_a_group_keeps_its_own_bounds() -> None:
    narrow = [replace(e, max_value=22.0) if e.id == THERMOSTAT else e for e in DEMO]
    kit = Kit(ToolHouse(narrow))
    kit.run("set", target="home/climate", property="temperature", value="25")
    assert [c.target for c in kit.house.sent] == ["bathroom.radiator"]
