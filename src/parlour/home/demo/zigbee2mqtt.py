"""A simulated Zigbee2MQTT 2.x: its bridge topics, its devices' states, and their commands.

Shapes: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html and what its Home
Assistant extension writes. Devices are retained by the setting `device_options: {retain: true}`;
one without it has to be asked with `/get`, as by default all have.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from parlour.home.colors import from_hs, from_xy, to_xy
from parlour.home.demo.devices import (
    NEVER,
    Cover,
    Detector,
    Device,
    Light,
    Lock,
    Sensor,
    Switch,
    Thermostat,
)
from parlour.home.demo.station import Message, make_slug
from parlour.home.demo.zigbee import BASE, BIRTH, STATE, Group, Json, Zigbee
from parlour.home.demo.zigbee_discovery import announce_device, announce_group
from parlour.home.demo.zigbee_exposes import COORDINATOR, INFO, list_device, list_group

ONLINE = '{"state":"online"}'
OFFLINE = '{"state":"offline"}'
MOVING = {"opening": "UP", "closing": "DOWN"}  # else "STOP"


@dataclass(slots=True)
class Zigbee2Mqtt:
    zigbees: list[Zigbee]
    groups: list[Group]
    is_away: bool = False
    status: str = STATE
    online: str = ONLINE
    offline: str = OFFLINE

    @property
    def devices(self) -> Mapping[str, Device]:
        found: dict[str, Device] = {}
        for each in self.zigbees:
            if isinstance(each.device, Sensor):
                found |= {f"{each.slug}_{prop}": sensor for prop, sensor in each.reads.items()}
            else:
                found[each.slug] = each.device
        for group in self.groups:
            scenes = group.scenes.values()
            about = f"{group.area} {group.name}"
            found |= {make_slug(f"{about} {name}"): scene for name, scene in scenes}
        return found

    @property
    def _topics(self) -> list[str]:
        return [each.topic for each in self.zigbees] + [each.topic for each in self.groups]

    @property
    def subscriptions(self) -> list[str]:
        return [BIRTH] + [
            f"{topic}/{tail}" for topic in self._topics for tail in ("set", "set/+", "get", "get/+")
        ]

    def announcements(self) -> Iterator[Message]:
        yield Message(f"{BASE}/bridge/info", json.dumps(INFO))
        listed = [COORDINATOR, *(list_device(each) for each in self.zigbees)]
        yield Message(f"{BASE}/bridge/devices", json.dumps(listed))
        groups = [list_group(group, self._members(group.name)) for group in self.groups]
        yield Message(f"{BASE}/bridge/groups", json.dumps(groups))
        for topic in self._topics:
            yield Message(f"{topic}/availability", ONLINE)
        yield from self._discovery()

    def receive(self, topic: str, payload: str, now_s: float) -> list[Message]:
        if topic == BIRTH:
            return list(self._discovery()) if payload == "online" else []
        name, verb, prop = self._parse(topic)
        zigbee = next((each for each in self.zigbees if each.name == name), None)
        if verb == "set":
            said = _said(payload, prop)
            targets = [zigbee] if zigbee is not None else self._members(name)
            if zigbee is None and "scene_recall" in said:
                self._recall(name, said["scene_recall"], now_s)
                return []
            for each in targets:
                _set(each.device, said, now_s)
        # Zigbee2MQTT says how a device stands after every command and every question.
        if zigbee is not None:
            return [_state(zigbee)]
        return [self._group_state(group) for group in self.groups if group.name == name]

    def states(self, now_s: float) -> Iterator[Message]:
        for zigbee in self.zigbees:
            yield _state(zigbee)
        for group in self.groups:
            yield self._group_state(group)

    def advance(self, now_s: float) -> float:
        wait_s = NEVER
        for zigbee in self.zigbees:
            wait_s = min(wait_s, zigbee.device.advance(now_s))
            for sensor in zigbee.reads.values():
                wait_s = min(wait_s, sensor.advance(now_s))
        return wait_s

    def _discovery(self) -> Iterator[Message]:
        for zigbee in self.zigbees:
            yield from announce_device(zigbee)
        for group in self.groups:
            yield from announce_group(group, self._members(group.name))

    def _parse(self, topic: str) -> tuple[str, str, str]:
        head, *rest = topic.removeprefix(BASE + "/").split("/")
        return head, rest[0], rest[1] if len(rest) > 1 else ""

    def _members(self, name: str) -> list[Zigbee]:
        wanted = next(group.members for group in self.groups if group.name == name)
        return [each for each in self.zigbees if each.name in wanted]

    def _recall(self, name: str, number: object, now_s: float) -> None:
        group = next(group for group in self.groups if group.name == name)
        group.scenes[int(str(number))][1].press(now_s)

    def _group_state(self, group: Group) -> Message:
        """A group is on when one of its members is; the rest is its first member's."""
        members = self._members(group.name)
        shown = next((each for each in members if _is_lit(each)), members[0])
        said = _values(shown)
        return Message(group.topic, json.dumps(said))


