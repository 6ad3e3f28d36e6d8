"""Home Assistant's MQTT discovery, pure: a retained config message in, definitions of entities out."""

import json
import logging
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from parlour.home.abbreviations import DEVICE, KEYS
from parlour.home.entities import Feature, Kind
from parlour.home.templates import Lookup, parse_template

log = logging.getLogger(__name__)

KINDS = frozenset(kind.value for kind in Kind)
LARGEST_BYTES = 64 * 1024  # a config message; real ones stay below 10 KiB
LONGEST_NAME = 60  # characters

# Per kind, the templates that Parlour reads or fills; others in the config do not matter.
TEMPLATES = {
    Kind.LIGHT: (
        "state_value_template",
        "brightness_value_template",
        "rgb_value_template",
        "color_temp_value_template",
        "brightness_command_template",
        "rgb_command_template",
        "color_temp_command_template",
    ),
    Kind.SWITCH: ("value_template", "command_template"),
    Kind.COVER: ("value_template", "position_template", "set_position_template"),
    Kind.CLIMATE: (
        "mode_state_template",
        "temperature_state_template",
        "current_temperature_template",
        "mode_command_template",
        "temperature_command_template",
    ),
}


@dataclass(frozen=True, slots=True)
class Availability:
    topic: str
    online: str = "online"
    offline: str = "offline"
    lookup: Lookup = Lookup()


@dataclass(frozen=True, slots=True)
class Definition:
    """One announced entity; `options` has full key names and full topics."""

    key: str  # stable: the config topic and, in a device message, the component's key
    kind: Kind
    name: str
    area: str | None
    options: Mapping[str, object]
    lookups: Mapping[str, Lookup] = field(default_factory=dict)  # by template key
    availability: tuple[Availability, ...] = ()
    availability_mode: str = "latest"  # "all", "any" or "latest"

    def text(self, key: str, default: str = "") -> str:
        value = self.options.get(key)
        return default if value is None else _as_text(value)

    def number(self, key: str, default: float) -> float:
        number = to_number(self.options.get(key))
        return default if number is None else number

    def flag(self, key: str) -> bool:
        return self.options.get(key) in (True, "true", "True", "on", "1", 1)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.options.get(key)
        return tuple(_as_text(each) for each in value) if isinstance(value, list) else ()

    def lookup(self, key: str) -> Lookup:
        return self.lookups.get(key, Lookup())

    @property
    def is_json_light(self) -> bool:
        return self.kind is Kind.LIGHT and self.text("schema") == "json"

    @property
    def features(self) -> frozenset[Feature]:
        return frozenset(_features(self))

    @property
    def state_topics(self) -> frozenset[str]:
        keys = (
            "state_topic",
            "position_topic",
            "brightness_state_topic",
            "rgb_state_topic",
            "color_temp_state_topic",
            "mode_state_topic",
            "temperature_state_topic",
            "current_temperature_topic",
        )
        return frozenset(topic for key in keys if (topic := self.text(key)))

    @property
    def topics(self) -> frozenset[str]:
        """Everything to subscribe to: states and availability."""
        return self.state_topics | {each.topic for each in self.availability}


def discover(topic: str, payload: bytes, prefix: str = "homeassistant") -> list[Definition] | None:
    """Read one config message; None (and one log line) for one that cannot be used."""
    parts = topic.removeprefix(prefix + "/").split("/")
    if not payload or not topic.startswith(prefix + "/") or len(parts) not in (3, 4):
        return []
    is_device = parts[0] == "device"
    if not is_device and parts[0] not in KINDS:
        return []
    try:
        if len(payload) > LARGEST_BYTES:
            raise ValueError(f"it has {len(payload)} bytes, more than {LARGEST_BYTES}")
        config = json.loads(payload)
        if not isinstance(config, dict):
            raise TypeError("it is no JSON object")
        if is_device:
            return list(_from_device(topic, config))
        return [made] if (made := _define(topic, parts[0], config)) else []
    except (ValueError, TypeError, RecursionError) as error:
        log.warning("ignored the announcement on %s: %s", clean_name(topic), error)
        return None


def clean_name(text: str) -> str:
    """Take control characters and surplus blanks out of a name and cut it to 60 characters."""
    shown = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text)
    return " ".join(shown.split())[:LONGEST_NAME].strip()


def to_number(value: object) -> float | None:
    """Read a finite number out of JSON or text, None if it is none."""
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e9 else None


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _from_device(topic: str, config: dict[str, object]) -> Iterator[Definition]:
    shared = _expand(config)
    components = shared.pop("components", None)
    if not isinstance(components, dict):
        raise TypeError("it lists no components")
    for key, component in components.items():
        if not isinstance(component, dict):
            continue
        own = _expand(component)
        platform = own.pop("platform", None)
        # Nothing but a platform is how a device takes back one of its components.
        if not own or not isinstance(platform, str) or platform not in KINDS:
            continue
        try:
            made = _define(f"{topic}#{key}", platform, {**shared, **own})
        except (ValueError, TypeError) as error:
            where = clean_name(f"{key} of {topic}")
            log.warning("ignored the announcement of %s: %s", where, error)
            continue
        if made is not None:
            yield made


