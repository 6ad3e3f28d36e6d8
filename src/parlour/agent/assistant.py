"""Who answers: the home what it knows, a language model the rest, and nobody what nobody can."""

from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Protocol

from parlour.ports import Brain, Commit, Piece, Say, Utterance

NO_MODEL = "I can only help with the home: no language model is set up."


class HomeBrain(Brain, Protocol):
    """A brain that knows what it knows."""

    def knows(self, utterance: Utterance) -> bool: ...


class Assistant:
    """Satisfies `ports.Brain`. `chat` None: there is no language model, and it says so."""

    def __init__(self, home: HomeBrain, chat: Brain | None) -> None:
        self._home = home
        self._chat: Brain = chat or _Nobody()

    def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
        return self._brain(utterance).answer(utterance, commit)

    def context(self, utterance: Utterance) -> Hashable:
        return self._brain(utterance).context(utterance)

    async def warm(self, utterance: Utterance) -> None:
        await self._chat.warm(utterance)

    def remember(self, utterance: Utterance, heard: str) -> None:
        """The model is told of commands, too: "and the other one" may come next."""
        self._home.remember(utterance, heard)
        self._chat.remember(utterance, heard)

    def _brain(self, utterance: Utterance) -> Brain:
        is_home = not utterance.text.strip() or self._home.knows(utterance)
        return self._home if is_home else self._chat


class _Nobody:
    """Satisfies `ports.Brain` where there is no language model."""

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._answer()) as pieces:
            yield pieces

    def context(self, utterance: Utterance) -> Hashable:
        return None

    async def warm(self, utterance: Utterance) -> None:
        """Nothing to get ready."""

    def remember(self, utterance: Utterance, heard: str) -> None:
        """Nobody to remember it."""

    async def _answer(self) -> AsyncGenerator[Piece, None]:
        yield Say(NO_MODEL)
