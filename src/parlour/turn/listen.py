"""From Opus packets to decisions: decode, measure, judge, and feed the recogniser, all by plain calls."""

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

import anyio
import numpy as np
from numpy.typing import NDArray

from parlour.audio import HEARING_RATE_HZ, Pcm, Samples
from parlour.level import SILENCE_DBFS, LevelMeter
from parlour.opus import Decoder
from parlour.ports import SttContext, VadState
from parlour.turn.endpoint import (
    Belief,
    Decision,
    EndOfTurn,
    Endpoint,
    EndpointPolicy,
    Phase,
)

PREROLL_S = 2.0  # sound kept from before a turn; stock firmware sends as much with its wake word
LEAD_S = (
    0.3  # sound before the onset that the recogniser gets too: a VAD is late on soft consonants
)
HOP_SAMPLES = HEARING_RATE_HZ // 100


class SharedVad(Protocol):
    """One network for all microphones; `turn.vadbatch.VadBatch` is one."""

    @property
    def window_samples(self) -> int: ...

    def new_state(self) -> VadState: ...

    def submit(
        self, state: VadState, window: NDArray[np.int16], take: Callable[[float], None]
    ) -> None:
        """Have `take` called with the probability of speech, at once or some milliseconds later.

        The windows of one state are judged in their order.
        """
        ...

    def forget(self, state: VadState) -> None:
        """Drop what is still to be judged for a state; its `take` is not called any more."""
        ...


class Ear:
    """Listens to one utterance and tells what the endpoint decides about it, in order."""

    def __init__(self, vad: SharedVad, endpoint: Endpoint, start: int) -> None:
        self.now = start
        self._vad = vad
        self._state = vad.new_state()
        self._endpoint = endpoint
        self._decisions: deque[Decision] = deque()  # an onset, an end, and two for each pause
        self._decided = anyio.Event()
        self._window = np.empty(0, np.int16)  # samples that do not fill a window of the VAD yet
        self._pieces: deque[Pcm] = deque()  # all of the utterance, at most 30 s
        self._hearing: SttContext | None = None

    def hear(self, pcm: Pcm, noise_dbfs: float, *, own_voice: bool = False) -> None:
        """Take the next sound of the microphone, whose samples follow on those before.

        `own_voice`: it may be our own answer out of the loudspeaker, and counts as silence.
        """
        self.now = pcm.end
        if self._endpoint.phase is Phase.ENDED:
            return
        self._pieces.append(pcm)
        if self._hearing is not None:
            self._hearing.feed(pcm)
        for n, dbfs in enumerate(_levels_dbfs(pcm.samples), start=1):
            end = min(pcm.start + n * HOP_SAMPLES, pcm.end)
            self._endpoint.energy(SILENCE_DBFS if own_voice else dbfs, noise_dbfs, end)
        self._submit(pcm, own_voice)
        self._tell(self._endpoint.tick(self.now))
        if self._endpoint.phase is Phase.WAITING:  # from the onset on, everything is kept
            oldest = pcm.end - round(LEAD_S * HEARING_RATE_HZ)
            while self._pieces and self._pieces[0].end <= oldest:
                self._pieces.popleft()

    def attach(self, hearing: SttContext) -> None:
        """Give a recogniser all speech so far, and from now on each piece as it comes."""
        for pcm in self._pieces:
            hearing.feed(pcm)
        self._hearing = hearing

    def detach(self) -> None:
        """The recogniser gets no more."""
        self._hearing = None

    def believe(self, belief: Belief) -> None:
        """Take what is known of the text so far."""
        self._endpoint.believe(belief)

    def expect(self, wait_s: float | None) -> None:
        """Give the user so long from now on to begin; None: as long as it takes."""
        self._endpoint.expect(
            None if wait_s is None else self.now + round(wait_s * HEARING_RATE_HZ)
        )

    def release(self) -> None:
        """The user let go of the button."""
        self._tell(self._endpoint.release(self.now))

    def stall(self) -> None:
        """No packet came for too long."""
        self._tell(self._endpoint.stall(self.now))

    def close(self) -> None:
        """Nothing more is to be heard."""
        self._vad.forget(self._state)
        self.detach()

    async def decide(self) -> Decision:
        """Wait for the next decision. After an EndOfTurn there is none."""
        while not self._decisions:
            await self._decided.wait()
        return self._decisions.popleft()

    def put_back(self, *decisions: Decision) -> None:
        """Let the next reader see these again, in this order."""
        self._decisions.extendleft(reversed(decisions))

    def start_anew(self) -> None:
        """What was heard was nothing. Waits for an onset again, as long as it takes."""
        self.detach()
        self._decisions.clear()
        self._endpoint.start_anew(self.now)

    @property
    def is_speaking(self) -> bool:
        return self._endpoint.phase is Phase.SPEAKING

    def last(self, longest_s: float) -> Pcm:
        """The end of the utterance so far, at most so long."""
        least = self.now - round(longest_s * HEARING_RATE_HZ)
        pieces = [pcm for pcm in self._pieces if pcm.end > least]
        samples = np.concatenate([pcm.samples for pcm in pieces] or [np.empty(0, np.int16)])
        kept = samples[-round(longest_s * HEARING_RATE_HZ) :]
        return Pcm(kept, HEARING_RATE_HZ, self.now - len(kept))

    def _submit(self, pcm: Pcm, own_voice: bool) -> None:
        size = self._vad.window_samples
        pending = np.concatenate([self._window, pcm.samples])
        at = pcm.end - len(pending)
        whole = len(pending) - len(pending) % size
        for window in pending[:whole].reshape(-1, size):
            self._vad.submit(self._state, window, self._taker(at, at + size, own_voice))
            at += size
        self._window = pending[whole:]

    def _taker(self, start: int, end: int, own_voice: bool) -> Callable[[float], None]:
        def take(probability: float) -> None:
            self._tell(self._endpoint.judge(0.0 if own_voice else probability, start, end))

        return take

    def _tell(self, decision: Decision | None) -> None:
        if decision is None:
            return
        self._decisions.append(decision)
        if isinstance(decision, EndOfTurn):
            self.detach()
        self._decided.set()
        self._decided = anyio.Event()


