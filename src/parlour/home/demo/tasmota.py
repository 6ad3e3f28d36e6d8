"""A simulated Tasmota device: its own discovery, and the topics `cmnd`, `stat` and `tele`.

Shapes: https://tasmota.github.io/docs/MQTT/ and what `hatasmota` reads. What it says is not
retained, but for its discovery and last will: who comes later asks with `cmnd/<topic>/STATE`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from parlour.home.colors import from_hs, to_hs
from parlour.home.demo.devices import Cover, Device, Light, Sensor, Switch
from parlour.home.demo.station import Message

DISCOVERY = "tasmota/discovery"
VERSION = "15.1.0"
PERIOD_S = 10.0  # TelePeriod, the shortest that a real one allows
RELAYS = 8
NO_RELAY, RELAY, LIGHT, SHUTTER = range(4)  # kinds of relay in "rl"
DIMMER, COLD_WARM, COLORED = 1, 2, 5  # kinds of light in "lt_st"
POWER = ("POWER", "POWER0", "POWER1")
OPTIONS = ("4", "11", "13", "17", "20", "30", "68", "73", "82", "114", "117")

Json = dict[str, object]


@dataclass(slots=True)
class Tasmota:
    """`device` None: it only measures. `reads`: readings by block and key, as "AM2301"."""

    topic: str
    mac: str  # twelve hexadecimal digits
    name: str
    slug: str
    device: Light | Switch | Cover | None
    reads: Mapping[str, Mapping[str, Sensor | Switch]] = field(default_factory=dict)
    is_away: bool = False
    online: str = "Online"
    offline: str = "Offline"
    _told_s: float | None = None

    @property
    def status(self) -> str:
        return f"tele/{self.topic}/LWT"

    @property
    def devices(self) -> Mapping[str, Device]:
        if self.device is not None:
            return {self.slug: self.device}
        return {
            f"{self.slug}_{key.lower()}": sensor
            for block in self.reads.values()
            for key, sensor in block.items()
        }

    @property
    def subscriptions(self) -> list[str]:
        return [f"cmnd/{self.topic}/#"]

    def announcements(self) -> Iterator[Message]:
        yield Message(f"{DISCOVERY}/{self.mac}/config", json.dumps(self._config()))
        sensors = {"sn": self._sensors(0.0), "ver": 1}
        yield Message(f"{DISCOVERY}/{self.mac}/sensors", json.dumps(sensors))

    def receive(self, topic: str, payload: str, now_s: float) -> list[Message]:
        return self._obey(topic.rpartition("/")[2].upper(), payload, now_s)

    def _obey(self, command: str, payload: str, now_s: float) -> list[Message]:
        if command in ("BACKLOG", "BACKLOG0"):
            orders = [order.strip().partition(" ") for order in payload.split(";")]
            found = [self._obey(name.upper(), rest, now_s) for name, _, rest in orders if name]
            return [message for messages in found for message in messages]
        if command == "STATUS":
            return self._status(payload.strip() or "0", now_s)
        if command == "STATE":
            return [self._result(self._state(now_s))]
        match self.device:
            case Light() as light:
                return self._light(light, command, payload, now_s)
            case Switch() as switch if command in POWER:
                if payload:
                    switch.turn(_is_on(payload, switch.is_on))
                return self._power(switch.is_on)
            case Cover() as cover if command.startswith("SHUTTER"):
                self._shutter(cover, command, payload, now_s)
                return [self._result(_shutter(cover))]
            case _:
                return [Message(f"stat/{self.topic}/RESULT", '{"Command":"Unknown"}', False)]

    def states(self, now_s: float) -> Iterator[Message]:
        """What it says by itself: a moving shutter, and everything once a period."""
        if isinstance(self.device, Cover):
            yield self._result(_shutter(self.device))
        if self._told_s is not None and self._told_s == now_s:
            yield Message(f"tele/{self.topic}/STATE", json.dumps(self._state(now_s)), False)
            if self.reads or isinstance(self.device, Cover):
                sensors = json.dumps(self._sensors(now_s))
                yield Message(f"tele/{self.topic}/SENSOR", sensors, False)

    def advance(self, now_s: float) -> float:
        waits_s = [
            sensor.advance(now_s) for block in self.reads.values() for sensor in block.values()
        ]
        if self._told_s is None or now_s - self._told_s >= PERIOD_S:
            self._told_s = now_s
        waits_s.append(self._told_s + PERIOD_S - now_s)
        if self.device is not None:
            waits_s.append(self.device.advance(now_s))
        return min(waits_s)

    # ------------------------------------------------------------ commands

    def _light(self, light: Light, command: str, payload: str, now_s: float) -> list[Message]:
        match command:
            case _ if command in POWER:
                if payload:
                    light.turn(_is_on(payload, light.is_on))
                return self._power(light.is_on)
            case "DIMMER" | "DIMMER0" if payload:
                light.dim(float(payload), now_s)
            case "CT" if payload:
                light.warm(float(payload))
            case "COLOR1" | "COLOR2" | "COLOR" if payload:
                light.color(_color(payload))
            case "HSBCOLOR" | "HSBCOLOR1" | "HSBCOLOR2" if payload:
                light.color(_hsb(light, command, payload))
            case _:
                pass
        return [self._result(self._values())]

    def _shutter(self, cover: Cover, command: str, payload: str, now_s: float) -> None:
        match command.rstrip("1"):
            case "SHUTTEROPEN":
                cover.obey("OPEN", now_s)
            case "SHUTTERCLOSE":
                cover.obey("CLOSE", now_s)
            case "SHUTTERSTOP":
                cover.obey("STOP", now_s)
            case "SHUTTERPOSITION" if payload:
                cover.go(float(payload), now_s)
            case _:
                pass

    def _status(self, number: str, now_s: float) -> list[Message]:
        found = {
            "8": ("STATUS8", {"StatusSNS": self._sensors(now_s)}),
            "10": ("STATUS10", {"StatusSNS": self._sensors(now_s)}),
            "11": ("STATUS11", {"StatusSTS": self._state(now_s)}),
        }
        wanted = found.values() if number == "0" else [found[number]]
        return [
            Message(f"stat/{self.topic}/{name}", json.dumps(said), False) for name, said in wanted
        ]

    # ------------------------------------------------------------ what it says

    def _result(self, said: Json) -> Message:
        return Message(f"stat/{self.topic}/RESULT", json.dumps(said), retain=False)

    def _power(self, is_on: bool) -> list[Message]:
        word = _on(is_on)
        return [
            self._result({"POWER": word}),
            Message(f"stat/{self.topic}/POWER", word, retain=False),
        ]

    def _values(self) -> Json:
        match self.device:
            case Light() as light:
                said: Json = {"POWER": _on(light.is_on), "Dimmer": round(light.goal)}
                if "color" in light.modes:
                    hue, saturation = to_hs(light.rgb)
                    said["Color"] = "{:02X}{:02X}{:02X}".format(*light.rgb)
                    said["HSBColor"] = f"{round(hue)},{round(saturation)},{round(light.goal)}"
                if "color_temp" in light.modes:
                    said["CT"] = light.mireds
                return said | {"Fade": "ON", "Speed": 2, "LedTable": "ON"}
            case Switch(is_on=is_on):
                return {"POWER": _on(is_on)}
            case Cover() | None:
                return {}

    def _state(self, now_s: float) -> Json:
        said: Json = {"Time": _clock(now_s), "Uptime": "0T01:00:00", "UptimeSec": 3600}
        said |= {"Heap": 25, "SleepMode": "Dynamic", "Sleep": 50, "LoadAvg": 19, "MqttCount": 1}
        wifi = {"AP": 1, "SSId": "demo", "BSSId": "A0:F3:C1:00:00:01", "RSSI": 74, "Signal": -63}
        return said | self._values() | {"Wifi": wifi}

    def _sensors(self, now_s: float) -> Json:
        said: Json = {"Time": _clock(now_s)}
        for block, readings in self.reads.items():
            said[block] = {
                key: round(each.power) if isinstance(each, Switch) else each.value
                for key, each in readings.items()
            }
        if isinstance(self.device, Cover):
            said |= _shutter(self.device)
        return said | {"TempUnit": "C"}

    def _config(self) -> Json:
        relays = [NO_RELAY] * RELAYS
        subtype, shutters = 0, []
        match self.device:
            case Light(modes=modes):
                relays[0] = LIGHT
                is_warm = "color_temp" in modes
                subtype = COLORED if "color" in modes else COLD_WARM if is_warm else DIMMER
            case Switch():
                relays[0] = RELAY
            case Cover():
                relays[:2], shutters = [SHUTTER, SHUTTER], [0, 0, 0, 0]
            case None:
                pass
        return {
            "ip": "192.168.1.60",
            "dn": self.name,
            "fn": [self.name] + [None] * (RELAYS - 1),
            "hn": f"{self.topic.replace('_', '-')}-{int(self.mac[-4:], 16) % 8192}",
            "mac": self.mac,
            "md": "Generic",
            "ty": 0,
            "if": 0,
            "cam": 0,
            "ofln": self.offline,
            "onln": self.online,
            "state": ["OFF", "ON", "TOGGLE", "HOLD"],
            "sw": VERSION,
            "t": self.topic,
            "ft": "%prefix%/%topic%/",
            "tp": ["cmnd", "stat", "tele"],
            "rl": relays,
            "swc": [-1] * RELAYS,
            "swn": [None] * RELAYS,
            "btn": [0] * RELAYS,
            "so": dict.fromkeys(OPTIONS, 0),
            "lk": 1,
            "lt_st": subtype,
            "bat": 0,
            "dslp": 0,
            "sho": shutters,
            "sht": [[-90, 90, 0, 0]] * len(shutters),
            "ver": 1,
        }


def _shutter(cover: Cover) -> Json:
    direction = {"opening": 1, "closing": -1}.get(cover.doing, 0)
    said = {"Position": round(cover.position), "Direction": direction}
    return {"Shutter1": said | {"Target": round(cover.goal), "Tilt": 0}}


def _clock(now_s: float) -> str:
    """A time of day that goes by the given clock; the day does not matter."""
    began = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return (began + timedelta(seconds=round(now_s) % 86400)).strftime("%Y-%m-%dT%H:%M:%S")


def _color(payload: str) -> tuple[int, int, int]:
    if "," in payload:
        parts = [int(each) for each in payload.rstrip("=").split(",")]
    else:
        code = payload.lstrip("#")
        parts = [int(code[place : place + 2], 16) for place in (0, 2, 4)]
    red, green, blue = (min(255, max(0, part)) for part in parts[:3])
    return red, green, blue


def _hsb(light: Light, command: str, payload: str) -> tuple[int, int, int]:
    hue, saturation = to_hs(light.rgb)
    if command == "HSBCOLOR1":
        hue = float(payload)
    elif command == "HSBCOLOR2":
        saturation = float(payload)
    else:
        hue, saturation = (float(each) for each in payload.split(",")[:2])
    return from_hs(hue, saturation)


def _on(is_on: bool) -> str:
    return "ON" if is_on else "OFF"


def _is_on(payload: str, was_on: bool) -> bool:
    words = {"ON": True, "1": True, "TRUE": True, "OFF": False, "0": False, "FALSE": False}
    return not was_on if payload.upper() in ("TOGGLE", "2") else words[payload.upper()]
