from collections.abc import Mapping

import pytest

from parlour.app.virtual_turn import Turn
from parlour.events import Action
from parlour.ids import EntityId
from parlour_bench.house import changed
from parlour_bench.judge import judge, meets, reply_fits
from parlour_bench.manifest import Expected, Kind, Utterance
from parlour_bench.measured import Verdict

LAMP, OTHER, BLIND = "kitchen.light", "hall.light", "office.blind"
OFF: Mapping[str, object] = {"on": False, "available": True, "temperature": 20.0}
ON: Mapping[str, object] = {"on": True, "available": True, "temperature": 20.4}
COMMAND = Utterance(Kind.COMMAND, ("turn on the light",), after={LAMP: {"on": True}})
QUERY = Utterance(Kind.COMMAND, ("is the light on",), asks="query", reply=r"\bon\b")
CHATTER = Utterance(Kind.CHATTER, ("lovely weather",))


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


@pytest.mark.parametrize("kind", [Kind.CHATTER, Kind.SHORT])
def test_what_must_change_nothing_is_right_whether_it_is_answered_or_not(kind: Kind) -> None:
    utterance = Utterance(kind, ("yes",))
    for heard in (True, False):
        turn = _turn("Sorry?", heard=heard)
        assert judge(utterance, turn, {LAMP: ON}, {LAMP: ON})[0] is Verdict.RIGHT
    assert judge(utterance, _turn(), {LAMP: OFF}, {LAMP: ON})[0] is Verdict.WRONG


def test_a_correction_that_does_what_was_taken_back_is_wrong() -> None:
    said = Utterance(
        Kind.CORRECTION, ("the kitchen no the hall light",), after={OTHER: {"on": True}}
    )
    before = {LAMP: OFF, OTHER: OFF}
    assert judge(said, _turn(acted=OTHER), before, {LAMP: OFF, OTHER: ON})[0] is Verdict.RIGHT
    assert judge(said, _turn(acted=LAMP), before, {LAMP: ON, OTHER: OFF})[0] is Verdict.WRONG


def test_a_measured_temperature_drifts_and_nobody_commanded_it() -> None:
    assert changed({LAMP: OFF}, {LAMP: {**OFF, "temperature": 23.0}}) == set()


def test_a_blind_that_began_to_move_has_changed() -> None:
    before = {BLIND: {"cover": "closed", "position": 0}}
    assert changed(before, {BLIND: {"cover": "opening", "position": 0}}) == {BLIND}


@pytest.mark.parametrize(
    ("value", "wanted", "fits"),
    [
        (True, True, True),
        (False, True, False),
        (None, True, False),
        ("open", "open", True),
        ("opening", ["open", "opening"], True),
        ("closed", ["open", "opening"], False),
        (None, ["open", "opening"], False),
        (40.8, 40, True),
        (42, 40, False),
        (True, 1, False),
        ([0, 30, 255], [0, 0, 255], True),
        ([255, 0, 0], [0, 0, 255], False),
        (None, [0, 0, 255], False),
        ([0, 0], [0, 0, 255], False),
        (30, {"below": 50}, True),
        (50, {"below": 50}, False),
        (60, {"above": 50, "below": 70}, True),
        (None, {"above": 50}, False),
    ],
)
def test_a_state_fits_what_a_command_must_cause(
    value: object, wanted: Expected, fits: bool
) -> None:
    assert meets({"field": value}, {"field": wanted}) is fits


def test_every_field_must_fit() -> None:
    assert meets({"on": True, "brightness": 40}, {"on": True, "brightness": 40})
    assert not meets({"on": True, "brightness": 90}, {"on": True, "brightness": 40})


def test_a_reply_is_searched_without_regard_to_case() -> None:
    assert reply_fits(QUERY, "The light is ON.")
    assert not reply_fits(QUERY, "I did not understand.")
