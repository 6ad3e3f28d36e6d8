"""Sound as values: PCM and Opus packets that know where in their stream they lie."""

import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from parlour.errors import AudioError

Samples: TypeAlias = NDArray[np.int16]

HEARING_RATE_HZ = 16_000  # every recogniser and VAD we know listens at this rate
LONGEST_FILE_BYTES = 512 * 1024 * 1024  # four and a half hours of hearing; a guard, not a feature


@dataclass(frozen=True, slots=True, eq=False)
class Pcm:
    """Mono sound. `start` is the index of the first sample in its stream, at `rate_hz`."""

    samples: Samples  # shape (n,), signed 16 bit
    rate_hz: int
    start: int = 0

    @property
    def end(self) -> int:
        """Index of the first sample after this piece."""
        return self.start + len(self.samples)

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz

    def tobytes(self) -> bytes:
        """Little-endian signed 16 bit, as WAV files and Wyoming carry it."""
        return self.samples.astype("<i2", copy=False).tobytes()

    @classmethod
    def frombytes(cls, data: bytes, rate_hz: int, start: int = 0) -> "Pcm":
        """Read little-endian signed 16 bit; a trailing half sample is dropped."""
        whole = len(data) - len(data) % 2
        return cls(np.frombuffer(data[:whole], dtype="<i2").astype(np.int16), rate_hz, start)


@dataclass(frozen=True, slots=True)
class OpusPacket:
    """One bare Opus packet (RFC 6716), no Ogg around it. `start` counts samples at `rate_hz`."""

    data: bytes
    start: int
    samples: int  # duration at rate_hz
    rate_hz: int

    @property
    def end(self) -> int:
        return self.start + self.samples


def silence(duration_s: float, rate_hz: int, start: int = 0) -> Pcm:
    return Pcm(np.zeros(round(duration_s * rate_hz), np.int16), rate_hz, start)


def join(pieces: list[Pcm], rate_hz: int) -> Pcm:
    """Put pieces of one rate end to end; the result starts where the first piece starts."""
    if not pieces:
        return silence(0, rate_hz)
    return Pcm(np.concatenate([p.samples for p in pieces]), rate_hz, pieces[0].start)


def resample(pcm: Pcm, rate_hz: int) -> Pcm:
    """Change the rate of a whole recording at once (soxr HQ)."""
    if pcm.rate_hz == rate_hz:
        return pcm
    samples = soxr.resample(pcm.samples, pcm.rate_hz, rate_hz).astype(np.int16, copy=False)
    return Pcm(samples, rate_hz, round(pcm.start * rate_hz / pcm.rate_hz))


class Resampler:
    """Change the rate of a stream piece by piece; `push(last=True)` flushes what soxr holds back."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16")
        self._same = from_hz == to_hz
        self._to_hz = to_hz
        self._made = 0

    def push(self, pcm: Pcm, *, last: bool = False) -> Pcm:
        samples = pcm.samples
        if not self._same:
            samples = self._stream.resample_chunk(samples, last=last)
        made = Pcm(samples, self._to_hz, self._made)
        self._made = made.end
        return made


def frames(pcm: Pcm, frame_samples: int, *, pad: bool = True) -> Iterator[Pcm]:
    """Cut sound into frames of one size; the last is padded with silence, or dropped."""
    for at in range(0, len(pcm.samples), frame_samples):
        piece = pcm.samples[at : at + frame_samples]
        if len(piece) < frame_samples:
            if not pad:
                return
            piece = np.concatenate([piece, np.zeros(frame_samples - len(piece), np.int16)])
        yield Pcm(piece, pcm.rate_hz, pcm.start + at)


def read_wav(source: Path | BinaryIO, rate_hz: int | None = HEARING_RATE_HZ) -> Pcm:
    """Read a PCM WAV of any rate, width and channel count as mono; `rate_hz=None` keeps its rate.

    A header that promises more than the file holds (as pipes write it) is not an error:
    what is there is read. Raises AudioError with one sentence for everything else.
    """
    name = source.name if isinstance(source, Path) else "the input"
    try:
        raw = (
            source.read_bytes() if isinstance(source, Path) else source.read(LONGEST_FILE_BYTES + 1)
        )
    except OSError as error:
        raise AudioError(f"cannot read {name}: {error.strerror or error}") from error
    if len(raw) > LONGEST_FILE_BYTES:
        raise AudioError(f"{name} is larger than {LONGEST_FILE_BYTES // 2**20} MiB")
    if not raw:
        raise AudioError(f"{name} is empty")
    try:
        with wave.open(io.BytesIO(raw)) as wav:
            channels, width, rate = wav.getnchannels(), wav.getsampwidth(), wav.getframerate()
            data = wav.readframes(wav.getnframes())
    except (wave.Error, EOFError, RuntimeError) as error:
        raise AudioError(f"{name} is not a PCM WAV file: {str(error) or 'it ends too soon'}") from error
    if not 1_000 <= rate <= 768_000 or channels < 1:
        raise AudioError(f"{name} claims {rate} Hz and {channels} channels, which is not sound")
    mono = _to_mono(data, width, channels, name)
    pcm = Pcm(mono, rate)
    return pcm if rate_hz is None else resample(pcm, rate_hz)


def _to_mono(data: bytes, width: int, channels: int, name: str) -> Samples:
    data = data[: len(data) - len(data) % (width * channels)]
    match width:
        case 1:  # 8-bit WAV is unsigned
            samples = (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8
        case 2:
            samples = np.frombuffer(data, "<i2")
        case 3:
            packed = np.frombuffer(data, np.uint8).reshape(-1, 3)
            samples = packed[:, 1:].copy().view("<i2").reshape(-1)  # the two upper bytes
        case 4:
            samples = (np.frombuffer(data, "<i4") >> 16).astype(np.int16)
        case _:
            raise AudioError(f"{name} has samples of {width} bytes, which no WAV should have")
    if channels > 1:
        samples = samples.reshape(-1, channels).mean(axis=1)
    return samples.astype(np.int16)


def write_wav(target: Path | BinaryIO, pcm: Pcm) -> None:
    """Write mono 16-bit PCM."""
    try:
        opened = target.open("wb") if isinstance(target, Path) else target
        with wave.open(opened, "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(pcm.rate_hz)
            wav.writeframes(pcm.tobytes())
        if isinstance(target, Path):
            opened.close()
    except OSError as error:
        raise AudioError(f"cannot write {target}: {error.strerror or error}") from error
