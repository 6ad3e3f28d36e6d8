"""Whether the right device answered, once, in time and alone; pure, of what the devices saw."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from parlour.ids import DeviceId
from parlour.wake.claim import Claim
from parlour.wake.rules import Rules
from parlour.wake.score import score_db
from parlour_bench.fleet.plan import NOISE_DBFS

SLACK_S = 0.03  # claims so close to a decision may have come before or after it
DECISION_S = 0.03  # beyond the window
ADDED_MS = (0.0, 5.0)  # p50, p95
LEAST_MS = 1.0  # differences of percentiles below this are the clock's and the loop's


@dataclass(slots=True)
class Seen:
    """What one device saw of one word; times in one clock, None: it never came."""

    device: DeviceId
    level_dbfs: float
    claimed_s: float | None = None
    verdicts: list[tuple[float, bool]] = field(default_factory=list)  # when, whether it won
    spoken_s: float = 0.0  # when the last word of the sentence ended
    first_sound_s: float | None = None
    sounds: int = 0
    sounds_after_lost: int = 0
    end: str = ""  # of its turn, by the server's report
    faults: list[str] = field(default_factory=list)

    @property
    def is_lost(self) -> bool:
        return bool(self.verdicts) and not self.verdicts[-1][1]

    @property
    def decided_ms(self) -> float | None:
        if self.claimed_s is None or not self.verdicts:
            return None
        return (self.verdicts[0][0] - self.claimed_s) * 1000

    @property
    def reply_ms(self) -> float | None:
        return None if self.first_sound_s is None else (self.first_sound_s - self.spoken_s) * 1000


def right_winners(seen: Collection[Seen], rules: Rules) -> set[DeviceId]:
    """Who may answer: the best of the window, or whoever took over; several if it was that close."""
    claims = sorted((one for one in seen if one.claimed_s is not None), key=_claimed_s)
    told = [one.verdicts[0][0] for one in claims if one.verdicts]
    if not claims or not told:
        return set()
    decided_s = min(told)
    found: set[DeviceId] = set()
    for until_s in (decided_s - SLACK_S, decided_s):
        early = [one for one in claims if _claimed_s(one) <= until_s] or claims[:1]
        late = [one for one in claims if one not in early]
        best_db = max(map(_score_db, early))
        for winner in early:
            if _score_db(winner) > best_db - rules.tie_db:
                found |= _successors(winner, late, _claimed_s(claims[0]), rules)
    return found


def _successors(winner: Seen, late: Sequence[Seen], first_s: float, rules: Rules) -> set[DeviceId]:
    """Whoever answers in the end if `winner` won the window: only one may take over, the first."""
    found: set[DeviceId] = set()
    for one in late:
        if _score_db(one) - _score_db(winner) <= rules.takeover_db:
            continue
        after_s = _claimed_s(one) - first_s
        if after_s <= rules.takeover_s + SLACK_S:
            found.add(one.device)
        if after_s <= rules.takeover_s - SLACK_S:
            return found  # beyond doubt
    return {*found, winner.device}


def _claimed_s(seen: Seen) -> float:
    assert seen.claimed_s is not None
    return seen.claimed_s


def _score_db(seen: Seen) -> float:
    return score_db(Claim(seen.device, 0.0, seen.level_dbfs, NOISE_DBFS), 0.0)


# ---------------------------------------------------------------- all words together


@dataclass(frozen=True, slots=True)
class Row:
    """One figure and what it has to keep; `None` as target: told without a verdict."""

    what: str
    n: int
    p50: float
    p95: float | None = None
    target_p50: float | None = None
    target_p95: float | None = None
    slack: float = 0.0

    @property
    def ok(self) -> bool:
        return _keeps(self.p50, self.target_p50, self.slack) and _keeps(
            self.p95, self.target_p95, self.slack
        )


def judge(
    heard: Sequence[Sequence[Seen]], alone: Sequence[Seen], rules: Rules | None = None
) -> list[Row]:
    """`heard`: of each word what its devices saw; `alone`: the same sentence without any claim."""
    rules = rules or Rules()
    answers = [[one for one in word if one.sounds] for word in heard]
    right = [_is_right(word, rules) for word in heard]
    silent = [one for word in heard for one in word if one.is_lost]
    n = len(heard)
    window_ms = (rules.window_s + DECISION_S) * 1000
    decided = [ms for word in heard for one in word if (ms := one.decided_ms) is not None]
    unheard = sum(one.claimed_s is not None and not one.verdicts for w in heard for one in w)
    rows = [
        _none("wakes that two or more answered", n, sum(len(one) > 1 for one in answers)),
        _none("wakes that nobody answered", n, sum(not one for one in answers)),
        _none("wakes that the wrong device answered", n, right.count(False)),
        _none("claims without a verdict", sum(map(len, heard)), unheard),
        _none("packets to devices that had lost", len(silent), _after_lost(silent)),
        _none("faults that devices were told", n, _faults(heard)),
        _row("claim to verdict, ms", decided, (None, window_ms)),
    ]
    given = [ms for one in answers if len(one) == 1 and (ms := one[0].reply_ms) is not None]
    plain = [ms for one in alone if (ms := one.reply_ms) is not None]
    rows.append(_row("end of speech to the winner's answer, ms", given))
    if alone:
        rows.append(_none("sentences without a wake word not answered", len(alone), _mute(alone)))
        rows.append(_row("the same without arbitration, ms", plain))
    if plain and given:
        p50, p95 = (round(cut(given, at) - cut(plain, at), 1) for at in (0.5, 0.95))
        rows.append(Row("added by arbitration, ms", len(given), p50, p95, *ADDED_MS, LEAST_MS))
    return rows


def ends(heard: Iterable[Iterable[Seen]]) -> Counter[str]:
    """How turns ended."""
    return Counter(one.end or "no report" for word in heard for one in word)


def cut(values: Sequence[float], share: float) -> float:
    """The value below which this share of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _is_right(word: Sequence[Seen], rules: Rules) -> bool | None:
    """None: it was not exactly one who answered, which is counted elsewhere."""
    answered = [one.device for one in word if one.sounds]
    return answered[0] in right_winners(word, rules) if len(answered) == 1 else None


def _after_lost(seen: Iterable[Seen]) -> int:
    return sum(one.sounds_after_lost for one in seen)


def _faults(heard: Iterable[Iterable[Seen]]) -> int:
    return sum(len(one.faults) for word in heard for one in word)


def _mute(alone: Iterable[Seen]) -> int:
    return sum(not one.sounds for one in alone)


def _none(what: str, n: int, count: int) -> Row:
    return Row(what, n, count, target_p50=0)


def _row(
    what: str, values: Sequence[float], targets: tuple[float | None, float | None] = (None, None)
) -> Row:
    if not values:
        return Row(what, 0, 0.0)
    return Row(what, len(values), round(cut(values, 0.5), 1), round(cut(values, 0.95), 1), *targets)


def _keeps(value: float | None, target: float | None, slack: float) -> bool:
    return value is None or target is None or value <= target + slack
