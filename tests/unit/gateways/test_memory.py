"""What the routes of the memory say and refuse, over ASGI and without a socket."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from memories import MONDAY, Kept, PlainMemory
from parlour.app.memory import Calls
from parlour.errors import InputError
from parlour.gateways.memory import LONGEST_FACT, memory_routes

pytestmark = pytest.mark.anyio

HALL = Kept(
    "device:hall",
    [
        {"role": "user", "content": "who was Ada Lovelace?"},
        {"role": "assistant", "content": "A mathematician."},
    ],
    "They spoke of trains.",
)
ODD = Kept("device:writing:a/b c", [], "", MONDAY + timedelta(hours=1))


class Asking:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> tuple[int, Any]:
        answer = await self._client.request(method, f"/api/memory{path}", json=body)
        return answer.status_code, answer.json()


@asynccontextmanager
async def asking(memory: PlainMemory | None) -> AsyncIterator[Asking]:
    app = FastAPI()
    app.include_router(memory_routes(Calls(memory).routes()))

    @app.exception_handler(InputError)
    async def refuse(_request: Request, error: InputError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 422)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
        yield Asking(client)


async def test_the_overview_tells_what_there_is_and_not_what_was_said() -> None:
    memory = PlainMemory(problem="the disk is full")
    memory.keep(HALL, ODD)
    await memory.facts.add("house", "The bins are emptied on Friday.")
    async with asking(memory) as ask:
        status, told = await ask("GET", "")
    assert status == 200
    assert [each["thread"] for each in told["conversations"]] == [ODD.thread, HALL.thread]
    assert told["conversations"][1] == {
        "thread": "device:hall",
        "messages": 2,
        "summary": "They spoke of trains.",
        "updated": "2026-03-02T06:00:00+00:00",
    }
    assert told["facts"] == [
        {
            "id": 1,
            "owner": "house",
            "text": "The bins are emptied on Friday.",
            "said": "2026-03-02T06:00:00+00:00",
        }
    ]
    assert told["problem"] == "the disk is full"


async def test_a_conversation_is_shown_and_forgotten_whatever_its_name_holds() -> None:
    memory = PlainMemory()
    memory.keep(HALL, ODD)
    async with asking(memory) as ask:
        status, told = await ask("GET", "/conversations/device:hall")
        assert (status, told["messages"]) == (200, HALL.messages)
        path = "/conversations/device%3Awriting%3Aa%2Fb%20c"
        assert (await ask("GET", path))[1]["messages"] == []
        assert await ask("DELETE", path) == (200, {"thread": ODD.thread})
        for method in ("GET", "DELETE"):
            refused = {"error": f"there is no conversation {ODD.thread}; known: device:hall"}
            assert await ask(method, path) == (422, refused)
    assert list(memory.kept) == ["device:hall"]


async def test_a_fact_is_kept_found_and_forgotten_by_its_number() -> None:
    memory = PlainMemory()
    async with asking(memory) as ask:
        status, fact = await ask("POST", "/facts", {"text": " मला चहा आवडतो, दर\u200dरोज "})
        assert (status, fact["id"], fact["owner"]) == (201, 1, "house")
        assert fact["text"] == "मला चहा आवडतो, दर\u200dरोज"
        await ask("POST", "/facts", {"text": "Ada likes tea", "owner": "Ada"})
        await ask("POST", "/facts", {"text": "tea is in the left drawer"})
        _, found = await ask("GET", "/facts?words=tea")
        assert {fact["id"] for fact in found["facts"]} == {2, 3}
        assert [fact["id"] for fact in (await ask("GET", "/facts"))[1]["facts"]] == [1, 2, 3]
        assert (await ask("DELETE", "/facts/2"))[1]["text"] == "Ada likes tea"
        gone = {"error": "there is no fact 2; known: 1, 3"}
        assert await ask("DELETE", "/facts/2") == (422, gone)
        assert await ask("DELETE", "/facts") == (200, {"facts": 2})
        assert await ask("DELETE", "/facts/1") == (422, {"error": "there is no fact 1; none"})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"text": "  "}, "at least 1 character"),
        ({"text": "x" * (LONGEST_FACT + 1)}, f"at most {LONGEST_FACT} characters"),
        ({"text": "two\nlines"}, "on one line"),
        ({"text": "\x1b[31mred"}, "on one line"),
        ({"text": "x", "owner": "y" * 81}, "at most 80 characters"),
        ({"text": "x", "who": "me"}, "not permitted"),
        ({}, "required"),
    ],
)
async def test_a_fact_that_cannot_be_one_is_refused(body: dict[str, object], said: str) -> None:
    async with asking(PlainMemory()) as ask:
        status, told = await ask("POST", "/facts", body)
    assert (status, said in told["detail"][0]["msg"]) == (422, True)


async def test_everything_can_be_taken_away_and_then_forgotten() -> None:
    memory = PlainMemory()
    memory.keep(HALL)
    await memory.facts.add("house", "one")
    await memory.facts.add("Ada", "two")
    async with asking(memory) as ask:
        everything = {"conversations": ["device:hall"], "facts": ["one", "two"]}
        assert await ask("GET", "/export") == (200, everything)
        assert await ask("DELETE", "") == (200, {"facts": 2, "conversations": 1})
        assert (await ask("GET", ""))[1]["conversations"] == []
    assert memory.facts.kept == []


async def test_without_a_language_model_it_is_said_that_there_is_none() -> None:
    async with asking(None) as ask:
        for method, path in (("GET", ""), ("GET", "/export"), ("DELETE", "/facts/1")):
            status, told = await ask(method, path)
            assert (status, "no language model is configured: " in told["error"]) == (422, True)
