"""Letter-to-sound rules, held against the shipped dictionary and against names we know."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pocketsphinx import get_model_path

from parlour.providers.pocketsphinx.letters import sound_out, spell

ENTRIES = [
    line.split()
    for line in Path(get_model_path("en-us/cmudict-en-us.dict")).read_text("utf-8").splitlines()
]
PHONES = {phone for _, *phones in ENTRIES for phone in phones}


@pytest.mark.parametrize(
    ("name", "phones"),
    [
        ("zigbee", "Z IH G B IY"),
        ("ikea", "AY K IY AH"),
        ("parlour", "P AA R L ER"),
        ("meera", "M IH R AH"),
        ("shelly", "SH EH L IY"),
        ("sonos", "S OW N OW S"),
        ("tado", "T AA D OW"),
        ("govee", "G OW V IY"),
        ("priya", "P R IY AH"),
        ("tv", "T IY V IY"),
        ("knight", "N AY T"),
        ("phone", "F OW N"),
        ("bridge", "B R IH JH"),
        ("station", "S T EY SH AH N"),
    ],
)
def test_names_and_words_sound_as_people_say_them(name: str, phones: str) -> None:
    assert " ".join(sound_out(name)) == phones


def test_fewer_than_a_fifth_of_the_phones_of_dictionary_words_come_out_wrong() -> None:
    words = {word: phones for word, *phones in ENTRIES[::40] if word.isalpha()}
    wrong = sum(distance(phones, sound_out(word)) for word, phones in words.items())
    assert len(words) > 2_500
    assert wrong / sum(map(len, words.values())) < 0.2


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20))
def test_any_letters_give_phones_of_the_model(word: str) -> None:
    assert set(sound_out(word)) <= PHONES


@pytest.mark.parametrize("word", ["", "h2", "größe", "it's", "リビング"])
def test_what_is_not_made_of_plain_letters_is_not_sounded_out(word: str) -> None:
    assert sound_out(word) == ()


def test_digits_and_letters_have_names() -> None:
    assert " ".join(spell("h2")) == "EY CH T UW"


def distance(left: list[str], right: tuple[str, ...]) -> int:
    """Levenshtein's."""
    row = list(range(len(right) + 1))
    for i, phone in enumerate(left, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (phone != other))
    return row[-1]
