"""Whether one more conversation is let in."""

import anyio

import virtual_time
from parlour import tasks
from parlour.turn.admission import Admission, AdmissionPolicy


def test_places_are_taken_one_by_one_up_to_the_owners_limit() -> None:
    admission = Admission(AdmissionPolicy(most_sessions=3))
    assert [admission.admit(n * 10.0, n) is None for n in range(5)] == [True] * 3 + [False] * 2
    refusal = admission.admit(50.0, 3)
    assert refusal is not None
    assert str(refusal).startswith("busy: all 3 places are taken, try again in ")


def test_a_loop_that_is_late_lets_nobody_in_until_it_has_caught_up() -> None:
    admission = Admission()
    for n in range(100):
        admission.beat(30.0 if n % 5 == 0 else 0.1, n * 0.025)
    refusal = admission.admit(2.5, 14)
    assert refusal is not None
    assert "keep up" in refusal.reason
    for n in range(300):
        admission.beat(0.1, 2.5 + n * 0.025)
    assert admission.admit(10.0, 14) is None


def test_the_devices_of_a_home_are_let_in_by_a_server_that_has_just_started() -> None:
    admission = Admission(queue_age_ms=lambda: 50.0)
    admission.share = 0.99
    admission.beat(400.0, 0.0)
    assert [admission.admit(0.1, n) is None for n in range(9)] == [True] * 8 + [False]


def test_sound_that_waits_to_be_heard_lets_nobody_in() -> None:
    ages = [50.0]
    admission = Admission(queue_age_ms=lambda: ages[0])
    assert admission.admit(0.0, 11) is not None
    ages[0] = 3.0
    assert admission.admit(0.0, 11) is None


def test_a_busy_core_is_full_and_says_how_many_it_holds() -> None:
    admission = Admission()
    admission.share = 0.74
    refusal = admission.admit(0.0, 50)
    assert refusal is not None
    assert "50 conversations" in refusal.reason
    assert admission.rated(50) == 50
    admission.share = 0.2
    assert admission.admit(0.0, 50) is None
    assert admission.rated(10) == 37


def test_a_burst_is_charged_before_its_cost_can_be_seen() -> None:
    admission = Admission(AdmissionPolicy(most_sessions=1000))
    admission.share = 0.30
    let_in = sum(admission.admit(n * 0.001, 30 + n) is None for n in range(200))
    assert 20 <= let_in <= 46


def test_who_asks_for_no_limit_gets_none_but_the_places() -> None:
    admission = Admission(AdmissionPolicy(most_sessions=5, most_share=0))
    admission.share = 0.99
    admission.beat(100.0, 0.0)
    assert admission.admit(0.0, 4) is None
    assert admission.admit(0.0, 5) is not None


def test_the_lateness_of_the_loop_is_measured() -> None:
    async def scenario() -> None:
        admission = Admission()
        async with tasks.task_group() as group:
            group.start_soon(admission.run)
            await anyio.sleep(3)
            group.cancel_scope.cancel()
        assert admission.lag_ms < 1
        assert admission.share >= 0

    virtual_time.run(scenario)
