"""What a language model calls the things of a house: one short id each, and ready-made groups; pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256

from parlour.errors import ToolError
from parlour.home.entities import Entity, House, Kind
from parlour.home.kinds import KINDS
from parlour.home.plainnames import (
    is_plain,
    is_plain_id,
    noun,
    owners_names,
    shown_name,
)
from parlour.home.whereabouts import make_slug
from parlour.ids import EntityId

MOST_LISTED = 40  # things; a small model loses its way among more
MOST_GROUPS = 40
MOST_CLOSE = 5  # ids that an error proposes
LONGEST_TARGET = 80  # characters of what a model calls a thing
MOST_COMPARED = 300  # names, letter by letter
MOST_ROOMS = 64  # of which the choice is kept
SENSORS = frozenset({Kind.SENSOR, Kind.BINARY_SENSOR, Kind.DEVICE_TRACKER})
_RARE = frozenset({Kind.BUTTON, Kind.NUMBER, Kind.SELECT, Kind.SIREN})

GROUPED: Mapping[str, Callable[[Entity], bool]] = {
    "lights": KINDS["light"],
    "covers": KINDS["blind"],  # those that let nobody in
    "fans": KINDS["fan"],
    "climate": KINDS["climate"],
    "players": KINDS["media"],
}
"""The groups that are made of a room, a floor and the home: never locks, valves or garages."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a model means. Of a group, those that cannot do it are left out."""

    id: str
    things: Sequence[Entity]


def is_controllable(entity: Entity) -> bool:
    return bool(entity.features) and entity.kind not in SENSORS


def is_battery(entity: Entity) -> bool:
    return entity.kind is Kind.SENSOR and entity.device_class == "battery"


class Directory:
    """All that is exposed of a house, as of one revision."""

    def __init__(self, house: House) -> None:
        exposed = [e for e in house.entities.values() if e.exposed]
        self.rooms = _handles((e.area for e in exposed), "room")
        self.floors = _handles((e.floor for e in exposed), "floor")
        self.ids = self._short_ids(exposed)
        self.things = {self.ids[e.id]: e for e in exposed}
        self.groups = dict(self._groups(exposed))
        self.controllable = [e for e in exposed if is_controllable(e)]
        self._names: dict[str, list[str]] | None = None
        self._chosen: dict[str | None, Sequence[Entity]] = {}

    def id_of(self, entity: EntityId) -> str:
        return self.ids.get(entity, "(gone)")

    def find(self, target: object) -> Target:
        """By id, else by a name that fits one thing. Raises ToolError that names what is close."""
        said = str(target)[:LONGEST_TARGET].strip().strip("\"'").casefold()
        for tried in (said, re.sub(r"\s+", "_", said), said.replace("/", ".")):
            if tried in self.things or tried in self.groups:
                return self._target(tried)
        named = self._named().get(_plain(said), [])
        if len(named) == 1:
            return self._target(named[0])
        close = named[:MOST_CLOSE] or self._closest(_plain(said))
        hint = f"did you mean {' or '.join(close)}?" if close else "take an id of the list"
        raise ToolError(f"there is no target of that id; {hint}")

    def _target(self, id_: str) -> Target:
        if id_ in self.groups:
            return Target(id_, self.groups[id_])
        return Target(id_, [self.things[id_]])

    def chosen(self, area: str | None) -> Sequence[Entity]:
        """Those that are worth a line: of the own room, then what can be told something."""
        if area not in self._chosen:
            things = sorted(self.things.values(), key=lambda e: (_rank(e, area), _where(e, area)))
            listed = sorted(things[:MOST_LISTED], key=lambda e: (_where(e, area), _rank(e, area)))
            if len(self._chosen) >= MOST_ROOMS:
                self._chosen.clear()
            self._chosen[area] = listed
        return self._chosen[area]

    def group_ids(self, area: str | None) -> list[str]:
        """Those of the home and the floors, of the own room, then of the others."""
        own = f"{self.rooms.get(area or '', '')}/"
        wide = {"home", *self.floors.values()}

        def rank(id_: str) -> int:
            return 0 if id_.partition("/")[0] in wide else 1 if id_.startswith(own) else 2

        return sorted(self.groups, key=rank)[:MOST_GROUPS]

    def listing(self, area: str | None) -> str:
        """One line each: `id: name, kind` under `floor > room`; names only that say more than the id."""
        lines: list[str] = []
        heading = ""
        chosen = self.chosen(area)
        for entity in chosen:
            under = self._heading(entity)
            if under != heading:
                lines.append(under)
                heading = under
            lines.append(self.line(entity))
        if self.groups:
            lines += ["groups", " ".join(self.group_ids(area))]
        if len(chosen) < len(self.things):
            rest = len(self.things) - len(chosen)
            lines.append(f"({rest} more; those that the user speaks of stand in the message)")
        return "\n".join(lines)

    def line(self, entity: Entity) -> str:
        id_ = self.ids[entity.id]
        names = owners_names(entity)[:2] or [shown_name(entity)]
        known = set(re.split(r"[._]", id_))
        telling = [f'"{n}"' for n in names if n and not set(make_slug(n).split("_")) <= known]
        return f"{id_}: {', '.join([*telling, noun(entity)])}"

    # ------------------------------------------------------------ how it is made

    def _short_ids(self, things: Sequence[Entity]) -> dict[EntityId, str]:
        made = {e.id: str(e.id) for e in things if _may_show_id(e)}
        taken = set(made.values())
        for entity in things:
            if entity.id in made:
                continue
            room = self.rooms.get(entity.area or "", "home")
            number = _number(entity.id)
            while (handle := f"{room}.{entity.kind.value}_{number}") in taken:
                number += 1
            taken.add(handle)
            made[entity.id] = handle
        return made

    def _groups(self, things: Sequence[Entity]) -> Iterator[tuple[str, Sequence[Entity]]]:
        by_floor: dict[str, list[Entity]] = {}
        by_room: dict[str, list[Entity]] = {}
        for entity in things:
            if entity.floor:
                by_floor.setdefault(self.floors[entity.floor], []).append(entity)
            if entity.area:
                by_room.setdefault(self.rooms[entity.area], []).append(entity)
        # A room that is called as a floor, or "Home", is no scope of its own.
        scopes = {**by_room, **by_floor, "home": list(things)}
        for name, is_of in GROUPED.items():
            count = sum(map(is_of, things))
            for scope, there in scopes.items():
                members = [e for e in there if is_of(e)]
                is_whole = scope in by_floor and len(members) == count
                if len(members) > 1 and not is_whole:
                    yield f"{scope}/{name}", members

    def room(self, area: str | None) -> str:
        """A room as the list calls it."""
        if area is None:
            return "unknown"
        return _titled(area, self.rooms) if area in self.rooms else area if is_plain(area) else "?"

    def _heading(self, entity: Entity) -> str:
        floor = _titled(entity.floor, self.floors)
        room = _titled(entity.area, self.rooms)
        return " > ".join(filter(None, (floor, room))) or "home"

    # ------------------------------------------------------------ names that are no ids

    def _named(self) -> Mapping[str, list[str]]:
        """Short ids by all that a thing or a group may be called."""
        if self._names is None:
            self._names = {_plain(id_): [id_] for id_ in self.groups}
            for id_, entity in self.things.items():
                for name in dict.fromkeys(_names(entity, id_)):
                    self._names.setdefault(name, []).append(id_)
        return self._names

    def _closest(self, said: str) -> list[str]:
        named = self._named()
        words = set(said.split())
        shared = {name: len(words & set(name.split())) for name in named}
        best = sorted((n for n in named if shared[n]), key=lambda n: -shared[n])
        pool = best[:MOST_COMPARED] or list(named)[:MOST_COMPARED]
        close = [*get_close_matches(said, pool, n=MOST_CLOSE, cutoff=0.5), *best]
        return list(dict.fromkeys(id_ for name in close for id_ in named[name]))[:MOST_CLOSE]


