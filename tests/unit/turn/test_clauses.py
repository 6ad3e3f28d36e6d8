"""How a text that comes word by word is cut into what is spoken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.turn.clauses import LONGEST, Clauses


def _cut(text: str, language: str = "en_US") -> list[str]:
    clauses = Clauses(language)
    return [*clauses.push(text), *clauses.finish()]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Paris is the capital of France.", ["Paris is the capital", "of France."]),
        ("Yes, it is. And so on.", ["Yes, it is.", "And so on."]),
        ("Toast it, make crumbs or soup. Done.", ["Toast it,", "make crumbs or soup.", "Done."]),
        ("It is in the kitchen now.", ["It is in the kitchen", "now."]),
        ("Sure.", ["Sure."]),
        ("", []),
        ("   \n ", []),
        ("Ask Dr. Brown at 3.5 km. Then go.", ["Ask Dr. Brown at 3.5", "km.", "Then go."]),
        ("I see. Mr. X e.g. likes it. Ok.", ["I see.", "Mr. X e.g. likes it.", "Ok."]),
        ("No! Really? Yes.", ["No!", "Really?", "Yes."]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("Wait... what is it? Fine.", ["Wait...", "what is it?", "Fine."]),
    ],
)
def test_the_first_piece_is_short_and_the_others_are_sentences(
    text: str, pieces: list[str]
) -> None:
    assert _cut(text) == pieces


def test_german_ordinals_and_abbreviations_end_nothing() -> None:
    assert _cut("Gut. Am 3. Mai um z.B. zehn Uhr. Ja.", "de_DE") == [
        "Gut.",
        "Am 3. Mai um z.B. zehn Uhr.",
        "Ja.",
    ]


@pytest.mark.parametrize(
    ("text", "language", "first"),
    [("हाँ। फिर मिलेंगे।", "hi_IN", "हाँ।"), ("ঠিক আছে। আবার দেখা হবে।", "bn_IN", "ঠিক আছে।")],
)
def test_a_danda_ends_a_sentence(text: str, language: str, first: str) -> None:
    assert _cut(text, language)[0] == first


def test_the_first_words_are_out_before_the_fifth_has_come() -> None:
    clauses = Clauses("en_US")
    assert clauses.push("Paris is the") == []
    assert clauses.push(" capital") == []  # it may go on: "capitals"
    assert clauses.push(" of") == ["Paris is the capital"]


def test_a_text_without_an_end_is_broken_at_a_blank() -> None:
    pieces = _cut("word " * 400)
    assert all(len(piece) <= LONGEST for piece in pieces)
    assert " ".join(pieces).split() == ["word"] * 400
    assert all(len(piece) <= LONGEST for piece in _cut("x" * 1000))


WORDS = st.sampled_from(
    ["Yes", "no,", "the", "3.5", "Dr.", "end.", "What?", "well;", "ok", "e.g.", "हाँ।", "a", "\n"]
)


@given(st.lists(WORDS, max_size=40), st.data())
def test_what_comes_out_does_not_depend_on_how_it_came_in(
    words: list[str], data: st.DataObject
) -> None:
    text = " ".join(words)
    clauses, pieces, rest = Clauses("en_US"), [], text
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        pieces += clauses.push(rest[:size])
        rest = rest[size:]
    pieces += clauses.finish()
    assert pieces == _cut(text)
    assert " ".join(pieces).split() == text.split()
