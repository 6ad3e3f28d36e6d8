"""What `ask` and `home` make of a server's answers."""

import httpx
import pytest

from parlour.app.client import ServerError, answer_of, columns, state_text
from parlour.app.homeclient import listing
from parlour.app.sections import Config
from parlour.app.speech import serve_engine
from parlour.errors import InputError


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"on": True, "brightness": 40.0}, "on, 40 % bright"),
        ({"on": False, "brightness": 40.0, "color_temp_k": 2700}, "off"),
        ({"on": True, "color": [255, 0, 16]}, "on, color #ff0010"),
        ({"cover": "open", "position": 50.4}, "open, 50 % open"),
        ({"mode": "heat", "target_temperature": 21.0, "temperature": 20.4},
         "heat, set to 21°, measures 20.4°"),
        ({"available": False, "on": True}, "away"),
        ({"on": None}, "unknown"),
        ({"lock": "locked"}, "locked"),
        ({"activity": "docked"}, "docked"),
        ({"value": 21.5}, "21.5 °C"),
        ({"value": "home", "muted": True}, "home °C, muted"),
        ({"on": True, "volume": 30.0, "speed": 50.0}, "on, speed 50 %, volume 30 %"),
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_how_a_thing_stands_is_said_in_a_few_words(state: dict[str, object], said: str) -> None:
    assert state_text({"state": state, "unit": "°C"}) == said


def test_columns_are_as_wide_as_their_widest_text() -> None:
    rows = [("a", "Lamp", "light"), ("bedroom.light", "L", "light")]
    assert list(columns(("ID", "NAME", "KIND"), rows)) == [
        "ID             NAME  KIND",
        "a              Lamp  light",
        "bedroom.light  L     light",
    ]
    assert list(columns(("ID",), [])) == []


def test_the_home_is_listed_by_floor_and_area_and_every_device_once() -> None:
    entities: list[dict[str, object]] = [
        {"id": "home.anna", "name": "Anna", "kind": "device_tracker", "state": {"value": "home"}},
        {"id": "a", "name": "Lamp", "kind": "light", "area": "Office", "floor": "up"},
        {"id": "shed.pump", "name": "Pump", "kind": "switch", "area": "Shed", "exposed": False},
        {"id": "b.light", "name": "L", "kind": "light", "area": "Bath", "floor": "up"},
        {"id": "c", "name": "Lock", "kind": "lock", "area": "Bath", "floor": "up",
         "state": {"lock": "locked"}},
    ]  # fmt: skip
    assert list(listing(entities)) == [
        "up",
        "  Bath",
        "    b.light    L     light           unknown",
        "    c          Lock  lock            locked",
        "  Office",
        "    a          Lamp  light           unknown",
        "-",
        "  Shed",
        "    shed.pump  Pump  switch          unknown (hidden)",
        "  -",
        "    home.anna  Anna  device_tracker  home",
    ]
    assert list(listing([])) == []


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (422, {"error": "there is no area Attic"}, "there is no area Attic"),
        (404, {"detail": "Not Found"}, "Not Found"),
        (422, {"detail": [{"msg": "too long"}, {"msg": "no area"}]}, "too long; no area"),
        (503, {"detail": [1]}, "Service Unavailable"),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(status: int, body: object, said: str) -> None:
    with pytest.raises(ServerError, match=f"^the server refused: {said}$"):
        answer_of(httpx.Response(status, json=body), "http://x")


def test_an_answer_that_is_noanswer_of_comes_from_another_server() -> None:
    with pytest.raises(ServerError, match="is not a Parlour server"):
        answer_of(httpx.Response(200, json=[1]), "http://x")


@pytest.mark.parametrize("uri", ["tcp://h", "tcp://h:x", "tcp://:1", "unix://", "unix://a", "h:1"])
def test_an_engine_refuses_an_address_that_is_none(uri: str) -> None:
    with pytest.raises(InputError, match="is no address"):
        serve_engine(Config(), "tts", "espeak", uri)
