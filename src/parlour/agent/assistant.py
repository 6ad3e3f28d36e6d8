"""Who answers in a house without a language model: the home what it knows, and nobody the rest.

It loads no graph: a house that only commands its lights starts fast and stays small.
"""

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import Protocol

from parlour.agent.phrases import no_model
from parlour.ports import Brain, Commit, Piece, Say, Utterance


class HomeBrain(Brain, Protocol):
    """A brain that knows what it knows."""

    def knows(self, utterance: Utterance) -> bool: ...


class PlainAssistant:
    """Satisfies `ports.Brain`."""

    def __init__(self, home: HomeBrain) -> None:
        self._home = home

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        if self._is_home(utterance):
            async with self._home.answer(utterance, commit) as pieces:
                yield pieces
        else:
            yield _say(no_model(utterance.language))

    def context(self, utterance: Utterance) -> Hashable:
        return self._home.context(utterance) if self._is_home(utterance) else None

    async def warm(self, utterance: Utterance) -> None:
        """The grammar is always warm."""

    def remember(self, utterance: Utterance, heard: str) -> None:
        self._home.remember(utterance, heard)

    def _is_home(self, utterance: Utterance) -> bool:
        return not utterance.text.strip() or self._home.knows(utterance)


async def _say(text: str) -> AsyncIterator[Piece]:
    yield Say(text)