def _rank(entity: Entity, area: str | None) -> int:
    is_own = area is not None and entity.area == area
    if is_battery(entity):
        return 5
    if not is_controllable(entity):
        return 1 if is_own else 4
    return 0 if is_own else 3 if entity.kind in _RARE else 2


def _where(entity: Entity, area: str | None) -> tuple[bool, str, str]:
    is_own = area is not None and entity.area == area
    last = "\U0010ffff"  # what stands nowhere stands behind
    return not is_own, entity.floor or last, entity.area or last


def _may_show_id(entity: Entity) -> bool:
    """Ids are made of names, and say what these say."""
    places = filter(None, (entity.area, entity.floor))
    return is_plain_id(entity.id) and is_plain(entity.name) and all(map(is_plain, places))


def _handles(places: Iterable[str | None], word: str) -> dict[str, str]:
    """Rooms or floors by what they are called in an id."""
    made: dict[str, str] = {}
    for place in sorted({place for place in places if place}):
        slug = make_slug(place)
        if not (slug and slug.isascii() and is_plain(place)):
            number = _number(place)
            while f"{word}_{number}" in made.values():
                number += 1
            slug = f"{word}_{number}"
        made[place] = slug
    return made


def _number(text: str) -> int:
    """Three digits that hang on nothing but the text, so that they are the same tomorrow."""
    return int.from_bytes(sha256(text.encode()).digest()[:4], "big") % 900 + 100


def _titled(place: str | None, handles: Mapping[str, str]) -> str:
    if not place:
        return ""
    handle = handles[place]
    if not is_plain(place):
        return handle
    return place if make_slug(place) == handle else f"{place} ({handle})"


def _names(entity: Entity, id_: str) -> Iterator[str]:
    yield _plain(id_)
    area = _plain(entity.area or "")
    aliases = (alias for each in entity.aliases.values() for alias in each)
    for name in (entity.name, *aliases):
        plain = _plain(name)
        yield plain
        bare = plain.removeprefix(f"{area} ") if area else plain
        yield bare
        yield f"{area} {bare}".strip()


def _plain(text: str) -> str:
    return " ".join(re.split(r"[\s._/-]+", text.casefold())).strip()
