"""What `ask` and `home` make of a server's answers."""

import httpx
import pytest

from parlour.app.client import ServerError, _object, _table, state_text
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
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_how_a_thing_stands_is_said_in_a_few_words(state: dict[str, object], said: str) -> None:
    assert state_text({"state": state}) == said


def test_columns_are_as_wide_as_their_widest_text() -> None:
    table = list(
        _table(
            [
                {"id": "a", "name": "Lamp", "kind": "light", "area": "Living Room"},
                {"id": "bedroom.light", "name": "L", "kind": "light", "floor": "up"},
            ]
        )
    )
    assert table == [
        "ID             NAME  KIND   AREA         FLOOR  STATE",
        "a              Lamp  light  Living Room  -      unknown",
        "bedroom.light  L     light  -            up     unknown",
    ]
    assert list(_table([])) == []


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
        _object(httpx.Response(status, json=body), "http://x")


def test_an_answer_that_is_no_object_comes_from_another_server() -> None:
    with pytest.raises(ServerError, match="is not a Parlour server"):
        _object(httpx.Response(200, json=[1]), "http://x")


@pytest.mark.parametrize("uri", ["tcp://h", "tcp://h:x", "tcp://:1", "unix://", "unix://a", "h:1"])
def test_an_engine_refuses_an_address_that_is_none(uri: str) -> None:
    with pytest.raises(InputError, match="is no address"):
        serve_engine(Config(), "tts", "espeak", uri)
