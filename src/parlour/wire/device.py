"""The device link as the server speaks it: the xiaozhi dialect and our superset, without a socket.

The specification is docs/protocol/device.md; its test vectors run on this class.
"""

from dataclasses import asdict, replace
from enum import Enum

from parlour.errors import ProtocolError
from parlour.events import TurnEnded
from parlour.ids import SessionId, TurnId
from parlour.wire.fields import (
    LONGEST_NAME,
    Fields,
    MalformedError,
    clean,
    read_message,
    write_message,
)
from parlour.wire.framing import FRAMINGS, Framing, Packet, pack, unpack
from parlour.wire.messages import (
    FRAMES_MS,
    LARGEST_FRAME_BYTES,
    LONGEST_REASON_BYTES,
    LONGEST_SENT,
    MODES,
    MOST_REJECTED,
    RATES,
    STOCK_FRAME_MS,
    STOCK_RATE_HZ,
    SUPERSET_VERSION,
    Abort,
    DeviceMcp,
    Features,
    FrameMs,
    Hello,
    Ignored,
    ListenStart,
    ListenStop,
    Mode,
    Playout,
    Rate,
    Received,
    Rejected,
    Superset,
    Wake,
    WakeDetected,
    is_too_large,
    read_superset,
    write_superset,
)

__all__ = [
    "Abort",
    "DeviceMcp",
    "DeviceProtocol",
    "Features",
    "FrameMs",
    "Hello",
    "Ignored",
    "ListenStart",
    "ListenStop",
    "Mode",
    "Packet",
    "Playout",
    "Rate",
    "Received",
    "Rejected",
    "State",
    "Superset",
    "Wake",
    "WakeDetected",
]


class State(Enum):
    AWAITING_HELLO = "awaiting hello"
    IDLE = "idle"
    LISTENING = "listening"
    CLOSED = "closed"


# Only what the wire needs is state: a reply may be on its way in IDLE and in LISTENING alike.
#
#   state           what comes or goes                    then            event
#   AWAITING_HELLO  hello in                              IDLE            Hello
#   AWAITING_HELLO  anything else in, a broken hello      CLOSED          ProtocolError 1002
#   IDLE LISTENING  hello in                              CLOSED          ProtocolError 1002
#   IDLE LISTENING  listen start in                       LISTENING       ListenStart
#   LISTENING       listen stop in                        IDLE            ListenStop
#   IDLE            listen stop in (a race, no fault)     IDLE            Ignored
#   IDLE LISTENING  a binary frame in (pre-roll in IDLE)  same            Packet
#   IDLE LISTENING  detect, wake, abort, playout, mcp in  same            WakeDetected, Wake, ...
#   IDLE LISTENING  an unknown type in                    same            Ignored
#   IDLE LISTENING  a broken message or frame header in   same            Rejected
#   any             the 20th of those in a row            CLOSED          ProtocolError 1008
#   any             a frame > 4 KiB, a text > 64 KiB      CLOSED          ProtocolError 1009
#   LISTENING       tts start out, unless realtime        IDLE
#   LISTENING       listen stop out                       IDLE
#   IDLE            listen start out                      LISTENING
#   CLOSED          anything in                           CLOSED          ProtocolError 1002


