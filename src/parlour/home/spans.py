"""What a list of a grammar finds in a text: names of a house, words for a kind, numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from parlour.home.numerals import Numerals
from parlour.home.words import Orthography, Word, consonants, sound_like
from parlour.ports import Slot

SHORTEST_GLUED = 6  # sounds of an English name of several words that is written as one


@dataclass(frozen=True, slots=True)
class Span:
    """Up to the word `end` stands something that means `value`."""

    end: int
    value: Slot


@dataclass(frozen=True, slots=True)
class Found:
    spans: Sequence[Span] = ()
    pending: bool = False  # the text ends in the middle of something that the list holds


NOTHING = Found()


class Values(Protocol):
    def find(self, words: Sequence[Word], start: int) -> Found:
        """Everything of the list that begins at a word."""
        ...

    def samples(self) -> Sequence[str]:
        """What may be said, for a recogniser's language model."""
        ...


@dataclass(slots=True, eq=False)
class _Node:
    words: dict[str, "_Node"] = field(default_factory=dict)  # by the key of the next word
    more: dict[str, list["_Node"]] = field(default_factory=dict)  # by all that it may sound like
    values: list[Slot] = field(default_factory=list)

    def after(self, key: str) -> "_Node":
        node = self.words.get(key)
        if node is None:
            node = self.words[key] = _Node()
            self.also(key, node)
        return node

    def also(self, label: str, node: "_Node") -> None:
        nodes = self.more.setdefault(label, [])
        if node not in nodes:
            nodes.append(node)


class Phrases:
    """Phrases with their values, as a tree by words. Satisfies `Values`.

    In a language whose nouns take endings a word is also found with one: `endings` are their keys.
    A phrase in Latin letters is also found in another script, if `is_loose` by its consonants.
    """

    def __init__(
        self,
        phrases: Iterable[tuple[str, Slot]],
        orthography: Orthography,
        endings: Sequence[str] = (),
        numerals: Numerals | None = None,
        *,
        is_loose: bool = False,
    ) -> None:
        self._root = _Node()
        self._texts: dict[str, None] = {}
        self._endings = tuple(endings)
        self._spelt = _spelt(numerals) if numerals is not None else {}
        self._by_sound = orthography.is_by_sound
        self._is_loose = is_loose
        self.words: set[str] = set()  # every word of every phrase, by key
        for text, value in phrases:
            self.add(text, value, orthography)

    def find(self, words: Sequence[Word], start: int) -> Found:
        spans: list[Span] = []
        exact, close, at, pending = [self._root], list[_Node](), start, False
        while (exact or close) and at < len(words):
            plain, loans = _labels(words[at], self._endings)
            close = [m for n in close for label in (*plain, *loans) for m in n.more.get(label, ())]
            close += [m for n in exact for label in loans for m in n.more.get(label, ())]
            exact = [m for n in exact for label in plain for m in n.more.get(label, ())]
            at += 1
            if at == len(words):
                pending = any(node.more for node in (*exact, *close))
            # What only sounds like a name is none where something is called just so.
            values = dict.fromkeys(value for node in exact for value in node.values)
            values = values or dict.fromkeys(value for node in close for value in node.values)
            if values:
                spans.append(Span(at, _joined(list(values))))
        return Found(spans, pending) if spans or pending else NOTHING

    def samples(self) -> Sequence[str]:
        return list(self._texts)

    def add(self, text: str, value: Slot, orthography: Orthography) -> None:
        parts = orthography.split(text)
        if not parts:
            return
        self._texts[" ".join(self._spelt.get(part, (part,))[0] for part in parts)] = None
        node = self._root
        originals = text.split() if len(text.split()) == len(parts) else parts
        for part, original in zip(parts, originals, strict=True):
            key = part if part[0].isdecimal() else orthography.key(part)
            self.words.add(key)
            after = node.after(key)
            for label in self._spelt.get(key, ()):
                node.also(label, after)
            if self._by_sound:
                for label in self._sounds(part, original, len(parts) == 1, orthography):
                    node.also(label, after)
            node = after
        if value not in node.values:
            node.values.append(value)
        if self._is_loose and self._by_sound and 1 < len(parts) < 4 and "".join(parts).isascii():
            # "Tube Light" is one word where it is at home; of a "Hall Light" too little is heard.
            glued = sound_like(orthography.loan("".join(parts))[0])
            if len(glued) >= SHORTEST_GLUED:
                self._root.also(f"={glued}", node)

    def _sounds(
        self, part: str, original: str, is_alone: bool, orthography: Orthography
    ) -> Iterator[str]:
        """What else a word of a phrase may be found by, in a language that is read by sound."""
        key = orthography.key(part)
        # A noun whose last sound changes before an ending: தோட்டம், தோட்டத்தில்; விளக்கு, விளக்கை.
        if key.endswith("m") and len(key) > 3:
            yield key[:-1] if key.endswith("tm") else f"{key[:-1]}t"
        if key.endswith("u") and len(key) > 3:
            yield key[:-1]
        if not (part.isascii() and part.isalpha()):
            return
        spoken, loan = orthography.loan(original)
        yield spoken
        if self._is_loose and len(sound_like(spoken)) > 1:
            yield f"={sound_like(spoken)}"
        # "Fan" alone would be heard in every phone.
        is_sure = not is_alone or len(loan) > 2 or original.isupper()
        if self._is_loose and loan and is_sure:
            yield f"~{loan}"


