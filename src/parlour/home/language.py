"""A language as Parlour speaks it: its file of templates, compiled."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

import yaml
from hassil.parse_expression import parse_sentence

from parlour.home.automaton import Automaton
from parlour.home.kinds import VIEWS
from parlour.home.numerals import Numerals, make_numerals
from parlour.home.spans import Found, Phrases, Range, Span, Values, listed
from parlour.home.words import Orthography, Word

LANGUAGES = ("en", "de", "hi", "ml", "mr", "ta", "te", "bn", "gu")
MOST_AFTER = 4  # words of a reason that are not known
LONGEST_NAME = 4  # words of a name that somebody makes up: "the chicken in the oven"

_OF_VIEW = re.compile(r"<(\w+)\.(\w+)>")


@dataclass(frozen=True, slots=True)
class Block:
    """Templates of one meaning. What runs on is said in one breath with the command before it."""

    intent: str
    templates: Sequence[str]
    runs_on: bool = False


@dataclass(frozen=True, slots=True)
class Polite:
    """Politeness and hesitation: they neither make a command nor break one."""

    before: Sequence[Sequence[str]]
    after: Sequence[Sequence[str]]
    anywhere: frozenset[str]

    def strip(self, words: Sequence[Word]) -> list[Word]:
        """Take them off both ends; what remains of "could you please" is nothing."""
        left = [word for word in words if word.key not in self.anywhere]
        keys = [word.key for word in left]
        start, end = 0, len(keys)
        while before := next((p for p in self.before if keys[start : start + len(p)] == p), None):
            start += len(before)
        while after := next(
            (p for p in self.after if end - len(p) >= start and keys[end - len(p) : end] == p), None
        ):
            end -= len(after)
        return left[start:end]

    def is_beginning(self, words: Sequence[Word]) -> bool:
        """Whether all that was said is "could you please would", of "would you"."""
        keys = [word.key for word in words if word.key not in self.anywhere]
        while keys:
            if any(keys == list(phrase[: len(keys)]) for phrase in self.before):
                return True
            before = next((p for p in self.before if keys[: len(p)] == p), None)
            if before is None:
                return False
            del keys[: len(before)]
        return True

    def count_begun(self, words: Sequence[Word]) -> Iterator[int]:
        """How many of the last words may be the beginning of a polite phrase."""
        keys = [word.key for word in words]
        for phrase in self.after:
            for count in range(1, len(phrase)):
                if keys[-count:] == list(phrase[:count]):
                    yield count


@dataclass(frozen=True, slots=True)
class Reasons:
    """What people add to a command to say why: "turn on the fan, it is hot".

    It begins with one of `starts`, or ends with one of `ends`, and holds none of `never`: no
    negation, no condition, nothing about what somebody said. Before a command it must be over:
    after one of `unfinished`, "I am going to ...", what follows belongs to it.
    """

    starts: Sequence[Sequence[str]]
    ends: frozenset[str]
    never: frozenset[str]
    unfinished: frozenset[str]
    verb_last: bool = False  # so that a sentence is over when its verb was said

    def may_lead(self, keys: Sequence[str]) -> bool:
        """Whether it may be a reason that stands before a command."""
        if not self.never.isdisjoint(keys) or keys[-1] in self.unfinished:
            return False
        return keys[-1] in self.ends or (not self.verb_last and self._begins(keys))

    def may_follow(self, keys: Sequence[str], *, is_foreign: bool) -> bool:
        """Whether it may be a reason that stands behind a command.

        Where the verb comes last, the command is over with it: a few words may follow of which
        some are nobody's (`is_foreign`), and none names a thing of the house.
        """
        if not self.never.isdisjoint(keys):
            return False
        is_short = self.verb_last and is_foreign and len(keys) <= MOST_AFTER
        return is_short or keys[-1] in self.ends or self._begins(keys)

    def _begins(self, keys: Sequence[str]) -> bool:
        return any(list(keys[: len(start)]) == start for start in self.starts)


@dataclass(frozen=True, slots=True)
class Wild:
    """Words that are nobody's: the name of a timer, a message. Satisfies `Values`."""

    most: int
    never: frozenset[str] = frozenset()

    def find(self, words: Sequence[Word], start: int) -> Found:
        spans = []
        for end in range(start + 1, min(len(words), start + self.most) + 1):
            if words[end - 1].key in self.never:
                break
            spans.append(Span(end, " ".join(word.text for word in words[start:end])))
        return Found(spans)

    def samples(self) -> Sequence[str]:
        return ()


@dataclass(frozen=True, slots=True)
class Language:
    """Everything that the grammar needs to know of one language; a house is not in it."""

    code: str
    orthography: Orthography
    polite: Polite
    numerals: Numerals
    blocks: Sequence[Block]
    rules: Mapping[str, str]
    automaton: Automaton
    lists: Mapping[str, Values]  # those that no house changes
    kinds: Mapping[str, Sequence[str]]  # words by kind
    modes: Mapping[str, Sequence[str]]  # words by mode, as devices call it
    places: Mapping[str, Sequence[str]]
    endings: Sequence[str]
    join: str  # "and", as it is written
    joins: Sequence[Sequence[str]]
    corrects: Sequence[Sequence[str]]
    reasons: Reasons
    yes: frozenset[str]
    no: frozenset[str]
    usual: Sequence[str] = ()  # templates


@cache
def load(code: str) -> Language:
    """Read and compile a language: "en", or "hi_IN". A few hundred milliseconds, once."""
    return _compile(code[:2], read(code[:2]))


