"""A microphone that the server listens to for wake words, and our own voice in it."""

from collections import deque
from dataclasses import dataclass

from parlour.audio import Pcm
from parlour.level import level_dbfs
from parlour.ports import Heard, WakeWordStream
from parlour.turn.echo import EchoGuard, EchoPolicy


@dataclass(frozen=True, slots=True)
class OwnVoicePolicy:
    """When a word that is heard while we speak is somebody else's."""

    word_s: float = 0.8  # before the engine was sure, in which the word lies
    least_share: float = 0.15  # of that time louder than our own voice can be; ours has 0.05


class WakeListener:
    """Hears wake words in one microphone, and not those that our own voice says.

    Times are of one clock. Nothing here waits: a piece of 60 ms takes 0.2 ms with one word.
    """

    def __init__(
        self,
        stream: WakeWordStream,
        own_voice: OwnVoicePolicy | None = None,
        echo: EchoPolicy | None = None,
    ) -> None:
        self._stream = stream
        self._policy = own_voice or OwnVoicePolicy()
        self._guard = EchoGuard(echo)
        self._louder: deque[tuple[float, float, bool]] = deque()  # when, how long, than our voice

    def played(self, dbfs: float, at_s: float, duration_s: float) -> None:
        """A piece of the answer was sent to the device: how loud, when, how long it sounds."""
        self._guard.played(dbfs, at_s, duration_s)

    def feed(self, pcm: Pcm, at_s: float) -> list[Heard]:
        """Take the next piece of the stream, of 10 to 100 ms, that ended at `at_s`."""
        if pcm.duration_s:
            louder = self._guard.hears(level_dbfs(pcm.samples), at_s)
            self._louder.append((at_s, pcm.duration_s, louder))
        while self._louder and self._louder[0][0] <= at_s - self._policy.word_s:
            self._louder.popleft()
        heard = self._stream.feed(pcm)
        return heard if heard and self._is_somebody() else []

    def reset(self) -> None:
        """The next piece begins a new stream; what is being played is still known."""
        self._stream.reset()
        self._louder.clear()

    def close(self) -> None:
        self._stream.close()

    def _is_somebody(self) -> bool:
        whole = sum(duration_s for _, duration_s, _ in self._louder)
        loud = sum(duration_s for _, duration_s, louder in self._louder if louder)
        return loud >= self._policy.least_share * whole
