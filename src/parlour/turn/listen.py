"""From Opus packets to decisions: decode, measure, judge, and feed the recogniser, all by plain calls."""

from collections import deque
from collections.abc import Iterable

import anyio
import numpy as np

from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.level import LevelMeter
from parlour.opus import Decoder
from parlour.ports import SttContext, Vad, Verdict
from parlour.turn.endpoint import (
    Decision,
    EndOfTurn,
    Endpoint,
    EndpointPolicy,
    Phase,
    SpeechOnset,
)

PREROLL_S = 2.0  # sound kept from before a turn; stock firmware sends as much with its wake word
LEAD_S = (
    0.3  # sound before the onset that the recogniser gets too: a VAD is late on soft consonants
)


class Ear:
    """Listens to one utterance: first an onset, then an end, or an end alone if nobody speaks."""

    def __init__(self, vad: Vad, endpoint: Endpoint, start: int) -> None:
        self._vad = vad
        self._state = vad.new_state()
        self._endpoint = endpoint
        self._onset: SpeechOnset | None = None
        self._end: EndOfTurn | None = None
        self._decided = anyio.Event()  # set at each decision
        self._window = np.empty(0, np.int16)  # samples that do not fill a window of the VAD yet
        self._now = start
        self._backlog: deque[Pcm] = deque()  # heard before a recogniser was attached
        self._hearing: SttContext | None = None

    def hear(self, pcm: Pcm) -> None:
        """Take the next sound of the microphone, whose samples follow on those before."""
        self._now = pcm.end
        if self._hearing is None:
            self._backlog.append(pcm)
        elif self._endpoint.phase is not Phase.ENDED:
            self._hearing.feed(pcm)
        size = self._vad.window_samples
        pending = np.concatenate([self._window, pcm.samples])
        at = pcm.end - len(pending)
        whole = len(pending) - len(pending) % size
        for window in pending[:whole].reshape(-1, size):
            probability = float(self._vad.judge([self._state], window[np.newaxis])[0])
            self._tell(self._endpoint.hear(probability, at, at + size))
            at += size
        self._window = pending[whole:]
        if self._endpoint.phase is Phase.WAITING:  # from the onset on, everything is kept
            oldest = pcm.end - round(LEAD_S * HEARING_RATE_HZ)
            while self._backlog and self._backlog[0].end <= oldest:
                self._backlog.popleft()

    def attach(self, hearing: SttContext) -> None:
        """Give the recogniser all speech so far, and from now on each piece as it comes."""
        while self._backlog:
            hearing.feed(self._backlog.popleft())
        self._hearing = hearing

    def believe(self, verdict: Verdict) -> None:
        """Take the grammar's verdict on what was understood so far."""
        self._endpoint.believe(verdict)

    def release(self) -> None:
        """The user let go of the button."""
        self._tell(self._endpoint.release(self._now))

    def stall(self) -> None:
        """No packet came for too long."""
        self._tell(self._endpoint.stall(self._now))

    async def wait_onset(self) -> SpeechOnset | None:
        """Wait until somebody speaks; None: the utterance ended without."""
        while self._onset is None and self._end is None:
            await self._decided.wait()
        return self._onset

    async def wait_end(self) -> EndOfTurn:
        while self._end is None:
            await self._decided.wait()
        return self._end

    def _tell(self, decision: Decision | None) -> None:
        match decision:
            case None:
                return
            case SpeechOnset():
                self._onset = decision
            case EndOfTurn():
                self._end = decision
        self._decided.set()
        self._decided = anyio.Event()


class Microphone:
    """The microphone of one device. Time is its sample count; arrival times never matter."""

    def __init__(self, vad: Vad, policy: EndpointPolicy) -> None:
        self.samples = 0  # heard since the session began
        self.level = LevelMeter(HEARING_RATE_HZ)
        self._vad = vad
        self._policy = policy
        self._decoder = Decoder(HEARING_RATE_HZ)
        self._recent: deque[Pcm] = deque()
        self._ear: Ear | None = None

    def hear(self, packet: bytes) -> None:
        """Take one Opus packet. Raises AudioError for garbage; the next packet is welcome."""
        samples = self._decoder.decode(packet)
        pcm = Pcm(samples, HEARING_RATE_HZ, self.samples)
        self.samples = pcm.end
        self.level.push(samples)
        if self._ear is not None:
            self._ear.hear(pcm)
        else:
            self._remember(pcm)

    def listen(self, *, hands_off: bool = False) -> Ear:
        """Open an ear in the place of the present one.

        Only the last LEAD_S of what came before count: the wake word lies further back.
        `hands_off`: silence does not end the utterance (push-to-talk).
        """
        lead = list(self._recent_since(self.samples - round(LEAD_S * HEARING_RATE_HZ)))
        self._recent.clear()
        start = lead[0].start if lead else self.samples
        endpoint = Endpoint(self._policy, start, hands_off=hands_off)
        self._ear = Ear(self._vad, endpoint, start)
        for pcm in lead:
            self._ear.hear(pcm)
        return self._ear

    def close(self, ear: Ear) -> None:
        """Stop listening with `ear`; another one that took its place stays open."""
        if self._ear is ear:
            self._ear = None

    def _recent_since(self, sample: int) -> Iterable[Pcm]:
        return (pcm for pcm in self._recent if pcm.end > sample)

    def _remember(self, pcm: Pcm) -> None:
        self._recent.append(pcm)
        while self._recent[0].end <= pcm.end - round(PREROLL_S * HEARING_RATE_HZ):
            self._recent.popleft()
