"""Answers what the grammar knows: acts on the house and says what came of it."""

from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio

from parlour.errors import HomeError
from parlour.events import Action
from parlour.home import replies
from parlour.home.entities import Command, House, Outcome, Result, Verb
from parlour.home.numbers import in_words
from parlour.home.resolve import Asked, Commands, Resolved, Unclear, resolve
from parlour.home.timers import Timer, Timers, spoken
from parlour.ports import (
    Commit,
    Did,
    Expect,
    Grammar,
    Judgement,
    Piece,
    Place,
    Say,
    Slot,
    Utterance,
    Verdict,
)

NOT_HEARD = "Sorry, I did not catch that."
NOT_ALL_HEARD = "Sorry, I did not get all of that."
NOT_KNOWN = "Sorry, I can only help with the home for now."
FIXED_REPLIES = (NOT_HEARD, NOT_ALL_HEARD, NOT_KNOWN, "All right.", "There is no timer.")
_CHAT = frozenset({"HassGetCurrentTime", "HassGetCurrentDate", "HassNevermind"})
_TIMERS = frozenset({"HassStartTimer", "HassCancelTimer", "HassTimerStatus"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done about a text. `reply` is set when nothing would be done."""

    intent: str
    commands: Sequence[Command] = ()
    reply: str = ""


class HomeBrain:
    """Satisfies `ports.Brain`. The words come from the outcome, not from the request."""

    def __init__(self, house: House, grammar: Grammar, timers: Timers) -> None:
        self._house = house
        self._grammar = grammar
        self._timers = timers

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._answer(utterance, commit)) as pieces:
            yield pieces

    def knows(self, utterance: Utterance) -> bool:
        """Whether the text is a command or a question about the home."""
        place, language = utterance.place, utterance.language
        return bool(self._grammar.judge(utterance.text, language, place).intent)

    def context(self, utterance: Utterance) -> Hashable:
        """What would be done and said: a state that changes meanwhile changes it, too."""
        plan = self.plan(utterance.text, utterance.language, utterance.place)
        return plan.intent, tuple(plan.commands), plan.reply

    async def warm(self, utterance: Utterance) -> None:
        """The grammar is always warm."""

    def remember(self, utterance: Utterance, heard: str) -> None:
        """The house remembers by itself how it stands."""

    def plan(self, text: str, language: str, place: Place) -> Plan:
        """Understand, and do nothing."""
        judged = self._grammar.judge(text, language, place)
        if not judged.intent:
            return Plan("", reply=_not_understood(text, judged))
        if judged.intent in _CHAT:
            return Plan(judged.intent, reply=_chat(judged.intent))
        if judged.intent in _TIMERS:
            return Plan(judged.intent)
        match resolve(judged.intent, judged.slots, self._house, place):
            case Commands(commands=commands):
                return Plan(judged.intent, commands)
            case Asked() as asked:
                return Plan(judged.intent, reply=replies.answer(asked, self._house))
            case Unclear(reason=reason):
                return Plan(judged.intent, reply=reason)

    async def _answer(self, utterance: Utterance, commit: Commit) -> AsyncGenerator[Piece, None]:
        judged = self._grammar.judge(utterance.text, utterance.language, utterance.place)
        if not judged.intent:
            yield Say(_not_understood(utterance.text, judged))
        elif judged.intent in _CHAT:
            yield Say(_chat(judged.intent))
        elif judged.intent in _TIMERS:
            await commit.wait()
            yield Say(self._about_timers(judged, utterance.place))
        else:
            found = resolve(judged.intent, judged.slots, self._house, utterance.place)
            async for piece in self._act(found, commit):
                yield piece

    async def _act(self, found: Resolved, commit: Commit) -> AsyncIterator[Piece]:
        match found:
            case Commands(commands=commands, unable=unable):
                if expected := self._expected(found):
                    yield Expect(expected)
                await commit.wait()
                outcomes = await self._house.carry_out(commands)
                for outcome in outcomes:
                    if outcome.result in _SENT:
                        yield Did(_action(outcome))
                yield Say(replies.describe(outcomes, self._house, unable))
            case Asked():
                yield Say(replies.answer(found, self._house))
            case Unclear(reason=reason):
                yield Say(reason)

    def _expected(self, found: Commands) -> str:
        """What will be said if every device obeys; "" where that cannot be known."""
        if not found.commands or any(c.verb is Verb.TOGGLE for c in found.commands):
            return ""
        outcomes = [
            Outcome(c, Result.CONFIRMED, self._house.state(c.target)) for c in found.commands
        ]
        return replies.describe(outcomes, self._house, found.unable)

    # ------------------------------------------------------------ timers

    def _about_timers(self, judged: Judgement, place: Place) -> str:
        name = str(judged.slots.get("timer_name", ""))
        seconds = seconds_of(judged.slots)
        if judged.intent == "HassStartTimer":
            return self._start_timer(seconds, name, place)
        found = self._timers.find(place.device, name, seconds)
        if not found:
            return (
                f"There is no {name} timer."
                if name
                else "There is no such timer."
                if seconds
                else "There is no timer."
            )
        if judged.intent == "HassTimerStatus":
            now_s = anyio.current_time()
            return " ".join(f"{_the(t)} has {spoken(t.left_s(now_s))} left." for t in found[:3])
        if len(found) > 1 and "all" not in judged.slots:
            return f"There are {in_words(len(found))} timers. Which one do you mean?"
        self._timers.cancel(found)
        return f"{_the(found[0])} is cancelled." if len(found) == 1 else "All timers are cancelled."

    def _start_timer(self, seconds: int, name: str, place: Place) -> str:
        try:
            timer = self._timers.set(place.device, seconds, name)
        except HomeError as error:
            return str(error)
        called = f" for the {timer.name}" if timer.name else ""
        return f"The timer{called} is set for {spoken(timer.seconds)}."


_SENT = frozenset({Result.CONFIRMED, Result.SENT, Result.UNCONFIRMED})


def ringing(timer: Timer) -> str:
    """What is said when a timer is due."""
    return f"{_the(timer)} is up: {spoken(timer.seconds)}."


def _action(outcome: Outcome) -> Action:
    command = outcome.command
    confirmed = outcome.result is Result.CONFIRMED
    return Action(command.target, command.verb.value, command.value, confirmed)


def _the(timer: Timer) -> str:
    return f"The {timer.name} timer" if timer.name else "The timer"


_SECONDS = {
    "hours": 3600,
    "half_hours": 3600,
    "minutes": 60,
    "half_minutes": 60,
    "seconds": 1,
    "span": 1,
}


def seconds_of(slots: Mapping[str, Slot]) -> int:
    """How long a duration is; 0 if the sentence names none."""
    return sum(round(float(slots.get(slot, 0)) * size) for slot, size in _SECONDS.items())


def _not_understood(text: str, judged: Judgement) -> str:
    if not text.strip():
        return NOT_HEARD
    return NOT_ALL_HEARD if judged.verdict is Verdict.INCOMPLETE else NOT_KNOWN


def _chat(intent: str) -> str:
    now = datetime.now(UTC).astimezone()
    match intent:
        case "HassGetCurrentTime":
            return f"It is {now.hour}:{now.minute:02}."
        case "HassGetCurrentDate":
            return f"It is {now:%A}, {now:%B} {now.day}."
        case _:
            return "All right."
