"""A small MQTT broker inside this process, for the demo home and for tests."""

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from amqtt.broker import Broker

QUIET = ("amqtt", "transitions")


@asynccontextmanager
async def embedded_broker() -> AsyncIterator[str]:
    """Run a broker on a free port of the loopback and yield its URL; it lets everybody in."""
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        # Only this plug-in: the default ones log every packet and publish $SYS.
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    await broker.start()
    try:
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        with anyio.move_on_after(3, shield=True):
            await broker.shutdown()
