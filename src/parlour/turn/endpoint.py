"""When somebody begins and ends to speak: a pure state machine on sample time.

    state     what happened                                        -> state      decision
    WAITING   voiced for `onset_ms`                                -> SPEAKING   SpeechOnset
    WAITING   nothing voiced for `no_speech_s`                     -> ENDED      EndOfTurn(NO_SPEECH)
    SPEAKING  a window below `release`                             -> PAUSED
    SPEAKING  spoken for `longest_s`                               -> ENDED      EndOfTurn(TOO_LONG)
    PAUSED    a window above `onset`                               -> SPEAKING
    PAUSED    silent for as long as the verdict on the text asks   -> ENDED      EndOfTurn(SILENCE)
    any       the user released the button                         -> ENDED      EndOfTurn(RELEASED)

With `hands_off` (push-to-talk) silence ends nothing; the limits hold all the same.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from parlour.audio import HEARING_RATE_HZ
from parlour.ports import Verdict


@dataclass(frozen=True, slots=True)
class EndpointPolicy:
    """Every number that decides when a turn begins and ends."""

    onset: float = 0.5  # probability of speech that opens; Silero's own recommendation
    release: float = 0.35  # below it a window is silent; the gap keeps a soft vowel from flapping
    onset_ms: int = 64  # two windows: a click or a spoon on a plate is one
    closed_ms: int = 200  # silence after a whole command that nothing can extend
    open_ms: int = 450  # after a whole command that more words could change
    unknown_ms: int = 700  # after anything else; people pause this long inside 20 % of sentences
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
class EndOfTurn:
    reason: Reason
    speech_end: int  # the sample after the last voiced one; of NO_SPEECH: where waiting began
    sample: int  # where the decision fell


Decision: TypeAlias = SpeechOnset | EndOfTurn


class Endpoint:
    """Follows one turn. `start` is the first sample of the turn."""

    def __init__(self, policy: EndpointPolicy, start: int, *, hands_off: bool = False) -> None:
        self.phase = Phase.WAITING
        self._policy = policy
        self._hands_off = hands_off
        self._verdict = Verdict.NONE
        self._began = start
        self._onset: int | None = None  # first sample of the present run of voiced windows
        self._speech_end = start

    def hear(self, probability: float, start: int, end: int) -> Decision | None:
        """Take the verdict of the VAD on the samples `start` to `end`."""
        policy = self._policy
        match self.phase:
            case Phase.WAITING:
                if probability < policy.onset:
                    self._onset = None
                    waited = end - self._began
                    return (
                        self._end(Reason.NO_SPEECH, end)
                        if waited >= _samples(policy.no_speech_s)
                        else None
                    )
                self._onset = start if self._onset is None else self._onset
                if end - self._onset < _samples(policy.onset_ms / 1000):
                    return None
                self.phase, self._speech_end = Phase.SPEAKING, end
                return SpeechOnset(self._onset)
            case Phase.SPEAKING | Phase.PAUSED:
                threshold = policy.release if self.phase is Phase.SPEAKING else policy.onset
                self.phase = Phase.SPEAKING if probability >= threshold else Phase.PAUSED
                if self.phase is Phase.SPEAKING:
                    self._speech_end = end
                return self._judge(end)
            case Phase.ENDED:
                return None

    def believe(self, verdict: Verdict) -> None:
        """Take the grammar's verdict on the latest text; it moves the end from the next window on."""
        self._verdict = verdict

    def release(self, sample: int) -> EndOfTurn | None:
        """The user let go of the button, or said in another way that this was all."""
        if self.phase is Phase.ENDED:
            return None
        return self._end(
            Reason.NO_SPEECH if self.phase is Phase.WAITING else Reason.RELEASED, sample
        )

    def stall(self, sample: int) -> EndOfTurn | None:
        """No sound came for so long that waiting for it makes no sense."""
        if self.phase is Phase.ENDED:
            return None
        return self._end(
            Reason.NO_SPEECH if self.phase is Phase.WAITING else Reason.STALLED, sample
        )

    @property
    def patience_ms(self) -> int:
        """How much silence the turn is given as things stand."""
        match self._verdict:
            case Verdict.CLOSED:
                return self._policy.closed_ms
            case Verdict.OPEN:
                return self._policy.open_ms
            case Verdict.INCOMPLETE | Verdict.NONE:
                return self._policy.unknown_ms

    def _judge(self, sample: int) -> EndOfTurn | None:
        if self._onset is not None and sample - self._onset >= _samples(self._policy.longest_s):
            return self._end(Reason.TOO_LONG, sample)
        silent = sample - self._speech_end
        if not self._hands_off and silent >= _samples(self.patience_ms / 1000):
            return self._end(Reason.SILENCE, sample)
        return None

    def _end(self, reason: Reason, sample: int) -> EndOfTurn:
        self.phase = Phase.ENDED
        return EndOfTurn(reason, self._speech_end, sample)


def _samples(seconds: float) -> int:
    return round(seconds * HEARING_RATE_HZ)
