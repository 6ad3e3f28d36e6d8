"""Commands on their way: sent once, proven by a state, shared by whoever asks for the same."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio

from parlour.home.catalogue import Catalogue
from parlour.home.commands import make_messages, rounded, settle
from parlour.home.definitions import Definition
from parlour.home.entities import Command, Outcome, Result, State, Verb
from parlour.home.proofs import contradicts, is_caused, is_on_its_way, is_optimistic, seen
from parlour.ids import EntityId
from parlour.tasks import task_group

log = logging.getLogger(__name__)

CONFIRM_S = 1.5  # the longest a device may take to report what it was told
MOST_ACTIONS = 512
REMEMBER_S = 300.0  # how long an action's id is known, so that nothing is done twice

Publish = Callable[[str, str], Awaitable[bool]]  # topic, payload; false: the broker is away


@dataclass(eq=False, slots=True)
class _Flight:
    """A command between its sending and its proof."""

    command: Command  # settled
    landed: anyio.Event = field(default_factory=anyio.Event)
    result: Result | None = None

    def land(self, result: Result) -> None:
        if self.result is None:
            self.result = result
            self.landed.set()


@dataclass(slots=True)
class _Action:
    """What came of a list of commands that has an id of its own."""

    began_s: float
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    sent: set[int] = field(default_factory=set)  # by place in the list: sending has begun
    outcomes: list[Outcome] | None = None


class Dispatch:
    """Carries commands out through `publish`; told of every change by `notice`."""

    def __init__(self, catalogue: Catalogue, publish: Publish) -> None:
        self._catalogue = catalogue
        self._publish = publish
        self._flights: dict[EntityId, list[_Flight]] = {}
        self._changed: dict[EntityId, anyio.Event] = {}
        self._actions: OrderedDict[str, _Action] = OrderedDict()
        self.is_connected = False

    def notice(self, entity: EntityId) -> None:
        """Wake those that wait for a state of this entity."""
        if (event := self._changed.pop(entity, None)) is not None:
            event.set()

    async def carry_out(self, commands: Sequence[Command], action: str) -> list[Outcome]:
        """As `House.carry_out`; a second call with an action's id sends nothing again."""
        if not action:
            return await self._all(commands, set())
        record = self._begin(action)
        # One that was cancelled on its way goes on here, without sending what it had sent.
        async with record.lock:
            if record.outcomes is None:
                outcomes = await self._all(commands, record.sent)
                if record.sent:
                    record.outcomes = outcomes
                return outcomes
        return record.outcomes

    def _begin(self, action: str) -> _Action:
        now_s = anyio.current_time()
        for key, known in list(self._actions.items()):
            if now_s - known.began_s < REMEMBER_S and len(self._actions) < MOST_ACTIONS:
                break
            del self._actions[key]
        return self._actions.setdefault(action, _Action(now_s))

    async def _all(self, commands: Sequence[Command], sent: set[int]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}

        async def one(place: int, command: Command) -> None:
            result = await self._one(place, command, sent)
            state = self._catalogue.state(command.target)
            if result is Result.CONFIRMED:
                state = seen(command, state)
            outcomes[place] = Outcome(command, result, state)

        async with task_group() as group:
            for place, command in enumerate(commands):
                group.start_soon(one, place, command)
        return [outcomes[place] for place in range(len(commands))]

    async def _one(self, place: int, asked: Command, sent: set[int]) -> Result:
        definition = self._catalogue.definition(asked.target)
        if definition is None:
            return Result.UNSUPPORTED if self.is_connected else Result.NO_BROKER
        before = self._expected(asked)
        messages = make_messages(definition, asked, before)
        if not messages:
            return Result.UNSUPPORTED
        if not self.is_connected:
            return Result.NO_BROKER
        if not before.available:
            return Result.OFFLINE
        command = settle(rounded(definition, asked), before)
        if (shared := self._find(command)) is not None:
            sent.add(place)
            await shared.landed.wait()
            return shared.result or Result.UNCONFIRMED
        flight = self._start(command)
        try:
            is_sent = place in sent
            sent.add(place)
            result = await self._fly(flight, definition, [] if is_sent else messages, before)
            flight.land(result)
            return flight.result or result
        finally:
            # Whoever shares a flight that was cancelled knows only that it was sent.
            flight.land(Result.SENT)
            self._flights[command.target].remove(flight)
            if not self._flights[command.target]:
                del self._flights[command.target]

    def _expected(self, command: Command) -> State:
        """The state as last seen, and as what is on its way makes it: a lamp that was just told
        its brightness and then to be on must not be told to be fully on."""
        state = self._catalogue.told(command.target)
        for flight in self._flights.get(command.target, ()):
            match flight.command:
                case Command(verb=Verb.SET_BRIGHTNESS, value=int() | float() as value):
                    state = replace(state, brightness=float(value))
                case Command(verb=Verb.ON | Verb.OFF as verb) if command.verb is Verb.TOGGLE:
                    state = replace(state, on=verb is Verb.ON)
                case _:
                    pass
        return state

    def _find(self, command: Command) -> _Flight | None:
        """What is on its way already and does all that the command asks for."""
        for flight in self._flights.get(command.target, ()):
            known = flight.command
            is_same = (known.verb, known.value) == (command.verb, command.value)
            is_lit = command.verb is Verb.ON and known.verb is Verb.SET_BRIGHTNESS
            if flight.result is None and (is_same or is_lit) and not _is_momentary(command):
                return flight
        return None

    def _start(self, command: Command) -> _Flight:
        flights = self._flights.setdefault(command.target, [])
        for older in flights:
            if contradicts(command, older.command):
                older.land(Result.SENT)  # its state will never come: no use in waiting
                self.notice(command.target)
        flight = _Flight(command)
        flights.append(flight)
        return flight

    async def _fly(
        self,
        flight: _Flight,
        definition: Definition,
        messages: Sequence[tuple[str, str]],
        before: State,
    ) -> Result:
        command = flight.command
        with anyio.move_on_after(CONFIRM_S):
            for topic, payload in messages:
                if not await self._publish(topic, payload):
                    return Result.NO_BROKER
            self._catalogue.tell(command)
            if is_optimistic(definition, command):
                return Result.SENT
            # What stands as asked by its own report is confirmed at once; the command was sent
            # all the same, for a report that is older than somebody's hand on the switch.
            while flight.result is None and not self._is_obeyed(command, before):
                await self._changed.setdefault(command.target, anyio.Event()).wait()
            return flight.result or Result.CONFIRMED
        return Result.UNCONFIRMED

    def _is_obeyed(self, command: Command, before: State) -> bool:
        now = self._catalogue.state(command.target)
        return is_caused(command, now) or is_on_its_way(command, before, now)


def _is_momentary(command: Command) -> bool:
    # Who presses a button twice means it twice.
    return command.verb in (Verb.ACTIVATE, Verb.LOCATE)
