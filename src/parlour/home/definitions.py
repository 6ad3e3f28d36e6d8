"""A thing as its device announced it, whichever way: Home Assistant's keys, full names and topics."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from parlour.home.entities import Kind
from parlour.home.payloads import Payload, as_text, clean_name, is_same, to_number
from parlour.home.templates import Lookup, Template, parse_template

LONGEST_TOPIC = 1000  # characters


@dataclass(frozen=True, slots=True)
class Availability:
    topic: str
    online: str = "online"
    offline: str = "offline"
    template: Template = Lookup()
    assumed: bool = False  # taken for online until it says something

    def read(self, payload: Payload) -> bool | None:
        """Whether the device is there; None when the message says neither."""
        for said in (self.template.read(payload), payload.text):
            if is_same(said, self.online):
                return True
            if is_same(said, self.offline):
                return False
        return None


@dataclass(frozen=True, slots=True)
class Definition:
    """One announced thing; `options` has full key names and full topics."""

    key: str  # stable: the topic that announced it and, where that holds several, which
    kind: Kind
    name: str
    area: str | None
    options: Mapping[str, object]
    templates: Mapping[str, Template] = field(default_factory=dict)  # by template key
    availability: tuple[Availability, ...] = ()
    availability_mode: str = "latest"  # "all", "any" or "latest"
    identity: str = ""  # the same whatever it is called and whoever announces it
    device: str = ""  # what tells its device from others: an IEEE address, a MAC address
    plain: str = ""  # of a reading named by what it measures: its device's name without that
    is_native: bool = False  # announced in the device's own format, which says more
    mirrors: tuple[tuple[str, str], ...] = ()  # a topic, and that as which its messages are read
    polls: tuple[tuple[str, str], ...] = ()  # messages that make the device report its state

    def text(self, key: str, default: str = "") -> str:
        value = self.options.get(key)
        return default if value is None else as_text(value)

    def number(self, key: str, default: float) -> float:
        number = to_number(self.options.get(key))
        return default if number is None else number

    def maybe_number(self, key: str) -> float | None:
        return to_number(self.options.get(key), most=1e15)

    def flag(self, key: str) -> bool:
        return self.options.get(key) in (True, "true", "True", "on", "1", 1)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.options.get(key)
        if not isinstance(value, list):
            return ()
        return tuple(as_text(each) for each in value if isinstance(each, str | int | float))

    def has(self, key: str) -> bool:
        return bool(self.text(key))

    def template(self, key: str) -> Template:
        return self.templates.get(key, Lookup())

    @property
    def schema(self) -> str:
        """Of a light: "default", "json" or "template"."""
        said = self.text("schema", "default")
        return said if said in ("json", "template") else "default"


# The templates that Parlour reads and fills; others in a config do not matter. Not by kind: a key
# has one meaning wherever it stands.
_READ = (
    "value state_value state brightness brightness_value color_temp color_temp_value red green blue "
    "rgb_value hs_value xy_value color_mode_value position tilt_status mode_state "
    "temperature_state temperature_high_state temperature_low_state current_temperature "
    "current_humidity percentage_value preset_mode_value target_humidity_state volume_value "
    "mute_value"
)
_WRITTEN = (
    "command command_on command_off brightness_command color_temp_command rgb_command hs_command "
    "xy_command set_position tilt_command mode_command temperature_command "
    "temperature_high_command temperature_low_command power_command percentage_command "
    "preset_mode_command target_humidity_command volume_command"
)
TEMPLATES = frozenset(f"{name}_template" for names in (_READ, _WRITTEN) for name in names.split())


def make_templates(options: Mapping[str, object]) -> dict[str, Template]:
    """Compile what the options hold; ValueError, with the key, for one that is not allowed."""
    made = {}
    for key, text in options.items():
        if key not in TEMPLATES or text is None:
            continue
        try:
            made[key] = parse_template(as_text(text))
        except ValueError as error:
            raise ValueError(f"its {key} cannot be used: {error}") from error
    return made


def make_availability(options: Mapping[str, object]) -> Iterator[Availability]:
    listed = options.get("availability")
    entries = list(listed) if isinstance(listed, list) else []
    if topic := options.get("availability_topic"):
        template = options.get("availability_template")
        entries = [{**options, "topic": topic, "value_template": template}]
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("topic"), str):
            raise TypeError("an entry of its availability names no topic")
        check_topic("availability topic", entry["topic"])
        template = Lookup()
        if entry.get("value_template") is not None:
            try:
                template = parse_template(as_text(entry["value_template"]))
            except ValueError as error:
                raise ValueError(f"its availability cannot be read: {error}") from error
        online, offline = entry.get("payload_available"), entry.get("payload_not_available")
        yield Availability(
            entry["topic"],
            "online" if online is None else as_text(online),
            "offline" if offline is None else as_text(offline),
            template,
            assumed=entry.get("assumed") is True,
        )


def check_topic(key: str, value: object) -> None:
    is_topic = isinstance(value, str) and len(value) <= LONGEST_TOPIC
    if not is_topic or any(each in str(value) for each in "+#\0"):
        raise ValueError(f"its {clean_name(key)} is no topic")


def check_topics(options: Mapping[str, object]) -> None:
    for key, value in options.items():
        if key.endswith("topic") and value is not None:
            check_topic(key, value)
