"""A memory in plain lists, of the shape that the routes are made for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from parlour.agent.memory.facts import Fact

MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    thread: str
    messages: Sequence[Mapping[str, object]] = ()
    summary: str = ""
    updated_utc: datetime = MONDAY


class PlainFacts:
    """Satisfies `agent.memory.facts.Facts`; a fact fits words that it holds."""

    problem = ""

    def __init__(self) -> None:
        self.kept: list[Fact] = []

    async def all(self, owner: str | None = None) -> list[Fact]:
        return [fact for fact in self.kept if owner in (None, fact.owner)]

    async def find(self, owner: str, words: str, most: int = 5) -> list[Fact]:
        return [fact for fact in await self.all(owner) if words in fact.text][:most]

    async def add(self, owner: str, text: str) -> Fact:
        number = max((fact.id for fact in self.kept), default=0) + 1
        self.kept.append(Fact(number, owner, text, MONDAY))
        return self.kept[-1]

    async def forget(self, fact_id: int) -> Fact | None:
        found = next((fact for fact in self.kept if fact.id == fact_id), None)
        self.kept = [fact for fact in self.kept if fact is not found]
        return found

    async def forget_all(self, owner: str | None = None) -> int:
        before = len(self.kept)
        self.kept = [fact for fact in self.kept if owner not in (None, fact.owner)]
        return before - len(self.kept)


@dataclass
class PlainMemory:
    """Satisfies `app.memory.Memory`."""

    kept: dict[str, Kept] = field(default_factory=dict)
    facts: PlainFacts = field(default_factory=PlainFacts)
    problem: str = ""

    def keep(self, *kept: Kept) -> None:
        self.kept |= {each.thread: each for each in kept}

    async def conversations(self) -> list[Kept]:
        return list(self.kept.values())

    async def conversation(self, thread: str) -> Kept | None:
        return self.kept.get(thread)

    async def forget(self, thread: str) -> bool:
        return self.kept.pop(thread, None) is not None

    async def forget_all(self) -> int:
        count = len(self.kept)
        self.kept.clear()
        return count

    async def export(self) -> dict[str, object]:
        return {"conversations": list(self.kept), "facts": [f.text for f in self.facts.kept]}
