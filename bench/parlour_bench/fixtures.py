"""Spoken fixtures with a known end of speech: flite and espeak-ng say them, a cache keeps them."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parlour.app.virtual_turn import speech_begin, speech_end
from parlour.audio import HEARING_RATE_HZ, Pcm, Samples, read_wav, resample, write_wav
from parlour.errors import InputError, MissingError

VOICES = ("slt", "rms", "awb")  # the three of flite that a recogniser takes for people
MORE_VOICES = ("en-us", "en-gb+f3")  # of espeak-ng, for what need not be recognised
FORMAT = 2  # part of the cache's key: raise it when what is made changes

LEAD_S = 0.3  # room before the speech; a multiple of 10 ms, as `speech_end` counts
TAIL_S = 1.5  # room after it; the device goes on with silence
PEAK = 0.5  # of full scale
NOISE_DBFS = -75.0  # the noise of an INMP441 in a quiet room


@dataclass(frozen=True, slots=True)
class Word:
    """A word and the samples it lies between, spread over its part by its letters: to 100 ms or so,
    but for the first and the last word of a part, whose outer ends are exact."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """One spoken sentence. `speech_end` is the sample after its last sound."""

    text: str
    voice: str
    pcm: Pcm
    speech_end: int
    words: tuple[Word, ...] = ()

    @property
    def spoken_s(self) -> float:
        return self.speech_end / self.pcm.rate_hz - LEAD_S


def fixture(text: str, voice: str, cache: Path | None = None) -> Fixture:
    """Take a sentence from the cache, or have it said. Raises MissingError without the program."""
    return spoken([text], [], voice, cache)


def spoken(
    parts: Sequence[str], pauses_ms: Sequence[float], voice: str, cache: Path | None = None
) -> Fixture:
    """Say `parts` with pauses of exactly these lengths between them."""
    if voice not in (*VOICES, *MORE_VOICES):
        names = ", ".join((*VOICES, *MORE_VOICES))
        raise InputError(f'there is no voice "{voice}"; the bench speaks with {names}')
    said = [_trim(_recording(part, voice, cache or cache_folder())) for part in parts]
    pieces: list[Samples] = []
    words: list[Word] = []
    at = round(LEAD_S * HEARING_RATE_HZ)
    for n, (part, samples) in enumerate(zip(parts, said, strict=True)):
        if n:
            pause = np.zeros(round(pauses_ms[n - 1] * HEARING_RATE_HZ / 1000), np.int16)
            pieces.append(pause)
            at += len(pause)
        pieces.append(samples)
        words += _spread(part, at, at + len(samples))
        at += len(samples)
    text = " ".join(parts)
    key = hashlib.sha256(f"{voice}\0{text}\0{pauses_ms}".encode()).hexdigest()
    pcm = lay_in_room(np.concatenate(pieces), seed=int(key[:8], 16))
    return Fixture(text, voice, pcm, at, tuple(words))


def lay_in_room(speech: Samples, seed: int) -> Pcm:
    """Set the level of speech, and put the noise floor of a room under and around it."""
    wide = speech.astype(np.float64)
    wide *= PEAK * 32767 / max(1.0, np.abs(wide).max())
    lead, tail = round(LEAD_S * HEARING_RATE_HZ), round(TAIL_S * HEARING_RATE_HZ)
    noise = np.random.default_rng(seed).standard_normal(lead + len(wide) + tail)
    room = noise * 32768 * 10 ** (NOISE_DBFS / 20)
    room[lead : lead + len(wide)] += wide
    return Pcm(np.rint(room).astype(np.int16), HEARING_RATE_HZ)


def with_noise(fixture: Fixture, snr_db: float) -> Fixture:
    """The same in a room with pink noise, so many dB below the speech (both by their mean power)."""
    samples = fixture.pcm.samples.astype(np.float64)
    lead = round(LEAD_S * HEARING_RATE_HZ)
    power = float(np.mean(samples[lead : fixture.speech_end] ** 2))
    noise = _pink(len(samples), seed=len(samples))
    noise *= np.sqrt(power / 10 ** (snr_db / 10) / np.mean(noise**2))
    mixed = np.clip(np.rint(samples + noise), -32768, 32767).astype(np.int16)
    pcm = Pcm(mixed, HEARING_RATE_HZ)
    return Fixture(fixture.text, fixture.voice, pcm, fixture.speech_end, fixture.words)


def cough(seed: int = 7) -> Pcm:
    """A burst of noise of 120 ms, as loud as speech."""
    count = round(0.12 * HEARING_RATE_HZ)
    burst = np.random.default_rng(seed).standard_normal(count) * np.hanning(count)
    return lay_in_room((burst * 8000).clip(-32768, 32767).astype(np.int16), seed)


def can_speak(voice: str) -> bool:
    return shutil.which("flite" if voice in VOICES else "espeak-ng") is not None


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "parlour", "bench")


def _recording(text: str, voice: str, folder: Path) -> Pcm:
    key = hashlib.sha256(f"{FORMAT}\0{voice}\0{text}".encode()).hexdigest()[:24]
    kept = folder / f"{key}.wav"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Written aside and moved, so that a run that is cut off leaves no half file.
        aside = kept.with_suffix(f".{os.getpid()}")
        write_wav(aside, resample(_say(text, voice), HEARING_RATE_HZ))
        aside.replace(kept)
    return read_wav(kept)


def _trim(speech: Pcm) -> Samples:
    return speech.samples[speech_begin(speech) : speech_end(speech)]


def _spread(text: str, start: int, end: int) -> list[Word]:
    said = text.split()
    letters = sum(len(word) for word in said)
    words, at = [], 0
    for word in said:
        until = at + len(word)
        words.append(
            Word(
                word,
                start + (end - start) * at // letters,
                start + (end - start) * until // letters,
            )
        )
        at = until
    return words


def _pink(count: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Noise whose power falls by 3 dB an octave, shaped in the spectrum."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    shape = 1 / np.sqrt(np.maximum(1.0, np.arange(len(spectrum))))
    return np.asarray(np.fft.irfft(spectrum * shape, count))


def _say(text: str, voice: str) -> Pcm:
    program = "flite" if voice in VOICES else "espeak-ng"
    found = shutil.which(program)
    if found is None:
        raise MissingError(
            f"the bench speaks with {program}: `apt-get install {program}` brings it"
        )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "said.wav")
        order = (
            [found, "-voice", voice, "-t", text, "-o", str(target)]
            if voice in VOICES
            else [found, "-v", voice, "-w", str(target), text]
        )
        made = subprocess.run(order, capture_output=True, check=False)
        if made.returncode or not target.exists():
            reason = made.stderr.decode(errors="replace").strip() or "no sound"
            raise MissingError(f'{program} cannot say "{text}" with the voice {voice}: {reason}')
        return read_wav(target)