class DeviceProtocol:
    """One connection, seen from the server.

    `receive_*` return what the peer said, or raise ProtocolError with a reason and a close code:
    then the socket is to be closed with both. `send_*` return the message to write, or None when
    this peer does not understand it, so that a caller need not ask which dialect is spoken.
    Calling `send_*` before `send_hello` is a fault of the caller and raises RuntimeError.
    """

    def __init__(self) -> None:
        self.state = State.AWAITING_HELLO
        self.mode: Mode = "auto"  # of the last listen start
        self.superset: Superset | None = None
        self._framing: Framing = 1
        self._session: SessionId | None = None
        self._rejected = 0  # in a row

    # ------------------------------------------------------------ receiving

    def receive_text(self, text: str) -> list[Received]:
        self._check_open()
        if is_too_large(text):
            raise self._fail("a text message is larger than 64 KiB", 1009)
        try:
            return [self._accept(self._read(read_message(text)))]
        except MalformedError as error:
            return [self._reject(error)]

    def receive_binary(self, data: bytes) -> list[Received]:
        self._check_open()
        if len(data) > LARGEST_FRAME_BYTES:
            raise self._fail("a binary frame is larger than 4 KiB", 1009)
        if self.state is State.AWAITING_HELLO:
            raise self._fail("sound came before the hello")
        try:
            return [self._accept(unpack(self._framing, data))]
        except MalformedError as error:
            return [self._reject(error)]

    def _read(self, message: Fields) -> Received:
        kind = message.text("type", longest=LONGEST_NAME)
        if self.state is State.AWAITING_HELLO:
            if kind != "hello":
                raise self._fail(f'the first message must be a hello, not "{kind}"')
            return self._read_hello(message)
        match kind:
            case "listen":
                return self._read_listen(message)
            case "abort":
                turn = message.text("turn", "", longest=LONGEST_NAME)
                return Abort(message.text("reason", ""), TurnId(turn) if turn else None)
            case "mcp":
                return DeviceMcp(message.section("payload", required=True).raw())
            case "wake" if self.superset:
                return _read_wake(message)
            case "playout" if self.superset:
                return _read_playout(message)
            case "hello":
                raise self._fail("a second hello on one connection")
            case _:
                return Ignored(f'unknown message type "{kind}"')

    def _read_hello(self, message: Fields) -> Hello:
        message.choice("transport", ("websocket",), "websocket")
        framing = message.choice("version", FRAMINGS, 1)
        audio = message.section("audio_params")
        audio.choice("format", ("opus",), "opus")
        audio.choice("channels", (1,), 1)
        rate_hz: Rate = audio.choice("sample_rate", RATES, 16_000)
        frame_ms: FrameMs = audio.choice("frame_duration", FRAMES_MS, STOCK_FRAME_MS)
        features = message.section("features")
        superset = None
        reply_rate_hz: Rate = STOCK_RATE_HZ
        reply_frame_ms: FrameMs = STOCK_FRAME_MS
        if "parlour" in features:
            superset = _agree(read_superset(features.section("parlour")))
            reply_rate_hz = audio.choice("playback_rate", RATES, STOCK_RATE_HZ)
            reply_frame_ms = 20 if frame_ms == 20 else STOCK_FRAME_MS
        hello = Hello(
            framing=framing,
            sample_rate_hz=rate_hz,
            frame_ms=frame_ms,
            features=Features(mcp=features.flag("mcp"), aec=features.flag("aec")),
            superset=superset,
            reply_rate_hz=reply_rate_hz,
            reply_frame_ms=reply_frame_ms,
        )
        self.state, self.superset, self._framing = State.IDLE, superset, framing
        return hello

    def _read_listen(self, message: Fields) -> Received:
        match message.choice("state", ("start", "stop", "detect")):
            case "start":
                self.mode = message.choice("mode", MODES, "auto")
                self.state = State.LISTENING
                return ListenStart(self.mode)
            case "stop" if self.state is State.LISTENING:
                self.state = State.IDLE
                return ListenStop()
            case "stop":
                # A device that lets go while our answer starts is in a race, not in the wrong.
                return Ignored("listen stop while not listening")
            case _:
                return WakeDetected(message.text("text", ""))

    # ------------------------------------------------------------ sending

    def send_hello(self, session: SessionId, rate_hz: Rate, frame_ms: FrameMs) -> str:
        """Answer the hello; rate and frame are those of the sound that will be sent."""
        if self.state is State.AWAITING_HELLO or self._session is not None:
            raise RuntimeError("send_hello answers a hello, once")
        self._session = session
        message: dict[str, object] = {
            "type": "hello",
            "transport": "websocket",  # stock firmware dereferences null without it
            "session_id": session,
            "audio_params": {
                "format": "opus",
                "sample_rate": rate_hz,
                "channels": 1,
                "frame_duration": frame_ms,
            },
        }
        if self.superset:
            message["parlour"] = write_superset(self.superset)
        return write_message(message)

    def send_audio(self, packet: bytes, timestamp_ms: int | None = None) -> bytes:
        """Frame one Opus packet; only framing 2 carries the timestamp."""
        self._check_greeted()
        return pack(self._framing, Packet(packet, timestamp_ms))

    def send_partial(self, turn: TurnId, text: str, stable_chars: int) -> str | None:
        """What is heard so far; replaces the partial before it. None unless asked for in hello."""
        if self.superset is None or not self.superset.partials:
            return None
        said = clean(text, LONGEST_SENT)
        stable_chars = min(stable_chars, len(said))
        return self._write("stt", turn, text=said, final=False, stable_chars=stable_chars)

    def send_stt(self, turn: TurnId, text: str) -> str:
        """What was heard. Send `tts start` with it, well before the first sound."""
        if self.superset is None:
            return self._write("stt", turn, text=clean(text, LONGEST_SENT))
        return self._write("stt", turn, text=clean(text, LONGEST_SENT), final=True)

    def send_llm(self, emotion: str, text: str) -> str:
        """A face for the display: an emotion by name and an emoji or a text."""
        return self._write("llm", emotion=clean(emotion), text=clean(text))

    def send_tts_start(self, turn: TurnId) -> str:
        """The device stops listening, unless in realtime mode, and drops sound it still holds."""
        if self.state is State.LISTENING and self.mode != "realtime":
            self.state = State.IDLE
        return self._write("tts", turn, state="start")

    def send_sentence(self, turn: TurnId, text: str) -> str:
        """The sentence whose sound follows, for a display."""
        return self._write("tts", turn, state="sentence_start", text=clean(text, LONGEST_SENT))

    def send_tts_stop(self, turn: TurnId, *, flush: bool = False) -> str:
        """No more sound. In auto mode the device plays what it has, then sends `listen start`.

        `flush`: the answer was cut off, and what the device still has is not to be heard.
        """
        if flush and self.superset is not None:
            return self._write("tts", turn, state="stop", flush=True)
        return self._write("tts", turn, state="stop")

    def send_tts_pause(self, turn: TurnId) -> str | None:
        """Somebody speaks: be silent, and keep what is queued. Stock firmware cannot."""
        return None if self.superset is None else self._write("tts", turn, state="pause")

    def send_tts_resume(self, turn: TurnId) -> str | None:
        """It was nothing: play on."""
        return None if self.superset is None else self._write("tts", turn, state="resume")

    def send_arb(self, won: bool, hold_ms: int = 0) -> str | None:
        """Whether this device answers; a loser makes no further claim for `hold_ms`."""
        if self.superset is None:
            return None
        return self._write("arb", won=won, hold_ms=hold_ms)

    def send_listen_begin(self, phrase: str) -> str | None:
        """The server heard a wake word in what an idle device sends: it listens now, as in auto mode.

        None for a stock peer, and for one that listens already.
        """
        if self.superset is None or self.state is not State.IDLE:
            return None
        self.state, self.mode = State.LISTENING, "auto"
        return self._write("listen", state="start", mode="auto", phrase=clean(phrase))

    def send_listen_end(self, turn: TurnId | None, reason: str) -> str | None:
        """The server listens no more. None for a stock peer: to it, closing the socket says so."""
        if self.superset is None:
            return None
        if self.state is State.LISTENING:
            self.state = State.IDLE
        return self._write("listen", turn, state="stop", reason=clean(reason))

    def send_turn_report(self, ended: TurnEnded) -> str | None:
        """The whole turn in one record. None unless asked for in hello."""
        if self.superset is None or not self.superset.report:
            return None
        actions = [
            {"target": a.target, "verb": a.verb, "value": a.value, "confirmed": a.confirmed}
            for a in ended.actions
        ]
        return self._write(
            "turn",
            ended.turn,
            end=ended.end,
            transcript=clean(ended.transcript, LONGEST_SENT),
            reply=clean(ended.reply, LONGEST_SENT),
            actions=actions,
            stages_ms=dict(ended.stages_ms),
            heard=clean(ended.heard, LONGEST_SENT),
            speculation=asdict(ended.speculation),
            underruns=ended.underruns,
        )

    def send_error(self, message: str) -> str | None:
        """Tell a superset peer what was wrong with its message; stock firmware has no ear for it."""
        if self.superset is None:
            return None
        return self._write("error", message=clean(message))

    def send_alert(self, status: str, message: str, emotion: str) -> str:
        """Something for the user to see; stock firmware needs all three strings."""
        return self._write(
            "alert", status=clean(status), message=clean(message), emotion=clean(emotion)
        )

    def _write(self, kind: str, turn: TurnId | None = None, **fields: object) -> str:
        self._check_greeted()
        message: dict[str, object] = {"type": kind, "session_id": self._session}
        if turn is not None and self.superset:
            message["turn"] = turn
        return write_message(message | fields)

    # ------------------------------------------------------------ order

    def _accept(self, received: Received) -> Received:
        if not isinstance(received, Ignored):
            self._rejected = 0
        return received

    def _reject(self, error: MalformedError) -> Rejected:
        """Without a hello nothing is agreed on that could go on, so there every fault is fatal."""
        if self.state is State.AWAITING_HELLO:
            raise self._fail(f"no hello: {error}") from error
        self._rejected += 1
        if self._rejected >= MOST_REJECTED:
            raise self._fail(f"{MOST_REJECTED} broken messages in a row: {error}", 1008) from error
        return Rejected(str(error))

    def _fail(self, reason: str, code: int = 1002) -> ProtocolError:
        self.state = State.CLOSED
        short = reason.encode(errors="replace")[:LONGEST_REASON_BYTES].decode(errors="ignore")
        return ProtocolError(short, code)

    def _check_open(self) -> None:
        if self.state is State.CLOSED:
            raise ProtocolError("the connection is closed")

    def _check_greeted(self) -> None:
        if self._session is None:
            raise RuntimeError("nothing can be sent before send_hello")


# ---------------------------------------------------------------- helpers


def _agree(announced: Superset) -> Superset:
    """Speak the lower version of the two; a later one is bound to understand it."""
    return replace(announced, version=min(announced.version, SUPERSET_VERSION))


def _read_wake(message: Fields) -> Wake:
    return Wake(
        level_dbfs=message.number("level_dbfs", -120, 3),
        noise_dbfs=message.number("noise_dbfs", -120, 3),
        score=message.number("score", 0, 1),
        age_ms=message.number("age_ms", 0, 10_000),
        phrase=message.text("phrase", "", longest=LONGEST_NAME),
        group=message.text("group", "", longest=LONGEST_NAME),
        seq=message.integer("seq", 0, 2**32 - 1, 0),
    )


def _read_playout(message: Fields) -> Playout:
    return Playout(
        turn=TurnId(message.text("turn", longest=LONGEST_NAME)),
        played_ms=message.integer("played_ms", 0, 2**32 - 1),
        buffered_ms=message.integer("buffered_ms", 0, 2**32 - 1, 0),
        underruns=message.integer("underruns", 0, 2**32 - 1, 0),
    )
