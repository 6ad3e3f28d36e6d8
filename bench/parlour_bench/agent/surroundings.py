"""Everything that a task needs around it, started once: broker and home, calendar, model, web, and
the server under test."""

import json
import logging
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import anyio
import yaml
from fastapi import FastAPI, Response

from parlour import tasks
from parlour.app.sections import Config
from parlour.errors import InputError
from parlour.gateways.web import create_server
from parlour.home.broker import embedded_broker
from parlour.home.demo import FLOORS
from parlour_bench.agent.caldav import USER, CalendarServer, calendar_server
from parlour_bench.agent.model import ScriptedModel, routes
from parlour_bench.agent.server import Server, server_at
from parlour_bench.agent.simulated import WAKE, Simulated, simulate
from parlour_bench.agent.tasks import ZONE
from parlour_bench.process import own_server
from parlour_bench.script import Script

BROKER_S = 5.0


@dataclass(frozen=True, slots=True)
class RealModel:
    """A language model in place of the scripted one, as `llm` of a configuration has it."""

    model: str
    provider: str = "openai"
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)

    def section(self) -> dict[str, Any]:
        told = {"provider": self.provider, "model": self.model}
        told |= {"base_url": self.base_url} if self.base_url else {}
        return told | ({"api_key": self.api_key} if self.api_key else {})


@dataclass(slots=True)
class Pages:
    """What the web says just now."""

    weather: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    server: Server
    simulated: Simulated
    model: ScriptedModel | None  # None: a real one
    calendar: CalendarServer
    pages: Pages
    _client: aiomqtt.Client
    ready_s: float

    async def wake(self) -> None:
        """Have the devices tell how they stand."""
        await self._client.publish(WAKE, "now")


@asynccontextmanager
async def surroundings(folder: Path, real: RealModel | None) -> AsyncIterator[Surroundings]:
    """Raises ParlourError where something does not start."""
    model, pages = ScriptedModel(), Pages()
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(_broker(folder))
        simulated, client = await stack.enter_async_context(simulate(broker))
        calendar = await stack.enter_async_context(calendar_server(folder))
        web = await stack.enter_async_context(_web(model, pages))
        script = {"provider": "openai", "model": "scripted", "base_url": f"{web}/v1"}
        llm = real.section() if real else script | {"api_key": "none"}
        config = folder / "config.yml"
        config.touch(0o600)  # it may hold a key
        config.write_text(_written(folder, broker, llm, calendar, web), "utf-8")
        stack.enter_context(_zone())
        own = await stack.enter_async_context(own_server(config))
        server = await stack.enter_async_context(server_at(own.url))
        model.known = frozenset(await server.states())
        scripted = None if real else model
        yield Surroundings(server, simulated, scripted, calendar, pages, client, own.ready_s)


def _written(
    folder: Path, broker: str, llm: Mapping[str, Any], calendar: CalendarServer, web: str
) -> str:
    script = folder / "script.json"
    Script(script)
    told: dict[str, Any] = {
        "stt": {"provider": "scripted"},
        "tts": {"provider": "scripted"},
        "script": {"path": str(script)},
        "llm": dict(llm),
        "mqtt": {"url": broker, "floors": {floor: list(areas) for floor, areas in FLOORS.items()}},
        "permissions": {"risky": "confirm"},
        "data": {"folder": str(folder / "data")},
    }
    further = _further(calendar, web)
    told |= {name: section for name, section in further.items() if name in Config.model_fields}
    return yaml.safe_dump(told, allow_unicode=True)


def _further(calendar: CalendarServer, web: str) -> dict[str, Any]:
    """Sections that not every server has."""
    return {
        "agent": {"handover_s": 0},  # no task goes on with the conversation of another one
        "calendars": {"family": {"url": calendar.calendar_url, "username": USER, "password": USER}},
        "requests": {
            "web_page": {"description": "The page of news and recipes.", "url": f"{web}/page"},
            "weather_note": {
                "description": "What the weather office says.",
                "url": f"{web}/weather",
            },
        },
    }


@asynccontextmanager
async def _broker(folder: Path) -> AsyncIterator[str]:
    """A mosquitto, or where there is none the embedded broker."""
    binary = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if binary is None:
        async with embedded_broker() as url:
            yield url
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    silent = subprocess.DEVNULL
    process = await anyio.open_process([binary, "-c", str(config)], stdout=silent, stderr=silent)
    try:
        with anyio.fail_after(BROKER_S):
            await _answers(port)
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _answers(port: int) -> None:
    while True:
        try:
            async with await anyio.connect_tcp("127.0.0.1", port):
                return
        except OSError:
            await anyio.sleep(0.02)


@asynccontextmanager
async def _web(model: ScriptedModel, pages: Pages) -> AsyncIterator[str]:
    """The scripted model and the web, on one port."""
    app = FastAPI(openapi_url=None)
    routes(app, model)

    @app.get("/weather")
    async def weather() -> Response:
        told = {"weather": pages.weather or "dry", "degrees": 7}
        return Response(json.dumps(told), media_type="application/json")

    @app.get("/page")
    async def page() -> Response:
        return Response(pages.page or "Nothing happened.", media_type="text/plain")

    for name in ("uvicorn.error", "asyncio"):  # answers are cut here, and left in the middle
        logging.getLogger(name).setLevel(logging.CRITICAL)
    web = create_server(app)
    # Of this protocol by name: only then asyncio sends each piece of an answer at once.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        async with tasks.task_group() as group:
            group.start_soon(web.serve, [listener])
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            web.should_exit = True
            web.force_exit = True


@contextmanager
def _zone() -> Iterator[None]:
    """The server gets the zone that the tasks are written for."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = str(ZONE)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before


def check_installed() -> None:
    """Raises InputError where the calendar server is missing."""
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("radicale") is None:
        raise InputError("the tasks need a calendar server: `pip install radicale`")
