"""A request whose answer comes line by line, with a deadline for everything and one clear error."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from parlour.errors import ProviderError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take, in seconds."""

    connect_s: float = 2.0  # it stands in the same house, or behind one hop more
    first_s: float = 20.0  # to the first line: a cold model is loaded from disk meanwhile
    next_s: float = 5.0  # between two lines; the slowest usable model makes one token a second
    warm_s: float = 60.0  # reading a prompt ahead, which nobody waits for


LONGEST_LINE = 256 * 1024  # characters; a tool call with all its arguments is far shorter
MOST_BROKEN = 5  # lines that are no JSON before it is no server of this kind
LONGEST_REASON = 200


class LineStream:
    """One server. The connections are kept open between requests."""

    def __init__(
        self,
        name: str,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._name = name
        self._url = base_url.rstrip("/")
        self._patience = patience or Patience()
        timeout = httpx.Timeout(None, connect=self._patience.connect_s, pool=1.0, write=5.0)
        limits = httpx.Limits(max_connections=64, keepalive_expiry=300)
        self._client = httpx.AsyncClient(
            headers=dict(headers or {}), timeout=timeout, limits=limits, trust_env=False
        )

    @asynccontextmanager
    async def post(
        self, path: str, body: Mapping[str, object]
    ) -> AsyncIterator[AsyncIterator[str]]:
        """Send `body` and iterate the lines of the answer. Leaving the context hangs up, upon
        which servers stop to generate. Raises ProviderError."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        request = self._client.build_request(
            "POST",
            f"{self._url}{path}",
            content=content,
            headers={"Content-Type": "application/json"},
        )
        response = await self._send(request)
        try:
            if response.is_error:
                raise self._error(await self._explain(response))
            async with aclosing(self._lines(response)) as lines:
                yield lines
        finally:
            with anyio.move_on_after(1, shield=True):
                await response.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            with anyio.fail_after(self._patience.first_s):
                return await self._client.send(request, stream=True)
        except TimeoutError as error:
            raise self._error(f"no answer within {self._patience.first_s:.0f} s") from error
        except httpx.ConnectError as error:
            raise self._error(f"nobody answers at {self._url}; is it running?") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._error(f"cannot be asked: {type(error).__name__}") from error

    async def _lines(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        """Lines without their ends; a longer one than any server makes is an error."""
        rest = ""
        chunks = response.aiter_text()
        while (chunk := await self._next(chunks, first=not rest)) is not None:
            *lines, rest = (rest + chunk).split("\n")
            for line in lines:
                yield line.rstrip("\r")
            if len(rest) > LONGEST_LINE:
                raise self._error("it sends a line without an end")
        if rest:
            yield rest

    async def _next(self, chunks: AsyncIterator[str], *, first: bool) -> str | None:
        wait_s = self._patience.first_s if first else self._patience.next_s
        try:
            with anyio.fail_after(wait_s):
                return await anext(chunks, None)
        except TimeoutError as error:
            raise self._error(f"it fell silent for {wait_s:.0f} s") from error
        except httpx.HTTPError as error:
            raise self._error(f"the connection broke: {type(error).__name__}") from error

    async def _explain(self, response: httpx.Response) -> str:
        """The reason that came with a refusal; never what we sent."""
        with anyio.move_on_after(self._patience.next_s):
            await response.aread()
        match response.status_code:
            case 401 | 403:
                return "it does not accept the api_key"
            case 429:
                return "it is asked too much, or its quota is used up"
            case status:
                return f"it answered {status}: {_reason(response)}"

    def _error(self, reason: str) -> ProviderError:
        return ProviderError(self._name, reason)


class Objects:
    """Reads each line as a JSON object; a few that are none are left out."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._broken = 0

    def read(self, line: str) -> dict[str, Any] | None:
        """Raises ProviderError when too much is no JSON."""
        try:
            read = json.loads(line)
        except (ValueError, RecursionError):
            read = None
        if isinstance(read, dict):
            return read
        self._broken += 1
        if self._broken > MOST_BROKEN:
            raise ProviderError(self._name, "what it sends is no answer of a language model")
        return None


def _reason(response: httpx.Response) -> str:
    try:
        body = response.json()
        error = body.get("error", body) if isinstance(body, dict) else body
        text = error.get("message", error) if isinstance(error, dict) else error
    except (ValueError, httpx.HTTPError, RecursionError):
        text = response.reason_phrase
    return " ".join(str(text).split())[:LONGEST_REASON]
