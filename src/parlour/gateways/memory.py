"""The routes of what is remembered: conversations, and facts that people asked to keep in mind."""

import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Record = Mapping[str, object]

LONGEST_FACT = 300  # characters
LONGEST_SEARCH = 200
LONGEST_OWNER = 80


def _one_line(text: str) -> str:
    """Not `isprintable`, to which the joiners of Indian scripts are not."""
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in text):
        raise ValueError("must be text on one line")
    return text


class NewFact(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    text: Annotated[str, AfterValidator(_one_line)] = Field(
        min_length=1, max_length=LONGEST_FACT, description="What is to be kept in mind"
    )
    owner: str | None = Field(
        default=None, max_length=LONGEST_OWNER, description="Whose it is; null: the whole house's"
    )


@dataclass(frozen=True, slots=True)
class MemoryCalls:
    """What the routes ask of the memory; made in app/memory.py, since gateways know no agent.

    Those that take a thread or a number raise InputError if there is nothing of that name.
    """

    overview: Callable[[], Awaitable[Record]]
    conversation: Callable[[str], Awaitable[Record]]
    forget: Callable[[str], Awaitable[Record]]
    forget_all: Callable[[], Awaitable[Record]]
    facts: Callable[[str], Awaitable[Sequence[Record]]]  # that have to do with words; "": all
    remember: Callable[[NewFact], Awaitable[Record]]
    forget_fact: Callable[[int], Awaitable[Record]]
    forget_facts: Callable[[], Awaitable[Record]]
    export: Callable[[], Awaitable[Record]]


def memory_routes(calls: MemoryCalls) -> APIRouter:
    """Everything that the memory can be asked and told over HTTP."""
    routes = APIRouter()

    @routes.get("/api/memory")
    async def overview() -> Record:
        """Conversations without what was said in them, every fact, and what is wrong, if anything.

        A conversation has thread, messages (how many), summary and updated; a fact has id, owner,
        text and said.
        """
        return await calls.overview()

    @routes.delete("/api/memory")
    async def forget_all() -> Record:
        """Forget everything; returns how much it was."""
        return await calls.forget_all()

    @routes.get("/api/memory/conversations/{thread:path}")
    async def conversation(thread: str) -> Record:
        """One conversation with every message that is kept of it."""
        return await calls.conversation(thread)

    @routes.delete("/api/memory/conversations/{thread:path}")
    async def forget(thread: str) -> Record:
        """Forget one conversation."""
        return await calls.forget(thread)

    @routes.get("/api/memory/facts")
    async def facts(words: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "") -> Record:
        """Every fact, or those that have to do with some words, the nearest first."""
        return {"facts": list(await calls.facts(words.strip()))}

    @routes.post("/api/memory/facts", status_code=201)
    async def remember(fact: NewFact) -> Record:
        """Keep a fact in mind."""
        return await calls.remember(fact)

    @routes.delete("/api/memory/facts")
    async def forget_facts() -> Record:
        """Forget every fact; returns how many it were."""
        return await calls.forget_facts()

    @routes.delete("/api/memory/facts/{number}")
    async def forget_fact(number: int) -> Record:
        """Forget a fact; returns what it was."""
        return await calls.forget_fact(number)

    @routes.get("/api/memory/export")
    async def export() -> Record:
        """Everything that is remembered, in one object."""
        return await calls.export()

    return routes
