"""The owner's `config.yml`: typed, checked as a whole, and wrong in one line per mistake."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
)
from pydantic_core import ErrorDetails

from parlour.app import registry
from parlour.app.configfile import FileValues, KeyPath, Problem, Value, key_text, read_text
from parlour.app.masking import MASK, is_secret, mask_key, mask_urls
from parlour.app.mqtturl import MqttUrl, parse_mqtt_url
from parlour.errors import ConfigError

FILE_NAME = "config.yml"
VARIABLE = "PARLOUR_CONFIG"
LONGEST_SHOWN = 40  # characters of a wrong value
SOME_NAMES = 8  # so many voices are named in an error
LONGEST_NAME = 60  # characters, as for names that devices announce

# ---------------------------------------------------------------- what a value may be


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    raise ValueError("must be text" if value is None else "must be text; put it in quotes")


def _name(value: object) -> str:
    text = _text(value)
    if not 1 <= len(text) <= LONGEST_NAME or not text.isprintable():
        raise ValueError(f"must have 1 to {LONGEST_NAME} characters on one line")
    return text


def _language(value: object) -> str:
    parts = re.fullmatch(r"([a-z]{2,3})(?:[_-]([A-Za-z]{2}|[0-9]{3}))?", _text(value))
    if parts is None:
        raise ValueError("must be a language such as en_US")
    return f"{parts[1]}_{parts[2].upper()}" if parts[2] else parts[1]


def _between(low: float, high: float, kind: type[int] | type[float] = float) -> BeforeValidator:
    """A number from the file, or the text of one from the environment."""
    span = f"must be {'a whole number ' if kind is int else ''}between {low} and {high}"

    def number(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(span)  # noqa: TRY004  # pydantic listens for ValueError
        try:
            read = float(value)
        except ValueError:
            raise ValueError(span) from None
        if not low <= read <= high or kind(read) != read:
            raise ValueError(span)
        return kind(read)

    return BeforeValidator(number)


def _prefix(value: object) -> str:
    text = _text(value).strip("/")
    if not text or text.startswith("$") or not text.isprintable() or set(text) & set("+#"):
        raise ValueError("must be an MQTT topic without + and #, such as homeassistant")
    return text


def _url(value: object) -> MqttUrl:
    return value if isinstance(value, MqttUrl) else parse_mqtt_url(_text(value))


def _http_url(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"https?://[^/@\s]+(?:/[^\s?#@]*)?", text):
        raise ValueError("must look like http://127.0.0.1:8080/v1, without a login")
    return text


def _key(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("must be the key alone, without blanks")
    return text


def _keep_alive(value: object) -> int | str:
    """As Ollama takes it: seconds, a time with its unit, or any number below 0 for ever."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        text = str(value).strip()
        if re.fullmatch(r"-1|[0-9]{1,7}", text):
            return int(text)
        if re.fullmatch(r"[0-9]{1,5}[smh]", text):
            return text
    raise ValueError("must be -1 for ever, or a time such as 30m")


def _provider(there_is: Iterable[str]) -> BeforeValidator:
    names = sorted(there_is)

    def provider(value: object) -> str:
        if isinstance(value, list) and len(value) > 1:
            raise ValueError("must be one name: fail-over between several is not available yet")
        name = value[0] if isinstance(value, list) and value else value
        if name not in names:
            close = get_close_matches(str(name), names, n=1)
            hint = f"; did you mean {close[0]}?" if close and len(names) > 1 else ""
            raise ValueError(f"must be {_either(names)}{hint}")
        return str(name)

    return BeforeValidator(provider)


Text: TypeAlias = Annotated[str, BeforeValidator(_text)]
Name: TypeAlias = Annotated[str, BeforeValidator(_name)]
Language: TypeAlias = Annotated[str, BeforeValidator(_language)]

