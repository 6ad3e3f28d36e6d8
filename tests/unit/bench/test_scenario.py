import pytest

from parlour_bench.scenario import (
    Command,
    Expected,
    load_chatter,
    load_commands,
    meets,
    plan,
    reply_fits,
)


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
    assert reply_fits(Command("", "query", reply=r"\bon\b"), "The light is ON.")
    assert not reply_fits(Command("", "query", reply=r"\bon\b"), "I did not understand.")


def test_a_quick_plan_says_each_sentence_once_and_the_voices_take_turns() -> None:
    lines = plan(("slt", "rms", "awb"), quick=True)
    assert len(lines) == 70
    assert [line.voice for line in lines[:4]] == ["slt", "rms", "awb", "slt"]


def test_a_full_plan_says_each_sentence_in_each_voice() -> None:
    assert len(plan(("slt", "rms"), quick=False)) == 140


def test_the_bench_has_forty_commands_and_thirty_sentences_of_chatter() -> None:
    commands, chatter = load_commands(), load_chatter()
    assert len({command.say for command in commands}) == len(commands) == 40
    assert len({command.say for command in chatter}) == len(chatter) == 30
    assert {command.kind for command in commands} == {"command", "query", "timer"}


def test_every_command_can_be_told_from_silence() -> None:
    for command in load_commands():
        assert command.after or command.reply, command.say
