"""The server under test, seen over HTTP: it is asked in writing, and everything in it is looked at."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from parlour import tasks
from parlour.errors import ParlourError

ANSWER_S = 60.0  # a turn that takes longer has failed
FACTS = "/api/memory/facts"


class AskError(ParlourError):
    """A turn that was not answered."""


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    intent: str
    actions: Sequence[Mapping[str, Any]]


class Server:
    """A running server. What it does not offer yet is left alone."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.has_conversations = True
        self.has_facts = True

    async def ask(self, text: str, *, area: str | None, language: str, conversation: str) -> Reply:
        """Raises AskError."""
        body = {"text": text, "area": area, "language": language}
        if self.has_conversations:
            body["conversation"] = conversation
        try:
            answer = await self._client.post("/api/ask", json=body, timeout=ANSWER_S)
        except httpx.HTTPError as error:
            raise AskError(f"no answer: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK:
            raise AskError(f"answered {answer.status_code}: {answer.text[:200]}")
        told = answer.json()
        return Reply(" ".join(str(told["reply"]).split()), str(told["intent"]), told["actions"])

    async def find_out(self) -> None:
        """What this server can be asked."""
        body = {"text": "stop", "conversation": "bench", "dry_run": True}
        answer = await self._client.post("/api/ask", json=body)
        self.has_conversations = answer.status_code == httpx.codes.OK
        self.has_facts = (await self._client.get(FACTS)).status_code == httpx.codes.OK

    async def states(self) -> dict[str, Mapping[str, Any]]:
        answer = await self._get("/api/home")
        return {str(e["id"]): e.get("state") or {} for e in answer["entities"]}

    async def timers(self) -> list[int]:
        """Their seconds, as they were set."""
        return [int(t["seconds"]) for t in (await self._get("/api/timers"))["timers"]]

    async def alarms(self) -> list[str]:
        return [str(a["time"])[:5] for a in (await self._get("/api/alarms"))["alarms"]]

    async def facts(self) -> list[str]:
        if not self.has_facts:
            return []
        return sorted(str(fact["text"]) for fact in (await self._get(FACTS))["facts"])

    async def set_clock(self, timers: Sequence[int], alarms: Sequence[str]) -> None:
        """Have these timers and alarms, and no others."""
        async with tasks.task_group() as group:
            group.start_soon(self._clear, "timers")
            group.start_soon(self._clear, "alarms")
        for seconds in timers:
            (await self._client.post("/api/timers", json={"seconds": seconds})).raise_for_status()
        for time in alarms:
            (await self._client.post("/api/alarms", json={"time": time})).raise_for_status()

    async def set_facts(self, facts: Sequence[str]) -> None:
        """Know these facts, and no others."""
        if not self.has_facts:
            return
        if await self.facts():
            (await self._client.delete(FACTS)).raise_for_status()
        for fact in facts:
            (await self._client.post(FACTS, json={"text": fact})).raise_for_status()

    async def _clear(self, what: str) -> None:
        for each in (await self._get(f"/api/{what}"))[what]:
            await self._client.delete(f"/api/{what}/{each['id']}")

    async def _get(self, path: str) -> dict[str, Any]:
        try:
            answer = await self._client.get(path)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise AskError(f"{path}: {type(error).__name__} {error}") from error
        told: dict[str, Any] = answer.json()
        return told


@asynccontextmanager
async def server_at(url: str) -> AsyncIterator[Server]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
        server = Server(client)
        await server.find_out()
        yield server
