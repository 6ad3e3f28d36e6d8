"""From the configuration to engines: in processes of their own, in ours, or elsewhere."""

# What talks over HTTP is imported when it is chosen: unused it would cost five megabytes.
# ruff: noqa: PLC0415  # see above

from pathlib import Path
from typing import TypeAlias

from parlour.agent.chat import ChatBrain
from parlour.app import registry
from parlour.app.config import Config
from parlour.engines.process import EngineProcess
from parlour.engines.wyoming import WyomingStt, WyomingTts
from parlour.ports import Llm, Stt, Tts, TurnModel
from parlour.providers.scripted import ScriptedLlm, ScriptedStt, ScriptedTts
from parlour.supervise import Stages

GROQ_URL = "https://api.groq.com/openai/v1"
Process: TypeAlias = EngineProcess | None  # what has to be kept running for an engine


def make_stt(config: Config, stages: Stages) -> tuple[Stt, Process]:
    engine = registry.STT[config.stt.provider]
    if not engine.module:
        return ScriptedStt(_script(config)), None
    process = EngineProcess(stages.add(f"stt:{config.stt.provider}"), "stt", engine.module)
    return WyomingStt(process, engine.traits), process


def make_tts(config: Config, stages: Stages) -> tuple[Tts, Process]:
    engine = registry.TTS[config.tts.provider]
    if not engine.module:
        return ScriptedTts(_script(config)), None
    process = EngineProcess(stages.add(f"tts:{config.tts.provider}"), "tts", engine.module)
    return WyomingTts(process, engine.traits), process


def make_llm(config: Config) -> Llm | None:
    """None where there is no language model."""
    llm = config.llm
    if llm.provider == "none":
        return None
    if llm.provider == "scripted":
        return ScriptedLlm(_script(config))
    from parlour.providers.chat import Ollama, OllamaOptions, OpenAi, OpenAiOptions, ollama, openai

    key = llm.api_key.get_secret_value() if llm.api_key else ""
    model = llm.model or ""
    if llm.provider == "ollama":
        return Ollama(
            OllamaOptions(
                model,
                llm.base_url or ollama.URL,
                keep_alive=llm.keep_alive,
                context_tokens=llm.context_tokens,
                temperature=llm.temperature,
                most_tokens=llm.max_tokens,
            )
        )
    url = llm.base_url or (GROQ_URL if llm.provider == "groq" else openai.URL)
    return OpenAi(
        OpenAiOptions(
            model,
            url,
            key,
            llm.temperature,
            llm.max_tokens,
            llm.provider,
            offline=llm.base_url is not None,  # a server of one's own, which nobody charges for
        )
    )


def make_chat(config: Config) -> ChatBrain | None:
    llm = make_llm(config)
    return None if llm is None else ChatBrain(llm)


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
