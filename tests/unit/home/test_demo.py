"""The demo home's devices, without a broker and without a clock."""

import json
from pathlib import Path

import pytest

import parlour_bench
from parlour.home.demo import BASE, Blinds, DemoHome, Light, Thermostat, demo_entities
from parlour.home.entities import Kind


def test_it_holds_every_entity_that_the_bench_speaks_to() -> None:
    lines = Path(parlour_bench.__file__).with_name("data").joinpath("commands.jsonl").read_text()
    wanted = {entity for line in lines.splitlines() for entity in json.loads(line).get("after", {})}
    assert wanted <= {entity.id for entity in demo_entities()}


def test_it_has_about_a_dozen_things_of_every_kind_on_two_floors() -> None:
    entities = demo_entities()
    assert len(entities) == 12
    assert {entity.kind for entity in entities} == set(Kind)
    assert {entity.floor for entity in entities} == {"downstairs", "upstairs"}


def test_a_light_dims_for_half_a_second() -> None:
    light = Light("x", level=255)
    light.receive("x/bri/set", "1", 10.0)
    assert light.is_on
    light.advance(10.25)
    assert light.level == pytest.approx(127.5)
    assert light.advance(10.5) == float("inf")
    assert light.level == 1


def test_blinds_travel_three_seconds_and_stop_on_the_way() -> None:
    blinds = Blinds("x")
    blinds.receive("x/set", "CLOSE", 0.0)
    assert blinds.cover == "closing"
    blinds.advance(1.5)
    blinds.receive("x/set", "STOP", 1.5)
    assert (blinds.cover, blinds.position) == ("open", 50)
    blinds.receive("x/set", "CLOSE", 60.0)
    blinds.advance(61.0)
    assert blinds.position == pytest.approx(16.7, abs=0.1)
    blinds.advance(62.0)
    assert blinds.cover == "closed"


def test_a_room_warms_towards_its_target() -> None:
    thermostat = Thermostat("x", target=21, measured=20.8)
    thermostat.advance(0.0)
    thermostat.advance(4.0)
    assert thermostat.measured == 20.9
    thermostat.advance(60.0)
    assert thermostat.measured == 21


def test_garbage_is_ignored_and_only_changes_are_told() -> None:
    home = DemoHome()
    told, _ = home.advance(0.0)
    assert len(told) > 12
    for topic in home.command_topics:
        for payload in ("", "{", "[]", "nan?", '{"color": {"r": "x"}}'):
            home.receive(topic, payload, 0.1)
    home.advance(0.1)
    home.receive(f"{BASE}/office_fan/set", "ON", 0.2)
    told, _ = home.advance(0.2)
    assert (f"{BASE}/office_fan/state", '{"state": "ON"}') in told
