"""What the agent still knows when servers were killed: Parlour's own, and the one that remembers."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from agent_house import AgentServer, agent_server, calling, model_server
from parlour_bench.agent.tasks import Step
from redis_server import needs_redis, redis_server
from serving import parlour

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DESK = "device:writing:desk"
WRITING = "writing:desk"
QUICK_S = 3.0  # of which half a second may be spent on a store that does not answer
FACT = "the cat is called Tiger"


async def _be_asked_whether_to_forget(server: AgentServer, model: Any, number: int) -> None:
    model.will(calling("forget_fact", which=str(number)))
    assert await server.ask("forget the name of the cat") == f"Shall I forget this: {FACT}?"


async def test_a_killed_server_remembers_the_conversation_and_what_it_has_just_asked(
    tmp_path: Path,
) -> None:
    async with model_server() as model:
        async with agent_server(tmp_path / "a", model, {}) as server:
            model.will(calling("remember", text=FACT))
            await server.ask("our cat is called tiger, keep that in mind")
            model.will(Step("Then I'll keep quiet about the mice."))
            await server.ask("tell nobody that there are mice")
            await _be_asked_whether_to_forget(server, model, 1)
            await server.is_written(DESK, "Shall I forget")
            await server.kill()
        async with agent_server(tmp_path / "a", model, {}) as server:
            prompt = await server.prompt(WRITING, "what is the cat called")
            assert "tell nobody that there are mice" in prompt
            assert "Then I'll keep quiet about the mice." in prompt
            assert FACT in prompt.splitlines()[-2]
            assert await server.ask("yes") == "It's forgotten."
            model.will(calling("remember", text=FACT))
            await server.ask("our cat is called tiger, keep that in mind")
            (fact,) = (await server.memory())["facts"]
            await _be_asked_whether_to_forget(server, model, fact["id"])
            await server.is_written(DESK, "Shall I forget")
            await server.kill()
        async with agent_server(tmp_path / "a", model, {}, later_s=20) as server:
            model.will(Step("Yes what?"))
            assert "forgotten" not in await server.ask("yes")
            assert [each["text"] for each in (await server.memory())["facts"]] == [FACT]
            assert "keep that in mind" in await server.prompt(WRITING)


async def _says(server: AgentServer, reason: str) -> None:
    """Wait until the health of the memory is told so."""
    with anyio.fail_after(15):
        while True:
            said = (await server.health())["stages"]["memory"]["reason"]
            if reason in said if reason else not said:
                return
            await anyio.sleep(0.1)


@needs_redis
async def test_a_redis_killed_in_mid_turn_costs_no_answer_and_gets_everything_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with model_server() as model, redis_server(tmp_path) as redis:
        sections = {"redis": {"url": redis.url}, "memory": {"store": "redis"}}
        async with agent_server(tmp_path / "a", model, sections) as server:
            model.will(Step("It is by the sea."))
            await server.ask("where shall we go in june")
            model.before = redis.kill
            model.will(Step("Then rather into the hills."))
            began_s = anyio.current_time()
            reply = await server.ask("the sea is too cold in june")
            assert reply == "Then rather into the hills."
            assert anyio.current_time() - began_s < QUICK_S
            model.before = lambda: None
            model.will(Step("By train."))
            began_s = anyio.current_time()
            assert await server.ask("and how do we get there") == "By train."
            assert anyio.current_time() - began_s < QUICK_S
            for text in ("where shall we go", "by the sea", "too cold in june", "into the hills"):
                assert text in model.prompt
            await _says(server, "not written at the moment")
            assert (await server.health())["ready"] is True
            shown = await to_thread.run_sync(parlour, server.url, "memory", "show")
            assert "redis: it is away" in shown.stderr
            await redis.start()
            await _says(server, "")
            await server.kill()
        async with agent_server(tmp_path / "b", model, sections) as server:
            prompt = await server.prompt(WRITING)
            for text in ("where shall we go", "too cold in june", "into the hills", "By train."):
                assert text in prompt