# ---------------------------------------------------------------- the sections


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Server(Section):
    """Where devices and the command line find the server."""

    host: Name = Field(
        default="127.0.0.1", description="Address to listen on; 0.0.0.0 for every network"
    )
    port: Annotated[int, _between(0, 65535, int)] = Field(
        default=8000, description="Port to listen on, 0 to 65535; 0 takes any free one"
    )
    most_sessions: Annotated[int, _between(1, 1000, int)] = Field(
        default=100, description="Devices connected at once; fewer where the machine cannot keep up"
    )
    most_load: Annotated[float, _between(0.0, 1.0)] = Field(
        default=0.75,
        description="Share of a core at which further devices are refused; 0: they never are",
    )


class Tts(Section):
    """The voice that answers."""

    provider: Annotated[str, _provider(registry.TTS)] = Field(
        default=registry.DEFAULT_TTS, description=f"Engine that speaks: {', '.join(registry.TTS)}"
    )
    voice_id: Name | None = Field(
        default=None, description="Voice of that engine; null: its default"
    )
    language: Language = Field(default="en_US", description="Language of the answers")
    speed: Annotated[float, _between(0.5, 2.0)] = Field(
        default=1.0, description="Pace, 0.5 to 2.0; 1.0 is the voice's own"
    )


class Stt(Section):
    """The ear that understands."""

    provider: Annotated[str, _provider(registry.STT)] = Field(
        default=registry.DEFAULT_STT, description=f"Engine that listens: {', '.join(registry.STT)}"
    )
    language: Language | None = Field(
        default=None,
        description="Language to expect; null: detected, or the only one the engine has",
    )


class Llm(Section):
    """The language model for what the grammar does not know."""

    provider: Annotated[str, _provider(registry.LLM)] = Field(
        default="none",
        description=f"Language model: {', '.join(registry.LLM)}; openai is any server of its dialect",
    )
    model: Name | None = Field(default=None, description="Model, by the name the provider gives it")
    base_url: Annotated[str, BeforeValidator(_http_url)] | None = Field(
        default=None, description="Where it is served; null: the provider's own address"
    )
    api_key: Annotated[SecretStr, BeforeValidator(_key)] | None = Field(
        default=None, description="Key of the provider, best as ${VARIABLE}"
    )
    temperature: Annotated[float, _between(0.0, 2.0)] | None = Field(
        default=None, description="0.0 to 2.0; null: the model's own"
    )
    max_tokens: Annotated[int, _between(16, 8192, int)] = Field(
        default=512, description="Longest answer, in tokens"
    )
    context_tokens: Annotated[int, _between(1024, 1_000_000, int)] = Field(
        default=8192, description="ollama: size of the context; a change loads the model anew"
    )
    keep_alive: Annotated[int | str, BeforeValidator(_keep_alive)] = Field(
        default=-1, description="ollama: how long the model stays loaded, as in 30m; -1: for ever"
    )


class Conversation(Section):
    """How turns follow each other."""

    follow_up_s: Annotated[float, _between(0.0, 30.0)] = Field(
        default=6.0,
        description="Seconds after an answer in which no wake word is needed; 0: always needed",
    )
    turn_model: Text | None = Field(
        default=None,
        description="Path of a Smart Turn v3 network (ONNX), which hears from the sound whether"
        " somebody has finished; null: words and silence decide alone",
    )


class Script(Section):
    """Engines that work by a script, for benches and tests (provider: scripted)."""

    path: Text = Field(description="Path of the JSON file")


class Mqtt(Section):
    """Your own broker. Without this section a demo home runs on an embedded one."""

    url: Annotated[MqttUrl, BeforeValidator(_url), PlainSerializer(str)] = Field(
        description="mqtt://user:password@host:1883, or mqtts:// for TLS"
    )
    discovery_prefix: Annotated[str, BeforeValidator(_prefix)] = Field(
        default="homeassistant", description="Topic under which devices announce themselves"
    )
    floors: dict[Name, list[Name]] = Field(
        default_factory=dict, description="Areas of each floor, as in {upstairs: [Bedroom, Office]}"
    )


