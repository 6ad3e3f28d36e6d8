"""Which engines there are: their names in config.yml, what each can do, and what runs each."""

from collections.abc import Iterable
from dataclasses import dataclass

from parlour.ports import SttTraits, TtsTraits
from parlour.providers import espeak, pocketsphinx, scripted


@dataclass(frozen=True, slots=True)
class SttEngine:
    traits: SttTraits
    module: str  # "module:function" that the engine's own process runs; "": it runs in the server's


@dataclass(frozen=True, slots=True)
class TtsEngine:
    traits: TtsTraits
    module: str


STT = {
    "pocketsphinx": SttEngine(pocketsphinx.TRAITS, "parlour.providers.pocketsphinx:serve"),
    "scripted": SttEngine(scripted.STT_TRAITS, ""),
}
TTS = {
    "espeak": TtsEngine(espeak.TRAITS, "parlour.providers.espeak:serve"),
    "scripted": TtsEngine(scripted.TTS_TRAITS, ""),
}
LLM = ("none", "ollama", "groq", "openai", "scripted")
DEFAULT_STT, DEFAULT_TTS = "pocketsphinx", "espeak"


def covers(languages: Iterable[str], wanted: str) -> bool:
    """Whether one of the languages serves: "en" and "en_US" do for each other, "en_GB" too."""
    return wanted.partition("_")[0] in {
        language.replace("-", "_").partition("_")[0] for language in languages
    }


def voices_of(traits: TtsTraits, language: str) -> list[str]:
    """The voices for a language, those of exactly this region first."""
    fitting = [voice for voice, spoken in traits.voices.items() if covers([spoken], language)]
    return sorted(fitting, key=lambda voice: traits.voices[voice].replace("-", "_") != language)
