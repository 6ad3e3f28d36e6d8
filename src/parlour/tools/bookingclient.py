"""The small API for bookings that examples/booking describes, as a client sees it.

Of what a shop answers only times, ids and names of services are taken, each in a fixed shape.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

import anyio
import httpx

from parlour.errors import ProviderError, ToolError
from parlour.tools.web import Call, Reply, exchange, refused

MOST_SLOTS = 32  # of one answer
SERVICES_KEPT_S = 300.0

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_SERVICE = re.compile(r"[^\W_](?:[\w .,&'()/+-]{0,38}[\w.)])?")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Business:
    """One that takes bookings. `description` tells a model what for; `trusted` as of a Tool."""

    name: str
    url: str
    api_key: str = field(default="", repr=False)
    description: str = ""
    trusted: bool = True
    deadline_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Service:
    id: str
    name: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A free time, or a booking of one. `start` has the shop's own zone."""

    id: str
    start: datetime
    minutes: int
    service: str


class TakenError(ProviderError):
    """Somebody else was quicker; `free` are the next times that are left."""

    retry = False

    def __init__(self, provider: str, free: Sequence[Slot]) -> None:
        super().__init__(provider, "that time is taken")
        self.free = free


class Shop:
    """What a business's server is asked. Raises ToolError, ProviderError and TakenError."""

    def __init__(self, client: httpx.AsyncClient, business: Business) -> None:
        self.business = business
        self._client = client
        self._services: Sequence[Service] = ()
        self._known_s = -SERVICES_KEPT_S

    async def services(self) -> Sequence[Service]:
        now_s = anyio.current_time()
        if now_s - self._known_s >= SERVICES_KEPT_S:
            found = await self._ask("GET", "/services")
            self._services = self._each(found, "services", _service)
            self._known_s = now_s
        return self._services

    async def slots(self, day: date, service: str) -> tuple[list[Slot], list[Slot]]:
        """Those of the day, and, where there are none, the next ones."""
        query = urlencode({"date": day.isoformat(), "service": service})
        found = await self._ask("GET", f"/slots?{query}")
        return self._each(found, "slots", _slot), self._each(found, "later", _slot)

    async def slot(self, slot: str) -> Slot:
        return self._one(_slot, await self._ask("GET", f"/slots/{_id(slot, 'slot')}"))

    async def book(self, slot: str, name: str, key: str) -> Slot:
        body = {"slot": _id(slot, "slot"), "name": name}
        return self._one(_slot, await self._ask("POST", "/bookings", key, body))

    async def bookings(self) -> list[Slot]:
        return self._each(await self._ask("GET", "/bookings"), "bookings", _slot)

    async def booking(self, booking: str) -> Slot:
        return self._one(_slot, await self._ask("GET", f"/bookings/{_id(booking, 'booking')}"))

    async def cancel(self, booking: str, key: str) -> Slot:
        path = f"/bookings/{_id(booking, 'booking')}"
        return self._one(_slot, await self._ask("DELETE", path, key))

    async def _ask(
        self, method: str, path: str, key: str = "", body: object = None
    ) -> Mapping[str, object]:
        business = self.business
        headers = {"accept": "application/json"}
        if business.api_key:
            headers["authorization"] = f"Bearer {business.api_key}"
        if key:
            headers["idempotency-key"] = key
        call = Call(method, f"{business.url.rstrip('/')}{path}", headers, body, business.deadline_s)
        reply = await exchange(self._client, business.name, call)
        if 200 <= reply.status < 300 and isinstance(reply.value, dict):
            return reply.value
        raise self._error(reply)

    def _error(self, reply: Reply) -> Exception:
        name = self.business.name
        match reply.status:
            case 404 | 410:
                return ToolError(f"{name} knows nothing of that id; take one as it was listed")
            case 409:
                value = reply.value if isinstance(reply.value, dict) else {}
                return TakenError(name, self._each(value, "slots", _slot))
            case 400 | 422:
                return ToolError(f"{name} refuses these values")
            case status if 200 <= status < 300:
                return self._wrong()
            case _:
                return refused(name, reply, f"bookings.{name}.api_key")

    def _each(
        self, found: Mapping[str, object], key: str, read: Callable[[object], T | None]
    ) -> list[T]:
        values = found.get(key, [])
        if not isinstance(values, list):
            raise self._wrong()
        return [self._one(read, value) for value in values[:MOST_SLOTS]]

    def _one(self, read: Callable[[object], T | None], value: object) -> T:
        one = read(value)
        if one is None:
            raise self._wrong()
        return one

    def _wrong(self) -> ProviderError:
        error = ProviderError(self.business.name, "it does not answer as examples/booking says")
        error.retry = False
        return error


def _id(text: str, what: str) -> str:
    if not _ID.fullmatch(text):
        raise ToolError(f"{what} must be an id as it was listed")
    return quote(text, safe="")


def _service(value: object) -> Service | None:
    match value:
        case {"id": str(known), "name": str(name), "minutes": int(minutes)} if (
            _ID.fullmatch(known) and _SERVICE.fullmatch(name) and 0 < minutes < 1440
        ):
            return Service(known, name, minutes)
        case _:
            return None


def _slot(value: object) -> Slot | None:
    match value:
        case {"id": str(known), "start": str(start), "service": dict(offered)} if _ID.fullmatch(
            known
        ):
            service, began = _service(offered), _start(start)
            if service is None or began is None:
                return None
            return Slot(known, began, service.minutes, service.name)
        case _:
            return None


def _start(text: str) -> datetime | None:
    """A time without its zone would be anybody's guess."""
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        return None
    return start if start.tzinfo else None
