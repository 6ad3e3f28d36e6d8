"""What somebody asked to be remembered, in a plain Redis."""

import logging
from datetime import UTC, datetime

from redis.asyncio import Redis

from parlour.agent.memory.facts import MOST_FACTS, Fact, best, clean, full
from parlour.agent.memory.plain import dump, load
from parlour.agent.memory.redis_client import as_bytes, as_text, calling
from parlour.agent.memory.words import normal

log = logging.getLogger(__name__)

# Keys: the facts by id, the ids by owner and text, how many an owner has, the last id.

_ADD = """
local id = redis.call('HGET', KEYS[2], ARGV[2])
if not id then
    if tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '0') >= tonumber(ARGV[4]) then return 0 end
    id = redis.call('INCR', KEYS[4])
    redis.call('HSET', KEYS[2], ARGV[2], id)
    redis.call('HINCRBY', KEYS[3], ARGV[1], 1)
end
redis.call('HSET', KEYS[1], id, ARGV[3])
return tonumber(id)
"""

_FORGET = """
local gone = 0
for index = 1, #ARGV, 3 do
    if redis.call('HDEL', KEYS[1], ARGV[index]) == 1 then
        gone = gone + 1
        redis.call('HDEL', KEYS[2], ARGV[index + 2])
        if redis.call('HINCRBY', KEYS[3], ARGV[index + 1], -1) <= 0 then
            redis.call('HDEL', KEYS[3], ARGV[index + 1])
        end
    end
end
return gone
"""

_AT_ONCE = 500  # facts that one script forgets: Lua takes some thousand arguments


class RedisFacts:
    """Satisfies `Facts`. They have no expiry: only `volatile-*` and `noeviction` spare them."""

    def __init__(self, client: Redis, prefix: str) -> None:
        self._client = client
        self._facts = f"{{{prefix}}}:facts"
        self._keys = [self._facts, *(f"{self._facts}:{each}" for each in ("same", "of", "last"))]
        self._add = client.register_script(_ADD)
        self._forget = client.register_script(_FORGET)

    @property
    def problem(self) -> str:
        return ""

    async def add(self, owner: str, text: str) -> Fact:
        owner, text = clean(owner, text)
        said_utc = datetime.now(UTC)
        same = dump([owner, normal(text)])
        fact = dump([owner, text, said_utc.isoformat()])
        with calling():
            fact_id = int(await self._add(keys=self._keys, args=[owner, same, fact, MOST_FACTS]))
        if not fact_id:
            raise full(owner)
        return Fact(fact_id, owner, text, said_utc)

    async def all(self, owner: str | None = None) -> list[Fact]:
        with calling():
            found = await self._client.hgetall(self._facts)
        facts = [fact for each in found.items() if (fact := _fact(*each)) is not None]
        facts.sort(key=lambda fact: fact.id)
        return [fact for fact in facts if owner in (None, fact.owner)]

    async def find(self, owner: str, words: str, most: int = 5) -> list[Fact]:
        return best(await self.all(owner), words, most)

    async def forget(self, fact_id: int) -> Fact | None:
        with calling():
            value = await self._client.hget(self._facts, str(fact_id))
        fact = None if value is None else _fact(fact_id, value)
        return fact if fact is not None and await self._forget_these([fact]) else None

    async def forget_all(self, owner: str | None = None) -> int:
        facts = await self.all(owner)
        gone = 0
        for start in range(0, len(facts), _AT_ONCE):
            gone += await self._forget_these(facts[start : start + _AT_ONCE])
        return gone

    async def _forget_these(self, facts: list[Fact]) -> int:
        arguments: list[str | bytes | int] = []
        for fact in facts:
            arguments += [fact.id, fact.owner, dump([fact.owner, normal(fact.text)])]
        with calling():
            return int(await self._forget(keys=self._keys, args=arguments))


def _fact(fact_id: object, value: object) -> Fact | None:
    try:
        owner, text, said_utc = load(as_bytes(value))
        return Fact(int(as_text(fact_id)), owner, text, datetime.fromisoformat(said_utc))
    except (ValueError, TypeError):
        log.warning("what is kept as fact %s cannot be read", as_text(fact_id))
        return None
