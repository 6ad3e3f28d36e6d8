"""`parlour doctor`: looks at everything that Parlour needs and names the mend of what is wrong."""

import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from urllib.parse import unquote, urlparse

import aiomqtt
import anyio
import typer
from anyio.abc import ByteStream

from parlour.app import choice
from parlour.app.clock import data_folder
from parlour.app.config import Loaded
from parlour.app.engines import Running, make_llm, make_stt, make_tts, model_folder
from parlour.app.models import missing
from parlour.app.mqtturl import MqttUrl
from parlour.app.owner import path_of
from parlour.app.pull import size_text
from parlour.app.readiness import Readiness, stt_state, tts_state
from parlour.app.sections import Config
from parlour.app.speech import started
from parlour.audio import HEARING_RATE_HZ, silence
from parlour.errors import ParlourError
from parlour.home.store import FILE
from parlour.opus import find_libopus
from parlour.ports import Message, Prompt
from parlour.supervise import Stages

LEAST_FREE_BYTES = 500 * 1024 * 1024
LEAST_FILES = 1024  # open at once: each device and engine takes some
ENGINE_S = 40.0
BROKER_S = 5.0


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    verdict: Verdict
    said: str
    mend: str = ""


def doctor(loaded: Loaded, *, as_json: bool) -> int:
    """Print what was found; returns 1 if anything is bad."""
    findings = anyio.run(partial(_examine, loaded, quiet=as_json))
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(one) for one in findings]}, ensure_ascii=False))
    bad = [one for one in findings if one.verdict is Verdict.BAD]
    if not as_json:
        typer.echo(f"{len(bad)} of {len(findings)} need mending" if bad else "all is well")
    return 1 if bad else 0


async def _examine(loaded: Loaded, *, quiet: bool) -> list[Finding]:
    findings = []
    async for finding in _all(loaded):
        findings.append(finding)
        if not quiet:
            sign = {Verdict.OK: "ok  ", Verdict.WARN: "hm  ", Verdict.BAD: "BAD "}[finding.verdict]
            typer.echo(f"{sign} {finding.subject}: {finding.said}")
            if finding.mend:
                typer.echo(f"     mend: {finding.mend}")
    return findings


async def _all(loaded: Loaded) -> AsyncIterator[Finding]:
    config = loaded.config
    where = f"{loaded.path} is right" if loaded.path else "no file: the built-in default"
    yield Finding("configuration", Verdict.OK, where)
    for finding in _host(config):
        yield finding
    yield _port(config)
    for finding in _choices(config):
        yield finding
    yield await _engine("hearing", config, _hears)
    yield await _engine("speaking", config, _speaks)
    if config.llm.provider != ["none"]:
        yield await _engine("language model", config, _thinks)
    yield await _broker(config)
    if config.redis is not None:
        yield await _redis(config.redis.url.get_secret_value())


def _host(config: Config) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", Verdict.OK, version)
    cores = os.cpu_count() or 1
    few = "set stt.threads and tts.threads to 1, and keep to the embedded engines"
    yield Finding(
        "cores", Verdict.OK if cores > 1 else Verdict.WARN, str(cores), "" if cores > 1 else few
    )
    try:
        find_libopus()
        yield Finding("libopus", Verdict.OK, "found")
    except ParlourError as error:
        yield Finding("libopus", Verdict.BAD, str(error), "sudo apt-get install libopus0")
    folder = model_folder(config).root
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    enough = free >= LEAST_FREE_BYTES
    yield Finding(
        "disk",
        Verdict.OK if enough else Verdict.WARN,
        f"{size_text(free)} free for models in {folder}",
        "" if enough else "free some, or set models.folder",
    )
    writable = os.access(there, os.W_OK)
    if not writable:
        yield Finding("models", Verdict.BAD, f"{there} cannot be written", f"chown {there} to you")
    yield _data(config)
    yield _open_files()


def _data(config: Config) -> Finding:
    """Where timers, alarms and what was decided about devices are kept."""
    folder = data_folder(config)
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        return Finding("data", Verdict.BAD, f"{there} is no folder", "set data.folder")
    if not os.access(there, os.W_OK | os.X_OK):
        mend = f"chown {there} to you, or set data.folder"
        return Finding("data", Verdict.BAD, f"{there} cannot be written", mend)
    file = folder / FILE
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        return Finding("data", Verdict.BAD, f"{file} cannot be written", f"chown {file} to you")
    return Finding("data", Verdict.OK, f"{folder} can be written")


def _open_files() -> Finding:
    import resource  # noqa: PLC0415  # there is none on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = soft < LEAST_FILES
    return Finding(
        "open files",
        Verdict.WARN if few else Verdict.OK,
        str(soft),
        "ulimit -n 4096" if few else "",
    )


def _port(config: Config) -> Finding:
    host, port = config.server.host, config.server.port
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return Finding(
            "port",
            Verdict.WARN,
            f"{host}:{port} cannot be listened on: {error.strerror or error}",
            "is Parlour running already? else set server.port",
        )
    open_to_all = host not in ("127.0.0.1", "::1", "localhost")
    return Finding(
        "port",
        Verdict.WARN if open_to_all else Verdict.OK,
        f"{host}:{port} is free" + ("; everybody in the network can talk to it" * open_to_all),
    )


