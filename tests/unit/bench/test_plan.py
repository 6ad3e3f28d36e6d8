from collections import Counter

import numpy as np

from parlour_bench.manifest import Kind, load_manifest
from parlour_bench.plan import (
    ALL_VOICES,
    NOISES_DB,
    PAUSES_MS,
    PROFILES,
    Group,
    draw_pause_ms,
    full,
    quick,
    short,
)


def test_a_plan_is_the_same_every_time() -> None:
    assert quick(ALL_VOICES) == quick(ALL_VOICES)
    assert full(ALL_VOICES) == full(ALL_VOICES)


def test_a_full_plan_says_every_question_in_every_voice_to_every_model() -> None:
    plain = [s for s in full(ALL_VOICES) if s.kind is Kind.QUESTION and s.snr_db is None]
    said = Counter((s.utterance.text, s.voice, s.profile) for s in plain)
    assert len(said) == len(plain) == 40 * len(ALL_VOICES) * len(PROFILES)


def test_a_full_plan_says_every_command_in_every_human_voice_and_room() -> None:
    said = [s for s in full(ALL_VOICES) if s.kind is Kind.COMMAND]
    assert {s.voice for s in said} == {"slt", "rms", "awb"}
    assert Counter(s.snr_db for s in said) == {None: 180, 15.0: 180, 5.0: 180}


def test_any_beginning_of_a_full_plan_is_a_fair_sample() -> None:
    said = full(ALL_VOICES)
    share = Counter(s.group for s in said)
    begun = Counter(s.group for s in said[:400])
    for group in Group:
        assert abs(begun[group] / 400 - share[group] / len(said)) < 0.08


def test_a_quick_plan_has_something_of_each_class_and_room() -> None:
    said = quick(ALL_VOICES)
    assert {s.kind for s in said} == set(Kind)
    assert {s.profile for s in said} == {"", *PROFILES}
    assert {s.snr_db for s in said} == {None, *NOISES_DB}
    assert {s.voice for s in said} == set(ALL_VOICES)
    assert {s.utterance.how for s in said if s.kind is Kind.BARGE_IN} == {
        "words",
        "assent",
        "cough",
    }


def test_nothing_is_said_to_a_recogniser_in_a_voice_that_it_was_not_taught() -> None:
    for said in (*quick(ALL_VOICES), *full(ALL_VOICES)):
        assert said.group is not Group.EMBEDDED or said.voice in ("slt", "rms", "awb")


def test_without_a_human_voice_the_home_is_left_alone() -> None:
    assert {s.group for s in quick(["en-us"])} == {Group.SPOKEN, Group.SCRIPTED}


def test_a_short_plan_has_only_closed_commands_and_questions() -> None:
    assert Counter(s.row for s in short()) == {"closed command": 5, "open question, groq": 5}


def test_pauses_are_as_long_as_people_make_them() -> None:
    rng = np.random.default_rng(1)
    drawn = np.array([draw_pause_ms(rng) for _ in range(4000)])
    assert drawn.min() >= 200
    assert drawn.max() <= 1500
    for ms, share in PAUSES_MS:
        assert abs(np.mean(drawn > ms) - share) < 0.03


def test_each_pause_lies_between_two_parts() -> None:
    for said in full(ALL_VOICES):
        assert len(said.pauses_ms) == len(said.utterance.parts) - 1


def test_somebody_speaks_into_an_answer_between_0_8_and_2_5_seconds_after_its_begin() -> None:
    at = [s.into_s + 0.3 for s in full(ALL_VOICES) if s.kind is Kind.BARGE_IN]
    assert 0.8 <= min(at) < 1.0
    assert 2.3 < max(at) <= 2.5


def test_every_utterance_has_a_row_of_its_class() -> None:
    rows = {s.row for s in full(ALL_VOICES) if s.snr_db is None}
    assert len(rows) == 5 + 2 + 1 + 2 + 2 + 1 + 1
    assert len(load_manifest()) == 152
