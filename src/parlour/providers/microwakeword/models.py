"""Models of microWakeWord: a .tflite and the .json beside it, as its trainer writes them."""

import json
from dataclasses import dataclass
from pathlib import Path

from parlour.errors import ConfigError
from parlour.traits import Licence, WakePhrase

STEP_MS = 10  # between features; networks of version 1 had 20
LONGEST_JSON_BYTES = 65_536
LONGEST_PHRASE = 100
_SOURCE = "https://github.com/OHF-Voice/pymicro-wakeword"
_APACHE = Licence(code="Apache-2.0", weights="Apache-2.0", source=_SOURCE)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What the .json says: `cutoff` is for the mean of `window` probabilities."""

    path: Path  # of the .tflite
    phrase: WakePhrase
    cutoff: float
    window: int


def read_model(path: Path, *, own: bool = True) -> ModelFile:
    """Read what is known of a model by either of its two files. Raises ConfigError.

    `own` is False for those of the wheel, of which the licence is known.
    """
    path = path.expanduser()
    described = path.with_suffix(".json")
    try:
        with described.open("rb") as file:
            raw = file.read(LONGEST_JSON_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {described}: {error.strerror or error}") from error
    try:
        known = json.loads(raw[:LONGEST_JSON_BYTES])
        micro = known["micro"]
        phrase, step = known["wake_word"], micro.get("feature_step_size", STEP_MS)
        cutoff, window = float(micro["probability_cutoff"]), int(micro["sliding_window_size"])
        languages = tuple(str(code) for code in known.get("trained_languages", []))
        network = described.parent / Path(str(known["model"])).name
        if not isinstance(phrase, str) or not 1 <= len(phrase) <= LONGEST_PHRASE:
            raise ValueError("wake_word must be text")
        if step != STEP_MS or not 0 < cutoff < 1 or not 1 <= window <= 100:
            raise ValueError("its figures are not those of a version 2 model")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)[:100]
        raise ConfigError(f"{described} describes no microWakeWord model: {reason}") from error
    licence = Licence(code="Apache-2.0") if own else _APACHE
    return ModelFile(network, WakePhrase(phrase.strip(), languages, licence), cutoff, window)
