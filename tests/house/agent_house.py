"""A server with an agent in a process of its own, a language model that answers by a script, and
somebody who talks to them."""

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import yaml
from anyio.streams.text import TextReceiveStream
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from parlour import tasks
from parlour.app.virtual_device import VirtualDevice
from parlour.app.virtual_turn import Turn, speech_end
from parlour.audio import HEARING_RATE_HZ, Pcm, join, silence
from parlour.gateways.web import create_server
from parlour.wire.device_peer import Heard
from parlour_bench.agent.model import stream_lines
from parlour_bench.agent.tasks import Call, Step

START_S = 30.0
LEAD_S = 0.3  # of silence before somebody speaks
WORDS_S = 0.3  # before the end of speech: there the words are understood, all at once
MS_PER_CHARACTER = 20  # of the voice

Body = dict[str, Any]

# A server by whose calendar it is later than it is.
LATER = """
import parlour.agent.graph as graph
now_utc = graph.now_utc
graph.now_utc = lambda: now_utc() + {seconds}
from parlour.app.cli import main
main()
"""


def calling(name: str, /, **arguments: object) -> Step:
    return Step(calls=[Call(name, arguments)])


@dataclass
class Model:
    """Speaks the dialect of OpenAI. To every question about `steps` it answers the one that comes
    after what was called already; so to be asked twice is to be answered twice the same."""

    url: str = ""
    bodies: list[Body] = field(default_factory=list)  # what it was asked
    read_ahead: list[Body] = field(default_factory=list)
    word_s: float = 0.0  # between two words
    words: int = 0  # that were sent
    hung_up_s: float | None = None  # when a listener left in the middle
    before: Callable[[], None] = lambda: None  # what happens when it is asked
    _steps: Sequence[Step] = ()

    def will(self, *steps: Step) -> None:
        self._steps = steps
        self.bodies.clear()
        self.words, self.hung_up_s = 0, None

    @property
    def prompt(self) -> str:
        """The words of the last prompt."""
        return told(self.bodies[-1])

    @property
    def results(self) -> list[str]:
        """What it was told of its calls, in the last prompt, since the last question."""
        messages = self.bodies[-1]["messages"]
        return [m["content"] for m in messages[_last_question(messages) :] if m["role"] == "tool"]

    async def answer(self, body: Body) -> Response:
        if body.get("max_tokens") == 1:
            self.read_ahead.append(body)
            return _sent(stream_lines(Step("."), body))
        self.bodies.append(body)
        self.before()
        asked = body["messages"]
        done = sum("tool_calls" in m for m in asked[_last_question(asked) :])
        step = self._steps[done] if done < len(self._steps) else Step("All right.")
        return StreamingResponse(self._paced(step, body), media_type="text/event-stream")

    async def _paced(self, step: Step, body: Body) -> AsyncIterator[str]:
        try:
            for line in stream_lines(step, body):
                if '"content"' in line:
                    await anyio.sleep(self.word_s)
                    self.words += 1
                yield line
        except anyio.get_cancelled_exc_class():
            self.hung_up_s = anyio.current_time()
            raise


def told(body: Body) -> str:
    return "\n".join(str(message.get("content")) for message in body["messages"])


def _last_question(messages: Sequence[Mapping[str, Any]]) -> int:
    return max(n for n, message in enumerate(messages) if message["role"] == "user")


def _sent(lines: Any) -> Response:
    return Response("".join(lines), media_type="text/event-stream")


@asynccontextmanager
async def model_server() -> AsyncIterator[Model]:
    model, app = Model(), FastAPI(openapi_url=None)

    @app.post("/v1/chat/completions")
    async def complete(request: Request) -> Response:
        return await model.answer(await request.json())

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # answers are left in the middle
    web = create_server(app)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        model.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        async with tasks.task_group() as group:
            group.start_soon(web.serve, [listener])
            yield model
            web.should_exit = web.force_exit = True


