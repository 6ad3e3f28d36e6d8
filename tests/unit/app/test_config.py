"""The configuration: every mistake at once, in a line each, and no secret shown."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parlour.app import choice
from parlour.app.config import FILE_NAME, find, load, parse, read
from parlour.app.reference import effective, effective_json
from parlour.app.sections import Config
from parlour.errors import ConfigError
from parlour.home.entities import Verb

ENVIRON = {"MQTT_PASSWORD": "hunter2", "PORT": "9000", "SPEED": "fast"}


ESPEAK = choice.tts_traits(Config(), "espeak")


def config(text: str) -> Config:
    return parse(text, ENVIRON)[0]


def lines(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, ENVIRON)
    return str(caught.value).splitlines()


def line(text: str) -> str:
    (only,) = lines(text)
    return only


def test_without_a_file_the_default_is_offline_with_a_demo_home() -> None:
    default = load(None)
    assert default == config("")
    assert default.mqtt is None
    assert default.llm.provider == ["none"]
    assert default.server.host == "127.0.0.1"
    assert choice.stt_traits(default, default.stt.provider[0]).offline
    assert choice.tts_traits(default, default.tts.provider[0]).offline


def test_every_section_is_read() -> None:
    found = config("""
server: {host: 0.0.0.0, port: "${PORT}"}
tts: {provider: espeak, language: en-gb, speed: 1.5}
stt: {provider: [pocketsphinx], language: en_US}
llm: {provider: none}
languages: [en_US]
mqtt:
  url: mqtt://me:${MQTT_PASSWORD}@broker:1884
  discovery_prefix: ha/
  floors: {upstairs: [Bedroom, Office], downstairs: [Kitchen]}
satellites:
  24:6f:28:aa:bb:cc: {area: Kitchen, name: Shelf}
