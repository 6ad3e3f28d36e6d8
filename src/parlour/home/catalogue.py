"""What the house holds, pure: config messages and states in, entities with stable ids and States out."""

import logging
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from parlour.home.colors import Rgb, from_hs, from_xy
from parlour.home.discovery import Definition, clean_name, discover, to_number
from parlour.home.entities import Entity, Feature, Kind, State
from parlour.home.templates import Lookup
from parlour.ids import EntityId

log = logging.getLogger(__name__)

MOST_ENTITIES = 2000  # a hostile device must not fill the memory


@dataclass(slots=True)
class _Row:
    definition: Definition
    entity: Entity
    state: State
    online: dict[int, bool] = field(default_factory=dict)  # by place in the availability list


class Catalogue:
    """All announced entities. `revision` grows when one comes, goes or changes, not for states."""

    def __init__(
        self, prefix: str = "homeassistant", floors: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.prefix = prefix
        self.revision = 0
        self._areas = {
            area.lower(): (area, floor) for floor, areas in (floors or {}).items() for area in areas
        }
        self._rows: dict[EntityId, _Row] = {}
        self._ids: dict[str, EntityId] = {}  # by the definition's key; kept when one goes away
        self._listeners: dict[str, set[EntityId]] = {}  # by topic

    @property
    def entities(self) -> Mapping[EntityId, Entity]:
        return {id_: row.entity for id_, row in self._rows.items()}

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._listeners)

    def state(self, entity: EntityId) -> State:
        row = self._rows.get(entity)
        return row.state if row is not None else State(available=False)

    def entity(self, entity: EntityId) -> Entity | None:
        row = self._rows.get(entity)
        return row.entity if row is not None else None

    def definition(self, entity: EntityId) -> Definition | None:
        row = self._rows.get(entity)
        return row.definition if row is not None else None

    def is_config(self, topic: str) -> bool:
        return topic.startswith(self.prefix + "/") and topic.endswith("/config")

    def receive_config(self, topic: str, payload: bytes) -> tuple[list[EntityId], list[Entity]]:
        """Take in a config message; return the ids that came or changed and the entities that went.

        A broken message leaves what its topic announced before; an empty one removes it.
        """
        made = discover(topic, payload, self.prefix)
        before = {id_ for key, id_ in self._ids.items() if _topic_of(key) == topic}
        if made is None:
            return [], []
        came = [id_ for each in made if (id_ := self._put(each)) is not None]
        kept = {self._ids[each.key] for each in made if each.key in self._ids}
        gone = [self._rows.pop(id_).entity for id_ in before - kept if id_ in self._rows]
        if came or gone:
            self.revision += 1
            self._listeners = {}
            for id_, row in self._rows.items():
                for each in row.definition.topics:
                    self._listeners.setdefault(each, set()).add(id_)
        return came, gone

    def receive(self, topic: str, payload: bytes) -> list[EntityId]:
        """Take in a state or availability message; return whom it concerned, changed or not."""
        ids = sorted(self._listeners.get(topic, ()))
        text = payload.decode("utf-8", "replace")
        for id_ in ids:
            row = self._rows[id_]
            state = row.state
            if topic in row.definition.state_topics:
                state = read_state(row.definition, state, topic, text)
            row.state = replace(state, available=_is_available(row, topic, text))
        return ids

    def _put(self, definition: Definition) -> EntityId | None:
        area, floor = self._place(definition)
        id_ = self._ids.get(definition.key)
        if id_ is None and len(self._ids) >= MOST_ENTITIES:
            log.warning("more than %d entities were announced: ignored one", MOST_ENTITIES)
            return None
        wanted = make_id(area, definition.name)
        if id_ is None or not re.fullmatch(re.escape(wanted) + r"(_\d+)?", id_):
            id_ = self._free_id(wanted)
            self._ids[definition.key] = id_
        spoken = definition.name.replace("_", " ")
        is_climate = definition.kind is Kind.CLIMATE and Feature.TEMPERATURE in definition.features
        is_fahrenheit = definition.text("temperature_unit").upper().startswith("F")
        entity = Entity(
            id=id_,
            kind=definition.kind,
            name=definition.name,
            area=area,
            floor=floor,
            aliases=(spoken,) if spoken != definition.name else (),
            features=definition.features,
            device_class=clean_name(definition.text("device_class")) or None,
            min_value=definition.number("min_temp", 45 if is_fahrenheit else 7)
            if is_climate
            else None,
            max_value=definition.number("max_temp", 95 if is_fahrenheit else 35)
            if is_climate
            else None,
            unit=("°F" if is_fahrenheit else "°C") if is_climate else None,
        )
        row = self._rows.get(id_)
        if row is not None and (row.entity, row.definition) == (entity, definition):
            return None
        state = row.state if row is not None else State(available=not definition.availability)
        self._rows[id_] = _Row(definition, entity, state, row.online if row is not None else {})
        return id_

    def _place(self, definition: Definition) -> tuple[str | None, str | None]:
        """The area as announced, else the known area that the name begins with; and its floor."""
        if definition.area is not None:
            return self._areas.get(definition.area.lower(), (definition.area, None))
        spoken = make_slug(definition.name) + "_"
        for area, floor in self._areas.values():
            if spoken.startswith(make_slug(area) + "_"):
                return area, floor
        return None, None

    def _free_id(self, wanted: str) -> EntityId:
        taken, id_, count = set(self._ids.values()), wanted, 1
        while id_ in taken:
            count += 1
            id_ = f"{wanted}_{count}"
        return EntityId(id_)


