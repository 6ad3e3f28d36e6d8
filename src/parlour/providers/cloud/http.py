"""One request to a speech service: a deadline for everything and one clear error."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from parlour.errors import ProviderError

LONGEST_REASON = 200
MOST_BYTES = 64 * 1024 * 1024  # of an answer that is no stream: 20 minutes of sound


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a service may take, in seconds."""

    connect_s: float = 3.0
    first_s: float = 8.0  # to the first byte of the answer
    next_s: float = 4.0  # between two pieces of it


class SpeechService:
    """One service. Connections are kept open between requests: a handshake costs 100 ms."""

    def __init__(
        self,
        name: str,
        base_url: str,
        headers: Mapping[str, str],
        patience: Patience | None = None,
    ) -> None:
        self.name = name
        self.patience = patience or Patience()
        self._url = base_url.rstrip("/")
        self._secrets = [value.split()[-1] for value in headers.values() if value.split()]
        timeout = httpx.Timeout(None, connect=self.patience.connect_s, pool=2.0, write=10.0)
        limits = httpx.Limits(max_connections=32, keepalive_expiry=120)
        self._client = httpx.AsyncClient(
            headers=dict(headers), timeout=timeout, limits=limits, trust_env=False
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def open(self, method: str, path: str, **options: Any) -> AsyncIterator["Answer"]:
        """Send a request (`options` as of httpx) and read the answer. Leaving the context hangs
        up. Raises ProviderError for whatever is no success."""
        try:
            request = self._client.build_request(method, f"{self._url}{path}", **options)
            with anyio.fail_after(self.patience.first_s):
                response = await self._client.send(request, stream=True)
        except TimeoutError as error:
            raise self.error(f"no answer within {self.patience.first_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.error(self._unreachable(error)) from error
        try:
            if response.is_error or response.is_redirect:
                raise await self._refused(response)
            yield Answer(self, response)
        finally:
            with anyio.move_on_after(1, shield=True):
                await response.aclose()

    def error(self, reason: str, retry_after_s: float | None = None) -> ProviderError:
        error = ProviderError(self.name, reason)
        error.retry_after_s = retry_after_s
        return error

    def _unreachable(self, error: Exception) -> str:
        text = str(error)
        if "SSL" in text or "CERTIFICATE" in text.upper():
            return f"{self._url} does not speak TLS as it should; check its base_url"
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return f"nobody answers at {self._url}; check base_url and the network"
        return f"cannot be asked ({type(error).__name__})"

    async def _refused(self, response: httpx.Response) -> ProviderError:
        body = b""
        with anyio.move_on_after(self.patience.next_s):
            try:
                body = await response.aread()
            except httpx.HTTPError:
                body = b""
        reason = _reason(body, self._secrets)
        status = response.status_code
        if status == 401 and b"quota_exceeded" in body:
            status = 402  # as ElevenLabs says that the credit is used up; the key is in order
        return refusal(self.name, status, reason, response.headers)


def refusal(name: str, status: int, reason: str, headers: Mapping[str, str]) -> ProviderError:
    """The error for a status code, with the mend; never with what was sent."""
    after = _seconds(headers.get("retry-after", ""))
    match status:
        case 401 | 403:
            text = f"it does not accept the key; check {name}.api_key"
        case 402:
            text = f"the account has no credit left: {reason}"
        case 429:
            when = f"; it asks to wait {after:g} s" if after is not None else ""
            text = f"it is asked too much, or its quota is used up{when}"
        case 404 | 422 | 400:
            text = f"it refuses the request ({status}): {reason or 'check model and voice'}"
        case _ if status >= 500:
            text = f"it is out of order ({status}): {reason}"
        case _:
            text = f"it answered {status}; check {name}.base_url"
    error = ProviderError(name, text.rstrip(": "))
    error.retry_after_s = after
    return error


class Answer:
    """An answer that is being read."""

    def __init__(self, service: SpeechService, response: httpx.Response) -> None:
        self._service = service
        self._response = response

    @property
    def kind(self) -> str:
        """Its media type, without parameters."""
        return str(self._response.headers.get("content-type", "")).partition(";")[0].strip().lower()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises ProviderError when it breaks off or stalls."""
        service = self._service
        chunks = self._response.aiter_bytes()
        wait_s = service.patience.first_s
        while True:
            try:
                with anyio.fail_after(wait_s):
                    chunk = await anext(chunks, None)
            except TimeoutError as error:
                raise service.error(f"it fell silent for {wait_s:g} s") from error
            except httpx.HTTPError as error:
                raise service.error("the connection broke in the middle of its answer") from error
            if chunk is None:
                return
            wait_s = service.patience.next_s
            yield chunk

    async def read(self) -> bytes:
        """All of the body. Raises ProviderError."""
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > MOST_BYTES:
                raise self._service.error("its answer is larger than any speech")
        return bytes(body)

    async def json(self) -> dict[str, Any]:
        """Raises ProviderError for what is no JSON object."""
        body = await self.read()
        try:
            value = httpx.Response(200, content=body).json()
        except (ValueError, RecursionError) as error:
            raise self._service.error(
                f"it answers with {self.kind or 'something'}, no JSON"
            ) from error
        if not isinstance(value, dict):
            raise self._service.error("it answers with JSON that is no object")
        return value


def _reason(body: bytes, secrets: list[str]) -> str:
    """What an error says, in the shapes that OpenAI, ElevenLabs and Deepgram have."""
    try:
        value: object = httpx.Response(200, content=body[:65536]).json()
    except (ValueError, RecursionError):
        return ""
    for key in ("error", "detail", "err_msg", "message", "description"):
        while isinstance(value, dict) and key in value:
            value = value[key]
    if not isinstance(value, str):
        return ""
    for secret in secrets:  # before it is cut, which would leave half a key
        value = value.replace(secret, "***")
    return " ".join(value.split())[:LONGEST_REASON]


def _seconds(text: str) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        return None  # a date; nobody sends one for speech
