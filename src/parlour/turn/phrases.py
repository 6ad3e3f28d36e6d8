"""What the server says when an engine cannot: short, honest, in the language of the house."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

Trouble: TypeAlias = Literal["cannot_hear", "cannot_answer"]
Phrase: TypeAlias = Literal["cannot_hear", "cannot_answer", "one_moment"]

_PHRASES: Mapping[str, Mapping[Phrase, str]] = {
    "en": {
        "cannot_hear": "Sorry, I cannot hear just now. Please try again in a moment.",
        "cannot_answer": "Sorry, something went wrong. Please try again.",
        "one_moment": "One moment.",
    },
}


def apology(trouble: Trouble, language: str) -> str:
    """The sentence in the language, or in English where we have none yet."""
    return _phrase(trouble, language)


def filler(language: str) -> str:
    """What is said while the answer takes its time."""
    return _phrase("one_moment", language)


def all_phrases(language: str) -> list[str]:
    """Everything above, so that it can be made ready."""
    return [_phrase(phrase, language) for phrase in get_args(Phrase)]


def _phrase(phrase: Phrase, language: str) -> str:
    return _PHRASES.get(language.partition("_")[0], _PHRASES["en"])[phrase]
