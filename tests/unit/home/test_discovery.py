"""Home Assistant's announcements, good and bad."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.home.discovery import discover
from parlour.home.entities import Feature, Kind
from parlour.home.features import features_of
from parlour.home.payloads import LARGEST_BYTES, Payload, clean_name
from parlour.home.templates import Lookup, parse_template

TOPIC = "homeassistant/light/lamp/config"


def test_abbreviations_and_the_base_topic_are_written_out() -> None:
    config = {
        "~": "hall/lamp",
        "name": None,
        "cmd_t": "~/set",
        "stat_t": "~/state",
        "bri_cmd_t": "~/bri",
        "avty": {"t": "~/up", "pl_avail": "1"},
        "dev": {"name": "Hall Lamp", "sa": "Hall"},
    }
    found = discover(TOPIC, json.dumps(config).encode())
    assert found is not None
    assert found[0].name == "Hall Lamp"
    assert found[0].area == "Hall"
    assert found[0].text("command_topic") == "hall/lamp/set"
    assert features_of(found[0]) == {Feature.ON_OFF, Feature.BRIGHTNESS}
    assert found[0].availability[0].topic == "hall/lamp/up"
    assert found[0].availability[0].online == "1"


def test_a_device_message_holds_several_entities_and_one_broken_one_harms_no_other() -> None:
    config = {
        "dev": {"ids": "x", "name": "Desk"},
        "cmps": {
            "a": {"p": "switch", "name": "Fan", "cmd_t": "fan/set"},
            "b": {"p": "cover", "name": "Shade", "cmd_t": "#"},
            "c": {"p": "camera", "stat_t": "t"},
            "d": {"p": "light"},
        },
    }
    found = discover("homeassistant/device/x/config", json.dumps(config).encode())
    assert found is not None
    assert [(each.kind, each.name) for each in found] == [(Kind.SWITCH, "Desk Fan")]


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        b"\xff\xfe\x00",
        b"[" * 5000,
        b" " * (LARGEST_BYTES + 1),
        b'{"command_topic": 3}',
        b'{"command_topic": "a/#"}',
        b'{"availability": [{"topic": "#"}]}',
        b'{"schema": "template"}',
        b'{"schema": "of next year"}',
        b'{"value_template": "{{ states(1) }}", "state_topic": "a"}',
    ],
)
def test_a_broken_announcement_costs_one_log_line(
    payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert discover(TOPIC, payload) is None
    assert len(caplog.records) == 1


@given(
    st.dictionaries(
        st.text(max_size=8), st.none() | st.text() | st.integers() | st.lists(st.text())
    )
)
def test_no_announcement_raises(config: dict[str, object]) -> None:
    for component in ("light", "cover", "device", "climate"):
        discover(f"homeassistant/{component}/x/config", json.dumps(config).encode())


def test_names_lose_control_characters_and_surplus_length() -> None:
    assert clean_name(" Hall\n\x1b[31m  Lamp\u202e ") == "Hall [31m Lamp"
    assert len(clean_name("x" * 500)) == 60


def test_a_plain_look_up_is_read_without_jinja() -> None:
    assert parse_template("{{ value }}") == Lookup()
    found = parse_template("{{ value_json.a['b c'][0] }}")
    assert isinstance(found, Lookup)
    assert found.read(Payload('{"a": {"b c": [7]}}')) == 7
    assert found.read(Payload("no json")) is None
    assert not isinstance(parse_template("{{ value_json.a | int }}"), Lookup)
