"""What natural sentences come to, judged by their effect."""

from dataclasses import replace

import pytest

from english_sentences import Spoken, commands
from houses import MemoryHouse
from parlour.home.durations import seconds_of
from parlour.home.grammar import HouseGrammar
from parlour.home.resolve import Asked, Commands, Unclear, resolve
from parlour.ids import DeviceId, EntityId
from parlour.ports import Judgement, Place

HOUSE = MemoryHouse()
for lit in ("kitchen.light", "living_room.lamp"):
    HOUSE.states[EntityId(lit)] = replace(HOUSE.states[EntityId(lit)], on=True, brightness=50.0)
GRAMMAR = HouseGrammar(HOUSE)


@pytest.mark.parametrize("spoken", commands(), ids=lambda spoken: spoken.text)
def test_a_natural_sentence_has_the_effect_that_its_speaker_means(spoken: Spoken) -> None:
    place = Place(DeviceId("board"), spoken.area)
    judged = GRAMMAR.judge(spoken.text, "en", place)
    assert _words(_effect(judged, place)) == _words(spoken.effect)


def _effect(judged: Judgement, place: Place) -> str:
    name = judged.slots.get("timer_name", "")
    match judged.intent:
        case "":
            return "nothing"
        case "timer_start":
            return f"timer {seconds_of(judged.slots)} {name}"
        case "timer_cancel":
            return f"cancel {'all' if 'all' in judged.slots else name}"
        case "timer_status":
            return f"left {name}"
        case "time" | "date" | "nevermind":
            return judged.intent
        case _:
            return _in_the_house(judged, place)


def _in_the_house(judged: Judgement, place: Place) -> str:
    clauses = [_one(clause, place) for clause in (judged, *judged.then)]
    verb = clauses[0].split()[0]
    return " ".join([clauses[0], *(clause.removeprefix(verb) for clause in clauses[1:])])


def _one(judged: Judgement, place: Place) -> str:
    match resolve(judged, HOUSE, place):
        case Unclear():
            return "refuse"
        case Asked(entities=entities, about=about):
            return f"ask {about} {' '.join(e.id for e in entities)}"
        case Commands(commands=made):
            verbs = {c.verb if c.value is None else f"{c.verb} {_plain(c.value)}" for c in made}
            return f"{' '.join(verbs)} {' '.join(c.target for c in made)}"


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _words(effect: str) -> list[str]:
    """The verb and its value in order, then the ids in any order."""
    words = effect.split()
    ids = {word for word in words if word in HOUSE.entities}
    return [word for word in words if word not in ids] + sorted(ids)