def _is_lit(zigbee: Zigbee) -> bool:
    return isinstance(zigbee.device, Light) and zigbee.device.is_on


# ---------------------------------------------------------------- commands


def _said(payload: str, prop: str) -> Json:
    """Read a command: an object, or one bare value for the property that the topic names."""
    try:
        value: object = json.loads(payload)
    except ValueError:
        value = payload
    if prop:
        return {prop: value}
    if isinstance(value, dict):
        return value
    return {"state": value}


def _set(device: Device, said: Json, now_s: float) -> None:
    state = str(said.get("state", "")).upper()
    match device:
        case Light() as light:
            _set_light(light, said, state, now_s)
        case Switch() as switch if state:
            switch.turn({"ON": True, "OFF": False, "TOGGLE": not switch.is_on}[state])
        case Lock() as lock if state:
            lock.turn({"LOCK": True, "UNLOCK": False}[state], now_s)
        case Cover() as cover:
            if state:
                cover.obey(state, now_s)
            if "position" in said:
                cover.go(_number(said["position"]), now_s)
            if "tilt" in said:
                cover.slant(_number(said["tilt"]), now_s)
        case Thermostat() as thermostat:
            if "system_mode" in said:
                thermostat.switch(str(said["system_mode"]))
            if "occupied_heating_setpoint" in said:
                thermostat.aim(_number(said["occupied_heating_setpoint"]))
        case _:
            pass


def _set_light(light: Light, said: Json, state: str, now_s: float) -> None:
    if state:
        light.turn({"ON": True, "OFF": False, "TOGGLE": not light.is_on}[state])
    if state == "OFF":
        return
    if "brightness" in said:
        light.dim(_number(said["brightness"]) * 100 / 254, now_s)
    if "color_temp" in said:
        light.warm(_number(said["color_temp"]))
    color = said.get("color")
    if isinstance(color, dict):
        if "x" in color:
            light.color(from_xy(_number(color["x"]), _number(color["y"])))
        elif "hue" in color or "h" in color:
            hue, saturation = color.get("hue", color.get("h")), color.get("saturation", 100)
            light.color(from_hs(_number(hue), _number(color.get("s", saturation))))
        else:
            red, green, blue = (round(_number(color[part])) for part in "rgb")
            light.color((red, green, blue))


def _number(value: object) -> float:
    return float(str(value))


# ---------------------------------------------------------------- states


def _state(zigbee: Zigbee) -> Message:
    return Message(zigbee.topic, json.dumps(_values(zigbee)), retain=zigbee.is_retained)


def _values(zigbee: Zigbee) -> Json:
    said = _own_values(zigbee)
    for prop, source in zigbee.reads.items():
        said[prop] = source.power if isinstance(source, Switch) else source.value
    return said | {"linkquality": 132}


def _own_values(zigbee: Zigbee) -> Json:
    match zigbee.device:
        case Light() as light:
            said: Json = {"state": "ON" if light.is_on else "OFF"}
            said["brightness"] = max(1, round(light.goal * 2.54))
            if light.mode == "color":
                x, y = to_xy(light.rgb)
                said |= {"color_mode": "xy", "color": {"x": round(x, 4), "y": round(y, 4)}}
            elif light.mode == "color_temp":
                said |= {"color_mode": "color_temp", "color_temp": light.mireds}
            return said
        case Switch(is_on=is_on):
            return {"state": "ON" if is_on else "OFF"}
        case Lock(is_locked=is_locked):
            return {
                "state": "LOCK" if is_locked else "UNLOCK",
                "lock_state": "locked" if is_locked else "unlocked",
            }
        case Cover() as cover:
            said = {
                "state": "CLOSE" if cover.position == 0 else "OPEN",
                "position": round(cover.position),
                "moving": MOVING.get(cover.doing, "STOP"),
            }
            return said if cover.tilt is None else said | {"tilt": round(cover.tilt)}
        case Thermostat() as thermostat:
            is_heating = thermostat.mode != "off" and thermostat.measured < thermostat.target
            return {
                "local_temperature": thermostat.measured,
                "occupied_heating_setpoint": thermostat.target,
                "system_mode": thermostat.mode,
                "running_state": "heat" if is_heating else "idle",
            }
        case Detector(detects=detects):
            # The contact of an open window is open: false.
            return {zigbee.detects: not detects if zigbee.detects == "contact" else detects}
        case _:
            return {}
