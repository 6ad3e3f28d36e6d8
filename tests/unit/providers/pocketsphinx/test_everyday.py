"""The table of everyday English: what the shipped open model says, and nothing else."""

import pytest

from parlour.providers.pocketsphinx.arpa import END, START
from parlour.providers.pocketsphinx.everyday import PAIRS, PER, WORDS, OpenModel, counts


def test_the_table_says_what_the_shipped_model_says() -> None:
    words, pairs = counts()
    model = OpenModel()
    for word, count in list(words.items())[2::17]:
        assert count == pytest.approx(PER * model.probability(word), abs=1)
    for (first, then), count in list(pairs.items())[::97]:
        told = words[first] * model.probability(then, after=first)
        assert count == pytest.approx(told, rel=0.02, abs=1)


def test_the_table_holds_words_and_pairs_of_these_words() -> None:
    words, pairs = counts()
    assert len(words) == WORDS + 2
    assert len(pairs) == PAIRS
    assert {START, END} <= words.keys()
    assert {word for pair in pairs for word in pair} <= words.keys()
