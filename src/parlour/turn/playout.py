"""Speech on its way to a device: cut into frames, encoded, and sent on an absolute schedule."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import anyio
import numpy as np

from parlour.audio import OpusPacket, Pcm, Resampler
from parlour.opus import Encoder
from parlour.ports import Speech


@dataclass(frozen=True, slots=True)
class PlayoutFormat:
    """What a device plays. `lead_s` is how far ahead of its clock sound is sent.

    A stock board drops what does not fit into its queue of 40 packets, and a burst of five
    already kills the small ones: hence a lead of two frames there, and more where it is safe.
    """

    rate_hz: int
    frame_ms: int
    lead_s: float
    bitrate_bps: int = 24_000

    @property
    def frame_samples(self) -> int:
        return self.rate_hz * self.frame_ms // 1000


async def encode(speech: AsyncIterator[Speech], form: PlayoutFormat) -> AsyncIterator[OpusPacket]:
    """Turn pieces of speech into Opus packets of the device's rate; the last is padded with silence."""
    encoder = Encoder(form.rate_hz, bitrate_bps=form.bitrate_bps)
    size = form.frame_samples
    resampler: Resampler | None = None
    pending = np.empty(0, np.int16)
    at = 0
    async for piece in speech:
        resampler = resampler or Resampler(piece.pcm.rate_hz, form.rate_hz)
        pending = np.concatenate([pending, resampler.push(piece.pcm).samples])
        while len(pending) >= size:
            yield OpusPacket(encoder.encode(pending[:size]), at, size, form.rate_hz)
            pending, at = pending[size:], at + size
    if resampler is not None:
        rest = resampler.push(Pcm(np.empty(0, np.int16), form.rate_hz), last=True).samples
        pending = np.concatenate([pending, rest])
    while len(pending):
        frame = pending[:size]
        frame = np.concatenate([frame, np.zeros(size - len(frame), np.int16)])
        yield OpusPacket(encoder.encode(frame), at, size, form.rate_hz)
        pending, at = pending[size:], at + size


class Pacer:
    """The device's clock as the server sees it: packet n is due when n-1 have been played.

    The schedule is absolute, so a late wake-up never adds up. When speech is made more
    slowly than it is played, the schedule starts anew from the late packet.
    """

    def __init__(self, lead_s: float) -> None:
        self._lead_s = lead_s
        self._began_s: float | None = None
        self.underruns = 0
        self.played_until_s = 0.0  # when the device will have played all that was sent

    async def wait(self, packet: OpusPacket) -> None:
        """Wait until `packet` should be sent."""
        now_s = anyio.current_time()
        offset_s = packet.start / packet.rate_hz
        if self._began_s is None:
            self._began_s = now_s - offset_s
        elif now_s > self._began_s + offset_s:
            self.underruns += 1
            self._began_s = now_s - offset_s
        await anyio.sleep_until(self._began_s + offset_s - self._lead_s)
        self.played_until_s = self._began_s + packet.end / packet.rate_hz


async def play(
    packets: AsyncIterator[OpusPacket], pacer: Pacer, send: Callable[[OpusPacket], None]
) -> None:
    """Send each packet when it is due. Cancelling stops at once: nothing is queued behind it."""
    async for packet in packets:
        await pacer.wait(packet)
        send(packet)
