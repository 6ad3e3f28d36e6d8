"""A device in software: it says recordings to a server in real time and listens to the reply."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, count, repeat
from types import TracebackType
from typing import Literal, Self, TypeAlias

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from parlour import tasks
from parlour.app.virtual_dialogue import Dialogue, Line, Mouth
from parlour.app.virtual_turn import Listener, Turn, speech_end, turn_of
from parlour.audio import HEARING_RATE_HZ, Pcm, frames, silence
from parlour.errors import InputError, ParlourError
from parlour.ids import TurnId
from parlour.opus import Encoder
from parlour.wire.device_peer import DevicePeer, Heard, ServerHello, TurnReport
from parlour.wire.messages import FrameMs, Mode, Superset, Wake

Dialect: TypeAlias = Literal["parlour", "xiaozhi"]

DEADLINE_S = 15.0  # a server that says nothing for so long has nothing to say
HELLO_S = 10.0  # stock firmware waits as long
REPORT_S = 0.2  # between two playout reports
GIVE_UP_S = 1.0  # the server's time to own up to a turn that was called off
COMPLEXITY = 0  # of the Opus encoder: what an ESP32 can afford
MOST_UNREAD = 256  # messages: a device reads on while this process computes


class LinkError(ParlourError):
    """The server is not there, or it hung up; it may be back in a moment."""

    retry = True


class VirtualDevice:
    """One device on one connection: a context in which `speak` holds one turn after the other.

    Entering raises LinkError if the server is not there or does not greet.
    """

    def __init__(
        self,
        url: str,
        device_id: str,
        *,
        mode: Mode = "auto",
        token: str | None = None,
        frame_ms: FrameMs | None = None,
        dialect: Dialect = "parlour",
    ) -> None:
        """`frame_ms` is the microphone's; None: 20, or 60 in the xiaozhi dialect."""
        if not url.startswith(("ws://", "wss://")):
            raise InputError(f"{url} is no device link: it looks like ws://127.0.0.1:8000/device")
        self.mode = mode
        self._url = url
        self._device_id = device_id
        self._token = token
        self._dialect = dialect
        self._frame_ms: FrameMs = frame_ms or (20 if dialect == "parlour" else 60)
        self._opened = AsyncExitStack()
        self._link: _Link | None = None
        self._before: TurnId | None = None  # the last turn; what still comes of it is stale
        self.sent_samples = 0  # of the microphone on this connection, at 16 kHz

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:
            with _link_errors(self._url):
                socket = await opened.enter_async_context(self._connect())
                self._link = _Link(socket)
                await self._link.greet(self._frame_ms, self._dialect)
            self._opened = opened.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._link = None
        with anyio.move_on_after(1, shield=True):
            await self._opened.aclose()

    async def speak(
        self,
        pcm: Pcm,
        *,
        deadline_s: float = DEADLINE_S,
        hear_s: float | None = None,
        ends: int | None = None,
        watch: Callable[[Heard], None] = lambda _: None,
        wake: Wake | None = None,
    ) -> Turn:
        """Say `pcm` (16 kHz) as fast as a person would, hear the reply, and tell what came when.

        After the sound, silence is sent until the reply begins; in manual mode the button is let
        go. The turn is over with the server's report of it, or when nothing came for `deadline_s`
        since the sound ended or the reply last went on: then its `end` is "no_reply". `hear_s`
        cuts the reply off after so much of it. `ends` is the sample after the last of speech, where
        it is known; it can be found in a quiet recording only. `watch` is called with each message. `wake`: the claim to answer that
        comes first, as others may hear the same. Raises LinkError if the connection breaks. Cancelling stops at once.
        """
        link = self._link
        if link is None:
            raise RuntimeError("speak needs the open device: `async with VirtualDevice(...)`")
        if pcm.rate_hz != HEARING_RATE_HZ:
            raise InputError(f"the microphone has {HEARING_RATE_HZ} Hz, not {pcm.rate_hz}")
        began_s = anyio.current_time()
        # When its last sample was spoken, which is up to a frame before that frame is sent.
        ended_s = began_s + (speech_end(pcm) if ends is None else ends) / HEARING_RATE_HZ
        listener = Listener(link.hello.rate_hz, ended_s, reports=link.reports)
        microphone = anyio.CancelScope()
        wishes = _Wishes(deadline_s, hear_s, watch)
        with _link_errors(self._url):
            async with tasks.task_group() as group:
                group.start_soon(self._stream, link, pcm, began_s, microphone, wake)
                with anyio.CancelScope(deadline=began_s + pcm.duration_s + deadline_s) as patience:
                    await self._hear(link, listener, wishes, microphone, patience)
                group.cancel_scope.cancel()
            over = listener.id if listener.over else await self._give_up(link, listener.id)
        self._before = over or self._before
        return listener.finish()

    async def converse(
        self,
        lines: Sequence[Line],
        *,
        deadline_s: float = DEADLINE_S,
        watch: Callable[[Heard], None] = lambda _: None,
        begins: Callable[[Pcm], None] = lambda _: None,
    ) -> list[Turn]:
        """Say several lines on one open microphone, in realtime mode; returns the turns in order.

        `begins` is called when a line is about to be said, at `sent_samples`. Ends when the last line was answered, or when nothing came for `deadline_s`.
        """
        link = self._link
        if link is None:
            raise RuntimeError("converse needs the open device: `async with VirtualDevice(...)`")
        dialogue = Dialogue(lines, link.hello.rate_hz)
        with _link_errors(self._url):
            async with tasks.task_group() as group:
                group.start_soon(self._keep_open, link, dialogue, begins)
                longest_s = max(line.pcm.duration_s for line in lines)
                patience_s = longest_s + deadline_s
                with anyio.CancelScope(deadline=anyio.current_time() + patience_s) as patience:
                    while not dialogue.over:
                        for heard in await link.receive():
                            watch(heard)
                            dialogue.take(heard, anyio.current_time())
                        patience.deadline = anyio.current_time() + patience_s
                group.cancel_scope.cancel()
            await link.send(link.peer.send_listen_stop())
        return dialogue.finish()

    async def _keep_open(
        self, link: "_Link", dialogue: Dialogue, begins: Callable[[Pcm], None]
    ) -> None:
        """Send the microphone's sound frame by frame, and reports of what was played."""
        frame_s = self._frame_ms / 1000
        encoder = Encoder(HEARING_RATE_HZ, complexity=COMPLEXITY, dtx=True)
        mouth = Mouth(round(frame_s * HEARING_RATE_HZ))
        began_s = anyio.current_time()
        with suppress(ConnectionClosed):  # a link that broke is the receiver's to tell
            await link.send(link.peer.send_listen_start("realtime"))
            for n in count(1):
                if (line := dialogue.due(began_s + (n - 1) * frame_s)) is not None:
                    begins(line.pcm)
                    mouth.say(line.pcm)
                frame = mouth.next_frame()
                await anyio.sleep_until(began_s + n * frame_s)
                await link.send(link.peer.send_audio(encoder.encode(frame), n * self._frame_ms))
                self.sent_samples += len(frame)
                if playout := dialogue.playout(anyio.current_time()):
                    await link.send(link.peer.send_playout(playout))

    def _connect(self) -> connect:
        headers = {
            "Protocol-Version": "1",
            "Device-Id": self._device_id,
            "Client-Id": str(uuid.uuid5(uuid.NAMESPACE_OID, self._device_id)),
        }
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        # No deflate: Opus does not shrink, and trying takes time. No proxy: the server is on the
        # same network. TCP_NODELAY is what asyncio sets by itself.
        return connect(
            self._url,
            additional_headers=headers,
            compression=None,
            proxy=None,
            open_timeout=HELLO_S,
            close_timeout=1,
            ping_interval=20 if self._dialect == "parlour" else None,  # stock firmware sends none
            max_queue=MOST_UNREAD,
        )

    async def _stream(
        self,
        link: "_Link",
        pcm: Pcm,
        began_s: float,
        microphone: anyio.CancelScope,
        wake: Wake | None,
    ) -> None:
        """Send each frame when it is complete; the schedule is absolute, so lateness never adds up."""
        encoder = Encoder(HEARING_RATE_HZ, complexity=COMPLEXITY, dtx=True)
        frame_s = self._frame_ms / 1000
        sound = frames(pcm, round(frame_s * HEARING_RATE_HZ))
        tail = () if self.mode == "manual" else repeat(silence(frame_s, HEARING_RATE_HZ))
        # A link that broke is the receiver's to tell.
        with microphone, suppress(ConnectionClosed):
            if wake is not None:
                await link.send(link.peer.send_wake(wake))
            await link.send(link.peer.send_listen_start(self.mode))
            for n, frame in enumerate(chain(sound, tail), start=1):
                packet = encoder.encode(frame.samples)
                await anyio.sleep_until(began_s + n * frame_s)
                await link.send(link.peer.send_audio(packet, n * self._frame_ms))
                self.sent_samples += len(frame.samples)
            await link.send(link.peer.send_listen_stop())

    async def _hear(
        self,
        link: "_Link",
        listener: Listener,
        wishes: "_Wishes",
        microphone: anyio.CancelScope,
        patience: anyio.CancelScope,
    ) -> None:
        """Take what comes until the turn is over."""
        report_s, aborted = 0.0, False
        while not listener.over:
            try:
                messages = await link.receive()
            except ConnectionClosed:
                if self._dialect == "parlour":
                    raise
                listener.hang_up()  # to stock firmware closing is the goodbye
                return
            now_s = anyio.current_time()
            for heard in messages:
                if self._before is None or turn_of(heard) != self._before:
                    wishes.watch(heard)
                    listener.take(heard, now_s)
            if listener.over and listener.turn.end == "merged":
                self._before = listener.id
                listener.go_on()
            if not listener.answering:
                continue
            patience.deadline = now_s + wishes.deadline_s
            if self.mode != "realtime":
                microphone.cancel()
            playout = listener.playout(now_s) if link.wants_playout else None
            if playout and (now_s >= report_s or listener.over):
                report_s = now_s + REPORT_S
                await link.send(link.peer.send_playout(playout))
            heard_out = wishes.hear_s is not None and listener.reply_s >= wishes.hear_s
            if heard_out and now_s > listener.zero_s and not (aborted or listener.held):
                aborted = True
                await link.send(link.peer.send_abort(turn=listener.id))

    async def _give_up(self, link: "_Link", turn: TurnId | None) -> TurnId | None:
        """Call the turn off and wait a moment for its report, so that the next one starts clean."""
        await link.send(link.peer.send_abort(turn=turn))
        with anyio.move_on_after(GIVE_UP_S if link.reports else 0):
            while True:
                for heard in await link.receive():
                    if isinstance(heard, TurnReport) and heard.turn != self._before:
                        return heard.turn
        return turn


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the caller of `speak` wants."""

    deadline_s: float
    hear_s: float | None
    watch: Callable[[Heard], None]


class _Link:
    """A socket that speaks the device protocol."""

    def __init__(self, socket: ClientConnection) -> None:
        self.peer = DevicePeer()
        self._socket = socket

    async def greet(self, frame_ms: FrameMs, dialect: Dialect) -> None:
        superset = None
        if dialect == "parlour":
            superset = Superset(partials=True, report=True, playout=True, persistent=True)
        await self.send(self.peer.send_hello(frame_ms=frame_ms, superset=superset))
        with anyio.move_on_after(HELLO_S):
            while True:
                for heard in await self.receive():
                    if isinstance(heard, ServerHello):
                        self.hello = heard
                        return
        raise LinkError(f"the server did not answer the hello within {HELLO_S:.0f} s")

    @property
    def reports(self) -> bool:
        return self.hello.superset is not None and self.hello.superset.report

    @property
    def wants_playout(self) -> bool:
        return self.hello.superset is not None and self.hello.superset.playout

    async def send(self, message: str | bytes) -> None:
        await self._socket.send(message)

    async def receive(self) -> list[Heard]:
        message = await self._socket.recv()
        if isinstance(message, str):
            return self.peer.receive_text(message)
        return self.peer.receive_binary(message)


@contextmanager
def _link_errors(url: str) -> Iterator[None]:
    """Turn what can go wrong with a connection into one sentence."""
    try:
        yield
    except ConnectionClosed as error:
        reason = error.rcvd.reason if error.rcvd else "without a word"
        raise LinkError(f"the server closed the connection: {reason or 'no reason'}") from error
    except InvalidURI as error:
        raise InputError(f"{url} is no URL of a device link") from error
    except InvalidStatus as error:
        status = error.response.status_code
        raise LinkError(f"{url} is no device link: the server answered {status}") from error
    except InvalidHandshake as error:
        raise LinkError(f"{url} does not speak WebSocket: {error}") from error
    except OSError as error:
        raise LinkError(f"no server at {url}: is `parlour serve` running there?") from error
