"""What a device can say to the server, as values, and the limits both sides keep to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, get_args

from parlour.ids import TurnId
from parlour.wire.fields import Fields
from parlour.wire.framing import Framing, Packet

SUPERSET_VERSION = 1
LARGEST_FRAME_BYTES = 4 * 1024
LARGEST_TEXT_BYTES = 64 * 1024
MOST_REJECTED = 20  # broken messages in a row after which the peer is taken for a broken program
LONGEST_REASON_BYTES = 123  # what RFC 6455 leaves for the reason in a close frame
LONGEST_SENT = 1000  # characters of one text sent to a device; it has few kilobytes to parse it in

Mode: TypeAlias = Literal["auto", "manual", "realtime"]
Rate: TypeAlias = Literal[8000, 12000, 16000, 24000, 48000]
FrameMs: TypeAlias = Literal[5, 10, 20, 40, 60, 80, 100, 120]

MODES: tuple[Mode, ...] = get_args(Mode)
RATES: tuple[Rate, ...] = get_args(Rate)
FRAMES_MS: tuple[FrameMs, ...] = get_args(FrameMs)

STOCK_RATE_HZ: Rate = 24_000
STOCK_FRAME_MS: FrameMs = 60


# ---------------------------------------------------------------- what a device says


@dataclass(frozen=True, slots=True)
class Superset:
    """What a device announced in `hello.features.parlour`: which of our messages it wants."""

    version: int = SUPERSET_VERSION  # the one that is spoken: the lower of the device's and ours
    partials: bool = False  # send it `stt` with `final: false`
    report: bool = False  # send it a `turn` record after each turn
    playout: bool = False  # it sends `playout` reports
    persistent: bool = False  # its socket stays open while it is idle
    open_mic: bool = False  # it hears on while it plays, and cancels no echo


@dataclass(frozen=True, slots=True)
class Features:
    """What stock firmware says of itself."""

    mcp: bool = False  # it offers tools over `mcp` messages
    aec: bool = False  # it was built to leave echo cancellation to the server


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a device. Answer with `send_hello`, or close."""

    framing: Framing
    sample_rate_hz: Rate  # what the device says of its microphone; the Opus TOC has the last word
    frame_ms: FrameMs
    features: Features
    superset: Superset | None  # None: stock firmware
    reply_rate_hz: Rate  # what to speak to this device: its wish, or what stock firmware expects
    reply_frame_ms: FrameMs


@dataclass(frozen=True, slots=True)
class ListenStart:
    """The device listens. It may say so again without a stop, e.g. after each answer."""

    mode: Mode


@dataclass(frozen=True, slots=True)
class ListenStop:
    """The user let go of the button: what was said is complete."""


@dataclass(frozen=True, slots=True)
class WakeDetected:
    """Stock firmware's word of a wake word; its pre-roll came before as packets."""

    text: str


@dataclass(frozen=True, slots=True)
class Wake:
    """A superset device's claim to answer; None for what it does not know."""

    level_dbfs: float | None = None  # -120..3, of the wake word, before automatic gain
    noise_dbfs: float | None = None  # -120..3, the noise floor before it
    score: float | None = None  # 0..1, of the wake word model
    age_ms: float | None = None  # 0..10000, since the end of the wake word
    phrase: str = ""
    group: str = ""  # devices of one group in one home answer one by one; "" is the home's own
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Abort:
    """Stop speaking at once. `turn` names the turn that is meant; None means whatever is said."""

    reason: str = ""
    turn: TurnId | None = None


@dataclass(frozen=True, slots=True)
class Playout:
    """How far a device has played a turn, for the ledger of what was heard."""

    turn: TurnId
    played_ms: int
    buffered_ms: int = 0
    underruns: int = 0


@dataclass(frozen=True, slots=True)
class DeviceMcp:
    """JSON-RPC of the device's own tools."""

    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that means nothing here, now; not a fault."""

    what: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A broken message. Tell the peer (`send_error`), go on."""

    reason: str


Received: TypeAlias = (
    Hello
    | ListenStart
    | ListenStop
    | WakeDetected
    | Wake
    | Abort
    | Packet
    | Playout
    | DeviceMcp
    | Ignored
    | Rejected
)


def is_too_large(text: str) -> bool:
    """Whether a text message is larger than LARGEST_TEXT_BYTES in UTF-8."""
    # A character takes four bytes at most, so a short text need not be counted.
    if len(text) <= LARGEST_TEXT_BYTES // 4:
        return False
    return len(text.encode(errors="surrogatepass")) > LARGEST_TEXT_BYTES


def write_superset(superset: Superset) -> dict[str, object]:
    """The object `parlour` of either side's hello; `open_mic` only where it is true."""
    fields = asdict(superset)
    if not superset.open_mic:
        del fields["open_mic"]
    return fields


def read_superset(fields: Fields) -> Superset:
    """Read the object `parlour` of either side's hello. Raises MalformedError."""
    return Superset(
        version=fields.integer("version", 1, 1_000_000),
        partials=fields.flag("partials"),
        report=fields.flag("report"),
        playout=fields.flag("playout"),
        persistent=fields.flag("persistent"),
        open_mic=fields.flag("open_mic"),
    )
