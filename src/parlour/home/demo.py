"""The demo home: a dozen simulated devices that speak real MQTT, with dimming, travel and drift."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import aiomqtt
import anyio

from parlour.errors import HomeError
from parlour.home.catalogue import Catalogue
from parlour.home.entities import Entity
from parlour.home.mqtt import Address
from parlour.supervise import Health, Stage
from parlour.tasks import task_group

FLOORS = {"downstairs": ["Kitchen", "Living Room"], "upstairs": ["Bedroom", "Office"]}

PREFIX = "homeassistant"
BASE = "parlour_demo"
STATUS = f"{BASE}/status"  # "online", or "offline" as the connection's last will

RAMP_S = 0.5  # a light takes so long to a new brightness
TRAVEL_S = 3.0  # a cover takes so long from one end to the other
DRIFT_S = 4.0  # a room's temperature is measured so often
STEP_S = 0.05  # how often a moving device reports

Messages = Iterator[tuple[str, str]]


class Device(Protocol):
    """A device without I/O: commands in, and its state as messages once something changed."""

    slug: str

    @property
    def command_topics(self) -> tuple[str, ...]: ...
    @property
    def config(self) -> dict[str, object]: ...
    def receive(self, topic: str, payload: str, now_s: float) -> None: ...
    def advance(self, now_s: float) -> float:
        """Move on to `now_s`; return how long until it moves again."""
        ...

    def messages(self) -> Messages: ...


@dataclass(slots=True)
class Light:
    """On, brightness, and optionally colour and colour temperature; in either schema."""

    slug: str
    is_json: bool = False
    modes: tuple[str, ...] = ("brightness",)
    is_on: bool = False
    level: float = 255.0
    goal: float = 255.0
    rgb: tuple[int, int, int] = (255, 255, 255)
    mireds: int = 370
    mode: str = "color_temp"
    _moved_s: float = 0.0

    def __post_init__(self) -> None:
        self.mode = self.modes[-1]

    @property
    def command_topics(self) -> tuple[str, ...]:
        at = f"{BASE}/{self.slug}"
        if self.is_json:
            return (f"{at}/set",)
        color = (f"{at}/rgb/set",) if "rgb" in self.modes else ()
        return (f"{at}/set", f"{at}/bri/set", *color)

    @property
    def config(self) -> dict[str, object]:
        if self.is_json:
            return {
                "schema": "json",
                "~": f"{BASE}/{self.slug}",
                "cmd_t": "~/set",
                "stat_t": "~/state",
                "brightness": True,
                "sup_clrm": list(self.modes),
            }
        config: dict[str, object] = {
            "~": f"{BASE}/{self.slug}",
            "cmd_t": "~/set",
            "stat_t": "~/state",
            "bri_cmd_t": "~/bri/set",
            "bri_stat_t": "~/bri",
        }
        if "rgb" in self.modes:
            config |= {"rgb_cmd_t": "~/rgb/set", "rgb_stat_t": "~/rgb"}
        return config

    def receive(self, topic: str, payload: str, now_s: float) -> None:
        self._moved_s = now_s
        if self.is_json:
            self._receive_json(json.loads(payload))
        elif topic.endswith("/bri/set"):
            self.goal, self.is_on = min(255.0, max(1.0, float(payload))), True
        elif topic.endswith("/rgb/set"):
            red, green, blue = (int(part) for part in payload.split(","))
            self.rgb, self.mode, self.is_on = (red, green, blue), "rgb", True
        else:
            self.is_on = payload == "ON"

    def _receive_json(self, said: dict[str, object]) -> None:
        self.is_on = said.get("state") == "ON"
        brightness, mireds, color = (said.get(k) for k in ("brightness", "color_temp", "color"))
        if isinstance(brightness, int | float):
            self.goal = min(255.0, max(1.0, float(brightness)))
        if isinstance(mireds, int):
            self.mireds, self.mode = mireds, "color_temp"
        if isinstance(color, dict):
            self.rgb = int(color["r"]), int(color["g"]), int(color["b"])
            self.mode = "rgb"

    def advance(self, now_s: float) -> float:
        most = (now_s - self._moved_s) * 255 / RAMP_S
        self.level += min(most, max(-most, self.goal - self.level))
        self._moved_s = now_s
        return STEP_S if self.level != self.goal else float("inf")

    def messages(self) -> Messages:
        at = f"{BASE}/{self.slug}"
        on = "ON" if self.is_on else "OFF"
        if not self.is_json:
            yield f"{at}/state", on
            yield f"{at}/bri", str(round(self.level))
            if "rgb" in self.modes:
                yield f"{at}/rgb", ",".join(str(part) for part in self.rgb)
            return
        said: dict[str, object] = {"state": on, "brightness": round(self.level)}
        said["color_mode"] = self.mode
        if self.mode == "rgb":
            said["color"] = dict(zip("rgb", self.rgb, strict=True))
        elif self.mode == "color_temp":
            said["color_temp"] = self.mireds
        yield f"{at}/state", json.dumps(said)


@dataclass(slots=True)
class Switch:
    slug: str
    is_on: bool = False

    @property
    def command_topics(self) -> tuple[str, ...]:
        return (f"{BASE}/{self.slug}/set",)

    @property
    def config(self) -> dict[str, object]:
        return {
            "command_topic": f"{BASE}/{self.slug}/set",
            "state_topic": f"{BASE}/{self.slug}/state",
            "value_template": "{{ value_json.state }}",
            "device_class": "outlet",
        }

    def receive(self, topic: str, payload: str, now_s: float) -> None:
        self.is_on = payload == "ON"

    def advance(self, now_s: float) -> float:
        return float("inf")

    def messages(self) -> Messages:
        yield f"{BASE}/{self.slug}/state", json.dumps({"state": "ON" if self.is_on else "OFF"})


@dataclass(slots=True)
class Blinds:
    slug: str
    position: float = 100.0
    goal: float = 100.0
    _moved_s: float = 0.0

    @property
    def command_topics(self) -> tuple[str, ...]:
        return (f"{BASE}/{self.slug}/set", f"{BASE}/{self.slug}/position/set")

    @property
    def config(self) -> dict[str, object]:
        return {
            "~": f"{BASE}/{self.slug}",
            "cmd_t": "~/set",
            "stat_t": "~/state",
            "pos_t": "~/position",
            "set_pos_t": "~/position/set",
            "dev_cla": "blind",
        }

    def receive(self, topic: str, payload: str, now_s: float) -> None:
        self.advance(now_s)
        ends = {"OPEN": 100.0, "CLOSE": 0.0, "STOP": self.position}
        is_position = topic.endswith("/position/set")
        self.goal = min(100.0, max(0.0, float(payload))) if is_position else ends[payload]

    def advance(self, now_s: float) -> float:
        most = (now_s - self._moved_s) * 100 / TRAVEL_S
        self.position += min(most, max(-most, self.goal - self.position))
        self._moved_s = now_s
        return STEP_S if self.position != self.goal else float("inf")

    @property
    def cover(self) -> str:
        if self.goal != self.position:
            return "opening" if self.goal > self.position else "closing"
        return "closed" if self.position == 0 else "open"

    def messages(self) -> Messages:
        yield f"{BASE}/{self.slug}/position", str(round(self.position))
        yield f"{BASE}/{self.slug}/state", self.cover


@dataclass(slots=True)
class Thermostat:
    slug: str
    target: float = 21.0
    measured: float = 20.4
    mode: str = "heat"
    _drifted_s: float | None = None

    @property
    def command_topics(self) -> tuple[str, ...]:
        return (f"{BASE}/{self.slug}/target/set", f"{BASE}/{self.slug}/mode/set")

    @property
    def config(self) -> dict[str, object]:
        return {
            "~": f"{BASE}/{self.slug}",
            "temp_cmd_t": "~/target/set",
            "temp_stat_t": "~/state",
            "temp_stat_tpl": "{{ value_json.target }}",
            "curr_temp_t": "~/state",
            "curr_temp_tpl": '{{ value_json["measured"] }}',
            "mode_cmd_t": "~/mode/set",
            "mode_stat_t": "~/state",
            "mode_stat_tpl": "{{ value_json.mode }}",
            "modes": ["off", "heat"],
            "min_temp": 5,
            "max_temp": 30,
            "temp_step": 0.5,
            "temp_unit": "C",
        }

    def receive(self, topic: str, payload: str, now_s: float) -> None:
        if topic.endswith("/mode/set"):
            self.mode = payload if payload in ("off", "heat") else self.mode
        else:
            self.target = min(30.0, max(5.0, float(payload)))

    def advance(self, now_s: float) -> float:
        if self._drifted_s is None:
            self._drifted_s = now_s
        while now_s - self._drifted_s >= DRIFT_S:
            self._drifted_s += DRIFT_S
            goal = self.target if self.mode == "heat" else 16.0
            self.measured = round(self.measured + min(0.1, max(-0.1, goal - self.measured)), 1)
        return self._drifted_s + DRIFT_S - now_s

    def messages(self) -> Messages:
        said = {"target": self.target, "measured": self.measured, "mode": self.mode}
        yield f"{BASE}/{self.slug}/state", json.dumps(said)


@dataclass(slots=True)
class DemoHome:
    """All devices with their names and areas; pure, the time is an argument."""

    devices: list[tuple[str, str, str, Device]] = field(default_factory=lambda: list(_devices()))
    _told: dict[str, str] = field(default_factory=dict)  # by topic, what was published last

    def announcements(self) -> Messages:
        """The retained config messages: single ones, and the office as one device message."""
        office: dict[str, object] = {}
        for component, name, area, device in self.devices:
            if area == "Office":
                own = {"p": component, "name": name, "uniq_id": f"{BASE}_{device.slug}"}
                office[device.slug] = own | device.config
                continue
            config: dict[str, object] = {
                "name": None,
                "unique_id": f"{BASE}_{device.slug}",
                "availability_topic": STATUS,
                "dev": {"ids": [f"{BASE}_{device.slug}"], "name": f"{area} {name}", "sa": area},
            }
            payload = json.dumps(config | device.config)
            yield f"{PREFIX}/{component}/{BASE}/{device.slug}/config", payload
        about = {"ids": [f"{BASE}_office"], "name": "Office", "sa": "Office"}
        shared = {"dev": about, "o": {"name": "parlour demo"}, "avty": [{"t": STATUS}]}
        yield f"{PREFIX}/device/{BASE}_office/config", json.dumps(shared | {"cmps": office})

    @property
    def command_topics(self) -> list[str]:
        return [topic for *_, device in self.devices for topic in device.command_topics]

    def receive(self, topic: str, payload: str, now_s: float) -> None:
        """Hand a command to its device, which ignores what it does not understand."""
        for *_, device in self.devices:
            if topic in device.command_topics:
                try:
                    device.receive(topic, payload, now_s)
                except (ValueError, KeyError, TypeError, AttributeError):
                    return

    def advance(self, now_s: float) -> tuple[list[tuple[str, str]], float]:
        """Move all devices on; return the states to publish and the seconds until the next move."""
        wait_s = float("inf")
        changed = []
        for *_, device in self.devices:
            wait_s = min(wait_s, device.advance(now_s))
            for topic, payload in device.messages():
                if self._told.get(topic) != payload:
                    self._told[topic] = payload
                    changed.append((topic, payload))
        return changed, wait_s


def demo_entities() -> list[Entity]:
    """The demo home's entities without a broker, read from its own announcements."""
    catalogue = Catalogue(PREFIX, FLOORS)
    for topic, payload in DemoHome().announcements():
        catalogue.receive_config(topic, payload.encode())
    return list(catalogue.entities.values())