""")
    assert found.server.port == 9000
    assert found.tts.language == "en_GB"
    assert found.stt.provider == ["pocketsphinx"]
    assert found.mqtt is not None
    assert (found.mqtt.url.host, found.mqtt.url.password) == ("broker", "hunter2")
    assert found.mqtt.discovery_prefix == "ha"
    assert found.mqtt.floors["upstairs"] == ["Bedroom", "Office"]
    assert found.satellites["24:6f:28:aa:bb:cc"].area == "Kitchen"


def test_a_section_whose_lines_are_all_commented_out_is_as_good_as_absent() -> None:
    assert config("tts:\n#  speed: 2\nmqtt:\nsatellites:\nlanguages:\n") == Config()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tts: {speed: 9}", "tts.speed: must be between 0.5 and 2.0 (is 9)"),
        ("tts: {speed: yes}", "tts.speed: must be between 0.5 and 2.0 (is 'yes')"),
        ("tts: {speed: true}", "tts.speed: must be between 0.5 and 2.0 (is true)"),
        ("tts: {speed: .nan}", "tts.speed: must be between 0.5 and 2.0 (is '.nan')"),
        ("tts: {speed: ${SPEED}}", "tts.speed: must be between 0.5 and 2.0 (is ${SPEED})"),
        ("tts: {speed: [1]}", "tts.speed: must be between 0.5 and 2.0 (is a list)"),
        (
            "server: {port: 80.5}",
            "server.port: must be a whole number between 0 and 65535 (is 80.5)",
        ),
        ("server: {host: 5}", "server.host: must be text; put it in quotes (is 5)"),
        ("server: [1]", "server: must be a section of `key: value` lines (is a list)"),
        ("tts: {langauge: en_US}", "tts.langauge: unknown key; did you mean tts.language?"),
        ("port: 1", "port: unknown key here; did you mean server.port?"),
        ("speed: 1", "speed: unknown key here; did you mean tts.speed?"),
        ("llm: {model: x}", "llm.model: who serves x? llm.provider is none"),
        ("tts: {language: english}", "tts.language: must be a language such as en_US (is 'english')"),
        ("languages: []", "languages: must not be empty"),
        ("languages: en_US", "languages: must be a list, such as [a, b] (is 'en_US')"),
        ("mqtt: {}", "mqtt.url: is missing"),
        (
            "mqtt: {url: localhost}",
            "mqtt.url: must begin with mqtt:// or mqtts://, as in mqtt://localhost:1883",
        ),
        (
            "mqtt: {url: mqtt://h, discovery_prefix: 'a/#'}",
            "mqtt.discovery_prefix: must be an MQTT topic without + and #, such as homeassistant (is 'a/#')",
        ),
        (
            "mqtt: {url: mqtt://h, floors: {up: [Office], down: [office]}}",
            "mqtt.floors.down: office is on up already",
        ),
        ("satellites: {a: {aera: x}}", "satellites.a.aera: unknown key; did you mean satellites.a.area?"),
        ("satellites: {'': {}}", "satellites.'': must have 1 to 60 characters on one line"),
        (
            "tts: {provider: [espeak, espeak]}",
            "tts.provider: must be one name, or a list of different ones (is a list)",
        ),
        ("tts: {provider: []}", "tts.provider: must be one name, or a list of different ones (is a list)"),
        (
            "stt: {provider: whisper}",
            "stt.provider: must be deepgram, moonshine, pocketsphinx, scripted, sherpa, whisper_api, whisper_local or wyoming; did you mean whisper_api? (is 'whisper')",
        ),
        ("tts: {provider: elevenlabs}", "elevenlabs.api_key: elevenlabs needs a key, best as ${VARIABLE}"),
        ("stt: {provider: deepgram}", "deepgram.api_key: deepgram needs a key, best as ${VARIABLE}"),
        (
            "stt: {provider: wyoming}",
            "wyoming.stt: wyoming needs the address of a recogniser, as tcp://10.0.0.5:10300",
        ),
        (
            "stt: {provider: whisper_local, model_size: huge}",
            "stt.model_size: whisper_local has no model huge; it has base, tiny, small, medium, large-v3, turbo",
        ),
        ("wyoming: {stt: 'http://x'}", "wyoming.stt: must be addresses such as tcp://10.0.0.5:10300 or unix:///PATH (is 'http://x')"),
        ("models: {download: maybe}", "models.download: must be auto, ask or never (is 'maybe')"),
        ("llm: {provider: olama}", "llm.provider: must be groq, none, ollama, openai or scripted; did you mean ollama? (is 'olama')"),
        ("llm: {provider: groq, model: x}", "llm.api_key: groq needs a key, best as ${VARIABLE}"),
        ("llm: {provider: openai, model: x}", "llm.api_key: openai needs a key, best as ${VARIABLE}"),
        ("llm: {provider: ollama, model: x, base_url: 'ftp://x'}", "llm.base_url: must look like http://127.0.0.1:8080/v1, without a login (is 'ftp://x')"),
        ("llm: {provider: scripted}", "llm.provider: scripted needs script.path, a JSON file"),
        ("memory: {store: redis}", "memory.store: redis needs redis.url, as redis://localhost:6379/0"),
        ("memory: {store: redis_search}", "memory.store: redis_search needs redis.url, as redis://localhost:6379/0"),
        ("memory: {store: redis}\nredis: {url: here}", "redis.url: must look like redis://localhost:6379/0"),
        ("memory: {store: postgres}", "memory.store: must be sqlite, redis or redis_search (is 'postgres')"),
        ("memory: {days: 0}", "memory.days: must be a whole number between 1 and 3650 (is 0)"),
        ("agent: {thread: room}", "agent.thread: must be device, person or house (is 'room')"),
        ("conversation: {follow_up_s: 31}", "conversation.follow_up_s: must be between 0.0 and 30.0 (is 31)"),
        (
            "areas: {Kitchen: {aliases: {de_DE: Küche}}}",
            "areas.Kitchen.aliases.de_DE: must be a list, such as [a, b] (is 'Küche')",
        ),
        (
            "areas: {Kitchen: {aliases: {german: [Küche]}}}",
            "areas.Kitchen.aliases.german: must be a language such as en_US",
        ),
        ("areas: {Kitchen: {flor: up}}", "areas.Kitchen.flor: unknown key; did you mean areas.Kitchen.floor?"),
        ("areas: {Kitchen: {}, kitchen: {}}", "areas.kitchen: is Kitchen already"),
        (
            "mqtt: {url: mqtt://h, floors: {down: [Kitchen]}}\nareas: {kitchen: {floor: up}}",
            "areas.kitchen.floor: kitchen is on down already, by mqtt.floors",
        ),
        ("floors: {up: [Office]}", "floors.up: must be a section of `key: value` lines (is a list)"),
        ("devices: {x.y: {risk: 4}}", "devices.x.y.risk: must be a whole number between 0 and 3 (is 4)"),
        ("devices: {x.y: {nam: z}}", "devices.x.y.nam: unknown key; did you mean devices.x.y.name?"),
        ("devices: {x.y: {mqtt: {component: toaster}}}", "devices.x.y.mqtt: toaster is no component"),
        ("devices: {x.y: {mqtt: {}}}", "devices.x.y.mqtt: nothing is no component"),
        (
            "devices: {x.y: {mqtt: {component: switch, command_topic: a/#}}}",
            "devices.x.y.mqtt: its command_topic is no topic",
        ),
        ("permissions: {risky: allow}", "permissions.risky: must be confirm or deny (is 'allow')"),
        ("permissions: {pin: '123'}", "permissions.pin: must be 4 to 12 digits in quotes (is ***)"),
        ("permissions: {pin: 1234}", "permissions.pin: must be text; put it in quotes (is ***)"),
        ("permissions: {rules: [{}]}", "permissions.rules[0].permit: is missing"),
        (
            "permissions: {rules: [{permit: no}]}",
            "permissions.rules[0].permit: must be allow, confirm or deny (is 'no')",
        ),
        (
            "permissions: {rules: [{permit: deny, target: the door}]}",
            "permissions.rules[0].target: must be a device's id or a pattern such as hall.* (is 'the door')",
        ),
        (
            "permissions: {rules: [{permit: deny, verbs: on}]}",
            "permissions.rules[0].verbs: unknown key; did you mean permissions.rules[0].verb?",
        ),
        ("mqtt: {url: mqtt://h, tls_ca: ca.pem}", "mqtt.tls_ca: is for mqtts://, and mqtt.url is mqtt://"),
        (
            "mqtt: {url: mqtt://h, zigbee2mqtt: [a, 'b/+']}",
            "mqtt.zigbee2mqtt[1]: must be an MQTT topic without + and #, such as homeassistant (is 'b/+')",
        ),
        ("llm: {provider: ollama}", "llm.model: ollama needs the name of a model"),
        ("- a", "must be a list of `key: value` lines"),
        ("tts: {speed: 1}\ntts: {}\n", "tts: is given twice, in line 1 and in line 2"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_names_the_key_and_the_mend(text: str, said: str) -> None:
    assert line(text) == f"{FILE_NAME}: {said}"


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    found = lines("""
satellites: {a: 1}
tts:
  speed: 9
  voice: x
