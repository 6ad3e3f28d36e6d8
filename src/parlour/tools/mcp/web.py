"""A server behind a URL, over the protocol's streamable HTTP: bounded in size and in patience."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx2
from anyio import to_thread
from mcp.client.streamable_http import streamable_http_client

from parlour import tasks
from parlour.errors import ProviderError
from parlour.tools.mcp.link import LARGEST_MESSAGE, Ends, leaves, watched
from parlour.tools.mcp.options import McpOptions

CONNECT_S = 10.0
GOODBYE_S = 1.0  # for a server to take note that we leave
LISTEN_AGAIN_S = 1.0  # between two tries to listen, whatever the server wishes
MOST_CONNECTIONS = 32


@asynccontextmanager
async def open_web(options: McpOptions) -> AsyncIterator[Ends]:
    """Be ready to talk to the server. Raises ProviderError, also into the context: one request
    that fails ends the connection, and the next one begins with a new session."""
    transport = _Bounded(await _authorities() if options.url.startswith("https:") else False)
    client = httpx2.AsyncClient(
        # Compressed, a megabyte could become a thousand.
        headers={**options.headers, "accept-encoding": "identity"},
        timeout=httpx2.Timeout(CONNECT_S, read=None),  # an answer has the deadline of its call
        transport=transport,
        trust_env=False,
    )
    try:
        async with tasks.task_group(), client:
            streams = streamable_http_client(
                options.url, http_client=client, max_sse_event_size=LARGEST_MESSAGE
            )
            async with streams as (read, write):
                yield watched(options.name, read, write)
    except (httpx2.HTTPError, ExceptionGroup) as error:
        for leaf in leaves(error):
            if isinstance(leaf, httpx2.HTTPError):
                reason = str(leaf) if isinstance(leaf, _RefusedError) else type(leaf).__name__
                raise ProviderError(options.name, f"it cannot be reached: {reason}") from error
        raise


async def _authorities() -> ssl.SSLContext:
    """Whom to trust; read aside, since that takes a tenth of a second or more."""
    return await to_thread.run_sync(ssl.create_default_context)


class _RefusedError(httpx2.TransportError):
    """What the server answered is not taken; the text says why."""


class _Bounded(httpx2.AsyncBaseTransport):
    """HTTP as usual, with an end to what a server may send and to how often it is listened to."""

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        limits = httpx2.Limits(max_connections=MOST_CONNECTIONS)
        self._inner = httpx2.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits)
        self._listened_s = -LISTEN_AGAIN_S

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        match request.method:
            case "GET":
                await anyio.sleep_until(self._listened_s + LISTEN_AGAIN_S)
                self._listened_s = anyio.current_time()
            case "DELETE":
                request.extensions["timeout"] = httpx2.Timeout(GOODBYE_S).as_dict()
            case _:
                pass
        response = await self._inner.handle_async_request(request)
        if reason := _refusal(request, response):
            await response.aclose()
            raise _RefusedError(reason, request=request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            response.stream = _Capped(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _refusal(request: httpx2.Request, response: httpx2.Response) -> str:
    if response.headers.get("content-encoding", "identity") != "identity":
        return "it sends compressed what was asked for as it is"
    if request.method != "POST":
        return ""
    match response.status_code:
        case 401 | 403 as code:
            return f"it answers {code}; is what `headers` says right?"
        case 404 if "mcp-session-id" in request.headers:
            return "it has forgotten the session"
        case 404:
            return "it answers 404; is the path of the URL right?"
        case code if code >= 500:
            return f"it answers {code}"
        case _:
            return ""


class _Capped(httpx2.AsyncByteStream):
    """A body of at most one message."""

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for piece in self._inner:
            length += len(piece)
            if length > LARGEST_MESSAGE:
                raise _RefusedError(f"a message of more than {LARGEST_MESSAGE} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
