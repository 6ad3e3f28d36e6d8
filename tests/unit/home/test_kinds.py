"""Every kind of thing: what it can be told, in which words, and what its reports mean."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.home.catalogue import Catalogue
from parlour.home.commands import make_messages, rounded
from parlour.home.definitions import Definition
from parlour.home.discovery import COMPONENTS, discover
from parlour.home.entities import Command, Feature, Kind, State, Verb
from parlour.home.features import features_of, options_of
from parlour.home.meanings import NEEDS
from parlour.home.overrides import Override, define_own
from parlour.home.proofs import contradicts, is_caused, is_on_its_way, is_optimistic, seen
from parlour.ids import EntityId

X = EntityId("home.x")


def define(kind: str, **config: object) -> Definition:
    if kind == "media":
        return define_own("home.x", Override(mqtt={"component": kind, **config}))
    found = discover(f"homeassistant/{kind}/x/config", json.dumps(config).encode())
    assert found
    return found[0]


def command(verb: Verb, value: str | float | None = None) -> Command:
    return Command(X, verb, value)


def heard(kind: str, said: dict[str, object], **config: object) -> State:
    """The state after messages, by topic, in order."""
    catalogue = Catalogue()
    payload = json.dumps(config).encode()
    assert catalogue.receive_config(f"homeassistant/{kind}/x/config", payload)[0]
    for topic, payload_ in said.items():
        text = payload_ if isinstance(payload_, str) else json.dumps(payload_)
        catalogue.receive(topic, text.encode())
    return catalogue.state(X)


TEMPLATE_LIGHT: dict[str, Any] = {
    "schema": "template", "command_topic": "c", "state_topic": "s",
    "command_on_template": (
        "on{% if brightness is defined %},{{ brightness }}{% endif %}"
        "{% if red is defined %},{{ red }}-{{ green }}-{{ blue }}{% endif %}"
        "{% if color_temp is defined %},{{ color_temp }}{% endif %}"
    ),
    "command_off_template": "off",
    "state_template": "{{ value.split(',')[0] }}",
    "brightness_template": "{{ value.split(',')[1] }}",
    "red_template": "{{ value.split(',')[2].split('-')[0] }}",
    "green_template": "{{ value.split(',')[2].split('-')[1] }}",
    "blue_template": "{{ value.split(',')[2].split('-')[2] }}",
    "color_temp_template": "{{ value.split(',')[3] }}",
}  # fmt: skip
PAIR: dict[str, Any] = {
    "temperature_high_command_topic": "hi", "temperature_low_command_topic": "lo",
    "mode_command_topic": "m", "modes": ["off", "heat", "cool", "heat_cool"],
    "temperature_high_state_topic": "his", "temperature_low_state_topic": "los",
    "mode_state_topic": "ms",
}  # fmt: skip
FAN = {"command_topic": "c", "percentage_command_topic": "p", "preset_mode_command_topic": "m",
       "preset_modes": ["auto", "sleep"], "speed_range_max": 3, "percentage_state_topic": "ps",
       "preset_mode_state_topic": "pm", "state_topic": "s"}  # fmt: skip
VACUUM = {"command_topic": "c", "state_topic": "s", "payload_start": "GO",
          "supported_features": ["start", "pause", "stop", "return_home", "locate"]}  # fmt: skip
MEDIA = {"command_topic": "c", "payload_on": "1", "payload_off": "0", "payload_play": "PLAY",
         "payload_pause": "PAUSE", "payload_stop": "STOP", "payload_mute": "M",
         "payload_unmute": "U", "volume_command_topic": "v", "volume_scale": 40}  # fmt: skip
VALVE = {"command_topic": "c", "reports_position": True, "position_open": 0, "position_closed": 255}
HUMID = {"command_topic": "c", "target_humidity_command_topic": "h", "max_humidity": 60,
         "mode_command_topic": "m", "modes": ["auto", "eco"]}  # fmt: skip
LIGHT = {"command_topic": "c", "brightness_command_topic": "b"}

COMMANDS: list[tuple[str, dict[str, Any], Command, list[tuple[str, str]]]] = [
    ("light", TEMPLATE_LIGHT, command(Verb.OFF), [("c", "off")]),
    ("light", TEMPLATE_LIGHT, command(Verb.SET_BRIGHTNESS, 50), [("c", "on,128")]),
    ("light", TEMPLATE_LIGHT, command(Verb.SET_COLOR, "red"), [("c", "on,255-0-0")]),
    ("light", TEMPLATE_LIGHT, command(Verb.SET_COLOR_TEMP, 4000), [("c", "on,250")]),
    ("light", {**LIGHT, "on_command_type": "first"}, command(Verb.SET_BRIGHTNESS, 50),
     [("c", "ON"), ("b", "128")]),
    ("light", {**LIGHT, "on_command_type": "brightness"}, command(Verb.ON), [("b", "255")]),
    ("light", {**LIGHT, "brightness_scale": 100}, command(Verb.SET_BRIGHTNESS, 1),
     [("b", "1"), ("c", "ON")]),
    ("light", {**LIGHT, "brightness_scale": 3}, command(Verb.SET_BRIGHTNESS, 1),
     [("b", "1"), ("c", "ON")]),
    ("light", {**LIGHT, "brightness_command_template": '{"b": {{ value }}}'},
     command(Verb.SET_BRIGHTNESS, 100), [("b", '{"b": 255}'), ("c", "ON")]),
    ("light", {"command_topic": "c", "hs_command_topic": "h"}, command(Verb.SET_COLOR, "blue"),
     [("h", "240.0,100.0"), ("c", "ON")]),
    ("light", {"command_topic": "c", "xy_command_topic": "x"}, command(Verb.SET_COLOR, "red"),
     [("x", "0.6401,0.33"), ("c", "ON")]),
    ("light", {"command_topic": "c", "rgb_command_topic": "r",
               "rgb_command_template": "#{{ red }},{{ green }},{{ blue }}"},
     command(Verb.SET_COLOR, "green"), [("r", "#0,255,0"), ("c", "ON")]),
    ("light", {"command_topic": "c", "color_temp_command_topic": "t", "color_temp_kelvin": True},
     command(Verb.SET_COLOR_TEMP, 9000), [("t", "6535"), ("c", "ON")]),
    ("switch", {"command_topic": "c", "command_template": '{"s": "{{ value }}"}'},
     command(Verb.OFF), [("c", '{"s": "OFF"}')]),
    ("switch", {"command_topic": "c", "command_template": "{{ value.x.y }}"},
     command(Verb.OFF), []),
    ("siren", {"command_topic": "c"}, command(Verb.ON), [("c", '{"state": "ON"}')]),
    ("siren", {"command_topic": "c", "command_template": "{{ state }}!"}, command(Verb.ON),
     [("c", "ON!")]),
    ("cover", {"set_position_topic": "p", "position_open": 0, "position_closed": 255,
               "set_position_template": '{"p": {{ position }}}'},
     command(Verb.SET_POSITION, 50), [("p", '{"p": 128}')]),
    ("cover", {"tilt_command_topic": "t", "tilt_min": 10, "tilt_max": 20},
     command(Verb.SET_TILT, 50), [("t", "15")]),
    ("cover", {"command_topic": "c"}, command(Verb.SET_POSITION, 50), []),
    ("valve", {"command_topic": "c"}, command(Verb.OPEN), [("c", "OPEN")]),
    ("valve", VALVE, command(Verb.SET_POSITION, 100), [("c", "0")]),
    ("valve", VALVE, command(Verb.CLOSE), [("c", "255")]),
    ("climate", PAIR, command(Verb.SET_TEMPERATURE, 21), [("lo", "20"), ("hi", "22")]),
    ("climate", {"temperature_command_topic": "t",
                 "temperature_command_template": "{{ (value * 2) | int }}"},
     command(Verb.SET_TEMPERATURE, 19.5), [("t", "39")]),
    ("climate", {"power_command_topic": "p"}, command(Verb.OFF), [("p", "OFF")]),
    ("climate", PAIR, command(Verb.SET_MODE, "cool"), [("m", "cool")]),
    ("climate", PAIR, command(Verb.SET_MODE, "dry"), []),
    ("climate", {"mode_command_topic": "m"}, command(Verb.SET_MODE, "dry"), [("m", "dry")]),
    ("climate", {"mode_command_topic": "m", "modes": []}, command(Verb.SET_MODE, "dry"), []),
    ("fan", FAN, command(Verb.SET_SPEED, 34), [("p", "2")]),
    ("fan", FAN, command(Verb.SET_SPEED, 1), [("p", "1")]),
    ("fan", FAN, command(Verb.SET_SPEED, 0), [("c", "OFF")]),
    ("fan", {"percentage_command_topic": "p"}, command(Verb.OFF), [("p", "0")]),
    ("fan", FAN, command(Verb.SET_MODE, "sleep"), [("m", "sleep")]),
    ("humidifier", HUMID, command(Verb.SET_HUMIDITY, 80), [("h", "60")]),
    ("humidifier", HUMID, command(Verb.SET_MODE, "eco"), [("m", "eco")]),
    ("lock", {"command_topic": "c"}, command(Verb.LOCK), [("c", "LOCK")]),
    ("lock", {"command_topic": "c", "payload_unlock": "0"}, command(Verb.UNLOCK), [("c", "0")]),
    ("lock", {"command_topic": "c", "code_format": "^\\d{4}$"}, command(Verb.UNLOCK), []),
    ("vacuum", VACUUM, command(Verb.START), [("c", "GO")]),
    ("vacuum", VACUUM, command(Verb.DOCK), [("c", "return_to_base")]),
    ("vacuum", {"command_topic": "c"}, command(Verb.PAUSE), []),
    ("scene", {"command_topic": "c"}, command(Verb.ACTIVATE), [("c", "ON")]),
    ("button", {"command_topic": "c"}, command(Verb.ACTIVATE), [("c", "PRESS")]),
    ("number", {"command_topic": "c", "min": 0, "max": 10, "step": 0.5},
     command(Verb.SET_VALUE, 3.3), [("c", "3.5")]),
    ("select", {"command_topic": "c", "options": ["a", "b"]}, command(Verb.SET_MODE, "b"),
     [("c", "b")]),
    ("select", {"command_topic": "c", "options": ["a", "b"]}, command(Verb.SET_MODE, "c"), []),
    ("media", MEDIA, command(Verb.START), [("c", "PLAY")]),
    ("media", MEDIA, command(Verb.MUTE), [("c", "M")]),
    ("media", MEDIA, command(Verb.SET_VOLUME, 50), [("v", "20")]),
    ("sensor", {"state_topic": "s"}, command(Verb.ON), []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "config", "told", "messages"), COMMANDS)
def test_a_command_is_said_in_the_words_of_its_kind(
    kind: str, config: dict[str, Any], told: Command, messages: list[tuple[str, str]]
) -> None:
    assert make_messages(define(kind, **config), told, State(on=False)) == messages


STATES: list[tuple[str, dict[str, Any], dict[str, object], State]] = [
    ("light", TEMPLATE_LIGHT, {"s": "on,255,1-2-3,250"},
     State(on=True, brightness=100, color=(1, 2, 3), color_temp_k=4000)),
    ("light", {"hs_state_topic": "s"}, {"s": "240,100"}, State(color=(0, 0, 255))),
    ("light", {"xy_state_topic": "s"}, {"s": "0.64,0.33"}, State(color=(255, 0, 0))),
    ("light", {"rgb_state_topic": "s", "color_temp_state_topic": "t", "color_mode_state_topic": "m"},
     {"s": "1,2,3", "t": "250", "m": "color_temp"}, State(color_temp_k=4000)),
    ("switch", {"state_topic": "s", "payload_on": True, "value_template": "{{ value_json.a }}"},
     {"s": {"a": True}}, State(on=True)),
    ("siren", {"state_topic": "s"}, {"s": {"state": "ON", "tone": "x"}}, State(on=True)),
    ("siren", {"state_topic": "s", "state_value_template": "{{ value_json.a }}", "state_off": "n"},
     {"s": {"a": "n"}}, State(on=False)),
    ("cover", {"position_topic": "p", "position_open": 0, "position_closed": 255}, {"p": "51"},
     State(cover="open", position=80)),
    ("cover", {"position_topic": "p", "tilt_status_topic": "t", "position_template":
               '{"position": {{ value_json.a }}, "tilt_position": 50}'}, {"p": {"a": 0}},
     State(cover="closed", position=0, tilt=50)),
    ("cover", {"tilt_status_topic": "t", "tilt_min": 10, "tilt_max": 20}, {"t": "15"},
     State(tilt=50)),
    ("cover", {"state_topic": "s", "state_open": "up"}, {"s": "up"}, State(cover="open")),
    ("cover", {"state_topic": "s", "position_topic": "p"}, {"p": "0", "s": "stopped"},
     State(cover="closed", position=0)),
    ("valve", {"state_topic": "s", "reports_position": True}, {"s": {"position": 30}},
     State(cover="open", position=30)),
    ("valve", {"state_topic": "s"}, {"s": "closing"}, State(cover="closing")),
    ("climate", PAIR, {"his": "24", "los": "20", "ms": "heat"},
     State(on=True, mode="heat", target_temperature=20, target_low=20, target_high=24)),
    ("climate", PAIR, {"ms": "heat_cool", "his": "24", "los": "20"},
     State(on=True, mode="heat_cool", target_temperature=22, target_low=20, target_high=24)),
    ("climate", {"current_temperature_topic": "t", "current_humidity_topic": "h"},
     {"t": "20.5", "h": "41"}, State(temperature=20.5, humidity=41)),
    ("fan", FAN, {"s": "ON", "ps": "2", "pm": "sleep"}, State(on=True, speed=66.7, mode="sleep")),
    ("fan", {"percentage_state_topic": "p"}, {"p": "0"}, State(on=False, speed=0)),
    ("humidifier", {"state_topic": "s", "target_humidity_state_topic": "h",
                    "mode_state_topic": "m", "current_humidity_topic": "c"},
     {"s": "ON", "h": "45", "m": "eco", "c": "38"},
     State(on=True, target_humidity=45, mode="eco", humidity=38)),
    ("lock", {"state_topic": "s", "state_locked": "1"}, {"s": "1"}, State(lock="locked")),
    ("lock", {"state_topic": "s"}, {"s": "JAMMED"}, State(lock="jammed")),
    ("vacuum", {"state_topic": "s"}, {"s": {"state": "cleaning", "fan_speed": "max"}},
     State(on=True, activity="cleaning")),
    ("select", {"state_topic": "s"}, {"s": "eco"}, State(mode="eco")),
    ("select", {"state_topic": "s", "options": ["eco"]}, {"s": "None"}, State()),
    ("select", {"state_topic": "s", "options": ["eco", "None"]}, {"s": "None"},
     State(mode="None")),
    ("fan", {"preset_mode_state_topic": "s"}, {"s": "None"}, State()),
    ("humidifier", {"mode_state_topic": "s", "payload_reset_mode": "-"}, {"s": "-"}, State()),
    ("valve", {"state_topic": "s", "position_topic": "p"}, {"s": "open", "p": "40"},
     State(cover="open", position=40)),
    ("cover", {"state_topic": "s", "position_topic": "p"}, {"p": "40", "s": "stopped"},
     State(cover="open", position=40)),
    ("number", {"state_topic": "s"}, {"s": "7.5"}, State(value=7.5)),
    ("sensor", {"state_topic": "s", "value_template": "{{ value_json.a | float / 10 }}"},
     {"s": {"a": 215}}, State(value=21.5)),
    ("sensor", {"state_topic": "s"}, {"s": "raining\u0007cats"}, State(value="raining cats")),
    ("binary_sensor", {"state_topic": "s", "device_class": "window"}, {"s": "ON"}, State(on=True)),
    ("device_tracker", {"state_topic": "s"}, {"s": "not_home"}, State(value="not_home")),
    ("device_tracker", {"state_topic": "s", "payload_home": "here"}, {"s": "here"},
     State(value="home")),
    ("device_tracker", {"state_topic": "s"}, {"s": "Work"}, State(value="Work")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "config", "said", "expected"), STATES)
def test_a_report_is_read_in_the_units_of_people(
    kind: str, config: dict[str, Any], said: dict[str, object], expected: State
) -> None:
    if kind == "light" and config.get("schema") != "template":
        config = {**config, "command_topic": "c"}
    assert heard(kind, said, **config) == expected


@pytest.mark.parametrize(
    ("told", "was_at", "is_at", "expected"),
    [
        (command(Verb.CLOSE), 100, 97, True),
        (command(Verb.CLOSE), 50, 53, False),
        (command(Verb.OPEN), 0, 2, True),
        (command(Verb.SET_POSITION, 50), 100, 70, True),
        (command(Verb.SET_POSITION, 50), 100, 40, False),
        (command(Verb.SET_POSITION, 50), 20, 20, False),
        (command(Verb.CLOSE), None, 20, False),
    ],
)
def test_a_cover_that_moves_the_right_way_is_on_its_way(
    told: Command, was_at: float | None, is_at: float, expected: bool
) -> None:
    before, now = State(cover="open", position=was_at), State(cover="open", position=is_at)
    assert is_on_its_way(told, before, now) is expected
    if expected:
        assert seen(told, now).cover == ("opening" if was_at == 0 else "closing")


def test_a_valve_of_esphome_is_told_its_position_on_a_topic_of_its_own() -> None:
    valve = define("valve", command_topic="c", state_topic="s", set_position_topic="p")
    assert Feature.POSITION in features_of(valve)
    assert make_messages(valve, command(Verb.SET_POSITION, 40), State()) == [("p", "40")]
    assert make_messages(valve, command(Verb.CLOSE), State()) == [("c", "CLOSE")]


def test_a_media_player_is_written_by_hand_and_announced_by_nobody() -> None:
    assert "media" not in COMPONENTS
    player = define("media", **MEDIA, state_topic="s", volume_state_topic="v")
    features = {Feature.ON_OFF, Feature.START, Feature.PAUSE, Feature.STOP}
    assert features_of(player) == features | {Feature.MUTE, Feature.VOLUME}
    assert not is_optimistic(player, command(Verb.SET_VOLUME, 3))
    assert is_optimistic(player, command(Verb.MUTE))


@pytest.mark.parametrize("scale", [255, 254, 100, 99])
def test_a_brightness_survives_the_way_to_a_lamp_and_back(scale: int) -> None:
    config = {**LIGHT, "brightness_scale": scale, "brightness_state_topic": "s"}
    for wanted in range(1, 101):
        told = command(Verb.SET_BRIGHTNESS, wanted)
        payload = make_messages(define("light", **config), told, State(on=True))[0][1]
        state = heard("light", {"s": payload}, **config)
        assert is_caused(told, State(on=True, brightness=state.brightness))


def test_a_lamp_that_is_on_is_not_told_again_to_be_on() -> None:
    # Some lamps jump to full brightness when they are (home-assistant/core#7810).
    lamp = define("light", **LIGHT)
    told = command(Verb.SET_BRIGHTNESS, 20)
    assert make_messages(lamp, told, State(on=True)) == [("b", "51")]


def test_a_lamp_that_is_turned_on_by_brightness_gets_the_one_it_had() -> None:
    lamp = define("light", **LIGHT, on_command_type="brightness")
    assert make_messages(lamp, command(Verb.ON), State(on=False, brightness=20)) == [("b", "51")]


def test_a_pair_of_targets_moves_by_the_one_that_counts() -> None:
    pair, told = define("climate", **PAIR), command(Verb.SET_TEMPERATURE, 21)
    heat = State(mode="heat", target_low=19, target_high=25)
    assert make_messages(pair, told, heat) == [("lo", "21"), ("hi", "25")]
    cool = State(mode="cool", target_low=19, target_high=25)
    assert make_messages(pair, told, cool) == [("lo", "19"), ("hi", "21")]
    both = State(mode="heat_cool", target_low=19, target_high=25)
    assert make_messages(pair, told, both) == [("lo", "18"), ("hi", "24")]


@pytest.mark.parametrize(
    ("told", "proof", "contrary"),
    [
        (command(Verb.LOCK), State(lock="locking"), State(lock="jammed")),
        (command(Verb.UNLOCK), State(lock="unlocked"), State(lock="locked")),
        (command(Verb.START), State(activity="cleaning"), State(activity="docked")),
        (command(Verb.PAUSE), State(activity="paused"), State(activity="cleaning")),
        (command(Verb.DOCK), State(activity="returning"), State(activity="cleaning")),
        (command(Verb.STOP), State(activity="idle"), State(activity="cleaning")),
        (command(Verb.OPEN), State(cover="opening", position=3), State(cover="open", position=3)),
        (command(Verb.OPEN), State(cover="open"), State(cover="closed")),
        (command(Verb.OPEN), State(cover="open", position=97), State(cover="stopped")),
        (command(Verb.MUTE), State(muted=True), State()),
        (command(Verb.UNMUTE), State(muted=False), State()),
        (command(Verb.SET_TILT, 50), State(tilt=51), State(tilt=60)),
        (command(Verb.SET_SPEED, 66.7), State(on=True, speed=66.7), State(speed=33.3)),
        (command(Verb.SET_VOLUME, 30), State(volume=30), State(volume=40)),
        (command(Verb.SET_HUMIDITY, 45), State(target_humidity=45), State(target_humidity=50)),
        (command(Verb.SET_MODE, "eco"), State(mode="eco"), State(mode="auto")),
        (command(Verb.SET_VALUE, 7), State(value=7.0), State(value="7 of 9")),
        (command(Verb.SET_COLOR_TEMP, 4000), State(color_temp_k=4016), State(color_temp_k=2700)),
    ],
)
def test_a_state_proves_its_command_and_another_does_not(
    told: Command, proof: State, contrary: State
) -> None:
    assert is_caused(told, proof)
    assert not is_caused(told, contrary)


@pytest.mark.parametrize(
    ("newer", "older", "expected"),
    [
        (command(Verb.OFF), command(Verb.ON), True),
        (command(Verb.OFF), command(Verb.SET_BRIGHTNESS, 30), True),
        (command(Verb.SET_BRIGHTNESS, 40), command(Verb.SET_BRIGHTNESS, 30), True),
        (command(Verb.SET_BRIGHTNESS, 30), command(Verb.SET_BRIGHTNESS, 30), False),
        (command(Verb.SET_BRIGHTNESS, 40), command(Verb.ON), False),
        (command(Verb.STOP), command(Verb.SET_POSITION, 3), True),
        (command(Verb.SET_COLOR, "red"), command(Verb.SET_COLOR_TEMP, 3), True),
        (Command(EntityId("home.y"), Verb.OFF), command(Verb.ON), False),
    ],
)
def test_only_what_sets_the_same_thing_otherwise_stands_against_it(
    newer: Command, older: Command, expected: bool
) -> None:
    assert contradicts(newer, older) is expected


def test_a_fan_of_three_speeds_is_proven_by_the_next_higher() -> None:
    fan = define("fan", **FAN)
    assert rounded(fan, command(Verb.SET_SPEED, 50)).value == 66.7


def test_without_a_topic_of_its_state_a_thing_is_merely_told() -> None:
    assert is_optimistic(define("switch", command_topic="c"), command(Verb.ON))
    assert not is_optimistic(define("switch", command_topic="c", state_topic="s"), command(Verb.ON))
    assert is_optimistic(define("scene", command_topic="c"), command(Verb.ACTIVATE))
    lamp = define("light", **LIGHT, state_topic="s")
    assert is_optimistic(lamp, command(Verb.SET_BRIGHTNESS, 3))
    assert not is_optimistic(lamp, command(Verb.ON))


def test_options_that_cannot_be_said_are_left_out() -> None:
    select = define("select", command_topic="c", options=["eco", " odd ", "bad\u0007", 3, None])
    assert options_of(select) == ("eco", "3")


@pytest.mark.parametrize("kind", list(Kind))
def test_every_feature_has_a_verb_that_makes_messages(kind: Kind) -> None:
    topics = {f"{name}_command_topic": "c" for name in (
        "brightness", "rgb", "color_temp", "temperature", "mode", "percentage", "preset_mode",
        "target_humidity", "volume", "tilt", "power")}  # fmt: skip
    payloads = {f"payload_{word}": word for word in ("on", "off", "play", "pause", "stop",
                                                     "mute", "unmute")}  # fmt: skip
    lists: dict[str, Any] = {name: ["off", "a"] for name in ("modes", "preset_modes", "options")}
    thing = define(kind, command_topic="c", set_position_topic="c", **topics, **payloads, **lists)
    for feature in features_of(thing):
        verbs = [verb for verb in Verb if NEEDS[verb] is feature]
        assert verbs
        for verb in verbs:
            value = {Verb.SET_COLOR: "red", Verb.SET_MODE: "a"}.get(verb, 50)
            assert make_messages(thing, Command(X, verb, value), State()), (kind, verb)
            is_caused(Command(X, verb, value), State())


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(
    st.text(max_size=3), max_size=2
)  # fmt: skip
ODD_KEYS = st.sampled_from(
    ["brightness_scale", "position_open", "position_closed", "speed_range_min", "speed_range_max",
     "min", "max", "step", "min_temp", "max_temp", "min_humidity", "max_humidity", "modes",
     "options", "preset_modes", "min_mireds", "max_mireds", "payload_on", "payload_off",
     "volume_scale", "tilt_min", "tilt_max", "expire_after", "off_delay", "schema", "min_kelvin",
     "temperature_unit", "supported_color_modes", "on_command_type", "availability_mode"]
)  # fmt: skip
PAYLOADS = st.sampled_from(
    [b"", b"NaN", b"1e999", b'{"state": "\\ud800"}', b"\xff\xfe", b"[[[]]]", b'{"position": 1e400}',
     b"9" * 5000, b"-Infinity", b'{"brightness": NaN, "color": {"x": 1e-320, "y": 1e-320}}', b"0",
     b'{"color": {"h": 1e300, "s": -1e300}}', b"on", b"1,2", b"null", b"{}", b'"ON"']
)  # fmt: skip


@given(st.dictionaries(ODD_KEYS, VALUES, max_size=6), PAYLOADS, st.sampled_from(list(Kind)),
       st.sampled_from(list(Verb)), st.floats(allow_nan=True) | st.text(max_size=3))  # fmt: skip
def test_no_config_payload_or_value_raises(
    odd: dict[str, object], payload: bytes, kind: Kind, verb: Verb, value: str | float
) -> None:
    catalogue = Catalogue()
    names = ("brightness", "rgb", "hs", "xy", "color_temp", "temperature", "mode", "percentage",
             "preset_mode", "target_humidity", "temperature_low", "temperature_high")  # fmt: skip
    config: dict[str, object] = {"command_topic": "c", "state_topic": "s", "position_topic": "s",
              "set_position_topic": "c", "tilt_status_topic": "s", "tilt_command_topic": "c",
              "current_temperature_topic": "s", "current_humidity_topic": "s"}  # fmt: skip
    config |= {f"{name}_command_topic": "c" for name in names}
    config |= {f"{name}_state_topic": "s" for name in names}
    topic = f"homeassistant/{kind}/x/config"
    catalogue.receive_config(topic, json.dumps({**config, **odd}).encode())
    for id_ in catalogue.entities:
        catalogue.receive("s", payload, 1.0)
        catalogue.advance(1e9)
        definition = catalogue.definition(id_)
        assert definition is not None
        told = Command(id_, verb, value)
        for _, said in make_messages(definition, told, catalogue.state(id_)):
            said.encode()
        is_caused(rounded(definition, told), catalogue.state(id_))
        is_optimistic(definition, told)
