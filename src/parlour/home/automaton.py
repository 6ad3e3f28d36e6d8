"""A grammar as a finite automaton over words: is a text the beginning of a sentence, or all of one?

Recognising is hassil's work; it knows whole sentences only. To end a turn early one must know
of a partial whether anything may follow. So the parsed templates are compiled into an automaton
with empty moves, and sets of its states are followed word by word; each step is remembered, so
that after a few sentences a step is one look-up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    Sentence,
    TextChunk,
)
from hassil.intents import RangeSlotList, SlotList, TextSlotList

from parlour.home.numbers import in_words

State: TypeAlias = int
States: TypeAlias = frozenset[State]

MOST_REMEMBERED = 20_000  # steps; then memory starts anew


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the grammar a text leads."""

    alive: bool  # it is the beginning of a sentence
    whole: bool  # it is a sentence
    open: bool  # more words may follow


class Automaton:
    """Compiled once per house; `follow` costs microseconds."""

    def __init__(
        self,
        sentences: Iterable[Sentence],
        rules: Mapping[str, Sentence],
        lists: Mapping[str, SlotList],
    ) -> None:
        self._rules = rules
        self._lists = lists
        self._moves: list[dict[str, set[State]]] = []
        self._empty: list[set[State]] = []
        start, self._end = self._state(), self._state()
        for sentence in sentences:
            self._add(sentence.expression, start, self._end)
        self._steps: dict[tuple[States, str], States] = {}
        self._start = self._close({start})

    def follow(self, words: Sequence[str]) -> Position:
        states = self._start
        for word in words:
            states = self._step(states, word)
            if not states:
                return Position(alive=False, whole=False, open=False)
        return Position(
            alive=True,
            whole=self._end in states,
            open=any(self._moves[state] for state in states),
        )

    def _step(self, states: States, word: str) -> States:
        key = (states, word)
        known = self._steps.get(key)
        if known is None:
            reached: set[State] = set()
            for state in states:
                reached |= self._moves[state].get(word, set())
            known = self._close(reached)
            if len(self._steps) >= MOST_REMEMBERED:
                self._steps.clear()
            self._steps[key] = known
        return known

    def _close(self, states: set[State]) -> States:
        """Add what is reached without a word."""
        closed, waiting = set(states), list(states)
        while waiting:
            for state in self._empty[waiting.pop()]:
                if state not in closed:
                    closed.add(state)
                    waiting.append(state)
        return frozenset(closed)

    # ------------------------------------------------------------ compiling

    def _state(self) -> State:
        self._moves.append({})
        self._empty.append(set())
        return len(self._moves) - 1

    def _add(self, expression: Expression, start: State, end: State) -> None:
        match expression:
            case TextChunk(text=text):
                self._add_words(text.split(), start, end)
            case Permutation(items=[]):
                self._empty[start].add(end)
            case Permutation():
                for first, rest in expression.iterate_permutations():
                    middle = self._state()
                    self._add(first, start, middle)
                    self._add(rest, middle, end)
            case Alternative(items=items):
                for item in items:
                    self._add(item, start, end)
            case Group(items=items):
                for item in items:
                    middle = self._state()
                    self._add(item, start, middle)
                    start = middle
                self._empty[start].add(end)
            case RuleReference(rule_name=name):
                self._add(self._rules[name].expression, start, end)
            case ListReference(list_name=name):
                self._add_list(name, start, end)
            case _:
                raise TypeError(f"unknown template element {expression!r}")

    def _add_list(self, name: str, start: State, end: State) -> None:
        """Each use gets a copy of the list: one that is shared would lead out at every use."""
        values = self._lists[name]
        if isinstance(values, RangeSlotList):
            for number in values.get_numbers():
                for words in (in_words(int(number)).split(), [str(int(number))]):
                    self._add_words(words, start, end)
        elif isinstance(values, TextSlotList):
            for value in values.values:
                text = value.text_in
                if isinstance(text, TextChunk):
                    self._add_words(text.text.split(), start, end)
                else:
                    self._add(text.expression if isinstance(text, Sentence) else text, start, end)
        else:
            raise TypeError(f"the list {name} has no end, so no text could be said to be whole")

    def _add_words(self, words: Sequence[str], start: State, end: State) -> None:
        if not words:
            self._empty[start].add(end)
            return
        for word in words[:-1]:
            middle = self._state()
            self._moves[start].setdefault(word.casefold(), set()).add(middle)
            start = middle
        self._moves[start].setdefault(words[-1].casefold(), set()).add(end)
