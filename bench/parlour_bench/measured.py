"""What came of one utterance: its turns, and the verdict on them."""

from dataclasses import dataclass
from enum import StrEnum

from parlour.app.virtual_turn import Turn
from parlour.turn.lexicon import normalise
from parlour_bench.manifest import Kind
from parlour_bench.plan import Group, Said
from parlour_bench.script import FRAME_MS, MS_PER_CHARACTER


class Verdict(StrEnum):
    RIGHT = "right"
    MISSED = "missed"  # answered, but what it should cause did not happen; nothing else did
    WRONG = "wrong"  # something happened that nobody asked for
    UNANSWERED = "unanswered"
    UNPREPARED = "unprepared"  # the house could not be brought to where there is something to do


@dataclass(frozen=True, slots=True)
class Measured:
    """One utterance, spoken and judged. `turns` has more than one where something was said into
    the answer, or a turn was merged into the next."""

    said: Said
    turns: tuple[Turn, ...]
    verdict: Verdict
    why: str = ""  # what was not right

    @property
    def turn(self) -> Turn:
        """The one that answers what was said first. What is said into an answer may be taken for the
        rest of the question: then it is that one all the same."""
        if self.said.kind is Kind.BARGE_IN:
            return self.turns[0]
        return next((turn for turn in self.turns if turn.end != "merged"), self.turns[0])

    @property
    def merges(self) -> int:
        """How often a turn was taken too early, and then gone on with."""
        before = self.turns.index(self.turn)
        return before + self.turn.merges

    @property
    def is_early(self) -> bool:
        """Whether the answer was given before the speaker was done, and not taken back."""
        return self.turn.end_of_turn_ms is not None and self.turn.end_of_turn_ms < 0

    @property
    def cuts(self) -> int:
        """How often the speaker was cut off."""
        return self.merges + self.is_early

    @property
    def first_audio_ms(self) -> float | None:
        """From the true end of speech to the first byte of the answer that counts; None where that
        would flatter, because the speaker was cut off."""
        return None if self.is_early else self.turn.first_audio_ms

    @property
    def latency_ms(self) -> float | None:
        """What is reported of its class: of what is said into an answer the time to silence."""
        if self.said.kind is not Kind.BARGE_IN:
            return self.first_audio_ms
        return self.turn.silenced_ms if self.said.utterance.how == "words" else None

    @property
    def stages_ms(self) -> dict[str, float]:
        """The server's stamps, counted from the true end of speech instead of the one it saw."""
        return {} if self.is_early else true_stages_ms(self.turn)

    @property
    def has_lost_words(self) -> bool:
        """Whether the server believes that something else was said; of what a script lets it hear
        that is the fault of nobody else."""
        return normalise(self.turn.transcript) != normalise(self.said.utterance.text)

    @property
    def words_unheard(self) -> int:
        """Words that the server believes were heard, beyond those that left the speaker."""
        if self.said.group is not Group.SCRIPTED:
            return 0  # nobody knows where a real voice's words lie
        return sum(unheard_words(turn) for turn in self.turns)


def true_stages_ms(turn: Turn) -> dict[str, float]:
    """Both clocks are laid upon each other at the first packet of the reply."""
    sent_ms = turn.stages_ms.get("sent_first")
    if turn.first_audio_ms is None or sent_ms is None:
        return {}
    late_ms = turn.first_audio_ms - sent_ms
    stages = {stage: ms + late_ms for stage, ms in turn.stages_ms.items()}
    stages.pop("speech_start", None)
    if turn.first_audible_s is not None:
        stages["audible"] = turn.first_audible_s * 1000
    return stages


def unheard_words(turn: Turn) -> int:
    """The scripted voice spends equal time on each letter, so what was played is known exactly."""
    played, begins_ms = 0, 0
    for text in turn.sentences:
        at = 0
        for word in text.split():
            at = text.index(word, at) + len(word)
            played += begins_ms + at * MS_PER_CHARACTER <= turn.played_s * 1000 + 1
        begins_ms += -(-len(text) * MS_PER_CHARACTER // FRAME_MS) * FRAME_MS  # filled
    return max(0, len(turn.heard.split()) - played)
