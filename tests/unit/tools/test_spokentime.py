"""Days and times as people say them."""

from datetime import date, datetime, time

import pytest

from parlour.tools.bookingwords import words
from parlour.tools.spokentime import spoken_clock, spoken_day, spoken_when

TODAY = date(2026, 11, 22)
START = datetime(2026, 11, 24, 10, 30)  # noqa: DTZ001  # as its own zone has it


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en_US", "on Tuesday, November 24 at 10:30 in the morning"),
        ("de_DE", "am Dienstag, dem 24. November um 10 Uhr 30"),
        ("hi", "मंगलवार, 24 नवंबर को सुबह 10:30 बजे"),
        ("mr", "मंगळवार, 24 नोव्हेंबर रोजी सकाळी 10:30 वाजता"),
        ("gu", "મંગળવારે, 24 નવેમ્બરે સવારે 10:30 વાગ્યે"),
        ("bn", "মঙ্গলবার, 24 নভেম্বর সকাল 10টা 30 মিনিটে"),
        ("ta", "செவ்வாய், நவம்பர் 24 அன்று காலை 10:30 மணிக்கு"),
        ("te", "మంగళవారం, నవంబర్ 24న ఉదయం 10:30కు"),
        ("ml", "ചൊവ്വാഴ്ച, നവംബർ 24-ന് രാവിലെ 10:30-ന്"),
        ("xx", "on Tuesday, November 24 at 10:30 in the morning"),
    ],
)
def test_a_day_and_a_time_are_said_as_in_each_language(language: str, said: str) -> None:
    assert spoken_when(language, START, TODAY) == said


def test_near_days_have_names() -> None:
    assert spoken_day("en", date(2026, 11, 22), TODAY) == "today"
    assert spoken_day("hi_IN", date(2026, 11, 23), TODAY) == "कल"
    assert spoken_day("en", date(2026, 11, 21), TODAY) == "on Saturday, November 21"


@pytest.mark.parametrize(
    ("language", "at", "said"),
    [
        ("en", time(0, 5), "at 12:05 at night"),
        ("en", time(13), "at 1 in the afternoon"),
        ("de", time(1), "um ein Uhr"),
        ("de", time(20, 15), "um 20 Uhr 15"),
        ("te", time(13), "మధ్యాహ్నం 1 గంటకు"),
        ("bn", time(19), "সন্ধ্যা 7টায়"),
        ("gu", time(3), "રાત્રે 3 વાગ્યે"),
    ],
)
def test_a_time_is_said_with_its_part_of_the_day(language: str, at: time, said: str) -> None:
    assert spoken_clock(language, at) == said


def test_alternatives_are_joined_by_the_languages_own_or() -> None:
    assert words("de_DE").either(["a", "b", "c"]) == "a, b oder c"
    assert words("hi").either(["a", "b"]) == "a या b"
    assert words("en").either(["a"]) == "a"
