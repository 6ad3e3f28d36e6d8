"""From the configuration to engines: in processes of their own, in ours, or elsewhere."""

# What talks over HTTP is imported when it is chosen: unused it would cost five megabytes.
# ruff: noqa: PLC0415  # see above

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from parlour.app import choice, registry
from parlour.app.sections import Config
from parlour.catalogue.folder import ModelFolder, default_folder
from parlour.engines.chain import Link, Report
from parlour.engines.failover import FailoverLlm, FailoverStt, FailoverTts
from parlour.engines.pool import WyomingPool
from parlour.engines.process import EngineProcess, Kind
from parlour.engines.redecode import RedecodePolicy, Redecoding
from parlour.engines.wyoming import Peers, WyomingStt, WyomingTts
from parlour.events import FailedOver
from parlour.ports import Llm, Stt, Tts, TurnModel
from parlour.providers.scripted import ScriptedLlm, ScriptedStt, ScriptedTts
from parlour.supervise import Stages

GROQ_URL = "https://api.groq.com/openai/v1"
OPENAI_VOICE = "alloy"
PATIENCE_S = 0.4  # for a dead process to be back, where another engine stands by
# A recogniser that is paid by the minute is asked when the turn tells it of a pause, and only then.
PAID = RedecodePolicy(least_new_s=float("inf"), eager_s=float("inf"))

Run = Callable[
    [], Coroutine[Any, Any, None]
]  # what has to be kept running for an engine, until cancelled


class Process(Protocol):
    """A child process, or a pool of servers, that an engine lives in."""

    async def run(self) -> None: ...

    async def wait_up(self, within_s: float) -> None: ...


class Running:
    """What engines need to be running, gathered while they are made."""

    def __init__(self, stages: Stages) -> None:
        self.stages = stages
        self.processes: list[Process] = []
        self.tasks: list[Run] = []
        self.closers: list[Run] = []

    def process(self, kind: Kind, name: str, options: Mapping[str, Any]) -> EngineProcess:
        known = registry.STT if kind == "stt" else registry.TTS
        stage = self.stages.add(f"{kind}:{name}")
        process = EngineProcess(stage, kind, known[name].target, options)
        self.processes.append(process)
        return process

    def pool(self, kind: Kind, uris: list[str]) -> WyomingPool:
        pool = WyomingPool(self.stages.add(f"{kind}:wyoming"), uris)
        self.processes.append(pool)
        return pool


def _ignore(_event: FailedOver) -> None:
    """Nobody wants to know."""


def model_folder(config: Config) -> ModelFolder:
    own = config.models.folder
    return ModelFolder(Path(own).expanduser() if own else default_folder())


# ---------------------------------------------------------------- hearing


def make_stt(config: Config, running: Running, report: Report = _ignore) -> Stt:
    """The recogniser, or the chain of them. Raises MissingError."""
    names = config.stt.provider
    if len(names) == 1:
        return _make_one_stt(config, names[0], running, None)
    patience = [PATIENCE_S] * (len(names) - 1) + [None]
    links = [
        Link[Stt](name, _make_one_stt(config, name, running, patience_s))
        for name, patience_s in zip(names, patience, strict=True)
    ]
    chain = FailoverStt(links, report)
    running.tasks.append(chain.run)
    return chain


def _make_one_stt(config: Config, name: str, running: Running, patience_s: float | None) -> Stt:
    traits = choice.stt_traits(config, name)
    match name:
        case "scripted":
            return ScriptedStt(_script(config))
        case "whisper_api":
            from parlour.providers.cloud.whisper_api import WhisperApi, WhisperApiOptions

            api = config.whisper_api
            whisper = WhisperApi(
                WhisperApiOptions(
                    api_key=_secret(api.api_key or config.openai.api_key),
                    model=api.model,
                    **_url(api.base_url or config.openai.base_url),
                ),
                traits,
            )
            running.closers.append(whisper.aclose)
            return Redecoding(whisper, traits, PAID)
        case "deepgram":
            from parlour.providers.cloud.deepgram import (
                DeepgramBatch,
                DeepgramOptions,
                DeepgramStt,
            )

            deepgram = config.deepgram
            options = DeepgramOptions(
                api_key=_secret(deepgram.api_key), model=deepgram.model, **_url(deepgram.base_url)
            )
            if deepgram.live:
                return DeepgramStt(options, traits)
            batch = DeepgramBatch(options)
            running.closers.append(batch.aclose)
            return Redecoding(batch, traits, PAID)
        case "wyoming":
            assert config.wyoming.stt is not None, "the configuration was checked"
            peers: Peers = running.pool("stt", config.wyoming.stt)
        case _:
            peers = running.process("stt", name, stt_options(config, name))
    return (
        WyomingStt(peers, traits) if patience_s is None else WyomingStt(peers, traits, patience_s)
    )


def stt_options(config: Config, name: str) -> dict[str, Any]:
    """What the process of a recogniser is told."""
    if name == "pocketsphinx":
        return {}
    traits = choice.stt_traits(config, name)
    options: dict[str, Any] = {
        "folder": str(model_folder(config).path(traits.download)),
        "threads": config.stt.threads,
        "device": config.stt.device,
    }
    if name == "whisper_local":
        options |= {
            "window": config.stt.window,
            "unload_after_s": config.stt.unload_after_s,
        }
    return options


