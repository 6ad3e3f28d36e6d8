"""What is said when something rings, in every language of the house."""

import string
from datetime import time

import pytest

from parlour.catalogue.languages import LANGUAGES as HOUSE
from parlour.home import clockwords as words


def _all(language: str, name: str) -> list[str]:
    return [
        words.timer_up(language, name, 600),
        words.timer_ended(language, name, 185),
        words.timer_missed(language, name, time(19, 30)),
        words.alarm_rings(language, name, time(7, 0)),
        words.alarm_ended(language, name, time(7, 30), 61),
        words.alarm_missed(language, name, time(0, 5)),
    ]


def test_every_language_of_the_house_has_words_of_its_own() -> None:
    assert {code.partition("_")[0] for code in HOUSE} == set(words.LANGUAGES)
    spoken = [tuple(_all(language, "")) for language in words.LANGUAGES]
    assert len(set(spoken)) == len(words.LANGUAGES)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_sentence_is_whole_with_a_name_and_without(language: str) -> None:
    for text in _all(language, ""):
        assert "{" not in text
        assert text[-1] in ".।"
        assert "  " not in text
        if language not in ("en", "de"):
            assert not set(text) & set(string.ascii_letters)
    for text in _all(language, "Pasta"):
        assert "Pasta" in text


def test_english() -> None:
    assert _all("en_US", "tea") == [
        "The tea timer is up: ten minutes.",
        "The tea timer ended three minutes ago.",
        "The tea timer ended at 7:30, and I could not tell you.",
        "It is 7 o'clock. This is your alarm: tea.",
        "Your tea alarm for 7:30 was due one minute ago.",
        "You had the tea alarm for 12:05, and I could not ring.",
    ]
    assert words.timer_ended("en", "", 7300) == "The timer ended two hours ago."
    assert words.timer_ended("en", "", 45) == "The timer ended 45 seconds ago."
    assert words.timer_up("fr_FR", "", 1) == "The timer is up: one second."


def test_german() -> None:
    assert words.timer_up("de_DE", "", 3661) == (
        "Der Timer ist abgelaufen: eine Stunde, eine Minute und eine Sekunde."
    )
    assert words.timer_ended("de_DE", "", 62) == "Der Timer ist vor einer Minute abgelaufen."
    assert words.alarm_rings("de_DE", "", time(19, 5)) == "Es ist 19 Uhr 5. Das ist dein Wecker."
