"""What a sentence asks of the house: our own templates on partials and finals, in nine languages."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from parlour.home.automaton import Match, Reading
from parlour.home.entities import House
from parlour.home.language import LANGUAGES, Language, load
from parlour.home.meanings import MEANINGS, Sort
from parlour.home.resolve import OF_THE_HOME
from parlour.home.spans import Values
from parlour.home.vocabulary import MOST_MENDED, HouseWords, house_words, unglue
from parlour.home.words import Word
from parlour.ids import DeviceId
from parlour.ports import Judgement, Place, Verdict

LONGEST_WORDS = 40  # nobody commands a house in more; longer texts are not looked at
MOST_JOINED = 4  # commands of one breath
MOST_VERB = 4  # words of a verb that the second of two joined commands takes from the first
COLDEST = 8  # degrees that anybody sets a room to
MOST_LIKELY = 3  # names that a strange word may have been
LONGEST_REASON = 8  # words behind a command that only say why
REMEMBERED = 2_000  # judgements; partials repeat themselves

# More words may fill these without changing what a command of a known thing or place does.
_OF_PLACE = frozenset({"area", "area2", "floor", "here", "whole"})
_FURTHER = frozenset(
    {
        "but_name",
        "but_name2",
        "but_area",
        "but_area2",
        "but_kind",
        "area2",
        "kind2",
        "name2",
        "scale",
    }
)
_PAUSE = re.compile(r"(?<=\w)\s*[,;.!?।]\s+(?=\w)")
_NAMING = ("any", "any_kind", "area", "floor", "color")  # lists of what may be corrected
NOT_HOME = Judgement(Verdict.NONE)
UNFINISHED = Judgement(Verdict.INCOMPLETE)


class HouseGrammar:
    """Knows the names of one house; follows its revision by itself. Satisfies `ports.Grammar`."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._revision = -1
        self._readers: dict[str, _Reader] = {}

    def refresh(self, *languages: str) -> None:
        """Learn the names that the house has now: milliseconds.

        `judge` does so by itself when the revision has grown; who watches the house may do it
        beforehand, also in another thread.
        """
        revision = self._house.revision
        entities, places = list(self._house.entities.values()), self._house.places
        for code in {*self._readers, *(language[:2] for language in languages)} & {*LANGUAGES}:
            language = load(code)
            self._readers[code] = _Reader(language, house_words(language, entities, places))
        self._revision = revision

    def warm(self, *languages: str) -> None:
        """Compile languages and make a first judgement, before anybody waits for one."""
        self.refresh(*languages)
        place = Place(device=DeviceId(""))
        for language in languages:
            for words in load(language).kinds.values() if language[:2] in LANGUAGES else ():
                self.judge(str(words[0]), language, place)

    def judge(self, text: str, language: str, place: Place) -> Judgement:
        """Judge a partial or a final. The place does not matter here: it is resolve's affair."""
        code = language[:2]
        if code not in LANGUAGES:
            return NOT_HOME
        if self._house.revision != self._revision or code not in self._readers:
            self.refresh(code)
        return self._readers[code].judge(text)


@dataclass(frozen=True, slots=True)
class _Whole:
    """A whole command in one reading."""

    match: Match
    reading: Reading


