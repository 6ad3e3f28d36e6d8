"""When somebody begins and ends to speak: a pure state machine on sample time.

    state     what happened                                        -> state      decision
    WAITING   voiced for `onset_ms`                                -> SPEAKING   SpeechOnset
    WAITING   nothing voiced until the time that waiting is given  -> ENDED      EndOfTurn(NO_SPEECH)
    SPEAKING  quiet for `eager_ms`                                 -> PAUSED     Eager
    PAUSED    voiced again                                         -> SPEAKING   Resumed
    PAUSED    quiet until the deadline                             -> ENDED      EndOfTurn(SILENCE)
    SPEAKING  spoken for `longest_s`                               -> ENDED      EndOfTurn(TOO_LONG)
    any       the user released the button                         -> ENDED      EndOfTurn(RELEASED)

Speech is what is loud (energy over 10 ms) and what the network takes for speech (32 ms). Energy
is the faster of the two: the network hangs on for 60 to 160 ms after the last sound. So the
silence is counted from where the energy fell, and the network only has a veto. How much silence
ends the turn is one deadline, moved by all that is known of the text, see `patience_ms`.

With `hands_off` (push-to-talk) silence ends nothing; the limits hold all the same.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from parlour.audio import HEARING_RATE_HZ
from parlour.ports import Verdict


@dataclass(frozen=True, slots=True)
class EndpointPolicy:
    """Every number that decides when a turn begins and ends."""

    # What is speech.
    onset: float = 0.5  # probability of speech that opens; Silero's own recommendation
    release: float = 0.35  # below it a window is silent; the gap keeps a soft vowel from flapping
    onset_ms: int = 64  # two windows: a click or a spoon on a plate is one
    above_noise_db: float = 9.0  # the room itself wavers by less over 10 ms
    least_above_db: float = 4.0  # where noise leaves less room: a third of what lies between
    below_peak_db: float = 32.0  # the faintest consonants lie so far below the loudest vowel
    least_range_db: float = 8.0  # peak over noise; in more noise energy tells nothing
    veto_ms: int = 160  # how long the network may hold the end up after the energy fell

    # How much silence ends the turn.
    eager_ms: int = 64  # then the answer begins to be prepared; stop closures are shorter
    closed_ms: int = (
        110  # after a whole command that nothing can extend; 1 % of words pause so long
    )
    open_ms: int = 350  # after a whole command that more words could change
    whole_ms: int = 360  # after other text that could be all; what resumes is merged
    hanging_ms: int = 900  # after "and", "the", "um", or the beginning of a command
    unsettled_ms: int = 250  # at least, while the recogniser has not caught up with the pause
    over_ms: int = 300  # when a turn model is sure that the turn is over
    going_on_ms: int = 900  # when it is sure that it is not
    sure: float = 0.75  # of the turn model, and 1 - sure for the opposite
    most_learned_ms: int = 900  # a slow speaker's own pauses count up to here
    hard_ms: int = 1400  # nothing at all makes us wait longer
    no_speech_s: float = 8.0  # nobody spoke at all
    longest_s: float = 30.0  # a radio never stops


class Phase(StrEnum):
    WAITING = "waiting"
    SPEAKING = "speaking"
    PAUSED = "paused"
    ENDED = "ended"


class Reason(StrEnum):
    SILENCE = "silence"
    RELEASED = "released"
    NO_SPEECH = "no_speech"
    TOO_LONG = "too_long"
    STALLED = "stalled"


@dataclass(frozen=True, slots=True)
class SpeechOnset:
    sample: int  # first voiced sample


@dataclass(frozen=True, slots=True)
class Eager:
    """A pause that may be the end."""

    speech_end: int  # the sample after the last voiced one
    sample: int  # where the decision fell


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pause was none of the end."""

    pause_ms: float
    sample: int


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    reason: Reason
    speech_end: int  # the sample after the last voiced one; of NO_SPEECH: where waiting began
    sample: int  # where the decision fell
    vad_off: int | None = None  # where the network agreed, if it did


