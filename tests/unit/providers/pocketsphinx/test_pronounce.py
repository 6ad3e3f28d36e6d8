"""Pronunciations: from the dictionary if it can be, else from parts, by rule or letter by letter."""

from pathlib import Path

import pytest
from pocketsphinx import get_model_path

from parlour.providers.pocketsphinx.pronounce import pronounce, write

DICTIONARY = Path(get_model_path("en-us/cmudict-en-us.dict"))


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("kitchen", "K IH CH AH N"),  # as it stands in the dictionary
        ("footlamp", "F UH T L AE M P"),  # two words of it
        ("zigbee", "Z IH G B IY"),
        ("meera", "M IH R AH"),  # by rule
        ("meera's", "M IH R AH Z"),
        ("alexis'", "AH L EH K S IH S IH Z"),
        ("frits's", "F R IH T S IH Z"),
        ("mp3", "EH M P IY TH R IY"),
    ],
)
def test_a_word_is_said_as_people_say_it(word: str, first: str) -> None:
    assert pronounce([word], DICTIONARY)[word][0] == first


def test_a_word_with_two_ways_has_both_and_they_are_numbered_in_the_file() -> None:
    said = pronounce(["tomato"], DICTIONARY)
    assert list(write(said)) == ["tomato T AH M EY T OW", "tomato(2) T AH M AA T OW"]


def test_what_cannot_be_said_in_english_is_left_out() -> None:
    assert pronounce(["リビング", "ß", "light"], DICTIONARY).keys() == {"light"}
