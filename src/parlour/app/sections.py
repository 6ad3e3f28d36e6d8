"""The sections of `config.yml`: every key, what it means and its default."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import Field, PlainSerializer

from parlour.app import registry
from parlour.app.agentsection import Agent, Memory
from parlour.app.bookingsection import Bookings
from parlour.app.calendarsection import Calendar, TimeZone
from parlour.app.configfile import key_text
from parlour.app.databasesection import Database, Query
from parlour.app.homesections import Area, Device, Floor, Permissions, Rule
from parlour.app.mcpsection import McpSection, ServerName
from parlour.app.requestsection import Request, Weather
from parlour.app.section import Section
from parlour.app.toolvalues import Parameter, Word
from parlour.app.values import (
    BrokerUrl,
    HttpUrl,
    KeepAlive,
    Key,
    Language,
    Name,
    RedisUrl,
    SourceUrl,
    Text,
    TopicPrefix,
    WyomingUris,
    between,
    flow_list,
    one_of,
    providers_of,
)
from parlour.app.wakesection import Sensitivity, Wake, WakeWordIds

DEFAULT_LANGUAGE = "en_US"
PROCESSOR = "cpu, cuda, or auto: a GPU if there is one; for engines of one's own machine"
THREADS = "Cores that an engine of one's own machine may use; 0: as it likes"
KEY = "Key, best as ${VARIABLE}"
VOICE = "Voice, see `parlour voices`; null: the best of the language"

Processor: TypeAlias = Annotated[str, one_of(("cpu", "cuda", "auto"))]
Threads: TypeAlias = Annotated[int, between(0, 64, int)]


class Server(Section):
    """Where devices and the command line find the server."""

    host: Name = Field(
        default="127.0.0.1", description="Address to listen on; 0.0.0.0 for every network"
    )
    port: Annotated[int, between(0, 65535, int)] = Field(
        default=8000, description="Port to listen on, 0 to 65535; 0 takes any free one"
    )
    most_sessions: Annotated[int, between(1, 1000, int)] = Field(
        default=100, description="Devices connected at once; fewer where the machine cannot keep up"
    )
    most_load: Annotated[float, between(0.0, 1.0)] = Field(
        default=0.75,
        description="Share of a core at which further devices are refused; 0: they never are",
    )


class Tts(Section):
    """The voice that answers."""

    provider: Annotated[list[str], providers_of(registry.TTS), PlainSerializer(flow_list)] = Field(
        default_factory=lambda: [registry.DEFAULT_TTS],
        description=f"Engine that speaks: {', '.join(registry.TTS)}; of several in a list, the"
        " next takes over where one fails",
    )
    voice_id: Name | None = Field(
        default=None,
        description="Voice, see `parlour voices`; null: the provider's own section, else the best"
        " of the language",
    )
    language: Language = Field(default="en_US", description="Language of the answers")
    speed: Annotated[float, between(0.5, 2.0)] = Field(
        default=1.0, description="Pace, 0.5 to 2.0; 1.0 is the voice's own"
    )
    device: Processor = Field(default="auto", description=PROCESSOR)
    threads: Threads = Field(default=0, description=THREADS)
    unload_after_s: Annotated[float, between(0.0, 86_400.0)] = Field(
        default=0.0,
        description="piper: seconds without work after which a voice leaves the memory; 0: never",
    )


class Stt(Section):
    """The ear that understands."""

    provider: Annotated[list[str], providers_of(registry.STT), PlainSerializer(flow_list)] = Field(
        default_factory=lambda: [registry.DEFAULT_STT],
        description=f"Engine that listens: {', '.join(registry.STT)}; of several in a list, the"
        " next takes over where one fails",
    )
    model_size: Name = Field(
        default="base",
        description="whisper_local: tiny, base, small, medium, large-v3 or turbo",
    )
    language: Language | None = Field(
        default=None,
        description="Language to expect; null: detected, or the only one the engine has",
    )
    device: Processor = Field(default="auto", description=PROCESSOR)
    threads: Threads = Field(default=0, description=THREADS)
    window: Annotated[str, one_of(("cut", "full"))] = Field(
        default="cut",
        description="whisper_local: `cut` hears only as much as was said, `full` always the 30 s"
        " that Whisper was made for: slower by half a second, and more exact",
    )
    unload_after_s: Annotated[float, between(0.0, 86_400.0)] = Field(
        default=0.0,
        description="whisper_local: seconds without work after which the model leaves the memory; 0:"
        " never",
    )


class Llm(Section):
    """The language model for what the grammar does not know."""

    provider: Annotated[list[str], providers_of(registry.LLM), PlainSerializer(flow_list)] = Field(
        default_factory=lambda: ["none"],
        description=f"Language model: {', '.join(registry.LLM)}; openai is any server of its"
        " dialect; of several in a list, the next is asked where one fails",
    )
    model: Name | None = Field(
        default=None,
        description="Model, by the name the provider gives it; null: the provider's own section",
    )
    base_url: HttpUrl | None = Field(
        default=None,
        description="Where it is served; null: the provider's own section, else its own address",
    )
    api_key: Key | None = Field(
        default=None,
        description="Key, best as ${VARIABLE}; null: the provider's own section",
    )
    temperature: Annotated[float, between(0.0, 2.0)] | None = Field(
        default=None, description="0.0 to 2.0; null: the model's own"
    )
    max_tokens: Annotated[int, between(16, 8192, int)] = Field(
        default=512, description="Longest answer, in tokens"
    )
    context_tokens: Annotated[int, between(1024, 1_000_000, int)] = Field(
        default=8192, description="ollama: size of the context; a change loads the model anew"
    )
    keep_alive: KeepAlive = Field(
        default=-1, description="ollama: how long the model stays loaded, as in 30m; -1: for ever"
    )


class Conversation(Section):
    """How turns follow each other."""

    follow_up_s: Annotated[float, between(0.0, 30.0)] = Field(
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

    url: BrokerUrl = Field(description="mqtt://user:password@host:1883, or mqtts:// for TLS")
    discovery_prefix: TopicPrefix = Field(
        default="homeassistant", description="Topic under which devices announce themselves"
    )
    floors: dict[Name, list[Name]] = Field(
        default_factory=dict, description="Areas of each floor, as in {upstairs: [Bedroom, Office]}"
    )
    tls_ca: Text | None = Field(
        default=None,
        description="PEM file of the authorities to trust for mqtts://; null: the system's",
    )
    zigbee2mqtt: list[TopicPrefix] = Field(
        default_factory=lambda: ["zigbee2mqtt"],
        description="Base topic of each Zigbee2MQTT; []: there is none",
    )
    tasmota: TopicPrefix | None = Field(
        default="tasmota/discovery",
        description="Topic under which Tasmota devices announce themselves; null: there are none",
    )


class Redis(Section):
    """Where the assistant remembers, if `memory.store` is redis or redis_search, and where several
    servers decide which device answers, if `wake.shared`. `parlour doctor`
    looks whether it answers."""

    url: RedisUrl = Field(description="redis://:password@localhost:6379/0, or rediss:// for TLS")


class Satellite(Section):
    """One microphone and speaker. `parlour devices` changes most of this without a restart."""

    area: Name | None = Field(
        default=None, description='Where it stands: "the light" is this area\'s'
    )
    name: Name | None = Field(default=None, description="What to call it; null: its id")
    person: Name | None = Field(
        default=None, description="Who speaks there, if it is always the same person"
    )
    group: Name | None = Field(
        default=None,
        description="Of one group, the nearest device answers; null: as it says, else `home`",
    )
    model: Name | None = Field(
        default=None, description="What hardware it is; null: as the board says at its start"
    )
    gain_db: Annotated[float, between(-30.0, 30.0)] | None = Field(
        default=None,
        description="How much louder it hears than others, -30 to 30; null: as its model does."
        " `parlour devices calibrate` measures it",
    )
    floor_dbfs: Annotated[float, between(-120.0, 0.0)] | None = Field(
        default=None,
        description="Wake words that it hears more faintly are not answered; null: -75",
    )
    mute: bool = Field(default=False, description="true: its microphone is not listened to")
    wake_words: WakeWordIds | None = Field(
        default=None, description="Words that wake it; null: wake.words"
    )
    wake_sensitivity: Sensitivity | None = Field(
        default=None, description="How easily, 0.0 to 1.0; null: wake.sensitivity"
    )


class Models(Section):
    """Files of engines that have to be fetched once."""

    folder: Text | None = Field(
        default=None, description="Where they lie; null: ~/.local/share/parlour/models"
    )
    mirror: SourceUrl | None = Field(
        default=None,
        description="A copy of such a folder to fetch from, https:// or file:///; null: each"
        " model's own place",
    )
    download: Annotated[str, one_of(("auto", "ask", "never"))] = Field(
        default="ask",
        description="What to do at the start about a model that is chosen and not here: fetch it,"
        " ask at the terminal (elsewhere name the command), or name the command",
    )


class Data(Section):
    """What the house must not forget: timers, alarms, and what you decided about devices."""

    folder: Text | None = Field(
        default=None,
        description="Where it lies, one folder for each server; null: ~/.local/share/parlour",
    )


class OpenAi(Section):
    """OpenAI, or any server that speaks as it does: voices and language models."""

    api_key: Key | None = Field(default=None, description=KEY)
    base_url: HttpUrl | None = Field(default=None, description="null: https://api.openai.com/v1")
    model: Name | None = Field(default=None, description="Language model, as llm.model")
    tts_model: Name = Field(default="gpt-4o-mini-tts", description="Model that speaks")
    voice_id: Name | None = Field(default=None, description="Voice; null: alloy")


class Groq(Section):
    """Groq's language models."""

    api_key: Key | None = Field(default=None, description=KEY)
    model: Name | None = Field(default=None, description="Language model, as llm.model")


