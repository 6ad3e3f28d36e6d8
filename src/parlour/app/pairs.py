"""Values that are right by themselves and cannot be together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from parlour.app import choice
from parlour.app.configfile import KeyPath
from parlour.app.masking import mask_urls
from parlour.app.sections import Config, Mqtt
from parlour.app.toolnames import clashes, owner_text
from parlour.app.values import either
from parlour.traits import TtsTraits, Voice, best_for

URL = ("mqtt", "url")
SOME_NAMES = 8  # so many voices are named in an error


@dataclass(frozen=True, slots=True)
class Pair:
    key: KeyPath
    text: str
    others: tuple[KeyPath, ...] = ()  # if one of these is wrong itself, nothing is said

    @property
    def keys(self) -> tuple[KeyPath, ...]:
        return (self.key, *self.others)


def impossible_pairs(config: Config) -> Iterator[Pair]:
    for name in config.tts.provider:
        yield from _impossible_voice(config, name)
    yield from _voice_of_nobody(config)
    yield from _impossible_hearing(config)
    yield from _missing_keys(config)
    yield from _unfinished_model(config)
    for section, names in (
        ("stt", config.stt.provider),
        ("tts", config.tts.provider),
        ("llm", config.llm.provider),
    ):
        if "scripted" in names and config.script is None:
            yield Pair((section, "provider"), "scripted needs script.path, a JSON file")
    if config.memory.store != "sqlite" and config.redis is None:
        text = f"{config.memory.store} needs redis.url, as redis://localhost:6379/0"
        yield Pair(("memory", "store"), text, (("redis",),))
    if config.wake.shared and config.redis is None:
        text = "needs redis.url, as redis://localhost:6379/0"
        yield Pair(("wake", "shared"), text, (("redis",),))
    if config.mqtt is not None:
        yield from _area_on_two_floors(config.mqtt)
        if config.mqtt.tls_ca is not None and not config.mqtt.url.tls:
            yield Pair(("mqtt", "tls_ca"), "is for mqtts://, and mqtt.url is mqtt://", (URL,))
    yield from _area_named_twice(config)
    yield from _unusable_devices(config)
    for name, key, other in clashes(config):
        text = f"the tool {name} is called as one of {owner_text(other)}; rename it"
        yield Pair(key, text, (other,) if other else ())


# ---------------------------------------------------------------- speaking

PROVIDER, LANGUAGE, VOICE = ("tts", "provider"), ("tts", "language"), ("tts", "voice_id")


def _impossible_voice(config: Config, name: str) -> Iterator[Pair]:
    tts = config.tts
    try:
        traits = choice.tts_traits(config, name)
    except LookupError as error:
        yield Pair((name, "model"), str(error.args[0]), (PROVIDER,))
        return
    own = choice.own_voice(config, name)
    if not choice.speaks(traits, tts.language):
        yield Pair(
            LANGUAGE,
            f"{name} does not speak {tts.language}; {_who_speaks(tts.language, traits)}",
            (PROVIDER,),
        )
    elif own is not None and not choice.knows(traits, own) and not traits.any_voice:
        yield Pair((name, "voice_id"), _no_such_voice(traits, own, tts.language), (PROVIDER,))
    elif choice.voice_for(config, name) is None and (name != "wyoming" and traits.voices):
        yield Pair(PROVIDER, _no_free_voice(traits, tts.language), (LANGUAGE, VOICE))
    asked = tts.voice_id or ""
    voice = traits.voices.get(asked.partition("#")[0])
    if voice is not None and best_for(voice.languages, tts.language) is None:
        spoken = ", ".join(voice.languages)
        text = f"{asked} speaks {spoken}, not {tts.language}; {_for_that(traits, tts.language)}"
        yield Pair(VOICE, text, (PROVIDER, LANGUAGE))


def _voice_of_nobody(config: Config) -> Iterator[Pair]:
    """A voice that no provider of the list has."""
    voice = config.tts.voice_id
    if voice is None:
        return
    known = []
    for name in config.tts.provider:
        try:
            known.append(choice.tts_traits(config, name))
        except LookupError:
            return
    if any(traits.any_voice or choice.knows(traits, voice) for traits in known):
        return
    text = _no_such_voice(known[0], voice, config.tts.language)
    yield Pair(VOICE, text, (PROVIDER, LANGUAGE))


def _no_such_voice(traits: TtsTraits, voice: str, language: str) -> str:
    close = get_close_matches(voice, list(traits.voices), n=1)
    names = close or [v.id for v in choice.voices_of(traits, language)[:SOME_NAMES]]
    return f"{traits.name} has no voice {mask_urls(voice)!r}; it has {', '.join(names)}"


def _no_free_voice(traits: TtsTraits, language: str) -> str:
    voices = choice.voices_of(traits, language)[:SOME_NAMES]
    named = ", ".join(f"{voice.id} (recordings: {_recordings(voice)})" for voice in voices)
    return (
        f"no voice of {traits.name} for {language} is known to allow any use;"
        f" choose one by voice_id: {named}"
    )


def _recordings(voice: Voice) -> str:
    return voice.licence.recordings or "licence unknown"


def _for_that(traits: TtsTraits, language: str) -> str:
    names = [voice.id for voice in choice.voices_of(traits, language)[:SOME_NAMES]]
    return f"for that there is {', '.join(names)}"


def _who_speaks(language: str, traits: TtsTraits) -> str:
    able = list(dict.fromkeys(name for name, _, _ in choice.tts_alternatives(language)))
    return _instead(able, "does", traits.languages)


# ---------------------------------------------------------------- hearing


def _impossible_hearing(config: Config) -> Iterator[Pair]:
    provider = ("stt", "provider")
    known = []
    for name in config.stt.provider:
        try:
            known.append(choice.stt_traits(config, name))
        except LookupError as error:
            key: KeyPath = ("stt", "model_size") if name == "whisper_local" else (name, "model")
            yield Pair(key, str(error.args[0]), (provider,))
            return
    wanted: dict[KeyPath, str | None] = {("stt", "language"): config.stt.language} | {
        ("languages", at): language
        for at, language in enumerate(
            config.spoken if config.stt.language is None else config.languages or ()
        )
    }
    for wanted_key, language in wanted.items():
        if language is None or any(choice.hears(traits, language) for traits in known):
            continue
        names = either([_with_model(traits.name, traits.model) for traits in known])
        best: dict[str, str] = {}
        for name, model, _ in choice.stt_alternatives(language):
            best.setdefault(name, model)
        able = [_with_model(name, model) for name, model in best.items()]
        verb = "do" if len(known) > 1 else "does"
        text = f"{names} {verb} not hear {language}; {_instead(able, 'does', known[0].languages)}"
        yield Pair(wanted_key, text, (provider,))


def _with_model(name: str, model: str) -> str:
    return f"{name} ({model})" if name in ("whisper_local", "sherpa", "whisper_api") else name


def _instead(able: list[str], verb: str, languages: Iterable[str]) -> str:
    """What would do: other engines for this language, else other languages for this engine."""
    if able:
        return f"{either(able[:SOME_NAMES])} {verb}"
    return f"it knows {', '.join(sorted(languages))}"


# ---------------------------------------------------------------- keys and models


def _missing_keys(config: Config) -> Iterator[Pair]:
    say = "needs a key, best as ${VARIABLE}"
    if "elevenlabs" in config.tts.provider and config.elevenlabs.api_key is None:
        yield Pair(("elevenlabs", "api_key"), f"elevenlabs {say}", (PROVIDER,))
    if (
        "openai" in config.tts.provider
        and config.openai.api_key is None
        and config.openai.base_url is None
    ):
        yield Pair(("openai", "api_key"), f"openai {say}", (PROVIDER,))
    provider = ("stt", "provider")
    if "deepgram" in config.stt.provider and config.deepgram.api_key is None:
        yield Pair(("deepgram", "api_key"), f"deepgram {say}", (provider,))
    if "whisper_api" in config.stt.provider:
        keys = config.whisper_api.api_key or config.openai.api_key
        urls = config.whisper_api.base_url or config.openai.base_url
        if keys is None and urls is None:
            yield Pair(("whisper_api", "api_key"), f"whisper_api {say}", (provider,))
    if "wyoming" in config.stt.provider and config.wyoming.stt is None:
        text = "wyoming needs the address of a recogniser, as tcp://10.0.0.5:10300"
        yield Pair(("wyoming", "stt"), text, (provider,))
    if "wyoming" in config.tts.provider and config.wyoming.tts is None:
        text = "wyoming needs the address of a voice, as tcp://10.0.0.5:10200"
        yield Pair(("wyoming", "tts"), text, (PROVIDER,))


def _unfinished_model(config: Config) -> Iterator[Pair]:
    llm, provider, model = config.llm, ("llm", "provider"), ("llm", "model")
    if "none" in llm.provider and len(llm.provider) > 1:
        yield Pair(provider, "none stands alone: it is to have no language model")
    if llm.provider == ["none"] and llm.model is not None:
        yield Pair(model, f"who serves {mask_urls(llm.model)}? llm.provider is none", (provider,))
    for name in llm.provider:
        if name in ("ollama", "groq", "openai") and choice.llm_model(config, name) is None:
            yield Pair(model, f"{name} needs the name of a model", (provider,))
        hosted = name == "groq" or (name == "openai" and choice.llm_url(config, name) is None)
        if hosted and llm.api_key is None and getattr(config, name).api_key is None:
            text = f"{name} needs a key, best as ${{VARIABLE}}"
            yield Pair(("llm", "api_key"), text, (provider,))


def _area_on_two_floors(mqtt: Mqtt) -> Iterator[Pair]:
    floor_of: dict[str, str] = {}
    for floor, areas in mqtt.floors.items():
        for area in areas:
            first = floor_of.setdefault(area.casefold(), floor)
            if first != floor:
                text = f"{area} is on {first} already"
                yield Pair(("mqtt", "floors", floor), text, (("mqtt", "floors", first),))


def _area_named_twice(config: Config) -> Iterator[Pair]:
    floors = config.mqtt.floors if config.mqtt else {}
    floor_of = {area.casefold(): floor for floor, areas in floors.items() for area in areas}
    seen: dict[str, str] = {}
    for name, area in config.areas.items():
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            yield Pair(("areas", name), f"is {first} already", (("areas", first),))
        floor = floor_of.get(name.casefold())
        if None not in (area.floor, floor) and area.floor != floor:
            text = f"{name} is on {floor} already, by mqtt.floors"
            yield Pair(("areas", name, "floor"), text, (("mqtt", "floors"),))


def _unusable_devices(config: Config) -> Iterator[Pair]:
    """Devices made by hand of which the house could make nothing."""
    own = {key: device for key, device in config.devices.items() if device.mqtt is not None}
    if not own:
        return
    # Reading what a device announces takes a template engine, and most homes need none here.
    from parlour.app.owner import override_of  # noqa: PLC0415
    from parlour.home.overrides import define_own  # noqa: PLC0415

    for key, device in own.items():
        try:
            define_own(key, override_of(device))
        except ValueError as error:
            text = mask_urls(str(error).removeprefix(f"{key}: "))
            yield Pair(("devices", key, "mqtt"), text)
