"""What the server says when an engine cannot: short, honest, in the language of the house."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

Trouble: TypeAlias = Literal["cannot_hear", "cannot_answer"]

_PHRASES: Mapping[str, Mapping[Trouble, str]] = {
    "en": {
        "cannot_hear": "Sorry, I cannot hear just now. Please try again in a moment.",
        "cannot_answer": "Sorry, something went wrong. Please try again.",
    },
}


def apology(trouble: Trouble, language: str) -> str:
    """The sentence in the language, or in English where we have none yet."""
    return _PHRASES.get(language.partition("_")[0], _PHRASES["en"])[trouble]
