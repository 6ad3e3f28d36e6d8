"""One exchange with a web service: a deadline, a cap, no way to another host, and clear errors."""

import http.cookiejar
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import httpx

from parlour.errors import ProviderError

LARGEST_ANSWER_BYTES = 256 * 1024
MOST_REDIRECTS = 3
CONNECT_S = 3.0
MOST_CONNECTIONS = 16
LONGEST_RETRY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    url: str = field(repr=False)  # it may hold a key
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: object = field(default=None, repr=False)  # sent as JSON unless None
    deadline_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    """`value` is the JSON, or the text, or None for an empty body."""

    status: int
    value: object = field(repr=False)
    retry_after_s: float | None = None


@asynccontextmanager
async def open_client() -> AsyncIterator[httpx.AsyncClient]:
    """Connections that are kept between calls. No cookies, no proxies of the environment."""
    # It writes every address down, with the keys and the words of people in its query.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    nothing = http.cookiejar.DefaultCookiePolicy(allowed_domains=[])
    async with httpx.AsyncClient(
        timeout=httpx.Timeout(None, connect=CONNECT_S),  # what follows is bound by each call
        limits=httpx.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=60),
        cookies=http.cookiejar.CookieJar(nothing),
        # A cap on what is read means little for what unpacks itself.
        headers={"user-agent": "Parlour", "accept-encoding": "identity"},
        trust_env=False,
    ) as client:
        yield client


async def exchange(client: httpx.AsyncClient, name: str, call: Call) -> Reply:
    """Ask, and read the answer, whatever its status.

    Raises ProviderError, never with the address or what was sent: both may hold a key.
    """
    try:
        with anyio.fail_after(call.deadline_s):
            request = client.build_request(
                call.method,
                call.url,
                headers=dict(call.headers),
                content=None if call.body is None else json.dumps(call.body).encode(),
            )
            if call.body is not None:
                request.headers["content-type"] = "application/json"
            for _ in range(MOST_REDIRECTS + 1):
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        return await _read(name, response)
                    request = _onward(name, client, response)
                finally:
                    with anyio.move_on_after(1, shield=True):
                        await response.aclose()
            raise ProviderError(name, "it sends one from place to place")
    except TimeoutError as error:
        raise ProviderError(name, f"no answer within {call.deadline_s:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        # What these say may name the address, and so may what led to them.
        raise ProviderError(name, _unreachable(error)) from None


def _onward(name: str, client: httpx.AsyncClient, response: httpx.Response) -> httpx.Request:
    """Only what reads is asked again, and only at the same host."""
    old = response.request
    new = old.url.join(response.headers["location"])
    same = (new.scheme, new.host, new.port) == (old.url.scheme, old.url.host, old.url.port)
    safer = (
        old.url.scheme == "http"
        and new.scheme == "https"
        and (old.url.port, new.port)
        == (
            None,
            None,
        )
    )
    if old.method != "GET" or new.host != old.url.host or not (same or safer):
        raise ProviderError(name, "it points to another place, which is not followed")
    headers = {key: value for key, value in old.headers.items() if key != "host"}
    return client.build_request("GET", new, headers=headers)


async def _read(name: str, response: httpx.Response) -> Reply:
    body = bytearray()
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ProviderError(name, "its answer is compressed, though it was asked not to")
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LARGEST_ANSWER_BYTES:
            raise ProviderError(name, f"its answer is over {LARGEST_ANSWER_BYTES // 1024} KiB")
    after = _seconds(response.headers.get("retry-after", ""))
    return Reply(response.status_code, _value(name, response, bytes(body)), after)


def _value(name: str, response: httpx.Response, body: bytes) -> object:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body.strip():
        return None
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            if response.is_error:
                return None
            raise ProviderError(name, "what it answers is not the JSON it claims to be") from None
    if kind.startswith("text/") and kind != "text/html":
        return body.decode(response.charset_encoding or "utf-8", "replace")
    if response.is_error:
        return None
    raise ProviderError(name, f"it answers with {kind[:40] or 'something'}, not with JSON or text")


def refused(name: str, reply: Reply, login: str) -> ProviderError:
    """The error for a status that no other values would change. `login` is the key to check."""
    match reply.status:
        case 401 | 403:
            error = ProviderError(name, f"it does not accept the login; check {login}")
            error.retry = False
        case 429:
            error = ProviderError(name, "it is asked too often")
            error.retry_after_s = reply.retry_after_s
        case status if status >= 500:
            error = ProviderError(name, f"it is out of order ({status})")
            error.retry_after_s = reply.retry_after_s
        case status:
            error = ProviderError(name, f"it answered {status}")
            error.retry = False
    return error


def _unreachable(error: Exception) -> str:
    text = str(error).upper()
    if "SSL" in text or "CERTIFICATE" in text:
        return "it does not speak TLS as it should"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "nobody answers there"
    return f"cannot be asked ({type(error).__name__})"


def _seconds(text: str) -> float | None:
    try:
        return min(LONGEST_RETRY_S, max(0.0, float(text)))
    except ValueError:
        return None
