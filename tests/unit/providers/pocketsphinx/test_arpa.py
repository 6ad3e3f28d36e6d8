"""The trigram: proper probabilities whatever it is made of, and ARPA as readers expect it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.providers.pocketsphinx.arpa import END, START, Model, Sentences, estimate, write
from parlour.providers.pocketsphinx.everyday import counts

SENTENCES = [
    ["turn", "on", "the", "light"],
    ["turn", "off", "the", "light"],
    ["turn", "off", "the", "lamp"],
    ["stop"],
]


def probability(model: Model, word: str, *history: str) -> float:
    """As a decoder works it out from the file: the longest listed, else back off."""
    match history[-2:]:
        case (first, second) if (listed := model.threes.get((first, second, word))) is not None:
            return listed
        case (first, second):
            return model.back_off_two.get((first, second), 1.0) * probability(model, word, second)
        case (first,) if (listed := model.twos.get((first, word))) is not None:
            return listed
        case (first,):
            return model.back_off_one.get(first, 1.0) * model.ones[word]
        case _:
            return model.ones[word]


def histories(model: Model) -> list[tuple[str, ...]]:
    singles = [(word,) for word in (START, *model.ones) if word != END]
    return [(), *singles, *model.back_off_two]


@pytest.mark.parametrize("sentences", [SENTENCES, []])
def test_the_probabilities_after_any_history_sum_to_one_with_everyday_english(
    sentences: list[list[str]],
) -> None:
    model = estimate(Sentences.count(sentences), *counts())
    for history in histories(model)[:: 50 if not sentences else 97]:
        assert math.isclose(sum(probability(model, w, *history) for w in model.ones), 1.0)


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5), min_size=1, max_size=8))
def test_the_probabilities_after_any_history_sum_to_one_for_any_sentences(
    sentences: list[list[str]],
) -> None:
    model = estimate(Sentences.count(sentences), {}, {})
    for history in histories(model):
        assert math.isclose(sum(probability(model, w, *history) for w in model.ones), 1.0)


def test_what_was_learned_is_likelier_than_what_was_not() -> None:
    model = estimate(Sentences.count(SENTENCES), {}, {})
    learned = probability(model, "light", "off", "the")
    assert learned > 10 * probability(model, "stop", "off", "the") > 0


def test_the_file_states_how_many_entries_of_each_order_it_lists() -> None:
    lines = list(write(estimate(Sentences.count(SENTENCES), {}, {})))
    text = "\n".join(lines)
    for order, words in ((1, 9), (2, 11), (3, 10)):
        section = text.split(f"\\{order}-grams:\n")[1].split("\n\n")[0].splitlines()
        assert f"ngram {order}={len(section)}" in lines
        assert len(section) == words
        for entry in section:
            weight, *rest = entry.split()
            assert float(weight) <= 0
            assert len(rest) == order + (order < 3)  # and the back-off weight
    assert lines[0] == "\\data\\"
    assert text.endswith("\\end\\")


def test_the_share_of_a_sentence_is_that_of_its_threes_that_were_learned() -> None:
    learned = Sentences.count(SENTENCES)
    assert learned.share(["turn", "off", "the", "lamp"]) == 1.0
    assert learned.share(["stop"]) == 1.0
    assert learned.share(["yesterday"]) == 0.0
    assert learned.share(["turn", "off", "the", "radio"]) == pytest.approx(3 / 5)