def make_slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    return re.sub(r"\W+|_+", "_", plain).strip("_")


def make_id(area: str | None, name: str) -> str:
    """`kitchen.light` for the "Kitchen Light" in the kitchen; `home.` for a thing without an area."""
    room = make_slug(area or "") or "home"
    words = make_slug(name) or "thing"
    own = f"_{words}_".replace(f"_{room}_", "_", 1).strip("_")
    return f"{room}.{own or words}"


def read_state(definition: Definition, state: State, topic: str, payload: str) -> State:
    """Apply one state message; what it does not say, or says badly, stays as it was."""
    match definition.kind:
        case Kind.LIGHT if definition.is_json_light:
            return _read_json_light(definition, state, payload)
        case Kind.LIGHT:
            return _read_light(definition, state, topic, payload)
        case Kind.SWITCH:
            return _read_on(definition, state, definition.lookup("value_template").read(payload))
        case Kind.COVER:
            return _read_cover(definition, state, topic, payload)
        case Kind.CLIMATE:
            return _read_climate(definition, state, topic, payload)


def _topic_of(key: str) -> str:
    return key.partition("#")[0]


def _is_available(row: _Row, topic: str, payload: str) -> bool:
    entries = row.definition.availability
    if not entries:
        return True
    latest = row.state.available
    for place, entry in enumerate(entries):
        if entry.topic == topic:
            said = as_text(entry.lookup.read(payload))
            if said in (entry.online, entry.offline):
                row.online[place] = latest = said == entry.online
    known = [row.online.get(place, False) for place in range(len(entries))]
    match row.definition.availability_mode:
        case "all":
            return all(known)
        case "any":
            return any(known)
        case _:
            return latest


def as_text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _read_on(definition: Definition, state: State, value: object) -> State:
    said = as_text(value)
    if said == definition.text("state_on", definition.text("payload_on", "ON")):
        return replace(state, on=True)
    if said == definition.text("state_off", definition.text("payload_off", "OFF")):
        return replace(state, on=False)
    return state


def _per_cent(definition: Definition, value: object) -> float | None:
    number = to_number(value)
    scale = definition.number("brightness_scale", 255)
    if number is None or scale <= 0:
        return None
    return round(min(100.0, max(0.0, number / scale * 100)), 1)


def _kelvin(definition: Definition, value: object) -> float | None:
    number = to_number(value)
    if number is None or number <= 0:
        return None
    return number if definition.flag("color_temp_kelvin") else float(round(1e6 / number))


