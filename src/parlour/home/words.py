"""Text as words that can be compared: by their letters, or in Indian languages by their sound.

What a recogniser writes, what people type and what a template holds are often the same word in
different letters: "लाइट" and "लाईट", "band" and "bandh", चालू and "chalu". So words of the Indian
languages are compared by a key made of the sounds that all these spellings share: the consonants
without aspiration and length, and the vowels other than `a`, which scripts leave out and people
who type them do not agree on. The key of a word in Latin letters is made by the same rules, so
that a template in the language's own script understands romanised text.

The scripts of India share one layout (ISCII): the same letter stands at the same offset of each
Unicode block, which is why one table serves all of them.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

LONGEST_TEXT = 1000  # characters; nobody commands a house in more

_WORD = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*'?")
_JOINERS = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u00ad"))
_FIRST_BLOCK, _LAST_BLOCK = 0x0900, 0x0D7F

_SOUNDS = {
    **dict(enumerate("kkggn", 0x15)),
    **dict(enumerate("ccjjn", 0x1A)),
    **dict(enumerate("ttddn", 0x1F)),
    **dict(enumerate("ttddn", 0x24)),
    **dict(enumerate("npfbbmyrrlllvsssh", 0x29)),
    0x01: "",  # candrabindu, a nasal vowel
    0x02: "n",
    0x03: "",
    0x4D: "",  # no vowel follows
    0x3C: "",  # nukta
}
_VOWELS = {
    **dict.fromkeys((0x05, 0x06, 0x3E), "a"),
    **dict.fromkeys((0x07, 0x08, 0x3F, 0x40), "i"),
    **dict.fromkeys((0x09, 0x0A, 0x41, 0x42), "u"),
    **dict.fromkeys((0x0B, 0x43), "ri"),
    **dict.fromkeys((0x0D, 0x0E, 0x0F, 0x10, 0x45, 0x46, 0x47, 0x48), "e"),
    **dict.fromkeys((0x11, 0x12, 0x13, 0x14, 0x49, 0x4A, 0x4B, 0x4C), "o"),
}
_CHILLUS = dict(zip("\u0d7a\u0d7b\u0d7c\u0d7d\u0d7e\u0d7f", "nnrllk", strict=True))
_SINGLE = {**_CHILLUS, "\u09ce": "t", "\u09dc": "d", "\u09dd": "d", "\u09df": "y", "\u0b83": ""}

# Of Latin letters, in this order: longer spellings of a sound first.
_ROMAN = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"zh", "l"),
        (r"chh?|cch|tch", "\u00e7"),
        (r"(?<=[kgtdbj])h", ""),
        (r"ph", "f"),
        (r"sh", "s"),
        (r"ck|q", "k"),
        (r"c(?=[eiy])", "s"),
        (r"c(?=[aoulrkt])", "k"),
        (r"x", "ks"),
        (r"w", "v"),
        (r"z", "j"),
        (r"ee|ii|ea", "i"),
        (r"oo|uu", "u"),
        (r"ai|ei|ay|ae", "e"),
        (r"au|ou", "o"),
        ("\u00e7", "c"),
    )
)
_VOICED = str.maketrans("gdbjcf", "ktpssp")
"""Tamil writes one letter for the voiced and the unvoiced sound."""

_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        [
            "e",
            "bi",
            "si",
            "di",
            "i",
            "ef",
            "ji",
            "ec",
            "ai",
            "je",
            "ke",
            "el",
            "em",
            "en",
            "o",
            "pi",
            "kyu",
            "ar",
            "es",
            "ti",
            "yu",
            "vi",
            "dablyu",
            "eks",
            "vai",
            "jed",
        ],
        strict=True,
    )
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text. `key` is what a template's word must equal."""

    key: str
    text: str  # as it was written, in lower case
    loan: str = ""  # its consonants, to be compared with those of an English name; "" if too few
    sound: str = ""  # its consonants and its i, o and u: enough for a short name
    number: float | None = None  # of one written in digits


@dataclass(frozen=True, slots=True)
class Orthography:
    """How a language is written. `signs` spells out "%" and the like, `forms` short forms."""

    language: str
    signs: Mapping[str, str] = field(default_factory=dict)
    forms: Sequence[tuple[re.Pattern[str], str]] = ()

    @property
    def is_by_sound(self) -> bool:
        return self.language not in ("en", "de")

    def words(self, text: str) -> list[Word]:
        """The words of a text in lower case without accents and punctuation."""
        words = [self._word(each) for each in self.split(text)]
        if self.is_by_sound:
            return words
        # With their accents, for what is said again: the name of a timer, an announcement.
        written = _WORD.findall(text[:LONGEST_TEXT].casefold())
        if len(written) != len(words):
            return words
        return [replace(w, text=as_is) for w, as_is in zip(words, written, strict=True)]

    def split(self, text: str) -> list[str]:
        if self.is_by_sound:
            text = unicodedata.normalize("NFC", text[:LONGEST_TEXT].translate(_JOINERS).casefold())
        else:
            text = unicodedata.normalize("NFKD", text[:LONGEST_TEXT].translate(_JOINERS).casefold())
            text = "".join(each for each in text if not unicodedata.combining(each))
        text = text.replace("\u2019", "'")
        for sign, spelt in self.signs.items():
            text = text.replace(sign, f" {spelt} ")
        for form, spelt in self.forms:
            text = form.sub(spelt, text)
        if not self.is_by_sound:
            return [word.strip("'") for word in _WORD.findall(text)]
        # A vowel sign is no letter to a regular expression: whatever separates nothing belongs.
        return [part for run in _RUNS.findall(text) for part in _DIGITS.findall(run)]

    def key(self, word: str) -> str:
        """What a word is compared by."""
        return sound_of(word, self.language) if self.is_by_sound else word

    def _word(self, word: str) -> Word:
        if word[0].isdecimal():
            return Word(_plain_digits(word), word, number=_number(word))
        key = self.key(word)
        if not self.is_by_sound:
            return Word(key, word)
        if word.isascii():
            spoken, loan = self.loan(word)
            return Word(key, word, loan, sound_like(spoken))
        return Word(key, word, loan_of(key), sound_like(key))

    def loan(self, word: str) -> tuple[str, str]:
        """Key and consonants of an English word as this language writes it."""
        key, loan = english_loan(word)
        return (
            (key.translate(_VOICED), loan.translate(_VOICED))
            if self.language == "ta"
            else (key, loan)
        )


