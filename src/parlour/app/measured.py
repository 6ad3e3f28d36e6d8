"""What engines were measured at on this machine: written by `parlour bench engines`."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from parlour.app.engines import model_folder
from parlour.app.sections import Config

log = logging.getLogger(__name__)

FILE = "measured.json"  # beside the models


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians. `latency_ms` is to the final after the end of speech, or to the first sound."""

    rtf: float  # seconds of work for a second of sound
    latency_ms: float
    host: str
    day: str  # ISO 8601


def path_of(config: Config) -> Path:
    return model_folder(config).root / FILE


def load(config: Config) -> Mapping[str, Measured]:
    """By kind, provider and model or voice, as "stt:whisper_local:base"."""
    try:
        read = json.loads(path_of(config).read_text("utf-8"))
        return {key: Measured(**value) for key, value in read.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read, measure anew: %s", path_of(config), error)
        return {}


def save(config: Config, fresh: Mapping[str, Measured]) -> None:
    """Add figures to those that are there, in one step."""
    path = path_of(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    merged = {key: asdict(value) for key, value in {**load(config), **fresh}.items()}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(merged, indent=1), "utf-8")
    part.replace(path)


def key(kind: str, provider: str, model: str) -> str:
    return f"{kind}:{provider}:{model}"
