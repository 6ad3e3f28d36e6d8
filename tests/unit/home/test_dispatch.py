"""Commands on their way: sent once, shared, superseded, remembered by the id of their action."""

import json
from collections.abc import Awaitable, Callable

import anyio

import virtual_time
from announced import take
from parlour.home.catalogue import Catalogue
from parlour.home.dispatch import CONFIRM_S, MOST_ACTIONS, REMEMBER_S, Dispatch
from parlour.home.entities import Command, Outcome, Result, Verb
from parlour.ids import EntityId
from parlour.tasks import task_group

LAMP = EntityId("home.lamp")
DIM = {"name": "Lamp", "cmd_t": "set", "stat_t": "on", "bri_cmd_t": "dim", "bri_stat_t": "bri"}


class Wire:
    """A house of one lamp whose messages are kept; `answer` is how soon it reports, if at all."""

    def __init__(self, *, answers: bool = True, **config: object) -> None:
        self.catalogue = Catalogue()
        self.sent: list[tuple[str, str]] = []
        self.answers = answers
        self.is_there = True
        self.dispatch = Dispatch(self.catalogue, self._publish)
        self.dispatch.is_connected = True
        take(self.catalogue, "homeassistant/light/lamp/config", DIM | config)

    async def _publish(self, topic: str, payload: str) -> bool:
        if self.is_there:
            self.sent.append((topic, payload))
        await anyio.sleep(0.01)
        if self.is_there and self.answers:
            self.report({"set": "on", "dim": "bri"}[topic], payload)
        return self.is_there

    def report(self, topic: str, payload: str) -> None:
        for id_ in self.catalogue.receive(topic, payload.encode()):
            self.dispatch.notice(id_)

    async def do(self, *verbs: tuple[Verb, float | None], action: str = "") -> list[Result]:
        commands = [Command(LAMP, verb, value) for verb, value in verbs]
        return [each.result for each in await self.dispatch.carry_out(commands, action)]


ON, OFF, TOGGLE = (Verb.ON, None), (Verb.OFF, None), (Verb.TOGGLE, None)


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    virtual_time.run(scenario)


def test_the_same_command_twice_is_sent_once_and_both_hear_of_it() -> None:
    async def scenario() -> None:
        wire = Wire()
        results: list[Result] = []

        async def ask() -> None:
            results.extend(await wire.do(ON))

        async with task_group() as group:
            group.start_soon(ask)
            group.start_soon(ask)
        assert wire.sent == [("set", "ON")]
        assert results == [Result.CONFIRMED] * 2
        await wire.do(ON)  # what is no longer on its way is sent again
        assert len(wire.sent) == 2

    play(scenario)


def test_a_command_to_the_contrary_ends_the_waiting_for_the_older_one() -> None:
    async def scenario() -> None:
        wire = Wire(answers=False)
        older: list[Result] = []

        async def ask() -> None:
            older.extend(await wire.do((Verb.SET_BRIGHTNESS, 80)))

        async with task_group() as group:
            group.start_soon(ask)
            await anyio.sleep(0.1)
            began_s = anyio.current_time()
            assert await wire.do((Verb.SET_BRIGHTNESS, 20)) == [Result.UNCONFIRMED]
            assert anyio.current_time() - began_s >= CONFIRM_S
        assert older == [Result.SENT]
        assert [payload for topic, payload in wire.sent if topic == "dim"] == ["204", "51"]

    play(scenario)


def test_being_told_to_be_on_right_after_a_brightness_is_not_full_brightness() -> None:
    async def scenario() -> None:
        wire = Wire(on_cmd_type="brightness")
        results = await wire.do((Verb.SET_BRIGHTNESS, 20), ON)
        assert wire.sent == [("dim", "51")]
        assert Result.UNSUPPORTED not in results

    play(scenario)