# ---------------------------------------------------------------- speaking


def make_tts(config: Config, running: Running, report: Report = _ignore) -> Tts:
    """The voice, or the chain of them. Raises MissingError."""
    names = config.tts.provider
    if len(names) == 1:
        return _make_one_tts(config, names[0], running, None)
    patience = [PATIENCE_S] * (len(names) - 1) + [None]
    links = [
        Link[Tts](
            name,
            _make_one_tts(config, name, running, patience_s),
            choice.voice_for(config, name),
        )
        for name, patience_s in zip(names, patience, strict=True)
    ]
    chain = FailoverTts(links, report)
    running.tasks.append(chain.run)
    return chain


def _make_one_tts(config: Config, name: str, running: Running, patience_s: float | None) -> Tts:
    traits = choice.tts_traits(config, name)
    match name:
        case "scripted":
            return ScriptedTts(_script(config))
        case "elevenlabs":
            from parlour.providers.cloud.elevenlabs import ElevenLabsOptions, ElevenLabsTts

            labs = config.elevenlabs
            eleven = ElevenLabsTts(
                ElevenLabsOptions(
                    api_key=_secret(labs.api_key),
                    model=labs.model,
                    websocket=labs.websocket,
                    language=config.tts.language,
                    **_url(labs.base_url),
                ),
                traits,
            )
            running.closers.append(eleven.aclose)
            return eleven
        case "openai":
            from parlour.providers.cloud.openai_speech import OpenAiSpeechOptions, OpenAiTts

            openai = OpenAiTts(
                OpenAiSpeechOptions(
                    api_key=_secret(config.openai.api_key),
                    model=config.openai.tts_model,
                    **_url(config.openai.base_url),
                ),
                traits,
            )
            running.closers.append(openai.aclose)
            return openai
        case "coqui" if config.coqui.base_url is not None:
            from parlour.providers.coqui.server import CoquiOptions, CoquiServerTts

            coqui = CoquiServerTts(
                CoquiOptions(
                    base_url=config.coqui.base_url,
                    speaker=config.coqui.voice_id or "",
                    language=config.tts.language.partition("_")[0],
                ),
                traits,
            )
            running.closers.append(coqui.aclose)
            return coqui
        case "wyoming":
            assert config.wyoming.tts is not None, "the configuration was checked"
            peers: Peers = running.pool("tts", config.wyoming.tts)
        case _:
            peers = running.process("tts", name, tts_options(config, name))
    return (
        WyomingTts(peers, traits) if patience_s is None else WyomingTts(peers, traits, patience_s)
    )


def tts_options(config: Config, name: str) -> dict[str, Any]:
    """What the process of a voice is told."""
    tts, folder = config.tts, model_folder(config)
    local = {"threads": tts.threads, "device": tts.device}
    match name:
        case "piper":
            voice = choice.voice_for(config, name) or ""
            unload = {"unload_after_s": tts.unload_after_s}
            return {"folder": str(folder.path("piper")), "preload": voice} | local | unload
        case "kokoro":
            traits = choice.tts_traits(config, name)
            return {"folder": str(folder.path(f"kokoro/{traits.model}"))} | local
        case "coqui":
            model = config.coqui.model
            language = {"language": tts.language.partition("_")[0]}
            return {"model": model, "folder": str(folder.path(f"coqui/{model}"))} | local | language
        case _:
            return {}


# ---------------------------------------------------------------- language models


def make_llm(config: Config, running: Running, report: Report = _ignore) -> Llm | None:
    """None where there is no language model."""
    names = config.llm.provider
    if names == ["none"]:
        return None
    if len(names) == 1:
        return _make_one_llm(config, names[0])
    chain = FailoverLlm([Link[Llm](name, _make_one_llm(config, name)) for name in names], report)
    running.tasks.append(chain.run)
    return chain


def _make_one_llm(config: Config, name: str) -> Llm:
    if name == "scripted":
        return ScriptedLlm(_script(config))
    from parlour.providers.chat import Ollama, OllamaOptions, OpenAi, OpenAiOptions, ollama, openai

    llm = config.llm
    model = choice.llm_model(config, name) or ""
    url = choice.llm_url(config, name)
    if name == "ollama":
        return Ollama(
            OllamaOptions(
                model,
                url or ollama.URL,
                keep_alive=llm.keep_alive,
                context_tokens=llm.context_tokens,
                temperature=llm.temperature,
                most_tokens=llm.max_tokens,
            )
        )
    return OpenAi(
        OpenAiOptions(
            model,
            url or (GROQ_URL if name == "groq" else openai.URL),
            choice.llm_key(config, name),
            llm.temperature,
            llm.max_tokens,
            name,
            offline=url is not None,  # a server of one's own, which nobody charges for
        )
    )


def make_turn_model(config: Config) -> TurnModel | None:
    """None where words and silence decide alone. Raises MissingError without the file."""
    path = config.conversation.turn_model
    if path is None:
        return None
    from parlour.providers.smart_turn import SmartTurn

    return SmartTurn(Path(path))


def _script(config: Config) -> Path:
    assert config.script is not None, "the configuration was checked"
    return Path(config.script.path)


def _secret(key: SecretStr | None) -> str:
    return key.get_secret_value() if key else ""


def _url(base_url: str | None) -> dict[str, str]:
    return {} if base_url is None else {"base_url": base_url}