_RUNS = re.compile(r"[^\s!-'*-,/:-?@\[-`{-~।॥…–—“”‘«»()]+")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)?|[^\d.,-]+")


_SPELT = {"ac": "esi", "tv": "tivi", "pc": "pisi", "led": "eleedi"}
"""What is written in Latin letters and spoken letter by letter."""


@lru_cache(20_000)
def sound_of(word: str, language: str) -> str:
    """The key of a word of an Indian language, whatever letters it is written in; never empty."""
    if not word.isascii():
        sounds = "".join(_sounds(word, language))
    else:
        sounds = _roman(_SPELT.get(word, word))
    if language == "ta":
        sounds = sounds.translate(_VOICED)
    sounds = re.sub(r"m(?=[pbf])", "n", sounds)
    first, rest = sounds[:1], sounds[1:].replace("a", "")
    return re.sub(r"(.)\1+", r"\1", first + rest) or word


def loan_of(key: str) -> str:
    """The consonants of a key, for a name that is written in English and spoken in another."""
    bare = consonants(key)
    return bare if len(bare) >= 2 else ""


def sound_like(key: str) -> str:
    """A key without the vowels that each script hears in its own way: "heater", হিটার, ഹീറ്റർ."""
    bare = re.sub(r"[aehy]", "", key.translate(_HISSED)).replace("iu", "u")
    return re.sub(r"(.)\1+", r"\1", bare)


def consonants(key: str) -> str:
    """Those that an English word and its spelling in another script have in common."""
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiouyh]", "", key.translate(_HISSED)))


_HISSED = str.maketrans("jzcqwb", "ssskvv")


def english_loan(word: str) -> tuple[str, str]:
    """Key and consonants of an English word as it is spoken: "TV" is "tivi", "light" is "lt"."""
    lower = word.casefold()
    if word.isupper() and len(word) <= 3 or not re.search(r"[aeiouy]", lower):
        spelt = "".join(_LETTERS.get(each, each) for each in lower)
        return sound_of(spelt, "hi"), loan_of(sound_of(spelt, "hi"))
    spoken = lower
    for pattern, sound in _ENGLISH:
        spoken = pattern.sub(sound, spoken)
    key = sound_of(spoken, "hi")
    return key, loan_of(key)


_ENGLISH = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^exh?(?=[aeiou])", "egz"),
        (r"igh", "i"),
        (r"augh|ough", "o"),
        (r"dg(?=e)", "j"),
        (r"g(?=[ei])(?!et|ey|if)", "j"),
        (r"tion", "shn"),
        (r"ture", "cr"),
        (r"kn(?=[aeiou])|^kn", "n"),
        (r"wr", "r"),
        (r"mb$", "m"),
        (r"qu", "kv"),
        (r"e$", ""),
        (r"c$", "k"),
    )
)


def _sounds(word: str, language: str) -> list[str]:
    made: list[str] = []
    word = word.replace("റ്റ", "ട്ട")  # written as two r, spoken as two t
    if language == "bn":
        word = re.sub("^ওয\u09bc", "ভ", word)  # how Bengali writes a foreign w
    for place, letter in enumerate(word):
        point = ord(letter)
        if letter in _SINGLE:
            made.append(_SINGLE[letter])
        elif _FIRST_BLOCK <= point <= _LAST_BLOCK:
            made.append(_sound(point % 0x80, place == len(word) - 1, language))
        elif letter.isascii():
            made.append(_roman(letter))
    return made


def _sound(offset: int, is_last: bool, language: str) -> str:
    if offset == 0x02 and is_last:
        # At the end of a word it is a whole sound in the south only.
        return {"ml": "m", "te": "m", "bn": "ng"}.get(language, "")
    return _VOWELS.get(offset, "") or _SOUNDS.get(offset, "")


def _roman(word: str) -> str:
    for pattern, sound in _ROMAN:
        word = pattern.sub(sound, word)
    return word


def _plain_digits(word: str) -> str:
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else "." for c in word)


def _number(word: str) -> float | None:
    plain = _plain_digits(word)
    return float(plain) if len(plain) <= 6 else None
