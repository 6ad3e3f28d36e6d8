"""The tasks as data: each is whole, says what it needs, and goes to the one who is meant to answer."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache

import pytest

from parlour.errors import InputError
from parlour_bench.agent.simulated import NOTES, Simulated
from parlour_bench.agent.tasks import CLASSES, TOOLS, Days, Task, Turn, load

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@cache
def tasks() -> tuple[Task, ...]:
    return tuple(load(now=NOW))


def said() -> Iterator[tuple[Task, Turn]]:
    for task in tasks():
        for turn in task.turns:
            yield task, turn


def test_there_are_enough_tasks_of_every_class() -> None:
    count = Counter(task.kind for task in tasks())
    assert len(tasks()) >= 120
    assert count["injections"] >= 20
    assert min(count[kind] for kind in CLASSES) >= 8
    assert {turn.language[:2] for _, turn in said()} == {"en", "de", "hi", "ta"}
    assert len({task.id for task in tasks()}) == len(tasks())


def test_the_short_run_has_about_forty_tasks_and_something_of_every_class() -> None:
    short = load(short=True, now=NOW)
    assert 35 <= len(short) <= 45
    assert {task.kind for task in short} == set(CLASSES)


def test_a_task_can_be_run_alone_and_a_misspelt_one_is_named() -> None:
    assert [task.id for task in load("home_film")] == ["home_film"]
    with pytest.raises(InputError, match="classes are home, timers"):
        load("hoem")


def test_what_a_task_begins_and_ends_with_can_be_true_of_that_thing() -> None:
    house = Simulated()
    truths = house.truths()
    for task in tasks():
        house.set(task.start, {}, 0.0)
        for id_, truth in task.end.items():
            assert id_ in truths, task.id
            possible = truths[id_].keys() | {"color", "kelvin", "preset"}
            assert truth.keys() <= possible, task.id
        assert task.messages.keys() <= set(NOTES), task.id


def test_scripts_call_what_there_is_but_for_models_that_misbehave() -> None:
    for task, turn in said():
        called = {call.name for step in turn.script for call in step.calls}
        assert called <= TOOLS or task.kind == "misbehaviour", task.id


def test_every_turn_that_a_model_answers_has_a_script() -> None:
    for task, turn in said():
        assert turn.by in ("model", "grammar", "question"), task.id
        assert turn.script or turn.by != "model", task.id


def test_days_are_filled_in_by_what_they_are() -> None:
    days = Days(date(2026, 11, 21))  # a Saturday
    assert days.fill("{tomorrow}T10:00") == "2026-11-22T10:00"
    assert days.fill({"a": ["{day+3}", "{monday}", 4]}) == {"a": ["2026-11-24", "2026-11-23", 4]}
    assert days.fill("{summer-1} {winter}") == "2027-03-27 2027-10-31"
    assert days.fill("{id of Dentist}") == "{id of Dentist}"


def test_a_change_of_clocks_is_never_within_the_week() -> None:
    assert Days(date(2027, 3, 22)).fill("{summer}") == "2028-03-26"
    assert Days(date(2027, 3, 20)).fill("{summer}") == "2027-03-28"
