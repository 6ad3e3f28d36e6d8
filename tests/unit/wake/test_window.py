"""How long a claim waits for those of others, and how often a device may claim."""

from parlour.ids import DeviceId
from parlour.wake.limit import MOST_DEVICES as MOST_LIMITED
from parlour.wake.limit import Limit
from parlour.wake.rules import Rules
from parlour.wake.window import ENOUGH_DELAYS, MOST_DEVICES, WAKES, Windows

A, B = DeviceId("a"), DeviceId("b")
RULES = Rules()


def _after(*delays_s: float) -> Windows:
    windows = Windows(RULES)
    for delay_s in delays_s:
        windows.learn("home", {A: 1.0, B: 1.0 + delay_s})
    return windows


def test_the_window_is_that_of_the_rules_until_more_is_known() -> None:
    assert _after(*[0.01] * (ENOUGH_DELAYS - 1)).window_s("home", A) == RULES.window_s


def test_a_device_that_was_alone_in_its_last_50_wakes_does_not_wait() -> None:
    windows = Windows(RULES)
    for count in range(WAKES):
        assert windows.window_s("home", A) == RULES.window_s, count
        windows.learn("home", {A: 1.0})
    assert windows.window_s("home", A) == 0
    assert windows.window_s("flat", A) == RULES.window_s
    windows.learn("home", {A: 1.0, B: 0.5})
    assert windows.window_s("home", A) == RULES.window_s


def test_the_window_covers_97_of_100_delays() -> None:
    delays_s = [0.1] * 49 + [0.19]
    assert _after(*delays_s).window_s("home", A) < 0.11
    assert _after(*delays_s[1:], 0.19).window_s("home", A) > 0.18


def test_the_window_stays_within_its_bounds() -> None:
    assert _after(*[0.001] * 50).window_s("home", A) == RULES.least_window_s
    assert _after(*[0.5] * 50).window_s("home", A) == RULES.longest_window_s


def test_who_is_always_last_knows_nothing_about_the_others() -> None:
    assert _after(*[0.1] * 50).window_s("home", B) == RULES.window_s


def test_only_so_many_devices_are_remembered() -> None:
    windows, limit = Windows(RULES), Limit(RULES)
    for number in range(3 * MOST_DEVICES):
        windows.learn("home", {DeviceId(str(number)): 0.0})
        for _ in range(RULES.most_claims + 1):
            limit.allows(DeviceId(str(number)), 0.0)
    assert len(windows._wakes) == MOST_DEVICES
    assert len(limit._claims) == len(limit.devices) == MOST_LIMITED


def test_a_device_that_claims_every_second_is_refused_until_it_stops() -> None:
    limit = Limit(RULES)
    allowed = [limit.allows(A, float(second)) for second in range(30)]
    assert allowed == [True] * RULES.most_claims + [False] * (30 - RULES.most_claims)
    assert limit.devices == {A}
    limit.prune(29.0 + RULES.claims_s)
    assert not limit.devices
    assert limit.allows(A, 29.0 + RULES.claims_s)


def test_a_device_that_claims_every_two_seconds_is_not_refused() -> None:
    limit = Limit(RULES)
    assert all(limit.allows(A, 2.0 * count) for count in range(50))
