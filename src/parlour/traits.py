"""What is known of an engine, a model and a voice, and from where it is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Grade(StrEnum):
    """How well a language is heard or spoken, as a listener would put it."""

    GOOD = "good"
    USABLE = "usable"
    POOR = "poor"
    UNMEASURED = "unmeasured"  # it is made for the language, and nobody we know has measured it


RANK = {Grade.GOOD: 3, Grade.USABLE: 2, Grade.UNMEASURED: 1, Grade.POOR: 0}


@dataclass(frozen=True, slots=True)
class Quality:
    """A grade, the figure behind it and who measured it; what no source says is left empty."""

    grade: Grade
    metric: str = ""  # "WER %"
    value: float | None = None
    dataset: str = ""  # "FLEURS"
    source: str = ""

    @property
    def figure(self) -> str:
        if self.value is None:
            return ""
        return f"{self.metric} {self.value:g}" + (f" ({self.dataset})" if self.dataset else "")


@dataclass(frozen=True, slots=True)
class Licence:
    """Three licences that often differ; "" is not known."""

    code: str = ""
    weights: str = ""
    recordings: str = ""  # of the people whose voices it was made from
    any_use: bool | None = None  # all of them allow any use, in business too; None: not known
    attribution: str = ""  # what has to be said where the voice is used in public
    source: str = ""

    def __str__(self) -> str:
        parts = {"code": self.code, "weights": self.weights, "recordings": self.recordings}
        return ", ".join(f"{part} {known or 'unknown'}" for part, known in parts.items())


class Partials(StrEnum):
    NONE = "none"  # only a final
    REPLACE = "replace"  # each partial replaces the one before
    APPEND = "append"  # partials only ever grow


class Pieces(StrEnum):
    """In what pieces sound or text comes out."""

    WHOLE = "whole"  # all at once, when it is done
    SENTENCE = "sentence"
    CHUNK = "chunk"  # while it is being made


class Timestamps(StrEnum):
    NONE = "none"
    WORD = "word"
    CHARACTER = "character"


@dataclass(frozen=True, slots=True)
class SttTraits:
    """One recogniser with one model."""

    name: str  # the provider's, in config.yml
    languages: Mapping[str, Quality]  # "hi_IN"; a bare "hi" is every region's
    partials: Partials
    offline: bool
    licence: Licence = field(default_factory=Licence)
    model: str = ""
    rate_hz: int = 16_000
    settles: bool = False  # it answers `pause` with a settled partial
    final_s: float = 2.0  # how long its final may take; then its last partial must do
    timestamps: Timestamps = Timestamps.NONE
    endpointing: bool = False  # it can tell by itself that somebody has finished
    longest_s: float | None = None  # of one utterance, by its own limits
    hosts: tuple[str, ...] = ()  # to which sound is sent
    devices: tuple[str, ...] = ("cpu",)
    memory_mb: int | None = None
    latency_ms: float | None = None  # from the end of speech to the final, on two cores
    download: str = ""  # id of the model's folder; "": there is nothing to fetch
    source: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of one engine."""

    id: str
    languages: Mapping[str, Quality]
    name: str = ""
    speakers: int = 1
    rate_hz: int | None = None  # None: the engine's
    latency_ms: float | None = None  # to the first sound of a short clause, on two cores
    licence: Licence = field(default_factory=Licence)
    download: str = ""  # as of SttTraits


@dataclass(frozen=True, slots=True)
class TtsTraits:
    """One engine that speaks, with its voices."""

    name: str
    voices: Mapping[str, Voice]
    default_voice: str
    rate_hz: int  # what its sound is handed over at, whatever the voice's own rate
    offline: bool
    licence: Licence = field(default_factory=Licence)  # of the engine; each voice has its own
    model: str = ""
    neural: bool = True  # False: formant synthesis, which sounds like a robot
    any_voice: bool = False  # it knows further voices than those that are listed
    pieces: Pieces = Pieces.CHUNK
    timestamps: Timestamps = Timestamps.NONE
    longest_chars: int | None = None  # of one text, by its own limits
    hosts: tuple[str, ...] = ()  # to which texts are sent
    devices: tuple[str, ...] = ("cpu",)
    memory_mb: int | None = None
    source: str = ""

    @property
    def languages(self) -> dict[str, Quality]:
        """Each language with the best that any voice makes of it."""
        best: dict[str, Quality] = {}
        for voice in self.voices.values():
            for language, quality in voice.languages.items():
                if language not in best or RANK[quality.grade] > RANK[best[language].grade]:
                    best[language] = quality
        return best


@dataclass(frozen=True, slots=True)
class WakePhrase:
    """One word that an engine can wait for."""

    text: str  # as it is said: "Okay Nabu"
    languages: tuple[str, ...] = ()  # in which its model was trained; (): not known
    licence: Licence = field(default_factory=Licence)


@dataclass(frozen=True, slots=True)
class WakeWordTraits:
    name: str
    words: Mapping[str, WakePhrase]  # by the id under which config.yml names them
    offline: bool
    licence: Licence = field(default_factory=Licence)  # of the engine; each word has its own
    confirms: bool = True  # it can check the wake of a device; False: it knows no phrase to check
    cpu_ms: float | None = None  # per second of sound and word, on one core
    source: str = ""


@dataclass(frozen=True, slots=True)
class LlmTraits:
    name: str
    model: str
    offline: bool
    tools: bool  # whether it can call functions


def covers(language: str, wanted: str) -> bool:
    """Whether a language serves for another: "en" and "en_US" do for each other, "en_GB" too."""
    one, other = (code.replace("-", "_").partition("_")[0] for code in (language, wanted))
    return one == other


def best_for(languages: Mapping[str, Quality], wanted: str) -> Quality | None:
    """What is known for a language: of its own region first; None where it is not known at all."""
    if wanted in languages:
        return languages[wanted]
    return next((q for language, q in languages.items() if covers(language, wanted)), None)
