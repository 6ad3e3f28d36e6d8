"""Replies that are ready to be sent."""

from parlour.audio import OpusPacket
from parlour.turn.replycache import OVERHEAD_BYTES, ReplyCache, ReplyKey


def _key(text: str) -> ReplyKey:
    return ReplyKey("slt", text, 1.0, 16_000, 20, 24_000)


def _packets(count: int, size: int = 60) -> tuple[OpusPacket, ...]:
    return tuple(OpusPacket(bytes(size), n * 320, 320, 16_000) for n in range(count))


def test_what_was_put_in_comes_out_and_is_counted() -> None:
    cache = ReplyCache()
    assert cache.get(_key("a")) is None
    cache.put(_key("a"), _packets(3))
    assert cache.get(_key("a")) == _packets(3)
    assert (cache.hits, cache.misses, len(cache)) == (1, 1, 1)
    assert cache.bytes == 3 * (60 + OVERHEAD_BYTES)
    assert ReplyKey("rms", "a", 1.0, 16_000, 20, 24_000) not in cache


def test_the_bytes_are_bounded_and_what_was_used_longest_ago_goes() -> None:
    each = 2 * (60 + OVERHEAD_BYTES)
    cache = ReplyCache(most_bytes=each * 10)
    for n in range(10):
        cache.put(_key(str(n)), _packets(2))
    cache.get(_key("0"))
    cache.put(_key("new"), _packets(2))
    assert _key("0") in cache
    assert _key("1") not in cache
    assert cache.bytes <= each * 10
    cache.put(_key("new"), _packets(1))
    assert cache.bytes == each * 9 + each // 2


def test_long_replies_and_empty_ones_are_not_kept() -> None:
    cache = ReplyCache()
    cache.put(_key("long"), _packets(501))
    cache.put(_key("empty"), ())
    small = ReplyCache(most_bytes=8 * 100)
    small.put(_key("large"), _packets(1))
    assert (len(cache), len(small), cache.bytes) == (0, 0, 0)