class Ollama(Section):
    """Language models of one's own machine."""

    base_url: HttpUrl | None = Field(default=None, description="null: http://127.0.0.1:11434")
    model: Name | None = Field(default=None, description="Language model, as llm.model")


class ElevenLabs(Section):
    """ElevenLabs' voices."""

    api_key: Key | None = Field(default=None, description=KEY)
    base_url: HttpUrl | None = Field(default=None, description="null: https://api.elevenlabs.io")
    model: Name = Field(default="eleven_flash_v2_5", description="Model that speaks")
    voice_id: Name | None = Field(default=None, description="Voice, by its id")
    websocket: bool = Field(
        default=False, description="Texts over one WebSocket instead of a request each"
    )


class WhisperApi(Section):
    """Whisper in the cloud, or any server of OpenAI's dialect that transcribes."""

    api_key: Key | None = Field(default=None, description=f"{KEY}; null: that of `openai`")
    base_url: HttpUrl | None = Field(default=None, description="null: that of `openai`")
    model: Name = Field(default="whisper-1", description="Model that hears")


class Deepgram(Section):
    """Deepgram, which hears while one speaks."""

    api_key: Key | None = Field(default=None, description=KEY)
    base_url: HttpUrl | None = Field(default=None, description="null: https://api.deepgram.com")
    model: Name = Field(default="nova-3", description="Model that hears")
    live: bool = Field(
        default=True,
        description="Over a WebSocket while one speaks; false: whole recordings, at pauses",
    )


