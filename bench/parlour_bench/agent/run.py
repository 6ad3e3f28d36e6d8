"""Runs the tasks, one after the other, each from a known beginning."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from parlour import tasks
from parlour_bench.agent.scoring import Problem, Reason, Seen, changes, is_reached, score
from parlour_bench.agent.server import AskError
from parlour_bench.agent.surroundings import Surroundings
from parlour_bench.agent.tasks import Task, Turn

LOOK_S = 0.01
SEEN_S = 5.0  # until the server knows how the devices stand
REACH_S = 3.0  # until the house stands as it should: the slowest cover and lock need less
STILL_S = 0.04  # so long nothing may move at the end

PROBES = {
    "en_US": "what is a rainbow made of",
    "de_DE": "woraus besteht ein Regenbogen",
    "hi_IN": "इंद्रधनुष किससे बनता है",
    "ta_IN": "வானவில் எதனால் ஆனது",
}


@dataclass(frozen=True, slots=True)
class Done:
    """A task that was run. `missing`: tools that it needs and the server does not offer."""

    task: Task
    problems: Sequence[Problem] = ()
    replies: Sequence[str] = ()
    latencies_ms: Sequence[float] = ()
    requests: Sequence[int] = ()  # to the model, of each turn
    missing: Sequence[str] = ()

    @property
    def is_right(self) -> bool:
        return not self.problems and not self.missing


async def run(
    around: Surroundings, chosen: Sequence[Task], tell: Callable[[Done], None] = lambda _: None
) -> list[Done]:
    offered = await _offered(around)
    done: list[Done] = []
    for number, task in enumerate(chosen):
        missing = () if offered is None else tuple(sorted(task.tools - offered))
        if missing:
            one = Done(task, missing=missing)
        else:
            one = await _run(around, task, f"bench-{number}")
        done.append(one)
        tell(one)
    return done


async def _offered(around: Surroundings) -> frozenset[str] | None:
    """The tools that a model is told of; None where a real one keeps them to itself.

    By the way every language is read once: a server compiles its grammar when it is first spoken.
    """
    for language, text in PROBES.items():
        if around.model is not None:
            around.model.begin_task()
            around.model.begin_turn(Turn(text, language=language))
        await around.server.ask(text, area=None, language=language, conversation="bench-probe")
    return None if around.model is None else around.model.offered


async def _run(around: Surroundings, task: Task, conversation: str) -> Done:
    replies: list[str] = []
    latencies: list[float] = []
    requests: list[int] = []
    try:
        before = await _begin(around, task)
        for turn in task.turns:
            if around.model is not None:
                around.model.begin_turn(turn)
            began_s = anyio.current_time()
            reply = await around.server.ask(
                turn.text,
                area=turn.area,
                language=turn.language,
                conversation=f"{conversation}{turn.conversation}",
            )
            latencies.append((anyio.current_time() - began_s) * 1e3)
            replies.append(reply.text)
            requests.append(around.model.requests if around.model else 0)
        await _settle(around, task)
        problems = score(task, before, await _look(around), replies)
    except AskError as error:
        problems = [Problem(Reason.CRASH, str(error))]
    if around.model is not None:
        problems += [Problem(Reason.PROMPT, text) for text in around.model.problems]
        problems.sort(key=lambda problem: list(Reason).index(problem.reason))
    return Done(task, problems, replies, latencies, requests)


async def _begin(around: Surroundings, task: Task) -> Seen:
    """Set the stage, and wait until the server knows it."""
    around.simulated.set(task.start, task.messages, anyio.current_time())
    around.pages.weather, around.pages.page = task.weather, task.web * task.web_times
    await around.wake()
    async with tasks.task_group() as group:
        group.start_soon(around.calendar.set, task.calendar)
        group.start_soon(around.server.set_clock, task.timers, task.alarms)
        group.start_soon(around.server.set_facts, task.facts)
    if around.model is not None:
        around.model.begin_task(task.prompt_not)
    truths, strange = around.simulated.truths(), [""]
    with anyio.move_on_after(SEEN_S):
        while strange := _unseen(truths, await around.server.states(), task.messages):  # noqa: ASYNC110
            await anyio.sleep(LOOK_S)
    if strange:
        raise AskError(f"the server does not see {', '.join(strange)}")
    return await _look(around)


def _unseen(
    truths: Mapping[str, Mapping[str, object]],
    states: Mapping[str, Mapping[str, Any]],
    messages: Mapping[str, str],
) -> list[str]:
    """What the server still believes to stand otherwise."""
    strange = [
        id_ for id_, truth in truths.items() if id_ in states and not _agrees(truth, states[id_])
    ]
    told = {str(state.get("value")) for state in states.values()}
    return strange + [name for name, text in messages.items() if not _is_told(text, told)]


def _is_told(text: str, told: set[str]) -> bool:
    """A server may keep no more of a text than its beginning."""
    return any(value and " ".join(text.split())[:20] == value[:20] for value in told)


def _agrees(truth: Mapping[str, object], state: Mapping[str, Any]) -> bool:
    """As far as both tell."""
    if "on" in truth and state.get("on") != truth["on"]:
        return False
    pairs = [("position", "position"), ("tilt", "tilt"), ("target", "target_temperature")]
    if truth.get("on"):
        pairs += [("level", "brightness"), ("speed", "speed")]
    for ours, theirs in pairs:
        true, seen = truth.get(ours), state.get(theirs)
        is_known = isinstance(true, int | float) and isinstance(seen, int | float)
        if is_known and abs(true - seen) > 1.5:  # type: ignore[operator]  # both are numbers
            return False
    if "locked" in truth and (state.get("lock") == "locked") != truth["locked"]:
        return False
    return "activity" not in truth or state.get("activity") in (None, truth["activity"])


async def _settle(around: Surroundings, task: Task) -> None:
    """Wait until the house stands as it should, or long enough, and then until nothing moves."""
    with anyio.move_on_after(REACH_S if task.end else 0):
        while not is_reached(task.end, around.simulated.truths()):  # noqa: ASYNC110  # devices tell nobody
            await anyio.sleep(LOOK_S)
    with anyio.move_on_after(REACH_S):
        await anyio.sleep(STILL_S)
        before = around.simulated.truths()
        while True:
            await anyio.sleep(STILL_S)
            now = around.simulated.truths()
            if around.simulated.is_still(anyio.current_time()) and not changes(before, now):
                return
            before = now


async def _look(around: Surroundings) -> Seen:
    seen: dict[str, Any] = {}

    async def look(name: str, read: Callable[[], Awaitable[Any]]) -> None:
        seen[name] = await read()

    async with tasks.task_group() as group:
        for name, read in (
            ("calendar", around.calendar.events),
            ("timers", around.server.timers),
            ("alarms", around.server.alarms),
            ("facts", around.server.facts),
        ):
            group.start_soon(look, name, read)
    return Seen(around.simulated.truths(), **seen)
