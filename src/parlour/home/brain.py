"""Answers what the grammar knows: acts on the house and says what came of it."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

import anyio

from parlour.errors import ParlourError
from parlour.events import Action
from parlour.home import replies, telling
from parlour.home.clock import Clock
from parlour.home.clocktalk import about_clock
from parlour.home.entities import Command, House, Outcome, Result, Verb
from parlour.home.meanings import MEANINGS, Sort
from parlour.home.permission import Answer, Policy, Questions, sift
from parlour.home.resolve import Asked, Commands, Unclear, resolve
from parlour.home.telling import Told
from parlour.home.wording import wording
from parlour.ports import (
    Begun,
    Commit,
    Did,
    Expect,
    Grammar,
    Judgement,
    Piece,
    Place,
    Say,
    Utterance,
    Verdict,
)

Announce: TypeAlias = Callable[[str, str | None, str | None], Awaitable[Sequence[str]]]
"""Say a text in an area, on a floor, or everywhere; returns who heard it. Raises ParlourError."""

NO_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done about a text. `reply` is set when nothing would be done."""

    intent: str
    commands: Sequence[Command] = ()
    reply: str = ""


@dataclass(slots=True)
class _Understood:
    """All clauses of a sentence together."""

    commands: list[Command] = field(default_factory=list)
    unable: list[Unclear] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)  # answers and refusals
    clock: list[Judgement] = field(default_factory=list)
    announcements: list[Judgement] = field(default_factory=list)


