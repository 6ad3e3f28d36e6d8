"""The agent as it is put together: what its stage says of the memory."""

from pathlib import Path

import anyio
import pytest

from agents import Model
from parlour import tasks
from parlour.app import agent as minds
from parlour.app.agent import open_mind
from parlour.app.config import parse
from parlour.supervise import Health, Stages
from toolhouse import Kit


def test_a_memory_that_cannot_be_kept_leaves_the_house_ready_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minds, "LOOK_S", 0.01)
    (tmp_path / "conversations.db").write_text("this is no database, and was never one" * 100)

    async def scenario() -> None:
        config, _ = parse(
            f"data: {{folder: {tmp_path}}}\nllm: {{provider: ollama, model: x}}\n", {}
        )
        stages, kit = Stages(), Kit()
        async with open_mind(config, stages) as mind, tasks.task_group() as group:
            agent = mind.make_agent(Model(["Well."]), kit.brain(), kit.tools)
            group.start_soon(mind.run, agent)
            (stage,) = stages
            await stage.wait_ready()
            assert stages.ready
            assert stage.health is Health.READY
            assert stage.reason == mind.memory.problem != ""
            mind.memory._problem = ""
            await anyio.sleep(0.2)
            assert (stage.health, stage.reason) == (Health.READY, "")
            group.cancel_scope.cancel()

    anyio.run(scenario)
