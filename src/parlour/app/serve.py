"""`parlour serve`: from a configuration to a running server, and from a signal to a clean end."""

import logging
import signal
import sys
from pathlib import Path

import anyio
import typer
import uvicorn

from parlour import tasks
from parlour.app.build import Server, home_broker, mind_of
from parlour.app.clock import house_store
from parlour.app.models import fetch_missing
from parlour.app.sections import Config
from parlour.gateways.web import create_server, listen
from parlour.opus import find_libopus
from parlour.supervise import Health, Stages

log = logging.getLogger(__name__)

READY_S = 30.0  # then the server serves with what works, and says what does not
GOODBYE_S = 5.0


def serve(config: Config, host: str | None, port: int | None) -> None:
    """Run until SIGINT or SIGTERM. Raises ParlourError if it cannot begin."""
    fetch_missing(config, may_ask=sys.stdin.isatty())
    anyio.run(
        _serve, config, host or config.server.host, config.server.port if port is None else port
    )


async def _serve(config: Config, host: str, port: int) -> None:
    find_libopus()  # without it nothing can be heard: better said now
    with listen(host, port) as listener:
        address = f"{host}:{listener.getsockname()[1]}"
        stages = Stages()
        async with (
            house_store(config) as store,
            home_broker(config) as broker_url,
            mind_of(config, stages) as mind,
        ):
            server = Server(config, broker_url, store, stages, mind)
            await server.clock.load()
            await server.home.load()
            await server.satellites.load()
            web = create_server(server.app)
            async with tasks.task_group() as group:
                group.start_soon(_stop_on_signal, web)
                running = await _start(group, server)
                group.start_soon(_announce, server, address)
                await web.serve([listener])
                running.cancel()
                group.cancel_scope.cancel()
        log.info("stopped")


async def _start(group: anyio.abc.TaskGroup, server: Server) -> anyio.CancelScope:
    scope = anyio.CancelScope()

    async def run() -> None:
        with scope:
            await server.run()

    group.start_soon(run)
    return scope


async def _stop_on_signal(web: uvicorn.Server) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            web.should_exit = True


async def _announce(server: Server, address: str) -> None:
    """Say where to go, once everything is ready or has had its time."""
    with anyio.move_on_after(READY_S):
        await server.wait_settled()
    for stage in server.stages:
        if stage.health is not Health.READY:
            typer.echo(f"{stage.name} is {stage.health}: {stage.reason}", err=True)
    typer.echo(
        f"Parlour listens on http://{address} - talk to it: "
        f"{_program()} talk FILE.wav --url ws://{address}/device"
    )


def _program() -> str:
    """How this program was called, as far as it can be typed again from here."""
    path = Path(sys.argv[0])
    if path.name != "parlour":
        return "parlour"
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
