"""A brain with but one thing to say: announcements, apologies."""

from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import aclosing, asynccontextmanager

from parlour.ports import Commit, Piece, Say, Utterance


class Recital:
    """Satisfies `ports.Brain`."""

    def __init__(self, text: str) -> None:
        self._text = text

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._answer()) as pieces:
            yield pieces

    def context(self, utterance: Utterance) -> Hashable:
        return self._text

    async def warm(self, utterance: Utterance) -> None:
        """Nothing to get ready."""

    def remember(self, utterance: Utterance, heard: str) -> None:
        """Nothing to keep."""

    async def _answer(self) -> AsyncGenerator[Piece, None]:
        yield Say(self._text)
