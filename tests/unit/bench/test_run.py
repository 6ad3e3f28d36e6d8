from collections.abc import Mapping

from parlour.app.virtual_turn import Turn
from parlour.events import Action
from parlour.ids import EntityId
from parlour_bench.house import changed
from parlour_bench.run import Measured, Verdict, judge
from parlour_bench.scenario import Command, Line

LAMP, OTHER, BLIND = "kitchen.light", "hall.light", "office.blind"
OFF: Mapping[str, object] = {"on": False, "available": True, "temperature": 20.0}
ON: Mapping[str, object] = {"on": True, "available": True, "temperature": 20.4}
COMMAND = Line(Command("turn on the light", "command", after={LAMP: {"on": True}}), "slt")
QUERY = Line(Command("is the light on", "query", reply=r"\bon\b"), "slt")
CHATTER = Line(Command("lovely weather", "chatter"), "slt")


def _turn(reply: str = "The light is on.", acted: str | None = None, *, heard: bool = True) -> Turn:
    actions = (Action(EntityId(acted), "on", None, confirmed=True),) if acted else ()
    packets = [(0.3, 60)] if heard else []
    return Turn("the words", sentences=[reply], packets=packets, actions=actions, end="answered")


def test_the_state_that_was_asked_for_is_right() -> None:
    assert judge(COMMAND, _turn(acted=LAMP), {LAMP: OFF}, {LAMP: ON}) == (Verdict.RIGHT, "")


def test_nothing_done_is_missed_with_what_was_heard() -> None:
    verdict = judge(COMMAND, _turn(), {LAMP: OFF}, {LAMP: OFF})
    assert verdict == (Verdict.MISSED, "heard: the words")


def test_another_device_that_changed_is_wrong_even_beside_the_right_one() -> None:
    before, after = {LAMP: OFF, OTHER: OFF}, {LAMP: ON, OTHER: ON}
    assert judge(COMMAND, _turn(), before, after) == (Verdict.WRONG, f"changed {OTHER}")


def test_an_action_on_another_device_is_wrong_even_if_nothing_changed() -> None:
    verdict = judge(QUERY, _turn(acted=OTHER), {OTHER: ON}, {OTHER: ON})
    assert verdict == (Verdict.WRONG, f"acted on {OTHER}")


def test_a_device_that_vanished_has_changed() -> None:
    assert judge(QUERY, _turn(), {OTHER: ON}, {})[0] is Verdict.WRONG


def test_a_query_is_judged_by_its_reply() -> None:
    assert judge(QUERY, _turn("It is on."), {LAMP: ON}, {LAMP: ON})[0] is Verdict.RIGHT
    verdict, why = judge(QUERY, _turn("Sorry?"), {LAMP: ON}, {LAMP: ON})
    assert (verdict, why) == (Verdict.MISSED, "heard: the words; said: Sorry?")


def test_no_sound_is_unanswered() -> None:
    verdict = judge(QUERY, _turn(heard=False), {LAMP: ON}, {LAMP: ON})
    assert verdict == (Verdict.UNANSWERED, "the turn ended as answered")


def test_chatter_that_does_nothing_is_right_whatever_is_said_to_it() -> None:
    assert judge(CHATTER, _turn("Sorry?"), {LAMP: ON}, {LAMP: ON})[0] is Verdict.RIGHT
    assert judge(CHATTER, _turn(), {LAMP: OFF}, {LAMP: ON})[0] is Verdict.WRONG


def test_a_measured_temperature_drifts_and_nobody_commanded_it() -> None:
    assert changed({LAMP: OFF}, {LAMP: {**OFF, "temperature": 23.0}}) == set()


def test_a_blind_that_began_to_move_has_changed() -> None:
    before = {BLIND: {"cover": "closed", "position": 0}}
    assert changed(before, {BLIND: {"cover": "opening", "position": 0}}) == {BLIND}


def test_a_turn_that_ended_before_the_speaker_did_is_cut_off() -> None:
    early = Turn(packets=[(0.1, 60)], stages_ms={"commit": 200, "sent_first": 350})
    late = Turn(packets=[(0.2, 60)], stages_ms={"commit": 200, "sent_first": 350})
    assert Measured(COMMAND, early, Verdict.RIGHT).cut_off
    assert not Measured(COMMAND, late, Verdict.RIGHT).cut_off
