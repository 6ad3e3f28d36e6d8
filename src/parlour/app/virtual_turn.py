"""What a device sees of one turn: every message and its time; pure, the time is an argument."""

from dataclasses import dataclass, field
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from parlour.audio import HEARING_RATE_HZ, Pcm, Samples, join, silence
from parlour.errors import AudioError
from parlour.events import Action, Speculation
from parlour.ids import TurnId
from parlour.opus import Decoder
from parlour.wire.device_peer import (
    Alert,
    Arb,
    Emotion,
    FinalText,
    Heard,
    ListenBegun,
    ListenEnded,
    PartialText,
    Sentence,
    ServerError,
    ServerHello,
    Sound,
    TtsPause,
    TtsResume,
    TtsStart,
    TtsStop,
    TurnReport,
)
from parlour.wire.messages import Ignored, Playout, Rejected

PREBUFFER_S = 0.06  # what the speaker holds before it begins: three frames against Wi-Fi's jitter
AUDIBLE_DBFS = -45.0  # a quiet room's noise lies below, speech above
SPEECH_RANGE_DB = 38.0  # from the loudest 10 ms of an utterance down to its faintest consonant
HOPS_PER_S = 100  # energy is measured over 10 ms


def speech_end(pcm: Pcm) -> int:
    """The sample after the last 10 ms that are no more than 38 dB below the loudest 10 ms.

    Counts from the first sample of `pcm`. Meant for recordings with little noise: where noise
    itself lies above that line, and in silence, it is the end of the recording.
    """
    hop = pcm.rate_hz // HOPS_PER_S
    energy = _energies(pcm.samples, hop)
    if not len(energy):
        return len(pcm.samples)
    loud = np.flatnonzero(energy >= energy.max() * 10 ** (-SPEECH_RANGE_DB / 10))
    return min((int(loud[-1]) + 1) * hop, len(pcm.samples))


def speech_begin(pcm: Pcm) -> int:
    """The first sample of the first 10 ms that are loud enough to be speech, see `speech_end`."""
    hop = pcm.rate_hz // HOPS_PER_S
    whole = len(pcm.samples) - len(pcm.samples) % hop
    backwards = Pcm(pcm.samples[:whole][::-1], pcm.rate_hz)
    return whole - speech_end(backwards)


@dataclass(slots=True)
class Turn:
    """One turn. All times `_s` count from the true end of speech; None: it never came."""

    transcript: str = ""
    partials: list[tuple[float, str]] = field(default_factory=list)  # when, what
    sentences: list[str] = field(default_factory=list)
    packets: list[tuple[float, int]] = field(default_factory=list)  # when, bytes of Opus
    reply: Pcm = field(default_factory=lambda: silence(0, HEARING_RATE_HZ))
    actions: tuple[Action, ...] = ()
    stages_ms: dict[str, float] = field(default_factory=dict)  # from the end the server saw
    end: str = "no_reply"  # the server's events.TurnEnd; "closed": it hung up; "no_reply"
    final_s: float | None = None
    reply_began_s: float | None = None  # `tts start`
    first_audible_s: float | None = None  # first sound above AUDIBLE_DBFS out of the speaker
    underruns: int = 0  # gaps in the reply that a listener hears
    heard: str = ""  # what the server believes was heard of the reply
    cut: bool = False  # the reply was cut off
    played_s: float = 0.0  # how much of the reply came out of the speaker
    silenced_ms: float | None = None  # from the onset of what was said into it to silence
    merges: int = 0  # how often the server took the turn too early and went on with it
    speculation: Speculation = Speculation()
    faults: list[str] = field(default_factory=list)  # what was broken, by the server's word or ours

    @property
    def first_audio_ms(self) -> float | None:
        """To the first byte of the reply's sound."""
        return round(self.packets[0][0] * 1000, 1) if self.packets else None

    @property
    def reply_text(self) -> str:
        return " ".join(self.sentences)

    @property
    def end_of_turn_ms(self) -> float | None:
        """When the server ended the turn, from the true end of speech; negative: it cut in.

        The server counts from the end that it saw. Its first packet is the one that came here
        first, so that the two clocks are laid upon each other there; the way is neglected.
        """
        first_ms, sent_ms = self.first_audio_ms, self.stages_ms.get("sent_first")
        ended_ms = self.stages_ms.get("commit")
        if first_ms is None or sent_ms is None or ended_ms is None:
            return None if self.final_s is None else round(self.final_s * 1000, 1)
        return round(first_ms - (sent_ms - ended_ms), 1)


