"""The rounds of one group of devices: which of them answers.

A claim, by the first line that fits:

| the claim                                                     | what comes of it                     |
|---------------------------------------------------------------|--------------------------------------|
| below the floor, no button                                    | Lost, unless the device answers      |
| its device is in the round that is open                       | what it newly knows is added         |
| its device is in the decided round, with the same word        | Lost again; nothing if it answers    |
| a button                                                      | joins or opens a round, decided now  |
| a round is open                                               | joins it                             |
| a follow-up, and some device answers                          | opens a round in which that one is   |
| another device's than the winner's, and the decided round     | late: takes over, or Lost            |
| holds: the same word, or the winner answers, for `hold_s`     |                                      |
| any other                                                     | opens a round                        |

A round is open until `due_s`, then `decide` makes it the decided one. Of the decided round:

| state     | until                                   | a late claim                                  |
|-----------|-----------------------------------------|-----------------------------------------------|
| disputed  | `takeover_s`, `audible`, one takeover   | takes over if > `takeover_db` better          |
| held      | `hold_s`, the end of the winner's turn  | Lost                                          |
| answering | the end of the winner's turn, next Won  | opens a round (Lost if it is of the same word)|
| over      | the next decision                       | opens a round (Lost if it is of the same word)|

If the winner's socket goes before it is heard and within `hold_s`, the next best one takes over;
without a next one the round is forgotten, so that a late claim can still win.

A device answers from its Won or the TakenOver in its favour until its Lost, the TakenOver against
it, `ended` or `gone`. `answering` is one field, so two devices of a group never answer at once; each
verdict that changes it ends the former first.
"""

from dataclasses import dataclass, field

from parlour.ids import DeviceId
from parlour.wake.candidates import Candidate, best, is_clearly_better
from parlour.wake.claim import Claim, Kind, believable_dbfs
from parlour.wake.round import Ear, Round, candidate_of
from parlour.wake.rules import Lost, RoundId, Rules, TakenOver, Verdict, Won
from parlour.wake.score import score_db

MOST_CANDIDATES = 256  # in one round


