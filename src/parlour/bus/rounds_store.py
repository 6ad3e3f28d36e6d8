"""The states of groups in Redis, and how several processes change them one after the other.

A change is read, made by a plain function and put in place of what was read, unless somebody else
was faster: then it is made again of what is there now. Changes that one process wants at the same
time are made at once, so processes that are asked a hundred times do not hinder each other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from redis.asyncio import Redis
from redis.exceptions import RedisError

from parlour.bus.rounds_text import Kept, News, read_kept, write_kept, write_news
from parlour.errors import ProviderError
from parlour.wake.group import Group
from parlour.wake.rules import Verdict

KEPT_MS = 600_000  # after the last change; longer than any turn
CALL_S = 1.5

_READ = """
local now = redis.call('TIME')
return {now[1], now[2], redis.call('GET', KEYS[1]) or ''}
"""
_SWAP = """
local now = redis.call('TIME')
local kept = redis.call('GET', KEYS[1]) or ''
if kept ~= ARGV[1] then
  return {now[1], now[2], kept}
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if ARGV[5] ~= '' then
  redis.call('PUBLISH', ARGV[4], ARGV[5])
end
return {}
"""

# May be called several times, with what is there each time and Redis' time; the last call counts.
Step = Callable[[Group, float], list[Verdict]]
# Is called as soon as a change is made, or was none (then with True), before `change` returns.
Made = Callable[[News, bool], None]


@dataclass(slots=True, eq=False)
class _Asked:
    step: Step
    made: tuple[Kept, float] | None = None


@dataclass(slots=True)
class _Line:
    """Who wants to change one group; the first does it for all that stand there."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    asked: list[_Asked] = field(default_factory=list)


class RoundsStore:
    def __init__(self, redis: Redis, prefix: str, process: str, made: Made) -> None:
        self.channel = f"{prefix}:rounds"
        self._process = process
        self._made = made
        self._read = redis.register_script(_READ)
        self._swap = redis.register_script(_SWAP)
        self._lines: dict[str, _Line] = {}

    async def change(self, name: str, step: Step) -> tuple[Kept, float]:
        """Make one change of a group; returns what is then kept, and Redis' time.

        Raises ProviderError after CALL_S at the latest; the change may have been made all the same.
        """
        line = self._lines.setdefault(name, _Line())
        asked = _Asked(step)
        line.asked.append(asked)
        try:
            with _calling():
                async with line.lock:
                    if asked.made is None:
                        await self._change(name, line)
        finally:
            if asked in line.asked:
                line.asked.remove(asked)
            if not line.asked and not line.lock.statistics().tasks_waiting:
                self._lines.pop(name, None)
        assert asked.made is not None
        return asked.made

    async def _change(self, name: str, line: _Line) -> None:
        key = f"{self.channel}:{name}"
        answer: Any = await self._read(keys=[key])
        while answer:
            now_s, text = _now_and_text(answer)
            kept = read_kept(text, name)
            before = text or write_kept(kept)
            asked = list(line.asked)
            verdicts = [verdict for one in asked for verdict in one.step(kept.group, now_s)]
            past, kept.group.past = kept.group.past, {}
            has_changed = write_kept(kept) != before
            if has_changed:
                kept = Kept(max(kept.version + 1, int(now_s * 1000)), kept.group)
            news = News(self._process, name, kept.version, verdicts, past)
            answer = await self._put(key, text, news, kept) if has_changed else None
            if not answer:
                self._made(news, not has_changed)
                for one in asked:
                    one.made = kept, now_s
                line.asked = line.asked[len(asked) :]

    async def _put(self, key: str, read: str, news: News, kept: Kept) -> object:
        """Nothing if it is done, otherwise the time and what is there now."""
        message = write_news(news) if news.verdicts or news.past else ""
        arguments = [read, write_kept(kept), str(KEPT_MS), self.channel, message]
        return await self._swap(keys=[key], args=arguments)


def as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _now_and_text(answer: Any) -> tuple[float, str]:
    seconds, microseconds, text = answer
    return int(seconds) + int(microseconds) / 1e6, as_text(text)


@contextmanager
def _calling() -> Iterator[None]:
    try:
        with anyio.fail_after(CALL_S):
            yield
    except (RedisError, OSError) as error:
        raise ProviderError("redis", type(error).__name__) from error
