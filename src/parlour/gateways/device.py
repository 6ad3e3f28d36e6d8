"""`/device`: a WebSocket of the device protocol on one side, a session on the other."""

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, assert_never

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, OpusPacket, Pcm
from parlour.errors import AudioError, ProtocolError
from parlour.events import (
    DeviceJoined,
    DeviceLeft,
    Event,
    FailedOver,
    FinalHeard,
    PartialHeard,
    ReplyBegan,
    ReplyEnded,
    ReplyHeld,
    ReplySaid,
    Speculated,
    SpeechBegan,
    TurnBegan,
    TurnEnded,
)
from parlour.gateways.referee import Referee
from parlour.ids import DeviceId, TurnId, new_session_id
from parlour.level import level_dbfs
from parlour.ports import Place
from parlour.turn.admission import Admission
from parlour.turn.engines import Engines
from parlour.turn.playout import PlayoutFormat
from parlour.turn.session import Announcement, Session
from parlour.turn.wakeword import WakeListener
from parlour.wake.claim import Claim, Kind
from parlour.wire.device import DeviceProtocol, State
from parlour.wire.fields import LONGEST_NAME, clean
from parlour.wire.framing import Packet
from parlour.wire.messages import (
    MOST_REJECTED,
    Abort,
    DeviceMcp,
    Hello,
    Ignored,
    ListenStart,
    ListenStop,
    Playout,
    Received,
    Rejected,
    Wake,
    WakeDetected,
)

log = logging.getLogger(__name__)

HELLO_S = 10.0  # stock firmware waits as long for ours
MOST_UNSENT = 256  # messages: five seconds of speech that a device has not taken
CLOSE_S = 1.0  # a peer that does not read does not answer a close either
STOCK_LEAD_S = 0.12  # two frames: small boards have no room for more
SUPERSET_LEAD_S = 0.2

LEVEL_SAMPLES = round(0.3 * HEARING_RATE_HZ)  # of speech, after a claim without a level
CHECKED_SAMPLES = 2 * HEARING_RATE_HZ  # of sound in which the wake word lies
PRE_ROLL_SAMPLES = HEARING_RATE_HZ  # of the wake word, before it
LEAST_PRE_ROLL_SAMPLES = round(0.3 * HEARING_RATE_HZ)  # less holds no wake word
GAP_S = 1.0  # without a packet; what comes after it is the pre-roll of the next word
MEASURED_S = 2.0  # within which a device listens after a wake word that was measured
MUTED = "the microphone is muted"

NORMAL, GOING_AWAY, POLICY, INTERNAL, TRY_LATER = 1000, 1001, 1008, 1011, 1013
REPLACED = 4000  # the same device connected anew


Confirm: TypeAlias = Callable[[Pcm, str], Awaitable[bool | None]]
"""Whether a wake word is in a piece of sound; None where that cannot be told."""


class Microphones(Protocol):
    """What was decided about devices; it wants to know what they do. All are plain calls."""

    def place(self, device: DeviceId) -> Place: ...

    def group(self, device: DeviceId, told: str) -> str: ...

    def is_muted(self, device: DeviceId) -> bool: ...

    def joined(self, device: DeviceId, *, is_persistent: bool) -> None: ...

    def left(self, device: DeviceId) -> None: ...

    def claimed(self, device: DeviceId, level_dbfs: float | None) -> bool:
        """It heard a wake word; True: it was said to be measured, and wants no answer.

        A device that says no level is told of twice, the second time with what was measured here.
        """
        ...


@dataclass(frozen=True, slots=True)
class Gate:
    """What every connection needs; one value for the process."""

    engines: Engines
    microphones: Microphones
    publish: Callable[[Event], None]
    referee: Referee
    confirm: Confirm | None = None  # hears again what a device took for its wake word
    spot: Callable[[DeviceId], WakeListener | None] = lambda _: None  # for one without wake words
    admission: Admission = field(default_factory=Admission)


