"""A house on paper: things that obey at once and without a wire, to try sentences on."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import anyio

from parlour.home.entities import (
    Change,
    Command,
    Entity,
    Kind,
    Outcome,
    Places,
    Result,
    State,
    Verb,
)
from parlour.ids import EntityId


class PaperHouse:
    """Satisfies `entities.House`."""

    def __init__(
        self,
        entities: Iterable[Entity],
        places: Places | None = None,
        states: Mapping[EntityId, State] | None = None,
    ) -> None:
        self.entities: dict[EntityId, Entity] = {e.id: e for e in entities}
        self.places = places or Places()
        self.revision = 1
        given = states or {}
        self.states = {i: given.get(i, resting(e)) for i, e in self.entities.items()}
        self._revised = anyio.Event()

    def state(self, entity: EntityId) -> State:
        return self.states[entity]

    async def carry_out(self, commands: Sequence[Command], *, action: str = "") -> list[Outcome]:
        return [self.obey(command) for command in commands]

    def obey(self, command: Command) -> Outcome:
        self.states[command.target] = after(self.states[command.target], command)
        return Outcome(command, Result.CONFIRMED, self.states[command.target])

    async def wait_revision(self, seen: int) -> int:
        while self.revision == seen:
            await self._revised.wait()
        return self.revision

    async def watch(self) -> AsyncIterator[Change]:
        for entity in self.entities.values():
            yield Change(entity, self.states[entity.id])

    def add(self, entity: Entity) -> None:
        self.entities[entity.id] = entity
        self.states[entity.id] = resting(entity)
        self.revision += 1
        self._revised.set()
        self._revised = anyio.Event()


def resting(entity: Entity) -> State:
    """An ordinary state: lights off, blinds closed, doors locked."""
    match entity.kind:
        case Kind.COVER | Kind.VALVE:
            return State(cover="closed", position=0.0, tilt=0.0)
        case Kind.CLIMATE:
            warm = 68.0 if entity.unit == "°F" else 20.0
            return State(target_temperature=warm, temperature=warm - 0.5, mode="heat")
        case Kind.FAN:
            return State(on=False, speed=50.0)
        case Kind.LOCK:
            return State(lock="locked")
        case Kind.VACUUM:
            return State(activity="docked")
        case Kind.MEDIA:
            return State(on=False, volume=30.0, muted=False)
        case Kind.HUMIDIFIER:
            return State(on=False, target_humidity=50.0)
        case Kind.NUMBER:
            return State(value=entity.min_value or 0.0)
        case Kind.SENSOR | Kind.SCENE | Kind.BUTTON | Kind.SELECT | Kind.DEVICE_TRACKER:
            return State()
        case Kind.LIGHT | Kind.SWITCH | Kind.SIREN | Kind.BINARY_SENSOR:
            return State(on=False)


def after(state: State, command: Command) -> State:
    """How a thing stands that has obeyed."""
    value, verb = command.value, command.verb
    number = float(value) if isinstance(value, int | float) else 0.0
    match verb:
        case Verb.TOGGLE:
            return replace(state, on=not state.on)
        case Verb.STOP:
            return replace(state, cover="stopped", activity=state.activity and "idle")
        case Verb.SET_BRIGHTNESS:
            return replace(state, on=number > 0, brightness=number)
        case Verb.SET_SPEED:
            return replace(state, on=number > 0, speed=number)
        case Verb.SET_POSITION:
            return replace(state, cover="open" if number else "closed", position=number)
        case Verb.SET_MODE:
            return replace(state, mode=str(value))
        case Verb.SET_COLOR_TEMP:
            return replace(state, on=True, color_temp_k=number)
        case _ if verb in _VALUES:
            return _VALUES[verb](state, number)
        case _:
            return _STANDS[verb](state) if verb in _STANDS else state


_VALUES: Mapping[Verb, Callable[[State, float], State]] = {
    Verb.SET_TILT: lambda s, to: replace(s, tilt=to),
    Verb.SET_TEMPERATURE: lambda s, to: replace(s, target_temperature=to),
    Verb.SET_VOLUME: lambda s, to: replace(s, volume=to),
    Verb.SET_HUMIDITY: lambda s, to: replace(s, target_humidity=to),
    Verb.SET_VALUE: lambda s, to: replace(s, value=to),
}
_STANDS: Mapping[Verb, Callable[[State], State]] = {
    Verb.ON: lambda s: replace(s, on=True),
    Verb.OFF: lambda s: replace(s, on=False),
    Verb.OPEN: lambda s: replace(s, cover="open", position=100.0),
    Verb.CLOSE: lambda s: replace(s, cover="closed", position=0.0),
    Verb.LOCK: lambda s: replace(s, lock="locked"),
    Verb.UNLOCK: lambda s: replace(s, lock="unlocked"),
    Verb.START: lambda s: replace(s, activity="cleaning", on=True),
    Verb.PAUSE: lambda s: replace(s, activity="paused"),
    Verb.DOCK: lambda s: replace(s, activity="returning"),
    Verb.MUTE: lambda s: replace(s, muted=True),
    Verb.UNMUTE: lambda s: replace(s, muted=False),
    Verb.SET_COLOR: lambda s: replace(s, on=True, color=(1, 2, 3)),
}
