"""Telling somebody who speaks from our own voice out of the loudspeaker."""

import numpy as np
import pytest

from parlour.turn.echo import EchoGuard

FRAME_S = 0.02


def _play(
    guard: EchoGuard,
    coupling_db: float,
    seconds: float,
    rng: np.random.Generator,
    at_s: float = 0.0,
) -> list[bool]:
    """An answer, heard by the microphone 100 ms later; returns what the guard says of each frame."""
    levels = rng.normal(-20, 4, round(seconds / FRAME_S))
    said = []
    for n, level in enumerate(levels):
        now_s = at_s + n * FRAME_S
        guard.played(float(level), now_s, FRAME_S)
        echo = levels[max(0, n - 5)] + coupling_db + rng.normal(0, 1.5)
        said.append(guard.hears(float(echo), now_s))
    return said


@pytest.mark.parametrize("coupling_db", [-40, -25, -15, -6])
def test_our_own_voice_is_not_taken_for_somebody(coupling_db: float) -> None:
    rng = np.random.default_rng(3)
    false = sum(any(_play(EchoGuard(), coupling_db, 3.0, rng)[15:]) for _ in range(50))
    assert false <= 1  # of fifty answers


def test_a_voice_well_above_the_echo_is_heard_within_100_ms() -> None:
    rng = np.random.default_rng(4)
    for _ in range(30):
        guard = EchoGuard()
        _play(guard, -25, 2.0, rng)
        heard = []
        for n in range(5):
            guard.played(-20, 2.0 + n * FRAME_S, FRAME_S)
            heard.append(guard.hears(-20 - 25 + 4 + 8 + 10, 2.0 + n * FRAME_S))
        assert any(heard)


def test_when_nothing_plays_everything_counts() -> None:
    guard = EchoGuard()
    assert guard.hears(-60, 0.0)
    guard.played(-20, 0.0, FRAME_S)
    assert not guard.hears(-60, 0.1)
    assert guard.hears(-60, 1.0)
