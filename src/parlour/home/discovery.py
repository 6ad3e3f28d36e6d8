"""Home Assistant's MQTT discovery, pure: a retained config message in, definitions of entities out."""

import logging
import re
from collections.abc import Iterator, Mapping

from parlour.home.abbreviations import DEVICE, KEYS, ORIGIN
from parlour.home.definitions import (
    Definition,
    check_topics,
    make_availability,
    make_templates,
)
from parlour.home.entities import Kind
from parlour.home.payloads import LARGEST_BYTES, as_text, clean_name, read_json

log = logging.getLogger(__name__)

COMPONENTS = frozenset(kind.value for kind in Kind if kind is not Kind.MEDIA)
MOST_COMPONENTS = 500  # in one device message

_IEEE = re.compile(r"0x[0-9a-f]{16}")
# Zigbee2MQTT writes the letters of its base topic as numbers.
_ZIGBEE_GROUP = re.compile(r"zigbee2mqtt_(\d{6,})_(\d{1,10})")
_MAC = re.compile(r"[0-9a-f]{12}")
_TASMOTA = re.compile(r"[0-9a-f]{6}|[0-9a-f]{12}")
_TASMOTA_PART = re.compile(r"[0-9A-Fa-f]{6}_(RL|LI|SHT)_(\d+)")


def discover(topic: str, payload: bytes, prefix: str = "homeassistant") -> list[Definition] | None:
    """Read one config message; None, and a log line, for one that cannot be used.

    An empty list takes back what the topic announced before.
    """
    parts = topic.removeprefix(prefix + "/").split("/")
    if not payload or not topic.startswith(prefix + "/") or len(parts) not in (3, 4):
        return []
    is_device = parts[0] == "device"
    if not is_device and parts[0] not in COMPONENTS:
        return []
    try:
        config = read_config(payload)
        if config.get("migrate_discovery") is True:
            # The device form takes over under the same unique ids: nothing goes away until then.
            return None
        if is_device:
            return list(_from_device(topic, config))
        return [made] if (made := define(topic, parts[0], config)) else []
    except (ValueError, TypeError, RecursionError) as error:
        log.warning("ignored the announcement on %s: %s", clean_name(topic), error)
        return None


def read_config(payload: bytes) -> dict[str, object]:
    """Parse a config message; ValueError or TypeError for one that is none."""
    if len(payload) > LARGEST_BYTES:
        raise ValueError(f"it has {len(payload)} bytes, more than {LARGEST_BYTES}")
    config = read_json(payload)
    if not isinstance(config, dict):
        raise TypeError("it is no JSON object")
    return config


def define(key: str, component: str, config: Mapping[str, object]) -> Definition | None:
    """Make one definition of a component's config; None for what nobody talks about.

    ValueError or TypeError when it cannot be used, with the reason.
    """
    options = _expand_topics(expand(config))
    kind = Kind(component)
    if options.get("enabled_by_default") is False or _is_internal(kind, options):
        return None
    _check(kind, options)
    device = options.get("device")
    device = device if isinstance(device, dict) else {}
    area = clean_name(as_text(device.get("suggested_area")))
    address = _address(device)
    own, plain = _names(kind, options, device)
    return Definition(
        key=key,
        kind=kind,
        name=_name(own, options, device, key),
        plain=plain,
        area=area or None,
        options=options,
        templates=make_templates(options),
        availability=tuple(make_availability(options)),
        availability_mode=as_text(options.get("availability_mode") or "latest"),
        identity=_identity(kind, options, address) or key,
        device=address,
    )


def expand(config: Mapping[str, object]) -> dict[str, object]:
    """Write all short keys out, also in the device, the origin and the availability."""
    full = {KEYS.get(key, key): value for key, value in config.items()}
    for name, table in (("device", DEVICE), ("origin", ORIGIN)):
        if isinstance(inner := full.get(name), dict):
            full[name] = {table.get(key, key): value for key, value in inner.items()}
    if isinstance(listed := full.get("availability"), dict):
        full["availability"] = listed = [listed]
    if isinstance(listed, list):
        full["availability"] = [
            {KEYS.get(key, key): value for key, value in entry.items()}
            for entry in listed
            if isinstance(entry, dict)
        ]
    return full


