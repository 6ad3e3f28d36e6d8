"""The things of a house as values: what each is, where it stands, what it can do, how it stands now."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from parlour.ids import EntityId


class Kind(StrEnum):
    """Home Assistant's names, and `media` for what plays sound, which has no discovery."""

    LIGHT = "light"
    SWITCH = "switch"
    COVER = "cover"
    CLIMATE = "climate"
    FAN = "fan"
    LOCK = "lock"
    VALVE = "valve"
    SIREN = "siren"
    VACUUM = "vacuum"
    SCENE = "scene"
    BUTTON = "button"
    NUMBER = "number"
    SELECT = "select"
    HUMIDIFIER = "humidifier"
    MEDIA = "media"
    SENSOR = "sensor"
    BINARY_SENSOR = "binary_sensor"
    DEVICE_TRACKER = "device_tracker"


class Feature(StrEnum):
    """What an entity can be told; a command it lacks the feature for is refused in words."""

    ON_OFF = "on_off"
    BRIGHTNESS = "brightness"
    COLOR = "color"
    COLOR_TEMP = "color_temp"
    OPEN_CLOSE = "open_close"
    STOP = "stop"
    POSITION = "position"
    TILT = "tilt"
    TEMPERATURE = "temperature"
    MODE = "mode"  # of a climate, fan or humidifier; the option of a select
    SPEED = "speed"
    HUMIDITY = "humidity"
    LOCK = "lock"
    START = "start"
    PAUSE = "pause"
    DOCK = "dock"
    LOCATE = "locate"
    ACTIVATE = "activate"
    VOLUME = "volume"
    MUTE = "mute"
    VALUE = "value"  # of a number


class Verb(StrEnum):
    ON = "on"
    OFF = "off"
    TOGGLE = "toggle"
    OPEN = "open"
    CLOSE = "close"
    STOP = "stop"
    LOCK = "lock"
    UNLOCK = "unlock"
    ACTIVATE = "activate"
    START = "start"
    PAUSE = "pause"
    DOCK = "dock"  # a vacuum goes home
    LOCATE = "locate"  # a vacuum says where it is
    MUTE = "mute"
    UNMUTE = "unmute"
    SET_BRIGHTNESS = "set_brightness"  # value: 0..100 per cent
    SET_COLOR = "set_color"  # value: an English colour name of colors.COLORS
    SET_COLOR_TEMP = "set_color_temp"  # value: kelvin
    SET_POSITION = "set_position"  # value: 0 (closed) .. 100 (open) per cent
    SET_TILT = "set_tilt"  # value: 0 (closed) .. 100 (open) per cent
    SET_TEMPERATURE = "set_temperature"  # value: degrees in the entity's own unit
    SET_SPEED = "set_speed"  # value: 0..100 per cent
    SET_VOLUME = "set_volume"  # value: 0..100 per cent
    SET_HUMIDITY = "set_humidity"  # value: 0..100 per cent
    SET_MODE = "set_mode"  # value: one of the entity's `options`
    SET_VALUE = "set_value"  # value: a number in the entity's own unit

    @property
    def property(self) -> str:
        """What a "set_..." sets, "" for any other verb."""
        return self.value[4:] if self.value.startswith("set_") else ""


Names = Mapping[str, tuple[str, ...]]
"""Names by language, as "de_DE"; under "" those of any language."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing. Names come from outside: cleaned, at most 60 characters, data only."""

    id: EntityId  # "<area>.<name>" in lower case with underscores, unique, e.g. "kitchen.light"
    kind: Kind
    name: str  # as its device announces it, e.g. "Kitchen Light"
    area: str | None = None  # e.g. "Living Room"
    floor: str | None = None  # e.g. "upstairs"
    aliases: Names = field(default_factory=dict)
    features: frozenset[Feature] = frozenset()
    device_class: str | None = None  # Home Assistant's, e.g. "blind", "garage", "outlet"
    min_value: float | None = None  # target temperature, in `unit`; of a number, as it is
    max_value: float | None = None
    step: float | None = None
    unit: str | None = None  # "°C" or "°F" of a climate; of a sensor or number as announced
    options: tuple[str, ...] = ()  # modes of a climate, fan, humidifier; options of a select
    risk: int | None = None  # tier 0..3 given by the owner; None: that of kind and verb
    exposed: bool = True  # may be commanded and asked about by voice
    is_named: bool = False  # by the owner: `name` is his word, not the device's


