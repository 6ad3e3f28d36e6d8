"""Spoken fixtures with a known end of speech: flite says them, a cache keeps them."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parlour.app.virtual_turn import speech_end
from parlour.audio import HEARING_RATE_HZ, Pcm, Samples, read_wav, write_wav
from parlour.errors import InputError, MissingError

VOICES = ("slt", "rms", "awb")  # the three of flite that a recogniser takes for people
FORMAT = 1  # part of the cache's key: raise it when what is made changes

LEAD_S = 0.3  # room before the speech; a multiple of 10 ms, as `speech_end` counts
TAIL_S = 1.5  # room after it; the device goes on with silence
PEAK = 0.5  # of full scale
NOISE_DBFS = -75.0  # the noise of an INMP441 in a quiet room


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """One spoken sentence. `speech_end` is the sample after its last sound."""

    text: str
    voice: str
    pcm: Pcm
    speech_end: int

    @property
    def spoken_s(self) -> float:
        return self.speech_end / self.pcm.rate_hz - LEAD_S


def fixture(text: str, voice: str, cache: Path | None = None) -> Fixture:
    """Take a sentence from the cache, or have flite say it. Raises MissingError without flite."""
    if voice not in VOICES:
        raise InputError(f'there is no voice "{voice}"; the bench speaks with {", ".join(VOICES)}')
    folder = cache or cache_folder()
    key = hashlib.sha256(f"{FORMAT}\0{voice}\0{text}".encode()).hexdigest()[:24]
    kept = folder / f"{key}.wav"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = lay_in_room(_say(text, voice), seed=int(key[:8], 16))
        # Written aside and moved, so that a run that is cut off leaves no half file.
        aside = kept.with_suffix(f".{os.getpid()}")
        write_wav(aside, made)
        aside.replace(kept)
    pcm = read_wav(kept)
    return Fixture(text, voice, pcm, speech_end(pcm))


def lay_in_room(speech: Pcm, seed: int) -> Pcm:
    """Trim to the speech, set its level, and put the noise floor of a room under and around it."""
    first, last = _speech_begin(speech), speech_end(speech)
    spoken = speech.samples[first:last].astype(np.float64)
    spoken *= PEAK * 32767 / max(1.0, np.abs(spoken).max())
    lead, tail = round(LEAD_S * HEARING_RATE_HZ), round(TAIL_S * HEARING_RATE_HZ)
    noise = np.random.default_rng(seed).standard_normal(lead + len(spoken) + tail)
    room = noise * 32768 * 10 ** (NOISE_DBFS / 20)
    room[lead : lead + len(spoken)] += spoken
    return Pcm(np.rint(room).astype(np.int16), HEARING_RATE_HZ)


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "parlour", "bench")


def _speech_begin(speech: Pcm) -> int:
    """Where speech begins is where it ends when it is played backwards."""
    hop = HEARING_RATE_HZ // 100
    whole = len(speech.samples) - len(speech.samples) % hop
    backwards: Samples = speech.samples[:whole][::-1]
    return whole - speech_end(Pcm(backwards, speech.rate_hz))


def _say(text: str, voice: str) -> Pcm:
    flite = shutil.which("flite")
    if flite is None:
        raise MissingError("the bench speaks with flite: `apt-get install flite` brings it")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "said.wav")
        made = subprocess.run(
            [flite, "-voice", voice, "-t", text, "-o", target], capture_output=True, check=False
        )
        if made.returncode or not target.exists():
            reason = made.stderr.decode(errors="replace").strip() or "no sound"
            raise MissingError(f'flite cannot say "{text}" with the voice {voice}: {reason}')
        return read_wav(target)
