"""Tasmota's own discovery, pure: relays, lamps, shutters, fans and readings become definitions.

The keys and topics are those that Home Assistant's reader of the same messages (hatasmota) uses.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from parlour.home.definitions import Definition
from parlour.home.discovery import define, read_config
from parlour.home.payloads import as_text, clean_name

log = logging.getLogger(__name__)

MOST_DEVICES = 1000

RELAY, LIGHT, SHUTTER = 1, 2, 3  # kinds of what is in `rl`
DIMMER, COLD_WARM, RGB, RGBW, RGBCW = 1, 2, 3, 4, 5  # kinds of light in `lt_st`

Config = dict[str, object]

_TOPIC = re.compile(r"([0-9A-F]{12})/(config|sensors)")
_KEY = re.compile(r"[\w .-]{1,40}")
_READINGS = {
    "Temperature": ("temperature", None),
    "Humidity": ("humidity", "%"),
    "Pressure": ("pressure", "hPa"),
    "Illuminance": ("illuminance", "lx"),
    "CarbonDioxide": ("carbon_dioxide", "ppm"),
    "PM2.5": ("pm25", "µg/m³"),
    "Power": ("power", "W"),
    "Today": ("energy", "kWh"),
}


@dataclass(slots=True)
class Tasmota:
    """All devices below one topic, each with a message about itself and one about its sensors."""

    base: str = "tasmota/discovery"
    _devices: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _sensors: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def filters(self) -> tuple[str, ...]:
        return (f"{self.base}/+/config", f"{self.base}/+/sensors")

    def is_config(self, topic: str) -> bool:
        return topic.startswith(self.base + "/") and topic.endswith(("/config", "/sensors"))

    def receive(self, topic: str, payload: bytes) -> dict[str, list[Definition]] | None:
        """Take in one message; return the definitions by the topic that they belong to.

        None, and a log line, for one that cannot be used. An empty one takes back.
        """
        found = _TOPIC.fullmatch(topic.removeprefix(self.base + "/"))
        if found is None:
            return None
        mac, part = found.groups()
        known = self._devices if part == "config" else self._sensors
        try:
            if not payload:
                known.pop(mac, None)
            elif mac in known or len(known) < MOST_DEVICES:
                known[mac] = read_config(payload)
            config = self._devices.get(mac, {})
            device = _Device(mac, config) if config else None
            return {
                f"{self.base}/{mac}/config": list(device.define()) if device else [],
                f"{self.base}/{mac}/sensors": list(
                    device.define_sensors(self._sensors.get(mac, {}))
                )
                if device
                else [],
            }
        except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
            known.pop(mac, None)
            log.warning("ignored the announcement on %s: %s", clean_name(topic), error)
            return None


class _Device:
    """One device's message, read once; raises what a wrong type raises."""

    def __init__(self, mac: str, config: Mapping[str, Any]) -> None:
        prefixes, states = config["tp"], config["state"]
        if len(prefixes) < 3 or len(states) < 2:
            raise ValueError("it lacks prefixes or states")
        self._address = f"tasmota:{mac[-6:].lower()}"
        self._source = f"tasmota/discovery/{mac}/config"
        self._name = clean_name(as_text(config.get("dn"))) or mac
        self._names = [clean_name(as_text(each)) for each in config.get("fn") or []]
        self._relays = [each if isinstance(each, int) else 0 for each in config["rl"][:32]]
        options = config.get("so")
        self._options = options if isinstance(options, dict) else {}
        self._light = config.get("lt_st") if isinstance(config.get("lt_st"), int) else 0
        self._is_split = config.get("lk") == 0 and self._light in (RGBW, RGBCW)
        self._is_fan = config.get("if") == 1
        self._dimmer = "Dimmer3" if config.get("ty") == 1 else "Dimmer"
        self._shutters = config.get("sho") or []
        self._off, self._on = as_text(states[0]), as_text(states[1])
        full = as_text(config["ft"]).replace("%topic%", as_text(config["t"]))
        full = full.replace("%hostname%", as_text(config.get("hn"))).replace("%id%", mac[-6:])
        self._command, self._stat, self._tele = (
            full.replace("%prefix%", as_text(prefix)) for prefix in prefixes[:3]
        )
        self._shared: Config = {
            "availability_topic": f"{self._tele}LWT",
            "payload_available": as_text(config.get("onln") or "Online"),
            "payload_not_available": as_text(config.get("ofln") or "Offline"),
        }

    def define(self) -> Iterator[Definition]:
        relays = list(self._relays)
        if self._is_fan and relays and relays[0] == LIGHT:
            relays[0] = RELAY  # the lamp of an iFan does not dim
        is_light = self._is_on("30") or self._is_fan
        for place, kind in enumerate(relays):
            power = self._power(place)
            if kind == LIGHT:
                config = power | self._lamp(place, relays.index(LIGHT))
                yield from self._make("light", f"relay{place + 1}", place, config)
            elif kind == RELAY:
                is_lamp = self._is_on("30") or (self._is_fan and place == 0)
                component = "light" if is_light and is_lamp else "switch"
                yield from self._make(component, f"relay{place + 1}", place, power)
        pairs = [place for place, kind in enumerate(relays) if kind == SHUTTER][::2]
        for number in range(1, min(len(pairs), 4) + 1):
            shutter = self._shutter(number)
            shutter["name"] = f"{self._name} {number}" if len(pairs) > 1 else self._name
            yield from self._make("cover", f"shutter{number}", None, shutter)
        if self._is_fan:
            yield from self._make("fan", "fan", None, self._fan())

    def define_sensors(self, config: Mapping[str, Any]) -> Iterator[Definition]:
        groups = config.get("sn")
        if not isinstance(groups, dict):
            return
        unit = "°F" if groups.get("TempUnit") == "F" else "°C"
        for group, values in list(groups.items())[:50]:
            if not isinstance(values, dict) or not _KEY.fullmatch(group):
                continue
            for key in (each for each in _READINGS if each in values):
                device_class, announced = _READINGS[key]
                said: Config = {
                    "name": f"{self._name} {key}",
                    "device_class": device_class,
                    "unit_of_measurement": unit if key == "Temperature" else announced,
                    "state_topic": f"{self._tele}SENSOR",
                    "value_template": f'{{{{ value_json["{group}"]["{key}"] }}}}',
                }
                yield from self._make("sensor", f"{group}/{key}", None, said)

    def _is_on(self, option: str) -> bool:
        return self._options.get(option) == 1

    def _make(
        self, component: str, part: str, place: int | None, config: Config
    ) -> Iterator[Definition]:
        if place is not None:
            own = self._names[place] if place < len(self._names) else ""
            is_only = sum(kind in (RELAY, LIGHT) for kind in self._relays) == 1
            numbered = f"{self._name} {place + 1}" if place and not is_only else self._name
            config["name"] = own or numbered
        made = define(f"{self._source}#{part}", component, {**self._shared, **config})
        if made is None:
            return
        state, result, sensor = (
            f"{self._tele}STATE", f"{self._stat}RESULT", f"{self._tele}SENSOR",
        )  # fmt: skip
        is_shutter = component == "cover"
        mirrors = ((result, sensor), (state, sensor)) if is_shutter else ((result, state),)
        poll = () if component == "sensor" else ((f"{self._command}STATE", ""),)
        if is_shutter:
            poll = ((f"{self._command}STATUS", "10"),)
            mirrors = (*mirrors, (f"{self._stat}STATUS10", sensor))
        yield replace(
            made,
            identity=f"{self._address}/{part}",
            device=self._address,
            is_native=True,
            mirrors=() if component == "sensor" else mirrors,
            polls=poll,
        )

    def _power(self, place: int) -> Config:
        # A device of a single relay calls it POWER, one of several POWER1.
        read = f"{{{{ value_json.POWER{place + 1} }}}}"
        if place == 0:
            read = "{{ value_json.POWER1 | default(value_json.POWER) }}"
        return {
            "command_topic": f"{self._command}POWER{place + 1}",
            "state_topic": f"{self._tele}STATE",
            "value_template": read,
            "payload_on": self._on,
            "payload_off": self._off,
        }

    def _lamp(self, place: int, first: int) -> Config:
        kind, dimmer, suffix = self._light, self._dimmer, ""
        reported = self._dimmer if self._dimmer == "Dimmer" else "Dimmer"
        if self._is_on("68"):
            # Each channel of a PWM is a lamp of its own.
            kind, dimmer = DIMMER, f"Channel{place + 1}"
            reported = dimmer
        elif self._is_split and place == first:
            kind, dimmer, reported, suffix = RGB, "Dimmer1", "Dimmer1", "="
        elif self._is_split:
            kind = DIMMER if self._light == RGBW else COLD_WARM
            dimmer = reported = "Dimmer2"
        state = f"{self._tele}STATE"
        config: Config = {}
        if kind in (DIMMER, COLD_WARM, RGB, RGBW, RGBCW):
            config |= {
                "brightness_command_topic": self._command + dimmer,
                "brightness_state_topic": state,
                "brightness_value_template": f"{{{{ value_json.{reported} }}}}",
                "brightness_scale": 100,
            }
        if kind in (RGB, RGBW, RGBCW):
            config |= {
                "rgb_command_topic": f"{self._command}Color2",
                "color_suffix": suffix,
                "hs_state_topic": state,
                "hs_value_template": "{{ value_json.HSBColor }}",
            }
        if kind in (COLD_WARM, RGBCW):
            is_narrow = self._is_on("82")
            config |= {
                "color_temp_command_topic": f"{self._command}CT",
                "color_temp_state_topic": state,
                "color_temp_value_template": "{{ value_json.CT }}",
                "min_mireds": 200 if is_narrow else 153,
                "max_mireds": 380 if is_narrow else 500,
            }
        return config

    def _shutter(self, number: int) -> Config:
        options = self._shutters[number - 1] if number <= len(self._shutters) else 0
        is_inverted = isinstance(options, int) and options & 1
        at = f"Shutter{number}"
        # Status 10, which asks for it, wraps what the sensor message says.
        shutter = f"(value_json.StatusSNS | default(value_json)).{at}"
        forward, back = ("closing", "opening") if is_inverted else ("opening", "closing")
        sensor = f"{self._tele}SENSOR"
        return {
            "device_class": "shutter",
            # Every verb is a command, hence a topic, of its own; Backlog takes any of them.
            "command_topic": f"{self._command}Backlog",
            "payload_open": f"ShutterOpen{number}",
            "payload_close": f"ShutterClose{number}",
            "payload_stop": f"ShutterStop{number}",
            "set_position_topic": f"{self._command}ShutterPosition{number}",
            "position_topic": sensor,
            "position_template": f"{{{{ {shutter}.Position }}}}",
            "position_open": 0 if is_inverted else 100,
            "position_closed": 100 if is_inverted else 0,
            "state_topic": sensor,
            "value_template": f"{{{{ iif({shutter}.Direction > 0, '{forward}', "
            f"iif({shutter}.Direction < 0, '{back}', 'stopped')) }}}}",
        }

    def _fan(self) -> Config:
        state, read = f"{self._tele}STATE", "{{ value_json.FanSpeed }}"
        return {
            "name": f"{self._name} Fan",
            "command_topic": f"{self._command}FanSpeed",
            "payload_on": "2",
            "payload_off": "0",
            "state_topic": state,
            "state_value_template": "{{ iif(value_json.FanSpeed > 0, '2', '0') }}",
            "percentage_command_topic": f"{self._command}FanSpeed",
            "percentage_state_topic": state,
            "percentage_value_template": read,
            "speed_range_min": 1,
            "speed_range_max": 3,
        }
