"""Commands as messages, and the states that prove them."""

import json

import pytest

from parlour.home.colors import COLORS, from_hs, from_xy, is_alike, to_hs, to_xy
from parlour.home.commands import make_messages, settle
from parlour.home.definitions import Definition
from parlour.home.discovery import discover
from parlour.home.entities import Command, State, Verb
from parlour.home.proofs import is_caused
from parlour.ids import EntityId

LIGHT = {"command_topic": "c", "brightness_command_topic": "b", "rgb_command_topic": "r"}
COVER = {
    "command_topic": "c",
    "set_position_topic": "p",
    "position_open": 0,
    "position_closed": 100,
}
CLIMATE = {
    "temperature_command_topic": "t",
    "mode_command_topic": "m",
    "modes": ["off", "cool", "heat"],
}


def define(kind: str, **config: object) -> Definition:
    found = discover(f"homeassistant/{kind}/x/config", json.dumps(config).encode())
    assert found
    return found[0]


def command(verb: Verb, value: str | float | None = None) -> Command:
    return Command(EntityId("home.x"), verb, value)


@pytest.mark.parametrize(
    ("kind", "config", "told", "messages"),
    [
        ("light", LIGHT, command(Verb.TOGGLE), [("c", "ON")]),
        ("light", LIGHT, command(Verb.SET_BRIGHTNESS, 50), [("b", "128"), ("c", "ON")]),
        ("light", LIGHT, command(Verb.SET_BRIGHTNESS, 0), [("c", "OFF")]),
        ("light", LIGHT, command(Verb.SET_COLOR, "red"), [("r", "255,0,0"), ("c", "ON")]),
        ("light", LIGHT, command(Verb.SET_COLOR, "mauve-ish"), []),
        ("light", LIGHT, command(Verb.SET_COLOR_TEMP, 2700), []),
        ("light", LIGHT, command(Verb.SET_BRIGHTNESS, "half"), []),
        ("cover", COVER, command(Verb.CLOSE), [("c", "CLOSE")]),
        ("cover", COVER, command(Verb.SET_POSITION, 30), [("p", "70")]),
        ("cover", {"set_position_topic": "p"}, command(Verb.OPEN), [("p", "100")]),
        ("cover", {"command_topic": "c", "payload_stop": None}, command(Verb.STOP), []),
        ("climate", CLIMATE, command(Verb.SET_TEMPERATURE, 19.5), [("t", "19.5")]),
        ("climate", CLIMATE, command(Verb.ON), [("m", "heat")]),
        ("switch", {"command_topic": "c", "payload_on": "1"}, command(Verb.ON), [("c", "1")]),
        ("switch", {"state_topic": "c"}, command(Verb.ON), []),
    ],
)
def test_a_command_becomes_messages(
    kind: str, config: dict[str, object], told: Command, messages: list[tuple[str, str]]
) -> None:
    assert make_messages(define(kind, **config), told, State(on=False)) == messages


def test_a_json_light_gets_one_object_in_its_own_units() -> None:
    modes = ["xy", "color_temp"]
    light = define("light", schema="json", command_topic="c", supported_color_modes=modes)
    [(_, payload)] = make_messages(light, command(Verb.SET_COLOR_TEMP, 4000), State())
    assert json.loads(payload) == {"state": "ON", "color_temp": 250}
    [(_, payload)] = make_messages(light, command(Verb.SET_COLOR, "red"), State())
    assert json.loads(payload)["color"] == {"x": pytest.approx(0.64, abs=0.01), "y": 0.33}


@pytest.mark.parametrize(
    ("told", "state", "expected"),
    [
        (command(Verb.ON), State(on=True), True),
        (command(Verb.ON), State(on=None), False),
        (command(Verb.OPEN), State(cover="opening"), True),
        (command(Verb.STOP), State(cover="closing"), False),
        (command(Verb.STOP), State(cover="stopped"), True),
        (command(Verb.SET_POSITION, 50), State(cover="closing", position=80), True),
        (command(Verb.SET_POSITION, 50), State(cover="opening", position=80), False),
        (command(Verb.SET_POSITION, 50), State(cover="open", position=51), True),
        (command(Verb.SET_BRIGHTNESS, 50), State(on=True, brightness=50.2), True),
        (command(Verb.SET_BRIGHTNESS, 50), State(on=False, brightness=50), False),
        (command(Verb.SET_COLOR, "blue"), State(on=True, color=(0, 5, 250)), True),
        (command(Verb.SET_COLOR, "blue"), State(on=True, color=(255, 0, 0)), False),
        (command(Verb.SET_TEMPERATURE, 21), State(target_temperature=21), True),
    ],
)
def test_a_state_proves_its_command(told: Command, state: State, expected: bool) -> None:
    assert is_caused(told, state) is expected


def test_a_toggle_turns_off_only_what_is_on() -> None:
    assert settle(command(Verb.TOGGLE), State(on=True)).verb is Verb.OFF
    assert settle(command(Verb.TOGGLE), State()).verb is Verb.ON


@pytest.mark.parametrize("name", ["red", "green", "blue", "yellow", "purple", "white"])
def test_colours_survive_the_way_through_the_spaces_of_lamps(name: str) -> None:
    rgb = COLORS[name]
    assert is_alike(from_hs(*to_hs(rgb)), rgb)
    assert is_alike(from_xy(*to_xy(rgb)), rgb)
