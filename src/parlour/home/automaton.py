"""A grammar as a finite automaton over words: is a text the beginning of a sentence, or all of one?

Recognising is hassil's work; it knows whole sentences only. To end a turn early one must know
of a partial whether anything may follow that makes it mean something else. So the parsed
templates are compiled into an automaton with empty moves, and sets of its states are followed
word by word; each step is remembered, so that after a few sentences a step is one look-up.

A block is a set of templates that mean the same but for what their lists hold. Hence the rule for
"something else": more words change the meaning if one of them comes from a list, or if they lead
to the end of another block.
"""

from collections.abc import Iterator, Mapping, Sequence
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
Block: TypeAlias = int

MOST_REMEMBERED = 20_000  # steps; then memory starts anew


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the grammar a text leads: nowhere, into sentences, to the end of some."""

    alive: bool  # it is the beginning of a sentence
    whole: frozenset[Block]  # it is a sentence of these blocks
    onward: frozenset[Block]  # more words may follow and change what it means: to end in these


NOWHERE = Position(alive=False, whole=frozenset(), onward=frozenset())


class Automaton:
    """Compiled once per house; `follow` costs microseconds."""

    def __init__(
        self,
        blocks: Sequence[Sequence[Sentence]],
        rules: Mapping[str, Sentence],
        lists: Mapping[str, SlotList],
    ) -> None:
        self._rules = rules
        self._lists = {name: list(_spoken(values, name)) for name, values in lists.items()}
        self._moves: list[dict[str, list[State]]] = []  # by a word
        self._empty: list[list[State]] = []  # by no word
        self._block: list[Block] = []  # to which a state belongs
        self._in_list: set[State] = set()  # states that a word of a list leads to
        self._making: Block = -1
        start = self._state()
        self._ends: dict[State, Block] = {}
        for block, sentences in enumerate(blocks):
            self._making = block
            end = self._state()
            self._ends[end] = block
            for sentence in sentences:
                if self._can_be_said(sentence.expression):
                    self._add(sentence.expression, start, end)
        self._steps: dict[tuple[States, str], States] = {}
        self._positions: dict[States, Position] = {}
        self._start = self._close({start})

    def __len__(self) -> int:
        """How many states there are."""
        return len(self._moves)

    def follow(self, words: Sequence[str]) -> Position:
        states = self._start
        for word in words:
            states = self._step(states, word)
            if not states:
                return NOWHERE
        known = self._positions.get(states)
        if known is None:
            known = self._look_ahead(states)
            if len(self._positions) >= MOST_REMEMBERED:
                self._positions.clear()
            self._positions[states] = known
        return known

    def _step(self, states: States, word: str) -> States:
        key = (states, word)
        known = self._steps.get(key)
        if known is None:
            known = self._close({to for state in states for to in self._moves[state].get(word, ())})
            if len(self._steps) >= MOST_REMEMBERED:
                self._steps.clear()
            self._steps[key] = known
        return known

    def _close(self, states: set[State]) -> States:
        """Add what is reached without a word."""
        waiting = list(states)
        while waiting:
            for state in self._empty[waiting.pop()]:
                if state not in states:
                    states.add(state)
                    waiting.append(state)
        return frozenset(states)

    def _look_ahead(self, states: States) -> Position:
        whole = frozenset(self._ends[state] for state in states if state in self._ends)
        onward: set[Block] = set()
        for state in states if whole else ():
            block = self._block[state]
            if block in onward or not self._moves[state]:
                continue
            if block not in whole or self._reaches_list(state):
                onward.add(block)
        return Position(alive=True, whole=whole, onward=frozenset(onward))

    def _reaches_list(self, state: State) -> bool:
        seen, waiting = {state}, [state]
        while waiting:
            at = waiting.pop()
            for targets in (*self._moves[at].values(), self._empty[at]):
                for to in targets:
                    if to in self._in_list:
                        return True
                    if to not in seen:
                        seen.add(to)
                        waiting.append(to)
        return False

    # ------------------------------------------------------------ compiling

    def _state(self) -> State:
        self._moves.append({})
        self._empty.append([])
        self._block.append(self._making)
        return len(self._moves) - 1

    def _can_be_said(self, expression: Expression) -> bool:
        """A house without covers has no names of covers; templates that need one lead nowhere."""
        match expression:
            case Alternative(items=items):
                return any(self._can_be_said(item) for item in items)
            case Group(items=items):
                return all(self._can_be_said(item) for item in items)
            case RuleReference(rule_name=name):
                return self._can_be_said(self._rules[name].expression)
            case ListReference(list_name=name):
                return bool(self._lists[name])
            case _:
                return True

    def _add(self, expression: Expression, start: State, end: State) -> None:
        match expression:
            case TextChunk(text=text):
                self._add_words(text.casefold().split(), start, end)
            case Permutation(items=[]):
                self._empty[start].append(end)
            case Permutation():
                for first, rest in expression.iterate_permutations():
                    middle = self._state()
                    self._add(first, start, middle)
                    self._add(rest, middle, end)
            case Alternative(items=items):
                for item in items:
                    if self._can_be_said(item):
                        self._add(item, start, end)
            case Group(items=items):
                for item in items:
                    middle = self._state()
                    self._add(item, start, middle)
                    start = middle
                self._empty[start].append(end)
            case RuleReference(rule_name=name):
                self._add(self._rules[name].expression, start, end)
            case ListReference(list_name=name):
                self._add_list(name, start, end)
            case _:
                raise TypeError(f"unknown template element {expression!r}")

    def _add_words(self, words: Sequence[str], start: State, end: State) -> None:
        for word in words:
            middle = self._state()
            self._moves[start].setdefault(word, []).append(middle)
            start = middle
        self._empty[start].append(end)

    def _add_list(self, name: str, start: State, end: State) -> None:
        """Hang the values of a list between two states, as a tree of words with one way out.

        Each use gets a copy of the list: one that is shared would lead out at every use.
        """
        out = self._state()
        self._in_list.add(out)
        self._empty[out].append(end)
        tree: dict[tuple[State, str], State] = {}
        for words in self._lists[name]:
            at = start
            for word in words[:-1]:
                to = tree.get((at, word))
                if to is None:
                    to = tree[at, word] = self._state()
                    self._in_list.add(to)
                    self._moves[at].setdefault(word, []).append(to)
                at = to
            self._moves[at].setdefault(words[-1], []).append(out)


def _spoken(values: SlotList, name: str) -> Iterator[list[str]]:
    if isinstance(values, RangeSlotList):
        for number in values.get_numbers():
            yield in_words(int(number)).replace(" and ", " ").split()
            yield [str(int(number))]
    elif isinstance(values, TextSlotList):
        for value in values.values:
            if not isinstance(value.text_in, TextChunk):
                raise TypeError(f"the list {name} holds a template; only plain words are known")
            yield value.text_in.text.casefold().split()
    else:
        raise TypeError(f"the list {name} has no end, so no text could be said to be whole")
