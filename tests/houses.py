"""A house in memory for tests: its devices obey at once, or fail as they are told to."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import anyio

from parlour.home.entities import (
    Change,
    Command,
    Entity,
    Feature,
    Kind,
    Outcome,
    Result,
    State,
    Verb,
)
from parlour.ids import EntityId

_ON_OFF = frozenset({Feature.ON_OFF})
_DIM = _ON_OFF | {Feature.BRIGHTNESS}
_COLOR = _DIM | {Feature.COLOR, Feature.COLOR_TEMP}
_COVER = frozenset({Feature.OPEN_CLOSE, Feature.STOP, Feature.POSITION})


def _entity(
    entity_id: str, kind: Kind, name: str, area: str, floor: str, features: frozenset[Feature]
) -> Entity:
    return Entity(EntityId(entity_id), kind, name, area, floor, features=features)


HOUSE = [
    _entity("kitchen.light", Kind.LIGHT, "Kitchen Light", "Kitchen", "downstairs", _DIM),
    _entity(
        "kitchen.coffee_machine", Kind.SWITCH, "Coffee Machine", "Kitchen", "downstairs", _ON_OFF
    ),
    _entity("kitchen.blinds", Kind.COVER, "Kitchen Blinds", "Kitchen", "downstairs", _COVER),
    _entity(
        "living_room.light", Kind.LIGHT, "Living Room Light", "Living Room", "downstairs", _COLOR
    ),
    _entity(
        "living_room.lamp", Kind.LIGHT, "Living Room Lamp", "Living Room", "downstairs", _COLOR
    ),
    _entity(
        "living_room.blinds", Kind.COVER, "Living Room Blinds", "Living Room", "downstairs", _COVER
    ),
    replace(
        _entity(
            "living_room.thermostat",
            Kind.CLIMATE,
            "Living Room Thermostat",
            "Living Room",
            "downstairs",
            frozenset({Feature.TEMPERATURE}),
        ),
        min_value=5,
        max_value=30,
        unit="°C",
    ),
    _entity("bedroom.light", Kind.LIGHT, "Bedroom Light", "Bedroom", "upstairs", _COLOR),
    _entity("bedroom.lamp", Kind.LIGHT, "Bedroom Lamp", "Bedroom", "upstairs", _COLOR),
    _entity("bedroom.blinds", Kind.COVER, "Bedroom Blinds", "Bedroom", "upstairs", _COVER),
    _entity("office.light", Kind.LIGHT, "Office Light", "Office", "upstairs", _DIM),
    _entity("office.fan", Kind.SWITCH, "Office Fan", "Office", "upstairs", _ON_OFF),
]


class MemoryHouse:
    """Satisfies `entities.House`. `faults` says what comes of a command instead of obeying it."""

    def __init__(self, entities: Sequence[Entity] = tuple(HOUSE)) -> None:
        self.entities: dict[EntityId, Entity] = {e.id: e for e in entities}
        self.revision = 1
        self.states = {e.id: _resting(e) for e in entities}
        self.faults: dict[EntityId, Result] = {}
        self.carried_out: list[Command] = []

    def state(self, entity: EntityId) -> State:
        return self.states[entity]

    async def carry_out(self, commands: Sequence[Command]) -> list[Outcome]:
        return [self._obey(command) for command in commands]

    def _obey(self, command: Command) -> Outcome:
        self.carried_out.append(command)
        fault = self.faults.get(command.target)
        if fault is None:
            self.states[command.target] = _after(self.states[command.target], command)
        return Outcome(command, fault or Result.CONFIRMED, self.states[command.target])

    async def wait_revision(self, seen: int) -> int:
        while self.revision == seen:  # noqa: ASYNC110 - a test's house has no event to wait for
            await anyio.sleep(0.01)
        return self.revision

    async def watch(self) -> AsyncIterator[Change]:
        for entity in self.entities.values():
            yield Change(entity, self.states[entity.id])

    def add(self, entity: Entity) -> None:
        self.entities[entity.id] = entity
        self.states[entity.id] = _resting(entity)
        self.revision += 1

    @property
    def on(self) -> set[str]:
        """The ids of what is on."""
        return {entity for entity, state in self.states.items() if state.on}


def _resting(entity: Entity) -> State:
    match entity.kind:
        case Kind.LIGHT | Kind.SWITCH:
            return State(on=False)
        case Kind.COVER:
            return State(cover="closed", position=0.0)
        case Kind.CLIMATE:
            return State(target_temperature=20.0, temperature=19.5, mode="heat")


def _after(state: State, command: Command) -> State:
    value = command.value
    number = float(value) if isinstance(value, int | float) else 0.0
    match command.verb:
        case Verb.ON:
            return replace(state, on=True)
        case Verb.OFF:
            return replace(state, on=False)
        case Verb.TOGGLE:
            return replace(state, on=not state.on)
        case Verb.OPEN:
            return replace(state, cover="open", position=100.0)
        case Verb.CLOSE:
            return replace(state, cover="closed", position=0.0)
        case Verb.STOP:
            return replace(state, cover="stopped")
        case Verb.SET_BRIGHTNESS:
            return replace(state, on=number > 0, brightness=number)
        case Verb.SET_COLOR:
            return replace(state, on=True, color=(1, 2, 3))
        case Verb.SET_COLOR_TEMP:
            return replace(state, on=True, color_temp_k=number)
        case Verb.SET_POSITION:
            return replace(state, cover="open", position=number)
        case Verb.SET_TEMPERATURE:
            return replace(state, target_temperature=number)
