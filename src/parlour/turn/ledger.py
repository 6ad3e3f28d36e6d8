"""Which words of an answer lie in which samples, and which of them were heard; pure."""

from dataclasses import dataclass

PREBUFFER_S = (
    0.1  # what a device holds before it plays, where it does not report: two or three frames
)

SLOWEST_S = 0.12  # for a letter, in speech that is still being made: half the usual pace


@dataclass(slots=True)
class _Clause:
    text: str
    start: int
    end: int
    whole: bool = False  # nothing more of it comes


@dataclass(frozen=True, slots=True)
class _Report:
    """What the device said last, in samples, and when."""

    played: int
    buffered: int
    at_s: float


class Ledger:
    """Follows one answer. Sample counts are at `rate_hz`; what cannot be known counts as unheard.

    A device that reports what it played is believed as far as that is possible; for one that
    does not, its clock is guessed from when it was sent what.
    """

    def __init__(self, rate_hz: int) -> None:
        self.faults = 0  # reports that cannot be true
        self._rate_hz = rate_hz
        self._clauses: list[_Clause] = []
        self._sent = 0
        self._began_s: float | None = None  # when playing would have begun without any pause
        self._paused_s: float | None = None
        self._report: _Report | None = None

    # ------------------------------------------------------------ what was made and sent

    def add(self, text: str, start: int, end: int) -> None:
        """Sound of a new text was made: it begins at the sample `start` and has come to `end`."""
        self._clauses.append(_Clause(text, start, end))

    def extend(self, end: int) -> None:
        """The latest text has come to the sample `end`."""
        if self._clauses:
            self._clauses[-1].end = max(self._clauses[-1].end, end)

    def close(self) -> None:
        """The latest text is spoken to its end."""
        if self._clauses:
            self._clauses[-1].whole = True

    def sent(self, until: int, now_s: float) -> None:
        """The device was sent all up to the sample `until`."""
        if self._began_s is None:
            self._began_s = now_s + PREBUFFER_S
        # Sent later than it should have been played: the device stood still meanwhile.
        late_s = now_s - (self._began_s + self._sent / self._rate_hz)
        if late_s > 0:
            self._began_s += late_s
        self._sent = max(self._sent, until)

    # ------------------------------------------------------------ what was played

    def played(self, played_ms: int, buffered_ms: int, now_s: float) -> None:
        """Take the device's own word for it, unless it cannot be true."""
        played = played_ms * self._rate_hz // 1000
        before = self._report.played if self._report else 0
        if not before <= played <= self._sent:
            self.faults += 1
            return
        buffered = max(0, min(buffered_ms * self._rate_hz // 1000, self._sent - played))
        self._report = _Report(played, buffered, now_s)

    def pause(self, now_s: float) -> None:
        """The device stops playing where it is."""
        if self._paused_s is None:
            self._report = self._advanced(now_s)
            self._paused_s = now_s

    def resume(self, now_s: float) -> None:
        """It plays on."""
        if self._paused_s is None:
            return
        if self._began_s is not None:
            self._began_s += now_s - self._paused_s
        if self._report is not None:
            self._report = _Report(self._report.played, self._report.buffered, now_s)
        self._paused_s = None

    def played_s(self, now_s: float) -> float:
        """How much of the answer has been heard; at least so much."""
        return self._played(now_s) / self._rate_hz

    def heard(self, now_s: float) -> str:
        """The words that were played to their end. Within a text they are spread by their letters."""
        played = self._played(now_s)
        return " ".join(filter(None, (self._spoken(c, played) for c in self._clauses)))

    def _played(self, now_s: float) -> int:
        now_s = now_s if self._paused_s is None else min(now_s, self._paused_s)
        if (report := self._advanced(now_s)) is not None:
            return report.played
        if self._began_s is None:
            return 0
        return max(0, min(self._sent, int((now_s - self._began_s) * self._rate_hz)))

    def _advanced(self, now_s: float) -> _Report | None:
        """The last report, and what must have been played since of what was in the buffer then."""
        report = self._report
        if report is None or self._paused_s is not None:
            return report
        since = max(0, int((now_s - report.at_s) * self._rate_hz))
        step = min(since, report.buffered)
        return _Report(report.played + step, report.buffered - step, now_s)

    def _spoken(self, clause: _Clause, played: int) -> str:
        length = clause.end - clause.start
        if not clause.whole:
            length = max(length, round(len(clause.text) * SLOWEST_S * self._rate_hz))
        if played >= clause.start + length:
            return clause.text
        letters = len(clause.text) * (played - clause.start) / length if length > 0 else 0.0
        words, at = [], 0
        for word in clause.text.split():
            at = clause.text.index(word, at) + len(word)
            if at > letters:
                break
            words.append(word)
        return " ".join(words)
