"""Spoken fixtures of which everything is known: words, pauses, and the true end of speech."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache as keep
from pathlib import Path

import numpy as np

from parlour.app.virtual_turn import speech_begin, speech_end
from parlour.audio import HEARING_RATE_HZ, Pcm, Samples, read_wav, resample, write_wav
from parlour.errors import InputError, MissingError
from parlour_bench.noise import add_noise, babble, cough_burst, pink, room
from parlour_bench.words import (
    Word,
    bounds_by_weight,
    espeak_weights,
    flite_bounds,
    letter_weights,
    place,
)

VOICES = ("slt", "rms", "awb")  # the three of flite that a recogniser takes for people
MORE_VOICES = ("en-us", "en-gb+f3")  # of espeak-ng, for what need not be recognised
FORMAT = 3  # part of the cache's key: raise it when what is made changes

LEAD_S = 0.3  # room before the speech; a multiple of 10 ms, as `speech_end` counts
TAIL_S = 1.5  # room after it; the device goes on with silence
NOISY_TAIL_S = 4.0  # noise does not stop with the speaker, and may keep the turn open
PEAK = 0.5  # of full scale
CROWD = (
    "we should paint the fence before winter",
    "the train was late again this morning",
    "she said the soup needs more salt",
    "his new bicycle is faster than mine",
    "they moved to a house by the river",
)


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """One spoken sentence. `speech_end` is the sample after its last sound; the words are placed as
    words.py says, the pauses exactly."""

    text: str
    voice: str
    pcm: Pcm
    speech_end: int
    words: tuple[Word, ...] = ()
    pauses: tuple[tuple[int, int], ...] = ()  # from sample to sample

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
    pieces: list[Samples] = []
    words: list[Word] = []
    pauses: list[tuple[int, int]] = []
    at = round(LEAD_S * HEARING_RATE_HZ)
    for part, pause_ms in zip(parts, (0.0, *pauses_ms), strict=True):
        if pause_ms:
            silent = np.zeros(round(pause_ms * HEARING_RATE_HZ / 1000), np.int16)
            pauses.append((at, at + len(silent)))
            pieces.append(silent)
            at += len(silent)
        said, bounds_s = _recording(part, voice, cache or cache_folder())
        pieces.append(said)
        words += place(part, bounds_s, at, at + len(said), HEARING_RATE_HZ)
        at += len(said)
    text = " ".join(parts)
    key = hashlib.sha256(f"{voice}\0{text}\0{[*pauses_ms]}".encode()).hexdigest()
    pcm = lay_in_room(np.concatenate(pieces), seed=int(key[:8], 16))
    return Fixture(text, voice, pcm, at, tuple(words), tuple(pauses))


def lay_in_room(speech: Samples, seed: int) -> Pcm:
    """Set the level of speech, and put the noise floor of a room under and around it."""
    wide = speech.astype(np.float64)
    wide *= PEAK * 32767 / max(1.0, np.abs(wide).max())
    lead, tail = round(LEAD_S * HEARING_RATE_HZ), round(TAIL_S * HEARING_RATE_HZ)
    laid = room(lead + len(wide) + tail, seed)
    laid[lead : lead + len(wide)] += wide
    return Pcm(np.rint(laid).astype(np.int16), HEARING_RATE_HZ)


def with_noise(fixture: Fixture, snr_db: float, cache: Path | None = None) -> Fixture:
    """The same among people in a noisy room: pink noise and babble in equal parts, so many dB below
    the speech (both by their mean power; pauses do not count as speech)."""
    samples = fixture.pcm.samples
    missing = fixture.speech_end + round(NOISY_TAIL_S * HEARING_RATE_HZ) - len(samples)
    samples = np.concatenate([samples, np.zeros(max(0, missing), np.int16)])
    said = np.concatenate([samples[word.start : word.end] for word in fixture.words])
    seed = len(samples)
    crowd = _crowd(cache or cache_folder())
    mixed = pink(len(samples), seed) + babble(crowd, len(samples), seed)
    power = float(np.mean(said.astype(np.float64) ** 2))
    noisy = add_noise(samples, mixed / np.sqrt(2), speech_power=power, snr_db=snr_db)
    return replace(fixture, pcm=Pcm(noisy, HEARING_RATE_HZ))


def cough(seed: int = 7) -> Pcm:
    """A burst of noise of 120 ms, as loud as speech."""
    return lay_in_room(cough_burst(seed), seed)


def can_speak(voice: str) -> bool:
    return shutil.which(_program(voice)) is not None


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "parlour", "bench")


@keep
def _crowd(cache: Path) -> tuple[Samples, ...]:
    voices = [voice for voice in (*VOICES, *MORE_VOICES) if can_speak(voice)]
    return tuple(
        _recording(text, voices[n % len(voices)], cache)[0] for n, text in enumerate(CROWD)
    )


def _recording(text: str, voice: str, folder: Path) -> tuple[Samples, list[float]]:
    """From the first sound to the last, and the end of each word but the last one."""
    key = hashlib.sha256(f"{FORMAT}\0{voice}\0{text}".encode()).hexdigest()[:24]
    sound, bounds = folder / f"{key}.wav", folder / f"{key}.json"
    if not bounds.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made, bounds_s = _make(text, voice)
        # Written aside and moved, so that a run that is cut off leaves no half file.
        aside = sound.with_suffix(f".{os.getpid()}")
        write_wav(aside, made)
        aside.replace(sound)
        aside.write_text(json.dumps(bounds_s), encoding="utf-8")
        aside.replace(bounds)
    return read_wav(sound).samples, json.loads(bounds.read_text(encoding="utf-8"))


def _make(text: str, voice: str) -> tuple[Pcm, list[float]]:
    whole = resample(_say(text, voice), HEARING_RATE_HZ)
    begin, end = speech_begin(whole), speech_end(whole)
    program, bounds_s = _program(voice), None
    if voice in VOICES:
        bounds_s = flite_bounds(text, voice, program, begin / HEARING_RATE_HZ)
    if bounds_s is None:
        letters = voice in VOICES
        weights = letter_weights(text) if letters else espeak_weights(text, voice, program)
        bounds_s = bounds_by_weight(weights, (end - begin) / HEARING_RATE_HZ)
    return Pcm(whole.samples[begin:end], HEARING_RATE_HZ), bounds_s


def _program(voice: str) -> str:
    return "flite" if voice in VOICES else "espeak-ng"


def _say(text: str, voice: str) -> Pcm:
    program = _program(voice)
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
