"""A simulated ESPHome node over MQTT: abbreviated announcements, a topic for each value.

Shapes: https://esphome.io/components/mqtt.html and the firmware's `mqtt` component. All states are
retained, as ESPHome does unless told otherwise.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from parlour.home.demo.devices import (
    NEVER,
    Button,
    Cover,
    Device,
    Fan,
    Light,
    Number,
    Select,
    Sensor,
    Switch,
)
from parlour.home.demo.station import Message, make_slug

PREFIX = "homeassistant"
VERSION = "2025.10.3 (config hash 0x5f2c1a77)"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class EspEntity:
    """One component of a node. `delay_s`: it hears a command so late; `is_deaf`: it hears none and
    goes on reporting how it stands; `levels`: of a fan; `unit`, `device_class` as ESPHome has them."""

    component: str
    name: str
    device: Device
    unit: str = ""
    device_class: str = ""
    levels: int = 3
    delay_s: float = 0.0
    is_deaf: bool = False

    @property
    def object_id(self) -> str:
        return make_slug(self.name)


@dataclass(slots=True)
class EspNode:
    name: str  # as in its YAML, e.g. "garden-node"
    friendly_name: str
    area: str
    mac: str
    entities: list[EspEntity]
    is_away: bool = False
    online: str = "online"
    offline: str = "offline"
    _late: list[tuple[float, str, str]] = field(default_factory=list)  # due, topic, payload

    @property
    def status(self) -> str:
        return f"{self.name}/status"

    @property
    def devices(self) -> Mapping[str, Device]:
        return {make_slug(f"{self.area} {each.name}"): each.device for each in self.entities}

    @property
    def subscriptions(self) -> list[str]:
        return [
            f"{self._at(each)}/{tail}command"
            for each in self.entities
            for tail in _command_tails(each.device)
        ]

    def announcements(self) -> Iterator[Message]:
        for each in self.entities:
            topic = f"{PREFIX}/{each.component}/{self.name}/{each.object_id}/config"
            yield Message(topic, json.dumps(self._config(each)))

    def receive(self, topic: str, payload: str, now_s: float) -> list[Message]:
        entity = self._entity(topic)
        if entity.is_deaf:
            return []
        if entity.delay_s:
            self._late.append((now_s + entity.delay_s, topic, payload))
        else:
            self._obey(entity, topic, payload, now_s)
        return []

    def states(self, now_s: float) -> Iterator[Message]:
        for each in self.entities:
            for tail, payload in _states(each):
                yield Message(f"{self._at(each)}/{tail}state", payload)

    def advance(self, now_s: float) -> float:
        due = [late for late in self._late if late[0] <= now_s]
        self._late = [late for late in self._late if late[0] > now_s]
        for _, topic, payload in due:
            self._obey(self._entity(topic), topic, payload, now_s)
        wait_s = min((late[0] - now_s for late in self._late), default=NEVER)
        return min(wait_s, *(each.device.advance(now_s) for each in self.entities), NEVER)

    def _at(self, entity: EspEntity) -> str:
        return f"{self.name}/{entity.component}/{entity.object_id}"

    def _entity(self, topic: str) -> EspEntity:
        _, component, object_id, *_ = topic.split("/")
        return next(
            each
            for each in self.entities
            if (each.component, each.object_id) == (component, object_id)
        )

    def _obey(self, entity: EspEntity, topic: str, payload: str, now_s: float) -> None:
        tail = topic.removeprefix(self._at(entity) + "/").removesuffix("command")
        _obey(entity, tail, payload, now_s)

    def _config(self, entity: EspEntity) -> Json:
        at = self._at(entity)
        config: Json = {"name": entity.name}
        if entity.device_class:
            config["dev_cla"] = entity.device_class
        config |= _config(entity, at)
        config |= {
            "avty_t": self.status,
            "uniq_id": f"ESP{entity.component}{entity.object_id}",
            "dev": {
                "ids": self.mac,
                "name": self.friendly_name,
                "sw": VERSION,
                "mdl": "esp32dev",
                "mf": "Espressif",
                "sa": self.area,
                "cns": [["mac", self.mac]],
            },
        }
        return config


def _command_tails(device: Device) -> tuple[str, ...]:
    match device:
        case Sensor():
            return ()
        case Cover():
            return "", "position/"
        case Fan():
            return "", "speed_level/"
        case _:
            return ("",)


def _config(entity: EspEntity, at: str) -> Json:
    state: Json = {"stat_t": f"{at}/state"}
    both = state | {"cmd_t": f"{at}/command"}
    match entity.device:
        case Light(modes=modes):
            spoken = ["rgb" if mode == "color" else mode for mode in modes]
            return both | {"schema": "json", "sup_clrm": spoken, "brightness": True}
        case Cover() if entity.component == "cover":
            # A cover that knows its position does not announce a topic for its state.
            position = {"pos_t": f"{at}/position/state", "set_pos_t": f"{at}/position/command"}
            return {"cmd_t": f"{at}/command", **position}
        case Cover():
            position = {"pos_t": f"{at}/position/state", "set_pos_t": f"{at}/position/command"}
            return both | position
        case Fan():
            return both | {
                "pct_cmd_t": f"{at}/speed_level/command",
                "pct_stat_t": f"{at}/speed_level/state",
                "spd_rng_max": entity.levels,
            }
        case Number() as number:
            limits = {"min": number.least, "max": number.most, "step": number.step}
            return both | limits | {"unit_of_meas": number.unit, "mode": "slider"}
        case Select() as select:
            return both | {"ops": list(select.options)}
        case Button():
            return {"cmd_t": f"{at}/command"}
        case Sensor():
            return state | {"unit_of_meas": entity.unit, "stat_cla": "measurement"}
        case Switch():
            return both
        case _:
            raise TypeError(f"{entity.component} is not spoken in this dialect")


def _obey(entity: EspEntity, tail: str, payload: str, now_s: float) -> None:
    match entity.device:
        case Light() as light:
            _obey_light(light, json.loads(payload), now_s)
        case Cover() as cover if tail == "position/":
            cover.go(float(payload), now_s)
        case Cover() as cover:
            cover.obey(payload.upper(), now_s)
        case Fan() as fan if tail == "speed_level/":
            fan.blow(100 * int(payload) / entity.levels)
        case Fan() | Switch() as switched:
            word = payload.upper()
            switched.turn({"ON": True, "OFF": False, "TOGGLE": not switched.is_on}[word])
        case Number() as number:
            number.take(float(payload))
        case Select() as select:
            select.take(payload)
        case Button() as button if payload == "PRESS":
            button.press(now_s)
        case _:
            pass


def _obey_light(light: Light, said: Json, now_s: float) -> None:
    brightness, color, state = said.get("brightness"), said.get("color"), said.get("state")
    if isinstance(brightness, int | float):
        light.dim(brightness / 2.55, now_s)
    if isinstance(color, dict) and "color" in light.modes:
        light.color((int(color["r"]), int(color["g"]), int(color["b"])))
    if isinstance(state, str):
        light.turn({"ON": True, "OFF": False, "TOGGLE": not light.is_on}[state.upper()])


def _states(entity: EspEntity) -> Iterator[tuple[str, str]]:
    match entity.device:
        case Light() as light:
            # The node reports where the light is going, not how far it has come.
            said: Json = {"state": _on(light.is_on), "brightness": round(light.goal * 2.55)}
            if light.mode == "color":
                said |= {"color_mode": "rgb", "color": dict(zip("rgb", light.rgb, strict=True))}
            else:
                said["color_mode"] = light.mode
            yield "", json.dumps(said)
        case Cover() as cover:
            yield "position/", str(round(cover.position))
            if entity.component != "cover":
                yield "", cover.doing
        case Fan() as fan:
            yield "", _on(fan.is_on)
            yield "speed_level/", str(round(fan.speed * entity.levels / 100))
        case Switch(is_on=is_on):
            yield "", _on(is_on)
        case Number(value=value):
            yield "", f"{value:f}"
        case Select(option=option):
            yield "", option
        case Sensor() as sensor:
            yield "", f"{sensor.value:.{sensor.digits}f}"
        case _:
            pass


def _on(is_on: bool) -> str:
    return "ON" if is_on else "OFF"
