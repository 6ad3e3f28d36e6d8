"""Commands that need engines and no server: say, hear, engine."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import anyio
import typer

from parlour import tasks
from parlour.app import choice, registry
from parlour.app.build import url_of
from parlour.app.engines import Running, make_stt, make_tts, stt_options, tts_options
from parlour.app.pairs import SOME_NAMES, impossible_pairs
from parlour.app.sections import Config
from parlour.app.values import ADDRESS
from parlour.audio import HEARING_RATE_HZ, Pcm, frames, join, read_wav, write_wav
from parlour.catalogue import facts
from parlour.engines import child
from parlour.engines.info import stt_info, tts_info
from parlour.engines.process import Kind
from parlour.errors import InputError, MissingError, ProviderError
from parlour.home.demo import demo_entities
from parlour.home.entities import Entity
from parlour.home.mqtt import MqttHouse
from parlour.home.sampling import training_sentences
from parlour.ports import Final, Vocabulary
from parlour.supervise import Stages
from parlour.traits import best_for

START_S = 30.0
FRAME = HEARING_RATE_HZ // 10
PLAYERS = (["pw-play"], ["paplay"], ["aplay", "-q"], ["ffplay", "-nodisp", "-autoexit", "-v", "0"])


def say(config: Config, text: str, *, voice: str | None, save: Path | None) -> None:
    """Speak a text: into a file, or with the first player that this machine has."""
    if not text.strip():
        raise InputError("there is nothing to say: the text is empty")
    if voice is not None:
        config = with_voice(config, voice)
    player = None if save else _player()
    pcm = anyio.run(_speak, config, text)
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


def with_voice(config: Config, voice: str) -> Config:
    """The configuration with another voice, and with the engine and language that it belongs to.

    The configured engine's voices come first. Raises InputError.
    """
    chain = config.tts.provider
    known = {name: choice.tts_traits(config, name) for name in chain}
    found = next((name for name in chain if choice.knows(known[name], voice)), None)
    if found is None:
        for name, models in facts.speaking().items():
            if any(choice.knows(traits, voice) for traits in models.values()):
                found = name
                break
        else:
            found = next((name for name in chain if known[name].any_voice), None)
    if found is None:
        names = [voice.id for traits in known.values() for voice in traits.voices.values()]
        close = get_close_matches(voice, names, n=3) or names[:SOME_NAMES]
        raise InputError(
            f"there is no voice {voice}; there is {', '.join(close)} (`parlour voices` lists all)"
        )
    traits = known.get(found) or choice.tts_traits(config, found)
    listed = traits.voices.get(voice.partition("#")[0])
    language = config.tts.language
    if listed is not None and best_for(listed.languages, language) is None:
        language = next(iter(listed.languages))
    tts = {"provider": [found], "voice_id": voice, "language": language}
    changed = config.model_copy(update={"tts": config.tts.model_copy(update=tts)})
    for pair in impossible_pairs(changed):
        if pair.key[0] in ("tts", found):
            raise InputError(pair.text)
    return changed


def serve_engine(config: Config, kind: Kind, name: str, uri: str) -> None:
    """Serve one engine over Wyoming until Ctrl-C."""
    known = registry.STT if kind == "stt" else registry.TTS
    engines = {engine: known[engine].target for engine in known if known[engine].target}
    if name not in engines:
        raise InputError(f"there is no {kind} engine {name}; there is {', '.join(engines)}")
    if not ADDRESS.fullmatch(uri):
        raise InputError(f"{uri} is no address: it looks like tcp://0.0.0.0:10200 or unix:///PATH")
    changed = {"provider": [name]}
    section = getattr(config, kind).model_copy(update=changed)
    config = config.model_copy(update={kind: section})
    if kind == "stt":
        options = stt_options(config, name)
        info = stt_info([choice.stt_traits(config, name)])
    else:
        options = tts_options(config, name)
        info = tts_info([choice.tts_traits(config, name)])
    try:
        anyio.run(
            partial(child.run, kind, engines[name], uri, options, info=info, watch_parent=False)
        )
    except (OSError, OverflowError) as error:  # a port above 65535 overflows
        raise InputError(
            f"cannot listen on {uri}: {getattr(error, 'strerror', '') or error}"
        ) from error


async def _speak(config: Config, text: str) -> Pcm:
    running = Running(Stages())
    tts = make_tts(config, running)
    voice = choice.voice_for(config, config.tts.provider[0])
    async with started(running), tts.open(voice, config.tts.speed) as speech:
        speech.say(text)
        speech.finish()
        return join([piece.pcm async for piece in speech], tts.traits.rate_hz)


async def _hear(config: Config, pcm: Pcm) -> Final:
    running = Running(Stages())
    stt = make_stt(config, running)
    async with started(running):
        if {"pocketsphinx", "wyoming"} & set(config.stt.provider):
            sentences = training_sentences(await _entities(config))
            await stt.teach(Vocabulary(sentences))
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
async def started(running: Running) -> AsyncIterator[None]:
    """Run what engines need as long as the context is open. Raises ProviderError if the last
    process of all does not start, either."""
    async with tasks.task_group() as group:
        for process in running.processes:
            group.start_soon(process.run)
        for task in running.tasks:
            group.start_soon(task)
        try:
            await _wait_for_one(running)
            yield
        finally:
            with anyio.move_on_after(1, shield=True):
                for close in running.closers:
                    await close()
            group.cancel_scope.cancel()


async def _wait_for_one(running: Running) -> None:
    for at, process in enumerate(running.processes, 1):
        try:
            await process.wait_up(START_S)
        except ProviderError:
            if at == len(running.processes) and not running.closers:
                raise
        else:
            return


def _player() -> list[str]:
    for player in PLAYERS:
        if shutil.which(player[0]):
            return player
    names = ", ".join(player[0] for player in PLAYERS)
    raise MissingError(f"no player is installed ({names}); write a file with --save OUT.wav")