class HomeBrain:
    """Satisfies `ports.Brain`. The words come from the outcome, not from the request."""

    def __init__(
        self,
        house: House,
        grammar: Grammar,
        clock: Clock,
        policy: Policy = NO_POLICY,
        announce: Announce | None = None,
        questions: Questions | None = None,
    ) -> None:
        """`questions`: those of others too, who ask back and leave it to us to hear the answer."""
        self._house = house
        self._grammar = grammar
        self._clock = clock
        self._policy = policy
        self._questions = questions or Questions(policy)
        self._announce = announce

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._answer(utterance, commit)) as pieces:
            yield pieces

    def knows(self, utterance: Utterance) -> bool:
        """Whether the text is a command or a question about the home, or answers one of ours."""
        place, language = utterance.place, utterance.language
        if self._grammar.judge(utterance.text, language, place).intent:
            return True
        return self._answered(utterance) is not Answer.OTHER

    def context(self, utterance: Utterance) -> Hashable:
        """What would be done and said: a state that changes meanwhile changes it, too."""
        plan = self.plan(utterance.text, utterance.language, utterance.place)
        return self._answered(utterance), plan.intent, tuple(plan.commands), plan.reply

    async def warm(self, utterance: Utterance) -> None:
        """The grammar is always warm."""

    def remember(self, utterance: Utterance, heard: str) -> None:
        """A question that was followed by something else is not answered any more."""
        held = self._questions.waiting(utterance.place.device, anyio.current_time())
        if held is not None and held.turn != utterance.turn:
            self._questions.drop(utterance.place.device)

    def plan(self, text: str, language: str, place: Place) -> Plan:
        """Understand, and do nothing."""
        judged = self._grammar.judge(text, language, place)
        if not judged.intent:
            return Plan("", reply=_not_understood(text, judged, language))
        if MEANINGS[judged.intent].sort is Sort.TALK:
            return Plan(judged.intent, reply=_talk(judged.intent, language))
        understood = self._understand(judged, place, language)
        sifted = sift(self._policy, understood.commands, self._house, place)
        told = [*understood.told]
        if sifted.denied:
            told.append(telling.plain(denied(language)))
        if sifted.held and not sifted.allowed:
            told.append(self._question(sifted.held, language))
            return Plan(judged.intent, reply=telling.joined(told).spoken)
        return Plan(judged.intent, sifted.allowed, telling.joined(told).spoken)

    # ------------------------------------------------------------ one answer

    async def _answer(self, utterance: Utterance, commit: Commit) -> AsyncGenerator[Piece, None]:
        text, language, place = utterance.text, utterance.language, utterance.place
        answered = self._answered(utterance)
        if answered is not Answer.OTHER:
            async for piece in self._settle(answered, utterance, commit):
                yield piece
            return
        judged = self._grammar.judge(text, language, place)
        if not judged.intent:
            yield Say(_not_understood(text, judged, language))
        elif MEANINGS[judged.intent].sort is Sort.TALK:
            yield Say(_talk(judged.intent, language))
        else:
            understood = self._understand(judged, place, language)
            async for piece in self._carry_out(understood, utterance, commit):
                yield piece

    def _understand(self, judged: Judgement, place: Place, language: str) -> _Understood:
        understood = _Understood()
        for clause in (judged, *judged.then):
            match MEANINGS[clause.intent].sort:
                case Sort.CLOCK:
                    understood.clock.append(clause)
                case Sort.ANNOUNCE:
                    understood.announcements.append(clause)
                case Sort.TALK:
                    understood.told.append(telling.plain(_talk(clause.intent, language)))
                case Sort.ACT | Sort.SET | Sort.CHANGE | Sort.ASK:
                    self._understand_home(clause, place, language, understood)
        return understood

    def _understand_home(
        self, clause: Judgement, place: Place, language: str, understood: _Understood
    ) -> None:
        match resolve(clause, self._house, place):
            case Commands(commands=commands, unable=unable):
                understood.commands.extend(commands)
                understood.unable.extend(unable)
            case Asked() as asked:
                understood.told.append(telling.answer(asked, self._house, language))
            case Unclear() as unclear:
                understood.told.append(telling.explain(unclear, language))

    async def _carry_out(
        self, understood: _Understood, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[Piece]:
        language, place = utterance.language, utterance.place
        sifted = sift(self._policy, understood.commands, self._house, place)
        said = [*understood.told]
        if sifted.denied:
            said.append(telling.plain(denied(language)))
        if sifted.held:
            said.append(self._question(sifted.held, language))
        if not sifted.allowed and not understood.clock and not understood.announcements:
            if sifted.held:
                await commit.wait()
                self._ask_back(sifted.held, utterance)
            unable = [telling.explain(one, language) for one in understood.unable[:3]]
            yield telling.joined([*said, *unable]).piece
            return
        if expected := self._expected(sifted.allowed, understood, language):
            yield Expect(telling.joined([telling.plain(expected), *said]).spoken)
        await commit.wait()
        yield Begun()
        if sifted.held:
            self._ask_back(sifted.held, utterance)
        done: list[Told] = []
        if sifted.allowed:
            outcomes = await self._house.carry_out(sifted.allowed, action=utterance.turn)
            for action in actions_of(outcomes):
                yield Did(action)
            done.append(telling.describe(outcomes, self._house, understood.unable, language))
        ours = [about_clock(self._clock, c, place, language) for c in understood.clock]
        ours += [await self._say_aloud(c, language) for c in understood.announcements]
        yield telling.joined([*done, *map(telling.plain, ours), *said]).piece

    def _expected(self, commands: Sequence[Command], understood: _Understood, language: str) -> str:
        """What will be said if every device obeys; "" where that cannot be known."""
        if not commands or understood.clock or understood.announcements:
            return ""
        if any(c.verb is Verb.TOGGLE for c in commands):
            return ""
        outcomes = [Outcome(c, Result.CONFIRMED, self._house.state(c.target)) for c in commands]
        return replies.describe(outcomes, self._house, understood.unable, language)

    async def _say_aloud(self, clause: Judgement, language: str) -> str:
        say, slots = wording(language), clause.slots
        if self._announce is None:
            return say.sentence(say.say("not_announced"))
        where = [str(slots[s]) if s in slots else None for s in ("area", "floor")]
        try:
            heard = await self._announce(str(slots.get("message", "")), where[0], where[1])
        except ParlourError:
            heard = ()
        return say.sentence(say.say("announced" if heard else "not_announced"))

    # ------------------------------------------------------------ asked back

    def _answered(self, utterance: Utterance) -> Answer:
        """Whether it answers what this very device was asked."""
        held = self._questions.waiting(utterance.place.device, anyio.current_time())
        if held is None or held.turn == utterance.turn:
            return Answer.OTHER
        return self._questions.judge(utterance.text, utterance.language)

    async def _settle(
        self, answered: Answer, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[Piece]:
        language, device = utterance.language, utterance.place.device
        say = wording(language)
        await commit.wait()
        held = self._questions.waiting(device, anyio.current_time())
        self._questions.drop(device)
        if held is None or answered is not Answer.YES:
            phrase = "wrong_pin" if answered is Answer.WRONG else "left_alone"
            yield Say(say.sentence(say.say(phrase)))
            return
        yield Begun()
        # An id of its own: what needed no yes was done under that of the turn.
        outcomes = await self._house.carry_out(held.commands, action=f"{held.turn}:yes")
        for action in actions_of(outcomes):
            yield Did(action)
        yield telling.describe(outcomes, self._house, (), language).piece

    def _ask_back(self, held: Sequence[Command], utterance: Utterance) -> None:
        now_s = anyio.current_time()
        self._questions.ask(utterance.place.device, held, utterance.turn, now_s)

    def _question(self, held: Sequence[Command], language: str) -> Told:
        return telling.ask(held, self._house, language, wants_pin=self._questions.wants_pin)


def denied(language: str) -> str:
    say = wording(language)
    return say.sentence(say.say("reasons.denied"))


_SENT = frozenset({Result.CONFIRMED, Result.SENT, Result.UNCONFIRMED})


def actions_of(outcomes: Sequence[Outcome]) -> list[Action]:
    """What was sent, confirmed or not."""
    return [_action(outcome) for outcome in outcomes if outcome.result in _SENT]


def fixed_replies(language: str) -> list[str]:
    """What is said word for word again and again, so that it can be made ready."""
    say = wording(language)
    phrases = ("not_heard", "not_all_heard", "not_known", "all_right", "timer_none")
    return [say.say(phrase) for phrase in phrases]


def _action(outcome: Outcome) -> Action:
    command = outcome.command
    confirmed = outcome.result is Result.CONFIRMED
    return Action(command.target, command.verb.value, command.value, confirmed)


def _not_understood(text: str, judged: Judgement, language: str) -> str:
    say = wording(language)
    if not text.strip():
        return say.say("not_heard")
    return say.say("not_all_heard" if judged.verdict is Verdict.INCOMPLETE else "not_known")


def _talk(intent: str, language: str) -> str:
    say = wording(language)
    now = datetime.now(UTC).astimezone()
    match intent:
        case "time":
            return say.say("time", hour=now.hour, hour12=now.hour % 12 or 12, minute=now.minute)
        case "date":
            weekday = say.texts["weekdays"][now.weekday()]
            month = say.texts["months"][now.month - 1]
            return say.say("date", weekday=weekday, month=month, day=now.day)
        case _:
            return say.say("all_right")