# ---------------------------------------------------------------- the server


@dataclass
class AgentServer:
    """A `parlour serve` with an agent, over HTTP and over the device link."""

    url: str
    process: anyio.abc.Process
    script: Path
    client: httpx.AsyncClient

    @property
    def device_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/device"

    async def ask(self, text: str, conversation: str = "desk", **more: str) -> str:
        body = {"text": text, "conversation": conversation, **more}
        answer = await self.client.post("/api/ask", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["reply"])

    async def prompt(self, device: str, text: str = "and now?") -> str:
        """What the model would be told if something was said at a device."""
        answer = await self.client.get("/api/prompt", params={"text": text, "device": device})
        assert answer.status_code == 200, answer.text
        return told(answer.json())

    async def health(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.client.get("/health")).json()
        return body

    async def memory(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.client.get("/api/memory")).json()
        return body

    async def is_written(self, thread: str, answer: str) -> None:
        """Wait until a turn is in the store, and not only on its way there."""
        path = f"/api/memory/conversations/{thread}"
        with anyio.fail_after(5):
            while answer not in (await self.client.get(path)).text:  # noqa: ASYNC110
                await anyio.sleep(0.02)

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def agent_server(
    folder: Path, model: Model, sections: Mapping[str, Any], *, later_s: float = 0
) -> AsyncIterator[AgentServer]:
    """`later_s`: so much later it is to the agent. Leaving stops the process, if it still runs."""
    script = folder / "script.json"
    config = {
        "stt": {"provider": "scripted"},
        "tts": {"provider": "scripted"},
        "script": {"path": str(script)},
        "llm": {"provider": "openai", "model": "m", "base_url": model.url, "api_key": "none"},
        "data": {"folder": str(folder / "data")},
        "agent": {"summary": False},  # the model is asked what people ask, and nothing else
        **sections,
    }
    await anyio.Path(folder).mkdir(exist_ok=True)
    await anyio.Path(script).write_text("{}")
    await anyio.Path(folder, "config.yml").write_text(yaml.safe_dump(config), "utf-8")
    program = ["-c", LATER.format(seconds=later_s)] if later_s else ["-m", "parlour"]
    with (folder / "log").open("ab") as log:
        process = await anyio.open_process(
            [sys.executable, *program, "serve", "--port", "0"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, "TZ": "Europe/Berlin"},
        )
    try:
        url = await _address(process)
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
            yield AgentServer(url, process, script, client)
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await process.aclose()


async def _address(process: anyio.abc.Process) -> str:
    assert process.stdout is not None
    said = ""
    with anyio.fail_after(START_S):
        async for piece in TextReceiveStream(process.stdout):
            said += piece
            if "Parlour listens on http://" in said and said.endswith("\n"):
                return said.partition("Parlour listens on ")[2].split()[0]
    raise AssertionError(f"the server said only: {said}")


# ---------------------------------------------------------------- who talks


async def say(
    server: AgentServer,
    device: str,
    text: str,
    sound: Pcm,
    *,
    hear_s: float | None = None,
    watch: Callable[[Heard], None] = lambda _: None,
) -> Turn:
    """Make a sound at a device, of which the recogniser understands the text."""
    end = round(LEAD_S * HEARING_RATE_HZ) + speech_end(sound)
    spoken = join([silence(LEAD_S, HEARING_RATE_HZ), sound, silence(0.2, HEARING_RATE_HZ)],
                  HEARING_RATE_HZ)  # fmt: skip
    words = [[text, end - round(WORDS_S * HEARING_RATE_HZ), end]]
    voice = {"first_ms": 5, "rtf": 0.05, "ms_per_character": MS_PER_CHARACTER}
    server.script.write_text(json.dumps({"stt": {"words": words}, "tts": voice}))
    async with VirtualDevice(server.device_url, device) as link:
        return await link.speak(spoken, ends=end, hear_s=hear_s, watch=watch)
