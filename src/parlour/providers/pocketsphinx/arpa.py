"""A trigram model of what people say to this house, mixed with everyday English, as ARPA text.

pocketsphinx.lm builds ARPA files as well, but with one fixed discount for all orders and from
sentences alone; it cannot mix in a table of counts, and its back-off weights are rough where a
history is nearly always followed by the same words, which in commands is the rule.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

START, END = "<s>", "</s>"
EVERYDAY = 0.2  # share of talk that is not for the house; 0.02 to 0.5 measured alike
BACK_OFF = 0.1  # given to shorter histories at each order; 0.05 to 0.3 measured alike
UNSEEN = 0.02  # of the words' own probability, shared out equally

Pair = tuple[str, str]
Triple = tuple[str, str, str]
_Key = TypeVar("_Key", str, Pair)


@dataclass(slots=True)
class Sentences:
    """Counts of the words of sentences, alone and in twos and threes."""

    words: Counter[str] = field(default_factory=Counter)
    pairs: Counter[Pair] = field(default_factory=Counter)
    triples: Counter[Triple] = field(default_factory=Counter)

    @classmethod
    def count(cls, sentences: Iterable[list[str]]) -> "Sentences":
        counts = cls()
        for sentence in sentences:
            bounded = [START, *sentence, END]
            counts.words.update(bounded)
            counts.pairs.update(zip(bounded, bounded[1:], strict=False))
            # A second start makes a sentence's first pair a triple of its own, for `share`.
            padded = [START, *bounded]
            counts.triples.update(zip(padded, bounded, bounded[1:], strict=False))
        return counts

    def share(self, sentence: list[str]) -> float:
        """How much of a sentence was in these sentences, 0 to 1, judged by threes of words."""
        bounded = [START, *sentence, END]
        triples = list(zip([START, *bounded], bounded, bounded[1:], strict=False))
        return sum(triple in self.triples for triple in triples) / len(triples)


@dataclass(frozen=True, slots=True)
class Model:
    """An interpolated trigram: every listed probability already holds its back-off share.

    So the back-off weight of a history is exactly what its followers leave, and the
    probabilities after any history sum to one.
    """

    ones: Mapping[str, float]
    twos: Mapping[Pair, float]
    threes: Mapping[Triple, float]
    back_off_one: Mapping[str, float]
    back_off_two: Mapping[Pair, float]


def estimate(
    sentences: Sentences, words: Mapping[str, float], pairs: Mapping[Pair, float]
) -> Model:
    """Mix the sentences with everyday counts of words and pairs, which may be empty."""
    share = EVERYDAY if sentences.words and words else float(bool(words))
    own, other = (1 - share) / (sentences.words.total() or 1), share / (sum(words.values()) or 1)
    mixed_words = _blend(sentences.words, own, words, other)
    mixed_pairs = _blend(sentences.pairs, own, pairs, other)

    spoken = {word: mass for word, mass in mixed_words.items() if word != START}
    total = sum(spoken.values())
    ones = {w: (1 - UNSEEN) * mass / total + UNSEEN / len(spoken) for w, mass in spoken.items()}

    followed: dict[str, float] = {}
    for (first, _), mass in mixed_pairs.items():
        followed[first] = followed.get(first, 0.0) + mass
    # The pairs kept of everyday English cover a part of what follows a word; the rest of the
    # word's mass backs off.
    whole = {word: max(mass, mixed_words[word]) for word, mass in followed.items()}
    back_off_one = {w: 1 - (1 - BACK_OFF) * mass / whole[w] for w, mass in followed.items()}
    twos = {
        (first, then): (1 - BACK_OFF) * mass / whole[first] + back_off_one[first] * ones[then]
        for (first, then), mass in mixed_pairs.items()
    }

    threes: dict[Triple, float] = {}
    for triple, count in sentences.triples.items():
        first, second, then = triple
        if second != START:
            own = count / sentences.pairs[first, second]
            threes[triple] = (1 - BACK_OFF) * own + BACK_OFF * twos[second, then]
    back_off_two = {(first, second): BACK_OFF for first, second, _ in threes}
    return Model(ones, twos, threes, back_off_one, back_off_two)


def write(model: Model) -> Iterator[str]:
    """The lines of the ARPA file."""
    yield "\\data\\"
    yield f"ngram 1={len(model.ones) + 1}"  # and the start, which nothing predicts
    yield f"ngram 2={len(model.twos)}"
    yield f"ngram 3={len(model.threes)}"
    yield "\n\\1-grams:"
    for word, weight in (START, 1e-99), *sorted(model.ones.items()):
        yield f"{_log(weight)} {word} {_log(model.back_off_one.get(word, 1))}"
    yield "\n\\2-grams:"
    for pair, weight in sorted(model.twos.items()):
        yield f"{_log(weight)} {' '.join(pair)} {_log(model.back_off_two.get(pair, 1))}"
    yield "\n\\3-grams:"
    for triple, weight in sorted(model.threes.items()):
        yield f"{_log(weight)} {' '.join(triple)}"
    yield "\n\\end\\"


def _log(probability: float) -> str:
    return f"{math.log10(probability):.4f}"


def _blend(
    own: Mapping[_Key, float], weight: float, everyday: Mapping[_Key, float], other: float
) -> dict[_Key, float]:
    mixed = {key: weight * count for key, count in own.items()}
    for key, count in everyday.items():
        mixed[key] = mixed.get(key, 0.0) + other * count
    return mixed