@dataclass(frozen=True, slots=True)
class State:
    """How an entity stands, in the units people use; None: not known or not applicable."""

    available: bool = True
    on: bool | None = None  # of a binary sensor: whether it detects (a window: whether it is open)
    brightness: float | None = None  # per cent
    color: tuple[int, int, int] | None = None  # red, green, blue, 0..255
    color_temp_k: float | None = None
    cover: str | None = None  # "open", "closed", "opening", "closing", "stopped"; of a valve too
    position: float | None = None  # per cent open
    tilt: float | None = None  # per cent open
    lock: str | None = None  # "locked", "unlocked", "locking", "unlocking", "jammed", "open"
    target_temperature: float | None = None  # of a pair: that which the mode works towards
    target_low: float | None = None
    target_high: float | None = None
    temperature: float | None = None  # measured
    target_humidity: float | None = None  # per cent
    humidity: float | None = None  # measured, per cent
    speed: float | None = None  # of a fan, per cent
    volume: float | None = None  # per cent
    muted: bool | None = None
    mode: str | None = None  # of a climate: "heat", "off", ...; preset of a fan; option of a select
    activity: str | None = None  # of a vacuum: "cleaning", "docked", "paused", "returning", "error"
    value: str | float | None = None  # of a sensor, number or tracker ("home", "not_home", a zone)


@dataclass(frozen=True, slots=True)
class Command:
    target: EntityId
    verb: Verb
    value: str | float | None = None  # absolute
    delta: float | None = None  # what was asked for, where `value` was made from it


class Result(StrEnum):
    CONFIRMED = "confirmed"  # the state that it should cause was seen
    SENT = "sent"  # the device cannot report its state: it was asked, no more is known
    UNCONFIRMED = "unconfirmed"  # no state came within the time that a device may take
    OFFLINE = "offline"  # known to be away; nothing was sent
    UNSUPPORTED = "unsupported"  # it cannot do that; nothing was sent
    NO_BROKER = "no_broker"  # the broker is away; nothing was sent


@dataclass(frozen=True, slots=True)
class Outcome:
    command: Command
    result: Result
    state: State  # as last seen, after the command


@dataclass(frozen=True, slots=True)
class Change:
    """Something about an entity changed: its state, or (`gone`) the entity itself went away."""

    entity: Entity
    state: State
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    name: str
    floor: str | None = None
    aliases: Names = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Floor:
    name: str
    aliases: Names = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Places:
    """The areas and floors of a house by name, also those in which nothing stands."""

    areas: Mapping[str, Area] = field(default_factory=dict)
    floors: Mapping[str, Floor] = field(default_factory=dict)


class House(Protocol):
    """What the grammar and the brain need of a house; `home.mqtt.MqttHouse` is one."""

    @property
    def entities(self) -> Mapping[EntityId, Entity]:
        """All of them, those that are not exposed too."""
        ...

    @property
    def places(self) -> Places: ...

    @property
    def revision(self) -> int:
        """Grows whenever an entity or a name comes, goes or changes (not for states)."""
        ...

    def state(self, entity: EntityId) -> State: ...

    async def carry_out(self, commands: Sequence[Command], *, action: str = "") -> list[Outcome]:
        """Send all commands at once and wait at most about 1.5 s for the states they cause.

        Outcomes come in the order of the commands. Never raises for a device's or the
        broker's fault: that is an outcome. An `action` id that was carried out before returns
        what came of it then, and sends nothing.
        """
        ...

    async def wait_revision(self, seen: int) -> int:
        """Wait until `revision` differs from `seen` and return it."""
        ...

    def watch(self) -> AsyncIterator[Change]:
        """All entities as they stand, then every change; a slow reader misses the oldest."""
        ...
