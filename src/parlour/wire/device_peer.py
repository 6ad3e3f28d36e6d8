"""The device link as a device speaks it: for `parlour talk`, the bench, simulated devices, tests."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from parlour.errors import ProtocolError
from parlour.events import Action, Speculation
from parlour.ids import EntityId, SessionId, TurnId
from parlour.wire.fields import (
    LONGEST_NAME,
    Fields,
    MalformedError,
    clean,
    read_message,
    write_message,
)
from parlour.wire.framing import Framing, Packet, pack, unpack
from parlour.wire.messages import (
    FRAMES_MS,
    LARGEST_FRAME_BYTES,
    LONGEST_SENT,
    RATES,
    STOCK_FRAME_MS,
    STOCK_RATE_HZ,
    Features,
    FrameMs,
    Ignored,
    Mode,
    Playout,
    Rate,
    Rejected,
    Superset,
    Wake,
    is_too_large,
    read_superset,
    write_superset,
)

TTS_STATES = ("start", "sentence_start", "sentence_end", "pause", "resume", "stop")

# ---------------------------------------------------------------- what a server says


@dataclass(frozen=True, slots=True)
class ServerHello:
    session: SessionId
    rate_hz: Rate  # of the sound that will come
    frame_ms: FrameMs
    superset: Superset | None  # what the server took up of our wishes; None: a stock server


@dataclass(frozen=True, slots=True)
class PartialText:
    """What is heard so far; replaces the partial before it."""

    text: str
    stable_chars: int
    turn: TurnId | None


@dataclass(frozen=True, slots=True)
class FinalText:
    text: str
    turn: TurnId | None


@dataclass(frozen=True, slots=True)
class TtsStart:
    """Sound follows: open the speaker, drop what is still queued."""

    turn: TurnId | None


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    turn: TurnId | None


@dataclass(frozen=True, slots=True)
class TtsStop:
    """No more sound comes. In auto mode: play what is queued, then listen again.

    `flush`: the answer was cut off; drop what is queued and be silent.
    """

    turn: TurnId | None
    flush: bool = False


@dataclass(frozen=True, slots=True)
class TtsPause:
    """Somebody speaks into the answer: be silent, and keep what is queued."""

    turn: TurnId | None


@dataclass(frozen=True, slots=True)
class TtsResume:
    """It was nothing: play on."""

    turn: TurnId | None


@dataclass(frozen=True, slots=True)
class Sound:
    """One Opus packet to play."""

    packet: bytes
    timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class Emotion:
    """A face for the display."""

    emotion: str
    text: str


@dataclass(frozen=True, slots=True)
class Alert:
    status: str
    message: str
    emotion: str


@dataclass(frozen=True, slots=True)
class Arb:
    """Whether this device answers. A loser falls silent and claims nothing for `hold_ms`."""

    won: bool
    hold_ms: int


@dataclass(frozen=True, slots=True)
class ListenBegun:
    """The server heard a wake word in what was sent while idle, and listens."""

    phrase: str


@dataclass(frozen=True, slots=True)
class ListenEnded:
    """The server listens no more, e.g. because nobody spoke."""

    reason: str
    turn: TurnId | None


@dataclass(frozen=True, slots=True)
class TurnReport:
    """The whole turn in one record; the fields are those of events.TurnEnded."""

    turn: TurnId
    end: str
    transcript: str
    reply: str
    actions: tuple[Action, ...]
    stages_ms: Mapping[str, float]
    heard: str = ""
    speculation: Speculation = Speculation()
    underruns: int = 0


@dataclass(frozen=True, slots=True)
class ServerError:
    """What was wrong with a message of ours."""

    message: str


Heard: TypeAlias = (
    ServerHello
    | PartialText
    | FinalText
    | TtsStart
    | Sentence
    | TtsStop
    | TtsPause
    | TtsResume
    | Sound
    | Emotion
    | Alert
    | Arb
    | ListenBegun
    | ListenEnded
    | TurnReport
    | ServerError
    | Ignored
    | Rejected
)


class DevicePeer:
    """One connection, seen from the device.

    A broken message from the server is Rejected and forgotten; a broken hello and an oversized
    message raise ProtocolError. All `send_*` but `send_hello` need the server's hello first.
    """

    def __init__(self) -> None:
        self.session: SessionId | None = None  # None: the server's hello has not come
        self._framing: Framing = 1

    # ------------------------------------------------------------ receiving

    def receive_text(self, text: str) -> list[Heard]:
        if is_too_large(text):
            raise ProtocolError("a text message is larger than 64 KiB", 1009)
        try:
            return [self._read(read_message(text))]
        except MalformedError as error:
            return [Rejected(str(error))]

    def receive_binary(self, data: bytes) -> list[Heard]:
        if len(data) > LARGEST_FRAME_BYTES:
            raise ProtocolError("a binary frame is larger than 4 KiB", 1009)
        try:
            packet = unpack(self._framing, data)
        except MalformedError as error:
            return [Rejected(str(error))]
        return [Sound(packet.data, packet.timestamp_ms)]

    def _read(self, message: Fields) -> Heard:
        kind = message.text("type", longest=LONGEST_NAME)
        if self.session is None and kind != "hello":
            raise MalformedError(f'"{kind}" came before the hello')
        match kind:
            case "hello":
                return self._read_hello(message)
            case "stt" | "tts" | "listen":
                return _read_speech(kind, message)
            case "llm":
                return Emotion(message.text("emotion"), message.text("text", ""))
            case "alert":
                return Alert(
                    message.text("status"), message.text("message"), message.text("emotion")
                )
            case "arb":
                return Arb(message.flag("won", None), message.integer("hold_ms", 0, 2**31 - 1, 0))
            case "turn":
                return _read_report(message)
            case "error":
                return ServerError(message.text("message"))
            case _:
                return Ignored(f'unknown message type "{kind}"')

    def _read_hello(self, message: Fields) -> ServerHello:
        if self.session is not None:
            raise MalformedError("a second hello on one connection")
        try:
            message.choice("transport", ("websocket",))
            audio = message.section("audio_params")
            audio.choice("format", ("opus",), "opus")
            audio.choice("channels", (1,), 1)
            hello = ServerHello(
                session=SessionId(message.text("session_id", longest=LONGEST_NAME)),
                rate_hz=audio.choice("sample_rate", RATES, STOCK_RATE_HZ),
                frame_ms=audio.choice("frame_duration", FRAMES_MS, STOCK_FRAME_MS),
                superset=(
                    read_superset(message.section("parlour")) if "parlour" in message else None
                ),
            )
        except MalformedError as error:
            raise ProtocolError(f"the server's hello is of no use: {error}") from error
        self.session = hello.session
        return hello

    # ------------------------------------------------------------ sending

    def send_hello(
        self,
        *,
        framing: Framing = 1,
        sample_rate_hz: Rate = 16_000,
        frame_ms: FrameMs = STOCK_FRAME_MS,
        features: Features | None = None,
        superset: Superset | None = None,
        playback_rate_hz: Rate | None = None,
    ) -> str:
        """Without `superset` this is what stock firmware says, and the server treats it as such."""
        self._framing = framing
        announced: dict[str, object] = asdict(features or Features(mcp=False))
        audio: dict[str, object] = {
            "format": "opus",
            "sample_rate": sample_rate_hz,
            "channels": 1,
            "frame_duration": frame_ms,
        }
        if superset:
            announced["parlour"] = write_superset(superset)
        if playback_rate_hz:
            audio["playback_rate"] = playback_rate_hz
        return write_message(
            {
                "type": "hello",
                "version": framing,
                "features": announced,
                "transport": "websocket",
                "audio_params": audio,
            }
        )

    def send_audio(self, packet: bytes, timestamp_ms: int | None = None) -> bytes:
        return pack(self._framing, Packet(packet, timestamp_ms))

    def send_listen_start(self, mode: Mode) -> str:
        return self._write("listen", state="start", mode=mode)

    def send_listen_stop(self) -> str:
        return self._write("listen", state="stop")

    def send_detect(self, text: str) -> str:
        """Stock firmware's word of a wake word; send its pre-roll before, `listen start` after."""
        return self._write("listen", state="detect", text=clean(text))

    def send_wake(self, wake: Wake) -> str:
        """A superset device's claim to answer; send its pre-roll and `listen start` at once after."""
        return self._write("wake", **_drop_none(asdict(wake)))

    def send_abort(self, reason: str = "", turn: TurnId | None = None) -> str:
        return self._write("abort", **_drop_none({"reason": reason or None, "turn": turn}))

    def send_playout(self, playout: Playout) -> str:
        return self._write("playout", **asdict(playout))

    def _write(self, kind: str, **fields: object) -> str:
        if self.session is None:
            raise RuntimeError("nothing but a hello can be sent before the server's hello")
        return write_message({"type": kind, "session_id": self.session} | fields)


