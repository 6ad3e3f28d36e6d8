"""Many devices in one process: they ask in real time, interrupt, and time everything they hear.

Run as a process of its own on a core of its own: `python -m parlour_bench.load PLAN.json`.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, read_wav
from parlour.opus import Encoder
from parlour.wire.device_peer import (
    DevicePeer,
    ServerHello,
    Sound,
    TtsPause,
    TtsStart,
    TtsStop,
    TurnReport,
)
from parlour.wire.messages import Superset

FRAME_S = 0.02
FRAME_SAMPLES = round(FRAME_S * HEARING_RATE_HZ)
PREBUFFER_S = 0.06
STAGGER_S = 0.13  # between two sessions' beginnings
LATE_S = 0.002  # packets later than the speaker's clock by this are a gap that is heard


@dataclass(slots=True)
class Asked:
    """One question of one session."""

    barge: bool
    v2v_ms: float | None = None  # from the last voiced sample to the first byte of the answer
    work_ms: float | None = None  # of that, from the server's commit to its first byte sent
    silence_ms: float | None = None  # from the onset of the interruption to silence
    lost_ms: float = 0.0
    gaps: int = 0


@dataclass(slots=True)
class Session:
    refused: str = ""
    asked: list[Asked] = field(default_factory=list)
    broken: str = ""


@dataclass(slots=True)
class Result:
    sessions: list[Session]
    late_p95_ms: float


class Speech:
    """A question as packets, the same for everybody, and then silence."""

    def __init__(self, wav: Path, speech_end: int) -> None:
        samples = read_wav(wav).samples[: speech_end + FRAME_SAMPLES]
        encoder = Encoder(HEARING_RATE_HZ, dtx=True)
        whole = len(samples) - len(samples) % FRAME_SAMPLES
        self.packets = [encoder.encode(f) for f in samples[:whole].reshape(-1, FRAME_SAMPLES)]
        self.silence = Encoder(HEARING_RATE_HZ, dtx=True).encode(samples[:FRAME_SAMPLES] * 0)
        self.last = (speech_end - 1) // FRAME_SAMPLES  # the frame with the last voiced sample
        self.after_s = ((self.last + 1) * FRAME_SAMPLES - speech_end) / HEARING_RATE_HZ


class Load:
    """All sessions of one run."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._url = str(plan["url"])
        self._count = int(plan["sessions"])
        self._asks = list(plan["asks"])  # {"frame": when, "barge": whether into an answer}
        self._frames = int(plan["frames"])
        self._stagger_s = float(plan.get("stagger_s", STAGGER_S))
        self._speech = Speech(Path(plan["wav"]), int(plan["speech_end"]))
        self._onset = int(plan["speech_begin"]) / HEARING_RATE_HZ
        self._late_ms: list[float] = []

    async def run(self) -> Result:
        sessions = [Session() for _ in range(self._count)]
        began_s = anyio.current_time() + 0.5
        async with tasks.task_group() as group:
            for n, session in enumerate(sessions):
                group.start_soon(self._attend, n, session, began_s + n * self._stagger_s)
        late = sorted(self._late_ms)
        return Result(sessions, round(late[int(0.95 * len(late))], 2) if late else 0.0)

    async def _attend(self, n: int, session: Session, began_s: float) -> None:
        await anyio.sleep_until(began_s)
        try:
            async with connect(
                self._url,
                additional_headers={"Device-Id": f"load-{n}", "Protocol-Version": "1"},
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=20,
                close_timeout=1,
            ) as socket:
                await self._converse(socket, session)
        except ConnectionClosed as error:
            told = error.rcvd.reason if error.rcvd else "without a word"
            if error.rcvd is not None and error.rcvd.code == 1013:
                session.refused = told
            else:
                session.broken = told
        except (OSError, TimeoutError) as error:
            session.broken = type(error).__name__

    async def _converse(self, socket: ClientConnection, session: Session) -> None:
        peer = DevicePeer()
        superset = Superset(report=True, playout=False, persistent=True)
        await socket.send(peer.send_hello(frame_ms=20, superset=superset, playback_rate_hz=16_000))
        while not any(isinstance(h, ServerHello) for h in _read(peer, await socket.recv())):
            pass
        await socket.send(peer.send_listen_start("realtime"))
        ear = _Ear(session, self._onset)
        async with tasks.task_group() as group:
            group.start_soon(_listen, socket, peer, ear)
            await self._speak(socket, peer, ear)
            group.cancel_scope.cancel()

    async def _speak(self, socket: ClientConnection, peer: DevicePeer, ear: "_Ear") -> None:
        """Ask as planned, each frame when it is complete; in between there is silence."""
        speech = self._speech
        began_s = anyio.current_time()
        begins = {ask["frame"]: bool(ask["barge"]) for ask in self._asks}
        at = len(speech.packets)  # of the question that is being asked
        for frame in range(self._frames):
            if frame in begins:
                at = 0
                ear.ask(began_s + frame * FRAME_S, barge=begins[frame])
            asking = at < len(speech.packets)
            packet = speech.packets[at] if asking else speech.silence
            sent_s = await self._send(socket, peer, packet, began_s, frame)
            if asking and at == speech.last:
                ear.ended(sent_s - speech.after_s)
            at += 1

    async def _send(
        self, socket: ClientConnection, peer: DevicePeer, packet: bytes, began_s: float, frame: int
    ) -> float:
        """Returns when it was due, which is when its last sample was spoken."""
        due_s = began_s + (frame + 1) * FRAME_S
        await anyio.sleep_until(due_s)
        self._late_ms.append((anyio.current_time() - due_s) * 1000)
        await socket.send(peer.send_audio(packet))
        return due_s


