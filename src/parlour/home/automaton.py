"""A grammar as finite automata over words and lists: what a text is, and whether it may go on.

hassil parses the templates; this compiles them. A list of names, kinds or numbers is one move of
an automaton, which a `Values` makes over as many words as it finds; a large rule is one move too,
made by an automaton of its own. So the grammar knows nothing of a house: it is compiled once per
language, and a device that appears costs only its own words. Sets of states are followed through
the text, and each step is remembered.

A block is a set of templates that mean the same but for what their lists hold. Hence the rule for
"may go on": more words change the meaning if one of them comes from a list, or if they lead to
the end of another block.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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

from parlour.home.spans import Found, Span, Values
from parlour.home.words import Word
from parlour.ports import Slot

State: TypeAlias = int
States: TypeAlias = frozenset[State]
Block: TypeAlias = int

MOST_REMEMBERED = 20_000  # steps of one automaton; then memory starts anew
LARGE = 10  # parts of a rule from which on it gets an automaton of its own
NAMES = frozenset({"name", "name2"})
NO_BLOCK: Block = -1  # of the states of a rule


@dataclass(frozen=True, slots=True)
class Move:
    """Over the words that a list holds (`slot` takes the value), or that a rule makes (no slot)."""

    name: str
    slot: str
    to: State


@dataclass(frozen=True, slots=True)
class Reading:
    """What the automaton makes of a text."""

    alive: bool  # it is the beginning of a sentence
    whole: frozenset[Block]  # it is a sentence of these blocks
    others: frozenset[Block] = frozenset()  # more words may make it one of these
    slots: frozenset[str] = frozenset()  # more words may fill these, in the blocks it is of now
    unsure: bool = False  # it ends with a name or a number that more words would make another
    reached: int = 0  # words after which it was still the beginning of something


@dataclass(frozen=True, slots=True)
class Match:
    """One way to read a text as a sentence of a block."""

    block: Block
    slots: Mapping[str, Slot]
    named: int  # how many slots hold the name of a thing
    literal: int  # how many words are the template's own


@dataclass(frozen=True, slots=True)
class _Path:
    worth: tuple[int, int] = (0, 0)  # names, words of the template's own
    slots: tuple[tuple[str, Slot], ...] = ()

    def word(self) -> "_Path":
        return _Path((self.worth[0], self.worth[1] + 1), self.slots)

    def value(self, slot: str, span: Span, said: str) -> "_Path":
        named = self.worth[0] + (slot in NAMES)
        slots = (*self.slots, (slot, span.value))
        # The word for a kind tells things of that kind apart: "the radiator" is a thermostat, too.
        also = (("noun", said),) if slot == "kind" else ()
        return _Path((named, self.worth[1]), (*slots, *also))

    def then(self, other: "_Path") -> "_Path":
        worth = self.worth[0] + other.worth[0], self.worth[1] + other.worth[1]
        return _Path(worth, self.slots + other.slots)


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where a move may lead from a place of the text."""

    ends: frozenset[int] = frozenset()
    goes_on: bool = False  # the text ends within it
    slots: frozenset[str] = frozenset()  # that more words may fill
    unsure: bool = False


