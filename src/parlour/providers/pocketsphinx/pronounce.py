"""How words are said: the shipped dictionary, and for names outside it parts, letters or rules."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from parlour.providers.pocketsphinx.letters import sound_out, spell

SHORTEST_PART = 3  # letters; in shorter parts of a word the dictionary's entries mislead
_HISSING = ("S", "Z", "SH", "ZH", "CH", "JH")
_VOICELESS = ("P", "T", "K", "F", "TH")


def pronounce(words: Iterable[str], dictionary: Path) -> dict[str, list[str]]:
    """Phones of each word, the most usual first; a word that nobody can say is left out.

    Words are lower case with a-z, digits and apostrophes. The dictionary is read once and not
    kept: 130,000 entries would take 20 MB for the few thousand words that a house uses.
    """
    wanted = set(words)
    parts = {part for word in wanted for pair in _halves(_base(word)) for part in pair}
    known = _look_up(wanted | parts | {_base(word) for word in wanted}, dictionary)
    said: dict[str, list[str]] = {}
    for word in sorted(wanted):
        if phones := known.get(word) or _work_out(word, known):
            said[word] = phones
    return said


def write(said: Mapping[str, list[str]]) -> Iterator[str]:
    """The lines of a dictionary file: "tomato T AH M EY T OW", "tomato(2) T AH M AA T OW"."""
    for word, ways in said.items():
        for number, phones in enumerate(ways, start=1):
            yield f"{word} {phones}" if number == 1 else f"{word}({number}) {phones}"


def _look_up(words: set[str], dictionary: Path) -> dict[str, list[str]]:
    known: dict[str, list[str]] = {}
    with dictionary.open(encoding="utf-8") as lines:
        for line in lines:
            entry, _, phones = line.rstrip().partition(" ")
            word = entry.partition("(")[0]
            if word in words:
                known.setdefault(word, []).append(phones)
    return known


def _work_out(word: str, known: Mapping[str, list[str]]) -> list[str]:
    base = _base(word)
    ways = known.get(base) or _join_halves(base, known)
    # A part of the dictionary inside a name may be chance ("tas-mota"), so the rules have a say.
    if base not in known and (ruled := " ".join(_by_rule(base))) and ruled not in ways:
        ways = [*ways, ruled]
    return [_add_s(phones) for phones in ways] if base != word else ways


def _base(word: str) -> str:
    return re.sub("'s$|(?<=s)'$", "", word)


def _halves(word: str) -> Iterator[tuple[str, str]]:
    """All ways to cut a word in two, the most even first."""
    cuts = range(SHORTEST_PART, len(word) - SHORTEST_PART + 1)
    for cut in sorted(cuts, key=lambda cut: abs(len(word) - 2 * cut)):
        yield word[:cut], word[cut:]


def _join_halves(word: str, known: Mapping[str, list[str]]) -> list[str]:
    for first, second in _halves(word):
        if first in known and second in known:
            return [f"{known[first][0]} {known[second][0]}"]
    return []


def _by_rule(word: str) -> tuple[str, ...]:
    """Letters by rule, digits by name: "h2" as "aitch two"."""
    phones: list[str] = []
    for is_digit, run in groupby(word.replace("'", ""), key=str.isdecimal):
        letters = "".join(run)
        phones += spell(letters) if is_digit else sound_out(letters)
    return tuple(phones)


def _add_s(phones: str) -> str:
    last = phones.rsplit(maxsplit=1)[-1]
    if last in _HISSING:
        return f"{phones} IH Z"
    return f"{phones} {'S' if last in _VOICELESS else 'Z'}"
