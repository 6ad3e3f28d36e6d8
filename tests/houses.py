"""A house in memory for tests: its devices obey at once, or fail as they are told to."""

from collections.abc import Sequence
from dataclasses import replace

from parlour.home.entities import Command, Entity, Feature, Kind, Outcome, Result
from parlour.home.paper import PaperHouse
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


class MemoryHouse(PaperHouse):
    """`faults` says what comes of a command instead of obeying it."""

    def __init__(self, entities: Sequence[Entity] = tuple(HOUSE)) -> None:
        super().__init__(entities)
        self.faults: dict[EntityId, Result] = {}
        self.carried_out: list[Command] = []

    def obey(self, command: Command) -> Outcome:
        self.carried_out.append(command)
        fault = self.faults.get(command.target)
        if fault is None:
            return super().obey(command)
        return Outcome(command, fault, self.states[command.target])

    @property
    def on(self) -> set[str]:
        """The ids of what is on."""
        return {entity for entity, state in self.states.items() if state.on}
