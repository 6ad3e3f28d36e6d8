"""Who answers: one suite on one process and on several with a real Redis between them."""

import json
import math
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

import rounds_fleet
from parlour import tasks
from parlour.bus.rounds_redis import FOLLOWER_S, RedisRounds
from parlour.bus.rounds_text import Kept, News, read_kept, read_news, write_kept, write_news
from parlour.errors import ProviderError
from parlour.ids import DeviceId, new_session_id
from parlour.wake.claim import Claim, Kind
from parlour.wake.group import Group
from parlour.wake.round import Ear
from parlour.wake.rules import Lost, RoundId, Rules, TakenOver, Verdict, Won
from parlour.wake.window import WAKES
from redis_server import PROGRAM, RedisServer, needs_redis, redis_server
from rounds_house import House, Told, memory_house, redis_house

pytestmark = [pytest.mark.anyio]

RULES = Rules(window_s=0.06, least_window_s=0.04)


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[RedisServer | None]:
    if PROGRAM is None:
        yield None
        return
    async with redis_server(tmp_path_factory.mktemp("redis"), "--appendonly", "no") as running:
        yield running


@pytest.fixture(params=["memory", pytest.param("redis", marks=needs_redis)])
async def house(
    request: pytest.FixtureRequest, server: RedisServer | None
) -> AsyncGenerator[House]:
    if request.param == "memory" or server is None:
        async with memory_house(RULES) as one:
            yield one
    else:
        async with redis_house(server.url, RULES, new_session_id()) as several:
            yield several


async def test_the_loudest_wins_and_the_others_are_told(house: House) -> None:
    for device, level_dbfs in (("a", -40.0), ("b", -30.0), ("c", -35.0)):
        await house.claim(device, level_dbfs)
    await house.told.wait(3)
    assert (house.told.won, house.told.lost) == (["b"], ["a", "c"])


async def test_a_late_claim_takes_over_if_it_is_clearly_better(house: House) -> None:
    await house.claim("a", -40)
    await house.told.wait(1)
    await house.claim("b", -38)
    await house.told.wait(2)
    await house.claim("c", -30)
    await house.told.wait(3)
    assert (house.told.won, house.told.lost, house.told.taken) == (["a"], ["b"], {("a", "c")})
    assert not await house.of("a").audible(DeviceId("a"))
    assert await house.of("c").audible(DeviceId("c"))


async def test_who_is_heard_is_not_taken_over(house: House) -> None:
    await house.claim("a", -40)
    await house.told.wait(1)
    assert await house.of("a").audible(DeviceId("a"))
    await house.claim("b", -20)
    await house.told.wait(2)
    assert (house.told.won, house.told.lost) == (["a"], ["b"])


async def test_the_next_best_answers_if_the_winner_goes(house: House) -> None:
    for device, level_dbfs in (("a", -40.0), ("b", -30.0), ("c", -35.0)):
        await house.claim(device, level_dbfs)
    await house.told.wait(3)
    await house.of("b").gone(DeviceId("b"))
    await house.told.wait(4)
    assert house.told.taken == {("b", "c")}


async def test_who_goes_before_the_decision_does_not_win(house: House) -> None:
    await house.claim("a", -40)
    await house.claim("b", -30)
    await house.of("b").gone(DeviceId("b"))
    await house.told.wait(1)
    assert (house.told.won, house.told.lost) == (["a"], [])


async def test_the_end_of_a_turn_releases_the_others(house: House) -> None:
    now_s = anyio.current_time()
    old = now_s - 1.5
    await house.of("a").claim(Claim(DeviceId("a"), old, -30))
    await house.told.wait(1)
    await house.claim("b", -30)
    await house.told.wait(2)
    assert house.told.lost == ["b"]  # held, although the word is another
    await house.of("a").ended(DeviceId("a"))
    await house.claim("c", -30)
    await house.told.wait(3)
    assert house.told.won == ["a", "c"]


