import shutil

import pytest

from parlour_bench.words import (
    Word,
    bounds_by_weight,
    espeak_weights,
    flite_bounds,
    letter_weights,
    place,
)


def test_words_lie_between_their_bounds() -> None:
    words = place("turn it on", [0.5, 0.75], 1600, 20_000, 16_000)
    assert words == [Word("turn", 1600, 9600), Word("it", 9600, 13_600), Word("on", 13_600, 20_000)]


def test_a_bound_outside_the_sound_is_moved_to_its_edge() -> None:
    words = place("turn it on", [-0.1, 9.0], 1600, 20_000, 16_000)
    assert [(word.start, word.end) for word in words] == [
        (1600, 1600),
        (1600, 20_000),
        (20_000, 20_000),
    ]


def test_one_word_is_the_whole_sound() -> None:
    assert place("stop", [], 10, 20, 16_000) == [Word("stop", 10, 20)]


def test_words_are_spread_by_their_weight() -> None:
    assert bounds_by_weight([1, 3, 4], 2.0) == [0.25, 1.0]
    assert letter_weights("a bird sings") == [1, 4, 5]


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_flite_tells_where_each_word_ends() -> None:
    bounds = flite_bounds("what should i cook for dinner tonight", "slt", "flite", 0.22)
    assert bounds is not None
    assert len(bounds) == 6
    assert bounds == sorted(bounds)
    assert 0.1 < bounds[0] < 0.25  # "what"
    assert 1.1 < bounds[-1] < 1.3  # "dinner"


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
def test_the_phonemes_of_words_are_counted() -> None:
    assert espeak_weights("turn on the lights", "en-us", "espeak-ng") == [3, 2, 2, 4]