def _from_device(topic: str, config: dict[str, object]) -> Iterator[Definition]:
    shared = expand(config)
    components = shared.pop("components", None)
    if not isinstance(components, dict):
        raise TypeError("it lists no components")
    for key, component in list(components.items())[:MOST_COMPONENTS]:
        if not isinstance(component, dict):
            continue
        own = expand(component)
        platform = own.pop("platform", None)
        # Nothing but a platform is how a device takes back one of its components.
        if not own or not isinstance(platform, str) or platform not in COMPONENTS:
            continue
        try:
            made = define(f"{topic}#{key}", platform, {**shared, **own})
        except (ValueError, TypeError) as error:
            where = clean_name(f"{key} of {topic}")
            log.warning("ignored the announcement of %s: %s", where, error)
            continue
        if made is not None:
            yield made


def _is_internal(kind: Kind, options: Mapping[str, object]) -> bool:
    # A device's settings and readings of itself are no things of the house that somebody talks
    # about, save how full its battery is.
    is_battery = options.get("device_class") == "battery"
    of_battery = is_battery and kind in (Kind.SENSOR, Kind.BINARY_SENSOR)
    return bool(options.get("entity_category")) and not of_battery


def _check(kind: Kind, options: Mapping[str, object]) -> None:
    check_topics(options)
    schema = options.get("schema")
    if kind is Kind.LIGHT and schema not in (None, "basic", "default", "json", "template"):
        raise ValueError(f"a light of the schema {clean_name(as_text(schema))} is not known")
    if kind is Kind.LIGHT and schema == "template":
        for key in ("command_topic", "command_on_template", "command_off_template"):
            if not options.get(key):
                raise ValueError(f"a light by templates needs its {key}")


def _names(
    kind: Kind, options: Mapping[str, object], device: Mapping[str, object]
) -> tuple[str, str]:
    """The name of its own; and its device's, when its own is only what it measures.

    A name of null says that the thing is called as its device; with none at all, Home Assistant
    calls it by its class: "Front Door Battery". Whatever can be told something needs no such word.
    """
    own, of_device = (
        clean_name(as_text(options.get("name"))),
        clean_name(as_text(device.get("name"))),
    )
    is_reading = kind in (Kind.SENSOR, Kind.BINARY_SENSOR)
    if "name" in options or not is_reading or not of_device:
        return own, ""
    measured = clean_name(as_text(options.get("device_class")).replace("_", " ")).title()
    return measured, of_device if measured and measured != "Battery" else ""


def _name(own: str, options: Mapping[str, object], device: Mapping[str, object], key: str) -> str:
    of_device = clean_name(as_text(device.get("name")))
    if own and of_device and not own.lower().startswith(of_device.lower()):
        return clean_name(f"{of_device} {own}")
    object_id = clean_name(as_text(options.get("object_id")).replace("_", " "))
    topic = clean_name(key.removesuffix("/config").rpartition("/")[2])
    return own or of_device or object_id or topic or "thing"


def _address(device: Mapping[str, object]) -> str:
    """What tells the device from others: its IEEE or MAC address, or else its first identifier."""
    said: list[str] = []
    for key in ("identifiers", "connections"):
        value = device.get(key)
        listed = value if isinstance(value, list) else [value]
        for each in listed:
            said += [as_text(part) for part in each] if isinstance(each, list) else [as_text(each)]
    texts = [text.lower() for text in said[:20]]
    if as_text(device.get("manufacturer")).lower() == "tasmota":
        # Its native announcement has the whole MAC address, this one mostly the last half.
        hexes = (text.replace(":", "") for text in texts)
        return next((f"tasmota:{t[-6:]}" for t in hexes if _TASMOTA.fullmatch(t)), "")
    for text in texts:
        if found := _IEEE.search(text):
            return found[0]
        if found := _ZIGBEE_GROUP.fullmatch(text):
            return f"group:{found[1]}_{found[2]}"
    for text in texts:
        if found := _MAC.fullmatch(text.replace(":", "").replace("-", "")):
            return found[0]
    return f"id:{texts[0][:200]}" if texts and texts[0] else ""


def _identity(kind: Kind, options: Mapping[str, object], address: str) -> str:
    unique = as_text(options.get("unique_id"))[:200]
    if not unique:
        return ""
    if address.startswith("0x") and unique.startswith(address):
        # Zigbee2MQTT: 0x00158d0001a2b3c4_light_l1_zigbee2mqtt, or ..._light_<base topic>.
        part = unique.removeprefix(address).rpartition("_")[0].strip("_")
        return f"{address}/{part}"
    if address.startswith("group:"):
        # 9_light_zigbee2mqtt
        return f"{address}/{unique.partition('_')[2].rpartition('_')[0]}"
    if address.startswith("tasmota:") and (found := _TASMOTA_PART.fullmatch(unique)):
        return f"{address}/{'shutter' if found[1] == 'SHT' else 'relay'}{found[2]}"
    return f"{kind}/{unique}"


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
    return options
