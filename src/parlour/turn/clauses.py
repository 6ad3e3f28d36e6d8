"""Cuts the text of an answer, as it comes word by word, into pieces that can be spoken; pure.

The first piece is short, because everybody waits for it: the first clause or four words, whichever
is complete first. Later ones are whole sentences, which sound better. Where a piece ends depends
on the text alone, never on how it was cut into deltas.
"""

import re
from collections.abc import Mapping

FIRST_WORDS = 4  # at 60 words a second they are there 70 ms after the first
MOST_FIRST_WORDS = 6  # where the fourth is one that leans on the next
LONGEST = 200  # characters of a piece; a model that makes no stops still has to be spoken


def _any_of(words: str) -> frozenset[str]:
    """Entries with blanks between them, or with bars where they hold blanks."""
    return frozenset(words.split("|") if "|" in words else words.split())


_CLOSERS = "\"'”’»)\\]"
# A stop counts once something follows it; a danda can be nothing else.
_SENTENCE_END = re.compile(rf"(?:[.!?…]+[{_CLOSERS}]*(?=\s)|[।॥！？。][{_CLOSERS}]*|\n)")
_CLAUSE_END = re.compile(rf"(?:[,;:،][{_CLOSERS}]*(?=\s)|\s[-–—](?=\s)|—)")
_WORD = re.compile(r"\S+")

_ABBREVIATIONS: Mapping[str, frozenset[str]] = {
    "en": _any_of(
        "mr mrs ms dr prof st sr jr vs etc approx dept no vol fig e.g i.e a.m p.m u.s u.k"
    ),
    "de": _any_of("dr prof hr fr st str nr bzw usw etc ca vgl z.b d.h u.a o.ä evtl inkl max min"),
}
_LEANING: Mapping[str, frozenset[str]] = {
    "en": _any_of(
        "a an the of to in on at by for with from and or but my your his her its our their "
        "this that is are was were very not"
    ),
    "de": _any_of(
        "der die das den dem des ein eine einen einem einer in im am an auf bei mit von vom "
        "zu zum zur für und oder aber mein dein sein ist sind war nicht sehr"
    ),
}


class Clauses:
    """One answer. `push` and `finish` return the pieces that are complete by then."""

    def __init__(self, language: str) -> None:
        root = language.partition("_")[0]
        self._abbreviations = _ABBREVIATIONS.get(root, _ABBREVIATIONS["en"])
        self._leaning = _LEANING.get(root, frozenset())
        self._ordinals = root == "de"  # "am 3. Mai" is no end
        self._text = ""
        self._first = True

    def push(self, delta: str) -> list[str]:
        """Take the next characters, as many as there are."""
        self._text += delta
        pieces = []
        while (cut := self._find_cut()) is not None:
            piece, self._text = self._text[:cut], self._text[cut:].lstrip()
            if said := " ".join(piece.split()):
                pieces.append(said)
                self._first = False
        return pieces

    def finish(self) -> list[str]:
        """No more comes: what is left is the last piece."""
        rest, self._text = " ".join(self._text.split()), ""
        return [rest] if rest else []

    def _find_cut(self) -> int | None:
        cuts = [self._sentence_end()]
        if self._first:
            cuts += [self._clause_end(), self._enough_words()]
        found = [cut for cut in cuts if cut is not None]
        cut = min(found, default=None)
        if cut is not None and cut <= LONGEST:
            return cut
        return self._break_long() if len(self._text) > LONGEST else None

    def _sentence_end(self) -> int | None:
        for match in _SENTENCE_END.finditer(self._text):
            if not self._text[: match.end()].strip():
                return match.end()  # a newline before everything
            if match[0][0] != "." or not self._is_abbreviation(self._text[: match.start()]):
                return match.end()
        return None

    def _is_abbreviation(self, before: str) -> bool:
        words = before.split()
        word = words[-1].strip("\"'“‘«([").casefold() if words else ""
        if self._ordinals and word.isdigit() and len(word) <= 2:
            return True
        return word in self._abbreviations or (len(word) == 1 and word.isalpha())

    def _clause_end(self) -> int | None:
        for match in _CLAUSE_END.finditer(self._text):
            if len(self._text[: match.start()].split()) > 1:
                return match.end()
        return None

    def _enough_words(self) -> int | None:
        for count, word in enumerate(_WORD.finditer(self._text), start=1):
            if word.end() == len(self._text):
                return None  # it may go on
            leans = word[0].casefold() in self._leaning
            if count >= MOST_FIRST_WORDS or (count >= FIRST_WORDS and not leans):
                return word.end()
        return None

    def _break_long(self) -> int:
        """Inside a text without an end: at its last comma, or its last blank."""
        head = self._text[:LONGEST]
        commas = [match.end() for match in _CLAUSE_END.finditer(head)]
        blank = head.rfind(" ")
        return commas[-1] if commas else blank if blank > 0 else LONGEST
