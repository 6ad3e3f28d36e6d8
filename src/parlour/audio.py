"""Sound as values: PCM and Opus packets that know where in their stream they lie."""

import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from parlour.errors import AudioError

Samples: TypeAlias = NDArray[np.int16]

HEARING_RATE_HZ = 16_000  # every recogniser and VAD we know listens at this rate
LONGEST_FILE_BYTES = 512 * 1024 * 1024  # four and a half hours of hearing; a guard, not a feature
LONGEST_FILE_S = 5 * 3600  # the same guard for what a low rate would blow up to


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
    dbfs: float = -100.0  # how loud it is

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
    """Change the rate of a stream piece by piece (soxr HQ).

    It holds back about 40 ms (114 ms from 8 to 16 kHz), which `push(last=True)` flushes; the
    whole is then as long as `resample` makes it. After that a new stream may begin.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16")
        self._same = from_hz == to_hz
        self._to_hz = to_hz
        self._made = 0

    def push(self, pcm: Pcm, *, last: bool = False) -> Pcm:
        """Take the next piece; what comes back counts from 0 at the new rate, and may be empty."""
        samples = pcm.samples
        if not self._same:
            samples = self._stream.resample_chunk(samples, last=last)
            if last:
                self._stream.clear()
        made = Pcm(samples, self._to_hz, self._made)
        self._made = 0 if last else made.end
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
    """Read a WAV of any rate, width and channel count as mono; `rate_hz=None` keeps its rate.

    Integer and floating-point samples are read. A header that promises more than the file
    holds (as pipes write it) is not an error: what is there is read. Raises AudioError with
    one sentence for everything else.
    """
    name = source.name if isinstance(source, Path) else "the input"
    raw = _read(source, name)
    form, data = _parse_riff(raw, name)
    mono = _to_mono(data, form)
    if not len(mono):
        raise AudioError(f"{name} holds no sound")
    if len(mono) > LONGEST_FILE_S * form.rate_hz:
        raise AudioError(f"{name} is longer than {LONGEST_FILE_S // 3600} hours")
    pcm = Pcm(mono, form.rate_hz)
    return pcm if rate_hz is None else resample(pcm, rate_hz)


def write_wav(target: Path | BinaryIO, pcm: Pcm) -> None:
    """Write mono 16-bit PCM. Raises AudioError if it cannot be written."""
    if isinstance(target, Path):
        try:
            with target.open("wb") as opened:
                return write_wav(opened, pcm)
        except OSError as error:
            raise AudioError(f"cannot write {target}: {error.strerror or error}") from error
    try:
        with wave.open(target, "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(pcm.rate_hz)
            wav.writeframes(pcm.tobytes())
    except OSError as error:
        raise AudioError(f"cannot write the output: {error.strerror or error}") from error


# ---------------------------------------------------------------- inside a WAV file

# Python's wave module reads neither WAVE_FORMAT_EXTENSIBLE (before 3.12) nor floats, and gives
# other errors in every release; the format is small enough to be read here.

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_CODINGS = {0x0002: "ADPCM", 0x0006: "A-law", 0x0007: "mu-law", 0x0055: "MP3"}


@dataclass(frozen=True, slots=True)
class _WavForm:
    coding: int  # _PCM or _FLOAT
    channels: int
    rate_hz: int
    width: int  # bytes of one sample of one channel


def _read(source: Path | BinaryIO, name: str) -> bytes:
    try:
        if isinstance(source, Path):
            with source.open("rb") as opened:
                raw = opened.read(LONGEST_FILE_BYTES + 1)
        else:
            raw = source.read(LONGEST_FILE_BYTES + 1)
    except OSError as error:
        raise AudioError(f"cannot read {name}: {error.strerror or error}") from error
    if len(raw) > LONGEST_FILE_BYTES:
        raise AudioError(f"{name} is larger than {LONGEST_FILE_BYTES // 2**20} MiB")
    if not raw:
        raise AudioError(f"{name} is empty")
    return raw


def _parse_riff(raw: bytes, name: str) -> tuple[_WavForm, memoryview]:
    """Walk the chunks of a RIFF file up to its sound; sizes are believed as far as bytes go."""
    if len(raw) < 12 or raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise AudioError(f"{name} is not a WAV file")
    form: _WavForm | None = None
    open_end = raw[4:8] in (b"\0\0\0\0", b"\xff\xff\xff\xff")  # written to a pipe
    at = 12
    while at + 8 <= len(raw):
        kind, size = struct.unpack_from("<4sI", raw, at)
        body = memoryview(raw)[at + 8 : at + 8 + size]
        if kind == b"fmt ":
            form = _parse_form(body, name)
        elif kind == b"data":
            if form is None:
                raise AudioError(f"{name} is a WAV file that does not say what its samples are")
            return form, memoryview(raw)[at + 8 :] if open_end and not size else body
        at += 8 + size + size % 2  # chunks begin at even places
    raise AudioError(f"{name} is a WAV file that ends before its sound begins")


def _parse_form(body: memoryview, name: str) -> _WavForm:
    if len(body) < 16:
        raise AudioError(f"{name} is a WAV file with a broken header")
    coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if coding == _EXTENSIBLE and len(body) >= 26:
        (coding,) = struct.unpack_from("<H", body, 24)  # the sub-format's first two bytes
    width = (bits + 7) // 8
    if coding not in (_PCM, _FLOAT):
        kind = _CODINGS.get(coding, f"format {coding:#06x}")
        raise AudioError(f"{name} holds {kind}; only uncompressed WAV files are read")
    if (coding, width) not in (
        (_PCM, 1),
        (_PCM, 2),
        (_PCM, 3),
        (_PCM, 4),
        (_FLOAT, 4),
        (_FLOAT, 8),
    ):
        raise AudioError(f"{name} claims samples of {bits} bits, which no WAV should have")
    if not 1_000 <= rate <= 768_000 or channels < 1:
        raise AudioError(f"{name} claims {rate} Hz and {channels} channels, which is not sound")
    return _WavForm(coding, channels, rate, width)


def _to_mono(data: memoryview, form: _WavForm) -> Samples:
    data = data[: len(data) - len(data) % (form.width * form.channels)]
    samples: NDArray[Any]
    if form.coding == _FLOAT:
        floats = np.frombuffer(data, f"<f{form.width}")
        floats = np.nan_to_num(floats, posinf=1.0, neginf=-1.0)
        samples = np.rint(np.clip(floats, -1.0, 1.0) * 32767)
    elif form.width == 1:  # 8-bit WAV is unsigned
        samples = (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8
    elif form.width == 2:
        samples = np.frombuffer(data, "<i2")
    elif form.width == 3:
        packed = np.frombuffer(data, np.uint8).reshape(-1, 3)
        samples = packed[:, 1:].copy().view("<i2").reshape(-1)  # the two upper bytes
    else:
        samples = np.frombuffer(data, "<i4") >> 16
    if form.channels > 1:
        samples = samples.reshape(-1, form.channels).mean(axis=1)
    return samples.astype(np.int16)