class Machine:
    """One automaton: that of the sentences, or that of a rule."""

    def __init__(self) -> None:
        self.words: list[dict[str, list[State]]] = []
        self.moves: list[list[Move]] = []
        self.empty: list[list[State]] = []
        self.block: list[Block] = []
        self.ends: dict[State, Block] = {}
        self.starts: dict[Block, State] = {}
        self._begin: States | None = None
        self._steps: dict[tuple[States, str], States] = {}
        self._targets: dict[
            States, Sequence[tuple[str, Mapping[Block, frozenset[str]], States]]
        ] = {}
        self._onward: dict[States, Mapping[Block, frozenset[str]]] = {}

    def add_block(self, block: Block) -> tuple[State, State]:
        start, end = self.state(block), self.state(block)
        self.starts[block] = start
        self.ends[end] = block
        return start, end

    def state(self, block: Block) -> State:
        self.words.append({})
        self.moves.append([])
        self.empty.append([])
        self.block.append(block)
        return len(self.words) - 1

    def begin(self) -> States:
        """The states before the first word."""
        if self._begin is None:
            self._begin = self.close(set(self.starts.values()))
        return self._begin

    def step(self, states: States, word: str) -> States:
        key = (states, word)
        known = self._steps.get(key)
        if known is None:
            known = self.close({to for state in states for to in self.words[state].get(word, ())})
            if len(self._steps) >= MOST_REMEMBERED:
                self._steps.clear()
            self._steps[key] = known
        return known

    def targets(
        self, states: States
    ) -> Sequence[tuple[str, Mapping[Block, frozenset[str]], States]]:
        """The lists and rules that may come next: their slots by block, and where they lead."""
        known = self._targets.get(states)
        if known is None:
            slots: dict[str, dict[Block, set[str]]] = {}
            led: dict[str, set[State]] = {}
            for state in states:
                for move in self.moves[state]:
                    filled = slots.setdefault(move.name, {}).setdefault(self.block[state], set())
                    if move.slot:
                        filled.add(move.slot)
                    led.setdefault(move.name, set()).add(move.to)
            known = [
                (name, {b: frozenset(s) for b, s in slots[name].items()}, self.close(to))
                for name, to in led.items()
            ]
            if len(self._targets) >= MOST_REMEMBERED:
                self._targets.clear()
            self._targets[states] = known
        return known

    def close(self, states: set[State]) -> States:
        """Add what is reached without a word."""
        waiting = list(states)
        while waiting:
            for state in self.empty[waiting.pop()]:
                if state not in states:
                    states.add(state)
                    waiting.append(state)
        return frozenset(states)

    def onward(
        self, states: States, rules: Mapping[str, "Machine"]
    ) -> Mapping[Block, frozenset[str]]:
        """The blocks that more words may lead to the end of, and the slots these may fill."""
        known = self._onward.get(states)
        if known is None:
            moving: dict[Block, list[State]] = {}
            for state in states:
                if self.words[state] or self.moves[state]:
                    moving.setdefault(self.block[state], []).append(state)
            known = {b: frozenset(self._slots_after(s, rules)) for b, s in moving.items()}
            if len(self._onward) >= MOST_REMEMBERED:
                self._onward.clear()
            self._onward[states] = known
        return known

    def _slots_after(
        self, states: Sequence[State], rules: Mapping[str, "Machine"]
    ) -> Iterator[str]:
        seen, waiting = set(states), list(states)
        while waiting:
            at = waiting.pop()
            targets = [to for led in self.words[at].values() for to in led]
            for move in self.moves[at]:
                if move.slot:
                    yield move.slot
                else:
                    inner = rules[move.name]
                    for slots in inner.onward(inner.begin(), rules).values():
                        yield from slots
                targets.append(move.to)
            for to in (*targets, *self.empty[at]):
                if to not in seen:
                    seen.add(to)
                    waiting.append(to)


