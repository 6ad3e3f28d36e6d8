"""From what the owner chose to what is known of it: traits, models and voices."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlparse

from parlour.app.sections import Config
from parlour.catalogue import facts
from parlour.providers import scripted
from parlour.traits import (
    RANK,
    Grade,
    Licence,
    Partials,
    Quality,
    SttTraits,
    TtsTraits,
    Voice,
    best_for,
)

Traits = TypeVar("Traits", SttTraits, TtsTraits)

WYOMING_RATE_HZ = 22_050  # of most voices behind that protocol; others are brought to it
# What a foreign engine knows, it may tell when it is asked; until then everything is possible.
WYOMING_STT = SttTraits(
    # One of ours settles at a pause all the same; of another the last partial has to do.
    "wyoming",
    {},
    Partials.REPLACE,
    offline=True,
    final_s=8.0,
    model="as it says",
)
WYOMING_TTS = TtsTraits("wyoming", {}, "", WYOMING_RATE_HZ, offline=True, any_voice=True)


def stt_traits(config: Config, name: str) -> SttTraits:
    """What is known of a provider with the model that is chosen for it.

    Raises LookupError for a model that is not known, where only known ones can be served.
    """
    if name == "scripted":
        return scripted.STT_TRAITS
    if name == "wyoming":
        return WYOMING_STT
    models = facts.hearing()[name]
    model = stt_model(config, name)
    if model in models:
        return _served_at(models[model], _base_url(config, name))
    if name in ("whisper_local", "sherpa", "moonshine"):
        raise LookupError(f"{name} has no model {model}; it has {', '.join(models)}")
    first = next(iter(models.values()))
    unknown = replace(first, model=model, languages={}, licence=Licence(), source="")
    return _served_at(unknown, _base_url(config, name))


def stt_model(config: Config, name: str) -> str:
    match name:
        case "whisper_local":
            return config.stt.model_size
        case "whisper_api":
            return config.whisper_api.model
        case "deepgram":
            return config.deepgram.model
        case "sherpa":
            return config.sherpa.model or _sherpa_for(config)
        case "moonshine":
            return config.moonshine.model or next(iter(facts.hearing()["moonshine"]))
        case _:
            return next(iter(facts.hearing()[name]), "")


def _sherpa_for(config: Config) -> str:
    """The best model for the language that is spoken, else the first."""
    wanted = config.stt.language or config.spoken[0]
    models = facts.hearing()["sherpa"]
    return max(models, key=lambda model: _rank(best_for(models[model].languages, wanted)))


def _rank(quality: Quality | None) -> int:
    return -1 if quality is None else RANK[quality.grade]


def tts_traits(config: Config, name: str) -> TtsTraits:
    """As `stt_traits`."""
    if name == "scripted":
        return scripted.TTS_TRAITS
    if name == "wyoming":
        voice = config.wyoming.voice_id or ""
        return replace(WYOMING_TTS, default_voice=voice)
    models = facts.speaking()[name]
    model = tts_model(config, name)
    if name == "coqui" and config.coqui.base_url is not None:
        return replace(  # the server knows which model it serves
            next(iter(models.values())), model="the server's", voices={}, any_voice=True,
            default_voice="", licence=Licence(), source="",
        )  # fmt: skip
    if model in models:
        return _served_at(models[model], _base_url(config, name))
    if name == "coqui":
        raise LookupError(f"coqui has no model {model}; it has {', '.join(models)}")
    first = next(iter(models.values()))
    unknown = replace(first, model=model, voices={}, any_voice=True, licence=Licence(), source="")
    return _served_at(unknown, _base_url(config, name))


def _base_url(config: Config, name: str) -> str | None:
    own: str | None = getattr(getattr(config, name, None), "base_url", None)
    return own or (config.openai.base_url if name == "whisper_api" else None)


def _served_at(traits: Traits, base_url: str | None) -> Traits:
    """A service of one's own sends nothing away, as far as its address tells."""
    if base_url is None:
        return traits
    host = urlparse(base_url).hostname or ""
    return replace(traits, hosts=(host,), offline=is_at_home(host))


