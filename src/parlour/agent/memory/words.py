"""Which text fits some words best: by what they share, in any of the house's languages.

Words are compared by their letters, by their sound and by their beginning: "keys" finds "key",
"Schlüssel" finds "Ersatzschlüssel", चाबियाँ finds चाबी and "chabi" finds both. A word that many
texts have counts little, so no list of stop words is needed.

The scripts of India share one layout (ISCII): the same letter stands at the same offset of each
Unicode block, which is why one table serves all of them.
"""

import math
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from os.path import commonprefix

MOST_WORDS = 30  # of a query
MANY = 4  # texts, enough to tell which words all texts have
_FIRST_BLOCK, _LAST_BLOCK = 0x0900, 0x0D7F

_SOUNDS = {
    **dict(enumerate(("", "n", ""), 0x01)),
    **dict(enumerate("kkggnCCjjnttddnttddnnpfbbmyrrlllvsssh", 0x15)),
    **dict.fromkeys((0x05, 0x06, 0x3E), "a"),
    **dict.fromkeys((0x07, 0x08, 0x3F, 0x40), "i"),
    **dict.fromkeys((0x09, 0x0A, 0x41, 0x42), "u"),
    **dict.fromkeys((0x0B, 0x43), "ri"),
    **dict.fromkeys((0x0D, 0x0E, 0x0F, 0x10, 0x45, 0x46, 0x47, 0x48), "e"),
    **dict.fromkeys((0x11, 0x12, 0x13, 0x14, 0x49, 0x4A, 0x4B, 0x4C), "o"),
}
_SINGLE = {
    **dict(zip("\u0d7a\u0d7b\u0d7c\u0d7d\u0d7e\u0d7f", "nnrllk", strict=True)),
    **dict(zip("\u09ce\u09dc\u09dd\u09df", "tddy", strict=True)),
}
# Longer spellings of a sound first.
_ROMAN = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"sch|sh", "s"),
        (r"zh", "l"),
        (r"tch|chh?", "C"),
        (r"ph", "f"),
        (r"(?<=[kgtdbj])h", ""),
        (r"ck|q", "k"),
        (r"c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"x", "ks"),
        (r"w", "v"),
        (r"z", "s"),
        (r"ee|ii|ea", "i"),
        (r"oo|uu", "u"),
        (r"ai|ei|ay|ae", "e"),
        (r"au|ou", "o"),
    )
)
_ALIKE = str.maketrans("gdbjfC", "ktpsps")  # Tamil writes them alike, and so does who types it


_FINAL_NASAL = re.compile("[\u0902\u0982\u0a82\u0c02\u0d02]$")  # endings begin after it


def normal(text: str) -> str:
    """A text without what case, width and blanks add to it: two that are equal say the same."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def ranked(query: str, texts: Sequence[str]) -> list[float]:
    """How well each text fits the words of the query: 0.0 nothing, 1.0 all of them."""
    wanted = list(dict.fromkeys(words_of(query)))[:MOST_WORDS]
    if not wanted:
        return [0.0] * len(texts)
    held = [words_of(text) for text in texts]
    fits = [
        [max((_alike(each, have) for have in words), default=0.0) for words in held]
        for each in wanted
    ]
    weights = [_weight(sum(fit > 0 for fit in row), len(texts)) for row in fits]
    whole = sum(weights)
    return [
        sum(weight * row[index] for weight, row in zip(weights, fits, strict=True)) / whole
        for index in range(len(texts))
    ]


def _weight(count: int, texts: int) -> float:
    """What a word tells that so many of the texts have."""
    if count == 0:  # it may be a mere "where"
        return 0.25 * math.log(2 * texts + 2)
    if texts >= MANY and 2 * count > texts:  # "the"
        return 0.05
    return 0.05 + math.log((texts + 1) / (count + 0.5))


@lru_cache(2_000)
def words_of(text: str) -> tuple[str, ...]:
    # A vowel sign is no letter to a regular expression, so words are told by what separates them.
    letters = (
        each if unicodedata.category(each)[0] in "LMN" else "" if each in _JOINERS else " "
        for each in normal(text)
    )
    words = "".join(letters).split()
    return tuple(word for word in words if len(word) > 1 or not "a" <= word <= "z")


_JOINERS = "\u200b\u200c\u200d\ufeff\u00ad-"


@lru_cache(20_000)
def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    first, second = _key(one), _key(other)
    if first == second:
        return 0.9
    short, long = sorted((first, second), key=len)
    if one[0].isdecimal() or other[0].isdecimal():
        return 0.0
    # A letter of the Indian scripts is most of a syllable.
    is_latin = one.isascii() and other.isascii()
    longer = len(long) - len(short)
    is_ending = len(short) >= 3 and longer == 1 if is_latin else len(short) >= 2 >= longer
    if long.startswith(short) and (len(short) >= 4 or is_ending):
        return 0.7
    if len(commonprefix((short, long))) >= max(4 if is_latin else 3, 0.6 * len(long)):
        return 0.5
    return 0.5 if len(short) >= 6 and long.endswith(short) else 0.0


@lru_cache(20_000)
def _key(word: str) -> str:
    """The sounds of a word without length, aspiration and the vowel `a`; never empty."""
    if word[0].isdecimal():
        return word
    sounds = "".join(
        _SINGLE.get(each) or _SOUNDS.get(ord(each) % 0x80, "")
        if _FIRST_BLOCK <= ord(each) <= _LAST_BLOCK
        else each
        for each in _FINAL_NASAL.sub("", word).replace("റ്റ", "ട്ട")  # two r, spoken as two t
    )
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", sounds) if not unicodedata.combining(each)
    )
    for pattern, sound in _ROMAN:
        plain = pattern.sub(sound, plain)
    plain = plain.translate(_ALIKE)
    plain = re.sub(r"m(?=p)", "n", plain)
    short = plain[:1] + plain[1:].replace("a", "").removesuffix("h")
    return re.sub(r"(.)\1+", r"\1", short) or word