class Automaton:
    """`keys` splits a text of a template into the keys of its words."""

    def __init__(
        self,
        blocks: Sequence[Sequence[Sentence]],
        rules: Mapping[str, Sentence],
        keys: Callable[[str], Sequence[str]],
    ) -> None:
        self._sources = rules
        self._keys = keys
        self._sizes: dict[str, int] = {}
        self._empty_rules: dict[str, bool] = {}  # whether they may be nothing at all
        self.rules: dict[str, Machine] = {}
        self.main = Machine()
        for block, sentences in enumerate(blocks):
            start, end = self.main.add_block(block)
            for sentence in sentences:
                self._add(self.main, sentence.expression, start, end, block)
        self._sources = {}
        machines = (self.main, *self.rules.values())
        self.vocabulary = frozenset(w for m in machines for moves in m.words for w in moves)

    def __len__(self) -> int:
        """How many states there are."""
        return sum(len(machine.words) for machine in (self.main, *self.rules.values()))

    def read(self, words: Sequence[Word], lists: Mapping[str, Values]) -> Reading:
        text = _Text(words, lists, self.rules)
        chart, going = text.follow(self.main, 0)
        reached = max(at for at, states in enumerate(chart) if states)
        last = chart[-1]
        if not last and not going.blocks:
            return Reading(alive=False, whole=frozenset(), reached=reached)
        whole = frozenset(self.main.ends[state] for state in last if state in self.main.ends)
        onward = self.main.onward(frozenset(last), self.rules) if last else {}
        others = (onward.keys() | going.blocks.keys()) - whole
        slots = frozenset(
            slot for filled in (onward, going.blocks) for b in whole for slot in filled.get(b, ())
        )
        return Reading(True, whole, frozenset(others), slots, going.unsure, reached)

    def matches(
        self, words: Sequence[Word], lists: Mapping[str, Values], whole: frozenset[Block]
    ) -> Iterator[Match]:
        """The best way to read the text as a sentence of each of some blocks."""
        text = _Text(words, lists, self.rules)
        for block in sorted(whole):
            path = text.paths(self.main, block, 0).get(len(words))
            if path is not None:
                yield Match(block, dict(path.slots), *path.worth)

    # ------------------------------------------------------------ compiling

    def _add(
        self, net: Machine, expression: Expression, start: State, end: State, block: Block
    ) -> None:
        match expression:
            case TextChunk(original_text=text):
                self._add_words(net, self._keys(text), start, end, block)
            case Permutation():
                self._add_orders(net, expression, start, end, block)
            case Alternative(items=items):
                for item in items:
                    self._add(net, item, start, end, block)
            case Group(items=items):
                for item in items:
                    middle = net.state(block)
                    self._add(net, item, start, middle, block)
                    start = middle
                net.empty[start].append(end)
            case RuleReference(rule_name=name) if self._size(name) < LARGE:
                self._add(net, self._sources[name].expression, start, end, block)
            case RuleReference(rule_name=name):
                net.moves[start].append(Move(self._compile(name), "", end))
                if self._may_be_nothing(self._sources[name].expression):
                    net.empty[start].append(end)
            case ListReference(list_name=name, slot_name=slot):
                net.moves[start].append(Move(name, slot, end))
            case _:
                raise TypeError(f"unknown template element {expression!r}")

    def _add_words(
        self, net: Machine, keys: Sequence[str], start: State, end: State, block: Block
    ) -> None:
        for key in keys:
            middle = net.state(block)
            net.words[start].setdefault(key, []).append(middle)
            start = middle
        net.empty[start].append(end)

    def _add_orders(
        self, net: Machine, expression: Permutation, start: State, end: State, block: Block
    ) -> None:
        if not expression.items:
            net.empty[start].append(end)
            return
        for first, rest in expression.iterate_permutations():
            middle = net.state(block)
            self._add(net, first, start, middle, block)
            self._add(net, rest, middle, end, block)

    def _compile(self, name: str) -> str:
        """Make the automaton of a rule; return its name, which is no list's."""
        own = f"<{name}>"
        if own not in self.rules:
            machine = self.rules[own] = Machine()
            start, end = machine.add_block(NO_BLOCK)
            self._add(machine, self._sources[name].expression, start, end, NO_BLOCK)
        return own

    def _size(self, rule: str) -> int:
        if rule not in self._sizes:
            self._sizes[rule] = self._count(self._sources[rule].expression)
        return self._sizes[rule]

    def _count(self, expression: Expression) -> int:
        match expression:
            case TextChunk(original_text=text):
                return len(text.split())
            case RuleReference(rule_name=name):
                return min(self._size(name), LARGE)
            case Alternative(items=items) | Group(items=items):
                return sum(self._count(item) for item in items)
            case _:
                return 1

    def _may_be_nothing(self, expression: Expression) -> bool:
        match expression:
            case TextChunk(original_text=text):
                return not text.strip()
            case RuleReference(rule_name=name):
                if name not in self._empty_rules:
                    self._empty_rules[name] = self._may_be_nothing(self._sources[name].expression)
                return self._empty_rules[name]
            case Alternative(items=items):
                return any(self._may_be_nothing(item) for item in items)
            case Group(items=items):
                return all(self._may_be_nothing(item) for item in items)
            case _:
                return False


