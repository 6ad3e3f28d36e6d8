"""The house as the bench sees it over HTTP: it asks in writing, and looks at every state."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias, cast

import anyio
import httpx

from parlour.app.virtual_device import LinkError

States: TypeAlias = Mapping[str, Mapping[str, object]]  # entity -> field -> value

DRIFTS = frozenset(
    {"temperature", "humidity", "available"}
)  # change by themselves; nobody commands them
READ_ONLY = frozenset({"sensor", "binary_sensor", "device_tracker"})
MOVING = frozenset({"opening", "closing"})
LOOK_S = 0.1  # between two looks at the house
SETTLE_S = 15.0  # the slowest blind needs less from end to end


class House:
    """A running server's home."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, text: str) -> str:
        """Say something in writing; returns the reply."""
        with _link_errors(self._client):
            answer = await self._client.post("/api/ask", json={"text": text})
            answer.raise_for_status()
            return str(answer.json()["reply"])

    async def look(self) -> States:
        with _link_errors(self._client):
            answer = await self._client.get("/api/home")
            answer.raise_for_status()
            entities = cast("list[dict[str, object]]", answer.json()["entities"])
        return {
            str(entity["id"]): cast("Mapping[str, object]", entity.get("state") or {})
            for entity in entities
            if entity.get("kind") not in READ_ONLY
        }

    async def settle(self) -> States:
        """Wait until nothing moves any more, at most SETTLE_S, and return how things stand."""
        states = await self.look()
        with anyio.move_on_after(SETTLE_S):
            still = False
            while not still:
                await anyio.sleep(LOOK_S)
                before, states = states, await self.look()
                still = not changed(before, states) and not any(map(_moves, states.values()))
        return states


@asynccontextmanager
async def open_house(url: str) -> AsyncIterator[House]:
    """`url` as http://127.0.0.1:8000."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
        yield House(client)


def changed(before: States, after: States, *, besides: Collection[str] = ()) -> set[str]:
    """The entities that stand otherwise than before, but for those named and what drifts."""
    return {
        entity
        for entity in before.keys() | after.keys()
        if entity not in besides
        and _lasting(before.get(entity, {})) != _lasting(after.get(entity, {}))
    }


def _lasting(state: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in state.items() if name not in DRIFTS}


def _moves(state: Mapping[str, object]) -> bool:
    return state.get("cover") in MOVING


@contextmanager
def _link_errors(client: httpx.AsyncClient) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPStatusError as error:
        raise LinkError(f"{error.request.url} answered {error.response.status_code}") from error
    except httpx.TransportError as error:
        raise LinkError(f"no server answers at {client.base_url}") from error
