"""A Zigbee network as values: its devices, its groups, and the names that its messages share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parlour.home.demo.devices import Button, Cover, Device, Light, Sensor, Switch

PREFIX = "homeassistant"
BASE = "zigbee2mqtt"
VERSION = "2.6.3"
BRIDGE = "0x00124b0029e6a1f0"  # the coordinator's address
STATE = f"{BASE}/bridge/state"
BIRTH = f"{PREFIX}/status"  # "online" on it: whoever reads announcements wants them again

Json = dict[str, object]

# What Home Assistant is told of a reading, by property.
SENSORS: dict[str, Json] = {
    "temperature": {"unit_of_measurement": "°C", "device_class": "temperature"},
    "humidity": {"unit_of_measurement": "%", "device_class": "humidity"},
    "power": {"unit_of_measurement": "W", "device_class": "power"},
    "battery": {
        "unit_of_measurement": "%",
        "device_class": "battery",
        "entity_category": "diagnostic",
    },
}


@dataclass(frozen=True, slots=True)
class Zigbee:
    """One Zigbee device. `reads`: what it measures besides, by property; `detects`: the property of
    a detector; `overrides`: what its owner set under `homeassistant:`, by object id or "device"."""

    name: str
    ieee: str
    vendor: str
    model: str
    about: str
    device: Device
    slug: str
    reads: Mapping[str, Sensor | Switch] = field(default_factory=dict)
    detects: str = ""
    overrides: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    is_retained: bool = True

    @property
    def topic(self) -> str:
        return f"{BASE}/{self.name}"

    @property
    def is_on_mains(self) -> bool:
        return isinstance(self.device, Light | Switch | Cover)


@dataclass(frozen=True, slots=True)
class Group:
    """Several lights as one; `scenes` by id: what the group recalls."""

    name: str
    number: int
    members: Sequence[str]  # their names
    area: str
    scenes: Mapping[int, tuple[str, Button]] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        return f"{BASE}/{self.name}"