class _Ear:
    """Times what is heard in one session, against the clock of a simulated loudspeaker."""

    def __init__(self, session: Session, onset_s: float) -> None:
        self._session = session
        self._onset_s = onset_s
        self._asked: Asked | None = None
        self._answered: Asked | None = None  # whose answer is playing
        self._ended_s: float | None = None
        self._began_s = 0.0  # of the present interruption
        self._until_s: float | None = None
        self._paused_s: float | None = None

    def ask(self, now_s: float, *, barge: bool) -> None:
        self._began_s = now_s + self._onset_s
        self._ended_s = None
        self._asked = Asked(barge)
        self._session.asked.append(self._asked)

    def ended(self, now_s: float) -> None:
        self._ended_s = now_s

    def start(self) -> None:
        self._until_s = self._paused_s = None
        self._answered = None

    def sound(self, now_s: float) -> None:
        asked = self._asked
        if self._answered is None and asked is not None and self._ended_s is not None:
            self._answered = asked
            asked.v2v_ms = (now_s - self._ended_s) * 1000
        if self._until_s is None:
            self._until_s = now_s + PREBUFFER_S
        elif now_s > self._until_s + LATE_S and self._answered is not None:
            self._answered.gaps += 1
            self._answered.lost_ms += (now_s - self._until_s) * 1000
            self._until_s = now_s
        self._until_s += FRAME_S

    def silent(self, now_s: float) -> None:
        """Told to pause or to drop what is queued."""
        asked = self._asked
        if asked is not None and asked.barge and asked.silence_ms is None:
            plays = self._until_s is not None and self._until_s > self._began_s
            if plays and now_s > self._began_s:
                asked.silence_ms = (now_s - self._began_s) * 1000

    def report(self, report: TurnReport) -> None:
        asked = self._answered or self._asked
        commit_ms, sent_ms = (report.stages_ms.get(stage) for stage in ("commit", "sent_first"))
        if asked is not None and commit_ms is not None and sent_ms is not None:
            asked.work_ms = sent_ms - commit_ms


async def _listen(socket: ClientConnection, peer: DevicePeer, ear: _Ear) -> None:
    while True:
        message = await socket.recv()
        now_s = anyio.current_time()
        for heard in _read(peer, message):
            match heard:
                case Sound():
                    ear.sound(now_s)
                case TtsStart():
                    ear.start()
                case TtsPause() | TtsStop(flush=True):
                    ear.silent(now_s)
                case TurnReport():
                    ear.report(heard)
                case _:
                    pass


def _read(peer: DevicePeer, message: str | bytes) -> list[Any]:
    if isinstance(message, str):
        return list(peer.receive_text(message))
    return list(peer.receive_binary(message))


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    result = anyio.run(Load(plan).run)
    Path(plan["result"]).write_text(json.dumps(asdict(result)), encoding="utf-8")


if __name__ == "__main__":
    main()