class Coqui(Section):
    """Coqui's voices: in a process of their own, or a server that runs already."""

    base_url: HttpUrl | None = Field(
        default=None, description="A Coqui server; null: a process of its own"
    )
    model: Name = Field(default="xtts_v2", description="Model, a folder of `models.folder`/coqui")
    voice_id: Name | None = Field(default=None, description="Speaker of the model")


class Piper(Section):
    """Piper's neural voices."""

    voice_id: Name | None = Field(default=None, description=VOICE)


class Kokoro(Section):
    """Kokoro's neural voices."""

    voice_id: Name | None = Field(default=None, description=VOICE)


class Espeak(Section):
    """The embedded voice."""

    voice_id: Name | None = Field(default=None, description=VOICE)


class Sherpa(Section):
    """Recognisers for sherpa-onnx, the good choice for Indian languages."""

    model: Name | None = Field(
        default=None, description="Model, see `parlour models list`; null: that of stt.language"
    )


class Moonshine(Section):
    """A recogniser that hears while one speaks."""

    model: Name | None = Field(default=None, description="Model, see `parlour models list`")


class Wyoming(Section):
    """Engines on other machines, or of other makers. Of several addresses the least busy serves."""

    stt: WyomingUris | None = Field(default=None, description="Recognisers, as tcp://HOST:PORT")
    tts: WyomingUris | None = Field(default=None, description="Voices, as tcp://HOST:PORT")
    voice_id: Name | None = Field(default=None, description="Voice, by the server's name for it")


