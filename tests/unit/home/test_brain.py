"""What is done about a sentence, and what is said about it."""

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files

import anyio
import pytest

import virtual_time
from houses import HOUSE, MemoryHouse
from parlour.events import Action
from parlour.home.brain import HomeBrain
from parlour.home.clock import Clock
from parlour.home.demo import demo_entities
from parlour.home.entities import Entity, Result
from parlour.home.grammar import HouseGrammar
from parlour.home.rings import Said
from parlour.home.timers import Timers
from parlour.home.wording import wording
from parlour.ids import DeviceId, EntityId, TurnId
from parlour.ports import Begun, Did, Expect, Place, Say, Utterance

HALL = Place(DeviceId("hall"))
GRAMMAR = HouseGrammar(MemoryHouse())  # every house here has the same names


SAY = wording("en")


class Nobody:
    """Speakers in a house where no device is connected."""

    def nearest(self, device: DeviceId) -> Sequence[DeviceId]:
        return ()

    def announce(self, device: DeviceId, text: str) -> Said | None:
        return None


CLOCK = Clock(None, Nobody(), "en")


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    CLOCK.rings.close()


class Room:
    """A house with its brain, and what they said and did last."""

    def __init__(self, place: Place = HALL, entities: Sequence[Entity] = tuple(HOUSE)) -> None:
        self.house = MemoryHouse(entities)
        CLOCK.timers = Timers()
        grammar = GRAMMAR if list(entities) == HOUSE else HouseGrammar(self.house)
        self.brain = HomeBrain(self.house, grammar, CLOCK)
        self.place = place
        self.actions: list[Action] = []
        self.expected: list[str] = []
        self.begun = 0  # how often it said that something is done now
        self.commit = anyio.Event()
        self.commit.set()

    async def say(self, text: str) -> str:
        said: list[str] = []
        self.actions = []
        utterance = Utterance(TurnId("t"), text, "en_US", self.place)
        async with self.brain.answer(utterance, self.commit) as answer:
            async for piece in answer:
                match piece:
                    case Expect(text=expected):
                        self.expected.append(expected)
                    case Say(text=reply):
                        said.append(reply)
                    case Did(action=action):
                        self.actions.append(action)
                    case Begun():
                        self.begun += 1
        return " ".join(said)

    def hear(self, text: str) -> str:
        return virtual_time.run(self.say, text)


@pytest.mark.parametrize(
    ("text", "reply", "on"),
    [
        ("turn on the kitchen light", "The kitchen light is on.", {"kitchen.light"}),
        ("turn on the coffee machine", "The coffee machine is on.", {"kitchen.coffee_machine"}),
        (
            "turn on the lights in the living room",
            "The living room lights are on.",
            {"living_room.light", "living_room.lamp"},
        ),
        (
            "turn on the lights upstairs",
            "Three lights are on.",
            {"bedroom.light", "bedroom.lamp", "office.light"},
        ),
        ("set the kitchen light to half", "The kitchen light is at 50 percent.", {"kitchen.light"}),
        ("make the bedroom lamp blue", "The bedroom lamp is blue.", {"bedroom.lamp"}),
        ("dim the coffee machine to ten percent", SAY.say("not_known"), set()),
    ],
)
def test_a_command_does_what_it_says_and_the_reply_says_what_was_done(
    text: str, reply: str, on: set[str]
) -> None:
    room = Room()
    assert room.hear(text) == reply
    assert room.house.on == on


def test_the_light_is_the_one_where_the_speaker_stands() -> None:
    room = Room(Place(DeviceId("board"), "Kitchen"))
    assert room.hear("turn on the light") == "The kitchen light is on."
    assert room.hear("make it warmer") == "The living room thermostat is set to 21 degrees."


def test_without_a_place_a_bare_light_is_asked_back_about_and_nothing_is_done() -> None:
    room = Room()
    assert room.hear("turn on the light") == "Which lights do you mean? Please name the room."
    assert room.house.carried_out == []