def is_at_home(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".lan", ".home.arpa"))


def tts_model(config: Config, name: str) -> str:
    match name:
        case "elevenlabs":
            return config.elevenlabs.model
        case "openai":
            return config.openai.tts_model
        case "coqui":
            return config.coqui.model
        case _:
            return next(iter(facts.speaking()[name]), "")


def own_voice(config: Config, name: str) -> str | None:
    """The voice that the provider's own section names."""
    section = getattr(config, name, None)
    voice: str | None = getattr(section, "voice_id", None)
    return voice


def voice_for(config: Config, name: str) -> str | None:
    """The voice with which a provider speaks: the one that was asked for if it has it, else its
    section's, else the best of the language. None: it has none that may be chosen unasked."""
    traits = tts_traits(config, name)
    asked = config.tts.voice_id
    if asked is not None and (knows(traits, asked) or name == config.tts.provider[0]):
        return asked
    return own_voice(config, name) or default_voice(traits, config.tts.language)


def knows(traits: TtsTraits, voice: str) -> bool:
    """Whether a voice is listed; "#3" and "#name" choose a speaker of it."""
    return voice.partition("#")[0] in traits.voices


def default_voice(traits: TtsTraits, language: str) -> str | None:
    """The best voice for a language; of those on one's own machine, one that allows any use."""
    fitting = [
        voice
        for voice in voices_of(traits, language)
        if voice.licence.any_use or not traits.offline or traits.name == "scripted"
    ]
    if not fitting:
        return traits.default_voice if traits.any_voice and traits.default_voice else None
    by_default = next((v for v in fitting if v.id == traits.default_voice), None)
    return (by_default or fitting[0]).id


def voices_of(traits: TtsTraits, language: str) -> list[Voice]:
    """The voices for a language: those of exactly this region first, then the better ones."""

    def order(voice: Voice) -> tuple[bool, int]:
        quality = best_for(voice.languages, language)
        return language not in voice.languages, -_rank(quality)

    fitting = [v for v in traits.voices.values() if best_for(v.languages, language) is not None]
    return sorted(fitting, key=order)


def llm_model(config: Config, name: str) -> str | None:
    """The provider's own section counts more where several are listed."""
    own: str | None = getattr(getattr(config, name, None), "model", None)
    return (own or config.llm.model) if len(config.llm.provider) > 1 else (config.llm.model or own)


def llm_url(config: Config, name: str) -> str | None:
    own: str | None = getattr(getattr(config, name, None), "base_url", None)
    return own if len(config.llm.provider) > 1 else (config.llm.base_url or own)


def llm_key(config: Config, name: str) -> str:
    own = getattr(getattr(config, name, None), "api_key", None)
    key = own or config.llm.api_key if len(config.llm.provider) > 1 else config.llm.api_key or own
    return key.get_secret_value() if key else ""


def speaks(traits: TtsTraits, language: str) -> bool:
    """Whether it speaks a language, or may: of some engines nobody has written it down."""
    return not traits.voices or best_for(traits.languages, language) is not None


def hears(traits: SttTraits, language: str) -> bool:
    return not traits.languages or best_for(traits.languages, language) is not None


def stt_alternatives(language: str) -> Iterator[tuple[str, str, Quality]]:
    """Provider, model and quality of all that hear a language, the best first."""
    found = [
        (name, model, quality)
        for name, models in facts.hearing().items()
        for model, traits in models.items()
        if (quality := best_for(traits.languages, language)) is not None
        and quality.grade is not Grade.POOR
    ]
    yield from sorted(found, key=lambda one: (-_rank(one[2]), one[2].value or 0.0))


def tts_alternatives(language: str) -> Iterator[tuple[str, Voice, Quality]]:
    """Provider, voice and quality of all that speak a language, the best first."""
    found = [
        (name, voice, quality)
        for name, models in facts.speaking().items()
        for traits in models.values()
        for voice in traits.voices.values()
        if (quality := best_for(voice.languages, language)) is not None
    ]
    yield from sorted(found, key=lambda one: -_rank(one[2]))
