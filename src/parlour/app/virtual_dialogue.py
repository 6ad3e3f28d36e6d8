"""Several recordings said to a server on one open microphone, the later ones into its answers; pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parlour.app.virtual_turn import Listener, Turn, speech_begin, speech_end, turn_of
from parlour.audio import HEARING_RATE_HZ, Pcm, Samples
from parlour.ids import TurnId
from parlour.wire.device_peer import Heard, Sound, TtsPause, TtsStart, TtsStop, TurnReport
from parlour.wire.messages import Playout

REPORT_S = 0.2  # between two playout reports
_NO_ANSWER = ("cancelled", "merged")  # another turn follows


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A recording at 16 kHz. `after_s` counts from when the answer to the line before began to be
    heard; None: it is said at once."""

    pcm: Pcm
    after_s: float | None = None


class Mouth:
    """What goes into a microphone that is always open: what is being said, else silence."""

    def __init__(self, frame_samples: int) -> None:
        self._frame_samples = frame_samples
        self._pending = np.empty(0, np.int16)

    def say(self, pcm: Pcm) -> None:
        self._pending = np.concatenate([self._pending, pcm.samples])

    def next_frame(self) -> Samples:
        frame, self._pending = (
            self._pending[: self._frame_samples],
            self._pending[self._frame_samples :],
        )
        missing = self._frame_samples - len(frame)
        return np.concatenate([frame, np.zeros(missing, np.int16)]) if missing else frame


class Dialogue:
    """Keeps a record of each turn. Times are of the device's clock."""

    def __init__(self, lines: Sequence[Line], rate_hz: int) -> None:
        self._lines = deque(lines)
        self._rate_hz = rate_hz
        self._turns: dict[TurnId, Listener] = {}
        self._playing: Listener | None = None  # whose answer is, or was last, heard
        self._onset_s: float | None = None  # of the line said last
        self._ended_s = 0.0
        self._cue_s: float | None = None  # when the answer to the line said last began to be heard
        self._report_s = 0.0
        self._must_report = False

    def due(self, now_s: float) -> Line | None:
        """The line that begins now, if one does."""
        if not self._lines:
            return None
        after_s = self._lines[0].after_s
        cued = self._cue_s is not None and now_s >= self._cue_s + (after_s or 0.0)
        if after_s is not None and not cued:
            return None
        line = self._lines.popleft()
        self._onset_s = now_s + speech_begin(line.pcm) / HEARING_RATE_HZ
        self._ended_s = now_s + speech_end(line.pcm) / HEARING_RATE_HZ
        self._cue_s = None
        return line

    def take(self, heard: Heard, now_s: float) -> None:
        """Take a message of the server's."""
        listener = self._listener(heard)
        if listener is None:
            return
        if isinstance(heard, TtsStart):
            self._playing = listener
        listener.take(heard, now_s)
        if isinstance(heard, TtsPause | TtsStop):
            self._must_report = True
            self._note_silence(listener)
        heard_s = listener.turn.first_audible_s
        if isinstance(heard, Sound) and heard_s is not None and self._is_new(listener):
            self._cue_s = listener.zero_s + heard_s

    def playout(self, now_s: float) -> Playout | None:
        """The report that is due, if one is."""
        if self._playing is None or not (self._must_report or now_s >= self._report_s):
            return None
        self._must_report, self._report_s = False, now_s + REPORT_S
        return self._playing.playout(now_s)

    @property
    def over(self) -> bool:
        """All was said, and what came last was answered."""
        if self._lines or not self._turns:
            return False
        last = list(self._turns.values())[-1]
        return last.over and last.turn.end not in _NO_ANSWER

    def finish(self) -> list[Turn]:
        return [listener.finish() for listener in self._turns.values()]

    def _listener(self, heard: Heard) -> Listener | None:
        id_ = turn_of(heard)
        if id_ is None:
            return self._playing if isinstance(heard, Sound) else None
        if id_ not in self._turns:
            if isinstance(heard, TurnReport) and heard.end == "no_speech":
                return None  # it listened on, and nobody spoke
            self._turns[id_] = Listener(self._rate_hz, self._ended_s, reports=True)
        return self._turns[id_]

    def _is_new(self, listener: Listener) -> bool:
        """Whether its answer is to the line said last."""
        return self._cue_s is None and listener.zero_s == self._ended_s

    def _note_silence(self, listener: Listener) -> None:
        silent_s = listener.silent_since_s
        if silent_s is not None and self._onset_s is not None and silent_s > self._onset_s:
            listener.turn.silenced_ms = round((silent_s - self._onset_s) * 1000, 1)