class Speaker:
    """A loudspeaker behind a small buffer: when each packet is heard, and how often it ran dry."""

    def __init__(self, prebuffer_s: float = PREBUFFER_S) -> None:
        self._prebuffer_s = prebuffer_s
        self._until_s: float | None = None  # when all that came will have been played
        self._paused_s: float | None = None
        self.silent_since_s: float | None = None  # when it was last told to be silent
        self.taken_s = 0.0
        self.underruns = 0

    @property
    def paused(self) -> bool:
        return self._paused_s is not None

    def pause(self, now_s: float) -> None:
        """Be silent, and keep what is queued."""
        if self._paused_s is None:
            self._paused_s = self.silent_since_s = now_s

    def resume(self, now_s: float) -> None:
        """Play on."""
        if self._paused_s is not None and self._until_s is not None:
            self._until_s += max(0.0, now_s - self._paused_s)
        self._paused_s = None

    def flush(self, now_s: float) -> None:
        """Drop what is queued."""
        if self._paused_s is None:
            self.silent_since_s = now_s
        self.taken_s = self.played_s(now_s)
        self._until_s = self._paused_s = None

    def take(self, duration_s: float, now_s: float) -> float:
        """Queue sound that came at `now_s`; returns when it begins to be heard."""
        now_s = self._now(now_s)
        begins_s = self._until_s
        if begins_s is None or begins_s < now_s:
            self.underruns += begins_s is not None
            begins_s = now_s + self._prebuffer_s
        self._until_s = begins_s + duration_s
        self.taken_s += duration_s
        return begins_s

    def buffered_s(self, now_s: float) -> float:
        if self._until_s is None:
            return 0.0
        return min(self.taken_s, max(0.0, self._until_s - self._now(now_s)))

    def played_s(self, now_s: float) -> float:
        return self.taken_s - self.buffered_s(now_s)

    def _now(self, now_s: float) -> float:
        """While it is paused its clock stands still."""
        return now_s if self._paused_s is None else self._paused_s