class Satellite(Section):
    """One microphone and speaker."""

    area: Name | None = Field(
        default=None, description='Where it stands: "the light" is this area\'s'
    )
    name: Name | None = Field(default=None, description="What to call it; null: its id")


class Config(Section):
    """Everything the owner can decide. Every section and every key may be left out."""

    server: Server = Field(default_factory=Server)
    tts: Tts = Field(default_factory=Tts)
    stt: Stt = Field(default_factory=Stt)
    llm: Llm = Field(default_factory=Llm)
    conversation: Conversation = Field(default_factory=Conversation)
    languages: Annotated[list[Language], Field(min_length=1)] = Field(
        default_factory=lambda: ["en_US"], description="Languages spoken in the house"
    )
    mqtt: Mqtt | None = Field(
        default=None, description="Absent: the demo home on an embedded broker"
    )
    script: Script | None = Field(default=None, description="Absent: no engine works by a script")
    satellites: dict[Name, Satellite] = Field(
        default_factory=dict, description="Microphones by the id that each sends"
    )


# ---------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and where it came from. `path` is None for the built-in default."""

    config: Config
    path: Path | None = None
    file: FileValues = field(default_factory=FileValues)

    def source(self, key: KeyPath) -> str:
        """`default`, `file`, or the reference that brought the value: `${VAR}`."""
        if key in self.file.references:
            return self.file.references[key]
        return "file" if key in self.file.lines else "default"


