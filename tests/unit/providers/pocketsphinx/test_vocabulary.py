"""From a house's sentences to what a decoder loads."""

import pytest

from parlour.providers.pocketsphinx.vocabulary import build, normalise


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Turn on the Kitchen Light!", ["turn", "on", "the", "kitchen", "light"]),
        ("Meera\u2019s lamp", ["meera's", "lamp"]),
        ("café_lamp - two", ["cafe", "lamp", "two"]),
        ("  'quoted' ", ["quoted"]),
        ("the kids' lamp", ["the", "kids'", "lamp"]),
        ("", []),
        ("?!", []),
    ],
)
def test_sentences_become_plain_words(sentence: str, words: list[str]) -> None:
    assert normalise(sentence) == words


def test_every_word_of_the_model_can_be_said() -> None:
    vocabulary = build(["turn on the zigbee lamp", "turn on the リビング lamp"])
    ones = vocabulary.model.split("\\1-grams:\n")[1].split("\n\n")[0].splitlines()
    words = {line.split()[1] for line in ones} - {"<s>", "</s>"}
    said = {line.split()[0].partition("(")[0] for line in vocabulary.dictionary.splitlines()}
    assert words <= said
    assert "zigbee" in words


def test_a_sentence_with_a_word_that_cannot_be_said_is_left_out_whole() -> None:
    vocabulary = build(["open the blinds", "open the リビング"])
    assert vocabulary.sentences.pairs["<s>", "open"] == 1
