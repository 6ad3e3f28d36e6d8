"""Bare Opus packets (RFC 6716) in both directions, through the libopus that this machine has."""

import ctypes
import ctypes.util
import importlib.util
import os
import weakref
from collections.abc import Iterable, Iterator
from ctypes import POINTER, c_char_p, c_int, c_int32, c_void_p
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from parlour.audio import Samples
from parlour.errors import AudioError, MissingError

Application: TypeAlias = Literal["voip", "audio", "lowdelay"]
Mode: TypeAlias = Literal["silk", "hybrid", "celt"]
Bandwidth: TypeAlias = Literal["narrow", "medium", "wide", "superwide", "full"]

RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
FRAMES_MS = (2.5, 5, 10, 20, 40, 60, 80, 100, 120)  # what libopus encodes into one packet
LONGEST_PACKET_MS = 120
LONGEST_PACKET_BYTES = 4_000  # room that libopus' manual advises for any packet of speech or music
OVERRIDE = "PARLOUR_LIBOPUS"  # environment: path of the one libopus to use

_APPLICATIONS: dict[Application, int] = {"voip": 2048, "audio": 2049, "lowdelay": 2051}
# Requests of opus_*_ctl, from opus_defines.h.
_SET_BITRATE, _SET_COMPLEXITY, _SET_INBAND_FEC = 4002, 4010, 4012
_SET_PACKET_LOSS_PERC, _SET_DTX, _RESET_STATE = 4014, 4016, 4028
_INVALID_PACKET = -4


