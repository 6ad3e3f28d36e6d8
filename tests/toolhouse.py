"""The demo home on paper with its tools, for tests: what a model would call, and what came of it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import virtual_time
from parlour.home.brain import HomeBrain
from parlour.home.clock import Clock
from parlour.home.demo import FLOORS, demo_entities
from parlour.home.entities import Area, Command, Entity, Floor, Outcome, Places, Result, State
from parlour.home.grammar import HouseGrammar
from parlour.home.paper import PaperHouse
from parlour.home.permission import Policy, Questions
from parlour.home.rings import Said
from parlour.home.timers import utc_now
from parlour.home.tools import HomeTools
from parlour.ids import DeviceId, EntityId, TurnId
from parlour.ports import Order, Place, Tool, ToolResult, Utterance

KITCHEN = Place(DeviceId("shelf"), "Kitchen")
AREAS = {area: Area(area, floor) for floor, listed in FLOORS.items() for area in listed}
PLACES = Places(AREAS, {name: Floor(name) for name in FLOORS})
DEMO = tuple(demo_entities())


class Nobody:
    """Speakers in a house where no device is connected."""

    def nearest(self, device: DeviceId) -> Sequence[DeviceId]:
        return ()

    def announce(self, device: DeviceId, text: str) -> Said | None:
        return None


class ToolHouse(PaperHouse):
    """Does what has an id once, as a real house; `faults` says what comes of a command instead."""

    def __init__(
        self,
        entities: Iterable[Entity] = DEMO,
        states: Mapping[EntityId, State] | None = None,
        places: Places = PLACES,
    ) -> None:
        super().__init__(entities, places, states)
        self.faults: dict[str, Result] = {}
        self.sent: list[Command] = []
        self._done: dict[str, list[Outcome]] = {}

    async def carry_out(self, commands: Sequence[Command], *, action: str = "") -> list[Outcome]:
        if action not in self._done:
            self._done[action] = [self.obey(command) for command in commands]
        return self._done[action]

    def obey(self, command: Command) -> Outcome:
        self.sent.append(command)
        fault = self.faults.get(command.target)
        if fault is not None:
            return Outcome(command, fault, self.states[command.target])
        return super().obey(command)


class Kit:
    """A house, its tools and its brain."""

    def __init__(
        self,
        house: ToolHouse | None = None,
        policy: Policy | None = None,
        place: Place = KITCHEN,
        language: str = "en_US",
        wall: Callable[[], datetime] | None = None,
    ) -> None:
        self.house = house or ToolHouse()
        self.policy = policy or Policy()
        self.questions = Questions(self.policy)
        self.clock = Clock(None, Nobody(), "en", wall or utc_now, UTC)
        self.clock.rings.close()  # nothing rings here
        self.announced: list[tuple[str, str | None, str | None]] = []
        self.tools = HomeTools(self.house, self.policy, self.questions, self.clock, self._announce)
        self.place = place
        self._calls = 0
        self.language = language

    def brain(self) -> HomeBrain:
        grammar = HouseGrammar(self.house)
        return HomeBrain(self.house, grammar, self.clock, self.policy, None, self.questions)

    async def _announce(self, text: str, area: str | None, floor: str | None) -> Sequence[str]:
        self.announced.append((text, area, floor))
        return ["shelf"]

    @property
    def by_name(self) -> Mapping[str, Tool]:
        return {tool.spec.name: tool for tool in self.tools.tools(self.place)}

    def utterance(self, text: str = "", turn: str = "t1") -> Utterance:
        return Utterance(TurnId(turn), text, self.language, self.place)

    async def call(
        self, tool: str, /, *, key: str = "", turn: str = "t1", **arguments: object
    ) -> ToolResult:
        self._calls += 1
        order = Order(self.utterance(turn=turn), key or f"{turn}:{self._calls}")
        return await self.by_name[tool].run(arguments, order)

    def run(
        self, tool: str, /, *, key: str = "", turn: str = "t1", **arguments: object
    ) -> ToolResult:
        async def call() -> ToolResult:
            return await self.call(tool, key=key, turn=turn, **arguments)

        return virtual_time.run(call)

    def tier(self, tool: str, /, **arguments: object) -> int:
        return self.by_name[tool].tier(arguments)

    def situation(self, text: str = "") -> str:
        async def tell() -> str:
            return self.tools.situation(self.utterance(text))

        return virtual_time.run(tell)

    def schemas(self) -> str:
        """As they go over the wire."""
        return json.dumps(
            [
                {
                    "name": tool.spec.name,
                    "description": tool.spec.description,
                    "parameters": tool.spec.parameters,
                }
                for tool in self.tools.tools(self.place)
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        )


def only(*chosen: Callable[[Entity], bool]) -> list[Entity]:
    """Those of the demo home that are any of these."""
    return [entity for entity in DEMO if any(is_it(entity) for is_it in chosen)]