def find(
    given: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    folder: Path | None = None,
) -> Path | None:
    """The file that counts: `given`, then $PARLOUR_CONFIG, then ./config.yml, then none."""
    if given is not None:
        return given
    if environ.get(VARIABLE):
        return Path(environ[VARIABLE])
    here = (folder or Path()) / FILE_NAME
    return here if here.exists() else None


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read a file, or the built-in default for None. ConfigError holds one line per mistake."""
    return read(path, environ).config


def read(path: Path | None, environ: Mapping[str, str] = os.environ) -> Loaded:
    """As `load`, with where each value came from."""
    if path is None:
        return Loaded(Config())
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    config, file = parse(text, environ, str(path))
    return Loaded(config, path, file)


def parse(
    text: str, environ: Mapping[str, str], name: str = FILE_NAME
) -> tuple[Config, FileValues]:
    """Check a file's text. All mistakes come at once, in the order of the file's lines."""
    file = read_text(text, environ)
    problems = list(file.problems)
    config, wrong = _validate(file)
    problems += wrong
    bad = {problem.key for problem in problems}
    problems += [
        Problem(pair.key, pair.text)
        for pair in _impossible_pairs(config)
        if not any(key[: len(b)] == b or b[: len(key)] == key for key in pair.keys for b in bad)
    ]
    if problems:
        raise ConfigError(_lines(name, problems, file))
    return config, file


def _lines(name: str, problems: Sequence[Problem], file: FileValues) -> str:
    def line(problem: Problem) -> int:
        key = problem.key
        while key and key not in file.lines:
            key = key[:-1]
        return file.lines.get(key, 0)

    return "\n".join(
        ": ".join(filter(None, (name, mask_key(key_text(problem.key)), problem.text)))
        for problem in sorted(problems, key=line)
    )


# ---------------------------------------------------------------- what pydantic found


def _validate(file: FileValues) -> tuple[Config, list[Problem]]:
    """A Config of whatever is right, and what is wrong with the rest."""
    values = _without_empty_sections(file.values)
    problems: list[Problem] = []
    known = {problem.key for problem in file.problems}
    while True:
        try:
            return Config.model_validate(values), problems
        except ValidationError as errors:
            found = errors.errors(include_url=False)
        for error in found:
            key, text = _describe(error, values, file)
            if error["type"] != "missing" or key not in known:
                problems.append(Problem(key, text))
            known.add(key)  # what is taken out below will be missing
        for error in found:
            _remove(values, error["loc"])


def _without_empty_sections(values: Mapping[str, Value]) -> dict[str, Value]:
    """A section whose lines are all commented out reads as null; it is as good as absent."""
    return {key: _copy(value) for key, value in values.items() if value is not None}


def _copy(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _remove(values: dict[str, Value], loc: Sequence[str | int]) -> None:
    """Take out the value at `loc`, or the nearest one around it that a mapping holds."""
    holder, key = values, str(loc[0])
    inner: Value = values
    for part in loc:
        if not isinstance(inner, dict) or part not in inner:
            break
        holder, key = inner, str(part)
        inner = inner[key]
    holder.pop(key, None)


def _describe(
    error: ErrorDetails, values: Mapping[str, Value], file: FileValues
) -> tuple[KeyPath, str]:
    loc = tuple(part for part in error["loc"] if part != "[key]")
    match error["type"]:
        case "value_error":
            text = str(error["ctx"]["error"])
        case "extra_forbidden":
            return loc, _unknown(loc)
        case "missing":
            return loc, "is missing"
        case "model_type" | "model_attributes_type" | "dict_type":
            text = "must be a section of `key: value` lines"
        case "list_type":
            text = "must be a list, such as [a, b]"
        case "too_short":
            return loc, "must not be empty"
        case _:
            text = error["msg"][:1].lower() + error["msg"][1:]
    # A URL that is wrong may have its password anywhere; of a key there is no more to show.
    if "url" in loc or "[key]" in error["loc"]:
        return loc, text
    return loc, f"{text} (is {_shown(loc, values, file)})"


def _unknown(loc: KeyPath) -> str:
    *section, key = loc
    known = list(section_at(section).model_fields)
    close = get_close_matches(str(key), known, n=1)
    elsewhere = [key_text(path) for path in known_keys() if path[-1] == key]
    if close:
        return f"unknown key; did you mean {key_text((*section, close[0]))}?"
    if elsewhere:
        return f"unknown key here; did you mean {_either(elsewhere)}?"
    return f"unknown key; there is {', '.join(known)}"


def _shown(loc: KeyPath, values: Mapping[str, Value], file: FileValues) -> str:
    """A value as an error may show it: short, and neither a secret nor the environment's."""
    if loc in file.references:
        return file.references[loc]
    if any(is_secret(str(part)) for part in loc):
        return MASK
    value: Value | Mapping[str, Value] = values
    for part in loc:
        if isinstance(value, Mapping) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            shown = mask_urls(value)
            return repr(shown if len(shown) <= LONGEST_SHOWN else shown[:LONGEST_SHOWN] + "…")
        case list():
            return "a list"
        case Mapping():
            return "a section"
        case _:
            return f"{value}"