@pytest.mark.parametrize(
    ("result", "reply", "confirmed"),
    [
        (Result.SENT, "I asked the kitchen light to turn on.", [False]),
        (Result.UNCONFIRMED, "The kitchen light does not answer.", [False]),
        (Result.OFFLINE, "The kitchen light is not connected.", []),
        (Result.UNSUPPORTED, "The kitchen light cannot do that.", []),
        (Result.NO_BROKER, "I cannot reach the house just now.", []),
    ],
)
def test_nothing_is_said_that_is_not_so(result: Result, reply: str, confirmed: list[bool]) -> None:
    room = Room()
    room.house.faults[EntityId("kitchen.light")] = result
    assert room.hear("turn on the kitchen light") == reply
    assert [action.confirmed for action in room.actions] == confirmed


def test_of_several_lights_those_that_did_not_obey_are_named() -> None:
    room = Room()
    room.house.faults[EntityId("bedroom.lamp")] = Result.UNCONFIRMED
    reply = room.hear("turn on the lights upstairs")
    assert reply == "Two of three lights are on; the bedroom lamp does not answer."


def test_a_temperature_out_of_range_is_refused_in_words() -> None:
    room = Room()
    reply = room.hear("set the thermostat to thirty five degrees")
    assert reply == "The living room thermostat can be set from 5 to 30 only."
    assert room.house.carried_out == []


def test_questions_are_answered_from_what_is_known() -> None:
    room = Room()
    assert room.hear("is the kitchen light on") == "No, the kitchen light is off."
    room.hear("turn on the kitchen light")
    assert room.hear("is the kitchen light on") == "Yes, the kitchen light is on."
    assert room.hear("are the bedroom blinds open") == "No, the bedroom blinds are closed."
    reply = room.hear("what is the temperature in the living room")
    assert reply == "It is 19 point 5 degrees in the living room, set to 20."
    assert room.hear("are the lights downstairs on") == "The kitchen light is on."
    reply = room.hear("are all the lights off")
    assert reply == "No, the kitchen light is on."


def test_what_is_not_understood_is_owned_up_to() -> None:
    room = Room()
    assert room.hear("") == SAY.say("not_heard")
    assert room.hear("what is the capital of france") == SAY.say("not_known")
    assert room.house.carried_out == []


def test_a_plan_does_nothing() -> None:
    room = Room()
    plan = room.brain.plan("turn off all the lights", "en_US", HALL)
    assert {command.target for command in plan.commands} == {
        e.id for e in HOUSE if e.kind == "light"
    }
    assert room.house.carried_out == []
    assert room.brain.plan("sing a song", "en_US", HALL).reply == SAY.say("not_known")


def test_each_sentence_of_the_bench_does_what_the_bench_expects() -> None:
    lines = files("parlour_bench").joinpath("data/commands.jsonl").read_text().splitlines()
    entities = demo_entities()
    for line in lines:
        row = json.loads(line)
        if row["kind"] != "command":
            continue
        room = Room(entities=entities)
        for before in row["before"]:
            assert room.hear(before) != SAY.say("not_known")
        room.hear(row["say"])
        for entity, fields in row["after"].items():
            state = room.house.states[EntityId(entity)]
            for name, wanted in fields.items():
                if name != "color":  # the house of this test has but one colour
                    allowed = wanted if isinstance(wanted, list) else [wanted]
                    assert getattr(state, name) in allowed, row["say"]


def test_timers_are_set_asked_about_and_cancelled_by_name() -> None:
    async def scenario() -> None:
        room = Room()
        reply = await room.say("set a ten minute timer for the pasta")
        assert reply == "The timer for the pasta is set for ten minutes."
        await room.say("set a timer for an hour and a half")
        await anyio.sleep(61)
        reply = await room.say("how much time is left on the pasta timer")
        assert reply == "The pasta timer has eight minutes and fifty nine seconds left."
        assert "Which one" in await room.say("cancel the timer")
        assert await room.say("cancel the pasta timer") == "The pasta timer is cancelled."
        assert await room.say("cancel the timer") == "The timer is cancelled."
        assert await room.say("cancel the timer") == "There is no timer."

    virtual_time.run(scenario)


def test_more_timers_than_a_house_can_want_are_refused_in_words() -> None:
    async def scenario() -> None:
        room = Room()
        replies = [await room.say("set a timer for one hour") for _ in range(31)]
        assert replies[-1] == "There are 30 timers already."

    virtual_time.run(scenario)
