"""In which conversation somebody is heard: every row of the table above the code."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.agent.memory.threads import MOST_DEVICES, Threads
from parlour.ids import DeviceId

KITCHEN, HALL, BEDROOM, OFFICE, WRITING = map(
    DeviceId, ("kitchen", "hall", "bedroom", "office", "writing-1")
)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _devices(person_of: dict[DeviceId, str] | None = None) -> Threads:
    return Threads("device", person_of or {})


def _talk(threads: Threads, device: DeviceId, now_s: float) -> str:
    thread = threads.thread(device, now_s)
    threads.spoke(device, thread, now_s)
    return thread


def test_a_house_has_one_conversation_a_person_one_of_his_own() -> None:
    assert Threads("house", {KITCHEN: "anna"}).thread(KITCHEN, 0.0) == "house"
    persons = Threads("person", {KITCHEN: "anna", HALL: "anna", OFFICE: "ben"})
    assert [persons.thread(each, 0.0) for each in (KITCHEN, HALL, OFFICE, BEDROOM)] == [
        "person:anna",
        "person:anna",
        "person:ben",
        "device:bedroom",
    ]
    persons.spoke(BEDROOM, "device:bedroom", 0.0)
    assert persons.changes == 0


def test_a_device_keeps_its_conversation_for_as_long_as_nobody_takes_it_over() -> None:
    threads = _devices()
    for now_s in (0.0, 10.0, 5000.0):
        assert _talk(threads, KITCHEN, now_s) == "device:kitchen"


def test_a_conversation_goes_along_to_the_next_device() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    assert _talk(threads, HALL, 120.0) == "device:kitchen"
    assert _talk(threads, HALL, 5000.0) == "device:kitchen"


def test_a_conversation_that_is_silent_for_too_long_stays_where_it_was() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    assert _talk(threads, HALL, 120.1) == "device:hall"


def test_whoever_has_a_fresh_conversation_stays_in_it() -> None:
    threads = _devices()
    _talk(threads, HALL, 0.0)
    threads.spoke(KITCHEN, "device:kitchen", 50.0)
    assert _talk(threads, HALL, 60.0) == "device:hall"


def test_of_two_fresh_conversations_none_is_taken_over() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    threads.spoke(OFFICE, "device:office", 1.0)
    assert _talk(threads, HALL, 60.0) == "device:hall"


def test_one_conversation_at_two_devices_is_one() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    _talk(threads, HALL, 20.0)
    assert _talk(threads, BEDROOM, 40.0) == "device:kitchen"


def test_who_comes_back_in_time_finds_the_conversation_where_it_was_left() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    _talk(threads, HALL, 60.0)
    assert _talk(threads, KITCHEN, 150.0) == "device:kitchen"


def test_a_device_whose_conversation_was_taken_over_begins_anew_once_that_is_silent() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    _talk(threads, HALL, 60.0)
    assert _talk(threads, KITCHEN, 200.0) == "device:kitchen:2"
    assert _talk(threads, KITCHEN, 5000.0) == "device:kitchen:2"
    assert _talk(threads, HALL, 9000.0) == "device:kitchen"


def test_no_new_conversation_has_the_name_of_an_older_one() -> None:
    threads, names = _devices(), []
    for round_s in range(0, 5000, 1000):
        names.append(_talk(threads, KITCHEN, round_s))
        _talk(threads, HALL, round_s + 60.0)
    assert len(set(names)) == 5


def test_asking_changes_nothing() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    _talk(threads, HALL, 60.0)
    changes = threads.changes
    for _ in range(3):
        assert threads.thread(KITCHEN, 200.0) == "device:kitchen:2"
    assert threads.changes == changes


def test_a_conversation_goes_along_with_its_person_only() -> None:
    threads = _devices({KITCHEN: "anna", BEDROOM: "anna", OFFICE: "ben"})
    _talk(threads, KITCHEN, 0.0)
    assert _talk(threads, OFFICE, 10.0) == "device:office"
    assert _talk(threads, HALL, 20.0) == "device:hall"
    # What others talk about does not make it unclear which one is hers.
    assert _talk(threads, BEDROOM, 30.0) == "device:kitchen"


def test_who_writes_takes_over_nothing_and_is_not_taken_over() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    assert _talk(threads, WRITING, 10.0) == "device:writing-1"
    assert _talk(threads, HALL, 20.0) == "device:kitchen"
    threads = _devices()
    _talk(threads, WRITING, 0.0)
    assert _talk(threads, HALL, 10.0) == "device:hall"


def test_a_handover_of_no_time_is_none() -> None:
    threads = Threads("device", {}, handover_s=0.0)
    _talk(threads, KITCHEN, 0.0)
    assert threads.thread(HALL, 0.1) == "device:hall"


def test_what_is_forgotten_is_not_taken_over() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    threads.spoke(OFFICE, "device:office", 0.0)
    threads.forget("device:kitchen")
    assert threads.thread(HALL, 10.0) == "device:office"
    threads.forget()
    assert threads.thread(HALL, 10.0) == "device:hall"


def test_after_a_restart_all_goes_on_on_another_clock() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 1000.0)
    _talk(threads, HALL, 1060.0)
    kept = json.loads(json.dumps(threads.export(1070.0, NOW)))
    for away_s, expected in (
        (0, "device:kitchen"),
        (109, "device:kitchen"),
        (111, "device:bedroom"),
    ):
        again = _devices()
        again.restore(kept, 5.0, NOW + timedelta(seconds=away_s))
        assert again.thread(BEDROOM, 5.0) == expected
        assert again.thread(KITCHEN, 500.0) == "device:kitchen:2"
        assert again.thread(HALL, 500.0) == "device:kitchen"


def test_a_clock_that_starts_in_the_past_hands_nothing_over() -> None:
    threads = _devices()
    _talk(threads, KITCHEN, 0.0)
    kept = threads.export(0.0, NOW)
    again = _devices()
    again.restore(kept, 5.0, NOW - timedelta(days=9000))
    assert again.thread(HALL, 5.0) == "device:hall"
    assert again.thread(KITCHEN, 5.0) == "device:kitchen"


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"last": 1, "begun": 2},
        {"last": [["kitchen"], [1, 2, 3], ["a", "", 1.0], ["", "a", 1.0], ["a", "b", "c"]]},
        {"last": [["a" * 201, "b", 1.0]], "begun": {"a": "x", "b": 3}},
    ],
)
def test_a_note_that_cannot_be_read_is_left_out(kept: object) -> None:
    threads = _devices()
    threads.restore(kept, 0.0, NOW)
    assert threads.export(0.0, NOW) == {"last": [], "begun": {}}


def test_no_more_devices_are_known_than_a_house_can_have() -> None:
    threads = _devices()
    for number in range(MOST_DEVICES + 50):
        _talk(threads, DeviceId(f"d{number}"), number * 1000.0)
    assert len(threads.export(0.0, NOW)["last"]) == MOST_DEVICES


def test_who_is_left_alone_in_a_conversation_goes_on_in_it() -> None:
    threads = _devices()
    _talk(threads, BEDROOM, 0.0)
    _talk(threads, KITCHEN, 10.0)
    assert _talk(threads, HALL, 200.0) == "device:hall"
    assert _talk(threads, KITCHEN, 210.0) == "device:hall"
    assert _talk(threads, BEDROOM, 1000.0) == "device:bedroom"


@given(st.lists(st.tuples(st.sampled_from([KITCHEN, HALL, BEDROOM]), st.integers(1, 300))))
def test_nobody_joins_a_conversation_that_is_silent(turns: list[tuple[DeviceId, int]]) -> None:
    threads, now_s = _devices(), 0.0
    last_s: dict[str, float] = {}
    own: dict[DeviceId, str] = {}
    for device, wait_s in turns:
        now_s += wait_s
        thread = threads.thread(device, now_s)
        if own.get(device) != thread and thread in last_s:
            assert now_s - last_s[thread] <= 120.0
        threads.spoke(device, thread, now_s)
        last_s[thread], own[device] = now_s, thread