@dataclass(slots=True)
class Group:
    """Plain data besides its methods, so that it can be kept as JSON between two calls."""

    name: str
    rounds: int = 0
    opened: Round | None = None
    decided: Round | None = None
    last_winner: DeviceId | None = None
    last_won_s: float = 0.0
    past: dict[DeviceId, float] = field(default_factory=dict)  # arrivals of the round before

    @property
    def answering(self) -> DeviceId | None:
        held = self.decided
        return None if held is None or held.is_over else held.winner

    def is_idle(self, now_s: float, rules: Rules) -> bool:
        """Whether nothing is lost but the last winner when the group is forgotten."""
        if self.opened is not None or self.answering is not None:
            return False
        return self.decided is None or now_s - self.decided.decided_s > rules.hold_s

    def knows(self, claim: Claim, rules: Rules) -> bool:
        """Whether a believable claim only repeats one of the same word."""
        for word in (self.opened, self.decided):
            older = word.candidates.get(claim.device) if word is not None else None
            if older is not None and claim.at_s - older.at_s < rules.same_word_s:
                return True
        return False

    def claim(self, claim: Claim, ear: Ear, now_s: float, rules: Rules) -> list[Verdict]:
        """Take a believable claim."""
        candidate = candidate_of(claim, ear, claim.device == self.answering)
        is_quiet = claim.level_dbfs is not None and claim.level_dbfs - ear.gain_db < ear.floor_dbfs
        if is_quiet and not candidate.is_button:
            return self._too_quiet(claim.device)
        held = self.decided
        if self.opened is not None and claim.device in self.opened.candidates:
            return self._again(self.opened, candidate, now_s, rules)
        if held is not None and held.has_heard(candidate, rules):
            return self._repeated(held, candidate, now_s, rules)
        if candidate.is_button:
            (self.opened or self._open(candidate, 0.0, now_s)).join(candidate)
            return self._decide(now_s, rules)
        if self.opened is not None:
            return self._arrive(self.opened, candidate, claim.kind, now_s)
        if claim.kind is Kind.FOLLOW_UP and self.answering not in {None, claim.device}:
            return self._follow_up(candidate, ear.window_s, now_s, rules)
        if held is not None and held.is_late(candidate, now_s, rules):
            return self._late(held, candidate, claim.kind, now_s, rules)
        opened = self._open(candidate, ear.window_s, now_s)
        self._arrive(opened, candidate, claim.kind, now_s)
        return self.decide(now_s, rules)

    def level(
        self,
        device: DeviceId,
        level_dbfs: float,
        noise_dbfs: float | None,
        ear: Ear,
        now_s: float,
        rules: Rules,
    ) -> list[Verdict]:
        """Take the level of a device whose claim had none; of any other it is ignored."""
        known_dbfs = believable_dbfs(level_dbfs)
        for word in (self.opened, self.decided):
            candidate = word.candidates.get(device) if word is not None else None
            if word is None or candidate is None:
                continue
            if candidate.score_db is not None or known_dbfs is None:
                return []
            if word is self.opened and known_dbfs - ear.gain_db < ear.floor_dbfs:
                return self._withdraw(word, candidate)
            heard = Claim(device, now_s, known_dbfs, noise_dbfs)
            candidate.score_db = score_db(heard, ear.gain_db)
            return self._take_over(word, now_s, rules) if word is self.decided else []
        return []

    def audible(self, device: DeviceId, round_id: RoundId | None = None) -> bool:
        """The device begins to be heard. False: it must not, because it does not answer."""
        if self.answering != device or not self._is_held(round_id):
            return False
        assert self.decided is not None
        self.decided.is_audible = True
        return True

    def ended(self, device: DeviceId, round_id: RoundId | None = None) -> None:
        """The turn of the device is over; one that does not answer is ignored."""
        if self.answering != device or not self._is_held(round_id):
            return
        assert self.decided is not None
        self.decided.is_over = True
        self._drop_standing()

    def gone(self, device: DeviceId, now_s: float, rules: Rules) -> list[Verdict]:
        """The device can answer no more, and claims no more."""
        was_answering = self.answering == device
        for word in (self.opened, self.decided):
            if word is not None:
                word.candidates.pop(device, None)
        if self.opened is not None and not self.opened.claimants:
            self.opened = None
        return self._succeed(device, now_s, rules) if was_answering else []

    def refuse(self, device: DeviceId, now_s: float, rules: Rules) -> list[Verdict]:
        """The device is to be silent, whatever it was; it is told so, and the next best goes on."""
        held = self.decided or self.opened
        round_id = held.id if held is not None else self._next_id(now_s)
        verdicts = self.gone(device, now_s, rules)
        return verdicts or [Lost(device, rules.hold_s, round_id)]

    def leave(self, device: DeviceId, now_s: float, rules: Rules) -> list[Verdict]:
        """The device claims in another group; it is told only if it waits for a verdict or answers."""
        is_waiting = self.opened is not None and device in self.opened.candidates
        if is_waiting or device == self.answering:
            return self.refuse(device, now_s, rules)
        return self.gone(device, now_s, rules)

    def decide(self, now_s: float, rules: Rules) -> list[Verdict]:
        """Decide the open round if it is due; otherwise, and a second time, nothing happens."""
        if self.opened is None or now_s < self.opened.due_s:
            return []
        return self._decide(now_s, rules)

    # Claims.

    def _too_quiet(self, device: DeviceId) -> list[Verdict]:
        if device == self.answering or (self.opened and device in self.opened.candidates):
            return []
        held = self.opened or self.decided
        return [Lost(device, 0.0, held.id if held is not None else RoundId(f"{self.name}/0"))]

    def _again(self, opened: Round, newer: Candidate, now_s: float, rules: Rules) -> list[Verdict]:
        older = opened.candidates[newer.device]
        if not older.has_claimed:
            opened.candidates[newer.device] = newer
        elif older.score_db is None:
            older.score_db = newer.score_db
        older.is_engaged |= newer.is_engaged
        older.is_button |= newer.is_button
        return self._decide(now_s, rules) if newer.is_button else []

    def _repeated(self, held: Round, newer: Candidate, now_s: float, rules: Rules) -> list[Verdict]:
        older = held.candidates[newer.device]
        verdicts: list[Verdict] = []
        if older.score_db is None and newer.score_db is not None:
            older.score_db = newer.score_db
            verdicts = self._take_over(held, now_s, rules)
        if self.answering == newer.device or verdicts:
            return verdicts
        return [Lost(newer.device, held.hold_s(now_s, rules), held.id)]

    def _arrive(
        self, opened: Round, candidate: Candidate, kind: Kind, now_s: float
    ) -> list[Verdict]:
        if len(opened.candidates) >= MOST_CANDIDATES:
            return [Lost(candidate.device, 0.0, opened.id)]
        opened.join(candidate)
        if kind is Kind.WAKE:
            opened.arrivals[candidate.device] = now_s
        return []

    def _follow_up(
        self, candidate: Candidate, window_s: float, now_s: float, rules: Rules
    ) -> list[Verdict]:
        held = self.decided
        assert held is not None
        assert held.winner is not None
        opened = self._open(candidate, window_s, now_s)
        last = held.candidates[held.winner]
        standing = Candidate(last.device, now_s, last.score_db, None, True, False, False)
        opened.join(standing)
        opened.join(candidate)
        return self.decide(now_s, rules)

    def _late(
        self, held: Round, candidate: Candidate, kind: Kind, now_s: float, rules: Rules
    ) -> list[Verdict]:
        is_new = candidate.device not in held.candidates
        verdicts: list[Verdict] = []
        if is_new and len(held.candidates) < MOST_CANDIDATES:
            held.candidates[candidate.device] = candidate
            if kind is Kind.WAKE:
                held.arrivals[candidate.device] = now_s
            verdicts = self._take_over(held, now_s, rules)
        if held.winner != candidate.device:
            verdicts.append(Lost(candidate.device, held.hold_s(now_s, rules), held.id))
        return verdicts

    # Rounds.

    def _next_id(self, now_s: float) -> RoundId:
        # Counts on from the clock, so that no id comes twice after the group was forgotten.
        self.rounds = max(self.rounds + 1, int(now_s * 1000))
        return RoundId(f"{self.name}/{self.rounds}")

    def _open(self, first: Candidate, window_s: float, now_s: float) -> Round:
        self.opened = Round(self._next_id(now_s), first.at_s, now_s, now_s + window_s)
        return self.opened

    def _decide(self, now_s: float, rules: Rules) -> list[Verdict]:
        decided, self.opened = self.opened, None
        assert decided is not None
        winner = best(decided.candidates.values(), self._recent_winner(now_s, rules), rules)
        losers = [one for one in decided.candidates.values() if one is not winner]
        lost: list[Verdict] = [Lost(one.device, rules.hold_s, decided.id) for one in losers]
        if not winner.has_claimed:
            return lost  # the conversation stays where it is
        held, answered = self.decided, self.answering
        is_apart = answered is not None and answered not in decided.candidates
        if held is not None and answered is not None and is_apart and rules.one_by_one:
            lost.insert(0, Lost(answered, 0.0, held.id))
        self.past = held.arrivals if held is not None else {}
        decided.winner, decided.decided_s = winner.device, now_s
        self.decided = decided
        self._won(winner.device, now_s)
        return [*lost, Won(winner.device, decided.id)]

    def _take_over(self, held: Round, now_s: float, rules: Rules) -> list[Verdict]:
        is_settled = held.is_over or held.is_audible or held.was_taken or self.opened is not None
        if is_settled or held.winner is None or now_s > held.opened_s + rules.takeover_s:
            return []
        winner = held.candidates[held.winner]
        others = [one for one in held.candidates.values() if one is not winner]
        rivals = [one for one in others if is_clearly_better(one, winner, rules)]
        if winner.is_button or not rivals:
            return []
        rival = best(rivals, None, rules)
        held.was_taken = True
        return self._hand_over(held, winner.device, rival.device, now_s)

    def _succeed(self, gone: DeviceId, now_s: float, rules: Rules) -> list[Verdict]:
        held = self.decided
        assert held is not None
        if held.is_audible or now_s > held.decided_s + rules.hold_s:
            held.is_over = True
            self._drop_standing()
            return []
        if held.candidates and self.opened is None:
            heir = best(held.candidates.values(), None, rules)
            return self._hand_over(held, gone, heir.device, now_s)
        self.decided = None
        return []

    def _hand_over(
        self, held: Round, loser: DeviceId, winner: DeviceId, now_s: float
    ) -> list[Verdict]:
        held.winner = winner
        self._won(winner, now_s)
        return [TakenOver(loser, winner, held.id)]

    def _withdraw(self, opened: Round, candidate: Candidate) -> list[Verdict]:
        if not candidate.has_claimed:
            return []
        del opened.candidates[candidate.device]
        opened.arrivals.pop(candidate.device, None)
        if not opened.claimants:
            self.opened = None
        answers = candidate.device == self.answering
        return [] if answers else [Lost(candidate.device, 0.0, opened.id)]

    def _drop_standing(self) -> None:
        """Whoever answered no more does not stand for what it did not claim."""
        if self.opened is not None:
            claimants = self.opened.claimants
            self.opened.candidates = {one.device: one for one in claimants}

    def _is_held(self, round_id: RoundId | None) -> bool:
        return self.decided is not None and round_id in {None, self.decided.id}

    def _won(self, device: DeviceId, now_s: float) -> None:
        self.last_winner, self.last_won_s = device, now_s

    def _recent_winner(self, now_s: float, rules: Rules) -> DeviceId | None:
        return self.last_winner if now_s - self.last_won_s <= rules.last_winner_s else None
