"""Answers that are prepared while the user may still go on: begun, kept, or thrown away."""

from collections.abc import Callable

import anyio
import anyio.abc

from parlour.events import Outcome, Speculated, Speculation
from parlour.ports import Brain, Utterance
from parlour.turn.lexicon import normalise
from parlour.turn.reply import Reply

MOST_TRIES = 3  # in one turn; somebody who pauses more often is waited for


class Attempts:
    """The answers of one turn. Each is a transaction: prepared, then committed or rolled back."""

    def __init__(
        self,
        group: anyio.abc.TaskGroup,
        brain: Brain,
        make: Callable[[Utterance], Reply],
        tell: Callable[[Speculated], None],
    ) -> None:
        self._group = group
        self._brain = brain
        self._make = make
        self._tell = tell
        self._reply: Reply | None = None
        self._tries = 0
        self._hit = False
        self._wasted_tokens = 0

    def prepare(self, utterance: Utterance) -> None:
        """Begin to answer what may be all; what is being prepared for the same words goes on."""
        if self._reply is not None and _same(self._reply.utterance, utterance):
            return
        self.drop()
        if self._tries < MOST_TRIES:
            self._tries += 1
            self._reply = self._begin(utterance)
            self._say(utterance, "begun")

    def drop(self) -> None:
        """The user goes on: throw away what was prepared."""
        if self._reply is None:
            return
        self._reply.cut()
        self._wasted_tokens += self._reply.tokens
        self._say(self._reply.utterance, "dropped")
        self._reply = None

    def commit(self, utterance: Utterance) -> Reply:
        """Give the answer: the prepared one if it answers the same words in the same context."""
        prepared = self._reply
        if prepared is not None and self._is_valid(prepared, utterance):
            self._hit = True
            self._say(utterance, "kept")
        else:
            self.drop()
            prepared = self._begin(utterance)
        self._reply = None  # no more to be dropped
        prepared.commit.set()
        return prepared

    @property
    def outcome(self) -> Speculation:
        extra_calls = self._tries - self._hit
        return Speculation(self._tries, self._hit, extra_calls, self._wasted_tokens)

    def _begin(self, utterance: Utterance) -> Reply:
        reply = self._make(utterance)
        self._group.start_soon(reply.run)
        return reply

    def _is_valid(self, prepared: Reply, utterance: Utterance) -> bool:
        return (
            prepared.error is None
            and _same(prepared.utterance, utterance)
            and prepared.context == self._brain.context(utterance)
        )

    def _say(self, utterance: Utterance, outcome: Outcome) -> None:
        self._tell(Speculated(utterance.turn, anyio.current_time(), utterance.text, outcome))


def _same(one: Utterance, other: Utterance) -> bool:
    return normalise(one.text) == normalise(other.text) and one.language == other.language
