"""espeak-ng: a small voice for every language of the house, in a process of its own (GPL-3.0)."""

import ctypes
import ctypes.util
import importlib.util
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from parlour.audio import Samples
from parlour.catalogue import facts
from parlour.errors import MissingError, ProviderError

RATE_HZ = 22_050
DEFAULT_VOICE = "en-us"

CHUNK_MS = 60  # of sound in one piece
MOST_CHUNKS = 50  # made ahead of the reader: three seconds
WORDS_PER_MINUTE = 175  # espeak-ng's own pace
_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: samples go to the callback, calls return when done
_DO_NOT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_RATE = 1  # espeak_PARAMETER
_CHARACTERS_UTF8 = 1
_POSITION_CHARACTER = 1

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def serve() -> "EspeakSynthesiser":
    """Make the engine in its process. Raises MissingError."""
    return EspeakSynthesiser()


class EspeakSynthesiser:
    """The library has one voice at a time for the whole process, so texts are spoken in turn."""

    def __init__(self) -> None:
        self._library = _load()
        self._turn = threading.Lock()
        self._voices = facts.speaking()["espeak"]["espeak-ng"].voices

    def rate_hz(self, voice: str) -> int:
        if voice and voice not in self._voices:
            raise ProviderError(
                "espeak", f"there is no voice {voice}; there are {', '.join(self._voices)}"
            )
        return RATE_HZ

    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        self.rate_hz(voice)
        # All that can fail is done here: a worker that fails would leave its reader waiting.
        pace = round(WORDS_PER_MINUTE * speed)
        raw = text.encode(errors="replace")
        made: queue.Queue[Samples | None] = queue.Queue(MOST_CHUNKS)
        stopped = threading.Event()
        worker = threading.Thread(
            target=self._synthesise, args=(raw, voice, pace, made, stopped), daemon=True
        )
        worker.start()
        try:
            while (samples := made.get()) is not None:
                yield samples
        finally:
            stopped.set()

    def _synthesise(
        self,
        raw: bytes,
        voice: str,
        pace: int,
        made: "queue.Queue[Samples | None]",
        stopped: threading.Event,
    ) -> None:
        def put(samples: Samples | None) -> None:
            """Wait for the reader, but not for one that has gone."""
            while not stopped.is_set():
                try:
                    return made.put(samples, timeout=0.1)
                except queue.Full:
                    continue

        def take(wave: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int) -> int:
            if count:  # the last call has none, and no wave
                put(np.ctypeslib.as_array(wave, (count,)).copy())
            return int(stopped.is_set())

        with self._turn:
            callback = _Callback(take)
            self._library.espeak_SetSynthCallback(callback)
            self._library.espeak_SetVoiceByName((voice or DEFAULT_VOICE).encode())
            self._library.espeak_SetParameter(_RATE, pace, 0)
            self._library.espeak_Synth(
                raw, len(raw) + 1, 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None
            )
        put(None)


def _load() -> ctypes.CDLL:
    """The library of the espeakng-loader wheel, else the system's."""
    library, data = None, None
    wheel = importlib.util.find_spec("espeakng_loader")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        names = ("libespeak-ng.so", "libespeak-ng.dylib", "espeak-ng.dll")
        library = next((str(folder / n) for n in names if (folder / n).exists()), None)
        data = str(folder / "espeak-ng-data").encode() if library else None
    library = library or ctypes.util.find_library("espeak-ng")
    if library is None:
        raise MissingError('espeak-ng is not installed: pip install "parlour[espeak]"')
    loaded = ctypes.CDLL(library)
    rate = loaded.espeak_Initialize(_SYNCHRONOUS, CHUNK_MS, data, _DO_NOT_EXIT)
    if rate != RATE_HZ:
        raise ProviderError("espeak", f"{library} cannot be used (it answers {rate})")
    return loaded
