"""The home as tools for a language model, which decides nothing but what to ask for.

What may be done is sifted here as for the grammar, and what is said comes from what happened.
No name and no word of a device gets out of here that does not read like one: `plainnames`.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from difflib import get_close_matches

import anyio

from parlour.errors import ParlourError, ToolError
from parlour.home import toolschema, veil
from parlour.home.brain import Announce, actions_of, denied
from parlour.home.clock import Clock
from parlour.home.entities import Command, House, Outcome, Result, Verb
from parlour.home.homeview import HomeView
from parlour.home.listing import MOST_CLOSE, Target, is_controllable
from parlour.home.permission import Permitted, Policy, Questions, sift, tier
from parlour.home.plainnames import is_plain
from parlour.home.standing import clean_text, own_words, properties, standing
from parlour.home.toolclock import run_alarm, run_timer
from parlour.home.toolvalues import (
    ACTS,
    PROPERTIES,
    Made,
    act_on,
    acted,
    house_unit,
    properties_of,
    set_to,
    verbs_of,
)
from parlour.home.whereabouts import make_slug
from parlour.home.wording import wording
from parlour.ports import Arguments, Order, Place, Tool, ToolResult, Utterance

MOST_PLACES = 64  # rooms of which the tools are kept
MOST_KEYS = 256  # calls that are known again
MOST_TOLD = 12  # things in one result
LONGEST_SAID = 300  # characters of a question, and of an announcement
UNKNOWN_TIER = 2  # of a call that will be refused
_ACTS = tuple(verb.value for verb in ACTS)

_FACTS = {
    Result.SENT: "was asked, it cannot report",
    Result.UNCONFIRMED: "was asked, it did not answer",
    Result.OFFLINE: "is offline, nothing was sent",
    Result.UNSUPPORTED: "cannot do that, nothing was sent",
    Result.NO_BROKER: "cannot be reached just now, nothing was sent",
}


class HomeTools:
    """`questions` are those that a `HomeBrain` settles. Calls are as `ports.Tool` says."""

    def __init__(
        self,
        house: House,
        policy: Policy,
        questions: Questions,
        clock: Clock,
        announce: Announce | None,
    ) -> None:
        self._house = house
        self._policy = policy
        self._questions = questions
        self._clock = clock
        self._announce = announce
        self._view = HomeView(house, clock)
        self._tools: dict[tuple[int, str | None], tuple[Tool, ...]] = {}
        self._done: OrderedDict[str, ToolResult] = OrderedDict()

    def tools(self, place: Place) -> Sequence[Tool]:
        """Equal from turn to turn as long as the house and the place are the same."""
        key = self._house.revision, place.area
        if key not in self._tools:
            if len(self._tools) >= MOST_PLACES:
                self._tools.clear()
            self._tools[key] = tuple(self._make_tools(place.area))
        return self._tools[key]

    def listing(self, place: Place) -> str:
        """All that can be named, for the part of a prompt that does not change by itself."""
        return self._view.listing(place)

    def situation(self, utterance: Utterance) -> str:
        """For the last message: how the own room and what was named stand, and the timers."""
        return self._view.situation(utterance)

    def _make_tools(self, area: str | None) -> list[Tool]:
        known = self._view.directory
        acting: list[str] = []
        setting: list[str] = []
        if len(known.controllable) <= toolschema.MOST_ENUMERATED:
            listed = [e for e in known.chosen(area) if is_controllable(e)]
            targets = [Target(known.id_of(e.id), [e]) for e in listed]
            targets += [Target(id_, known.groups[id_]) for id_ in known.group_ids(area)]
            acting = [t.id for t in targets if any(map(verbs_of, t.things))]
            setting = [t.id for t in targets if any(map(properties_of, t.things))]
        made = [
            Tool(toolschema.act(acting), self._act, self._tier_of_act),
            Tool(toolschema.set_(setting, house_unit(self._house)), self._set, self._tier_of_set),
            Tool(toolschema.get(), self._get),
            Tool(toolschema.read_text(), self._read_text, trusted=False),
            Tool(toolschema.timer(), self._timer, _tier_of_clock),
            Tool(toolschema.alarm(), self._alarm, _tier_of_clock),
            Tool(toolschema.ask(), self._ask),
        ]
        if self._announce is not None:
            made.append(Tool(toolschema.announce(), self._say_aloud, _tier_of_announcement))
        return made

    def _find(self, arguments: Arguments) -> Target:
        return self._view.directory.find(arguments.get("target", ""))

    # ------------------------------------------------------------ act and set

    async def _act(self, arguments: Arguments, order: Order) -> ToolResult:
        target = self._find(arguments)
        return await self._carry_out(act_on(target.things, _verb(arguments), target.id), order)

    async def _set(self, arguments: Arguments, order: Order) -> ToolResult:
        target, name = self._find(arguments), _property(arguments)
        value, place = arguments.get("value", ""), order.utterance.place
        made = set_to(target.things, name, value, target.id, self._house, place)
        return await self._carry_out(made, order)

    def _tier_of_act(self, arguments: Arguments) -> int:
        try:
            verb, target = _verb(arguments), self._find(arguments)
        except ToolError:
            return UNKNOWN_TIER
        made = ((entity, acted(entity, verb)) for entity in target.things)
        return max((tier(e, c.verb) for e, c in made if c is not None), default=UNKNOWN_TIER)

    def _tier_of_set(self, arguments: Arguments) -> int:
        try:
            name, target = _property(arguments), self._find(arguments)
        except ToolError:
            return UNKNOWN_TIER
        able = [e for e in target.things if name in properties_of(e)]
        return max((tier(e, PROPERTIES[name]) for e in able), default=UNKNOWN_TIER)

    async def _carry_out(self, made: Made, order: Order) -> ToolResult:
        utterance = order.utterance
        sifted = sift(self._policy, made.commands, self._house, utterance.place)
        if sifted.held and not self._may_ask(sifted, utterance):
            text = "nothing was done: the user must answer another question first"
            return ToolResult(text)
        texts: list[str] = []
        said: list[str] = []
        outcomes: list[Outcome] = []
        if sifted.allowed:
            outcomes = await self._house.carry_out(sifted.allowed, action=order.key)
            texts.append(self._facts(outcomes))
            said.append(veil.describe(outcomes, self._house, language=utterance.language))
        elif made.refused and not made.commands:
            reasons = dict.fromkeys(each.reason.value for each in made.refused)
            texts.append(f"nothing was done: {', '.join(reasons)}")
            said.append(veil.explain(made.refused[0], utterance.language))
        if sifted.denied:
            texts.append(f"{self._ids(sifted.denied)}: denied by the owner, do not try again")
            said.append(denied(utterance.language))
        if sifted.held:
            texts.append(f"{self._ids(sifted.held)}: not done, the user was asked for a yes first")
            said.append(self._ask_back(sifted.held, utterance))
        asks, actions = bool(sifted.held), tuple(actions_of(outcomes))
        return ToolResult("\n".join(texts) or "nothing was done", " ".join(said), asks, actions)

    def _may_ask(self, sifted: Permitted, utterance: Utterance) -> bool:
        """In one turn there is one question: a yes must mean what was heard."""
        waiting = self._questions.waiting(utterance.place.device, anyio.current_time())
        is_ours = waiting is not None and waiting.turn == utterance.turn
        return not is_ours or waiting is None or list(waiting.commands) == list(sifted.held)

    def _ask_back(self, held: Sequence[Command], utterance: Utterance) -> str:
        device, now_s = utterance.place.device, anyio.current_time()
        self._questions.ask(device, held, utterance.turn, now_s)
        wants_pin = self._questions.wants_pin
        return veil.ask(held, self._house, utterance.language, wants_pin=wants_pin)

    def _facts(self, outcomes: Sequence[Outcome]) -> str:
        """Those that failed first, for the others can be counted."""
        ordered = sorted(outcomes, key=lambda o: o.result is Result.CONFIRMED)
        told = [self._outcome(each) for each in ordered[:MOST_TOLD]]
        if len(ordered) > MOST_TOLD:
            told.append(f"{len(ordered) - MOST_TOLD} more")
        return "; ".join(told)

    def _outcome(self, outcome: Outcome) -> str:
        id_, result = self._view.directory.id_of(outcome.command.target), outcome.result
        entity = self._house.entities.get(outcome.command.target)
        if result is not Result.CONFIRMED or entity is None:
            return f"{id_} {_FACTS.get(result, 'is gone')}"
        return f"{id_} done, now {standing(entity, outcome.state)}"

    def _ids(self, commands: Sequence[Command]) -> str:
        ids = [self._view.directory.id_of(command.target) for command in commands]
        return ", ".join(ids[:MOST_TOLD])

    # ------------------------------------------------------------ get

    async def _get(self, arguments: Arguments, _order: Order) -> ToolResult:
        target, name = self._find(arguments), str(arguments.get("property") or "")
        told = [
            f"{self._view.directory.id_of(entity.id)} {name} {found[name]}"
            for entity in target.things
            if name in (found := properties(entity, self._house.state(entity.id)))
        ]
        # Of a property that it does not have, all that it has may be of use.
        told = told or [self._view.fact(entity.id) for entity in target.things]
        if len(told) > MOST_TOLD:
            told = [*told[:MOST_TOLD], f"{len(told) - MOST_TOLD} more"]
        return ToolResult("; ".join(told))

    async def _read_text(self, arguments: Arguments, _order: Order) -> ToolResult:
        target = self._find(arguments)
        known = self._view.directory
        told = [
            f"{known.id_of(entity.id)}: {' / '.join(words)}"
            for entity in target.things[:MOST_TOLD]
            if (words := own_words(self._house.state(entity.id)))
        ]
        return ToolResult("\n".join(told) or "it reports no text")

    # ------------------------------------------------------------ timers, questions, announcements

    async def _timer(self, arguments: Arguments, order: Order) -> ToolResult:
        return self._once(order, lambda: run_timer(self._clock, arguments, order.utterance))

    async def _alarm(self, arguments: Arguments, order: Order) -> ToolResult:
        return self._once(order, lambda: run_alarm(self._clock, arguments, order.utterance))

    async def _ask(self, arguments: Arguments, _order: Order) -> ToolResult:
        asked = clean_text(str(arguments.get("question", "")), LONGEST_SAID)
        if not asked:
            raise ToolError("question must hold what to ask")
        return ToolResult("the user was asked", asked, asks=True)

    async def _say_aloud(self, arguments: Arguments, order: Order) -> ToolResult:
        text = clean_text(str(arguments.get("text", "")), LONGEST_SAID)
        if not text:
            raise ToolError("text must hold what to say")
        area, floor = self._where(str(arguments.get("area") or ""))
        if (known := self._done.get(order.key)) is not None or self._announce is None:
            return known or ToolResult("nobody can be reached")
        say = wording(order.utterance.language)
        nobody = ToolResult("nobody could hear it", say.sentence(say.say("not_announced")))
        # Before it is said: whoever cancels us and comes again has been heard.
        self._remember(order, ToolResult("it was said before"))
        try:
            heard = await self._announce(text, area, floor)
        except ParlourError:
            heard = ()
        done = ToolResult("it was said", say.sentence(say.say("announced"))) if heard else nobody
        self._remember(order, done)
        return done

    def _where(self, said: str) -> tuple[str | None, str | None]:
        """The area or floor of that name; neither means everywhere. Raises ToolError."""
        wanted, places = make_slug(said), self._house.places
        if wanted in ("", "all", "home", "everywhere"):
            return None, None
        known = self._view.directory
        for area in places.areas.values():
            aliases = (alias for each in area.aliases.values() for alias in each)
            names = (area.name, known.rooms.get(area.name, ""), *aliases)
            if wanted in map(make_slug, names):
                return area.name, None
        for floor in places.floors.values():
            aliases = (alias for each in floor.aliases.values() for alias in each)
            names = (floor.name, known.floors.get(floor.name, ""), *aliases)
            if wanted in map(make_slug, names):
                return None, floor.name
        shown = [name for name in (*places.areas, *places.floors) if is_plain(name)]
        close = get_close_matches(said, shown, n=MOST_CLOSE, cutoff=0.3) or shown[:MOST_CLOSE]
        raise ToolError(f"there is no such room or floor; there are {', '.join(close)}")

    def _once(self, order: Order, act: Callable[[], ToolResult]) -> ToolResult:
        """What is plain and immediate is done once for a key."""
        known = self._done.get(order.key)
        if known is None:
            known = act()
            self._remember(order, known)
        return known

    def _remember(self, order: Order, result: ToolResult) -> None:
        if order.key:
            self._done[order.key] = result
        while len(self._done) > MOST_KEYS:
            self._done.popitem(last=False)


def _verb(arguments: Arguments) -> Verb:
    said = str(arguments.get("verb", "")).strip().casefold()
    if said not in _ACTS:
        raise ToolError(f"verb must be one of {', '.join(_ACTS)}")
    return Verb(said)


def _property(arguments: Arguments) -> str:
    said = str(arguments.get("property", "")).strip().casefold()
    if said not in PROPERTIES:
        raise ToolError(f"property must be one of {', '.join(PROPERTIES)}")
    return said


def _tier_of_clock(arguments: Arguments) -> int:
    return 0 if arguments.get("op") == "list" else 1


def _tier_of_announcement(_arguments: Arguments) -> int:
    return 2  # it may wake somebody, in a room where nobody asked for it
