"""What the owner of a running home decides: over HTTP, on the command line, and after a restart."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from parlour.audio import Pcm
from serving import Running, parlour, say, serving

LAMP, DOOR = "kitchen.light", "hall.front_door"
QUESTION = "unlock the front door"
STRICT = """
permissions:
  pin: "1234"
  rules: [{target: "garage.*", verb: open, permit: deny}]
devices:
  kitchen.light: {name: Sun, risk: 2}
  cellar.radio:
    area: Cellar
    mqtt: {component: media, command_topic: radio/set, payload_play: play}
"""


def _out(server: Running, *arguments: str) -> str:
    ended = parlour(server.url, *arguments)
    assert ended.code == 0, ended.stderr
    return ended.stdout


def _complaint(server: Running, *arguments: str) -> str:
    ended = parlour(server.url, *arguments)
    assert (ended.code, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    return line


def _call(server: Running, method: str, path: str, body: object = None) -> tuple[int, Any]:
    answer = httpx.request(method, f"{server.url}{path}", json=body, trust_env=False, timeout=20)
    return answer.status_code, answer.json()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_what_the_owner_decides_counts_at_once_and_after_a_restart(
    tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    with serving(tmp_path) as server:
        _look(server)
        _decide_on_the_command_line(server)
        _decide_over_http(server)
        _be_refused(server)
        _read_sentences(server)
        _ask_back(server, speak)
    with serving(tmp_path, STRICT) as server:
        _find_it_again(server)
        _speak_the_pin(server)


def _look(server: Running) -> None:
    listed = _out(server, "home", "list")
    assert listed.count("  kitchen.light ") == 1
    assert listed.index("downstairs\n") < listed.index("  Kitchen\n") < listed.index(LAMP)
    entities = json.loads(_out(server, "home", "list", "--json"))["entities"]
    ids = [entity["id"] for entity in entities]
    assert len(set(ids)) == len(ids)
    for id_ in ids:
        assert f" {id_} " in listed
    (lamp,) = [entity for entity in entities if entity["id"] == LAMP]
    assert lamp == _call(server, "GET", f"/api/home/{LAMP}")[1]
    assert (lamp["kind"], lamp["area"], lamp["risk"]) == ("light", "Kitchen", 1)
    assert "Kitchen Light" in lamp["names"]
    assert "brightness" in lamp["features"]
    shown = _out(server, "home", "show", DOOR)
    assert "risk     3: may let somebody in or harm" in shown
    assert "Kitchen" in _out(server, "home", "areas")


def _decide_on_the_command_line(server: Running) -> None:
    said = _complaint(server, "home", "assign", LAMP, "Attic")
    assert "there is no area Attic; known: " in said
    assert "--new makes it" in said
    assert "stands in Attic" in _out(server, "home", "assign", LAMP, "Attic", "--new")
    assert "stands in Bedroom, upstairs" in _out(server, "home", "assign", LAMP, "bedroom")
    assert "Morning Star" in _out(server, "home", "alias", LAMP, "Morning Star")
    assert "Sonne" in _out(server, "home", "alias", LAMP, "Sonne", "--language", "de")
    done = server.ask("turn on the morning star")["actions"]
    assert [(a["target"], a["confirmed"]) for a in done] == [(LAMP, True)]
    assert "Sonne" not in _out(server, "home", "alias", LAMP, "--clear", "--language", "de")
    assert "hidden" in _out(server, "home", "hide", "office.light")
    assert not server.ask("turn on the office light")["actions"]
    assert "(hidden)" in _out(server, "home", "list")
    assert "can be commanded" in _out(server, "home", "expose", "office.light")
    assert server.ask("turn on the office light")["actions"]
    assert "hidden" in _out(server, "home", "hide", "office.fan")


def _decide_over_http(server: Running) -> None:
    path = "/api/home/bedroom.lamp"
    status, lamp = _call(server, "PATCH", path, {"name": "Moon", "risk": 3, "floor": "attic"})
    assert (status, lamp["name"], lamp["risk"], lamp["floor"]) == (200, "Moon", 3, "attic")
    assert "Shall I" in server.ask("turn on the moon")["reply"]
    _, lamp = _call(server, "PATCH", path, {"risk": None, "floor": None})
    assert (lamp["name"], lamp["risk"], lamp["floor"]) == ("Moon", 1, "upstairs")
    assert lamp["decided"] == {"name": "Moon"}
    _, lamp = _call(server, "PATCH", path, {"name": None})
    assert (lamp["name"], lamp["decided"]) == ("Bedroom Lamp", {})
    _, found = _call(server, "GET", "/api/home/areas")
    bedroom = next(area for area in found["areas"] if area["name"] == "Bedroom")
    assert (bedroom["floor"], LAMP in bedroom["devices"]) == ("upstairs", True)
    assert "home.anna" in found["elsewhere"]
    paths = httpx.get(f"{server.url}/openapi.json", trust_env=False).json()["paths"]
    assert {"/api/home", "/api/home/areas", "/api/home/{id}", "/api/interpret"} <= paths.keys()
    assert "patch" in paths["/api/home/{id}"]


def _be_refused(server: Running) -> None:
    said = _complaint(server, "home", "show", "kitchen.lihgt")
    assert "there is no device kitchen.lihgt; did you mean kitchen.light" in said
    assert "no device" in _complaint(server, "home", "hide", "nothing.at_all")
    assert "there is no name to add" in _complaint(server, "home", "alias", LAMP)
    for body, complaint in (
        ({"risk": 4}, "less than or equal to 3"),
        ({"risk": True}, "valid integer"),
        ({"expose": "yes"}, "valid boolean"),
        ({"name": ""}, "at least 1 character"),
        ({"name": "x" * 61}, "at most 60 characters"),
        ({"name": "a\nb"}, "one line"),
        ({"aliases": ["x"]}, "valid dictionary"),
        ({"aliases": {"german": ["x"]}}, "should match pattern"),
        ({"aliases": {"": ["x"] * 21}}, "at most 20 items"),
        ({"colour": "red"}, "not permitted"),
    ):
        status, answer = _call(server, "PATCH", f"/api/home/{LAMP}", body)
        assert status == 422, body
        assert complaint in json.dumps(answer), body
    status, answer = _call(server, "PATCH", "/api/home/no.such", {"risk": 1})
    assert (status, answer["error"].partition(";")[0]) == (422, "there is no device no.such")


def _read_sentences(server: Running) -> None:
    body = {"text": "turn off the lights", "area": "office"}
    status, answer = _call(server, "POST", "/api/interpret", body)
    assert (status, answer["verdict"]) == (200, "command")
    assert answer["actions"] == [{"verb": "off", "targets": ["office.light"]}]
    for wrong, complaint in (
        ({**body, "area": "Pool"}, "there is no area Pool; known: Bathroom, "),
        ({**body, "language": "fr"}, "fr is none of the house's languages"),
    ):
        status, answer = _call(server, "POST", "/api/interpret", wrong)
        assert (status, complaint in answer["error"]) == (422, True)
    german = _call(server, "POST", "/api/interpret", {"text": "wie spät ist es", "language": "de"})
    assert german[1]["verdict"] == "talk"
    assert "fr is none" in server.ask("bonjour", language="fr")["error"]
    assert _out(server, "ask", "wie spät ist es", "--language", "de-DE").strip()


def _ask_back(server: Running, speak: Callable[[str], Pcm]) -> None:
    assert server.entities()[DOOR]["lock"] == "locked"
    asked = server.ask(QUESTION)
    assert (asked["reply"][-1], asked["actions"]) == ("?", [])
    assert not say(server, speak("yes")).actions  # from another device
    assert server.entities()[DOOR]["lock"] == "locked"
    (action,) = server.ask("yes")["actions"]
    assert (action["target"], action["verb"], action["confirmed"]) == (DOOR, "unlock", True)
    assert server.entities()[DOOR]["lock"] == "unlocked"
    assert not server.ask("yes")["actions"]
    assert server.ask("lock the front door")["actions"]


def _find_it_again(server: Running) -> None:
    _, lamp = _call(server, "GET", f"/api/home/{LAMP}")
    assert (lamp["name"], lamp["area"], lamp["risk"]) == ("Sun", "Bedroom", 2)
    assert lamp["aliases"] == {"": ["Morning Star"]}
    assert lamp["decided"]["area"] == "Bedroom"
    assert not _call(server, "GET", "/api/home/office.fan")[1]["exposed"]
    _, radio = _call(server, "GET", "/api/home/cellar.radio")
    assert (radio["kind"], radio["name"], radio["area"]) == ("media", "Radio", "Cellar")


def _speak_the_pin(server: Running) -> None:
    asked = server.ask(QUESTION)["reply"]
    assert "1234" not in asked
    assert not server.ask("yes")["actions"]
    server.ask(QUESTION)
    assert not server.ask("one two three five")["actions"]
    assert not server.ask("one two three four")["actions"]
    server.ask(QUESTION)
    assert [a["verb"] for a in server.ask("one two three four")["actions"]] == ["unlock"]
    assert not server.ask("open the garage door")["actions"]
    assert not server.ask("one two three four")["actions"]