async def test_the_end_of_an_earlier_round_ends_nothing(house: House) -> None:
    await house.claim("a", -30)
    await house.told.wait(1)
    [won] = house.told.verdicts
    await house.claim("a", -30, Kind.BUTTON)
    await house.told.wait(2)
    await house.of("a").ended(DeviceId("a"), won.round_id)
    assert await house.of("a").audible(DeviceId("a"))
    await house.of("a").ended(DeviceId("a"))
    assert not await house.of("a").audible(DeviceId("a"))


async def test_anybody_may_decide_any_number_of_times(house: House) -> None:
    await house.claim("a", -40)
    await house.claim("b", -30)
    with anyio.move_on_after(0.15):
        while True:
            for process in house.processes:
                await process.decide("home")
            await anyio.sleep(0.001)
    assert (house.told.won, house.told.lost) == (["b"], ["a"])


async def test_a_level_that_comes_later_counts(house: House) -> None:
    await house.claim("a", -40)
    await house.claim("b", None)
    await house.told.wait(2)
    assert house.told.won == ["a"]
    await house.of("b").level(DeviceId("b"), -30, None)
    await house.told.wait(3)
    assert house.told.taken == {("a", "b")}


async def test_a_button_wins_at_once(house: House) -> None:
    await house.claim("a", -20)
    await house.claim("b", None, Kind.BUTTON)
    await house.told.wait(2)
    assert (house.told.won, house.told.lost) == (["b"], ["a"])


async def test_groups_do_not_know_each_other(house: House) -> None:
    await house.claim("a", -20, group="flat 1")
    await house.claim("b", -30, group="flat 2")
    await house.told.wait(2)
    assert sorted(house.told.won) == ["a", "b"]


async def test_a_hundred_claims_at_once_have_one_winner(house: House) -> None:
    async with tasks.task_group() as group:
        for number in range(100):
            device = f"{'abc'[number % 3]}{number}"
            group.start_soon(house.claim, device, -30.0 - number / 10)
    await house.told.wait(100, 10.0)
    answering = house.told.won[0]
    for _, winner in house.told.taken:
        answering = winner
    assert len(house.told.won) == 1
    assert answering == "a0" or not house.told.taken


async def test_absurd_claims_harm_nobody(house: House) -> None:
    await house.claim("a", 60.0)
    await house.claim("b", math.nan)
    for at_s in (math.inf, -math.inf, math.nan, 1e300, -1e300):
        await house.of("b").claim(Claim(DeviceId("b"), at_s, math.inf, -math.inf, math.nan))
    await house.claim("c", -40.0)
    await house.told.wait(3)
    assert (house.told.won, house.told.lost) == (["c"], ["a", "b"])


async def test_who_claims_all_the_time_is_refused_and_shown(house: House) -> None:
    for _ in range(RULES.most_claims + 1):
        await house.claim("a", None, Kind.BUTTON)
        await house.of("a").ended(DeviceId("a"))
        await house.of("a").gone(DeviceId("a"))
    assert house.of("a").limited == {"a"}
    assert house.told.lost == ["a"]


@needs_redis
async def test_a_follower_decides_when_the_leader_has_died(server: RedisServer) -> None:
    async with redis_house(server.url, RULES, new_session_id(), deciding=2) as house:
        await house.claim("a", -40)  # at a process that decides nothing
        began_s = anyio.current_time()
        await house.claim("b", -30)
        await house.told.wait(1)
        took_s = house.told.at_s[0] - began_s
        assert house.told.won == ["b"]
        assert RULES.window_s < took_s < RULES.window_s + FOLLOWER_S + 0.25


@needs_redis
async def test_verdicts_that_were_not_heard_are_found(server: RedisServer) -> None:
    async with redis_house(server.url, RULES, new_session_id(), deciding=1) as house:
        await house.claim("a", -40)
        await house.claim("b", -30)
        await house.claim("c", -35)
        await house.told.wait(1)
        for _ in range(2):
            for process in house.processes:
                await process.decide("home")
        assert (house.told.won, house.told.lost) == (["b"], ["a", "c"])