mqtt: {url: "${NOT_SET}"}
stt: {language: de_DE}
server: {port: x, port: 2}
""")
    assert [said.split(": ")[1] for said in found] == [
        "satellites.a", "tts.speed", "tts.voice", "mqtt.url", "stt.language",
        "server.port", "server.port",
    ]  # fmt: skip


def test_a_language_that_the_recogniser_cannot_hear_names_those_it_can() -> None:
    for key, text in (
        ("stt.language", "stt: {language: hi_IN}"),
        ("languages[1]", "languages: [en_US, hi_IN]"),
    ):
        said = line(text)
        assert said.startswith(f"{FILE_NAME}: {key}: pocketsphinx does not hear hi_IN; sherpa (")


def test_a_language_that_the_voice_cannot_speak_names_those_it_can() -> None:
    said = line("tts: {language: xx}")
    assert said.startswith(f"{FILE_NAME}: tts.language: espeak does not speak xx; it knows ")
    assert all(language in said for language in ESPEAK.languages)


def test_a_voice_that_there_is_not_names_one_that_there_is() -> None:
    default = ESPEAK.default_voice
    said = line(f"tts: {{voice_id: {default}x}}")
    assert said.startswith(f"{FILE_NAME}: tts.voice_id: espeak has no voice '{default}x'; it has ")
    assert default in said


def test_a_voice_of_another_language_names_voices_of_this_one() -> None:
    voices = ESPEAK.voices
    german = next(voice for voice, known in voices.items() if "de_DE" in known.languages)
    said = line(f"tts: {{voice_id: {german}, language: en_US}}")
    assert said.startswith(f"{FILE_NAME}: tts.voice_id: {german} speaks de")
    assert any(voice in said.partition(" there is ")[2] for voice in voices)


def test_a_pair_is_not_judged_when_one_of_it_is_wrong_itself() -> None:
    assert len(lines("tts: {language: english, voice_id: nobody}")) == 1


def test_a_verb_that_there_is_not_is_answered_with_those_there_are() -> None:
    said = line("permissions: {rules: [{permit: deny, verb: explode}]}")
    assert said.startswith(f"{FILE_NAME}: permissions.rules[0].verb: must be *, on, off, ")
    assert all(verb in said for verb in Verb)


def test_what_the_owner_says_about_places_devices_and_voices_is_read() -> None:
    found = config("""