class Microphone:
    """The microphone of one device. Time is its sample count; arrival times never matter."""

    def __init__(
        self, vad: SharedVad, policy: EndpointPolicy, own_voice: Callable[[float], bool]
    ) -> None:
        """`own_voice`: whether a sound of that level may be the answer that is being played."""
        self.samples = 0  # heard since the session began
        self.level = LevelMeter(HEARING_RATE_HZ)
        self._vad = vad
        self._policy = policy
        self._own_voice = own_voice
        self._decoder = Decoder(HEARING_RATE_HZ)
        self._recent: deque[Pcm] = deque()
        self._ear: Ear | None = None
        self._consumed = 0  # up to where an utterance was heard that is over

    def hear(self, packet: bytes) -> None:
        """Take one Opus packet. Raises AudioError for garbage; the next packet is welcome."""
        samples = self._decoder.decode(packet)
        pcm = Pcm(samples, HEARING_RATE_HZ, self.samples)
        self.samples = pcm.end
        level = self.level.push(samples)
        self._remember(pcm)
        own_voice = self._own_voice(level.dbfs)
        if self._ear is not None:
            self._ear.hear(pcm, level.noise_dbfs, own_voice=own_voice)

    def listen(
        self, *, hands_off: bool = False, since: int | None = None, learned_ms: float = 0.0
    ) -> Ear:
        """Open an ear in the place of the present one.

        It hears what came after the sample `since` (at most PREROLL_S of it), or LEAD_S of what
        came before now: the wake word lies further back. `hands_off`: silence does not end the
        utterance (push-to-talk).
        """
        if since is None:
            since = max(self._consumed, self.samples - round(LEAD_S * HEARING_RATE_HZ))
        lead = [pcm for pcm in self._recent if pcm.start >= since]
        start = lead[0].start if lead else self.samples
        endpoint = Endpoint(self._policy, start, hands_off=hands_off, learned_ms=learned_ms)
        self._ear = Ear(self._vad, endpoint, start)
        for pcm in lead:
            self._ear.hear(pcm, self.level.last.noise_dbfs)
        return self._ear

    def close(self, ear: Ear) -> None:
        """Stop listening with `ear`; another one that took its place stays open."""
        ear.close()
        if self._ear is ear:
            self._ear, self._consumed = None, self.samples

    def since(self, sample: int) -> Pcm:
        """What was heard from about that sample on, as far as it is kept: PREROLL_S."""
        pieces = [pcm for pcm in self._recent if pcm.end > sample]
        if not pieces:
            return Pcm(np.zeros(0, np.int16), HEARING_RATE_HZ, self.samples)
        return Pcm(
            np.concatenate([pcm.samples for pcm in pieces]), HEARING_RATE_HZ, pieces[0].start
        )

    def _remember(self, pcm: Pcm) -> None:
        self._recent.append(pcm)
        while self._recent[0].end <= pcm.end - round(PREROLL_S * HEARING_RATE_HZ):
            self._recent.popleft()


def _levels_dbfs(samples: Samples) -> list[float]:
    """The level of each 10 ms; a rest at the end counts as one."""
    wide = samples.astype(np.float32)
    starts = np.arange(0, len(samples), HOP_SAMPLES)
    if not len(samples):
        return []
    squares = np.add.reduceat(wide * wide, starts)
    full = 32768.0**2 / 2 * HOP_SAMPLES
    return [10 * math.log10(max(float(square) / full, 1e-10)) for square in squares]
