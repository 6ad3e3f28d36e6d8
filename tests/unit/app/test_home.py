"""What is decided about devices while the server runs, without a broker: by hand-made devices."""

import logging

import pytest

import virtual_time
from clocks import PlainStore
from parlour.app.config import parse
from parlour.app.home import Calls
from parlour.errors import InputError
from parlour.gateways.home import Change, Sentence
from parlour.home.grammar import HouseGrammar
from parlour.home.mqtt import MqttHouse

FILE = """
floors: {up: {}}
areas: {Attic: {floor: up, aliases: {de_DE: [Dachboden]}}}
devices:
  attic.lamp:
    area: Attic
    aliases: {de_DE: [Licht da oben], en_US: [top light]}
    risk: 2
    mqtt: {component: light, command_topic: a/set, unique_id: u1}
  home.old_fan: {mqtt: {component: switch, command_topic: b/set}}
"""


def calls(store: PlainStore, text: str = FILE) -> Calls:
    house = MqttHouse("mqtt://127.0.0.1:1", floors={})
    made = Calls(parse(text, {})[0], house, HouseGrammar(house), store)
    virtual_time.run(made.load)
    return made


def test_what_is_decided_wins_is_kept_and_null_takes_it_back() -> None:
    store = PlainStore()
    made = calls(store)
    change = Change(name="Sun", risk=0, aliases={"de_DE": ["Sonne", "Sonne"]}, expose=False)
    lamp = made.change("attic.lamp", change)
    assert (lamp["name"], lamp["exposed"], lamp["floor"]) == ("Sun", False, "up")
    assert lamp["aliases"] == {"de_DE": ["Sonne"], "en_US": ["top light"]}
    again = calls(store)
    assert again.entity("attic.lamp") == lamp
    back = again.change("attic.lamp", Change(name=None, risk=None, aliases=None, expose=None))
    assert (back["name"], back["risk"], back["exposed"], back["decided"]) == ("Lamp", 2, True, {})
    assert calls(store).entity("attic.lamp") == back


def test_an_area_is_spelt_as_the_house_does_or_is_new() -> None:
    made = calls(PlainStore())
    assert made.change("home.old_fan", Change(area="dachboden"))["area"] == "Attic"
    assert made.change("home.old_fan", Change(area="Cellar"))["area"] == "Cellar"
    found = made.areas()
    assert found["areas"] == [
        {"name": "Cellar", "floor": None, "aliases": {}, "devices": ["home.old_fan"]},
        {
            "name": "Attic",
            "floor": "up",
            "aliases": {"de_DE": ["Dachboden"]},
            "devices": ["attic.lamp"],
        },
    ]
    assert found["elsewhere"] == []


def test_an_unknown_id_is_answered_with_ids_that_are_near() -> None:
    made = calls(PlainStore())
    for asked in ("attic.lmap", "lamp", "Old Fan"):
        with pytest.raises(InputError, match=r"did you mean (attic\.lamp|home\.old_fan)\?"):
            made.entity(asked)
    with pytest.raises(InputError, match=r"^there is no device zzz$"):
        made.change("zzz", Change(risk=1))


def test_what_was_kept_and_cannot_be_used_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    store = PlainStore()
    store.save_assignment("attic.lamp", {"risk": "high"})
    store.save_assignment("home.old_fan", {"name": "Wind"})
    store.save_assignment("gone.away", {"name": "Ghost"})
    with caplog.at_level(logging.WARNING):
        made = calls(store)
    assert "attic.lamp" in caplog.text
    assert made.entity("attic.lamp")["risk"] == 2
    assert made.entity("home.old_fan")["name"] == "Wind"


def test_a_name_that_the_house_adds_by_itself_is_not_kept() -> None:
    made = calls(PlainStore(), FILE.replace("attic.lamp:", "attic.lamp:\n    name: top_lamp"))
    lamp = made.change("attic.lamp", Change(aliases={"": ["top lamp", "sun"]}))
    assert lamp["decided"] == {"aliases": {"": ["sun"]}}


def test_a_sentence_is_read_where_it_is_said_and_in_a_language_of_the_house() -> None:
    made = calls(PlainStore())
    read = made.interpret(Sentence(text="turn on the light", area="attic", language="en"))
    assert read["actions"] == [{"verb": "on", "targets": ["attic.lamp"]}]
    with pytest.raises(InputError, match="there is no area Pool; known: Attic"):
        made.interpret(Sentence(text="x", area="Pool"))
    with pytest.raises(InputError, match="fr is none of the house's languages"):
        made.interpret(Sentence(text="x", language="fr"))
