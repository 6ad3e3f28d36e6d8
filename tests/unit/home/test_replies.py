"""What is said, from what came of it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from houses import MemoryHouse
from parlour.home.entities import Command, Outcome, Result, State, Verb
from parlour.home.replies import answer, describe
from parlour.home.resolve import Asked, Reason, Unclear
from parlour.ids import EntityId

HOUSE = MemoryHouse()
ON = State(on=True)


def _outcome(target: str, result: Result, verb: Verb = Verb.ON, state: State = ON) -> Outcome:
    return Outcome(Command(EntityId(target), verb, None), result, state)


def _say(*outcomes: Outcome) -> str:
    return describe(outcomes, HOUSE)


def _ask(house: MemoryHouse, about: str, *ids: str) -> str:
    return answer(Asked([house.entities[EntityId(i)] for i in ids], about), house)


def test_several_that_obeyed_are_said_together() -> None:
    bedroom = [_outcome(f"bedroom.{name}", Result.CONFIRMED) for name in ("light", "lamp")]
    assert _say(*bedroom) == "The bedroom lights are on."
    kitchen = _outcome("kitchen.light", Result.CONFIRMED)
    assert _say(*bedroom, kitchen) == "Three lights are on."
    assert _say(bedroom[0], kitchen) == "The bedroom light and the kitchen light are on."


@pytest.mark.parametrize(
    ("results", "reply"),
    [
        ("CU", "One of two lights is on; the bedroom lamp does not answer."),
        ("SU", "I asked the bedroom light to turn on; the bedroom lamp does not answer."),
        ("CO", "One of two lights is on; the bedroom lamp is not connected."),
        ("SS", "I asked the bedroom lights to turn on."),
        ("UU", "The bedroom light does not answer. The bedroom lamp does not answer."),
        ("NN", "I cannot reach the house just now."),
    ],
)
def test_those_that_did_not_obey_are_named(results: str, reply: str) -> None:
    letters = {
        "C": Result.CONFIRMED,
        "S": Result.SENT,
        "U": Result.UNCONFIRMED,
        "O": Result.OFFLINE,
        "N": Result.NO_BROKER,
    }
    names = ("bedroom.light", "bedroom.lamp")
    assert _say(*(_outcome(n, letters[r]) for n, r in zip(names, results, strict=True))) == reply


def test_many_that_fail_are_counted_and_not_listed() -> None:
    lights = [e for e in HOUSE.entities if e.endswith(("light", "lamp"))]
    outcomes = [_outcome(lights[0], Result.CONFIRMED)]
    outcomes += [_outcome(light, Result.UNCONFIRMED) for light in lights[1:]]
    assert _say(*outcomes) == "One of six lights is on; five do not answer."


def test_those_that_cannot_are_named_after_the_rest() -> None:
    done = Outcome(Command(EntityId("bedroom.lamp"), Verb.SET_COLOR, "blue"), Result.CONFIRMED, ON)
    light = HOUSE.entities[EntityId("kitchen.light")]
    unable = [Unclear(Reason.CANNOT, [light], verb=Verb.SET_COLOR)]
    assert describe([done], HOUSE, unable) == (
        "The bedroom lamp is blue. The kitchen light cannot change its color."
    )


@pytest.mark.parametrize(
    ("verb", "value", "state", "reply"),
    [
        (Verb.CLOSE, None, State(cover="closing"), "The bedroom blinds are closing."),
        (Verb.CLOSE, None, State(cover="closed"), "The bedroom blinds are closed."),
        (
            Verb.SET_POSITION,
            50.0,
            State(cover="opening"),
            "The bedroom blinds are moving to 50 percent.",
        ),
        (Verb.SET_POSITION, 50.0, State(cover="open"), "The bedroom blinds are at 50 percent."),
        (Verb.STOP, None, State(cover="stopped"), "The bedroom blinds are stopped."),
    ],
)
def test_blinds_are_plural_and_on_their_way(
    verb: Verb, value: float | None, state: State, reply: str
) -> None:
    command = Command(EntityId("bedroom.blinds"), verb, value)
    assert _say(Outcome(command, Result.CONFIRMED, state)) == reply


def _with(changes: Sequence[tuple[str, State]]) -> MemoryHouse:
    house = MemoryHouse()
    house.states.update({EntityId(i): state for i, state in changes})
    return house


LIGHTS = ("kitchen.light", "bedroom.light", "office.light")


def test_a_question_about_several_names_the_exceptions() -> None:
    house = _with([("kitchen.light", ON)])
    assert _ask(house, "on", *LIGHTS) == "The kitchen light is on."
    assert _ask(house, "off", *LIGHTS) == "No, the kitchen light is on."
    assert _ask(house, "on", *LIGHTS[1:]) == "No, all two are off."
    assert _ask(house, "off", *LIGHTS[1:]) == "Yes, all two are off."


def test_what_is_not_known_is_said_not_to_be_known() -> None:
    away = replace(ON, available=False)
    house = _with([("kitchen.light", away), ("living_room.thermostat", State(available=False))])
    assert _ask(house, "on", "kitchen.light") == "I do not know about the kitchen light."
    assert _ask(house, "off", *LIGHTS) == (
        "Yes, all two are off. I do not know about the kitchen light."
    )
    reply = _ask(house, "temperature", "living_room.thermostat")
    assert reply == "I do not know the temperature in the living room."
