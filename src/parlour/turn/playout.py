"""Speech on its way to a device: cut into frames, encoded, and sent on an absolute schedule."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

import anyio
import numpy as np

from parlour.audio import OpusPacket, Pcm, Resampler, Samples
from parlour.level import level_dbfs
from parlour.opus import Encoder


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


async def encode(
    sound: AsyncIterator[Pcm], form: PlayoutFormat
) -> AsyncGenerator[OpusPacket, None]:
    """Turn pieces of sound into Opus packets of the device's rate; the last is padded with silence."""
    encoder = Encoder(form.rate_hz, bitrate_bps=form.bitrate_bps)
    size = form.frame_samples
    resampler: Resampler | None = None
    pending = np.empty(0, np.int16)
    at = 0

    def packet(frame: Samples) -> OpusPacket:
        return OpusPacket(encoder.encode(frame), at, size, form.rate_hz, level_dbfs(frame))

    async for pcm in sound:
        resampler = resampler or Resampler(pcm.rate_hz, form.rate_hz)
        pending = np.concatenate([pending, resampler.push(pcm).samples])
        while len(pending) >= size:
            yield packet(pending[:size])
            pending, at = pending[size:], at + size
    if resampler is not None:
        rest = resampler.push(Pcm(np.empty(0, np.int16), form.rate_hz), last=True).samples
        pending = np.concatenate([pending, rest])
    while len(pending):
        frame = pending[:size]
        yield packet(np.concatenate([frame, np.zeros(size - len(frame), np.int16)]))
        pending, at = pending[size:], at + size


class Pacer:
    """The device's clock as the server sees it: packet n is due when n-1 have been played.

    The schedule is absolute, so a late wake-up never adds up. When speech is made more
    slowly than it is played, the schedule starts anew from the late packet.
    """

    def __init__(self, lead_s: float) -> None:
        self._lead_s = lead_s
        self._began_s: float | None = None
        self._held_s: float | None = None  # since when it is held
        self._released = anyio.Event()
        self._sent_s = 0.0  # of sound
        self.underruns = 0

    async def wait(self, packet: OpusPacket) -> None:
        """Wait until `packet` should be sent; while the answer is held, none should."""
        offset_s = packet.start / packet.rate_hz
        if self._began_s is None:
            self._began_s = anyio.current_time() - offset_s
        elif self._held_s is None and anyio.current_time() > self._began_s + offset_s:
            self.underruns += 1
            self._began_s = anyio.current_time() - offset_s
        while True:
            await anyio.sleep_until(self._began_s + offset_s - self._lead_s)
            if self._held_s is None:
                break
            await self._released.wait()
        self._sent_s = packet.end / packet.rate_hz

    async def wait_played(self) -> None:
        """Wait until the device should have played all that was sent."""
        while True:
            await anyio.sleep_until((self._began_s or 0.0) + self._sent_s)
            if self._held_s is None:
                return
            await self._released.wait()

    async def wait_released(self) -> None:
        """Wait as long as the answer is held."""
        if self._held_s is not None:
            await self._released.wait()

    def hold(self) -> None:
        """Stop the device's clock."""
        if self._held_s is None:
            self._held_s = anyio.current_time()
            self._released = anyio.Event()

    def release(self) -> None:
        """Let it go on where it stopped."""
        if self._held_s is None:
            return
        if self._began_s is not None:
            self._began_s += anyio.current_time() - max(self._held_s, self._began_s)
        self._held_s = None
        self._released.set()
