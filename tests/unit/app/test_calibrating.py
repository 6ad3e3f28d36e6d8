"""When a measurement is done, and what is said while it is not."""

import pytest

from parlour.app.calibrating import LONGEST_S, Collection, State
from parlour.ids import DeviceId

HALL = DeviceId("hall")


def heard(*levels_dbfs: float | None, every_s: float = 2.0) -> tuple[Collection, float]:
    collection, now_s = Collection(HALL, 100.0), 100.0
    for dbfs in levels_dbfs:
        now_s += every_s
        collection.take(dbfs, now_s)
    return collection, now_s


def test_three_words_that_agree_are_a_measurement_and_their_median_counts() -> None:
    collection, now_s = heard(-31.0, -28.0, -30.0)
    assert (collection.state(now_s), collection.level_dbfs) == (State.DONE, -30.0)
    collection.take(-10.0, now_s + 5)
    assert collection.level_dbfs == -30.0


def test_words_that_differ_by_more_than_6_db_are_to_be_said_again() -> None:
    collection, now_s = heard(-30.0, -20.0, -29.0)
    assert collection.state(now_s) is State.COLLECTING
    assert collection.trouble(now_s) == "the words differ by 10 dB: say it again, at one metre"
    collection.take(-31.0, now_s + 2)
    collection.take(-30.0, now_s + 4)
    assert collection.level_dbfs == -30.0
    assert collection.trouble(now_s + 4) == ""


def test_a_word_that_is_claimed_twice_counts_once() -> None:
    collection, _ = heard(-30.0, -30.0, -30.0, every_s=0.4)
    assert collection.levels_dbfs == (-30.0,)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([], "no wake word was heard within 60 s"),
        ([-30.0, -31.0], "only 2 of 3 wake words were heard within 60 s"),
        ([None, None, None], "it heard the wake word, but reports no level, and sent no sound"),
        ([-30.0, -20.0, -30.0], "the words differ by 10 dB"),
    ],
)
def test_after_a_minute_it_has_failed_and_says_why(levels: list[float | None], said: str) -> None:
    collection, _ = heard(*levels)
    late_s = 100.0 + LONGEST_S
    assert collection.state(late_s) is State.FAILED
    assert collection.trouble(late_s).startswith(said)
    collection.take(-30.0, late_s + 1)
    assert collection.levels_dbfs == tuple(dbfs for dbfs in levels if dbfs is not None)


def test_what_was_cancelled_takes_nothing_more() -> None:
    collection, now_s = heard(-30.0, -30.0)
    collection.is_cancelled = True
    collection.take(-30.0, now_s + 2)
    assert (collection.state(now_s + 2), collection.level_dbfs) == (State.CANCELLED, None)
    assert collection.trouble(now_s + 2) == ""