# ---------------------------------------------------------------- helpers


def _read_speech(kind: str, message: Fields) -> Heard:
    turn = _read_turn(message)
    if kind == "listen":
        if message.choice("state", ("start", "stop")) == "start":
            return ListenBegun(message.text("phrase", ""))
        return ListenEnded(message.text("reason", ""), turn)
    if kind == "stt":
        text = message.text("text", longest=LONGEST_SENT)
        if message.flag("final", default=True):
            return FinalText(text, turn)
        return PartialText(text, message.integer("stable_chars", 0, LONGEST_SENT, 0), turn)
    match message.choice("state", TTS_STATES):
        case "start":
            return TtsStart(turn)
        case "sentence_start":
            return Sentence(message.text("text", longest=LONGEST_SENT), turn)
        case "stop":
            return TtsStop(turn, message.flag("flush"))
        case "pause":
            return TtsPause(turn)
        case "resume":
            return TtsResume(turn)
        case state:
            return Ignored(f"tts {state}")


def _read_turn(message: Fields) -> TurnId | None:
    turn = message.text("turn", "", longest=LONGEST_NAME)
    return TurnId(turn) if turn else None


def _read_report(message: Fields) -> TurnReport:
    stages = message.section("stages_ms")
    stages_ms = {clean(name): stages.number(name, -1e9, 1e9) for name in stages.raw()}
    return TurnReport(
        turn=TurnId(message.text("turn", longest=LONGEST_NAME)),
        end=message.text("end"),
        transcript=message.text("transcript", "", longest=LONGEST_SENT),
        reply=message.text("reply", "", longest=LONGEST_SENT),
        actions=tuple(_read_action(action) for action in message.sections("actions")),
        stages_ms={name: ms for name, ms in stages_ms.items() if ms is not None},
        heard=message.text("heard", "", longest=LONGEST_SENT),
        speculation=_read_speculation(message.section("speculation")),
        underruns=message.integer("underruns", 0, 2**31 - 1, 0),
    )


def _read_speculation(fields: Fields) -> Speculation:
    most = 2**31 - 1
    return Speculation(
        tries=fields.integer("tries", 0, most, 0),
        hit=fields.flag("hit"),
        extra_calls=fields.integer("extra_calls", 0, most, 0),
        wasted_tokens=fields.integer("wasted_tokens", 0, most, 0),
    )


def _read_action(action: Fields) -> Action:
    value: str | float | None
    if isinstance(action.raw().get("value"), str):
        value = action.text("value")
    else:
        value = action.number("value", -1e9, 1e9)
    return Action(
        target=EntityId(action.text("target")),
        verb=action.text("verb"),
        value=value,
        confirmed=action.flag("confirmed"),
    )


def _drop_none(fields: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if value is not None}
