"""`parlour demo`: the demo home on a broker of one's own, until somebody stops it."""

import signal
from functools import partial

import anyio
import typer

from parlour import tasks
from parlour.app.build import url_of
from parlour.app.mqtturl import parse_mqtt_url
from parlour.errors import InputError
from parlour.home.demo import DemoHome, run_demo
from parlour.supervise import Stage, Stages


def demo(url: str) -> None:
    """Play until SIGINT or SIGTERM. InputError for a bad URL, HomeError when the broker is lost."""
    try:
        broker = parse_mqtt_url(url)
    except ValueError as error:
        raise InputError(f"--url {error}") from error
    anyio.run(partial(_play, url_of(broker), str(broker)))


async def _play(url: str, shown: str) -> None:
    home, stage = DemoHome(), Stages().add("demo")
    async with tasks.task_group() as group:
        group.start_soon(run_demo, url, stage, home)
        group.start_soon(_announce, stage, home, shown)
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                group.cancel_scope.cancel()


async def _announce(stage: Stage, home: DemoHome, shown: str) -> None:
    await stage.wait_ready()
    typer.echo(f"the demo home plays {len(home.devices)} devices on {shown}; Ctrl-C ends it")
