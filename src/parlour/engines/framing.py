"""Wyoming's framing on a stream, with the limits that the protocol lacks.

A message is one line of JSON, then as many bytes of further JSON and of payload as it says.
Our own event types, which other Wyoming peers ignore, are a revisable partial, a pause in the
utterance, and the sentences that a recogniser is to expect.
"""

import json
from typing import Any

import anyio
from anyio.abc import ByteStream
from anyio.streams.buffered import BufferedByteReceiveStream
from wyoming.event import Event

from parlour.errors import ProtocolError

PARTIAL = "parlour-partial"  # {text, stable_chars}
PAUSE = "parlour-pause"  # the user seems to have stopped; a settled partial is welcome
VOCABULARY = "parlour-vocabulary"  # payload: one sentence a line, UTF-8
LEARNED = "parlour-vocabulary-learned"  # {sentences}

LONGEST_LINE_BYTES = 64 * 1024
LARGEST_DATA_BYTES = 1024 * 1024
LARGEST_PAYLOAD_BYTES = 8 * 1024 * 1024

BROKEN = (anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead, OSError)


class Connection:
    """One Wyoming connection. `read` and `write` raise one of BROKEN when the peer is gone."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._reader = BufferedByteReceiveStream(stream)
        self._writing = anyio.Lock()  # a partial and an answer may meet

    async def read(self) -> Event:
        """Raises ProtocolError for what is no Wyoming, or too large."""
        try:
            line = await self._reader.receive_until(b"\n", LONGEST_LINE_BYTES)
        except anyio.DelimiterNotFound as error:
            raise ProtocolError("a Wyoming header longer than 64 KiB") from error
        header = _object(line)
        data: dict[str, Any] = header.get("data") or {}
        if size := _size(header, "data_length", LARGEST_DATA_BYTES):
            data = {**data, **_object(await self._reader.receive_exactly(size))}
        payload = None
        if size := _size(header, "payload_length", LARGEST_PAYLOAD_BYTES):
            payload = await self._reader.receive_exactly(size)
        kind = header.get("type")
        if not isinstance(kind, str):
            raise ProtocolError("a Wyoming event without a type")
        return Event(kind, data, payload)

    async def write(self, event: Event) -> None:
        data = json.dumps(event.data, ensure_ascii=False).encode(errors="replace")
        payload = event.payload or b""
        header = {"type": event.type, "data_length": len(data), "payload_length": len(payload)}
        # One write: on TCP, two would wait for each other's acknowledgement.
        async with self._writing:
            await self._stream.send(json.dumps(header).encode() + b"\n" + data + payload)

    async def aclose(self) -> None:
        await self._stream.aclose()


async def connect(uri: str) -> Connection:
    """Open `unix:///path` or `tcp://host:port`. Raises OSError."""
    scheme, _, rest = uri.partition("://")
    if scheme == "unix":
        return Connection(await anyio.connect_unix(rest))
    host, _, port = rest.rpartition(":")
    return Connection(await anyio.connect_tcp(host.strip("[]"), int(port)))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise ProtocolError("a Wyoming event that is no JSON") from error
    if not isinstance(value, dict):
        raise ProtocolError("a Wyoming event that is no JSON object")
    return value


def _size(header: dict[str, Any], key: str, largest: int) -> int:
    size = header.get(key) or 0
    if not isinstance(size, int) or not 0 <= size <= largest:
        raise ProtocolError(f"a Wyoming event with a {key} of {size}")
    return size
