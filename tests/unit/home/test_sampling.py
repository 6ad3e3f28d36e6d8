"""What the recogniser is taught."""

import re
from dataclasses import replace

from houses import HOUSE, MemoryHouse
from parlour.home.grammar import HouseGrammar
from parlour.home.sampling import training_sentences
from parlour.ids import DeviceId, EntityId
from parlour.ports import Place

HALL = Place(DeviceId("hall"))


def test_whatever_is_sampled_is_a_whole_command() -> None:
    grammar = HouseGrammar(MemoryHouse())
    sentences = training_sentences(HOUSE, per_template=8)
    assert len(sentences) > 1000
    assert [s for s in sentences if not grammar.judge(s, "en", HALL).intent] == []


def test_the_same_house_and_seed_give_the_same_sentences_the_usual_ones_more_often() -> None:
    sentences = training_sentences(HOUSE, per_template=8)
    assert training_sentences(HOUSE, per_template=8) == sentences
    assert training_sentences(HOUSE, per_template=8, seed=2) != sentences
    often = {
        said: sentences.count(said) for said in ("turn on the office light", "cancel the timer")
    }
    assert min(often.values()) > 1


def test_only_words_that_can_be_pronounced_are_taught() -> None:
    odd = [
        replace(HOUSE[1], id=EntityId("kitchen.plug"), name="Plug 12"),
        replace(HOUSE[1], id=EntityId("kitchen.cafe"), name="Café"),
        replace(HOUSE[1], id=EntityId("kitchen.hindi"), name="पंखा"),
    ]
    sentences = training_sentences([*HOUSE, *odd], per_template=30)
    assert all(re.fullmatch(r"[a-z']+( [a-z']+)*", s) for s in sentences)
    assert any("plug twelve" in s for s in sentences)
    assert any("cafe" in s for s in sentences)


def test_every_name_area_and_floor_of_the_house_is_taught() -> None:
    text = "\n".join(training_sentences(HOUSE))
    for entity in HOUSE:
        assert entity.name.lower() in text
        assert str(entity.area).lower() in text
        assert str(entity.floor) in text


def test_a_house_without_anything_still_has_timers_and_the_time() -> None:
    sentences = training_sentences([])
    assert "what time is it" in sentences
    assert not any("blinds of" in s for s in sentences)