def _rgb(parts: Sequence[object]) -> Rgb | None:
    numbers = [number for part in parts if (number := to_number(part)) is not None]
    if len(numbers) < 3:
        return None
    red, green, blue = (min(255, max(0, round(number))) for number in numbers[:3])
    return red, green, blue


def _read_light(definition: Definition, state: State, topic: str, payload: str) -> State:
    if topic == definition.text("state_topic"):
        said = definition.lookup("state_value_template").read(payload)
        state = _read_on(definition, state, said)
    if topic == definition.text("brightness_state_topic"):
        value = _per_cent(definition, definition.lookup("brightness_value_template").read(payload))
        state = replace(state, brightness=state.brightness if value is None else value)
    if topic == definition.text("rgb_state_topic"):
        parts = as_text(definition.lookup("rgb_value_template").read(payload)).strip("[]()")
        state = replace(state, color=_rgb(parts.split(",")) or state.color)
    if topic == definition.text("color_temp_state_topic"):
        kelvin = _kelvin(definition, definition.lookup("color_temp_value_template").read(payload))
        state = replace(state, color_temp_k=kelvin or state.color_temp_k)
    return state


def _read_json_light(definition: Definition, state: State, payload: str) -> State:
    said = Lookup(is_json=True).read(payload)
    if not isinstance(said, dict):
        return state
    if said.get("state") in ("ON", "OFF"):
        state = replace(state, on=said["state"] == "ON")
    if (brightness := _per_cent(definition, said.get("brightness"))) is not None:
        state = replace(state, brightness=brightness)
    mode = said.get("color_mode")
    kelvin = _kelvin(definition, said.get("color_temp"))
    if kelvin is not None and mode in (None, "color_temp"):
        state = replace(state, color_temp_k=kelvin, color=None if mode else state.color)
    color = said.get("color")
    if isinstance(color, dict) and mode != "color_temp" and (rgb := _json_color(color, mode)):
        state = replace(state, color=rgb, color_temp_k=None if mode else state.color_temp_k)
    return state


def _json_color(color: Mapping[str, object], mode: object) -> Rgb | None:
    rgb = _rgb([color.get("r"), color.get("g"), color.get("b")])
    hue, saturation = to_number(color.get("h")), to_number(color.get("s"))
    x, y = to_number(color.get("x")), to_number(color.get("y"))
    of_xy = from_xy(x, y) if x is not None and y is not None else None
    of_hs = from_hs(hue, saturation) if hue is not None and saturation is not None else None
    return rgb or (of_hs or of_xy if mode == "hs" else of_xy or of_hs)


def _read_cover(definition: Definition, state: State, topic: str, payload: str) -> State:
    if topic == definition.text("position_topic"):
        number = to_number(definition.lookup("position_template").read(payload))
        closed, opened = (
            definition.number("position_closed", 0),
            definition.number("position_open", 100),
        )
        if number is not None and opened != closed:
            position = min(100.0, max(0.0, (number - closed) / (opened - closed) * 100))
            state = replace(state, position=round(position, 1))
            if not definition.text("state_topic"):
                state = replace(state, cover="open" if position > 0 else "closed")
    if topic == definition.text("state_topic"):
        said = as_text(definition.lookup("value_template").read(payload))
        for name in ("open", "closed", "opening", "closing", "stopped"):
            if said == definition.text(f"state_{name}", name):
                state = replace(state, cover=name)
    return state


def _read_climate(definition: Definition, state: State, topic: str, payload: str) -> State:
    if topic == definition.text("temperature_state_topic"):
        number = to_number(definition.lookup("temperature_state_template").read(payload))
        state = replace(
            state, target_temperature=state.target_temperature if number is None else number
        )
    if topic == definition.text("current_temperature_topic"):
        number = to_number(definition.lookup("current_temperature_template").read(payload))
        state = replace(state, temperature=state.temperature if number is None else number)
    if topic == definition.text("mode_state_topic"):
        mode = clean_name(as_text(definition.lookup("mode_state_template").read(payload)))
        if mode:
            state = replace(state, mode=mode, on=mode != "off")
    return state
