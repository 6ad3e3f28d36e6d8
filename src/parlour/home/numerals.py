"""Numbers as they are spoken in nine languages: words, digits and halves, read out of a text."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from parlour.home.numbers import in_words
from parlour.home.words import Orthography, Word, english_loan

Keys = tuple[str, ...]

MOST = 999


@dataclass(frozen=True, slots=True)
class Spoken:
    """What stands at a place of a text: a number up to `end`; `pending`: it may go on."""

    end: int
    value: float


@dataclass(frozen=True, slots=True)
class Numerals:
    """The number words of a language, by key.

    `before` words change the whole number after them ("साढ़े तीन" is 3.5), `after` words the one
    before them ("three and a half"); `whole` are numbers of their own ("डेढ़" is 1.5).
    """

    plain: Mapping[Keys, int]
    exact: Mapping[str, int]  # as written: "साठ" and "सात" sound alike to a key
    thousands: frozenset[str] = frozenset()
    hundreds: frozenset[str] = frozenset()  # "hundred": multiplies what stands before it
    joint: frozenset[str] = frozenset()  # "and", in "hundred and ten"
    before: Mapping[Keys, float] = field(default_factory=dict)
    after: Mapping[Keys, float] = field(default_factory=dict)
    whole: Mapping[Keys, float] = field(default_factory=dict)
    point: frozenset[str] = frozenset()  # "point", in "twenty point five"
    loans: Mapping[str, int] = field(default_factory=dict)  # English ones by their consonants
    _first: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        tables = (self.plain, self.before, self.whole)
        first = self.hundreds | {keys[0] for table in tables for keys in table}
        object.__setattr__(self, "_first", first)

    def read(self, words: Sequence[Word], start: int) -> list[Spoken]:
        """All numbers that begin at a word, the shortest first."""
        word = words[start]
        if word.number is None and word.key not in self._first and word.loan not in self.loans:
            return []
        found = {each.end: each.value for each in self._read(words, start)}
        return [Spoken(end, value) for end, value in sorted(found.items())]

    def _read(self, words: Sequence[Word], start: int) -> Iterator[Spoken]:
        yield from _listed(self.whole, words, start)
        for base in self._integers(words, start):
            yield base
            for more in _listed(self.after, words, base.end):
                yield Spoken(more.end, base.value + more.value)
            if base.end < len(words) and words[base.end].key in self.point:
                for part in self._integers(words, base.end + 1):
                    if part.value < 10 and part.value == int(part.value):
                        yield Spoken(part.end, base.value + part.value / 10)
        for change in _listed(self.before, words, start):
            for base in self._integers(words, change.end):
                yield Spoken(base.end, base.value + change.value)

    def _integers(self, words: Sequence[Word], start: int) -> Iterator[Spoken]:
        if start >= len(words):
            return
        word = words[start]
        if word.number is not None:
            yield Spoken(start + 1, word.number)
            return
        if word.loan in self.loans:
            yield Spoken(start + 1, self.loans[word.loan])
        for small in self._small(words, start):
            yield small
            yield from self._after_hundred(words, small.end, small.value)
            if small.end < len(words) and words[small.end].key in self.thousands:
                yield Spoken(small.end + 1, small.value * 1000)
                for more in self._integers(words, small.end + 1):
                    if more.value < 1000:
                        yield Spoken(more.end, small.value * 1000 + more.value)
        if word.key in self.hundreds:
            yield from self._after_hundred(words, start, 1)

    def _small(self, words: Sequence[Word], start: int) -> Iterator[Spoken]:
        written = self.exact.get(words[start].text)
        if written is not None:
            yield Spoken(start + 1, written)
        for listed in _listed(self.plain, words, start):
            if written is None or listed.end > start + 1:
                yield listed

    def _after_hundred(self, words: Sequence[Word], at: int, count: float) -> Iterator[Spoken]:
        if at >= len(words) or words[at].key not in self.hundreds or not 0 < count < 10:
            return
        yield Spoken(at + 1, count * 100)
        rest = at + 1
        if rest < len(words) and words[rest].key in self.joint:
            rest += 1
        for more in self._small(words, rest) if rest < len(words) else ():
            if 0 < more.value < 100:
                yield Spoken(more.end, count * 100 + more.value)


def _listed(numbers: Mapping[Keys, float], words: Sequence[Word], start: int) -> Iterator[Spoken]:
    for count in range(1, 5):
        if start + count > len(words):
            return
        keys = tuple(word.key for word in words[start : start + count])
        if keys in numbers:
            yield Spoken(start + count, numbers[keys])


def make_numerals(data: Mapping[str, object], orthography: Orthography) -> Numerals:
    """From the `numbers` of a language's file.

    `words` there is a text of the numbers from 0 up, several spellings of one joined by a bar,
    words of one number joined by an underscore.
    """

    language = orthography.language

    def keys(text: str) -> Keys:
        return tuple(orthography.key(part) for part in orthography.split(text.replace("_", " ")))

    def table(name: str) -> dict[Keys, float]:
        listed = data.get(name, {})
        assert isinstance(listed, dict)
        return {keys(words): float(value) for words, value in listed.items()}

    def several(name: str) -> frozenset[str]:
        listed = data.get(name, [])
        assert isinstance(listed, list)
        return frozenset(orthography.key(word) for word in listed)

    plain: dict[Keys, int] = {}
    exact: dict[str, int] = {}
    for number, spellings in enumerate(_spelt(data, language)):
        for spelling in spellings:
            plain.setdefault(keys(spelling), number)
            if not spelling.isascii() and "_" not in spelling:
                exact.setdefault(unicodedata.normalize("NFC", spelling), number)
    more = data.get("more", {})
    assert isinstance(more, dict)
    for words, value in more.items():
        plain.setdefault(keys(words), int(value))
    loans = {} if language in ("en", "de") else _english_loans()
    return Numerals(
        plain,
        exact,
        thousands=several("thousand"),
        hundreds=several("hundred"),
        joint=several("joint"),
        before=table("before"),
        after=table("after"),
        whole=table("whole"),
        point=several("point"),
        loans=loans,
    )


def _spelt(data: Mapping[str, object], language: str) -> Iterator[list[str]]:
    match language:
        case "en":
            for number in range(100):
                yield [in_words(number)]
        case "de":
            for number in range(1000):
                yield _german(number)
        case _:
            for word in str(data["words"]).split():
                yield word.split("|")


def _english_loans() -> dict[str, int]:
    """ "twenty" in whatever script; those whose consonants are no other word's."""
    loans: dict[str, int] = {}
    for number in (*range(5, 20), *range(20, 100, 10)):
        loan = english_loan(in_words(number))[1]
        if len(loan) > 2:
            loans.setdefault(loan, number)
    return loans


_ONES = [
    "null",
    "ein",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwölf",
]
_TENS = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
_STEMS = {6: "sech", 7: "sieb"}


def _german(number: int) -> list[str]:
    if number == 1:
        return ["eins", "ein", "eine", "einen", "einer", "einem"]
    if number == 2:
        return ["zwei", "zwo"]
    return [_german_word(number)]


def _german_word(number: int) -> str:
    if number <= 12:
        return _ONES[number]
    if number < 20:
        return _STEMS.get(number - 10, _ONES[number - 10]) + "zehn"
    if number < 100:
        tens, ones = divmod(number, 10)
        return (f"{_ONES[ones]}und" if ones else "") + _TENS[tens - 2]
    hundreds, rest = divmod(number, 100)
    last = "eins" if rest == 1 else _german_word(rest) if rest else ""
    return (f"{_ONES[hundreds]}hundert" if hundreds > 1 else "hundert") + last