def _choices(config: Config) -> Iterator[Finding]:
    """Keys, packages and models of all engines that are chosen."""
    for name in config.stt.provider:
        if name not in ("scripted", "wyoming"):
            state = stt_state(config, choice.stt_traits(config, name))
            yield _state(f"stt {name}", state.readiness, state.mend)
    for name in config.tts.provider:
        if name not in ("scripted", "wyoming"):
            traits = choice.tts_traits(config, name)
            voice = traits.voices.get((choice.voice_for(config, name) or "").partition("#")[0])
            state = tts_state(config, traits, voice)
            yield _state(f"tts {name}", state.readiness, state.mend)
    for model in missing(config):
        said = f"{model.id} is not here ({size_text(model.size_bytes)})"
        yield Finding("model", Verdict.BAD, said, f"parlour models pull {model.id}")


def _state(subject: str, readiness: Readiness, mend: str) -> Finding:
    verdict = Verdict.OK if readiness is Readiness.READY else Verdict.BAD
    return Finding(subject, verdict, str(readiness), mend)


async def _engine(
    subject: str, config: Config, work: Callable[[Config, Running], AsyncIterator[str]]
) -> Finding:
    """Have the chosen engine do what it is for, once."""
    running = Running(Stages())
    began_s = anyio.current_time()
    try:
        with anyio.fail_after(ENGINE_S):
            said = [one async for one in work(config, running)]
    except TimeoutError:
        return Finding(
            subject, Verdict.BAD, f"no answer within {ENGINE_S:.0f} s", "parlour --debug"
        )
    except ParlourError as error:
        return Finding(subject, Verdict.BAD, str(error), _mend_in(str(error)))
    took_s = anyio.current_time() - began_s
    return Finding(subject, Verdict.OK, f"{said[-1]}, {took_s:.1f} s with its start")


async def _hears(config: Config, running: Running) -> AsyncIterator[str]:
    stt = make_stt(config, running)
    heard = ""
    async with started(running), stt.open(config.stt.language) as hearing:
        hearing.feed(silence(0.5, HEARING_RATE_HZ))
        hearing.finish()
        async for one in hearing:
            heard = one.text
    yield f"{stt.traits.name} hears" + (f" {heard!r} in silence" if heard else "")


async def _speaks(config: Config, running: Running) -> AsyncIterator[str]:
    tts = make_tts(config, running)
    duration_s = 0.0
    voice = choice.voice_for(config, config.tts.provider[0])
    async with started(running), tts.open(voice) as speech:
        speech.say("One.")
        speech.finish()
        async for piece in speech:
            duration_s += piece.pcm.duration_s
    yield f"{tts.traits.name} speaks"


async def _thinks(config: Config, running: Running) -> AsyncIterator[str]:
    llm = make_llm(config, running)
    assert llm is not None, "there is one"
    try:
        async with llm.open(Prompt((Message("user", "Say yes."),), most_tokens=16)) as deltas:
            async for _ in deltas:
                pass
    finally:
        await llm.aclose()
    yield f"{llm.traits.name} {llm.traits.model} answers"


async def _broker(config: Config) -> Finding:
    if config.mqtt is None:
        return Finding("broker", Verdict.OK, "the demo home brings its own")
    url: MqttUrl = config.mqtt.url
    given = path_of(config.mqtt.tls_ca)
    authorities = None if given is None else str(given)
    try:
        with anyio.fail_after(BROKER_S):
            async with aiomqtt.Client(
                url.host,
                url.port,
                username=url.username,
                password=url.password,
                tls_params=aiomqtt.TLSParameters(authorities) if url.tls else None,
            ):
                return Finding("broker", Verdict.OK, f"{url.host}:{url.port} answers")
    except (aiomqtt.MqttError, TimeoutError, OSError) as error:
        said = f"{url.host}:{url.port}: {str(error) or 'no answer'}"
        mend = "is it running, and are mqtt.url's name and password right?"
        return Finding("broker", Verdict.BAD, said, mend)


async def _redis(url: str) -> Finding:
    """Log in and ask PING, as RESP has it."""
    parts = urlparse(url)
    host, port = parts.hostname or "localhost", parts.port or 6379
    where, mend = f"{host}:{port}", "is it running, and are redis.url's name and password right?"
    login = [unquote(part) for part in (parts.username, parts.password) if part]
    lines = [_command("AUTH", *login)] * bool(parts.password) + [_command("PING")]
    try:
        with anyio.fail_after(BROKER_S):
            async with await _connect(host, port, tls=parts.scheme == "rediss") as stream:
                answers = []
                for line in lines:
                    await stream.send(line)
                    answers.append(await stream.receive(1024))
    except (OSError, TimeoutError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
        said = getattr(error, "strerror", None) or str(error) or "no answer"
        return Finding("redis", Verdict.BAD, f"{where}: {said}", mend)
    if answers[-1].startswith(b"+PONG"):
        return Finding("redis", Verdict.OK, f"{where} answers")
    said = answers[-1].decode(errors="replace").strip()[:80]
    return Finding("redis", Verdict.BAD, f"{where}: {said}", mend)


async def _connect(host: str, port: int, *, tls: bool) -> ByteStream:
    if tls:
        return await anyio.connect_tcp(host, port, tls=True)
    return await anyio.connect_tcp(host, port)


def _command(*words: str) -> bytes:
    """As RESP has it: the count, then each word with its length."""
    parts = [f"*{len(words)}"]
    for word in words:
        parts += [f"${len(word.encode())}", word]
    return ("\r\n".join(parts) + "\r\n").encode()


def _mend_in(text: str) -> str:
    """The command that an error names, if it names one."""
    for start in ("parlour models", "pip install"):
        if start in text:
            return text[text.index(start) :].partition(";")[0].strip()
    return ""
