"""What the recogniser expects to hear, made from sentences: a language model and a dictionary."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pocketsphinx import get_model_path

from parlour.providers.pocketsphinx import arpa, everyday
from parlour.providers.pocketsphinx.pronounce import pronounce, write


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Language model and dictionary as file contents, ready for any number of decoders."""

    sentences: arpa.Sentences
    model: str  # ARPA
    dictionary: str


def build(sentences: Iterable[str]) -> Vocabulary:
    """Make a vocabulary; sentences with a word that cannot be said in English are left out."""
    split = [spoken for sentence in sentences if (spoken := normalise(sentence))]
    words, pairs = everyday.counts()
    ways = pronounce(
        {word for sentence in split for word in sentence} | words.keys() - {arpa.START, arpa.END},
        Path(get_model_path("en-us/cmudict-en-us.dict")),
    )
    counts = arpa.Sentences.count(s for s in split if all(word in ways for word in s))
    model = arpa.estimate(counts, words, pairs)
    return Vocabulary(counts, "\n".join(arpa.write(model)) + "\n", "\n".join(write(ways)) + "\n")


def normalise(sentence: str) -> list[str]:
    """Words in lower case of a-z, digits and inner apostrophes; accents are taken off."""
    plain = unicodedata.normalize("NFKD", sentence.lower().replace("\u2019", "'"))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*(?:(?<=s)')?", letters)
