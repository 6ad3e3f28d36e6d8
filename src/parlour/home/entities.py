"""The things of a house as values: what each is, where it stands, what it can do, how it stands now."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from parlour.ids import EntityId


class Kind(StrEnum):
    LIGHT = "light"
    SWITCH = "switch"
    COVER = "cover"
    CLIMATE = "climate"


class Feature(StrEnum):
    """What an entity can be told; a command it lacks the feature for is refused in words."""

    ON_OFF = "on_off"
    BRIGHTNESS = "brightness"
    COLOR = "color"
    COLOR_TEMP = "color_temp"
    OPEN_CLOSE = "open_close"
    STOP = "stop"
    POSITION = "position"
    TEMPERATURE = "temperature"


class Verb(StrEnum):
    ON = "on"
    OFF = "off"
    TOGGLE = "toggle"
    OPEN = "open"
    CLOSE = "close"
    STOP = "stop"
    SET_BRIGHTNESS = "set_brightness"  # value: 0..100 per cent
    SET_COLOR = "set_color"  # value: an English colour name of colors.COLORS
    SET_COLOR_TEMP = "set_color_temp"  # value: kelvin
    SET_POSITION = "set_position"  # value: 0 (closed) .. 100 (open) per cent
    SET_TEMPERATURE = "set_temperature"  # value: degrees in the entity's own unit


@dataclass(frozen=True, slots=True)
class Entity:
    """One controllable thing. Names come from outside: cleaned, at most 60 characters, data only."""

    id: EntityId  # "<area>.<name>" in lower case with underscores, unique, e.g. "kitchen.light"
    kind: Kind
    name: str  # as its device announces it, e.g. "Kitchen Light"
    area: str | None = None  # e.g. "Living Room"
    floor: str | None = None  # e.g. "upstairs"
    aliases: tuple[str, ...] = ()
    features: frozenset[Feature] = frozenset()
    device_class: str | None = None  # Home Assistant's, e.g. "blind", "garage", "outlet"
    min_value: float | None = None  # target temperature, in `unit`
    max_value: float | None = None
    unit: str | None = None  # "°C" or "°F"


@dataclass(frozen=True, slots=True)
class State:
    """How an entity stands, in the units people use; None: not known or not applicable."""

    available: bool = True
    on: bool | None = None
    brightness: float | None = None  # per cent
    color: tuple[int, int, int] | None = None  # red, green, blue, 0..255
    color_temp_k: float | None = None
    cover: str | None = None  # "open", "closed", "opening", "closing", "stopped"
    position: float | None = None  # per cent open
    target_temperature: float | None = None
    temperature: float | None = None  # measured
    mode: str | None = None  # of a climate: "heat", "off", ...


@dataclass(frozen=True, slots=True)
class Command:
    target: EntityId
    verb: Verb
    value: str | float | None = None


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


class House(Protocol):
    """What the grammar and the brain need of a house; `home.mqtt.MqttHouse` is one."""

    @property
    def entities(self) -> Mapping[EntityId, Entity]: ...

    @property
    def revision(self) -> int:
        """Grows whenever an entity or a name comes, goes or changes (not for states)."""
        ...

    def state(self, entity: EntityId) -> State: ...

    async def carry_out(self, commands: Sequence[Command]) -> list[Outcome]:
        """Send all commands at once and wait at most about 1.5 s for the states they cause.

        Outcomes come in the order of the commands. Never raises for a device's or the
        broker's fault: that is an outcome.
        """
        ...

    async def wait_revision(self, seen: int) -> int:
        """Wait until `revision` differs from `seen` and return it."""
        ...

    def watch(self) -> AsyncIterator[Change]:
        """All entities as they stand, then every change; a slow reader misses the oldest."""
        ...


@dataclass(frozen=True, slots=True)
class DemoThing:
    """A line of the demo home, also used by tests to know what stands where."""

    name: str
    kind: Kind
    area: str
    floor: str
    features: frozenset[Feature] = field(default_factory=frozenset)
