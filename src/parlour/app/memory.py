"""What is remembered, as the routes ask for it and as its owner reads it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol, TypeAlias

from parlour.agent.memory.facts import Fact, Facts
from parlour.errors import InputError
from parlour.gateways.memory import MemoryCalls, NewFact, Record
from parlour.gateways.prompt import PromptQuestion

HOUSE = "house"  # whose a fact is that is nobody's in particular
MOST_FOUND = 50  # facts that have to do with some words
SOME_THREADS = 8  # so many are named in an error
NO_MODEL = "no language model is configured: set llm.provider and llm.model in config.yml"


class Kept(Protocol):
    """A conversation that is remembered."""

    @property
    def thread(self) -> str: ...
    @property
    def messages(self) -> Sequence[Mapping[str, object]]: ...  # role, content, and perhaps calls
    @property
    def summary(self) -> str: ...  # of what was said before the messages
    @property
    def updated_utc(self) -> datetime: ...


class Memory(Protocol):
    """As `agent.memory.memory` makes it, which is not loaded where there is no language model."""

    @property
    def facts(self) -> Facts: ...
    @property
    def problem(self) -> str: ...

    async def conversations(self) -> Sequence[Kept]: ...

    async def conversation(self, thread: str) -> Kept | None: ...

    async def forget(self, thread: str) -> bool: ...

    async def forget_all(self) -> int: ...

    async def export(self) -> Mapping[str, object]: ...


async def _nobody(_thread: str | None) -> None:
    """Stands for `LetGo` where no agent runs."""


LetGo: TypeAlias = Callable[[str | None], Awaitable[None]]
"""Have whoever talks keep what is over, and have nothing at hand of a conversation; None: of all."""


class Calls:
    """What the routes ask, answered. `memory` None: there is no language model to remember for."""

    def __init__(self, memory: Memory | None, owner: str = HOUSE, let_go: LetGo = _nobody) -> None:
        self._there = memory
        self._owner = owner
        self._let_go = let_go

    def routes(self) -> MemoryCalls:
        return MemoryCalls(
            self.overview,
            self.conversation,
            self.forget,
            self.forget_all,
            self.facts,
            self.remember,
            self.forget_fact,
            self.forget_facts,
            self.export,
        )

    async def overview(self) -> Record:
        memory = self._memory
        return {
            "conversations": [_outline(each) for each in await self._ordered()],
            "facts": await self.facts(""),
            "problem": memory.problem,
        }

    async def conversation(self, thread: str) -> Record:
        kept = await self._memory.conversation(thread)
        if kept is None:
            raise await self._unknown(thread)
        return {**_outline(kept), "messages": [dict(message) for message in kept.messages]}

    async def forget(self, thread: str) -> Record:
        memory = self._memory
        async with self._letting_go(thread):
            if not await memory.forget(thread):
                raise await self._unknown(thread)
        return {"thread": thread}

    async def forget_all(self) -> Record:
        memory = self._memory
        async with self._letting_go(None):
            facts = await memory.facts.forget_all()
            return {"facts": facts, "conversations": await memory.forget_all()}

    async def facts(self, words: str) -> list[Record]:
        facts = self._memory.facts
        there_are = await facts.all()
        if not words:
            return [_fact(fact) for fact in there_are]
        owners = dict.fromkeys(fact.owner for fact in there_are)
        found = [fact for owner in owners for fact in await facts.find(owner, words, MOST_FOUND)]
        return [_fact(fact) for fact in found[:MOST_FOUND]]

    async def remember(self, new: NewFact) -> Record:
        return _fact(await self._memory.facts.add(new.owner or self._owner, new.text))

    async def forget_fact(self, number: int) -> Record:
        facts = self._memory.facts
        fact = await facts.forget(number)
        if fact is None:
            numbers = ", ".join(str(each.id) for each in await facts.all())
            known = f"known: {numbers}" if numbers else "none"
            raise InputError(f"there is no fact {number}; {known}")
        return _fact(fact)

    async def forget_facts(self) -> Record:
        return {"facts": await self._memory.facts.forget_all()}

    async def export(self) -> Record:
        return await self._memory.export()

    @property
    def _memory(self) -> Memory:
        if self._there is None:
            raise InputError(NO_MODEL)
        return self._there

    async def _ordered(self) -> list[Kept]:
        """The one that was last spoken in first."""
        there_are = await self._memory.conversations()
        return sorted(there_are, key=lambda kept: kept.updated_utc, reverse=True)

    @asynccontextmanager
    async def _letting_go(self, thread: str | None) -> AsyncIterator[None]:
        """A turn that is over would be kept after all that is forgotten, so it is kept before."""
        await self._let_go(thread)
        try:
            yield
        finally:  # also where the store is away, and forgets later
            await self._let_go(thread)

    async def _unknown(self, thread: str) -> InputError:
        threads = [kept.thread for kept in await self._ordered()]
        more = ", ..." if len(threads) > SOME_THREADS else ""
        known = f"known: {', '.join(threads[:SOME_THREADS])}{more}" if threads else "none is kept"
        return InputError(f"there is no conversation {thread}; {known}")


async def no_prompt(_question: PromptQuestion) -> Record:
    """Stands for `PromptCalls.show` where nobody is asked."""
    raise InputError(NO_MODEL)


def _outline(kept: Kept) -> dict[str, object]:
    return {
        "thread": kept.thread,
        "messages": len(kept.messages),
        "summary": kept.summary,
        "updated": kept.updated_utc.isoformat(timespec="seconds"),
    }


def _fact(fact: Fact) -> Record:
    return {
        "id": fact.id,
        "owner": fact.owner,
        "text": fact.text,
        "said": fact.said_utc.isoformat(timespec="seconds"),
    }
