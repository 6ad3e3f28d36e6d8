"""One suite for all that keep facts: SQLite and a real Redis."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parlour.agent.memory.facts import LONGEST_FACT, Facts, open_facts
from parlour.agent.memory.redis_client import open_redis
from parlour.agent.memory.redis_facts import RedisFacts
from parlour.errors import ProviderError, ToolError
from redis_server import needs_redis, redis_server

pytestmark = pytest.mark.anyio

Open = Callable[[Path], AbstractAsyncContextManager[Facts]]


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncGenerator[Facts]:
    async with open_facts(folder) as facts:
        yield facts


@asynccontextmanager
async def _redis(folder: Path) -> AsyncGenerator[Facts]:
    async with redis_server(folder) as server, open_redis(server.url) as client:
        yield RedisFacts(client, "parlour")


either = pytest.mark.parametrize("opened", [_sqlite, pytest.param(_redis, marks=needs_redis)])


@either
async def test_what_was_said_is_there_after_a_restart(opened: Open, tmp_path: Path) -> None:
    async with opened(tmp_path) as facts:
        fact = await facts.add("anna", "  The spare key is\nunder the pot.\x00 ")
        assert fact.text == "The spare key is under the pot."
        assert fact.owner == "anna"
        assert abs(fact.said_utc - datetime.now(UTC)) < timedelta(seconds=10)
        await facts.add("ben", "चाबी गमले के नीचे है")
    async with opened(tmp_path) as facts:
        first, second = await facts.all()
        assert first == fact
        assert second.text == "चाबी गमले के नीचे है"
        assert await facts.all("ben") == [second]
        assert await facts.all("nobody") == []


@either
async def test_the_same_words_are_kept_once_and_as_they_were_said_last(
    opened: Open, tmp_path: Path
) -> None:
    async with opened(tmp_path) as facts:
        first = await facts.add("anna", "the key is under the pot")
        again = await facts.add("anna", "The  KEY is under the pot")
        other = await facts.add("ben", "the key is under the pot")
        assert again.id == first.id
        assert again.said_utc >= first.said_utc
        assert other.id != first.id
        assert [fact.text for fact in await facts.all("anna")] == ["The KEY is under the pot"]


@either
async def test_what_is_no_fact_is_refused(opened: Open, tmp_path: Path) -> None:
    async with opened(tmp_path) as facts:
        for owner, text in (("anna", " \x00\n"), ("anna", "a" * (LONGEST_FACT + 1)), ("", "a")):
            with pytest.raises(ToolError):
                await facts.add(owner, text)
        assert (await facts.add("anna", "a" * LONGEST_FACT)).id == 1
        assert (await facts.add("anna", "half a character \ud83d")).text == "half a character"


@either
async def test_five_hundred_facts_are_enough_for_one(opened: Open, tmp_path: Path) -> None:
    async with opened(tmp_path) as facts:
        for number in range(500):
            await facts.add("anna", f"fact number {number}")
        with pytest.raises(ToolError, match=r"500 facts are kept for anna; forget some"):
            await facts.add("anna", "one more")
        await facts.add("anna", "Fact number 499")
        await facts.add("ben", "one more")
        assert await facts.forget(17) is not None
        assert (await facts.add("anna", "one more")).id == 502
        assert [fact.text for fact in await facts.find("anna", "one more thing")] == ["one more"]
        assert await facts.forget_all("anna") == 500
        await facts.add("anna", "a new beginning")


@either
async def test_what_is_forgotten_is_gone_and_its_id_is_never_used_again(
    opened: Open, tmp_path: Path
) -> None:
    async with opened(tmp_path) as facts:
        first = await facts.add("anna", "the code of the bicycle is 4711")
        await facts.add("ben", "likes tea")
        assert await facts.forget(first.id) == first
        assert await facts.forget(first.id) is None
        for strange in (0, -1, 2**70):
            assert await facts.forget(strange) is None
        assert await facts.forget_all("anna") == 0
        assert (await facts.add("anna", "the code of the bicycle is 4711")).id == 3
        assert await facts.forget_all() == 2
        assert await facts.all() == []
        assert await facts.forget_all() == 0
    assert "4711" not in _all_files(tmp_path)


def _all_files(folder: Path) -> str:
    """What SQLite has on the disk; a Redis keeps what it was told until it rewrites its log."""
    return "".join(file.read_text("latin-1") for file in folder.glob("*.db*"))


@either
async def test_the_newest_of_equal_ones_comes_first_and_strangers_facts_never(
    opened: Open, tmp_path: Path
) -> None:
    async with opened(tmp_path) as facts:
        for owner, text in (
            ("anna", "The bin is emptied on Monday."),
            ("anna", "Milk gives Ben a stomach ache."),
            ("anna", "The bin is emptied on Tuesday."),
            ("ben", "The bin is empty."),
        ):
            await facts.add(owner, text)
        found = await facts.find("anna", "when is the bin emptied")
        assert [fact.text for fact in found[:2]] == [
            "The bin is emptied on Tuesday.",
            "The bin is emptied on Monday.",
        ]
        assert [fact.id for fact in await facts.find("anna", "milk")] == [2]
        assert [fact.id for fact in await facts.find("anna", " ?", most=2)] == [3, 2]
        assert await facts.find("anna", "giraffe") == []


@needs_redis
async def test_a_fact_that_somebody_else_wrote_hides_no_other(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as server, open_redis(server.url) as client:
        facts = RedisFacts(client, "parlour")
        kept = await facts.add("anna", "likes tea")
        for name, value in (("7", b"\xff"), ("8", b"[1]"), ("x", b'["a","b","c"]')):
            await client.hset("{parlour}:facts", name, value)
        assert await facts.all() == [kept]
        server.kill()
        with pytest.raises(ProviderError, match="redis: it is away"):
            await facts.all()