class Listener:
    """Takes what the server says of one turn, one message at a time, and keeps the record."""

    def __init__(self, rate_hz: int, speech_ended_s: float, *, reports: bool) -> None:
        """`reports`: whether the server closes a turn with a report; else `tts stop` does."""
        self.turn = Turn()
        self.id: TurnId | None = None
        self.answering = False  # the microphone may rest: a reply began, or nobody listens
        self.over = False
        self._rate_hz = rate_hz
        self.zero_s = speech_ended_s
        self._reports = reports
        self._decoder = Decoder(rate_hz)
        self._speaker = Speaker()
        self._pieces: list[Pcm] = []

    def take(self, heard: Heard, now_s: float) -> None:
        turn, at_s = self.turn, now_s - self.zero_s
        self.id = self.id or turn_of(heard)
        match heard:
            case PartialText() | FinalText():
                self._read(heard, at_s)
            case TtsStart() | Sentence() | TtsPause() | TtsResume() | TtsStop():
                self._play(heard, now_s)
            case Sound(packet=packet):
                self._hear(packet, now_s)
            case ListenEnded(turn=turn_id):
                self.answering = True
                # Where no turn began there is nothing to report.
                self._end("no_speech", unless=self._reports and turn_id is not None)
            case TurnReport():
                self._close(heard)
            case ServerError(message=reason) | Rejected(reason=reason):
                turn.faults.append(reason)
            case Emotion() | Alert() | Arb() | Ignored() | ServerHello() | ListenBegun():
                pass
            case _:
                assert_never(heard)

    def _close(self, report: TurnReport) -> None:
        turn = self.turn
        turn.actions, turn.stages_ms = report.actions, dict(report.stages_ms)
        turn.transcript = turn.transcript or report.transcript
        turn.heard, turn.speculation = report.heard, report.speculation
        self._end(report.end)

    def go_on(self) -> None:
        """The turn was taken too early: what comes next is the answer that counts."""
        turn = self.turn
        turn.merges += 1
        turn.sentences, turn.packets, turn.first_audible_s = [], [], None
        self.id, self.answering, self.over = None, False, False
        self._pieces, self._speaker = [], Speaker()

    def _read(self, heard: PartialText | FinalText, at_s: float) -> None:
        match heard:
            case PartialText(text=text):
                self.turn.partials.append((at_s, text))
            case FinalText(text=text):
                self.turn.transcript, self.turn.final_s = text, at_s

    def _play(
        self, heard: TtsStart | Sentence | TtsPause | TtsResume | TtsStop, now_s: float
    ) -> None:
        match heard:
            case TtsStart():
                self.turn.reply_began_s = now_s - self.zero_s
                self.answering = True
            case Sentence(text=text):
                self.turn.sentences.append(text)
            case TtsPause():
                self._speaker.pause(now_s)
            case TtsResume():
                self._speaker.resume(now_s)
            case TtsStop(flush=flush):
                if flush:
                    self.turn.cut = True
                    self._speaker.flush(now_s)
                self._end("answered", unless=self._reports)

    def playout(self, now_s: float) -> Playout | None:
        """How far the reply has been played; None before it has a turn and a sound."""
        if self.id is None or not self.turn.packets:
            return None
        return Playout(
            self.id,
            played_ms=round(self._speaker.played_s(now_s) * 1000),
            buffered_ms=round(self._speaker.buffered_s(now_s) * 1000),
            underruns=self._speaker.underruns,
        )

    @property
    def held(self) -> bool:
        """Whether the speaker was told to pause."""
        return self._speaker.paused

    @property
    def silent_since_s(self) -> float | None:
        """When the speaker was last told to be silent."""
        return self._speaker.silent_since_s

    @property
    def reply_s(self) -> float:
        """How much of the reply has come."""
        return self._speaker.taken_s

    def hang_up(self) -> None:
        """The server closed the connection."""
        self._end("closed")

    def finish(self) -> Turn:
        self.turn.reply = join(self._pieces, self._rate_hz)
        self.turn.underruns = self._speaker.underruns
        self.turn.played_s = round(self._speaker.taken_s, 3)
        return self.turn

    def _end(self, end: str, *, unless: bool = False) -> None:
        if not unless:
            self.turn.end, self.over = end, True

    def _hear(self, packet: bytes, now_s: float) -> None:
        self.turn.packets.append((now_s - self.zero_s, len(packet)))
        try:
            pcm = Pcm(self._decoder.decode(packet), self._rate_hz)
        except AudioError as error:
            self.turn.faults.append(str(error))
            return
        begins_s = self._speaker.take(pcm.duration_s, now_s)
        self._pieces.append(pcm)
        if self.turn.first_audible_s is None:
            into_s = _first_audible_s(pcm)
            if into_s is not None:
                self.turn.first_audible_s = begins_s + into_s - self.zero_s


def turn_of(heard: Heard) -> TurnId | None:
    """The turn that a message belongs to, as far as it says."""
    match heard:
        case PartialText() | FinalText() | TtsStart() | Sentence() | TtsStop() | ListenEnded():
            return heard.turn
        case TtsPause() | TtsResume():
            return heard.turn
        case TurnReport():
            return heard.turn
        case _:
            return None


def _first_audible_s(pcm: Pcm) -> float | None:
    audible = 10 ** (AUDIBLE_DBFS / 10) * 32768.0**2
    loud = np.flatnonzero(_energies(pcm.samples, pcm.rate_hz // HOPS_PER_S) > audible)
    return int(loud[0]) / HOPS_PER_S if len(loud) else None


def _energies(samples: Samples, hop: int) -> NDArray[np.float64]:
    """Mean square of each whole hop."""
    whole = len(samples) - len(samples) % hop
    hops = samples[:whole].astype(np.float64).reshape(-1, hop)
    return np.asarray(np.mean(hops**2, axis=1))