def _define(key: str, component: str, config: dict[str, object]) -> Definition | None:
    options = _expand_topics(_expand(config))
    kind = Kind(component)
    # A device's settings and readings are no things of the house that somebody talks about.
    if options.get("entity_category") or options.get("enabled_by_default") is False:
        return None
    if kind is Kind.LIGHT and options.get("schema") not in (None, "basic", "default", "json"):
        raise ValueError(f"a light of the schema {clean_name(str(options['schema']))} is not known")
    device = options.get("device")
    device = device if isinstance(device, dict) else {}
    area = clean_name(_as_text(device.get("suggested_area") or ""))
    return Definition(
        key=key,
        kind=kind,
        name=_name(options, device, key),
        area=area or None,
        options=options,
        lookups=_lookups(kind, options),
        availability=tuple(_availability(options)),
        availability_mode=_as_text(options.get("availability_mode") or "latest"),
    )


def _name(options: Mapping[str, object], device: Mapping[str, object], key: str) -> str:
    own = clean_name(_as_text(options.get("name") or ""))
    of_device = clean_name(_as_text(device.get("name") or ""))
    if own and of_device and not own.lower().startswith(of_device.lower()):
        return clean_name(f"{of_device} {own}")
    return own or of_device or clean_name(key.removesuffix("/config").rpartition("/")[2])


def _lookups(kind: Kind, options: Mapping[str, object]) -> dict[str, Lookup]:
    lookups = {}
    for key in TEMPLATES[kind]:
        text = options.get(key)
        if text is None and key == "state_value_template":
            text = options.get("value_template")
        if text is None or options.get("schema") == "json":
            continue
        lookup = parse_template(_as_text(text))
        if lookup is None or ("command" in key or key.startswith("set_")) and lookup != Lookup():
            raise ValueError(f"its {key} is more than a plain look-up")
        lookups[key] = lookup
    return lookups


def _availability(options: Mapping[str, object]) -> Iterator[Availability]:
    listed = options.get("availability")
    entries = listed if isinstance(listed, list) else []
    if topic := options.get("availability_topic"):
        entries = [{"value_template": options.get("availability_template"), **options}]
        entries[0]["topic"] = topic
        if options.get("availability_template") is None:
            entries[0]["value_template"] = None
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("topic"), str):
            raise TypeError("an entry of its availability names no topic")
        _check_topic("availability topic", entry["topic"])
        lookup: Lookup | None = Lookup()
        if entry.get("value_template") is not None:
            lookup = parse_template(_as_text(entry["value_template"]))
        if lookup is None:
            raise ValueError("the template of its availability is more than a plain look-up")
        online = _as_text(entry.get("payload_available") or "online")
        offline = _as_text(entry.get("payload_not_available") or "offline")
        yield Availability(entry["topic"], online, offline, lookup)


def _expand(config: Mapping[str, object]) -> dict[str, object]:
    full = {KEYS.get(key, key): value for key, value in config.items()}
    if isinstance(device := full.get("device"), dict):
        full["device"] = {DEVICE.get(key, key): value for key, value in device.items()}
    if isinstance(listed := full.get("availability"), dict):
        full["availability"] = listed = [listed]
    if isinstance(listed, list):
        full["availability"] = [
            {KEYS.get(key, key): value for key, value in entry.items()}
            for entry in listed
            if isinstance(entry, dict)
        ]
    return full


def _expand_topics(options: dict[str, object]) -> dict[str, object]:
    base = options.pop("~", None)
    if isinstance(base, str):
        listed = options.get("availability")
        for table in (options, *(listed if isinstance(listed, list) else ())):
            for key, value in table.items():
                if key.endswith("topic") and isinstance(value, str):
                    if value.startswith("~"):
                        table[key] = base + value[1:]
                    elif value.endswith("~"):
                        table[key] = value[:-1] + base
    for key, value in options.items():
        if key.endswith("topic") and value is not None:
            _check_topic(key, value)
    return options


def _check_topic(key: str, value: object) -> None:
    if not isinstance(value, str) or any(each in value for each in "+#\0") or len(value) > 1000:
        raise ValueError(f"its {key} is no topic")


def _features(definition: Definition) -> Iterator[Feature]:
    has = definition.text
    match definition.kind:
        case Kind.LIGHT if definition.is_json_light:
            yield from _features_of_json_light(definition)
        case Kind.LIGHT:
            keys = {
                "command_topic": Feature.ON_OFF,
                "brightness_command_topic": Feature.BRIGHTNESS,
                "rgb_command_topic": Feature.COLOR,
                "color_temp_command_topic": Feature.COLOR_TEMP,
            }
            yield from (feature for key, feature in keys.items() if has(key))
        case Kind.SWITCH if has("command_topic"):
            yield Feature.ON_OFF
        case Kind.COVER:
            yield from _features_of_cover(definition)
        case Kind.CLIMATE:
            if has("temperature_command_topic"):
                yield Feature.TEMPERATURE
            if has("power_command_topic") or (
                has("mode_command_topic") and "off" in definition.texts("modes")
            ):
                yield Feature.ON_OFF
        case _:
            pass


def _features_of_json_light(definition: Definition) -> Iterator[Feature]:
    modes = set(definition.texts("supported_color_modes"))
    if not definition.text("command_topic"):
        return
    yield Feature.ON_OFF
    if definition.flag("brightness") or modes - {"onoff"}:
        yield Feature.BRIGHTNESS
    if modes & {"rgb", "rgbw", "rgbww", "hs", "xy"}:
        yield Feature.COLOR
    if "color_temp" in modes:
        yield Feature.COLOR_TEMP


def _features_of_cover(definition: Definition) -> Iterator[Feature]:
    # A payload set to null in the announcement says that the cover cannot do it.
    options = definition.options
    if definition.text("set_position_topic"):
        yield Feature.POSITION
    if definition.text("command_topic"):
        yield Feature.OPEN_CLOSE
        if options.get("payload_stop", "STOP") is not None:
            yield Feature.STOP
