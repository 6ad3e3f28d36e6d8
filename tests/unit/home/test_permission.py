"""What may be done by voice: deny wins, a yes counts once, in time, from where it was asked."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import virtual_time
from clocks import PlainStore, Wall, living
from parlour.home.brain import HomeBrain
from parlour.home.entities import Command, Entity, Feature, Kind, Verb
from parlour.home.grammar import HouseGrammar
from parlour.home.paper import PaperHouse
from parlour.home.permission import (
    CONFIRM_S,
    MOST_WAITING,
    Answer,
    Permit,
    Policy,
    Questions,
    Rule,
    sift,
    spoken_digits,
    tier,
)
from parlour.ids import DeviceId, EntityId, TurnId, new_turn_id
from parlour.ports import Did, Place, Say, Utterance

LOCK = Entity(
    EntityId("hall.front_door"),
    Kind.LOCK,
    "Front Door",
    "Hall",
    features=frozenset({Feature.LOCK}),
)
LIGHT = Entity(
    EntityId("hall.light"), Kind.LIGHT, "Hall Light", "Hall", features=frozenset({Feature.ON_OFF})
)
THINGS = {entity.id: entity for entity in (LOCK, LIGHT)}
UNLOCK = Command(LOCK.id, Verb.UNLOCK)
SHELF, DESK = Place(DeviceId("shelf"), "Kitchen"), Place(DeviceId("desk"), "Office")

COMMANDS = st.builds(
    Command, st.sampled_from(sorted(THINGS)), st.sampled_from([Verb.ON, Verb.OFF, Verb.UNLOCK])
)
PLACES = st.sampled_from([SHELF, DESK, Place(DeviceId("shelf"))])
RULES = st.builds(
    Rule,
    st.sampled_from(Permit),
    st.sampled_from(["*", "shelf", "SHELF", "desk", "kitchen", "Office"]),
    st.sampled_from(["*", "hall.*", "hall.front_door", "*.light", "kitchen.*"]),
    st.sampled_from(["*", "on", "off", "unlock"]),
)
RISKY = st.sampled_from([Permit.DENY, Permit.CONFIRM])


def permit(rules: Sequence[Rule], command: Command, place: Place, risky: Permit) -> Permit:
    return Policy(rules, risky).permit(THINGS[command.target], command, place)


# ---------------------------------------------------------------- rules


@given(st.lists(RULES), st.integers(0, 9), COMMANDS, PLACES, RISKY)
def test_a_rule_that_denies_wins_over_whatever_stands_before_and_behind_it(
    rules: list[Rule], at: int, command: Command, place: Place, risky: Permit
) -> None:
    deny = Rule(Permit.DENY, place.device, command.target, command.verb)
    rules.insert(at % (len(rules) + 1), deny)
    assert permit(rules, command, place, risky) is Permit.DENY


@given(st.lists(RULES), RULES, COMMANDS, PLACES, RISKY)
def test_another_rule_that_denies_allows_nobody_more(
    rules: list[Rule], another: Rule, command: Command, place: Place, risky: Permit
) -> None:
    more = [*rules, replace(another, permit=Permit.DENY)]
    after = permit(more, command, place, risky)
    assert after in (Permit.DENY, permit(rules, command, place, risky))


@given(st.lists(RULES).flatmap(lambda r: st.tuples(st.just(r), st.permutations(r))), COMMANDS)
def test_the_order_of_the_rules_does_not_matter(
    orders: tuple[list[Rule], list[Rule]], command: Command
) -> None:
    found = {permit(rules, command, SHELF, Permit.CONFIRM) for rules in orders}
    assert len(found) == 1


@given(st.lists(RULES), COMMANDS, PLACES, RISKY)
def test_what_is_risky_is_allowed_only_by_a_rule_that_says_so(
    rules: list[Rule], command: Command, place: Place, risky: Permit
) -> None:
    said = permit(rules, command, place, risky)
    if command.verb is Verb.UNLOCK and command.target == LOCK.id and said is Permit.ALLOW:
        assert any(rule.permit is Permit.ALLOW for rule in rules)


@given(st.lists(COMMANDS), st.lists(RULES), PLACES)
@example([Command(EntityId("gone.away"), Verb.ON)], [], SHELF)
def test_every_command_of_a_known_thing_is_sifted_once_and_others_are_left_out(
    commands: list[Command], rules: list[Rule], place: Place
) -> None:
    house = PaperHouse(THINGS.values())
    sifted = sift(Policy(rules), commands, house, place)
    found = [*sifted.allowed, *sifted.held, *sifted.denied]
    known = [command for command in commands if command.target in THINGS]
    assert sorted(map(repr, found)) == sorted(map(repr, known))


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        (Rule(Permit.DENY), True),
        (Rule(Permit.DENY, who="kitchen"), True),
        (Rule(Permit.DENY, who="desk"), False),
        (Rule(Permit.DENY, target="hall.*"), True),
        (Rule(Permit.DENY, target="*.front_door"), True),
        (Rule(Permit.DENY, target="hall"), False),
        (Rule(Permit.DENY, verb="unlock"), True),
        (Rule(Permit.DENY, verb="lock"), False),
        (Rule(Permit.DENY, who="Shelf", target="hall.front_?oor", verb="unlock"), True),
    ],
)
def test_a_rule_fits_by_device_or_area_by_target_and_by_verb(rule: Rule, fits: bool) -> None:
    assert (permit([rule], UNLOCK, SHELF, Permit.CONFIRM) is Permit.DENY) is fits


@pytest.mark.parametrize(
    ("device", "who", "fits"),
    [
        ("writing", "writing", True),
        ("writing:kiosk", "writing", True),
        ("writing:kiosk", "Writing", True),
        ("writing:kiosk", "writing:kiosk", False),  # whoever writes may call himself so
        ("writing:kiosk", "kiosk", False),
        ("writing:shelf", "shelf", False),
        ("writingdesk", "writing", False),
        ("shelf:writing", "writing", False),
    ],
)
def test_every_conversation_in_writing_is_under_the_rules_for_writing_and_no_other(
    device: str, who: str, fits: bool
) -> None:
    wanted = permit([Rule(Permit.ALLOW, who)], UNLOCK, Place(DeviceId(device)), Permit.DENY)
    assert (wanted is Permit.ALLOW) == fits


# ---------------------------------------------------------------- tiers


@pytest.mark.parametrize(
    ("kind", "device_class", "verb", "found"),
    [
        (Kind.LOCK, None, Verb.UNLOCK, 3),
        (Kind.LOCK, None, Verb.LOCK, 2),
        (Kind.COVER, "garage", Verb.OPEN, 3),
        (Kind.COVER, "gate", Verb.SET_POSITION, 3),
        (Kind.COVER, "garage", Verb.CLOSE, 2),
        (Kind.COVER, "blind", Verb.OPEN, 2),
        (Kind.VALVE, "water", Verb.OPEN, 3),
        (Kind.SIREN, None, Verb.ON, 2),
        (Kind.LIGHT, None, Verb.ON, 1),
        (Kind.SENSOR, None, Verb.ON, 0),
    ],
)
def test_how_risky_a_thing_is_by_itself(
    kind: Kind, device_class: str | None, verb: Verb, found: int
) -> None:
    assert tier(Entity(EntityId("a.b"), kind, "x", device_class=device_class), verb) == found


def test_the_owners_tier_counts_for_opening_and_turning_on_and_never_keeps_from_closing() -> None:
    oven = replace(LIGHT, kind=Kind.SWITCH, risk=3)
    assert tier(oven, Verb.ON) == 3
    assert tier(oven, Verb.OFF) == 2
    harmless = replace(LOCK, risk=1)
    assert tier(harmless, Verb.UNLOCK) == 1


# ---------------------------------------------------------------- questions


def test_a_question_waits_for_its_device_and_its_time() -> None:
    questions = Questions(Policy())
    questions.ask(DeviceId("shelf"), [UNLOCK], TurnId("1"), 5.0)
    held = questions.waiting(DeviceId("shelf"), 5.0 + CONFIRM_S - 0.001)
    assert held is not None
    assert held.commands == [UNLOCK]
    assert questions.waiting(DeviceId("shelf"), 5.0 + CONFIRM_S) is None
    assert questions.waiting(DeviceId("desk"), 6.0) is None
    questions.drop(DeviceId("shelf"))
    assert questions.waiting(DeviceId("shelf"), 6.0) is None


def test_too_many_questions_wait_for_nobody_and_leave_no_older_one_behind() -> None:
    questions = Questions(Policy())
    for number in range(MOST_WAITING):
        questions.ask(DeviceId(str(number)), [UNLOCK], TurnId("old"), 0.0)
    questions.ask(DeviceId("late"), [UNLOCK], TurnId("new"), 1.0)
    assert questions.waiting(DeviceId("late"), 1.0) is None
    questions.ask(DeviceId("7"), [UNLOCK], TurnId("new"), 1.0)
    held = questions.waiting(DeviceId("7"), 1.0)
    assert held is not None
    assert held.turn == "new"
    questions.ask(DeviceId("late"), [UNLOCK], TurnId("new"), CONFIRM_S)
    assert questions.waiting(DeviceId("late"), CONFIRM_S) is not None


@pytest.mark.parametrize(
    ("text", "language", "answer"),
    [
        ("yes", "en_US", Answer.YES),
        ("Yes, please.", "en_US", Answer.YES),
        ("no", "en_US", Answer.NO),
        ("yes but not the garage", "en_US", Answer.OTHER),
        ("turn on the light", "en_US", Answer.OTHER),
        ("", "en_US", Answer.OTHER),
        ("ja", "de_DE", Answer.YES),
        ("ja bitte", "de_DE", Answer.YES),
        ("ja nein", "de_DE", Answer.NO),
        ("nein danke", "de_DE", Answer.NO),
        ("bitte", "de_DE", Answer.OTHER),
        ("yes " * 20, "en_US", Answer.OTHER),
        ("nein", "de_DE", Answer.NO),
        ("yes", "de_DE", Answer.OTHER),
    ],
)
def test_a_yes_is_one_of_a_fixed_list(text: str, language: str, answer: Answer) -> None:
    assert Questions(Policy()).judge(text, language) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("0815", Answer.YES),
        ("zero eight one five", Answer.YES),
        ("oh eight fifteen", Answer.YES),
        ("08 15", Answer.YES),
        ("0816", Answer.WRONG),
        ("815", Answer.WRONG),
        ("08150", Answer.WRONG),
        ("yes", Answer.OTHER),
        ("no", Answer.NO),
        ("my number is 0815 i think", Answer.OTHER),
    ],
)
def test_a_pin_is_spoken_in_digits_and_a_yes_does_not_do(text: str, answer: Answer) -> None:
    assert Questions(Policy(pin="0815")).judge(text, "en_US") is answer


@pytest.mark.parametrize("text", ["०८१५", "शून्य आठ एक पाँच"])
def test_a_pin_may_be_said_and_written_in_another_script(text: str) -> None:
    assert Questions(Policy(pin="0815")).judge(text, "hi_IN") is Answer.YES


@given(st.text(alphabet="0123456789", min_size=1, max_size=20))
def test_no_other_digits_are_the_pin(digits: str) -> None:
    said = Questions(Policy(pin="271828")).judge(digits, "en_US")
    assert (said is Answer.YES) == (digits == "271828")
    assert len(spoken_digits(digits, "en_US")) <= 13


# ---------------------------------------------------------------- asked and answered


class Home:
    """A house with its brain, asked from here and there."""

    def __init__(self, policy: Policy, brain: HomeBrain, house: PaperHouse) -> None:
        self.policy = policy
        self.brain = brain
        self.house = house
        self.done: list[str] = []

    async def say(self, text: str, place: Place = SHELF) -> str:
        utterance = Utterance(new_turn_id(), text, "en_US", place)
        said: list[str] = []
        at_once = anyio.Event()
        at_once.set()
        if not self.brain.knows(utterance):
            self.brain.remember(utterance, "")
            return ""
        async with self.brain.answer(utterance, at_once) as pieces:
            async for piece in pieces:
                match piece:
                    case Say(text=sentence):
                        said.append(sentence)
                    case Did(action=action):
                        self.done.append(f"{action.target} {action.verb}")
                    case _:
                        pass
        self.brain.remember(utterance, " ".join(said))
        return " ".join(said)

    @property
    def is_locked(self) -> bool:
        return self.house.state(LOCK.id).lock == "locked"


def at_home(story: Callable[[Home], Awaitable[None]], policy: Policy) -> None:
    async def live() -> None:
        house = PaperHouse(THINGS.values())
        async with living(PlainStore(), Wall(2024, 5, 1, 12, 0)) as (clock, _):
            brain = HomeBrain(house, HouseGrammar(house), clock, policy)
            await story(Home(policy, brain, house))

    virtual_time.run(live)


ASKS = Policy(risky=Permit.CONFIRM)
QUESTION = "unlock the front door"


def test_a_yes_from_the_same_device_acts_once() -> None:
    async def story(home: Home) -> None:
        assert (await home.say(QUESTION)).endswith("?")
        assert home.is_locked
        await home.say("yes")
        assert home.done == ["hall.front_door unlock"]
        assert not home.is_locked
        home.done.clear()
        await home.say("yes")
        assert home.done == []

    at_home(story, ASKS)


def test_a_yes_from_another_device_does_nothing_and_leaves_the_question() -> None:
    async def story(home: Home) -> None:
        await home.say(QUESTION, SHELF)
        assert await home.say("yes", DESK) == ""
        assert home.is_locked
        await home.say("yes", SHELF)
        assert not home.is_locked

    at_home(story, ASKS)


def test_a_yes_counts_for_twenty_seconds_and_not_a_moment_longer() -> None:
    async def story(home: Home) -> None:
        await home.say(QUESTION)
        await anyio.sleep(CONFIRM_S)
        await home.say("yes")
        assert home.is_locked
        await home.say(QUESTION)
        await anyio.sleep(CONFIRM_S - 0.01)
        await home.say("yes")
        assert not home.is_locked

    at_home(story, ASKS)


@pytest.mark.parametrize("other", ["no", "turn on the hall light", "how are you"])
def test_after_a_no_or_anything_else_a_yes_does_nothing(other: str) -> None:
    async def story(home: Home) -> None:
        await home.say(QUESTION)
        await home.say(other)
        await home.say("yes")
        assert home.is_locked

    at_home(story, ASKS)


def test_a_pin_is_wanted_where_there_is_one_and_there_is_one_try() -> None:
    async def story(home: Home) -> None:
        await home.say(QUESTION)
        await home.say("yes")
        assert home.is_locked
        await home.say(QUESTION)
        await home.say("one two three five")
        await home.say("one two three four")
        assert home.is_locked
        asked = await home.say(QUESTION)
        assert "1234" not in asked
        await home.say("one two three four")
        assert not home.is_locked

    at_home(story, Policy(risky=Permit.CONFIRM, pin="1234"))


def test_what_is_denied_is_not_asked_and_locking_is_always_allowed() -> None:
    async def story(home: Home) -> None:
        assert not (await home.say(QUESTION)).endswith("?")
        await home.say("yes")
        assert home.is_locked
        await home.say("lock the front door")
        assert home.done == ["hall.front_door lock"]

    at_home(story, Policy())


def test_a_rule_that_denies_wins_over_one_that_allows_for_one_room_only() -> None:
    rules = [Rule(Permit.ALLOW, target="hall.*"), Rule(Permit.DENY, who="Kitchen", verb="unlock")]

    async def story(home: Home) -> None:
        await home.say(QUESTION, SHELF)
        assert home.is_locked
        await home.say(QUESTION, DESK)
        assert not home.is_locked

    at_home(story, Policy(rules, Permit.CONFIRM))
