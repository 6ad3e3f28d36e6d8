"""Timers and alarms from being set to being heard: restarts, clocks that jump, devices that are away."""

from datetime import UTC, datetime, time, timedelta

import anyio
import pytest

import virtual_time
from clocks import BERLIN, HALL, KITCHEN, OFFICE, PlainStore, Wall, living
from parlour.errors import HomeError
from parlour.home import alarms
from parlour.home.alarms import MOST_ALARMS, SNOOZE_MIN
from parlour.home.alarmtime import alarm_time, repeat_days
from parlour.home.reach import Satellite
from parlour.ports import Slot

MORNING = (2026, 3, 2, 6, 0)  # a Monday
MINUTE = 60


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def rare_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days in which nobody sets the wall clock pass in a tenth of the steps."""
    monkeypatch.setattr(alarms, "LOOK_S", 300.0)


# ---------------------------------------------------------------- ringing


def test_a_timer_rings_three_times_and_is_then_forgotten() -> None:
    async def scenario() -> None:
        store = PlainStore()
        async with living(store, Wall(*MORNING), HALL, KITCHEN) as (clock, speakers):
            clock.timers.set(HALL, 10 * MINUTE, "pasta")
            await anyio.sleep(660)
            assert speakers.said == [
                (at_s, "hall", "The pasta timer is up: ten minutes.") for at_s in (600, 620, 640)
            ]
            assert clock.rings.ringing == ()
            assert await store.read("SELECT * FROM timers") == []

    virtual_time.run(scenario)


def test_an_alarm_rings_every_twenty_seconds_for_five_minutes_and_tells_the_time() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING), HALL) as (clock, speakers):
            clock.alarms.set(HALL, at(6, 30), "school")
            await anyio.sleep(40 * MINUTE)
            assert speakers.times == [1800.0 + 20 * n for n in range(16)]
            assert speakers.texts[0] == "It is 6:30. This is your alarm: school."
            assert speakers.texts[-1] == "It is 6:35. This is your alarm: school."
            assert clock.alarms.all == ()

    virtual_time.run(scenario)


def test_a_turn_on_the_device_silences_it_at_once_and_the_brain_can_ask_what_it_was() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING), HALL, KITCHEN) as (clock, speakers):
            timer = clock.timers.set(HALL, 60)
            await anyio.sleep(50)
            assert clock.dismiss(HALL) == []
            await anyio.sleep(11)
            assert clock.dismiss(KITCHEN) == []
            (bell,) = clock.dismiss(HALL)
            assert (bell.kind, bell.number) == ("timer", timer.id)
            assert clock.rings.just_dismissed(HALL) is bell
            await anyio.sleep(120)
            assert speakers.times == [60.0]
            assert clock.rings.just_dismissed(HALL) is None

    virtual_time.run(scenario)


def test_who_cuts_the_sentence_off_at_the_device_has_heard_enough() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING), HALL) as (clock, speakers):
            clock.timers.set(HALL, 60)
            await anyio.sleep(61)
            assert speakers.latest is not None
            speakers.latest.cut = True
            speakers.latest.withdraw()
            await anyio.sleep(120)
            assert speakers.times == [60.0]
            assert clock.rings.just_dismissed(HALL, 200) is not None

    virtual_time.run(scenario)


def test_in_the_middle_of_a_turn_one_ring_waits_and_no_others_pile_up_behind_it() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING), HALL) as (clock, speakers):
            clock.timers.set(HALL, 60)
            speakers.busy_until_s = 115.0
            await anyio.sleep(70)
            assert clock.dismiss(HALL) == []  # nobody can have meant what nobody heard
            await anyio.sleep(130)
            assert speakers.times[0] == 115.0
            assert all(b - a >= 2 for a, b in zip(speakers.times, speakers.times[1:], strict=False))

    virtual_time.run(scenario)


def test_when_its_device_is_away_a_timer_rings_in_the_area_then_the_floor_then_everywhere() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING)) as (clock, speakers):
            speakers.satellites = [
                Satellite(HALL, "", "Hall", "down"),
                Satellite(KITCHEN, "", "Hall", "down"),
                Satellite(OFFICE, "", "Office", "up"),
            ]
            for n, connected in enumerate(({KITCHEN, OFFICE}, {OFFICE}, {HALL, KITCHEN, OFFICE})):
                speakers.connected = set(connected)
                clock.timers.set(HALL, 10)
                await anyio.sleep(15)
                clock.dismiss(speakers.said[-1][1])
                await anyio.sleep(15)
                assert [d for at_s, d, _ in speakers.said if at_s >= n * 30] == [
                    [KITCHEN], [OFFICE], [HALL]
                ][n]  # fmt: skip

    virtual_time.run(scenario)


def test_a_ring_on_several_devices_is_silenced_on_all_of_them_by_one() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING), KITCHEN, OFFICE) as (clock, speakers):
            clock.timers.set(HALL, 10)
            await anyio.sleep(11)
            assert len(clock.dismiss(OFFICE)) == 1
            await anyio.sleep(100)
            assert speakers.said == [
                (10.0, device, "The timer is up: ten seconds.") for device in (KITCHEN, OFFICE)
            ]

    virtual_time.run(scenario)


def test_it_is_tried_again_until_somebody_is_there_and_then_says_how_late_it_is() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING)) as (clock, speakers):
            clock.timers.set(HALL, MINUTE, "tea")
            clock.alarms.set(HALL, at(6, 1))
            await anyio.sleep(4 * MINUTE)
            speakers.connected.add(HALL)
            await anyio.sleep(25)
            assert sorted(speakers.texts) == [
                "It is 6:04. This is your alarm.",
                "The tea timer ended three minutes ago.",
                "The tea timer is up: one minute.",
                "Your alarm for 6:01 was due three minutes ago.",
            ]

    virtual_time.run(scenario)


def test_what_nobody_heard_for_ten_minutes_is_told_once_as_missed() -> None:
    async def scenario() -> None:
        store = PlainStore()
        async with living(store, Wall(*MORNING)) as (clock, speakers):
            clock.timers.set(HALL, MINUTE, "tea")
            await anyio.sleep(12 * MINUTE)
            speakers.connected.add(HALL)
            await anyio.sleep(10 * MINUTE)
            assert speakers.texts == ["The tea timer ended at 6:01, and I could not tell you."]
            assert await store.read("SELECT * FROM timers") == []

    virtual_time.run(scenario)


def test_after_a_day_in_which_nobody_was_there_it_is_given_up() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING)) as (clock, speakers):
            clock.timers.set(HALL, MINUTE)
            await anyio.sleep(24 * 3600 + 70)
            speakers.connected.add(HALL)
            await anyio.sleep(60)
            assert speakers.said == []
            assert clock.rings.ringing == ()

    virtual_time.run(scenario)


def test_a_device_that_is_lost_in_the_middle_of_the_sentence_has_not_heard_it() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING), HALL) as (clock, speakers):
            clock.timers.set(HALL, 60)
            await anyio.sleep(61)
            speakers.connected = {KITCHEN}
            await anyio.sleep(5)
            assert [device for _, device, _ in speakers.said] == ["hall", "kitchen"]

    virtual_time.run(scenario)


def test_what_rings_speaks_the_language_of_the_house() -> None:
    async def scenario() -> None:
        wall = Wall(*MORNING)
        async with living(PlainStore(), wall, HALL, language="de_DE") as (clock, speakers):
            clock.timers.set(HALL, 90, "Tee")
            await anyio.sleep(91)
            assert speakers.texts == [
                "Der Timer für Tee ist abgelaufen: eine Minute und 30 Sekunden."
            ]

    virtual_time.run(scenario)


# ---------------------------------------------------------------- restarts


def test_timers_and_alarms_are_taken_up_where_a_killed_server_left_them() -> None:
    async def scenario() -> None:
        store, wall = PlainStore(), Wall(*MORNING)
        async with living(store, wall) as (clock, _):
            clock.timers.set(HALL, 600, "pasta")
            clock.timers.set(KITCHEN, 300)
            paused = clock.timers.set(OFFICE, 900)
            await anyio.sleep(100)
            clock.timers.pause([paused])
            clock.alarms.set(HALL, at(7, 30, 3), "school", frozenset(range(5)))
        await anyio.sleep(50)
        async with living(store, wall) as (clock, _):
            now_s = anyio.current_time()
            left = [(t.device, t.name, t.left_s(now_s)) for t in clock.timers.all]
            assert left == [("kitchen", "", 150), ("hall", "pasta", 450), ("office", "", 800)]
            (alarm,) = clock.alarms.all
            assert (alarm.name, alarm.at, alarm.days) == (
                "school",
                time(7, 30),
                frozenset(range(5)),
            )
            clock.timers.set(HALL, 30)
            assert len({t.id for t in clock.timers.all}) == 4

    virtual_time.run(scenario)


@pytest.mark.parametrize(
    ("down_s", "said"),
    [
        (70, "The tea timer is up: one minute."),
        (240, "The tea timer ended three minutes ago."),
        (659, "The tea timer ended ten minutes ago."),
        (661, "The tea timer ended at 6:01, and I could not tell you."),
    ],
)
def test_a_timer_that_ended_while_nobody_served_rings_late_or_is_told_as_missed(
    down_s: float, said: str
) -> None:
    async def scenario() -> None:
        store, wall = PlainStore(), Wall(*MORNING)
        async with living(store, wall) as (clock, _):
            clock.timers.set(HALL, 60, "tea")
        await anyio.sleep(down_s)
        async with living(store, wall, HALL) as (_, speakers):
            await anyio.sleep(30)
            assert speakers.texts[0] == said
            await anyio.sleep(600)
        async with living(store, wall, HALL) as (_, speakers):
            await anyio.sleep(600)
            assert speakers.said == []

    virtual_time.run(scenario)


def test_what_was_ringing_when_the_server_was_killed_rings_again() -> None:
    async def scenario() -> None:
        store, wall = PlainStore(), Wall(*MORNING)
        async with living(store, wall, HALL) as (clock, _):
            clock.timers.set(HALL, 60)
            clock.alarms.set(HALL, at(6, 1), "", frozenset(range(7)))
            await anyio.sleep(65)
            clock.timers.set(HALL, 600)  # so that everything is written anew while it rings
            clock.alarms.set(HALL, at(9))
        async with living(store, wall, HALL) as (clock, speakers):
            await anyio.sleep(1)
            assert len(speakers.said) == 2
            assert [(a.day.day, a.at) for a in clock.alarms.all] == [(2, time(9)), (3, time(6, 1))]

    virtual_time.run(scenario)


@pytest.mark.usefixtures("rare_looks")
def test_a_repeating_alarm_missed_for_days_is_told_once_and_rings_on_its_next_day() -> None:
    async def scenario() -> None:
        store, wall = PlainStore(), Wall(*MORNING)
        async with living(store, wall) as (clock, _):
            clock.alarms.set(HALL, at(7), "", frozenset(range(5)))
        await anyio.sleep(5 * 24 * 3600)  # Saturday
        async with living(store, wall, HALL) as (clock, speakers):
            await anyio.sleep(60)
            assert speakers.texts == ["You had an alarm for 7 o'clock, and I could not ring."]
            assert clock.alarms.all[0].day.day == 9
        async with living(store, wall, HALL) as (clock, speakers):
            await anyio.sleep(2 * 24 * 3600 + 3600)
            assert speakers.texts[0] == "It is 7 o'clock. This is your alarm."

    virtual_time.run(scenario)


# ---------------------------------------------------------------- clocks that are set


def test_a_wall_clock_that_is_set_moves_no_timer_not_even_over_a_restart() -> None:
    async def scenario() -> None:
        store, wall = PlainStore(), Wall(*MORNING)
        async with living(store, wall, HALL) as (clock, speakers):
            clock.timers.set(HALL, 600)
            clock.timers.set(HALL, 60)
            await anyio.sleep(10)
            wall.jump(5 * 3600)
            await anyio.sleep(11)
        async with living(store, wall, HALL) as (clock, speakers):
            assert [t.left_s(anyio.current_time()) for t in clock.timers.all] == [39, 579]
            await anyio.sleep(1)
            wall.jump(-9 * 3600)
            await anyio.sleep(40)
            assert speakers.times == [60.0]

    virtual_time.run(scenario)


def test_a_machine_that_starts_in_the_past_makes_no_timer_longer_than_it_was() -> None:
    async def scenario() -> None:
        store, wall = PlainStore(), Wall(*MORNING)
        async with living(store, wall) as (clock, _):
            clock.timers.set(HALL, 600)
        wall.jump(-3600)
        async with living(store, wall) as (clock, _):
            assert [t.left_s(anyio.current_time()) for t in clock.timers.all] == [600]

    virtual_time.run(scenario)


@pytest.mark.parametrize(("jump_s", "rings_s"), [(1200, 600), (-1200, 3000), (1801, 10)])
def test_an_alarm_follows_the_wall_clock_within_ten_seconds(jump_s: float, rings_s: float) -> None:
    async def scenario() -> None:
        wall = Wall(*MORNING)
        async with living(PlainStore(), wall, HALL) as (clock, speakers):
            clock.alarms.set(HALL, at(6, 30))
            await anyio.sleep(1)
            wall.jump(jump_s)
            await anyio.sleep(4000)
            assert speakers.times[0] == pytest.approx(rings_s, abs=10)

    virtual_time.run(scenario)


def test_an_alarm_that_a_jump_of_the_clock_leaves_far_behind_is_told_as_missed() -> None:
    async def scenario() -> None:
        wall = Wall(*MORNING)
        async with living(PlainStore(), wall, HALL) as (clock, speakers):
            clock.alarms.set(HALL, at(6, 30))
            wall.jump(3600)
            await anyio.sleep(600)
            assert speakers.texts == ["You had an alarm for 6:30, and I could not ring."]

    virtual_time.run(scenario)


@pytest.mark.parametrize(
    ("began", "first", "hours"),
    [
        ((2026, 3, 28, 6, 0), time(7, 30), [1.5, 24.5]),  # the night that lacks an hour
        ((2026, 10, 24, 6, 0), time(7, 30), [1.5, 26.5]),  # the night that has one more
        ((2026, 3, 28, 6, 0), time(2, 30), [20.5, 43.5]),  # left out: as long after midnight
        ((2026, 10, 24, 6, 0), time(2, 30), [20.5, 45.5]),  # twice: the first time only
    ],
)
@pytest.mark.usefixtures("rare_looks")
def test_a_daily_alarm_keeps_its_wall_time_over_the_change_of_summer_time(
    began: tuple[int, int, int, int, int], first: time, hours: list[float]
) -> None:
    async def scenario() -> None:
        wall = Wall(*began, zone=BERLIN)
        async with living(PlainStore(), wall, HALL, zone=BERLIN) as (clock, speakers):
            slots: dict[str, Slot] = {
                "hour": first.hour,
                "minute": first.minute,
                "daypart": "am",
                "repeat": "daily",
            }
            when = alarm_time(slots, clock.alarms.local_now())
            clock.alarms.set(HALL, when, "", repeat_days(slots))
            rung: list[float] = []
            for _ in range(2):
                before = len(speakers.said)
                while len(speakers.said) == before:  # noqa: ASYNC110 - nothing tells a test
                    await anyio.sleep(30)  # it rings every 20 s
                rung.append(speakers.times[before] / 3600)
                clock.dismiss(HALL)
            assert rung == pytest.approx(hours, abs=0.01)

    virtual_time.run(scenario)


# ---------------------------------------------------------------- alarms


def test_an_alarm_sleeps_nine_minutes_and_a_repeating_one_keeps_its_days() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING), HALL) as (clock, speakers):
            assert clock.snooze(HALL) is None
            once = clock.alarms.set(HALL, at(6, 30), "gym")
            daily = clock.alarms.set(KITCHEN, at(6, 40), "", frozenset(range(7)))
            await anyio.sleep(1805)
            clock.dismiss(HALL)  # as the turn does in which "snooze" is said
            snoozed = clock.snooze(HALL)
            assert snoozed is not None
            assert snoozed.id == once.id
            assert clock.alarms.due(snoozed) == datetime(2026, 3, 2, 6, 39, 5, tzinfo=UTC)
            await anyio.sleep(SNOOZE_MIN * MINUTE + 1)
            assert speakers.times == [1800.0, 2345.0]
            clock.dismiss(HALL)
            await anyio.sleep(60)
            assert clock.snooze(KITCHEN, 20) is not None
            await anyio.sleep(1)
            assert clock.rings.ringing == ()
            (alarm,) = clock.alarms.all
            assert (alarm.id, alarm.day.day) == (daily.id, 3)
            await anyio.sleep(20 * MINUTE)
            assert len(clock.rings.ringing) == 1
            (alarm,) = clock.alarms.all
            assert (alarm.day.day, alarm.snoozed) == (3, None)
            with pytest.raises(HomeError, match="two hours"):
                clock.snooze(HALL, 121)

    virtual_time.run(scenario)


def test_a_snoozed_alarm_outlives_a_restart() -> None:
    async def scenario() -> None:
        store, wall = PlainStore(), Wall(*MORNING)
        async with living(store, wall, HALL) as (clock, _):
            clock.alarms.set(HALL, at(6, 30))
            await anyio.sleep(1801)
            clock.snooze(HALL)
        async with living(store, wall, HALL) as (_, speakers):
            await anyio.sleep(10 * MINUTE)
            assert speakers.times[0] == 2341.0

    virtual_time.run(scenario)


def test_alarms_are_found_by_name_or_time_and_cancelled() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING)) as (clock, _):
            alarms = clock.alarms
            late = alarms.set(HALL, at(19, 30), "dinner")
            soon = alarms.set(HALL, at(7, 0))
            other = alarms.set(KITCHEN, at(8, 0), "school")
            assert list(alarms.all) == [soon, other, late]
            assert alarms.find(HALL) == [soon, late]
            assert alarms.find(HALL, "school") == [other]
            assert alarms.find(HALL, at=time(7, 30)) == [late]
            assert alarms.find(OFFICE) == [soon, other, late]
            alarms.cancel([soon, late])
            assert list(alarms.all) == [other]
            assert alarms.get(other.id) is other
            assert alarms.get(99) is None

    virtual_time.run(scenario)


def test_an_alarm_cancelled_while_it_rings_does_not_come_back_tomorrow() -> None:
    async def scenario() -> None:
        store, wall = PlainStore(), Wall(*MORNING)
        async with living(store, wall, HALL) as (clock, _):
            alarm = clock.alarms.set(HALL, at(6, 30), "", frozenset(range(7)))
            await anyio.sleep(1801)
            clock.alarms.cancel([alarm])
        async with living(store, wall, HALL) as (clock, _):
            assert clock.alarms.all == ()

    virtual_time.run(scenario)


def test_too_many_alarms_and_past_ones_are_refused_in_words() -> None:
    async def scenario() -> None:
        async with living(PlainStore(), Wall(*MORNING)) as (clock, _):
            with pytest.raises(HomeError, match="That time is past"):
                clock.alarms.set(HALL, at(5))
            for _ in range(MOST_ALARMS):
                clock.alarms.set(HALL, at(7) + timedelta(days=1))
            with pytest.raises(HomeError, match="There are 30 alarms already"):
                clock.alarms.set(HALL, at(7))

    virtual_time.run(scenario)
