"""Zigbee2MQTT's own list of devices and groups, pure: what they expose becomes definitions."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from parlour.home.definitions import Definition
from parlour.home.discovery import define
from parlour.home.payloads import as_text, clean_name, read_json, to_number
from parlour.home.zigbee_exposes import (
    GETTABLE,
    ONE_EACH,
    Config,
    access_of,
    config_of,
    features_of,
    suffix_of,
)

log = logging.getLogger(__name__)

LARGEST_BYTES = 8 * 1024 * 1024  # one message lists all devices, each with all that it exposes
MOST_DEVICES = 2000


@dataclass(slots=True)
class Zigbee2Mqtt:
    """One bridge: its list of devices and its list of groups, which builds on the devices."""

    base: str = "zigbee2mqtt"
    _devices: list[Mapping[str, Any]] = field(default_factory=list)
    _groups: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def filters(self) -> tuple[str, ...]:
        return (f"{self.base}/bridge/devices", f"{self.base}/bridge/groups")

    def is_config(self, topic: str) -> bool:
        return topic in self.filters

    def receive(self, topic: str, payload: bytes) -> dict[str, list[Definition]] | None:
        """Take in one list; return all definitions by the topic that they belong to.

        None, and a log line, for a list that cannot be used. An empty one takes all back.
        """
        try:
            if len(payload) > LARGEST_BYTES:
                raise ValueError(f"it has {len(payload)} bytes, more than {LARGEST_BYTES}")
            listed = read_json(payload) if payload else []
            if not isinstance(listed, list):
                raise TypeError("it is no list")
        except (ValueError, TypeError, RecursionError) as error:
            log.warning("ignored the list on %s: %s", clean_name(topic), error)
            return None
        entries: list[Mapping[str, Any]] = [
            each for each in listed[:MOST_DEVICES] if isinstance(each, dict)
        ]
        if topic == self.filters[0]:
            self._devices = entries
        else:
            self._groups = entries
        return {
            self.filters[0]: list(self._of_devices()),
            self.filters[1]: list(self._of_groups()),
        }

    def _of_devices(self) -> Iterator[Definition]:
        for device in self._devices:
            address, name = device.get("ieee_address"), device.get("friendly_name")
            if not isinstance(address, str) or not isinstance(name, str) or not name:
                continue
            if device.get("type") == "Coordinator" or device.get("disabled") is True:
                continue
            thing = _Thing(self.base, address.lower(), name, self.filters[0])
            yield from thing.define(_exposes(device))

    def _of_groups(self) -> Iterator[Definition]:
        exposes = {
            device["ieee_address"]: _exposes(device)
            for device in self._devices
            if isinstance(device.get("ieee_address"), str)
        }
        for group in self._groups:
            name, number = group.get("friendly_name"), to_number(group.get("id"))
            if not isinstance(name, str) or not name or number is None:
                continue
            members = group.get("members")
            shared = _shared_exposes(members if isinstance(members, list) else [], exposes)
            letters = "".join(str(ord(letter)) for letter in self.base)
            address = f"group:{letters}_{int(number)}"
            thing = _Thing(self.base, address, name, self.filters[1], is_group=True)
            yield from thing.define(shared)
            scenes = group.get("scenes")
            for scene in scenes if isinstance(scenes, list) else []:
                if isinstance(scene, dict) and to_number(scene.get("id")) is not None:
                    yield from thing.define_scene(scene)


def _exposes(device: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    definition = device.get("definition")
    listed = definition.get("exposes") if isinstance(definition, dict) else None
    if not isinstance(listed, list):
        return []
    return [each for each in listed[:200] if isinstance(each, dict)]


def _shared_exposes(
    members: Sequence[object], exposes: Mapping[str, list[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    """What every member is: a group of lamps is a lamp with what all of them can do."""
    of_members = [
        exposes.get(as_text(member.get("ieee_address")), [])
        for member in members
        if isinstance(member, dict)
    ]
    for type_ in ("light", "switch", "cover"):
        found = [[each for each in own if each.get("type") == type_] for own in of_members]
        if not found or not all(found):
            continue
        names = [{as_text(each.get("name")) for each in features_of(own[0])} for own in found]
        common = set.intersection(*names)
        features = [
            # A member's own second half is called "state_l2"; that of the group is not.
            {**each, "property": as_text(each.get("property")).removesuffix(suffix_of(found[0][0]))}
            for each in features_of(found[0][0])
            if each.get("name") in common
        ]
        return [{"type": type_, "features": features}]
    return []


@dataclass(frozen=True, slots=True)
class _Thing:
    """A device or group, as what its exposes are defined on."""

    base: str
    address: str
    name: str
    source: str
    is_group: bool = False

    @property
    def topic(self) -> str:
        return f"{self.base}/{self.name}"

    @property
    def spoken(self) -> str:
        return clean_name(self.name.replace("/", " "))

    def define(self, exposes: Sequence[Mapping[str, Any]]) -> Iterator[Definition]:
        done: set[str] = set()
        count = {type_: sum(each.get("type") == type_ for each in exposes) for type_ in ONE_EACH}
        for expose in exposes:
            type_ = as_text(expose.get("type"))
            made = config_of(type_, expose, self.topic, self.name, exposes)
            if made is None:
                continue
            component, part, config = made
            if part in done:
                continue
            done.add(part)
            # The second lamp of a device needs a name of its own; a reading always does.
            endpoint = as_text(expose.get("endpoint")) if count.get(type_, 0) > 1 else ""
            is_reading = type_ not in ONE_EACH
            own = endpoint or (part.replace("_", " ").title() if is_reading else "")
            if (definition := self._make(component, part, own, config)) is not None:
                plain = self.spoken if is_reading and part != "battery" else ""
                yield replace(definition, polls=self._poll(type_, expose), plain=plain)

    def define_scene(self, scene: Mapping[str, Any]) -> Iterator[Definition]:
        number = int(to_number(scene.get("id")) or 0)
        recall = json.dumps({"scene_recall": number})
        config: Config = {"command_topic": f"{self.topic}/set", "payload_on": recall}
        name = clean_name(as_text(scene.get("name"))) or f"scene {number}"
        if made := self._make("scene", f"scene_{number}", name, config):
            yield made

    def _make(self, component: str, part: str, own: str, config: Config) -> Definition | None:
        online = "{{ value_json.state }}"
        availability: list[Config] = [
            {"topic": f"{self.base}/bridge/state", "value_template": online},
            # Whether it is told at all who is there is a setting of the bridge.
            {"topic": f"{self.topic}/availability", "value_template": online, "assumed": True},
        ]
        config |= {
            "name": clean_name(own.replace("_", " ")) or None,
            "availability": availability,
            "availability_mode": "all",
            "device": {"name": self.spoken, "identifiers": [self.address]},
        }
        try:
            made = define(f"{self.source}#{self.address}/{part}", component, config)
        except (ValueError, TypeError) as error:
            log.warning("ignored %s of %s: %s", part, clean_name(self.name), error)
            return None
        if made is None:
            return None
        identity = f"{self.address}/{part}"
        return replace(made, identity=identity, device=self.address, is_native=True)

    def _poll(self, type_: str, expose: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        if self.is_group or type_ not in ONE_EACH:
            return ()  # readings come from batteries, which sleep
        gettable = {
            as_text(each.get("property")): ""
            for each in features_of(expose)
            if access_of(each) & GETTABLE
            and each.get("name") in ("state", "position", "brightness")
        }
        return ((f"{self.topic}/get", json.dumps(gettable)),) if gettable else ()
