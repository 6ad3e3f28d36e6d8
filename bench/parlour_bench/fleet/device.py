"""A light device: it claims, sends packets that were prepared once, and notes what comes back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import anyio.abc
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.errors import ParlourError
from parlour.ids import DeviceId
from parlour.opus import Encoder
from parlour.wire.device_peer import (
    Arb,
    DevicePeer,
    Heard,
    ServerError,
    ServerHello,
    Sound,
    TtsStart,
    TurnReport,
)
from parlour.wire.messages import Rejected, Superset, Wake
from parlour_bench.fleet.judge import Seen
from parlour_bench.fleet.plan import NOISE_DBFS, Ear
from parlour_bench.load import FRAME_S, FRAME_SAMPLES

LONG_SAMPLES = 6 * FRAME_SAMPLES  # 120 ms, the longest packet there is
FILL_S = 0.03  # between two packets that fill up, so that the server has nothing to catch up with
ROOM_S = 2.5  # after the sentence, in which an answer must have begun
ANSWER_S = 8.0  # from the end of the sentence to the end of the turn, at the longest
QUIET_S = 0.3  # after a turn, in which whoever is still heard is noted


class Sentence:
    """What is said, as packets. All devices send whole `period`s, so that a script of words that
    come again with that period is true for each of them."""

    def __init__(self, pcm: Pcm, speech_end: int) -> None:
        samples = pcm.samples[: speech_end + FRAME_SAMPLES]
        encoder = Encoder(HEARING_RATE_HZ, dtx=True)
        whole = len(samples) - len(samples) % FRAME_SAMPLES
        self.packets = [encoder.encode(f) for f in samples[:whole].reshape(-1, FRAME_SAMPLES)]
        self.silence = _silence(FRAME_SAMPLES)
        self.long_silence = _silence(LONG_SAMPLES)
        self.speech_end_s = speech_end / HEARING_RATE_HZ
        room = speech_end + round(ROOM_S * HEARING_RATE_HZ)
        self.period = -(-room // LONG_SAMPLES) * LONG_SAMPLES

    @property
    def frames(self) -> int:
        return self.period // FRAME_SAMPLES


@dataclass(frozen=True, slots=True)
class Call:
    """One word that the device hears. `group` is None if it does not claim for it."""

    ear: Ear
    group: str | None
    at_s: float  # when the word ended


class Device:
    """One connection; `hear` holds one turn after the other."""

    def __init__(self, socket: ClientConnection, device: DeviceId) -> None:
        self.device = device
        self._socket = socket
        self._peer = DevicePeer()
        self._sent = 0
        self._seen: Seen | None = None
        self._resting = anyio.Event()  # the microphone may close
        self._over = anyio.Event()

    async def greet(self) -> None:
        superset = Superset(report=True, persistent=True)
        hello = self._peer.send_hello(frame_ms=20, superset=superset, playback_rate_hz=16_000)
        await self._socket.send(hello)
        while not any(isinstance(heard, ServerHello) for heard in await self._receive()):
            pass

    async def listen(self) -> None:
        """Note what comes, until cancelled."""
        while True:
            for heard in await self._receive():
                if self._seen is not None:
                    self._note(self._seen, heard, anyio.current_time())

    async def hear(self, call: Call, sentence: Sentence) -> Seen:
        """Claim, if it is to, and say the sentence until somebody answers."""
        self._seen = seen = Seen(call.ear.device, call.ear.level_dbfs)
        seen.spoken_s = call.at_s + sentence.speech_end_s
        self._resting, self._over = anyio.Event(), anyio.Event()
        await anyio.sleep_until(call.at_s + call.ear.late_s)
        if call.group is not None:
            wake = Wake(call.ear.level_dbfs, NOISE_DBFS, phrase="okay nabu", group=call.group)
            seen.claimed_s = anyio.current_time()
            await self._socket.send(self._peer.send_wake(wake))
        await self._socket.send(self._peer.send_listen_start("auto"))
        with anyio.move_on_at(seen.spoken_s + ANSWER_S):
            await self._speak(call.at_s, sentence)
            await self._socket.send(self._peer.send_listen_stop())
            await self._over.wait()
            await anyio.sleep(QUIET_S)
        await self._fill(sentence)
        self._seen = None
        return seen

    async def _speak(self, began_s: float, sentence: Sentence) -> None:
        """Each frame when it is complete; whoever is late sends what he kept at once."""
        for n in range(sentence.frames):
            await anyio.sleep_until(began_s + (n + 1) * FRAME_S)
            if self._resting.is_set():
                return
            packet = sentence.packets[n] if n < len(sentence.packets) else sentence.silence
            await self._send(packet, FRAME_SAMPLES)

    async def _fill(self, sentence: Sentence) -> None:
        """Bring the microphone's sound to a whole period."""
        while missing := -self._sent % sentence.period:
            if missing >= LONG_SAMPLES:
                await self._send(sentence.long_silence, LONG_SAMPLES)
            else:
                await self._send(sentence.silence, FRAME_SAMPLES)
            await anyio.sleep(FILL_S)

    async def _send(self, packet: bytes, samples: int) -> None:
        await self._socket.send(self._peer.send_audio(packet))
        self._sent += samples

    async def _receive(self) -> list[Heard]:
        message = await self._socket.recv()
        if isinstance(message, str):
            return self._peer.receive_text(message)
        return self._peer.receive_binary(message)

    def _note(self, seen: Seen, heard: Heard, now_s: float) -> None:
        match heard:
            case Arb(won=won):
                seen.verdicts.append((now_s, won))
                if not won:
                    self._resting.set()
            case TtsStart():
                self._resting.set()
            case Sound():
                seen.sounds += 1
                seen.sounds_after_lost += seen.is_lost
                seen.first_sound_s = seen.first_sound_s or now_s
            case TurnReport(end=end):
                seen.end = end
                self._resting.set()
                self._over.set()
            case ServerError(message=reason) | Rejected(reason=reason):
                seen.faults.append(reason)
            case _:
                pass


@asynccontextmanager
async def connected(url: str, names: Sequence[DeviceId]) -> AsyncIterator[dict[DeviceId, Device]]:
    """All devices of the fleet, each on a socket of its own. Raises ParlourError if one breaks."""
    devices: dict[DeviceId, Device] = {}
    try:
        async with tasks.task_group() as group:
            for name in names:
                devices[name] = await group.start(_connect, url, name)
            yield devices
            group.cancel_scope.cancel()
    except ConnectionClosed as error:
        told = error.rcvd.reason if error.rcvd else "without a word"
        raise ParlourError(f"the server closed a connection: {told or 'no reason'}") from error
    except OSError as error:
        raise ParlourError(f"no server at {url}: {error}") from error


async def _connect(url: str, name: DeviceId, *, task_status: anyio.abc.TaskStatus[Device]) -> None:
    async with connect(
        url,
        additional_headers={"Device-Id": name, "Protocol-Version": "1"},
        compression=None,
        proxy=None,
        ping_interval=None,
        open_timeout=20,
        close_timeout=1,
    ) as socket:
        device = Device(socket, name)
        await device.greet()
        task_status.started(device)
        await device.listen()


def _silence(samples: int) -> bytes:
    return Encoder(HEARING_RATE_HZ, dtx=True).encode(np.zeros(samples, np.int16))