def test_a_silent_device_is_unconfirmed_after_its_time_and_no_later() -> None:
    async def scenario() -> None:
        wire = Wire(answers=False)
        began_s = anyio.current_time()
        assert await wire.do(ON) == [Result.UNCONFIRMED]
        assert CONFIRM_S <= anyio.current_time() - began_s < CONFIRM_S + 0.1

    play(scenario)


def test_a_broker_that_is_lost_on_the_way_is_an_outcome() -> None:
    async def scenario() -> None:
        wire = Wire()
        wire.is_there = False
        assert await wire.do(ON) == [Result.NO_BROKER]
        wire.dispatch.is_connected = False
        assert await wire.do(ON) == [Result.NO_BROKER]
        stranger = Command(EntityId("home.stranger"), Verb.ON)
        [outcome] = await wire.dispatch.carry_out([stranger], "")
        assert outcome.result is Result.NO_BROKER

    play(scenario)


def test_an_action_is_carried_out_once() -> None:
    async def scenario() -> None:
        wire = Wire()
        assert await wire.do(TOGGLE, action="a") == [Result.CONFIRMED]
        assert await wire.do(TOGGLE, action="a") == [Result.CONFIRMED]
        assert wire.sent == [("set", "ON")]
        await wire.do(TOGGLE, action="b")
        assert wire.sent == [("set", "ON"), ("set", "OFF")]
        await anyio.sleep(REMEMBER_S)
        await wire.do(TOGGLE, action="a")
        assert len(wire.sent) == 3

    play(scenario)


def test_an_action_that_was_cancelled_on_its_way_is_not_sent_again() -> None:
    async def scenario() -> None:
        wire = Wire(answers=False)
        with anyio.move_on_after(0.5):
            await wire.do(ON, action="a")
        outcomes: list[Outcome] = []

        async def again() -> None:
            outcomes.extend(await wire.dispatch.carry_out([Command(LAMP, Verb.ON)], "a"))

        async with task_group() as group:
            group.start_soon(again)
            await anyio.sleep(0.1)
            wire.report("on", "ON")
        assert wire.sent == [("set", "ON")]
        assert [each.result for each in outcomes] == [Result.CONFIRMED]

    play(scenario)


def test_an_action_that_sent_nothing_may_be_tried_again() -> None:
    async def scenario() -> None:
        wire = Wire()
        wire.dispatch.is_connected = False
        assert await wire.do(ON, action="a") == [Result.NO_BROKER]
        wire.dispatch.is_connected = True
        assert await wire.do(ON, action="a") == [Result.CONFIRMED]

    play(scenario)


def test_only_so_many_actions_are_remembered() -> None:
    async def scenario() -> None:
        wire = Wire()
        for number in range(MOST_ACTIONS + 5):
            await wire.do(ON, action=f"a{number}")
        await wire.do(ON, action=f"a{MOST_ACTIONS + 4}")
        assert len(wire.sent) == MOST_ACTIONS + 5
        await wire.do(ON, action="a0")
        assert len(wire.sent) == MOST_ACTIONS + 6

    play(scenario)


def test_a_button_pressed_twice_is_pressed_twice() -> None:
    async def scenario() -> None:
        wire = Wire(answers=False)
        take(wire.catalogue, "homeassistant/button/b/config", {"name": "Bell", "cmd_t": "ring"})
        bell = Command(EntityId("home.bell"), Verb.ACTIVATE)
        outcomes = await wire.dispatch.carry_out([bell, bell], "")
        assert [each.result for each in outcomes] == [Result.SENT] * 2
        assert wire.sent == [("ring", "PRESS")] * 2

    play(scenario)


def test_a_state_before_the_command_does_not_prove_a_dimmed_lamp() -> None:
    async def scenario() -> None:
        wire = Wire(answers=False)
        wire.report("bri", "255")
        wire.report("on", "ON")
        assert json.dumps(await wire.do((Verb.SET_BRIGHTNESS, 40))) == '["unconfirmed"]'

    play(scenario)
