"""`parlour demo`: the demo home on a broker of one's own, until somebody stops it."""

import signal
from functools import partial

import anyio
import typer

from parlour import tasks
from parlour.app.build import url_of
from parlour.app.mqtturl import parse_mqtt_url
from parlour.errors import HomeError, InputError
from parlour.home.demo import DemoHome, run_demo
from parlour.supervise import Health, Stage, Stages

AGAIN_S = 0.5  # between two attempts to find the broker again


def demo(url: str) -> None:
    """Play until SIGINT or SIGTERM; come back, as devices do, when the broker does.

    InputError for a bad URL, HomeError when there is no broker to begin with.
    """
    try:
        broker = parse_mqtt_url(url)
    except ValueError as error:
        raise InputError(f"--url {error}") from error
    anyio.run(partial(_play, url_of(broker), str(broker)))


async def _play(url: str, shown: str) -> None:
    home, stage = DemoHome(), Stages().add("demo")
    async with tasks.task_group() as group:
        group.start_soon(_keep_playing, url, stage, home)
        group.start_soon(_announce, stage, home, shown)
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                group.cancel_scope.cancel()


async def _keep_playing(url: str, stage: Stage, home: DemoHome) -> None:
    has_played = False
    while True:
        stage.set(Health.STARTING)
        try:
            await run_demo(url, stage, home)
        except HomeError as error:
            if not has_played and stage.health is not Health.READY:
                raise
            if stage.health is Health.READY:
                typer.echo(f"{error}; trying again until it is back", err=True)
            has_played = True
        await anyio.sleep(AGAIN_S)


async def _announce(stage: Stage, home: DemoHome, shown: str) -> None:
    await stage.wait_ready()
    typer.echo(f"the demo home plays {len(home.devices)} devices on {shown}; Ctrl-C ends it")
