"""Whether those answer that the server leans on: the broker, Redis, the persona's file."""

import ssl
from collections.abc import Iterator, Sequence
from functools import partial
from urllib.parse import unquote, urlparse

import aiomqtt
import anyio
from anyio import to_thread
from anyio.abc import ByteStream

from parlour.agent.persona import load_persona
from parlour.app.doctor.findings import Check, Finding, Verdict
from parlour.app.mqtturl import MqttUrl
from parlour.app.owner import path_of
from parlour.app.sections import Config
from parlour.errors import ConfigError

ANSWER_S = 5.0
BROKER_MEND = "is it running, and are mqtt.url's name and password right?"
REDIS_MEND = "is it running, and are redis.url's name and password right?"
SEARCH_COMMANDS = (("FT._LIST",), ("JSON.TYPE", "parlour", "$"))


def service_checks(config: Config) -> Iterator[Check]:
    yield Check("broker", partial(_broker, config), ANSWER_S + 1, BROKER_MEND)
    if config.redis is not None:
        yield Check("redis", partial(_redis, config), ANSWER_S + 1, REDIS_MEND)
    if config.agent.persona is not None:
        yield Check("persona", partial(_persona, config.agent.persona), ANSWER_S)


async def _persona(name: str) -> Sequence[Finding]:
    try:
        persona = await to_thread.run_sync(load_persona, name, abandon_on_cancel=True)
    except ConfigError as error:
        mend = "mend the file, or leave agent.persona out"
        return [Finding("persona", Verdict.BAD, str(error), mend)]
    return [Finding("persona", Verdict.OK, f"{persona.name} can be read")]


async def _broker(config: Config) -> Sequence[Finding]:
    if config.mqtt is None:
        return [Finding("broker", Verdict.OK, "the demo home brings its own")]
    url: MqttUrl = config.mqtt.url
    given = path_of(config.mqtt.tls_ca)
    authorities = None if given is None else str(given)
    try:
        with anyio.fail_after(ANSWER_S):
            async with aiomqtt.Client(
                url.host,
                url.port,
                username=url.username,
                password=url.password,
                tls_params=aiomqtt.TLSParameters(authorities) if url.tls else None,
            ):
                return [Finding("broker", Verdict.OK, f"{url.host}:{url.port} answers")]
    except (aiomqtt.MqttError, TimeoutError, OSError) as error:
        said = f"{url.host}:{url.port}: {str(error) or 'no answer'}"
        return [Finding("broker", Verdict.BAD, said, BROKER_MEND)]


async def _redis(config: Config) -> Sequence[Finding]:
    """Log in and ask PING, as RESP has it; the kind of memory may need more."""
    assert config.redis is not None
    parts = urlparse(config.redis.url.get_secret_value())
    where = f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    login = [unquote(part) for part in (parts.username, parts.password) if part]
    before = [("AUTH", *login)] if parts.password else []
    needs_search = config.memory.store == "redis_search"
    try:
        with anyio.fail_after(ANSWER_S):
            async with await _connect(
                parts.hostname or "localhost", parts.port or 6379, tls=parts.scheme == "rediss"
            ) as stream:
                *_, pong = [await _asked(stream, each) for each in (*before, ("PING",))]
                is_well = pong.startswith("+PONG")
                searching = SEARCH_COMMANDS if is_well and needs_search else ()
                answers = [await _asked(stream, each) for each in searching]
    except (
        OSError,
        TimeoutError,
        ssl.SSLError,
        anyio.EndOfStream,
        anyio.BrokenResourceError,
    ) as error:
        said = getattr(error, "strerror", None) or str(error) or "no answer"
        return [Finding("redis", Verdict.BAD, f"{where}: {said}", REDIS_MEND)]
    if not is_well:
        return [Finding("redis", Verdict.BAD, f"{where}: {pong[:80]}", REDIS_MEND)]
    if any("unknown command" in answer.lower() for answer in answers):
        said = f"{where} has no search module, which memory.store: redis_search needs"
        mend = "set memory.store: redis, or run Redis 8 or Redis Stack"
        return [Finding("redis", Verdict.BAD, said, mend)]
    return [Finding("redis", Verdict.OK, f"{where} answers")]


async def _asked(stream: ByteStream, words: Sequence[str]) -> str:
    """The beginning of what it answers."""
    await stream.send(_command(*words))
    return (await stream.receive(1024)).decode(errors="replace").strip()


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
