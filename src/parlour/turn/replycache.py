"""Replies that were spoken before, as packets ready to be sent: bounded in bytes."""

from collections import OrderedDict
from dataclasses import dataclass

from parlour.audio import OpusPacket

MOST_BYTES = 4 * 1024 * 1024  # about twenty minutes of speech at 24 kbit/s
LARGEST_SHARE = 8  # a reply of more than this part of all would push out too many others
LONGEST_S = 10.0  # nobody says the same thing at length twice
OVERHEAD_BYTES = 160  # of one packet's objects in memory, beyond its bytes


@dataclass(frozen=True, slots=True)
class ReplyKey:
    """Everything that the packets of a reply depend on."""

    voice: str
    text: str
    speed: float
    rate_hz: int
    frame_ms: int
    bitrate_bps: int


class ReplyCache:
    """Keeps the replies used last. Packets are counted from the sample 0."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.hits = 0
        self.misses = 0
        self.bytes = 0
        self._most_bytes = most_bytes
        self._kept: OrderedDict[ReplyKey, tuple[OpusPacket, ...]] = OrderedDict()

    def get(self, key: ReplyKey) -> tuple[OpusPacket, ...] | None:
        packets = self._kept.get(key)
        if packets is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return packets

    def put(self, key: ReplyKey, packets: tuple[OpusPacket, ...]) -> None:
        """Keep a whole reply, in the place of those used longest ago; a long one is not kept."""
        size = _size(packets)
        if not packets or packets[-1].end > LONGEST_S * key.rate_hz:
            return
        if size > self._most_bytes // LARGEST_SHARE:
            return
        self._drop(key)
        self._kept[key] = packets
        self.bytes += size
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def __contains__(self, key: ReplyKey) -> bool:
        return key in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def _drop(self, key: ReplyKey) -> None:
        self.bytes -= _size(self._kept.pop(key, ()))


def _size(packets: tuple[OpusPacket, ...]) -> int:
    return sum(len(packet.data) + OVERHEAD_BYTES for packet in packets)