@dataclass(slots=True)
class _Going:
    """What the text ends in the middle of: the blocks that it may become, and the slots."""

    blocks: dict[Block, frozenset[str]] = field(default_factory=dict)
    unsure: bool = False

    def add(self, slots: Mapping[Block, frozenset[str]], led: _Ends) -> None:
        for block, filled in slots.items():
            self.blocks[block] = self.blocks.get(block, frozenset()) | filled | led.slots
        self.unsure |= led.unsure


class _Text:
    """One text being read; each list and each rule is asked once for each place."""

    def __init__(
        self, words: Sequence[Word], lists: Mapping[str, Values], rules: Mapping[str, Machine]
    ) -> None:
        self._words = words
        self._lists = lists
        self._rules = rules
        self._found: dict[tuple[str, int], Found] = {}
        self._ends: dict[tuple[str, int], _Ends] = {}
        self._paths: dict[tuple[str, int], Mapping[int, _Path]] = {}

    def follow(self, net: Machine, start: int) -> tuple[list[set[State]], _Going]:
        """The states that each count of words leads to."""
        words = self._words
        chart: list[set[State]] = [set() for _ in range(len(words) + 1)]
        chart[start].update(net.begin())
        going = _Going()
        for at in range(start, len(words)):
            if not chart[at]:
                continue
            states = frozenset(chart[at])
            chart[at + 1] |= net.step(states, words[at].key)
            for name, slots, targets in net.targets(states):
                led = self._lead(name, at)
                if led.goes_on:
                    going.add(slots, led)
                for end in led.ends:
                    if end > at:
                        chart[end] |= targets
        return chart, going

    def paths(self, net: Machine, block: Block, start: int) -> Mapping[int, _Path]:
        """The best path to the end of a block by where it ends: names first, then its own words."""
        words = self._words
        best: list[dict[State, _Path]] = [{} for _ in range(len(words) + 1)]

        def reach(at: int, state: State, path: _Path) -> None:
            known = best[at].get(state)
            if known is not None and known.worth >= path.worth:
                return
            best[at][state] = path
            for to in net.empty[state]:
                reach(at, to, path)

        reach(start, net.starts[block], _Path())
        for at in range(start, len(words)):
            for state, path in list(best[at].items()):
                for to in net.words[state].get(words[at].key, ()):
                    reach(at + 1, to, path.word())
                for move in net.moves[state]:
                    for end, more in self._move(move, at):
                        if end > at:
                            reach(end, move.to, path.then(more))
        ends = [state for state, of in net.ends.items() if of == block]
        return {at: paths[s] for at, paths in enumerate(best) for s in ends if s in paths}

    def _move(self, move: Move, at: int) -> Iterator[tuple[int, _Path]]:
        if move.slot:
            for span in self._find(move.name, at).spans:
                said = " ".join(word.text for word in self._words[at : span.end])
                yield span.end, _Path().value(move.slot, span, said)
        else:
            key = (move.name, at)
            if key not in self._paths:
                self._paths[key] = self.paths(self._rules[move.name], NO_BLOCK, at)
            yield from self._paths[key].items()

    def _find(self, name: str, at: int) -> Found:
        key = (name, at)
        if key not in self._found:
            self._found[key] = self._lists[name].find(self._words, at)
        return self._found[key]

    def _lead(self, name: str, at: int) -> _Ends:
        key = (name, at)
        known = self._ends.get(key)
        if known is None:
            rule = self._rules.get(name)
            known = self._ends[key] = (
                self._of_list(name, at) if rule is None else self._of(rule, at)
            )
        return known

    def _of_list(self, name: str, at: int) -> _Ends:
        found = self._find(name, at)
        ends = frozenset(span.end for span in found.spans)
        is_last = found.pending and len(self._words) in ends
        return _Ends(ends, found.pending, frozenset(), is_last)

    def _of(self, rule: Machine, at: int) -> _Ends:
        chart, going = self.follow(rule, at)
        (end,) = rule.ends
        ends = frozenset(place for place, states in enumerate(chart) if end in states)
        last = frozenset(chart[-1])
        onward = rule.onward(last, self._rules) if last else {}
        slots = onward.get(NO_BLOCK, frozenset()) | going.blocks.get(NO_BLOCK, frozenset())
        goes_on = bool(going.blocks) or bool(onward)
        return _Ends(ends, goes_on, slots, going.unsure)
