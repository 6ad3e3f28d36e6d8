"""What is said stays in the house."""

import os
import subprocess
import sys

SCRIPT = """
import anyio, langsmith.utils
import virtual_time
from agents import Model, talking

async def scenario():
    async with talking(Model(["Well."])) as talk:
        await talk.say("a secret")

virtual_time.run(scenario)
assert not langsmith.utils.tracing_is_enabled(), "what is said is sent to a service"
"""


def test_no_turn_is_traced_to_a_service_whatever_the_environment_says() -> None:
    environment = os.environ | {
        "LANGSMITH_TRACING": "true",
        "LANGCHAIN_TRACING_V2": "true",
        "LANGSMITH_API_KEY": "x",
        "LANGSMITH_ENDPOINT": "http://127.0.0.1:9",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        check=False,
        env=environment,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