class DeviceLink:
    """One connection: where its session's events and sound go, and how it is ended."""

    def __init__(
        self, device: DeviceId, hello: Hello, protocol: DeviceProtocol, gate: Gate
    ) -> None:
        self.device = device
        self.session_id = new_session_id()
        self.closing: tuple[int, str] = (NORMAL, "")
        self.scope = anyio.CancelScope()
        self._protocol = protocol
        self._gate = gate
        self._garbage = 0  # packets in a row that are no Opus
        self._sender, self.outbox = anyio.create_memory_object_stream[str | bytes](MOST_UNSENT)
        lead_s = STOCK_LEAD_S if hello.superset is None else SUPERSET_LEAD_S
        form = PlayoutFormat(hello.reply_rate_hz, hello.reply_frame_ms, lead_s)
        place = gate.microphones.place(device)
        open_mic = hello.superset is not None and hello.superset.open_mic
        self.contender = gate.referee.join(device, self)
        self._unlevelled: int | None = None  # the sample of a claim without a level
        self._unconfirmed: tuple[str, int] | None = None  # a wake word, and where its sound begins
        self._burst, self._packet_s = 0, 0.0  # since which sample there was no gap; last packet
        self._unheard = ""  # why the turn that hears is dropped
        self._measured_s = float("-inf")  # when a wake word was said only to be measured
        self.session = Session(
            gate.engines, place, form, self, open_mic=open_mic, floor=self.contender
        )
        self._spotter = gate.spot(device) if hello.superset is not None else None
        self._send(protocol.send_hello(self.session_id, hello.reply_rate_hz, hello.reply_frame_ms))

    def emit(self, event: Event) -> None:
        """Tell the device what concerns it, and the house everything."""
        self._gate.publish(event)
        protocol = self._protocol
        match event:
            case PartialHeard(turn=turn, text=text, stable_chars=stable):
                self._send(protocol.send_partial(turn, text, stable))
            case FinalHeard(turn=turn, text=text):
                self._send(protocol.send_stt(turn, text))
            case ReplyBegan(turn=turn):
                self._send(protocol.send_tts_start(turn))
            case ReplySaid(turn=turn, text=text):
                self._send(protocol.send_sentence(turn, text))
            case ReplyHeld(turn=turn, held=True):
                self._send(protocol.send_tts_pause(turn))
            case ReplyHeld(turn=turn):
                self._send(protocol.send_tts_resume(turn))
            case ReplyEnded(turn=turn, cut=cut):
                self._send(protocol.send_tts_stop(turn, flush=cut))
            case TurnEnded():
                self._end_turn(event)
            case (
                TurnBegan()
                | SpeechBegan()
                | Speculated()
                | DeviceJoined()
                | DeviceLeft()
                | FailedOver()
            ):
                pass
            case _:
                assert_never(event)

    def play(self, packet: OpusPacket) -> None:
        if self._spotter is not None:
            duration_s = packet.samples / packet.rate_hz
            self._spotter.played(packet.dbfs, anyio.current_time(), duration_s)
        timestamp_ms = packet.start * 1000 // packet.rate_hz
        self._send(self._protocol.send_audio(packet.data, timestamp_ms))

    def close(self, code: int, reason: str) -> None:
        """End the connection, from wherever it is noticed that it must end."""
        if not self.scope.cancel_called:
            self.closing = (code, reason)
            self.scope.cancel()

    def release(self) -> None:
        """Close what the link opened."""
        if self._spotter is not None:
            self._spotter.close()
        self._sender.close()
        self.outbox.close()

    def receive(self, received: Received) -> None:
        """Do what the device says."""
        session = self.session
        match received:
            case Packet(data=data):
                self._hear(data)
            case ListenStart():
                self._listen(received)
            case ListenStop():
                session.stop_listening()
            case Abort(turn=turn):
                session.abort(turn)
            case Wake():
                self._claim(received)
                self._unconfirmed = received.phrase, session.samples  # its pre-roll follows
            case Rejected(reason=reason):
                self._complain(reason)
            case Ignored(what=what):
                log.info("ignored: %s", what, extra={"device": self.device})
            case WakeDetected():
                self._claim(Wake(phrase=received.text))
                self._unconfirmed = received.text, session.samples - CHECKED_SAMPLES
            case Playout(turn=turn, played_ms=played_ms, buffered_ms=buffered_ms):
                session.played(turn, played_ms, buffered_ms)
            case DeviceMcp() | Hello():
                pass
            case _:
                assert_never(received)

    def win(self) -> None:
        """This device answers what was said."""
        self._send(self._protocol.send_arb(won=True))
        if self._is_measured:
            self.contender.ended()

    def lose(self, hold_s: float) -> None:
        """Another device answers; to stock firmware a closed socket says so, without a sound."""
        log.info("another device answers", extra={"device": self.device})
        self.session.lose()
        if self._protocol.superset is None:
            self.close(NORMAL, "another device answers")
        else:
            self._send(self._protocol.send_arb(won=False, hold_ms=round(hold_s * 1000)))

    def settle(self) -> None:
        """What was decided about the device counts now; a turn that it is in ends where it began."""
        self.session.move(self._gate.microphones.place(self.device))
        if self._is_muted and self._protocol.state is State.LISTENING:
            self._end_listening(MUTED)

    @property
    def _is_muted(self) -> bool:
        return self._gate.microphones.is_muted(self.device)

    @property
    def _is_measured(self) -> bool:
        return anyio.current_time() - self._measured_s < MEASURED_S

    def _listen(self, start: ListenStart) -> None:
        """Refuse a device that is not to be heard; what it says of an answer goes on."""
        if self._is_muted:
            self._refuse(MUTED)
        elif self._is_measured:
            self._refuse("the wake word was measured")
        else:
            if not self.contender.listens() and not self.session.is_engaged:
                self._press()
            self.session.listen(start.mode)
            self._confirm()

    def _press(self) -> None:
        """A button was pressed: where others claim a word at this moment, it wins outright."""
        group = self._gate.microphones.group(self.device, "")
        if self._gate.referee.is_contested(group):
            now_s = anyio.current_time()
            self.contender.claim(Claim(self.device, now_s, None, group=group, kind=Kind.BUTTON))

    def _refuse(self, reason: str, turn: TurnId | None = None) -> None:
        """Nobody listens (any more); to stock firmware a closed socket says so."""
        if self._protocol.superset is None:
            self.close(NORMAL, reason)
        else:
            self._send(self._protocol.send_listen_end(turn, reason))

    def _end_listening(self, reason: str) -> None:
        """Drop what is being said; the end of its turn tells the device."""
        self._unheard = reason
        self.session.lose()

    def _claim(self, wake: Wake) -> None:
        if self._is_muted:
            self._send(self._protocol.send_arb(won=False))
            return
        is_engaged = self.session.is_engaged
        self.session.wake()
        self._note(wake.level_dbfs)
        age_s = (wake.age_ms or 0.0) / 1000
        level, noise_dbfs = wake.level_dbfs, wake.noise_dbfs
        session = self.session
        # Who waits to be measured until after the decision has lost, and stock firmware its socket.
        if level is None and session.samples - self._burst >= LEAST_PRE_ROLL_SAMPLES:
            level, noise_dbfs = self._level_since(session.samples), session.noise_dbfs
        self.contender.claim(
            Claim(
                self.device,
                anyio.current_time() - age_s,
                level,
                noise_dbfs,
                wake.score,
                self._gate.microphones.group(self.device, wake.group),
                wake.phrase,
                is_engaged=is_engaged,
            )
        )
        self._unlevelled = session.samples if level is None else None

    def _spot(self, since: int) -> None:
        """Listen for a wake word in what a device sends that has none of its own."""
        if self._spotter is None or self._protocol.state is not State.IDLE:
            return
        for heard in self._spotter.feed(self.session.heard_since(since), anyio.current_time()):
            begun = self._protocol.send_listen_begin(heard.word)
            if begun is None:
                return
            level = self._level_since(self.session.samples)
            self._claim(Wake(level, self.session.noise_dbfs, heard.score, phrase=heard.word))
            self.session.listen("auto")
            self._send(begun)

    def _confirm(self) -> None:
        """Hear the wake word again before any sound is made; the claim waits for nobody meanwhile."""
        if self._unconfirmed is None or self._gate.confirm is None:
            return
        (phrase, since), self._unconfirmed = self._unconfirmed, None
        heard, confirm = self.session.heard_since(since), self._gate.confirm

        async def check() -> None:
            if phrase and await confirm(heard, phrase) is False:
                log.info("that was no wake word", extra={"device": self.device})
                await self.contender.withdraw()

        self.contender.after_claim(check)

    def _measure(self) -> None:
        """The level of a claim that had none: of the pre-roll and the first speech after it."""
        if self._unlevelled is None or self.session.samples < self._unlevelled + LEVEL_SAMPLES:
            return
        claimed, self._unlevelled = self._unlevelled, None
        dbfs = self._level_since(claimed)
        self.contender.level(dbfs, self.session.noise_dbfs)
        if self._note(dbfs):
            self._end_listening("the wake word was measured")

    def _level_since(self, claimed: int) -> float:
        """From the pre-roll of the word on, without what was heard before a gap."""
        since = max(claimed - PRE_ROLL_SAMPLES, self._burst)
        return level_dbfs(self.session.heard_since(since).samples)

    def _note(self, dbfs: float | None) -> bool:
        is_measured = self._gate.microphones.claimed(self.device, dbfs)
        if is_measured:
            self._measured_s = anyio.current_time()
        return is_measured

    def _hear(self, packet: bytes) -> None:
        if self._is_muted:
            return
        before = self.session.samples
        now_s = anyio.current_time()
        if now_s > self._packet_s + GAP_S:
            self._burst = self.session.samples
        self._packet_s = now_s
        try:
            self.session.hear(packet)
            self._measure()
            self._spot(before)
        except AudioError as error:
            self._garbage += 1
            if self._garbage < MOST_REJECTED:
                self._complain(str(error))
            else:
                self.close(POLICY, f"{MOST_REJECTED} packets in a row are not Opus")
        else:
            self._garbage = 0

    def _complain(self, reason: str) -> None:
        log.warning("%s sent something broken: %s", self.device, reason)
        self._send(self._protocol.send_error(reason))

    def _end_turn(self, ended: TurnEnded) -> None:
        self._send(self._protocol.send_turn_report(ended))
        if ended.end != "merged":
            self.contender.ended()
        reason, self._unheard = self._unheard, ""
        match ended.end:
            case "no_speech":
                self._refuse(reason or "nobody spoke", ended.turn)
            case "lost":
                self._refuse(reason or "another device answers", ended.turn)
            case _ if reason:
                self._refuse(reason, ended.turn)
            case _:
                pass

    def _send(self, message: str | bytes | None) -> None:
        if message is None or self.scope.cancel_called:
            return
        try:
            self._sender.send_nowait(message)
        except anyio.WouldBlock:
            self.close(POLICY, "the device does not read what it is sent")


