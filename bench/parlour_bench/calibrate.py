"""What this machine needs, right now, for a closed command if all else costs nothing.

A device in miniature sends Opus frames on a schedule to a WebSocket server in this process, which
decodes them and judges their level; after the last one it keeps silence for as long as a closed
command is given, asks the grammar once and sends a packet back. On a slow or busy machine that
takes longer in the same measure as a turn does, so that a multiple of it can be held against
any machine.
"""

import anyio
import numpy as np
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from parlour.audio import HEARING_RATE_HZ
from parlour.level import level_dbfs
from parlour.opus import Decoder, Encoder
from parlour.turn.endpoint import EndpointPolicy
from parlour_bench.manifest import how_it_ends

ROUNDS = 6
SPEECH_FRAMES = 15
FRAME_S = 0.02
LOUD_DBFS = -45.0
COMMAND = "turn on the kitchen light"

# How many times as long a class may take at most: p50 and p95.
MULTIPLES = {
    "closed command": (1.6, 4.0),
    "open question, groq": (4.0, 9.0),
}


async def calibrate(rounds: int = ROUNDS) -> float:
    """The median of several rounds, in milliseconds; takes about half a second for each."""
    how_it_ends(COMMAND)  # the first time it reads its sentences
    took_ms = []
    async with serve(_answer, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", compression=None, proxy=None) as socket:
            for _ in range(rounds):
                encoder = Encoder(HEARING_RATE_HZ, complexity=0)
                began_s = anyio.current_time()
                silent_frames = round(EndpointPolicy().closed_ms / 1000 / FRAME_S) + 1
                for n in range(SPEECH_FRAMES + silent_frames):
                    packet = encoder.encode(_frame(loud=n < SPEECH_FRAMES))
                    await anyio.sleep_until(began_s + (n + 1) * FRAME_S)
                    await socket.send(packet)
                await socket.recv()
                ended_s = began_s + SPEECH_FRAMES * FRAME_S
                took_ms.append((anyio.current_time() - ended_s) * 1000)
    return round(float(np.median(took_ms)), 1)


def bounds(calibration_ms: float) -> dict[str, tuple[float, float]]:
    return {
        name: (round(p50 * calibration_ms, 1), round(p95 * calibration_ms, 1))
        for name, (p50, p95) in MULTIPLES.items()
    }


async def _answer(socket: ServerConnection) -> None:
    """Send a packet back after each silence that is long enough."""
    decoder, encoder = Decoder(HEARING_RATE_HZ), Encoder(HEARING_RATE_HZ)
    silent_s, answered = 0.0, True
    async for packet in socket:
        if isinstance(packet, str):
            continue
        heard = decoder.decode(packet)
        if level_dbfs(heard) > LOUD_DBFS:
            silent_s, answered = 0.0, False
            continue
        silent_s += FRAME_S
        if not answered and silent_s * 1000 >= EndpointPolicy().closed_ms:
            answered = how_it_ends(COMMAND) == "closed"
            await socket.send(encoder.encode(heard))


def _frame(*, loud: bool) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    count = round(FRAME_S * HEARING_RATE_HZ)
    if not loud:
        return np.zeros(count, np.int16)
    return (8000 * np.sin(np.arange(count) / 6)).astype(np.int16)
