"""`/device`: a WebSocket of the device protocol on one side, a session on the other."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import assert_never

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from parlour import tasks
from parlour.audio import OpusPacket
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
from parlour.ids import DeviceId, new_session_id
from parlour.ports import Place
from parlour.turn.admission import Admission
from parlour.turn.engines import Engines
from parlour.turn.playout import PlayoutFormat
from parlour.turn.session import Announcement, Session
from parlour.wire.device import DeviceProtocol
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

NORMAL, GOING_AWAY, POLICY, INTERNAL, TRY_LATER = 1000, 1001, 1008, 1011, 1013
REPLACED = 4000  # the same device connected anew


@dataclass(frozen=True, slots=True)
class Gate:
    """What every connection needs; one value for the process."""

    engines: Engines
    areas: Mapping[DeviceId, str]  # where a microphone stands, from the configuration
    publish: Callable[[Event], None]
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
        place = Place(device, gate.areas.get(device))
        open_mic = hello.superset is not None and hello.superset.open_mic
        self.session = Session(gate.engines, place, form, self, open_mic=open_mic)
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
        timestamp_ms = packet.start * 1000 // packet.rate_hz
        self._send(self._protocol.send_audio(packet.data, timestamp_ms))

    def close(self, code: int, reason: str) -> None:
        """End the connection, from wherever it is noticed that it must end."""
        if not self.scope.cancel_called:
            self.closing = (code, reason)
            self.scope.cancel()

    def release(self) -> None:
        """Close what the link opened."""
        self._sender.close()
        self.outbox.close()

    def receive(self, received: Received) -> None:
        """Do what the device says."""
        session = self.session
        match received:
            case Packet(data=data):
                self._hear(data)
            case ListenStart(mode=mode):
                session.listen(mode)
            case ListenStop():
                session.stop_listening()
            case Abort(turn=turn):
                session.abort(turn)
            case Wake():
                session.wake()
                # One device so far: whoever claims has won.
                self._send(self._protocol.send_arb(won=True))
            case Rejected(reason=reason):
                self._complain(reason)
            case Ignored(what=what):
                log.info("ignored: %s", what, extra={"device": self.device})
            case WakeDetected():
                session.wake()
            case Playout(turn=turn, played_ms=played_ms, buffered_ms=buffered_ms):
                session.played(turn, played_ms, buffered_ms)
            case DeviceMcp() | Hello():
                pass
            case _:
                assert_never(received)

    def _hear(self, packet: bytes) -> None:
        try:
            self.session.hear(packet)
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
        if ended.end != "no_speech":
            return
        if self._protocol.superset is None:
            self.close(NORMAL, "nobody spoke")  # to stock firmware closing is the goodbye
        else:
            self._send(self._protocol.send_listen_end(ended.turn, "nobody spoke"))

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
        self._gate.publish(DeviceJoined(device, link.session_id, anyio.current_time()))
        try:
            with link.scope:
                async with tasks.task_group() as group:
                    group.start_soon(link.session.run)
                    group.start_soon(_write, socket, link)
                    await _read(socket, protocol, link)
        finally:
            link.release()
            if self._links.get(device) is link:
                del self._links[device]
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