def _spelt(numerals: Numerals) -> Mapping[str, Sequence[str]]:
    """The words for each number that is one word: "Plug 2" is spoken "plug two"."""
    found: dict[str, list[str]] = {}
    for keys, value in numerals.plain.items():
        if len(keys) == 1:
            found.setdefault(str(value), []).append(keys[0])
    return found


@lru_cache(20_000)
def _labels(word: Word, endings: tuple[str, ...]) -> tuple[Sequence[str], Sequence[str]]:
    """What a word may stand for in the tree: by its key, and by its consonants."""
    plain, loans = {word.key: None}, dict[str, None]()
    for ending in endings:
        if word.key.endswith(ending) and len(word.key) - len(ending) >= 2:
            plain[word.key[: -len(ending)]] = None
    if word.sound:
        loans[f"={word.sound}"] = None
        for ending in endings:
            bare = sound_like(ending)
            if bare and word.sound.endswith(bare) and len(word.sound) - len(bare) >= 2:
                loans[f"={word.sound[: -len(bare)]}"] = None
    if word.loan:
        loans[f"~{word.loan}"] = None
        for ending in endings:
            bare = consonants(ending)
            if bare and word.loan.endswith(bare) and len(word.loan) - len(bare) >= 2:
                loans[f"~{word.loan[: -len(bare)]}"] = None
    return tuple(plain), tuple(loans)


def _joined(values: Sequence[Slot]) -> Slot:
    """Things of the same name are told apart later: their ids come joined by a bar."""
    if len(values) == 1:
        return values[0]
    return "|".join(dict.fromkeys(part for value in values for part in str(value).split("|")))


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers between two bounds, in words or digits. Satisfies `Values`."""

    low: float
    high: float
    numerals: Numerals

    def find(self, words: Sequence[Word], start: int) -> Found:
        read = self.numerals.read(words, start)
        spans = [Span(s.end, _plain(s.value)) for s in read if self.low <= s.value <= self.high]
        return Found(spans, self._goes_on(words, start)) if spans else NOTHING

    def samples(self) -> Sequence[str]:
        whole = range(int(self.low), int(self.high) + 1)
        names: dict[int, str] = {}
        for keys, value in self.numerals.plain.items():
            names.setdefault(value, " ".join(keys))
        return [names[number] for number in whole if number in names]

    def _goes_on(self, words: Sequence[Word], start: int) -> bool:
        """Whether the text ends in a number that another word would make a larger one."""
        said = tuple(word.key for word in words[start:])
        return any(
            len(keys) > len(said) and keys[: len(said)] == said for keys in self.numerals.plain
        )


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def listed(values: object) -> Iterator[tuple[str, Slot]]:
    """The phrases of a list in a language's file: texts, or a mapping of a value to its phrases."""
    if isinstance(values, Mapping):
        for value, phrases in values.items():
            for phrase in phrases if isinstance(phrases, list) else [phrases]:
                yield str(phrase), value
    elif isinstance(values, list):
        for phrase in values:
            yield str(phrase), str(phrase)
    else:
        raise TypeError(f"a list is phrases, or values with their phrases; this is {values!r}")