Decision: TypeAlias = SpeechOnset | Eager | Resumed | EndOfTurn


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known of the text so far."""

    verdict: Verdict = Verdict.NONE
    hanging: bool = False  # its last words promise more
    settled: bool = False  # the recogniser has said all there is up to the pause
    over: float | None = None  # a turn model's probability that the turn is over


class Endpoint:
    """Follows one turn. `start` is the first sample of the turn.

    Sound comes in three plain calls, in the order of its samples: `energy` for each 10 ms, `judge`
    for each window of the network, perhaps later, and `tick` when both are up to date.
    """

    def __init__(
        self,
        policy: EndpointPolicy,
        start: int,
        *,
        hands_off: bool = False,
        learned_ms: float = 0.0,
    ) -> None:
        self.phase = Phase.WAITING
        self.speech_end = start
        self._policy = policy
        self._hands_off = hands_off
        self._learned_ms = learned_ms  # how long this speaker's own pauses are
        self._belief = Belief()
        self._wait_until: int | None = start + _samples(policy.no_speech_s)
        self._onset: int | None = None  # first sample of the present run of voiced windows
        self._loud_until = start  # where the energy fell
        self._judged_until = start  # up to where the network has spoken
        self._probability = 0.0
        self._vad_off: int | None = None
        self._peak_dbfs = -100.0

    # ------------------------------------------------------------ sound

    def energy(self, dbfs: float, noise_dbfs: float, end: int) -> None:
        """Take the level of the 10 ms before `end`, and of the room."""
        policy = self._policy
        self._peak_dbfs = max(self._peak_dbfs, dbfs)
        range_db = self._peak_dbfs - noise_dbfs
        if range_db < policy.least_range_db:
            least_dbfs = (
                noise_dbfs - policy.least_above_db
            )  # what is quieter than the room is silence
        else:
            above_db = min(policy.above_noise_db, max(policy.least_above_db, range_db / 3))
            least_dbfs = max(noise_dbfs + above_db, self._peak_dbfs - policy.below_peak_db)
        if dbfs >= least_dbfs:
            self._loud_until = end

    def judge(self, probability: float, start: int, end: int) -> Decision | None:
        """Take the network's opinion on the samples `start` to `end`."""
        self._judged_until, self._probability = end, probability
        match self.phase:
            case Phase.WAITING:
                return self._wait(probability, start, end)
            case Phase.SPEAKING | Phase.PAUSED:
                threshold = (
                    self._policy.release if self.phase is Phase.SPEAKING else self._policy.onset
                )
                if probability < threshold:
                    self._vad_off = start if self._vad_off is None else self._vad_off
                    return None
                self._vad_off = None
                if self._loud_until <= max(start, self.speech_end):
                    return None  # the network hangs on
                before, self.speech_end = self.speech_end, min(end, self._loud_until)
                if self.phase is Phase.SPEAKING:
                    return None
                self.phase = Phase.SPEAKING
                self._belief = replace(self._belief, settled=False, over=None)
                return Resumed(max(0, start - before) / _samples(0.001), end)
            case Phase.ENDED:
                return None

    def tick(self, now: int) -> Decision | None:
        """Say what has come of it by the sample `now`."""
        if self.phase is Phase.WAITING:
            late = self._wait_until is not None and now >= self._wait_until
            return self._end(Reason.NO_SPEECH, now) if late else None
        if self.phase is Phase.ENDED:
            return None
        if self._onset is not None and now - self._onset >= _samples(self._policy.longest_s):
            return self._end(Reason.TOO_LONG, now)
        quiet_ms = self.quiet_ms(now)
        if self.phase is Phase.SPEAKING:
            if quiet_ms < self._policy.eager_ms:
                return None
            self.phase = Phase.PAUSED
            return Eager(self.speech_end, now)
        if self._hands_off or quiet_ms < self.patience_ms or self._is_vetoed(quiet_ms):
            return None
        return self._end(Reason.SILENCE, now)

    # ------------------------------------------------------------ what else is known

    def believe(self, belief: Belief) -> None:
        """Take what is known of the text; it moves the deadline at once."""
        self._belief = belief

    def expect(self, until: int | None) -> None:
        """Give the user until the sample `until` to begin; None: as long as it takes."""
        self._wait_until = until

    def start_anew(self, sample: int) -> None:
        """What was heard was nothing: wait again, as long as it takes."""
        self.phase, self.speech_end, self._onset = Phase.WAITING, sample, None
        self._belief, self._wait_until, self._vad_off = Belief(), None, None

    def release(self, sample: int) -> EndOfTurn | None:
        """The user let go of the button, or said in another way that this was all."""
        return self._stop(Reason.RELEASED, sample)

    def stall(self, sample: int) -> EndOfTurn | None:
        """No sound came for so long that waiting for it makes no sense."""
        return self._stop(Reason.STALLED, sample)

    @property
    def patience_ms(self) -> float:
        """How much silence the turn is given as things stand."""
        least_ms = 0 if self._belief.settled else self._policy.unsettled_ms
        return min(max(self._of_text(), least_ms), self._policy.hard_ms)

    def quiet_ms(self, now: int) -> float:
        """How long nobody has been speaking by the sample `now`."""
        since = self.speech_end
        if self._probability >= self._policy.release and self._loud_until > self._judged_until:
            since = self._loud_until  # loud, not judged yet, and speech so far
        return max(0, now - since) / _samples(0.001)

    def _of_text(self) -> float:
        match self._belief.verdict:
            case Verdict.CLOSED:
                return self._policy.closed_ms
            case Verdict.OPEN:
                return self._policy.open_ms
            case Verdict.INCOMPLETE:
                return self._policy.hanging_ms
            case Verdict.NONE:
                return self._of_free_text()

    def _of_free_text(self) -> float:
        policy, belief = self._policy, self._belief
        if belief.hanging:
            return policy.hanging_ms
        if belief.over is not None and belief.over >= policy.sure:
            return policy.over_ms
        learned_ms = min(self._learned_ms, policy.most_learned_ms)
        if belief.over is not None and belief.over <= 1 - policy.sure:
            return max(policy.going_on_ms, learned_ms)
        return max(policy.whole_ms, learned_ms)

    def _is_vetoed(self, quiet_ms: float) -> bool:
        return self._probability >= self._policy.onset and quiet_ms < self._policy.veto_ms

    def _wait(self, probability: float, start: int, end: int) -> SpeechOnset | None:
        begun = self._onset is not None
        if probability < (self._policy.release if begun else self._policy.onset):
            self._onset, self._peak_dbfs = None, -100.0  # a slammed door is no measure of a voice
            return None
        self._onset = start if self._onset is None else self._onset
        if end - self._onset < _samples(self._policy.onset_ms / 1000):
            return None
        self.phase, self.speech_end = Phase.SPEAKING, end
        return SpeechOnset(self._onset)

    def _stop(self, reason: Reason, sample: int) -> EndOfTurn | None:
        if self.phase is Phase.ENDED:
            return None
        return self._end(Reason.NO_SPEECH if self.phase is Phase.WAITING else reason, sample)

    def _end(self, reason: Reason, sample: int) -> EndOfTurn:
        self.phase = Phase.ENDED
        return EndOfTurn(reason, self.speech_end, sample, self._vad_off)


class Pauses:
    """Learns how long the pauses of this conversation's speaker are."""

    GROWS = 0.7  # of the difference, for each pause that was none of the end
    FADES = 0.85  # for each turn without one
    MARGIN = 1.2

    def __init__(self) -> None:
        self._ms = 0.0

    @property
    def learned_ms(self) -> float:
        """How much silence free text should be given for it; 0 while nothing is known."""
        return self._ms * self.MARGIN

    def resumed(self, pause_ms: float) -> None:
        """A pause inside an utterance, or one that wrongly ended it."""
        if pause_ms > self._ms:
            self._ms += self.GROWS * (pause_ms - self._ms)

    def passed(self) -> None:
        """A turn has ended."""
        self._ms *= self.FADES


def _samples(seconds: float) -> int:
    return round(seconds * HEARING_RATE_HZ)