class Config(Section):
    """Everything the owner can decide. Every section and every key may be left out."""

    server: Server = Field(default_factory=Server)
    tts: Tts = Field(default_factory=Tts)
    stt: Stt = Field(default_factory=Stt)
    llm: Llm = Field(default_factory=Llm)
    conversation: Conversation = Field(default_factory=Conversation)
    wake: Wake = Field(default_factory=Wake)
    languages: Annotated[list[Language], Field(min_length=1)] | None = Field(
        default=None, description="Languages spoken in the house; null: that of stt.language"
    )
    agent: Agent = Field(default_factory=Agent)
    memory: Memory = Field(default_factory=Memory)
    models: Models = Field(default_factory=Models)
    data: Data = Field(default_factory=Data)
    espeak: Espeak = Field(default_factory=Espeak)
    piper: Piper = Field(default_factory=Piper)
    kokoro: Kokoro = Field(default_factory=Kokoro)
    coqui: Coqui = Field(default_factory=Coqui)
    elevenlabs: ElevenLabs = Field(default_factory=ElevenLabs)
    openai: OpenAi = Field(default_factory=OpenAi)
    whisper_api: WhisperApi = Field(default_factory=WhisperApi)
    deepgram: Deepgram = Field(default_factory=Deepgram)
    moonshine: Moonshine = Field(default_factory=Moonshine)
    sherpa: Sherpa = Field(default_factory=Sherpa)
    wyoming: Wyoming = Field(default_factory=Wyoming)
    groq: Groq = Field(default_factory=Groq)
    ollama: Ollama = Field(default_factory=Ollama)
    mqtt: Mqtt | None = Field(
        default=None, description="Absent: the demo home on an embedded broker"
    )
    redis: Redis | None = Field(default=None, description="Absent: nothing is kept in Redis")
    script: Script | None = Field(default=None, description="Absent: no engine works by a script")
    satellites: dict[Name, Satellite] = Field(
        default_factory=dict, description="Microphones by the id that each sends"
    )
    floors: dict[Name, Floor] = Field(default_factory=dict, description="Floors by name")
    areas: dict[Name, Area] = Field(default_factory=dict, description="Areas by name")
    devices: dict[Name, Device] = Field(
        default_factory=dict, description="What you decide about devices, by id"
    )
    permissions: Permissions = Field(default_factory=Permissions)
    time_zone: TimeZone | None = Field(
        default=None, description="Where the house is, as in Europe/Berlin; null: the machine's"
    )
    calendars: dict[Name, Calendar] = Field(
        default_factory=dict, description="Calendars of the household, by name"
    )
    databases: dict[Word, Database] = Field(
        default_factory=dict, description="Databases that may be asked fixed questions, by name"
    )
    requests: dict[Word, Request] = Field(
        default_factory=dict, description="Requests to web services, by the name of their tool"
    )
    weather: Weather | None = Field(default=None, description="Absent: nobody is asked")
    bookings: dict[Word, Bookings] = Field(
        default_factory=dict, description="Who takes bookings, by name"
    )
    tools: dict[Name, dict[str, Any]] = Field(
        default_factory=dict,
        repr=False,  # nobody knows which of them are secrets
        description="Settings of installed packages that bring tools, by the name of each",
    )
    mcp: dict[ServerName, McpSection] = Field(
        default_factory=dict, description="MCP servers by name: their tools, for the language model"
    )

    @property
    def spoken(self) -> list[str]:
        """The languages of the house; the first is the one that is expected."""
        return self.languages or [self.stt.language or DEFAULT_LANGUAGE]


def section_at(path: Sequence[str | int]) -> type[Section]:
    """The section whose keys stand under a path."""
    match path:
        case []:
            return Config
        case ["permissions", "rules", _]:
            return Rule
        case ["databases", _, "queries", _]:
            return Query
        case ["databases", _, "queries", _, "parameters", _] | ["requests", _, "parameters", _]:
            return Parameter
        case [name, _] if name in BY_NAME:
            return BY_NAME[str(name)]
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
    "wake": Wake,
    "agent": Agent,
    "memory": Memory,
    "models": Models,
    "data": Data,
    "espeak": Espeak,
    "piper": Piper,
    "kokoro": Kokoro,
    "coqui": Coqui,
    "elevenlabs": ElevenLabs,
    "openai": OpenAi,
    "whisper_api": WhisperApi,
    "deepgram": Deepgram,
    "moonshine": Moonshine,
    "sherpa": Sherpa,
    "wyoming": Wyoming,
    "groq": Groq,
    "ollama": Ollama,
    "mqtt": Mqtt,
    "redis": Redis,
    "script": Script,
    "permissions": Permissions,
    "weather": Weather,
}

# Sections under which the owner chooses the keys.
BY_NAME: dict[str, type[Section]] = {
    "satellites": Satellite,
    "floors": Floor,
    "areas": Area,
    "devices": Device,
    "calendars": Calendar,
    "databases": Database,
    "databases.<name>.queries": Query,
    "databases.<name>.queries.<name>.parameters": Parameter,
    "requests": Request,
    "requests.<name>.parameters": Parameter,
    "bookings": Bookings,
    "mcp": McpSection,
}


def known_keys() -> Iterator[tuple[str, str]]:
    """Every key of every section that has fixed keys."""
    for name, section in SECTIONS.items():
        for key in section.model_fields:
            yield name, key
