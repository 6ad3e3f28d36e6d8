"""Whether an engine or a voice can be used here and now, and the command that mends it if not."""

import ctypes.util
import importlib.util
from dataclasses import dataclass
from enum import StrEnum

from parlour.app import registry
from parlour.app.engines import model_folder
from parlour.app.sections import Config
from parlour.catalogue.folder import ModelFolder, Presence
from parlour.catalogue.models import models
from parlour.traits import SttTraits, TtsTraits, Voice


class Readiness(StrEnum):
    READY = "ready"
    NEEDS_DOWNLOAD = "needs download"
    NEEDS_KEY = "needs key"
    NEEDS_PACKAGE = "needs package"
    NEEDS_BINARY = "needs program"
    NEEDS_ADDRESS = "needs address"


@dataclass(frozen=True, slots=True)
class State:
    """`mend` is the one command, or line of config.yml, that makes it ready."""

    readiness: Readiness
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.readiness}: {self.mend}" if self.mend else str(self.readiness)


READY = State(Readiness.READY)


def stt_state(config: Config, traits: SttTraits) -> State:
    return _engine(config, "stt", traits.name) or _model(model_folder(config), traits.download)


def tts_state(config: Config, traits: TtsTraits, voice: Voice | None = None) -> State:
    """Of a voice, or of the engine without one."""
    lacks = _engine(config, "tts", traits.name)
    if lacks is not None or voice is None:
        return lacks or READY
    return _model(model_folder(config), voice.download)


def _engine(config: Config, kind: str, name: str) -> State | None:
    engine = (registry.STT if kind == "stt" else registry.TTS)[name]
    remote_coqui = name == "coqui" and config.coqui.base_url is not None
    if engine.needs and not remote_coqui and importlib.util.find_spec(engine.needs) is None:
        return State(Readiness.NEEDS_PACKAGE, f"pip install 'parlour[{engine.extra}]'")
    if name == "espeak" and not _has_espeak():
        return State(Readiness.NEEDS_BINARY, "pip install 'parlour[espeak]'")
    if name == "wyoming" and getattr(config.wyoming, kind) is None:
        return State(Readiness.NEEDS_ADDRESS, f"set wyoming.{kind} in config.yml")
    return None if _has_key(config, kind, name) else _needs_key(name)


def _has_espeak() -> bool:
    wheel = importlib.util.find_spec("espeakng_loader")
    return wheel is not None or ctypes.util.find_library("espeak-ng") is not None


def _has_key(config: Config, kind: str, name: str) -> bool:
    """A server of one's own needs none."""
    openai = config.openai
    match name:
        case "elevenlabs":
            return config.elevenlabs.api_key is not None
        case "deepgram":
            return config.deepgram.api_key is not None
        case "openai":
            return openai.api_key is not None or openai.base_url is not None
        case "whisper_api":
            own = config.whisper_api
            return any((own.api_key, own.base_url, openai.api_key, openai.base_url))
        case _:
            return True


def _needs_key(name: str) -> State:
    variable = f"{name.upper()}_API_KEY"
    return State(Readiness.NEEDS_KEY, f"set {name}.api_key: ${{{variable}}} in config.yml")


def _model(folder: ModelFolder, download: str) -> State:
    if not download:
        return READY
    model = models().get(download)
    if model is None:  # nobody tells where its files are: the owner brings them
        if any(folder.path(download).glob("*")):
            return READY
        return State(Readiness.NEEDS_DOWNLOAD, f"put its files into {folder.path(download)}")
    if folder.presence(model) is Presence.HERE:
        return READY
    return State(Readiness.NEEDS_DOWNLOAD, f"parlour models pull {download}")
