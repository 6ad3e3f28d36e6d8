"""How often everyday English says each word and pair of words, so that chatter has a place to go.

A recogniser that knows commands only turns whatever is said into commands. With these counts
beside them, talk decodes as talk. `everyday.txt` is made from the open language model that the
pocketsphinx wheel carries (everyday.LICENSE); `python -m parlour.providers.pocketsphinx.everyday`
makes it again.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from pocketsphinx import Config, LogMath, NGramModel, get_model_path

WORDS = 2_000  # cover nine tenths of what is said
PAIRS = 20_000
PER = 10_000_000  # counts are per this many words
TABLE = "everyday.txt"
UNFIT = re.compile("fuck|shit|bitch|nigg")  # no house wants to see these in a transcript


@cache
def counts() -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """Words and pairs with their counts per ten million words; "<s>" and "</s>" bound sentences."""
    words: dict[str, int] = {}
    pairs: dict[tuple[str, str], int] = {}
    text = files(__package__).joinpath(TABLE).read_text(encoding="utf-8")
    for line in text.splitlines():
        match line.split():
            case [word, count] if word != "#":
                words[word] = int(count)
            case [first, second, count] if first != "#":
                pairs[first, second] = int(count)
            case _:
                pass  # the comment at its head
    return words, pairs


class OpenModel:
    """The shipped trigram, asked for the probability of a word alone or after another."""

    def __init__(self) -> None:
        self._log = LogMath(1.0001)  # the model keeps a bare pointer to it, so it must live on
        self._model = NGramModel(
            Config(loglevel="FATAL"), self._log, get_model_path("en-us/en-us.lm.bin")
        )

    def probability(self, word: str, after: str | None = None) -> float:
        """0.0 for a word that the model does not know."""
        return float(self._log.exp(self._model.prob([word] if after is None else [word, after])))


def make() -> Iterator[str]:
    """The lines of the table, the most frequent first."""
    model = OpenModel()
    with Path(get_model_path("en-us/cmudict-en-us.dict")).open(encoding="utf-8") as dictionary:
        known = {line.split(" ", 1)[0] for line in dictionary}
    fit = [word for word in known if re.fullmatch("[a-z][a-z']*", word) and not UNFIT.search(word)]
    chance = {word: model.probability(word) for word in fit}
    words = sorted(fit, key=lambda word: (-chance[word], word))[:WORDS]
    chance["</s>"] = chance["<s>"] = model.probability("</s>")  # as many begin as end
    pairs = [
        (chance[first] * model.probability(second, after=first), first, second)
        for first in ("<s>", *words)
        for second in ("</s>", *words)
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    yield f"# Counts per {PER:,} words, from pocketsphinx's en-us model; see everyday.LICENSE."
    for word in ("<s>", "</s>", *words):
        yield f"{word} {round(chance[word] * PER)}"
    for probability, first, second in pairs[:PAIRS]:
        yield f"{first} {second} {round(probability * PER)}"


if __name__ == "__main__":
    Path(__file__).with_name(TABLE).write_text("\n".join(make()) + "\n", encoding="utf-8")
