"""A web application on a socket: bound before anything starts, closed when told to."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from parlour.errors import ConfigError

log = logging.getLogger(__name__)

LARGEST_MESSAGE_BYTES = 256 * 1024  # the protocols' own limits come first and give their reason
PING_S = 10.0  # a device that does not answer within as much is gone
GRACE_S = 2  # open requests get so long when the server stops


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """Take the address, so that a port in use is one clear sentence before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle off only where a socket says that it is TCP; with it on, every answer in
    # two pieces waits 40 ms for an acknowledgement.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(512)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ConfigError(
                f"cannot listen on {host} port {port}: {reason}; "
                "choose another with --port or server.port"
            ) from error
        yield listener


def create_server(app: FastAPI) -> uvicorn.Server:
    """Make the server; `await server.serve([socket])` runs it until `server.should_exit` is set.

    Sound comes in small messages that must not wait: no compression, and asyncio sets
    TCP_NODELAY on every connection.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE_BYTES,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return uvicorn.Server(config)