floors: {upstairs: {aliases: {de_DE: [oben]}}}
areas: {Kitchen: {floor: downstairs, aliases: [galley]}}
devices:
  kitchen.light: {name: Sun, area: Kitchen, aliases: {hi-in: [सूरज]}, risk: 2, expose: false}
  tv: {mqtt: {component: media, command_topic: tv/set}}
permissions:
  risky: confirm
  pin: "${PORT}"
  rules: [{who: hall, target: Hall.*, verb: unlock, permit: deny}]
""")
    assert found.floors["upstairs"].aliases == {"de_DE": ["oben"]}
    assert found.areas["Kitchen"].aliases == {"": ["galley"]}
    device = found.devices["kitchen.light"]
    assert (device.aliases, device.risk, device.expose) == ({"hi_IN": ["सूरज"]}, 2, False)
    assert found.devices["tv"].mqtt == {"component": "media", "command_topic": "tv/set"}
    assert found.permissions.pin is not None
    assert found.permissions.pin.get_secret_value() == "9000"
    assert found.permissions.rules[0].target == "hall.*"


# ---------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "text",
    [
        "mqtt: {url: mqtt://me:hunter2@host:99999}",
        "mqtt: {url: mqtt://me:hunter2}",
        "mqtt: {url: mqtt://me:${MQTT_PASSWORD}}",
        "mqtt: {url: 'http://me:hun@ter2hunter2@host'}",
        "mqtt: mqtt://me:hunter2@host",
        "mqtt: {mqtt://me:hunter2@host}",
        "mqtt: {url: mqtt://host, password: hunter2}",
        "tts: {api_key: [hunter2]}",
        "tts: {speed: ${MQTT_PASSWORD}}",
        "tts: {voice_id: mqtt://me:hunter2@host}",
    ],
)
def test_no_error_shows_a_secret(text: str) -> None:
    assert "hunter2" not in "\n".join(lines(text))


def test_what_is_in_force_is_shown_with_its_source_and_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(
        "tts: {speed: 1.5}\n"
        "mqtt: {url: 'mqtt://me:${MQTT_PASSWORD}@host'}\n"
        "satellites: {a.b: {area: ${ROOM:-Kitchen}}}\n"
        "permissions: {pin: '55550815'}\n"
    )
    loaded = read(path, ENVIRON)
    shown = effective(loaded)
    assert "  speed: 1.5  # file\n" in shown
    assert "  url: mqtt://***@host:1883  # ${MQTT_PASSWORD}\n" in shown
    assert "    area: Kitchen  # ${ROOM}\n" in shown
    assert "  provider: espeak  # default\n" in shown
    assert yaml.safe_load(shown)["tts"]["speed"] == 1.5
    as_json = effective_json(loaded)
    assert json.loads(as_json)["sources"]["satellites.a.b.area"] == "${ROOM}"
    for text in (shown, as_json, repr(loaded.config), str(loaded.config)):
        assert "hunter2" not in text
        assert "0815" not in text


# ---------------------------------------------------------------- which file


def test_a_named_file_comes_before_the_environments_and_that_before_the_folders(
    tmp_path: Path,
) -> None:
    assert find(None, {}, tmp_path) is None
    (tmp_path / FILE_NAME).touch()
    assert find(None, {}, tmp_path) == tmp_path / FILE_NAME
    assert find(None, {"PARLOUR_CONFIG": "/there.yml"}, tmp_path) == Path("/there.yml")
    assert find(Path("/x.yml"), {"PARLOUR_CONFIG": "/there.yml"}, tmp_path) == Path("/x.yml")


def test_a_file_that_cannot_be_read_says_so_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.yml: cannot be read: No such file"):
        load(tmp_path / "nowhere.yml")
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "latin.yml").write_bytes(b"a: \xe4\n")
    with pytest.raises(ConfigError, match=r"latin.yml: is not UTF-8 text \(byte 3\)"):
        load(tmp_path / "latin.yml")


# ---------------------------------------------------------------- whatever comes

SECTIONS = [
    "server", "tts", "stt", "llm", "languages", "mqtt", "satellites", "floors", "areas", "devices",
    "permissions", "other",
]  # fmt: skip
KEYS = [
    "host", "port", "provider", "voice_id", "language", "speed", "url", "floors", "area", "x",
    "aliases", "risk", "mqtt", "component", "pin", "rules", "permit", "kitchen.light",
]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["espeak", "none", "en_US", "mqtt://h", "${PORT}", "${NO}", "${"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=6,
)


def check(text: str) -> None:
    try:
        found, _ = parse(text, ENVIRON)
    except ConfigError as error:
        said = str(error).splitlines()
        assert said
        assert all(one.startswith(f"{FILE_NAME}: ") for one in said)
    else:
        assert isinstance(found, Config)


@settings(deadline=None)  # the first device made by hand brings a template engine
@given(st.dictionaries(st.sampled_from(SECTIONS), VALUES, max_size=4))
@example({"devices": {"x.y": {"mqtt": {"component": "light", "command_topic": ["a"]}}}})
@example({"permissions": {"pin": 1234, "rules": [None, {"permit": None}], "risky": []}})
@example({"areas": {"": {"aliases": [[1]]}, "x": {"aliases": {"": None, "q": [None]}}}})
@example({"languages": [1, 2], "mqtt": {"floors": {"x": [None, None]}}})
def test_whatever_values_a_file_holds_it_is_a_config_or_a_config_error(
    values: dict[str, object],
) -> None:
    check(yaml.safe_dump(values))


@given(st.text())
def test_whatever_text_a_file_holds_it_is_a_config_or_a_config_error(text: str) -> None:
    check(text)


def test_a_key_in_the_place_of_its_section_is_not_shown() -> None:
    said = line("openai: sk-hunter2")
    assert said == f"{FILE_NAME}: openai: must be a section of `key: value` lines"


def test_a_list_of_models_takes_each_from_its_own_section() -> None:
    found = config("""
llm: {provider: [groq, ollama]}
groq: {api_key: k, model: llama}
ollama: {model: qwen, base_url: "http://10.0.0.9:11434"}
""")
    assert [choice.llm_model(found, name) for name in found.llm.provider] == ["llama", "qwen"]
    assert (choice.llm_key(found, "groq"), choice.llm_key(found, "ollama")) == ("k", "")
    assert choice.llm_url(found, "ollama") == "http://10.0.0.9:11434"
    assert line("llm: {provider: [groq, ollama]}\ngroq: {api_key: k, model: x}").endswith(
        "llm.model: ollama needs the name of a model"
    )
