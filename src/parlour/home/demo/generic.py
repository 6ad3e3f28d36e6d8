"""Devices that announce themselves by Home Assistant's discovery, each as its maker liked it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from parlour.home.demo.devices import (
    Button,
    Cover,
    Detector,
    Device,
    Fan,
    Humidifier,
    Light,
    Switch,
    Thermostat,
    Vacuum,
)
from parlour.home.demo.station import Message, make_slug

PREFIX = "homeassistant"
BASE = "parlour_demo"
STATUS = f"{BASE}/status"  # "online", or "offline" as the connection's last will

Config = dict[str, object]

# How a template light is told to turn on, and how it says how it stands.
TEMPLATE_ON = "on,{{ brightness | default('') }},{{ color_temp | default('') }}"
TEMPLATE_STATE = "{{ value.split(',')[0] }}"
TEMPLATE_BRIGHTNESS = "{{ value.split(',')[1] }}"
TEMPLATE_COLOR_TEMP = "{{ value.split(',')[2] }}"


@dataclass(frozen=True, slots=True)
class Part:
    """One entity. `how` is its variant: of a light "json" or "template", of a cover "inverted" or
    "plain" (no position), of a switch "siren", of whatever can "optimistic" (it reports nothing)."""

    component: str
    name: str
    area: str | None
    device: Device
    how: str = ""
    device_class: str | None = None
    scale: int = 255  # of a light's brightness

    @property
    def full_name(self) -> str:
        return f"{self.area} {self.name}" if self.area else self.name

    @property
    def slug(self) -> str:
        return make_slug(self.full_name)

    @property
    def at(self) -> str:
        return f"{BASE}/{self.slug}"

    @property
    def command_topics(self) -> tuple[str, ...]:
        tails: tuple[str, ...] = ("set",)
        match self.device:
            case Light() if not self.how:
                tails = ("set", "bri/set", "rgb/set") if "color" in self.device.modes else BRI
            case Cover():
                tails = ("set",) if self.how == "plain" else ("set", "position/set")
            case Thermostat():
                tails = ("target/set", "mode/set")
            case Fan():
                tails = ("set", "speed/set", "preset/set")
            case Humidifier():
                tails = ("set", "target/set", "mode/set")
            case Detector():
                tails = ()
            case _:
                pass
        return tuple(f"{self.at}/{tail}" for tail in tails)

    @property
    def config(self) -> Config:
        config: Config = {"~": self.at} | _config(self)
        if self.device_class is not None:
            config["dev_cla"] = self.device_class
        return config

    def receive(self, tail: str, payload: str, now_s: float) -> None:
        """Take a command; `tail` is its topic below the device's own."""
        _receive(self, tail, payload, now_s)

    def states(self) -> Iterator[Message]:
        if self.how != "optimistic":
            for tail, payload in _states(self):
                yield Message(f"{self.at}/{tail}", payload)


BRI = ("set", "bri/set")


@dataclass(slots=True)
class GenericHub:
    """Single announcements, and all of the office in one device message."""

    parts: list[Part]
    is_away: bool = False
    status: str = STATUS
    online: str = "online"
    offline: str = "offline"
    _by_topic: dict[str, Part] = field(init=False)

    def __post_init__(self) -> None:
        self._by_topic = {topic: part for part in self.parts for topic in part.command_topics}

    @property
    def devices(self) -> Mapping[str, Device]:
        return {part.slug: part.device for part in self.parts}

    @property
    def subscriptions(self) -> list[str]:
        return list(self._by_topic)

    def announcements(self) -> Iterator[Message]:
        office: Config = {}
        for part in self.parts:
            if part.area == "Office":
                own = {"p": part.component, "name": part.name, "uniq_id": f"{BASE}_{part.slug}"}
                office[part.slug] = own | part.config
                continue
            about: Config = {"ids": [f"{BASE}_{part.slug}"], "name": part.full_name}
            if part.area is not None:
                about["sa"] = part.area
            config: Config = {
                "name": None,
                "unique_id": f"{BASE}_{part.slug}",
                "availability_topic": STATUS,
                "dev": about,
            }
            topic = f"{PREFIX}/{part.component}/{BASE}/{part.slug}/config"
            yield Message(topic, json.dumps(config | part.config))
        about = {"ids": [f"{BASE}_office"], "name": "Office", "sa": "Office"}
        shared = {"dev": about, "o": {"name": "parlour demo"}, "avty": [{"t": STATUS}]}
        topic = f"{PREFIX}/device/{BASE}_office/config"
        yield Message(topic, json.dumps(shared | {"cmps": office}))

    def receive(self, topic: str, payload: str, now_s: float) -> list[Message]:
        part = self._by_topic[topic]
        part.receive(topic.removeprefix(part.at + "/"), payload, now_s)
        return []

    def states(self, now_s: float) -> Iterator[Message]:
        for part in self.parts:
            yield from part.states()

    def advance(self, now_s: float) -> float:
        return min(part.device.advance(now_s) for part in self.parts)