class Encoder:
    """Mono speech to packets. One stream per encoder; not to be used from two threads at once."""

    def __init__(
        self,
        rate_hz: int,
        application: Application = "voip",
        bitrate_bps: int = 24_000,
        complexity: int = 5,
        *,
        dtx: bool = False,
        fec: bool = False,
        expected_loss_percent: int = 0,
    ) -> None:
        """`dtx` sends one or two bytes for silence. `fec` needs an expected loss above 0."""
        _check_rate(rate_hz)
        self._lib = _libopus()
        error = c_int()
        self._state = c_void_p(
            self._lib.opus_encoder_create(
                rate_hz, 1, _APPLICATIONS[application], ctypes.byref(error)
            )
        )
        self._check(error.value)
        weakref.finalize(self, self._lib.opus_encoder_destroy, self._state)
        self._legal = frozenset(round(ms * rate_hz / 1000) for ms in FRAMES_MS)
        self._pcm = np.zeros(rate_hz * LONGEST_PACKET_MS // 1000, np.int16)
        self._pcm_at = self._pcm.ctypes.data_as(c_void_p)
        self._packet = ctypes.create_string_buffer(LONGEST_PACKET_BYTES)
        for request, value in (
            (_SET_BITRATE, bitrate_bps),
            (_SET_COMPLEXITY, complexity),
            (_SET_DTX, int(dtx)),
            (_SET_INBAND_FEC, int(fec)),
            (_SET_PACKET_LOSS_PERC, expected_loss_percent),
        ):
            self._check(self._lib.opus_encoder_ctl(self._state, request, c_int32(value)))

    def encode(self, samples: Samples) -> bytes:
        """Encode one frame of 2.5 to 120 ms into one packet. Raises AudioError for other sizes."""
        count = len(samples)
        if count not in self._legal:
            raise AudioError(f"{count} samples are no Opus frame; it takes one of {self._sizes()}")
        self._pcm[:count] = samples
        written = self._lib.opus_encode(
            self._state, self._pcm_at, count, self._packet, LONGEST_PACKET_BYTES
        )
        self._check(written)
        return ctypes.string_at(self._packet, written)

    def reset(self) -> None:
        """Forget the stream so far, as between two utterances."""
        self._check(self._lib.opus_encoder_ctl(self._state, _RESET_STATE))

    def _sizes(self) -> str:
        return ", ".join(str(size) for size in sorted(self._legal))

    def _check(self, code: int) -> None:
        if code < 0:
            raise AudioError(f"libopus cannot encode this: {_reason(self._lib, code)}")


class Decoder:
    """Packets to mono speech. One stream per decoder; not to be used from two threads at once.

    Garbage does not harm it: after an AudioError the next good packet decodes.
    """

    def __init__(self, rate_hz: int) -> None:
        _check_rate(rate_hz)
        self._lib = _libopus()
        error = c_int()
        self._state = c_void_p(self._lib.opus_decoder_create(rate_hz, 1, ctypes.byref(error)))
        self._check(error.value)
        weakref.finalize(self, self._lib.opus_decoder_destroy, self._state)
        self._step = rate_hz // 400  # 2.5 ms, the grain of all Opus durations
        self._pcm = np.zeros(rate_hz * LONGEST_PACKET_MS // 1000, np.int16)
        self._pcm_at = self._pcm.ctypes.data_as(c_void_p)

    def decode(self, packet: bytes) -> Samples:
        """Decode one packet, DTX's one byte included. Raises AudioError for garbage."""
        if not packet:
            raise AudioError("an Opus packet has at least one byte")
        return self._run(packet, len(self._pcm), fec=False)

    def conceal(self, samples: int) -> Samples:
        """Make up sound for a lost packet of `samples`, a multiple of 2.5 ms up to 120 ms."""
        self._check_gap(samples)
        return self._run(None, samples, fec=False)

    def recover(self, next_packet: bytes, samples: int) -> Samples:
        """Recover the lost packet of `samples` before `next_packet` from that packet's FEC.

        Conceals where the packet carries none. Call it before decoding `next_packet` itself.
        """
        self._check_gap(samples)
        if not next_packet:
            raise AudioError("an Opus packet has at least one byte")
        return self._run(next_packet, samples, fec=True)

    def reset(self) -> None:
        """Forget the stream so far."""
        self._check(self._lib.opus_decoder_ctl(self._state, _RESET_STATE))

    def _run(self, packet: bytes | None, room: int, *, fec: bool) -> Samples:
        size = 0 if packet is None else len(packet)
        made = self._lib.opus_decode(self._state, packet, size, self._pcm_at, room, int(fec))
        self._check(made)
        return self._pcm[:made].copy()

    def _check_gap(self, samples: int) -> None:
        if samples % self._step or not 0 < samples <= len(self._pcm):
            raise AudioError(
                f"a gap of {samples} samples is not a multiple of {self._step}"
                f" up to {len(self._pcm)}"
            )

    def _check(self, code: int) -> None:
        if code == _INVALID_PACKET:
            raise AudioError("this is not an Opus packet, or it is damaged")
        if code < 0:
            raise AudioError(f"libopus cannot decode this: {_reason(self._lib, code)}")


# ---------------------------------------------------------------- what a packet says of itself


@dataclass(frozen=True, slots=True)
class Toc:
    """The table of contents that opens every packet (RFC 6716, section 3.1)."""

    mode: Mode
    bandwidth: Bandwidth
    frame_duration_s: float  # of one frame
    frames: int  # in this packet
    channels: int  # as encoded; our decoder mixes two into one


def parse_toc(packet: bytes) -> Toc:
    """Read the first two bytes of a packet. Raises AudioError where they break RFC 6716."""
    if not packet:
        raise AudioError("an Opus packet has at least one byte")
    mode, bandwidth, frame_us = _CONFIGURATIONS[packet[0] >> 3]
    match packet[0] & 3:
        case 0:
            frames = 1
        case 1 | 2:
            frames = 2
        case _:
            frames = packet[1] & 0x3F if len(packet) > 1 else 0
    if frames == 0:
        raise AudioError("this Opus packet holds no frame")
    if frames * frame_us > LONGEST_PACKET_MS * 1000:
        raise AudioError(f"this Opus packet claims more than {LONGEST_PACKET_MS} ms")
    return Toc(mode, bandwidth, frame_us / 1e6, frames, 2 if packet[0] & 4 else 1)


def packet_samples(packet: bytes, rate_hz: int) -> int:
    """Duration of a packet in samples, without decoding it. Raises AudioError as `parse_toc`."""
    toc = parse_toc(packet)
    return toc.frames * round(toc.frame_duration_s * rate_hz)


def _configurations() -> Iterator[tuple[Mode, Bandwidth, int]]:
    """Table 2 of RFC 6716, in order; durations in microseconds."""
    silk: tuple[Bandwidth, ...] = ("narrow", "medium", "wide")
    hybrid: tuple[Bandwidth, ...] = ("superwide", "full")
    celt: tuple[Bandwidth, ...] = ("narrow", "wide", "superwide", "full")
    yield from (("silk", width, us) for width in silk for us in (10_000, 20_000, 40_000, 60_000))
    yield from (("hybrid", width, us) for width in hybrid for us in (10_000, 20_000))
    yield from (("celt", width, us) for width in celt for us in (2_500, 5_000, 10_000, 20_000))


_CONFIGURATIONS = tuple(_configurations())


# ---------------------------------------------------------------- where libopus is


def find_libopus(candidates: Iterable[str] | None = None) -> str:
    """Name or path of the libopus in use, or of the first of `candidates` that loads.

    Raises MissingError with the command that brings one.
    """
    _, name = _found() if candidates is None else load_libopus(candidates)
    return name


def libopus_version() -> str:
    """Version as libopus states it, e.g. "libopus 1.3.1". Raises MissingError."""
    return bytes(_libopus().opus_get_version_string()).decode()


def load_libopus(candidates: Iterable[str]) -> tuple[ctypes.CDLL, str]:
    """Load the first of `candidates` that is a libopus, and say which it was."""
    for candidate in candidates:
        try:
            lib = ctypes.CDLL(candidate)
            _declare(lib)
        except (OSError, AttributeError):  # not there, not a library, or not this library
            continue
        return lib, candidate
    raise MissingError(
        "libopus is missing: `apt-get install libopus0`, `brew install opus`"
        ' or `pip install "parlour[opus]"` brings it'
    )


def system_libopus() -> Iterator[str]:
    """Names under which the system's loader may know libopus."""
    yield from ("libopus.so.0", "libopus.0.dylib", "/opt/homebrew/lib/libopus.0.dylib", "opus.dll")
    # Last, because it may start ldconfig and a compiler to search.
    if found := ctypes.util.find_library("opus"):
        yield found


def bundled_libopus() -> Iterator[str]:
    """Paths of the libopus inside an installed `av` wheel, which is not imported for it."""
    package = importlib.util.find_spec("av")
    for place in (package.submodule_search_locations or ()) if package else ():
        for folder in (Path(place).with_name("av.libs"), Path(place, ".dylibs")):
            yield from sorted(str(path) for path in folder.glob("*opus*"))


def _libopus() -> ctypes.CDLL:
    lib, _ = _found()
    return lib


@cache
def _found() -> tuple[ctypes.CDLL, str]:
    if override := os.environ.get(OVERRIDE):
        try:
            return load_libopus([override])
        except MissingError as error:
            raise MissingError(
                f"{OVERRIDE} names {override}, which is no libopus: correct it or unset it"
            ) from error
    return load_libopus(name for place in (system_libopus, bundled_libopus) for name in place())


def _declare(lib: ctypes.CDLL) -> None:
    """Tell ctypes the signatures; raises AttributeError if this is not libopus.

    The ctl functions are variadic: only their fixed arguments are declared, so that ctypes
    passes the rest as the platform passes variadic arguments.
    """
    lib.opus_get_version_string.restype = c_char_p
    lib.opus_strerror.argtypes, lib.opus_strerror.restype = [c_int], c_char_p
    lib.opus_encoder_create.argtypes = [c_int32, c_int, c_int, POINTER(c_int)]
    lib.opus_decoder_create.argtypes = [c_int32, c_int, POINTER(c_int)]
    lib.opus_encoder_create.restype = lib.opus_decoder_create.restype = c_void_p
    for ctl in (lib.opus_encoder_ctl, lib.opus_decoder_ctl):
        ctl.argtypes, ctl.restype = [c_void_p, c_int], c_int
    for destroy in (lib.opus_encoder_destroy, lib.opus_decoder_destroy):
        destroy.argtypes, destroy.restype = [c_void_p], None
    lib.opus_encode.argtypes = [c_void_p, c_void_p, c_int, c_char_p, c_int32]
    lib.opus_encode.restype = c_int32
    lib.opus_decode.argtypes = [c_void_p, c_char_p, c_int32, c_void_p, c_int, c_int]
    lib.opus_decode.restype = c_int


def _reason(lib: ctypes.CDLL, code: int) -> str:
    return bytes(lib.opus_strerror(code)).decode()


def _check_rate(rate_hz: int) -> None:
    if rate_hz not in RATES_HZ:
        raise AudioError(
            f"Opus has no rate of {rate_hz} Hz; it has {', '.join(map(str, RATES_HZ))}"
        )