class DeviceGateway:
    """All devices that are connected now; one link for each device."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._links: dict[DeviceId, DeviceLink] = {}

    @property
    def sessions(self) -> int:
        return len(self._links)

    @property
    def rated(self) -> int:
        """How many devices this machine can serve at once, as far as is known now."""
        return self._gate.admission.rated(self.sessions)

    @property
    def connected(self) -> Collection[DeviceId]:
        return self._links.keys()

    def announce(self, device: DeviceId, text: str) -> Announcement | None:
        """Speak to a device without being asked, after the turn that it is in.

        None if it is not connected, or if too much is waiting to be said there.
        """
        link = self._links.get(device)
        return None if link is None else link.session.announce(text)

    def settle(self) -> None:
        """What was decided about devices counts now, also for those that are connected."""
        for link in list(self._links.values()):
            link.settle()

    def close_all(self) -> None:
        """Say goodbye to every device; they may come back."""
        for link in list(self._links.values()):
            link.close(GOING_AWAY, "the server is shutting down")

    async def connect(self, socket: WebSocket) -> None:
        """Serve one connection from its opening to its end. This is a connection boundary."""
        device = _device_id(socket)
        await socket.accept()
        code, reason = NORMAL, ""
        try:
            code, reason = await self._serve(socket, device)
        except WebSocketDisconnect:
            return
        except ProtocolError as error:
            code, reason = error.code, str(error)
            log.warning("%s broke the protocol: %s", device, reason)
        except Exception:
            code, reason = INTERNAL, "internal error"
            log.exception("the connection of %s failed", device)
        with anyio.move_on_after(CLOSE_S, shield=True):
            await _close(socket, code, reason)

    async def _serve(self, socket: WebSocket, device: DeviceId) -> tuple[int, str]:
        """Greet, converse, and say with which code and reason the socket is to be closed."""
        protocol = DeviceProtocol()
        known = device in self._links  # one that comes back takes its own place
        if not known:
            refusal = self._gate.admission.admit(anyio.current_time(), self.sessions)
            if refusal is not None:
                log.warning("%s is refused: %s", device, refusal)
                return TRY_LATER, str(refusal)
        hello: Hello | None = None
        with anyio.move_on_after(HELLO_S):
            hello = await _greet(socket, protocol)
        if hello is None:
            return POLICY, f"no hello within {HELLO_S:.0f} s"
        link = DeviceLink(device, hello, protocol, self._gate)
        if before := self._links.get(device):
            before.close(REPLACED, "the same device connected anew")
        self._links[device] = link
        is_persistent = hello.superset is not None and hello.superset.persistent
        self._gate.microphones.joined(device, is_persistent=is_persistent)
        self._gate.publish(DeviceJoined(device, link.session_id, anyio.current_time()))
        try:
            with link.scope:
                async with tasks.task_group() as group:
                    group.start_soon(link.session.run)
                    group.start_soon(link.contender.run)
                    group.start_soon(_write, socket, link)
                    await _read(socket, protocol, link)
        finally:
            link.release()
            with anyio.move_on_after(CLOSE_S, shield=True):
                await self._gate.referee.leave(link.contender)
            if self._links.get(device) is link:
                del self._links[device]
                self._gate.microphones.left(device)
            left = DeviceLeft(device, link.session_id, anyio.current_time(), link.closing[1])
            self._gate.publish(left)
        return link.closing


async def _greet(socket: WebSocket, protocol: DeviceProtocol) -> Hello:
    while True:
        for received in await _receive(socket, protocol):
            if isinstance(received, Hello):
                return received


async def _read(socket: WebSocket, protocol: DeviceProtocol, link: DeviceLink) -> None:
    while True:
        for received in await _receive(socket, protocol):
            link.receive(received)


async def _receive(socket: WebSocket, protocol: DeviceProtocol) -> list[Received]:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", NORMAL), message.get("reason"))
    text = message.get("text")
    if text is not None:
        return protocol.receive_text(text)
    return protocol.receive_binary(message.get("bytes") or b"")


async def _write(socket: WebSocket, link: DeviceLink) -> None:
    try:
        async for message in link.outbox:
            if isinstance(message, str):
                await socket.send_text(message)
            else:
                await socket.send_bytes(message)
    except WebSocketDisconnect:
        log.debug("%s is gone, the reader will see it", link.device)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    try:
        await socket.close(code, reason)
    except (RuntimeError, WebSocketDisconnect):
        log.debug("the device was gone before it could be told: %s", reason)


def _device_id(socket: WebSocket) -> DeviceId:
    """From the header, or from the query for browsers, which cannot set headers."""
    told = socket.headers.get("device-id") or socket.query_params.get("device-id", "")
    name = clean(told, LONGEST_NAME).strip()
    return DeviceId(name or f"unnamed-{new_session_id()}")
