"""Commands that need engines and no server: say, hear, engine."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import typer

from parlour import tasks
from parlour.app import registry
from parlour.app.build import url_of
from parlour.app.config import Config
from parlour.app.engines import make_stt, make_tts
from parlour.audio import HEARING_RATE_HZ, Pcm, frames, join, read_wav, write_wav
from parlour.engines import child
from parlour.engines.process import EngineProcess
from parlour.engines.wyoming import WyomingStt
from parlour.errors import InputError, MissingError
from parlour.home.demo import demo_entities
from parlour.home.entities import Entity
from parlour.home.mqtt import MqttHouse
from parlour.home.sampling import training_sentences
from parlour.ports import Final
from parlour.supervise import Stages

ADDRESS = re.compile(r"unix:///.+|tcp://(?:\[[0-9A-Fa-f:.]+\]|[^:/\s]+):[0-9]{1,5}")
START_S = 30.0
FRAME = HEARING_RATE_HZ // 10
PLAYERS = (["pw-play"], ["paplay"], ["aplay", "-q"], ["ffplay", "-nodisp", "-autoexit", "-v", "0"])


def say(config: Config, text: str, *, voice: str | None, save: Path | None) -> None:
    """Speak a text: into a file, or with the first player that this machine has."""
    if not text.strip():
        raise InputError("there is nothing to say: the text is empty")
    voices = registry.TTS[config.tts.provider].traits.voices
    if voice is not None and voice not in voices:
        raise InputError(f"there is no voice {voice}; there are {', '.join(voices)}")
    player = None if save else _player()
    pcm = anyio.run(_speak, config, text, voice or config.tts.voice_id)
    if save is not None:
        write_wav(save, pcm)
    elif player is not None:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            write_wav(Path(file.name), pcm)
            subprocess.run([*player, file.name], check=False)


def hear(config: Config, file: str, *, as_json: bool) -> None:
    """Write down what is heard in a recording; nothing believed is an empty line."""
    pcm = read_wav(sys.stdin.buffer if file == "-" else Path(file))
    final = anyio.run(_hear, config, pcm)
    if as_json:
        said = {
            "transcript": final.text,
            "confidence": final.confidence,
            "rejected": final.rejected,
        }
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        typer.echo(final.text)


def serve_engine(kind: str, name: str, uri: str) -> None:
    """Serve one engine over Wyoming until Ctrl-C."""
    known = registry.STT if kind == "stt" else registry.TTS
    modules = {engine: known[engine].module for engine in known}
    engines = {engine: module for engine, module in modules.items() if module}
    if name not in engines:
        raise InputError(f"there is no {kind} engine {name}; there is {', '.join(engines)}")
    if not ADDRESS.fullmatch(uri):
        raise InputError(f"{uri} is no address: it looks like tcp://0.0.0.0:10200 or unix:///PATH")
    try:
        anyio.run(partial(child.run, kind, engines[name], uri, watch_parent=False))
    except (OSError, OverflowError) as error:  # a port above 65535 overflows
        raise InputError(
            f"cannot listen on {uri}: {getattr(error, 'strerror', '') or error}"
        ) from error


async def _speak(config: Config, text: str, voice: str | None) -> Pcm:
    tts, process = make_tts(config, Stages())
    async with _running(process), tts.open(voice, config.tts.speed) as speech:
        speech.say(text)
        speech.finish()
        return join([piece.pcm async for piece in speech], tts.traits.rate_hz)


async def _hear(config: Config, pcm: Pcm) -> Final:
    stt, process = make_stt(config, Stages())
    async with _running(process):
        if isinstance(stt, WyomingStt):
            await stt.teach(training_sentences(await _entities(config)))
        async with stt.open(config.stt.language) as hearing:
            for frame in frames(pcm, FRAME):
                hearing.feed(frame)
            hearing.finish()
            async for heard in hearing:
                if isinstance(heard, Final):
                    return heard
    raise MissingError("the recogniser ended without a word")


async def _entities(config: Config) -> list[Entity]:
    """The names of the configured house, from its broker if it has one."""
    if config.mqtt is None:
        return demo_entities()
    house = MqttHouse(url_of(config.mqtt.url), prefix=config.mqtt.discovery_prefix)
    stage = Stages().add("home")
    async with tasks.task_group() as group:
        group.start_soon(house.run, stage)
        await stage.wait_ready()
        group.cancel_scope.cancel()
    return list(house.entities.values())


@asynccontextmanager
async def _running(process: EngineProcess | None) -> AsyncIterator[None]:
    async with tasks.task_group() as group:
        if process is not None:
            group.start_soon(process.run)
            await process.wait_up(START_S)
        try:
            yield
        finally:
            group.cancel_scope.cancel()


def _player() -> list[str]:
    for player in PLAYERS:
        if shutil.which(player[0]):
            return player
    names = ", ".join(player[0] for player in PLAYERS)
    raise MissingError(f"no player is installed ({names}); write a file with --save OUT.wav")
