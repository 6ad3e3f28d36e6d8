"""One thing of the catalogue with how it stands, and what of that outlives a new announcement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from parlour.home.definitions import Definition
from parlour.home.entities import Entity, State
from parlour.home.readings import Channel, channels_of


@dataclass(slots=True)
class Row:
    definition: Definition
    entity: Entity
    state: State
    channels: Mapping[str, Sequence[Channel]]  # by topic
    online: dict[int, bool] = field(default_factory=dict)  # by place in the availability list
    latest: bool = True  # what the availability said last
    heard: set[str] = field(default_factory=set)  # topics on which it spoke live
    has_spoken: bool = False
    is_expired: bool = False
    told_on: bool | None = None  # what it was told, of a thing that cannot report it


def make_row(definition: Definition, entity: Entity, before: Row | None) -> Row:
    channels: dict[str, list[Channel]] = {}
    for channel in channels_of(definition):
        channels.setdefault(channel.topic, []).append(channel)
    row = Row(definition, entity, State(), channels, latest=not definition.availability)
    if before is not None and before.entity.kind is entity.kind:
        row.state, row.told_on, row.has_spoken = before.state, before.told_on, before.has_spoken
        row.is_expired = before.is_expired
        if before.definition.availability == definition.availability:
            row.online, row.latest = before.online, before.latest
    row.state = replace(row.state, available=is_available(row))
    return row


def topics_of(row: Row) -> set[str]:
    return set(row.channels) | {entry.topic for entry in row.definition.availability}


def is_available(row: Row) -> bool:
    entries = row.definition.availability
    if row.is_expired:
        return False
    if not entries:
        return True
    known = [row.online.get(place, entry.assumed) for place, entry in enumerate(entries)]
    match row.definition.availability_mode:
        case "all":
            return all(known)
        case "any":
            return any(known)
        case _:
            return row.latest
