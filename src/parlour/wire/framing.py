"""How an Opus packet lies in a binary WebSocket message: framing versions 1, 2 and 3."""

import struct
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from parlour.wire.fields import MalformedError

Framing: TypeAlias = Literal[1, 2, 3]

FRAMINGS: tuple[Framing, ...] = (1, 2, 3)

_V2 = struct.Struct(">HHIII")  # version, type, reserved, timestamp in ms, payload size
_V3 = struct.Struct(">BBH")  # type, reserved, payload size
_OPUS = 0  # the types of versions 2 and 3; 1 is JSON, which everybody sends as text instead


@dataclass(frozen=True, slots=True)
class Packet:
    """One Opus packet of one byte (DTX) or more. Only framing 2 carries a timestamp."""

    data: bytes
    timestamp_ms: int | None = None


def pack(framing: Framing, packet: Packet) -> bytes:
    """Put a packet into a message. Framings 1 and 3 lose the timestamp; in 2, None is sent as 0."""
    match framing:
        case 1:
            return packet.data
        case 2:
            timestamp_ms = (packet.timestamp_ms or 0) % 2**32
            return _V2.pack(2, _OPUS, 0, timestamp_ms, len(packet.data)) + packet.data
        case 3:
            return _V3.pack(_OPUS, 0, len(packet.data)) + packet.data
        case _:
            assert_never(framing)


def unpack(framing: Framing, message: bytes) -> Packet:
    """Take the packet out of a message. Raises MalformedError if the header does not fit it."""
    match framing:
        case 1:
            return _take(message, 0, len(message), None)
        case 2:
            if len(message) < _V2.size:
                raise MalformedError(f"a frame of {len(message)} bytes has no header of version 2")
            version, kind, _, timestamp_ms, size = _V2.unpack_from(message)
            if version != 2:
                raise MalformedError(f"a frame says version {version} where 2 was agreed")
            _check_kind(kind)
            return _take(message, _V2.size, size, timestamp_ms)
        case 3:
            if len(message) < _V3.size:
                raise MalformedError(f"a frame of {len(message)} bytes has no header of version 3")
            kind, _, size = _V3.unpack_from(message)
            _check_kind(kind)
            return _take(message, _V3.size, size, None)
        case _:
            assert_never(framing)


def _check_kind(kind: int) -> None:
    if kind != _OPUS:
        raise MalformedError(f"a binary frame of type {kind}: only type 0, Opus, is spoken here")


def _take(message: bytes, at: int, size: int, timestamp_ms: int | None) -> Packet:
    held = len(message) - at
    if size != held:
        raise MalformedError(f"a frame says it holds {size} bytes and holds {held}")
    if not held:
        raise MalformedError("a frame without an Opus packet")
    return Packet(message[at:], timestamp_ms)
