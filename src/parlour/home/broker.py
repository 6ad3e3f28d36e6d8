"""A small MQTT broker inside this process, for the demo home and for tests."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
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
    # amqtt forgets connections that end while it stops: their sockets are closed here.
    accept, writers = broker.stream_connected, set[asyncio.StreamWriter]()

    async def track(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        writers.add(writer)
        try:
            await accept(reader, writer, listener_name)
        finally:
            writers.discard(writer)
            writer.close()

    broker.stream_connected = track
    await broker.start()
    try:
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        with anyio.move_on_after(3, shield=True):
            await broker.shutdown()
        for writer in writers:
            writer.transport.abort()
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()  # the loop closes an aborted socket in its next round
            await anyio.lowlevel.checkpoint()
