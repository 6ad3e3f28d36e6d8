"""What the house holds, pure: announcements and states in, entities with stable ids and States out."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from parlour.home.announcements import Announcements
from parlour.home.definitions import Definition
from parlour.home.discovery import discover
from parlour.home.entities import Command, Entity, Kind, Names, Places, State, Verb
from parlour.home.features import features_of, options_of, range_of
from parlour.home.overrides import NO_OVERRIDES, Override, Overrides, define_own, merge, own_id
from parlour.home.payloads import LARGEST_BYTES, Payload, clean_name
from parlour.home.rows import Row, is_available, make_row, topics_of
from parlour.home.tasmota import Tasmota
from parlour.home.whereabouts import Whereabouts, make_id, make_slug
from parlour.home.zigbee2mqtt import Zigbee2Mqtt
from parlour.ids import EntityId

log = logging.getLogger(__name__)

MOST_ENTITIES = 5000  # a hostile device must not fill the memory

Differences = tuple[list[EntityId], list[Entity]]  # who came or changed, and what went

_MEASURING = (Kind.SENSOR, Kind.BINARY_SENSOR, Kind.DEVICE_TRACKER)
_EXPIRING = {"off": "off_delay", "expire": "expire_after"}  # timers by what announces them
_OWN = "own:"  # the topic, as it were, of what the owner wrote


class Catalogue:
    """All announced entities. `revision` grows when one comes, goes or changes, not for states.

    An id is made of the area and the name as they were announced. As long as announcements come
    it is provisional, for one source knows the area and another the name; `settle`, called when it
    became quiet, makes the ids of all who came since out of everything that is known by then, in
    an order of their own. So a house that is learnt as a whole always has the same ids, whoever
    spoke first. A settled id stays, also when its thing is renamed, moves, goes and comes again.
    """

    def __init__(
        self,
        prefix: str = "homeassistant",
        floors: Mapping[str, Sequence[str]] | None = None,
        *,
        zigbee2mqtt: Sequence[str] = ("zigbee2mqtt",),
        tasmota: str = "tasmota/discovery",
        overrides: Overrides = NO_OVERRIDES,
    ) -> None:
        self.prefix = prefix
        self.revision = 0
        self._sources: list[Zigbee2Mqtt | Tasmota] = [Zigbee2Mqtt(base) for base in zigbee2mqtt]
        self._sources += [Tasmota(tasmota)] if tasmota else []
        self._floors = floors or {}
        self._overrides = overrides
        self._where = Whereabouts(self._floors, overrides)
        self._announced = Announcements()
        self._rows: dict[EntityId, Row] = {}
        self._ids: dict[str, EntityId] = {}  # by identity; kept when one goes away
        self._taken: set[str] = set()
        self._unsettled: set[str] = set()  # identities whose id is provisional
        self._listeners: dict[str, set[EntityId]] = {}  # by topic
        self._fresh: set[str] = set()  # topics to which somebody new listens
        self._unseen: set[str] = set()  # announced before the connection was lost, not since
        self._timers: dict[tuple[EntityId, str], float] = {}
        self._snapshot: tuple[int, Mapping[EntityId, Entity], Places] | None = None
        self._announced.put(_OWN, self._define_own())
        self._apply(self._announced.identities)

    @property
    def entities(self) -> Mapping[EntityId, Entity]:
        """As they are now; what is returned does not change."""
        return self._shown()[1]

    @property
    def places(self) -> Places:
        return self._shown()[2]

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to for announcements; never everything."""
        own = (f"{self.prefix}/+/+/config", f"{self.prefix}/+/+/+/config")
        return (*own, *(each for source in self._sources for each in source.filters))

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._listeners)

    @property
    def next_s(self) -> float:
        """When `advance` has something to do; infinite when nothing expires."""
        return min(self._timers.values(), default=math.inf)

    @property
    def polls(self) -> list[tuple[str, str]]:
        """Messages that make those report themselves that were not heard of yet."""
        silent = (row for row in self._rows.values() if not row.has_spoken)
        return list(dict.fromkeys(poll for row in silent for poll in row.definition.polls))

    def state(self, entity: EntityId) -> State:
        row = self._rows.get(entity)
        return row.state if row is not None else State(available=False)

    def told(self, entity: EntityId) -> State:
        """The state, and of a thing that cannot report whether it is on, what it was told."""
        row = self._rows.get(entity)
        if row is None:
            return State(available=False)
        return row.state if row.state.on is not None else replace(row.state, on=row.told_on)

    def tell(self, command: Command) -> None:
        """Remember what a thing was told; `command` is settled."""
        row = self._rows.get(command.target)
        if row is not None and command.verb in (Verb.ON, Verb.OFF):
            row.told_on = command.verb is Verb.ON

    def entity(self, entity: EntityId) -> Entity | None:
        row = self._rows.get(entity)
        return row.entity if row is not None else None

    def definition(self, entity: EntityId) -> Definition | None:
        row = self._rows.get(entity)
        return row.definition if row is not None else None

    def is_config(self, topic: str) -> bool:
        is_discovery = topic.startswith(self.prefix + "/") and topic.endswith("/config")
        return is_discovery or any(source.is_config(topic) for source in self._sources)

    def receive_config(self, topic: str, payload: bytes) -> Differences:
        """Take in an announcement; return the ids that came or changed and the entities that went.

        A broken message leaves what its topic announced before; an empty one removes it.
        """
        self._unseen.discard(topic)
        source = next((each for each in self._sources if each.is_config(topic)), None)
        if source is not None:
            made = source.receive(topic, payload)
        else:
            found = discover(topic, payload, self.prefix)
            made = None if found is None else {topic: found}
        touched = [
            identity
            for at, definitions in (made or {}).items()
            for identity in self._announced.put(at, definitions)
        ]
        return self._apply(touched)

    @property
    def is_settled(self) -> bool:
        return not self._unsettled

    def settle(self) -> Differences:
        """Make the provisional ids for good; a thing whose id changes comes and goes."""
        unsettled = {each: self._ids[each] for each in self._unsettled if each in self._ids}
        self._unsettled.clear()
        for identity, id_ in unsettled.items():
            self._taken.discard(id_)
            del self._ids[identity]
        moved: list[tuple[EntityId, EntityId, str]] = []
        for identity, old in sorted(unsettled.items(), key=self._rank):
            definition = self._announced.choose(identity)
            # Who came and went before it was quiet is nobody.
            if definition is None or old not in self._rows:
                continue
            new = self._new_id(identity, definition)
            self._unsettled.discard(identity)
            if new is not None and new != old:
                moved.append((old, new, identity))
        came, gone = self._move(moved)
        if moved and self._overrides.devices:
            # What the owner wrote under an id may have waited for it.
            came += [
                each for each in self._apply(self._announced.identities)[0] if each not in came
            ]
        return came, gone

    def set_overrides(self, overrides: Overrides) -> Differences:
        """Replace what the owner says; whoever is known already keeps the id."""
        self._overrides = overrides
        self._where = Whereabouts(self._floors, overrides)
        self._announced.put(_OWN, self._define_own())
        before = self.revision
        differences = self._apply(dict.fromkeys([*self._announced.identities, *self._ids]))
        # Places may have changed without any thing.
        self.revision = before + 1
        return differences

    def begin_sweep(self) -> None:
        """A connection is new: retained messages come again, and what does not come has gone."""
        self._unseen = set(self._announced.topics) - {_OWN}
        for row in self._rows.values():
            row.heard.clear()
            row.has_spoken = False  # what happened meanwhile was not heard

    def sweep(self) -> Differences:
        """All retained announcements came: drop what was not among them."""
        came: list[EntityId] = []
        gone: list[Entity] = []
        for topic in sorted(self._unseen):
            newly, lost = self.receive_config(topic, b"")
            came, gone = came + newly, gone + lost
        return came, gone

    def take_fresh(self) -> set[str]:
        """The topics to which somebody new listens since the last call: their retained message
        is wanted again, though it may have come for somebody else."""
        fresh, self._fresh = self._fresh, set()
        return fresh & self._listeners.keys()

    def receive(
        self, topic: str, payload: bytes, now_s: float = 0.0, *, is_retained: bool = False
    ) -> list[EntityId]:
        """Take in a state or availability message; return whom it concerned, changed or not.

        A retained one is older than what was heard live on the same topic, and then is ignored.
        """
        if len(payload) > LARGEST_BYTES:
            log.debug("a message on %s has %d bytes, it is ignored", topic, len(payload))
            return []
        said = Payload.decode(payload)
        ids = sorted(self._listeners.get(topic, ()))
        concerned = []
        for id_ in ids:
            row = self._rows[id_]
            if is_retained and topic in row.heard:
                continue
            if not is_retained:
                row.heard.add(topic)
            self._read(id_, row, topic, said, now_s)
            concerned.append(id_)
        return concerned

    def advance(self, now_s: float) -> list[EntityId]:
        """Let pass what expires by `now_s`; return whom it concerned."""
        due = [key for key, at_s in self._timers.items() if at_s <= now_s]
        for id_, what in due:
            del self._timers[id_, what]
            row = self._rows[id_]
            if what == "off":
                row.state = replace(row.state, on=False)
            else:
                row.is_expired = True
                row.state = replace(row.state, available=False)
        return list(dict.fromkeys(id_ for id_, _ in due))

    def _read(self, id_: EntityId, row: Row, topic: str, said: Payload, now_s: float) -> None:
        state = row.state
        for channel in row.channels.get(topic, ()):
            row.has_spoken = True
            row.is_expired = False
            state = channel.read(state, said)
            self._start_timers(id_, row.definition, state, now_s)
        for place, entry in enumerate(row.definition.availability):
            if entry.topic == topic and (is_online := entry.read(said)) is not None:
                row.online[place] = row.latest = is_online
        row.state = replace(state, available=is_available(row))

    def _start_timers(
        self, id_: EntityId, definition: Definition, state: State, now_s: float
    ) -> None:
        if definition.kind not in (Kind.SENSOR, Kind.BINARY_SENSOR):
            return
        if (expire_s := definition.number("expire_after", 0)) > 0:
            self._timers[id_, "expire"] = now_s + expire_s
        if state.on and (delay_s := definition.number("off_delay", 0)) > 0:
            self._timers[id_, "off"] = now_s + delay_s
        else:
            self._timers.pop((id_, "off"), None)

    def _apply(self, identities: Iterable[str]) -> Differences:
        came: list[EntityId] = []
        gone: list[Entity] = []
        for identity in identities:
            definition = self._announced.choose(identity)
            if definition is not None:
                if (id_ := self._put(identity, definition)) is not None:
                    came.append(id_)
            elif (known := self._ids.get(identity)) in self._rows and known is not None:
                gone.append(self._drop(known).entity)
        if came or gone:
            self.revision += 1
        return came, gone

    def _rank(self, named: tuple[str, EntityId]) -> tuple[bool, str]:
        """What can be told something takes the plain name before what only measures."""
        row = self._rows.get(named[1])
        return row is None or row.definition.kind in _MEASURING, named[0]

    def _move(self, moved: Sequence[tuple[EntityId, EntityId, str]]) -> Differences:
        # All leave before the first arrives, for two may change places.
        rows = {old: self._rows.pop(old) for old, _, _ in moved}
        gone = [row.entity for row in rows.values()]
        timers = {key: self._timers.pop(key) for key in list(self._timers) if key[0] in rows}
        for old, row in rows.items():
            self._forget_topics(old, row)
        for old, new, identity in moved:
            row = rows[old]
            self._rows[new] = row
            row.entity = self._make_entity(new, identity, row.definition)
            for topic in topics_of(row):
                self._listeners.setdefault(topic, set()).add(new)
            for (id_, what), at_s in timers.items():
                if id_ == old:
                    self._timers[new, what] = at_s
        if moved:
            self.revision += 1
        return [new for _, new, _ in moved], gone

    def _put(self, identity: str, definition: Definition) -> EntityId | None:
        id_ = self._ids.get(identity) or self._new_id(identity, definition)
        if id_ is None:
            return None
        entity = self._make_entity(id_, identity, definition)
        row = self._rows.get(id_)
        if row is not None and (row.entity, row.definition) == (entity, definition):
            return None
        if row is not None and row.definition == definition:
            row.entity = entity
            return id_
        made = make_row(definition, entity, row)
        if row is not None:
            self._forget_topics(id_, row)
            for what, key in _EXPIRING.items():
                if definition.number(key, 0) <= 0:
                    self._timers.pop((id_, what), None)
        known = set() if row is None else topics_of(row)
        for topic in topics_of(made):
            self._listeners.setdefault(topic, set()).add(id_)
        self._fresh |= topics_of(made) - known
        self._rows[id_] = made
        return id_

    def _drop(self, id_: EntityId) -> Row:
        row = self._rows.pop(id_)
        self._forget_topics(id_, row)
        for what in _EXPIRING:
            self._timers.pop((id_, what), None)
        return row

    def _forget_topics(self, id_: EntityId, row: Row) -> None:
        for topic in topics_of(row):
            if (listening := self._listeners.get(topic)) is not None:
                listening.discard(id_)
                if not listening:
                    del self._listeners[topic]

    def _new_id(self, identity: str, definition: Definition) -> EntityId | None:
        if len(self._ids) >= MOST_ENTITIES:
            # Those that went away are remembered only while there is room.
            for old in [key for key, id_ in self._ids.items() if id_ not in self._rows]:
                self._taken.discard(self._ids.pop(old))
                self._unsettled.discard(old)
        if len(self._ids) >= MOST_ENTITIES:
            log.warning("more than %d entities were announced: ignored one", MOST_ENTITIES)
            return None
        given = own_id(identity.removeprefix(_OWN)) if identity.startswith(_OWN) else None
        area, name = self._announced_area(definition), self._announced_name(definition)
        wanted, count = given or make_id(area, name), 1
        id_ = wanted
        while id_ in self._taken:
            count += 1
            id_ = EntityId(f"{wanted}_{count}")
        self._taken.add(id_)
        self._ids[identity] = EntityId(id_)
        if given is None:
            self._unsettled.add(identity)
        return EntityId(id_)

    def _announced_area(self, definition: Definition) -> str | None:
        """As announced and spelled by the owner, else the known area that the name holds."""
        announced = self._announced.area_of(definition)
        found = self._where.find(announced) if announced else self._where.find_in(definition.name)
        return found.name if found is not None else None

    def _announced_name(self, definition: Definition) -> str:
        name = self._announced.name_of(definition)
        # A thermometer that is called as its room would be taken for the room.
        area = self._announced_area(definition)
        is_area = area is not None and make_slug(area) == make_slug(name)
        return definition.name if is_area else name

    def _make_entity(self, id_: EntityId, identity: str, definition: Definition) -> Entity:
        override = self._override(id_, identity, definition)
        given = clean_name(override.name or "")
        name = given or self._announced_name(definition)
        area = override.area or self._announced_area(definition)
        floor = override.floor or (self._where.find(area).floor if area else None)
        spoken = name.replace("_", " ")
        range_ = range_of(definition)
        return Entity(
            id=id_,
            kind=definition.kind,
            name=name,
            area=area,
            floor=floor,
            aliases=_with(override.aliases, spoken if spoken != name else ""),
            features=features_of(definition),
            device_class=clean_name(self._announced.class_of(definition)) or None,
            min_value=range_.low,
            max_value=range_.high,
            step=range_.step,
            unit=range_.unit,
            options=options_of(definition),
            risk=override.risk,
            exposed=override.expose is not False,
            is_named=bool(given) or identity.startswith(_OWN),
        )

    def _override(self, id_: EntityId, identity: str, definition: Definition) -> Override:
        devices = self._overrides.devices
        # The id may have been another before the owner named the areas.
        announced = make_id(definition.area, self._announced_name(definition))
        unique = definition.text("unique_id")
        own = identity.removeprefix(_OWN)
        fitting = []
        for key in dict.fromkeys((id_, own, unique, definition.device, announced)):
            if not key or (found := devices.get(key)) is None:
                continue
            is_anothers = key != id_ and EntityId(key) in self._rows
            if not is_anothers and (found.mqtt is None or identity == f"{_OWN}{key}"):
                fitting.append(found)
        return merge(fitting)

    def _define_own(self) -> list[Definition]:
        made = []
        for key, override in self._overrides.devices.items():
            if override.mqtt is None:
                continue
            try:
                made.append(define_own(key, override))
            except ValueError as error:
                log.warning("a device of the configuration cannot be used: %s", error)
        return made

    def _shown(self) -> tuple[int, Mapping[EntityId, Entity], Places]:
        if self._snapshot is None or self._snapshot[0] != self.revision:
            entities = {id_: self._rows[id_].entity for id_ in sorted(self._rows)}
            standing = [(each.area, each.floor) for each in entities.values() if each.area]
            places = self._where.places(standing)
            self._snapshot = self.revision, MappingProxyType(entities), places
        return self._snapshot


def _with(aliases: Names, spoken: str) -> Names:
    if not spoken:
        return aliases or {}
    return MappingProxyType({**aliases, "": (spoken, *aliases.get("", ()))})