@cache
def read(code: str) -> Mapping[str, Any]:
    """The file of a language; what it `extends` comes first, then its own."""
    source = files("parlour.home").joinpath(f"sentences/{code}.yaml").read_text(encoding="utf-8")
    data = read_yaml(source)
    if base := data.get("extends"):
        return _merged(read(str(base)), data)
    return data


def read_yaml(text: str) -> dict[str, Any]:
    """A file of a language: words stay words, "on" and "no" too."""
    data: dict[str, Any] = yaml.load(text, Loader=_Loader)
    return data


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Without YAML's own idea that "on", "off", "yes" and "no" are no words."""

    yaml_implicit_resolvers: ClassVar = {
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(base)
    for key, value in own.items():
        before = made.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            made[key] = _merged(before, value)
        elif isinstance(before, list) and isinstance(value, list) and key not in _REPLACED:
            made[key] = [*before, *value]
        else:
            made[key] = value
    return made


_REPLACED = frozenset({"yes", "no"})


def _compile(code: str, data: Mapping[str, Any]) -> Language:
    forms = [(re.compile(form), spelt) for form, spelt in data.get("forms", {}).items()]
    orthography = Orthography(code, data.get("signs", {}), forms)

    def keys(text: str) -> list[str]:
        return [word.key for word in orthography.words(text)]

    def phrases(name: str) -> list[list[str]]:
        return sorted((keys(text) for text in data.get(name, [])), key=len, reverse=True)

    numerals = make_numerals(data["numbers"], orthography)
    endings = sorted({orthography.key(e) for e in data.get("endings", [])}, key=len, reverse=True)
    rules = _expand(data)
    blocks = [
        Block(name.rstrip("+"), templates, name.endswith("+"))
        for name, templates in rules.blocks.items()
        if templates
    ]
    # The trees that hassil makes are large, and needed once.
    parsed = {name: parse_sentence(text) for name, text in rules.rules.items()}
    sentences = [[parse_sentence(text) for text in block.templates] for block in blocks]
    automaton = Automaton(sentences, parsed, keys)
    lists = _lists(data, orthography, numerals, endings)
    polite = data["polite"]
    return Language(
        code,
        orthography,
        Polite(
            _longest_first(keys(text) for text in polite["before"]),
            _longest_first(keys(text) for text in polite["after"]),
            frozenset(found[0] for text in polite["anywhere"] if len(found := keys(text)) == 1),
        ),
        numerals,
        blocks,
        rules.rules,
        automaton,
        lists,
        kinds=data["kinds"],
        modes=data["lists"]["mode"],
        places=data.get("places", {}),
        endings=endings,
        join=next((text for text in data["joins"] if " " not in text), ""),
        joins=phrases("joins"),
        corrects=phrases("corrects"),
        reasons=_reasons(data, keys),
        yes=frozenset(" ".join(keys(text)) for text in data["yes"]),
        no=frozenset(" ".join(keys(text)) for text in data["no"]),
        usual=data.get("usual", ()),
    )


def _reasons(data: Mapping[str, Any], keys: Callable[[str], list[str]]) -> Reasons:
    said = data.get("reasons", {})

    def words(name: str) -> frozenset[str]:
        return frozenset(key for text in said.get(name, []) for key in keys(text))

    starts = _longest_first(keys(text) for text in said.get("starts", []))
    verb_last = bool(data.get("verb_last"))
    return Reasons(starts, words("ends"), words("never"), words("unfinished"), verb_last)


def _longest_first(phrases: Iterable[list[str]]) -> list[list[str]]:
    return sorted((phrase for phrase in phrases if phrase), key=len, reverse=True)


def _lists(
    data: Mapping[str, Any], orthography: Orthography, numerals: Numerals, endings: Sequence[str]
) -> dict[str, Values]:
    lists: dict[str, Values] = {}
    for name, values in data["lists"].items():
        if isinstance(values, dict) and "range" in values:
            bounds = values["range"]
            lists[name] = Range(bounds["from"], bounds["to"], numerals)
        else:
            lists[name] = Phrases(listed(values), orthography, endings)
    never = frozenset(
        orthography.key(word)
        for text, _ in listed(data["lists"]["all"])
        for word in orthography.split(text)
    ) | frozenset(keys[0] for keys in numerals.plain)
    lists["wild"] = Wild(LONGEST_NAME, never)
    lists["message"] = Wild(40)
    return lists


@dataclass(frozen=True, slots=True)
class _Rules:
    rules: Mapping[str, str]
    blocks: Mapping[str, Sequence[str]]


def _expand(data: Mapping[str, Any]) -> _Rules:
    """Make the rules of each view that is spoken of: `<light.things>` of `things`."""
    texts: dict[str, str] = dict(data["rules"])
    made: dict[str, str] = {}

    def use(text: str) -> str:
        return _OF_VIEW.sub(lambda found: f"<{of_view(found[1], found[2])}>", text)

    def of_view(view: str, rule: str) -> str:
        name = f"{view}__{rule}"
        if name not in made:
            if view not in VIEWS:
                raise ValueError(f"there is no view {view}")
            made[name] = ""  # a rule that uses itself would not end
            made[name] = use(texts[rule].replace("*", view))
        return name

    blocks = {name: [use(text) for text in sentences] for name, sentences in data["blocks"].items()}
    plain = {name: use(text) for name, text in texts.items() if "*" not in text}
    return _Rules({**plain, **made}, blocks)
