"""Bytes of sound as services stream them, cut wherever the network likes."""

import struct

from parlour.audio import Pcm
from parlour.errors import AudioError

PIECE_MS = 60  # as local voices hand it over
LONGEST_HEADER = 4096


class PcmReader:
    """Signed 16-bit little-endian mono out of pieces of any length, behind a WAV header or not."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._rest = b""
        self._begun = False

    def push(self, data: bytes, *, last: bool = False) -> list[Pcm]:
        """Sound in pieces of 60 ms; with `last`, what is left. Raises AudioError."""
        self._rest += data
        if not self._begun:
            if len(self._rest) < 44 and not last:
                return []
            if self._rest[:4] == b"RIFF":
                if (start := self._header()) is None:
                    return []
                self._rest = self._rest[start:]
            self._begun = True
        size = self.rate_hz * PIECE_MS // 1000 * 2
        made = []
        while len(self._rest) >= size:
            made.append(Pcm.frombytes(self._rest[:size], self.rate_hz))
            self._rest = self._rest[size:]
        if last and len(self._rest) > 1:
            made.append(Pcm.frombytes(self._rest, self.rate_hz))
            self._rest = b""
        return made

    def flush(self) -> list[Pcm]:
        """What is left so far, of whatever length; half a sample waits for its other half."""
        whole = len(self._rest) // 2 * 2 if self._begun else 0
        made = [Pcm.frombytes(self._rest[:whole], self.rate_hz)] if whole else []
        self._rest = self._rest[whole:]
        return made

    def _header(self) -> int | None:
        """Where the sound of a WAV begins; None: not enough is here yet. Its sizes are not
        believed: who streams does not know them."""
        at = 12
        while at + 8 <= len(self._rest):
            kind, size = struct.unpack_from("<4sI", self._rest, at)
            if kind == b"data":
                return at + 8
            if kind == b"fmt " and at + 24 <= len(self._rest):
                coding, channels, rate, _, _, bits = struct.unpack_from(
                    "<HHIIHH", self._rest, at + 8
                )
                if (coding, channels, bits) != (1, 1, 16) or not 4_000 <= rate <= 192_000:
                    raise AudioError("a WAV that is not 16-bit mono")
                self.rate_hz = rate
            at += 8 + size + size % 2
        if len(self._rest) > LONGEST_HEADER:
            raise AudioError("a WAV without sound")
        return None