def _config(part: Part) -> Config:
    state: Config = {} if part.how == "optimistic" else {"stat_t": "~/state"}
    switched: Config = {"cmd_t": "~/set", **state}
    match part.device:
        case Light():
            return switched | _config_of_light(part, part.device)
        case Switch():
            return switched | _config_of_switch(part)
        case Cover():
            return switched | _config_of_cover(part)
        case Thermostat():
            return _config_of_climate(part.device)
        case Fan():
            return switched | {
                "pct_cmd_t": "~/speed/set",
                "pct_stat_t": "~/speed",
                "pr_mode_cmd_t": "~/preset/set",
                "pr_mode_stat_t": "~/preset",
                "pr_modes": list(part.device.presets),
            }
        case Humidifier():
            return switched | {
                "target_humidity_command_topic": "~/target/set",
                "target_humidity_state_topic": "~/target",
                "curr_hum_t": "~/humidity",
                "mode_cmd_t": "~/mode/set",
                "mode_stat_t": "~/mode",
                "modes": list(part.device.modes),
                "min_hum": 30,
                "max_hum": 80,
            }
        case Vacuum():
            return switched | {
                "sup_feat": ["start", "pause", "stop", "return_home", "clean_spot", "locate"],
            }
        case Button():
            payload = {"pl_on": "ON"} if part.component == "scene" else {"pl_prs": "PRESS"}
            return {"cmd_t": "~/set", **payload}
        case Detector():
            return {**state, "src_type": "gps", "pl_home": "home", "pl_not_home": "not_home"}
        case _:
            raise TypeError(f"{part.component} is not spoken in this dialect")


def _config_of_light(part: Part, light: Light) -> Config:
    scale = {"bri_scl": part.scale} if part.scale != 255 else {}
    if part.how == "json":
        modes = ["rgb" if mode == "color" else mode for mode in light.modes]
        return {"schema": "json", "brightness": True, "sup_clrm": modes, **scale}
    if part.how == "template":
        return {
            "schema": "template",
            "cmd_on_tpl": TEMPLATE_ON,
            "cmd_off_tpl": "off",
            "stat_tpl": TEMPLATE_STATE,
            "bri_tpl": TEMPLATE_BRIGHTNESS,
            "clr_temp_tpl": TEMPLATE_COLOR_TEMP,
        }
    config: Config = {"bri_cmd_t": "~/bri/set", "bri_stat_t": "~/bri", **scale}
    if "color" in light.modes:
        config |= {"rgb_cmd_t": "~/rgb/set", "rgb_stat_t": "~/rgb"}
    return config


def _config_of_switch(part: Part) -> Config:
    if part.component == "siren":
        return {"av_tones": ["alarm", "beep"], "sup_dur": True, "sup_vol": True}
    return {} if part.how == "optimistic" else {"value_template": "{{ value_json.state }}"}


def _config_of_cover(part: Part) -> Config:
    if part.how == "plain":
        return {}
    config: Config = {"pos_t": "~/position", "set_pos_t": "~/position/set"}
    return config | ({"pos_open": 0, "pos_clsd": 100} if part.how == "inverted" else {})


def _config_of_climate(thermostat: Thermostat) -> Config:
    return {
        "temp_cmd_t": "~/target/set",
        "temp_stat_t": "~/state",
        "temp_stat_tpl": "{{ value_json.target }}",
        "curr_temp_t": "~/state",
        "curr_temp_tpl": '{{ value_json["measured"] }}',
        "mode_cmd_t": "~/mode/set",
        "mode_stat_t": "~/state",
        "mode_stat_tpl": "{{ value_json.mode }}",
        "modes": list(thermostat.modes),
        "min_temp": thermostat.least,
        "max_temp": thermostat.most,
        "temp_step": 0.5,
        "temp_unit": "C",
    }


def _receive(part: Part, tail: str, payload: str, now_s: float) -> None:
    match part.device:
        case Light() as light:
            _receive_light(part, light, tail, payload, now_s)
        case Switch() as switch:
            # A siren's command is a JSON object when it says more than on or off.
            word = json.loads(payload)["state"] if payload.startswith("{") else payload
            switch.turn(_is_on(word))
        case Cover() as cover:
            if tail == "position/set":
                said = float(payload)
                cover.go(100 - said if part.how == "inverted" else said, now_s)
            else:
                cover.obey(payload, now_s)
        case Thermostat() as thermostat:
            if tail == "mode/set":
                thermostat.switch(payload)
            else:
                thermostat.aim(float(payload))
        case Fan() as fan:
            _receive_fan(fan, tail, payload)
        case Humidifier() as humidifier:
            _receive_humidifier(humidifier, tail, payload)
        case Vacuum() as vacuum:
            vacuum.obey(payload, now_s)
        case Button() as button if payload in ("ON", "PRESS"):
            button.press(now_s)
        case _:
            pass


