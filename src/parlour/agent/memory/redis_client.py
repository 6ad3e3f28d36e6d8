"""A client of any Redis from version 5 on: each call has a deadline, no error shows a password."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from parlour.errors import ConfigError, ProviderError

NAME = "redis"
CONNECT_S = 1.0
CALL_S = 0.5
CLOSE_S = 1.0
MOST_CONNECTIONS = 20

_FULL = "it is full (maxmemory)"
_REASONS = {
    "OutOfMemoryError": _FULL,
    "OOM": _FULL,
    "ReadOnlyError": "it is a replica that takes no writes",
    "READONLY": "it is a replica that takes no writes",
    "MISCONF": "it cannot write to its disk",
    "BusyLoadingError": "it is still reading its data",
    "MasterDownError": "its primary is away",
    "ClusterDownError": "its cluster is down",
    "MovedError": "it is a cluster, and another of its nodes has the keys",
    "WRONGTYPE": "another program uses the same keys",
    "AuthenticationError": "it refuses the login",
    "AuthenticationWrongNumberOfArgsError": "it refuses the login",
    "AuthorizationError": "it refuses the login",
    "NoPermissionError": "the login may not do what is needed",
    "TimeoutError": "it does not answer",
    "MaxConnectionsError": "it is asked too much at once",
    "ConnectionError": "it is away",
}


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator["Redis"]:
    """A client that connects when it is first used. Raises ConfigError for a bad URL."""
    try:
        client = Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=CALL_S,
            max_connections=MOST_CONNECTIONS,
            protocol=2,  # 3 came with Redis 6
            # A connection may have died unnoticed while nobody spoke: that is no failure yet.
            retry=Retry(NoBackoff(), 1, supported_errors=(exceptions.ConnectionError,)),
        )
    except ValueError:  # whose text may hold half of the password
        raise ConfigError("redis.url must look like redis://localhost:6379/0") from None
    try:
        yield client
    finally:
        with anyio.move_on_after(CLOSE_S, shield=True):
            await client.aclose()


@contextmanager
def calling() -> Iterator[None]:
    """Raise whatever goes wrong in a call as ProviderError, at the latest after its deadlines."""
    try:
        with anyio.fail_after(CONNECT_S + CALL_S):
            yield
    except (exceptions.RedisError, OSError) as error:
        raise ProviderError(NAME, reason(error)) from error


def reason(error: Exception) -> str:
    """Why a call failed, in words that hold neither a login nor what was to be kept."""
    first_word = str(error).split(" ", 1)[0]
    for name in (type(error).__name__, first_word):
        if name in _REASONS:
            return _REASONS[name]
    return "it cannot be reached" if isinstance(error, OSError) else "it refuses a command"


def as_bytes(value: object) -> bytes:
    """What a client that decodes nothing returned."""
    return value if isinstance(value, bytes) else str(value).encode()


def as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
