"""For any order, duplication and loss of calls: one winner for a word, one device that answers.

A device answers from its Won, or the TakenOver in its favour, until its Lost, the TakenOver against
it, `ended` or `gone`. At no instant do two devices of a group answer.
"""

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from parlour.ids import DeviceId
from parlour.wake.arbiter import Arbiter, Lost, RoundId, Rules, TakenOver, Verdict, Won
from parlour.wake.claim import Claim, Kind

DEVICES = st.sampled_from([DeviceId(name) for name in "abcdef"])
GROUPS = st.sampled_from(["home", "home", "home", "flat"])
LEVELS = (
    st.none()
    | st.floats(-80, 0)
    | st.sampled_from([-40.0, -38.0, 60.0, math.nan, math.inf, -math.inf])
)
RULES = Rules()
AGES = st.sampled_from([0.0, 0.0, 0.0, 0.1, 2.0, 1e9, -1e9, math.nan, math.inf])
CLAIMS = st.builds(
    Claim,
    DEVICES,
    AGES,  # made a moment by the test
    LEVELS,
    LEVELS,
    st.none() | st.floats(0, 1) | st.just(math.nan),
    st.just("home"),
    st.just(""),
    st.sampled_from([Kind.WAKE, Kind.WAKE, Kind.WAKE, Kind.FOLLOW_UP, Kind.BUTTON]),
    st.booleans(),
)


class Answers(RuleBasedStateMachine):
    """A house that follows the verdicts and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.arbiter = Arbiter(RULES)
        self.now_s = 100.0
        self.group_of: dict[DeviceId, str] = {}
        self.answering: dict[DeviceId, RoundId] = {}
        self.waiting: set[DeviceId] = set()
        self.won: set[RoundId] = set()

    def follow(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            match verdict:
                case Won(device, round_id):
                    assert round_id not in self.won
                    self.won.add(round_id)
                    self.begin(device, round_id)
                case Lost(device, hold_s, _):
                    assert 0 <= hold_s <= RULES.hold_s
                    self.answering.pop(device, None)
                    self.waiting.discard(device)
                case TakenOver(loser, winner, round_id):
                    assert round_id in self.won
                    assert loser != winner
                    self.answering.pop(loser, None)
                    self.begin(winner, round_id)
            self.one_answers()

    def begin(self, device: DeviceId, round_id: RoundId) -> None:
        assert round_id.startswith(f"{self.group_of[device]}/")
        self.answering[device] = round_id
        self.waiting.discard(device)

    @rule(claim=CLAIMS, group=GROUPS)
    def claims(self, claim: Claim, group: str) -> None:
        claim = replace(claim, at_s=self.now_s - claim.at_s, group=group)
        verdicts = self.arbiter.claim(claim, self.now_s)
        moved = self.group_of.get(claim.device) != group
        if moved:  # what it was in the other group ends first
            first = [one for one in verdicts if not one.round_id.startswith(f"{group}/")]
            verdicts = verdicts[len(first) :]
            self.follow(first)
            assert claim.device not in self.answering
        self.group_of[claim.device] = group
        if claim.device not in self.answering:
            self.waiting.add(claim.device)
        self.follow(verdicts)

    @rule(device=DEVICES, level_dbfs=st.floats(), noise_dbfs=LEVELS)
    def hears(self, device: DeviceId, level_dbfs: float, noise_dbfs: float | None) -> None:
        self.follow(self.arbiter.level(device, level_dbfs, noise_dbfs, self.now_s))

    @rule(device=DEVICES)
    def is_heard(self, device: DeviceId) -> None:
        assert self.arbiter.audible(device, self.now_s) == (device in self.answering)

    @rule(device=DEVICES, is_of_this_turn=st.booleans())
    def ends(self, device: DeviceId, is_of_this_turn: bool) -> None:
        if is_of_this_turn:
            self.arbiter.ended(device, self.now_s, self.answering.pop(device, None))
        else:
            self.arbiter.ended(device, self.now_s, RoundId("home/0"))

    @rule(device=DEVICES)
    def goes(self, device: DeviceId) -> None:
        self.waiting.discard(device)
        self.answering.pop(device, None)
        self.follow(self.arbiter.gone(device, self.now_s))

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.1, 0.2, 0.5, 1.0, 2.1, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def decides(self) -> None:
        self.follow(self.arbiter.decide(self.now_s))
        assert self.arbiter.decide(self.now_s) == []

    @rule()
    def waits_for_all(self) -> None:
        self.now_s += RULES.longest_window_s
        self.decides()
        assert not self.waiting
        assert self.arbiter.due_s() is None

    @invariant()
    def one_answers(self) -> None:
        groups = [self.group_of[device] for device in self.answering]
        assert len(groups) == len(set(groups))

    @invariant()
    def the_arbiter_agrees(self) -> None:
        for group in ("home", "flat"):
            mine = {one for one in self.answering if self.group_of[one] == group}
            assert {self.arbiter.answering(group)} - {None} == mine

    @invariant()
    def a_decision_is_soon(self) -> None:
        due_s = self.arbiter.due_s()
        assert due_s is None or due_s <= self.now_s + RULES.longest_window_s


Answers.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnswers = Answers.TestCase


@st.composite
def _words(draw: st.DrawFn) -> list[tuple[float, Claim]]:
    """What arrives of one word, and when."""
    names = draw(st.lists(DEVICES, min_size=1, max_size=6, unique=True))
    calls: list[tuple[float, Claim]] = []
    for device in names:
        claim = Claim(device, 10.0, draw(LEVELS))
        delays_s = draw(st.lists(st.floats(0, 0.9), min_size=1, max_size=3))
        calls += [(10.0 + delay_s, claim) for delay_s in delays_s]
    return sorted(calls, key=lambda call: call[0])


@given(calls=_words())
@settings(max_examples=150, deadline=None)
def test_one_word_has_one_winner_and_a_verdict_for_each(
    calls: list[tuple[float, Claim]],
) -> None:
    arbiter = Arbiter()
    verdicts: list[Verdict] = []
    for now_s, claim in calls:
        due_s = arbiter.due_s()
        if due_s is not None and due_s <= now_s:
            verdicts += arbiter.decide(due_s)
        verdicts += arbiter.claim(claim, now_s)
    verdicts += arbiter.decide(12.0)
    won = [one for one in verdicts if isinstance(one, Won)]
    told = {one.device for one in verdicts if not isinstance(one, TakenOver)}
    told |= {one.winner for one in verdicts if isinstance(one, TakenOver)}
    heard = {claim.device for _, claim in calls if not _is_too_quiet(claim)}
    assert len(won) == (1 if heard else 0)
    assert told == {claim.device for _, claim in calls}


@given(levels=st.lists(LEVELS, min_size=1, max_size=6), data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_order_within_the_window_makes_no_difference(
    levels: list[float | None], data: st.DataObject
) -> None:
    claims = [Claim(DeviceId(f"d{n}"), 10.0, level) for n, level in enumerate(levels)]
    winners = []
    for order in (claims, data.draw(st.permutations(claims))):
        arbiter = Arbiter()
        for claim in order:
            arbiter.claim(claim, 10.0)
        arbiter.decide(11.0)
        winners.append(arbiter.answering("home"))
    assert winners[0] == winners[1]


def _is_too_quiet(claim: Claim) -> bool:
    level_dbfs = claim.level_dbfs
    return level_dbfs is not None and -120 <= level_dbfs < RULES.floor_dbfs