class _Reader:
    """The grammar of a house as it was at one revision, in one language."""

    def __init__(self, language: Language, house: HouseWords) -> None:
        self._language = language
        self._house = house
        self._lists: Mapping[str, Values] = {**language.lists, **house.lists}
        self._known = (
            language.automaton.vocabulary
            | house.words
            | language.polite.anywhere
            | {key for p in (language.polite.before, language.polite.after) for w in p for key in w}
            | {key for p in (language.joins, language.corrects) for words in p for key in words}
        )
        self.judge = lru_cache(REMEMBERED)(self._judge)
        self._read = lru_cache(REMEMBERED)(self._read_words)

    def _judge(self, text: str) -> Judgement:
        words = self._words(text)
        if not words or len(words) > LONGEST_WORDS:
            return NOT_HOME
        judged = self._judge_words(words)
        if judged.intent:
            return judged
        if self._language.joins and _PAUSE.search(text):
            # What is written with a comma is said with a pause, in the place of an "and".
            paused = self._words(_PAUSE.sub(f" {self._language.join} ", text))
            joined = self._joined(self._language.polite.strip(paused), MOST_JOINED)
            if joined is not None and joined.intent:
                return self._without_reasons(joined)
        mended = (
            next(self._mended(words), None) or self._explained(words) or self._introduced(words)
        )
        if mended is None:
            return judged
        return replace(mended, verdict=Verdict.OPEN)

    def _without_reasons(self, joined: Judgement) -> Judgement:
        """ "Turn the AC off, I am freezing" says why, and does not ask for warmth."""
        clauses = [joined, *joined.then]
        asked = [c for c in clauses if MEANINGS[c.intent].sort is not Sort.CHANGE or c.slots]
        first, *rest = asked or clauses
        return replace(first, then=tuple(replace(each, then=()) for each in rest))

    def _words(self, text: str) -> list[Word]:
        words = self._language.orthography.words(text)
        return unglue(words, self._house) if self._language.code == "de" else words

    def _judge_words(self, words: Sequence[Word]) -> Judgement:
        core = self._language.polite.strip(words)
        plain = self._simple(core)
        if plain.intent:
            return plain
        further = self._joined(core, MOST_JOINED) or self._corrected(core)
        if further is not None:
            return further
        if plain.verdict is Verdict.INCOMPLETE or self._language.polite.is_beginning(words):
            return UNFINISHED
        return UNFINISHED if self._ends_politely(core) else NOT_HOME

    def _simple(self, words: Sequence[Word]) -> Judgement:
        """One command without joins and corrections."""
        return self._read(tuple(words))

    def _read_words(self, words: tuple[Word, ...]) -> Judgement:
        if not words:
            return NOT_HOME
        automaton = self._language.automaton
        reading = automaton.read(words, self._lists)
        if reading.whole:
            found = automaton.matches(words, self._lists, reading.whole)
            blocks = self._language.blocks
            best = max(
                found, key=lambda each: _preference(each, blocks[each.block].intent), default=None
            )
            if best is not None:
                verdict = Verdict.OPEN if self._may_change(best, reading) else Verdict.CLOSED
                return Judgement(verdict, self._language.blocks[best.block].intent, best.slots)
        return UNFINISHED if reading.alive else NOT_HOME

    def _may_change(self, match: Match, reading: Reading) -> bool:
        """Whether more words may make it another command.

        What is said in one breath with the command is not waited for: a second thing, or where
        the thing stands, unless that is needed to know which thing is meant.
        """
        blocks, slots = self._language.blocks, match.slots
        intent = blocks[match.block].intent
        if reading.unsure:
            return True
        if intent == "announce":  # whose words may be any
            return True
        others = {blocks[b].intent for b in reading.others if not blocks[b].runs_on} - {intent}
        # Of a question, more words ask the same or the contrary: the answer tells how things stand.
        if any(not (other.startswith("ask_") and intent.startswith("ask_")) for other in others):
            return True
        known = "name" in slots and "|" not in str(slots["name"])
        kind = str(slots.get("kind", MEANINGS[intent].kind))
        placed = known or kind in OF_THE_HOME or not _OF_PLACE.isdisjoint(slots)
        settled = _FURTHER | (_OF_PLACE if placed else frozenset()) | slots.keys()
        return bool(reading.slots - settled)

    def _ends_politely(self, words: Sequence[Word]) -> bool:
        """Whether a whole command is followed by "for", of "for me"."""
        return any(
            self._simple(words[:-count]).intent
            for count in self._language.polite.count_begun(words)
        )

    # ------------------------------------------------------------ more than one command

    def _joined(self, words: Sequence[Word], most: int) -> Judgement | None:
        """Two commands: each whole, or one of them without its verb. None: it is no such text."""
        unfinished = False
        for at, after in self._places_of(self._language.joins, words):
            left, right = words[:at], self._language.polite.strip(words[after:])
            if not left or most < 2:
                continue
            if not right:
                unfinished |= bool(self._simple(left).intent)
                continue
            first, second = self._halves(left, right, most)
            if first.intent and second.intent:
                verdict = second.verdict
                return replace(
                    first, verdict=verdict, then=(replace(second, then=()), *second.then)
                )
            unfinished |= second.verdict is Verdict.INCOMPLETE and (
                bool(first.intent) or first.verdict is Verdict.INCOMPLETE
            )
        return UNFINISHED if unfinished else None

    def _halves(
        self, left: Sequence[Word], right: Sequence[Word], most: int
    ) -> tuple[Judgement, Judgement]:
        first = self._either(left)
        second = self._either(right)
        if not second.intent:
            second = self._joined(right, most - 1) or second
        if first.intent and not second.intent:
            for count in range(MOST_VERB, 0, -1):
                borrowed = self._either([*left[:count], *right])
                if _are_of_a_sort(borrowed, first):
                    return first, borrowed
        if second.intent and not first.intent:
            for count in range(MOST_VERB, 0, -1):
                borrowed = self._either([*left, *right[-count:]])
                if _are_of_a_sort(borrowed, second):
                    return borrowed, second
        if not first.intent and not second.intent:  # "schließ die Haustür und die Nebentür ab"
            whole = self._either([*left, *right[-1:]])
            borrowed = self._either([*left[:1], *right])
            if whole.intent and borrowed.intent == whole.intent:
                return whole, borrowed
        return first, second

    def _either(self, words: Sequence[Word]) -> Judgement:
        """A command, corrected or not."""
        plain = self._simple(words)
        return plain if plain.intent else self._corrected(words) or plain

    # ------------------------------------------------------------ "the kitchen, no, the bedroom"

    def _corrected(self, words: Sequence[Word]) -> Judgement | None:
        """The command with what was taken back left out. None: nothing was taken back."""
        for at, after in self._places_of(self._language.corrects, words):
            left, right = words[:at], words[after:]
            if not self._names_something(left):
                continue
            if not right:
                return UNFINISHED if self._simple(left).verdict is not Verdict.NONE else None
            if not self._names_something(right):
                # "... no, wait, the", but not "do not turn it off, no, I am cold"
                if self._may_begin(left, right):
                    return UNFINISHED
                continue
            # What is taken back is as short as it can be, and names something.
            for keep in range(at - 1, -1, -1):
                if not self._names_something(left[keep:]):
                    continue
                said = self._simple([*left[:keep], *right])
                if not said.intent:
                    said = self._with_rest(left, keep, right)
                if said.intent:
                    return said
            if any(
                self._simple([*left[:k], *right]).verdict is not Verdict.NONE for k in range(at)
            ):
                return UNFINISHED
        return None

    def _may_begin(self, left: Sequence[Word], right: Sequence[Word]) -> bool:
        """Whether it may be the beginning of what is said instead."""
        return any(
            self._simple([*left[:keep], *right]).verdict is Verdict.INCOMPLETE
            for keep in range(1, len(left))
        )

    def _with_rest(self, left: Sequence[Word], keep: int, right: Sequence[Word]) -> Judgement:
        """ "Turn the kitchen, no, the bedroom light on" keeps what stood after the wrong word."""
        for end in range(keep + 1, len(left)):
            said = self._simple([*left[:keep], *right, *left[end:]])
            if said.intent and self._names_something(left[keep:end]):
                return said
        return NOT_HOME

    def _names_something(self, words: Sequence[Word]) -> bool:
        return any(
            self._language.numerals.read(words, at)
            or any(self._lists[name].find(words, at).spans for name in _NAMING)
            for at in range(len(words))
        )

    # ------------------------------------------------------------ "..., I am going to bed"

    def _explained(self, words: Sequence[Word]) -> Judgement | None:
        """A command with its reason behind it. None: the rest may be anything."""
        reasons = self._language.reasons
        for count in range(len(words) - 2, 1, -1):
            rest = words[count:]
            keys = [word.key for word in rest]
            if len(rest) > LONGEST_REASON or not reasons.may_follow(
                keys, is_foreign=self._is_foreign(rest)
            ):
                continue
            judged = self._judge_words(words[:count])
            if judged.intent and MEANINGS[judged.intent].sort in (Sort.ACT, Sort.SET, Sort.CHANGE):
                return judged
        return None

    def _is_foreign(self, words: Sequence[Word]) -> bool:
        return any(map(self._is_strange, words)) and not self._names_something(words)

    def _introduced(self, words: Sequence[Word]) -> Judgement | None:
        """A command with its reason before it: "it is getting dark, turn on the lights"."""
        reasons = self._language.reasons
        for count in range(2, min(LONGEST_REASON + 1, len(words) - 1)):
            if not reasons.may_lead([word.key for word in words[:count]]):
                continue
            judged = self._judge_words(words[count:])
            if judged.intent and MEANINGS[judged.intent].sort in (Sort.ACT, Sort.SET, Sort.CHANGE):
                return judged
        return None

    # ------------------------------------------------------------ what was misheard

    def _mended(self, words: Sequence[Word]) -> Iterator[Judgement]:
        """Commands in which names that were nearly right are put right."""
        for other in self._respelt(words):
            judged = self._judge_words(other)
            if judged.intent:
                yield judged

    def _respelt(self, words: Sequence[Word]) -> Iterator[Sequence[Word]]:
        for at in range(len(words) - 1):
            glued = words[at].key + words[at + 1].key
            if glued in self._house.words:  # "bed room"
                yield [*words[:at], Word(glued, glued), *words[at + 2 :]]
        strange = [at for at, word in enumerate(words) if self._is_strange(word)]
        if not 0 < len(strange) <= MOST_MENDED:
            return
        choices = [self._house.nearest(words[at])[:MOST_LIKELY] for at in strange]
        if not all(choices):
            return
        for first in choices[0]:
            for rest in choices[1] if len(choices) > 1 else [""]:
                other = list(words)
                for at, key in zip(strange, (first, rest), strict=False):
                    other[at] = Word(key, key)
                yield other

    def _is_strange(self, word: Word) -> bool:
        if word.number is not None or word.key in self._known:
            return False
        return not any(
            word.key.endswith(e) and word.key[: -len(e)] in self._known
            for e in self._language.endings
        )

    @staticmethod
    def _places_of(
        phrases: Sequence[Sequence[str]], words: Sequence[Word]
    ) -> Iterator[tuple[int, int]]:
        """Where one of the phrases stands, the longest first at each place."""
        keys = [word.key for word in words]
        for at in range(1, len(keys)):
            for phrase in phrases:
                if keys[at : at + len(phrase)] == phrase:
                    yield at, at + len(phrase)
                    break


def _are_of_a_sort(one: Judgement, other: Judgement) -> bool:
    """ "Hall light off and kitchen light on" share their noun; a question and a command nothing."""
    return bool(one.intent) and MEANINGS[one.intent].sort is MEANINGS[other.intent].sort


def _preference(match: Match, intent: str) -> tuple[bool, bool, int]:
    """What can be meant; a thing by its own name before all of its kind; the most literal.

    In some languages "two degrees up" and "up to two degrees" differ by a word that may be left
    out: nobody wants two degrees.
    """
    to = match.slots.get("temperature", COLDEST)
    is_likely = intent != "set_temperature" or not isinstance(to, int | float) or to >= COLDEST
    return is_likely, match.named > 0, match.literal