def _either(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


# ---------------------------------------------------------------- what the sections are


def section_at(path: Sequence[str | int]) -> type[Section]:
    """The section whose keys stand under a path."""
    match path:
        case []:
            return Config
        case ["satellites", _]:
            return Satellite
        case [name]:
            return SECTIONS[str(name)]
        case _:
            raise LookupError(key_text(tuple(path)))


SECTIONS: dict[str, type[Section]] = {
    "server": Server,
    "tts": Tts,
    "stt": Stt,
    "llm": Llm,
    "conversation": Conversation,
    "mqtt": Mqtt,
    "script": Script,
}


def known_keys() -> Iterator[tuple[str, str]]:
    """Every key of every section that has fixed keys."""
    for name, section in SECTIONS.items():
        for key in section.model_fields:
            yield name, key


# ---------------------------------------------------------------- pairs that cannot be


@dataclass(frozen=True, slots=True)
class _Pair:
    key: KeyPath
    text: str
    others: tuple[KeyPath, ...] = ()  # if one of these is wrong itself, nothing is said

    @property
    def keys(self) -> tuple[KeyPath, ...]:
        return (self.key, *self.others)


def _impossible_pairs(config: Config) -> Iterator[_Pair]:
    yield from _impossible_voice(config.tts)
    yield from _impossible_hearing(config)
    yield from _unfinished_model(config.llm)
    chosen = {
        "stt": config.stt.provider,
        "tts": config.tts.provider,
        "llm": config.llm.provider,
    }
    for section, name in chosen.items():
        if name == "scripted" and config.script is None:
            yield _Pair((section, "provider"), "scripted needs script.path, a JSON file")
    if config.mqtt is not None:
        yield from _area_on_two_floors(config.mqtt)


def _impossible_voice(tts: Tts) -> Iterator[_Pair]:
    traits = registry.TTS[tts.provider].traits
    provider, language, voice = ("tts", "provider"), ("tts", "language"), ("tts", "voice_id")
    if not registry.covers(traits.languages, tts.language):
        text = f"{tts.provider} does not speak {tts.language}; {_instead(registry.TTS, tts.language, traits.languages)}"
        yield _Pair(language, text, (provider,))
    elif tts.voice_id is not None and tts.voice_id not in traits.voices:
        fitting = registry.voices_of(traits, tts.language)
        close = get_close_matches(tts.voice_id, list(traits.voices), n=1)
        names = close or fitting[:SOME_NAMES]
        text = f"{tts.provider} has no voice {mask_urls(tts.voice_id)!r}; it has {', '.join(names)}"
        yield _Pair(voice, text, (provider, language))
    elif tts.voice_id is not None and not registry.covers(
        [traits.voices[tts.voice_id]], tts.language
    ):
        fitting = registry.voices_of(traits, tts.language)
        text = (
            f"{tts.voice_id} speaks {traits.voices[tts.voice_id]}, not {tts.language};"
            f" for that there is {', '.join(fitting[:SOME_NAMES])}"
        )
        yield _Pair(voice, text, (provider, language))


def _impossible_hearing(config: Config) -> Iterator[_Pair]:
    stt, provider = config.stt, ("stt", "provider")
    heard = registry.STT[stt.provider].traits.languages
    wanted = {("stt", "language"): stt.language} | {
        ("languages", at): language for at, language in enumerate(config.languages)
    }
    for key, language in wanted.items():
        if language is not None and not registry.covers(heard, language):
            text = f"{stt.provider} does not hear {language}; {_instead(registry.STT, language, heard)}"
            yield _Pair(key, text, (provider,))


def _unfinished_model(llm: Llm) -> Iterator[_Pair]:
    provider, model, key = ("llm", "provider"), ("llm", "model"), ("llm", "api_key")
    if llm.provider in ("ollama", "groq", "openai") and llm.model is None:
        yield _Pair(model, f"{llm.provider} needs the name of a model", (provider,))
    if llm.provider == "none" and llm.model is not None:
        yield _Pair(model, f"who serves {mask_urls(llm.model)}? llm.provider is none", (provider,))
    hosted = llm.provider == "groq" or (llm.provider == "openai" and llm.base_url is None)
    if hosted and llm.api_key is None:
        yield _Pair(key, f"{llm.provider} needs a key, best as ${{VARIABLE}}", (provider,))


def _instead(
    engines: Mapping[str, registry.SttEngine] | Mapping[str, registry.TtsEngine],
    language: str,
    languages: Iterable[str],
) -> str:
    """What would do: other engines for this language, else other languages for this engine."""
    able = [name for name, e in engines.items() if registry.covers(e.traits.languages, language)]
    return f"{_either(able)} does" if able else f"it knows {', '.join(sorted(languages))}"


def _area_on_two_floors(mqtt: Mqtt) -> Iterator[_Pair]:
    floor_of: dict[str, str] = {}
    for floor, areas in mqtt.floors.items():
        for area in areas:
            first = floor_of.setdefault(area.casefold(), floor)
            if first != floor:
                text = f"{area} is on {first} already"
                yield _Pair(("mqtt", "floors", floor), text, (("mqtt", "floors", first),))