async def run_demo(url: str, stage: Stage) -> None:
    """Connect the demo home to a broker and play it until cancelled; HomeError on loss."""
    address = Address(url)
    home = DemoHome()
    will = aiomqtt.Will(STATUS, "offline", qos=1, retain=True)
    try:
        async with address.client(will) as client:
            try:
                await _play(home, client, stage)
            finally:
                with anyio.move_on_after(1, shield=True), suppress(aiomqtt.MqttError):
                    await client.publish(STATUS, "offline", qos=1, retain=True)
    except (aiomqtt.MqttError, OSError) as error:
        why = address.explain(error)
        raise HomeError(f"the demo home lost the broker {address.shown}: {why}") from error


async def _play(home: DemoHome, client: aiomqtt.Client, stage: Stage) -> None:
    woken = anyio.Event()

    async def move() -> None:
        nonlocal woken
        # A lost connection is raised by the loop over the messages: once is enough.
        with suppress(aiomqtt.MqttError):
            while True:
                woken = anyio.Event()
                states, wait_s = home.advance(anyio.current_time())
                for topic, payload in states:
                    await client.publish(topic, payload, qos=0, retain=True)
                with anyio.move_on_after(wait_s):
                    await woken.wait()

    await client.subscribe([(topic, 1) for topic in home.command_topics])
    for topic, payload in home.announcements():
        await client.publish(topic, payload, qos=1, retain=True)
    for topic, payload in home.advance(anyio.current_time())[0]:
        await client.publish(topic, payload, qos=1, retain=True)
    await client.publish(STATUS, "online", qos=1, retain=True)
    async with task_group() as group:
        group.start_soon(move)
        stage.set(Health.READY)
        async for message in client.messages:
            if isinstance(message.payload, bytes):
                text = message.payload.decode("utf-8", "replace")
                home.receive(message.topic.value, text, anyio.current_time())
                woken.set()


def _devices() -> Iterator[tuple[str, str, str, Device]]:
    color = ("rgb", "color_temp")
    yield "light", "Light", "Kitchen", Light("kitchen_light")
    yield "switch", "Coffee Machine", "Kitchen", Switch("kitchen_coffee_machine")
    yield "cover", "Blinds", "Kitchen", Blinds("kitchen_blinds")
    yield "light", "Light", "Living Room", Light("living_room_light", is_json=True, modes=color)
    yield "light", "Lamp", "Living Room", Light("living_room_lamp", modes=("brightness", "rgb"))
    yield "cover", "Blinds", "Living Room", Blinds("living_room_blinds")
    yield "climate", "Thermostat", "Living Room", Thermostat("living_room_thermostat")
    yield "light", "Light", "Bedroom", Light("bedroom_light", modes=("brightness", "rgb"))
    yield "light", "Lamp", "Bedroom", Light("bedroom_lamp", is_json=True, modes=("rgb",))
    yield "cover", "Blinds", "Bedroom", Blinds("bedroom_blinds")
    yield "light", "Light", "Office", Light("office_light")
    yield "switch", "Fan", "Office", Switch("office_fan")