@needs_redis
async def test_who_has_missed_the_takeover_is_silent_all_the_same(server: RedisServer) -> None:
    async with redis_house(server.url, RULES, new_session_id(), deciding=2) as house:
        await house.claim("a", -40)
        await anyio.sleep(RULES.window_s)
        await house.of("a").decide("home")
        await house.claim("b", -30)
        assert house.told.verdicts[0] == Won(DeviceId("a"), house.told.verdicts[0].round_id)
        assert not await house.of("a").audible(DeviceId("a"))
        assert await house.of("b").audible(DeviceId("b"))


@needs_redis
async def test_processes_learn_who_is_always_alone(server: RedisServer) -> None:
    rules = Rules(window_s=0.005, same_word_s=0.0, hold_s=0.0, most_claims=1000)
    async with redis_house(server.url, rules, new_session_id(), processes=2, deciding=2) as house:
        for count in range(WAKES + 1):
            await house.claim("a", -40)
            await house.told.wait(count + 1)
        assert house.told.won == ["a"] * (WAKES + 1)
        await house.claim("a", -40)
        assert len(house.told.won) == WAKES + 2  # without any wait


@needs_redis
async def test_nothing_stays_in_redis_for_ever(server: RedisServer) -> None:
    prefix = new_session_id()
    async with redis_house(server.url, RULES, prefix) as house, Redis.from_url(server.url) as redis:
        await house.claim("a", -40)
        await house.told.wait(1)
        [key] = [key async for key in redis.scan_iter(f"{prefix}:*")]
        assert 0 < await redis.pttl(key) <= 600_000


@needs_redis
async def test_what_others_wrote_into_redis_does_no_harm(server: RedisServer) -> None:
    prefix = new_session_id()
    async with redis_house(server.url, RULES, prefix) as house, Redis.from_url(server.url) as redis:
        await redis.set(f"{prefix}:rounds:home", '{"version": 1, "group": {"name": 3}')
        for text in ("", "[]", "{", '{"verdicts": [["won"]]}', '{"verdicts": 3}'):
            await redis.publish(f"{prefix}:rounds", text)
        await house.claim("a", -40)
        await house.told.wait(1)
        assert house.told.won == ["a"]


@needs_redis
async def test_a_redis_that_is_away_is_told_of_in_time(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as server:
        url = server.url
    redis = Redis.from_url(url, protocol=2)
    rounds = RedisRounds(redis, Told().tell, RULES)
    with anyio.fail_after(2), pytest.raises(ProviderError):
        await rounds.claim(Claim(DeviceId("a"), anyio.current_time(), -30))
    await redis.aclose()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NEWS = st.fixed_dictionaries(
    dict.fromkeys(("process", "group", "version", "verdicts", "past"), JSON)
)


@given(st.text() | JSON.map(json.dumps) | NEWS.map(json.dumps))
def test_any_text_is_news_or_nothing(text: str) -> None:
    news = read_news(text)
    assert news is None or isinstance(news.version, int)


def test_news_come_as_they_were_sent() -> None:
    a, b, of = DeviceId("a"), DeviceId("b"), RoundId("home/1")
    verdicts: list[Verdict] = [Won(a, of), Lost(b, 1.5, of), TakenOver(a, b, of)]
    news = News("one", "home", 7, verdicts, {a: 1.25})
    assert read_news(write_news(news)) == news


def test_a_group_is_kept_whole() -> None:
    a, b = DeviceId("a"), DeviceId("b")
    group, ear = Group("home"), Ear(0.0, -75.0, 0.15)
    group.claim(Claim(a, 10.0, -30), ear, 10.0, RULES)
    group.decide(10.2, RULES)
    group.claim(Claim(b, 13.0, None, kind=Kind.FOLLOW_UP), ear, 13.0, RULES)
    assert group.opened is not None
    assert read_kept(write_kept(Kept(3, group)), "home") == Kept(3, group)


@needs_redis
@pytest.mark.slow
async def test_no_word_has_two_answers_while_processes_are_killed(
    server: RedisServer, tmp_path: Path
) -> None:
    kills = await to_thread.run_sync(rounds_fleet.run, server.url, tmp_path, 2100)
    found = rounds_fleet.found(tmp_path)
    assert kills >= 10
    assert len(found.claimed) >= 2000
    assert (found.double, found.silent, found.unanswered, found.errors) == (set(), set(), [], 0)