def _receive_light(part: Part, light: Light, tail: str, payload: str, now_s: float) -> None:
    if part.how == "json":
        _receive_json_light(part, light, json.loads(payload), now_s)
    elif part.how == "template":
        word, *rest = payload.split(",")
        light.turn(_is_on(word.upper()))
        brightness, mireds = rest if rest else ("", "")
        if brightness:
            light.dim(float(brightness) / 2.55, now_s)
        if mireds:
            light.warm(float(mireds))
    elif tail == "bri/set":
        light.dim(max(1.0, float(payload)) * 100 / part.scale, now_s)
    elif tail == "rgb/set":
        red, green, blue = (int(each) for each in payload.split(","))
        light.color((red, green, blue))
    else:
        light.turn(_is_on(payload))


def _receive_json_light(part: Part, light: Light, said: dict[str, object], now_s: float) -> None:
    brightness, mireds, color = (said.get(key) for key in ("brightness", "color_temp", "color"))
    is_on = _is_on(str(said["state"]))
    if isinstance(brightness, int | float):
        light.dim(max(1.0, brightness) * 100 / part.scale, now_s)
    if isinstance(mireds, int | float):
        light.warm(mireds)
    if isinstance(color, dict):
        light.color((int(color["r"]), int(color["g"]), int(color["b"])))
    light.turn(is_on)


def _receive_fan(fan: Fan, tail: str, payload: str) -> None:
    match tail:
        case "speed/set":
            fan.blow(float(payload))
        case "preset/set":
            fan.take_preset(payload)
        case _:
            fan.turn(_is_on(payload))


def _receive_humidifier(humidifier: Humidifier, tail: str, payload: str) -> None:
    match tail:
        case "target/set":
            humidifier.aim(float(payload))
        case "mode/set":
            humidifier.switch(payload)
        case _:
            humidifier.turn(_is_on(payload))


def _states(part: Part) -> Iterator[tuple[str, str]]:
    match part.device:
        case Light() as light:
            yield from _states_of_light(part, light)
        case Switch(is_on=is_on) if part.component == "siren":
            yield "state", _on(is_on)
        case Switch(is_on=is_on):
            yield "state", json.dumps({"state": _on(is_on)})
        case Cover(position=position) as cover:
            if part.how != "plain":
                yield (
                    "position",
                    str(round(100 - position if part.how == "inverted" else position)),
                )
            yield "state", cover.doing
        case Thermostat(target=target, measured=measured, mode=mode):
            yield "state", json.dumps({"target": target, "measured": measured, "mode": mode})
        case Fan() as fan:
            yield "state", _on(fan.is_on)
            yield "speed", str(round(fan.speed))
            yield "preset", fan.preset or "None"  # Home Assistant's word for no preset
        case Humidifier() as humidifier:
            yield "state", _on(humidifier.is_on)
            yield "target", f"{humidifier.target:g}"
            yield "humidity", f"{humidifier.measured:g}"
            yield "mode", humidifier.mode
        case Vacuum(activity=activity, battery=battery):
            said = {"state": activity, "battery_level": round(battery), "fan_speed": "medium"}
            yield "state", json.dumps(said)
        case Detector(detects=detects):
            yield "state", "home" if detects else "not_home"
        case _:
            pass


def _states_of_light(part: Part, light: Light) -> Iterator[tuple[str, str]]:
    level = round(light.level * part.scale / 100)
    if part.how == "template":
        yield "state", f"{_on(light.is_on).lower()},{level},{light.mireds}"
    elif part.how == "json":
        mode = "rgb" if light.mode == "color" else light.mode
        said: Config = {"state": _on(light.is_on), "brightness": level, "color_mode": mode}
        if light.mode == "color":
            said["color"] = dict(zip("rgb", light.rgb, strict=True))
        elif light.mode == "color_temp":
            said["color_temp"] = light.mireds
        yield "state", json.dumps(said)
    else:
        yield "state", _on(light.is_on)
        yield "bri", str(level)
        if "color" in light.modes:
            yield "rgb", ",".join(str(each) for each in light.rgb)


def _on(is_on: bool) -> str:
    return "ON" if is_on else "OFF"


def _is_on(word: str) -> bool:
    return {"ON": True, "OFF": False}[word]
