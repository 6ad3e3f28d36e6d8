"""Sound and texts in pieces: nothing is lost wherever they are cut."""

import io
import wave
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.errors import AudioError
from parlour.providers.cloud.pcm import PcmReader
from parlour.providers.cloud.texts import is_speakable, parts

SOUND = np.arange(-3000, 3000, dtype=np.int16)


def _wav(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]", rate_hz: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as target:
        target.setparams((1, 2, rate_hz, 0, "NONE", ""))
        target.writeframes(samples.tobytes())
    return out.getvalue()


def _read(data: bytes, sizes: list[int], rate_hz: int = 24_000) -> tuple[list[int], int]:
    reader = PcmReader(rate_hz)
    found: list[int] = []
    at = 0
    for size in sizes:
        for pcm in reader.push(data[at : at + size]):
            found += pcm.samples.tolist()
        at += size
    for pcm in reader.push(data[at:], last=True):
        found += pcm.samples.tolist()
    return found, reader.rate_hz


@given(st.lists(st.integers(0, 999), max_size=30))
def test_sound_is_the_same_wherever_the_network_cuts_it(sizes: list[int]) -> None:
    assert _read(SOUND.tobytes(), sizes) == (SOUND.tolist(), 24_000)


@given(st.lists(st.integers(0, 40), max_size=10))
def test_a_wav_header_is_read_in_pieces_too_and_sets_the_rate(sizes: list[int]) -> None:
    assert _read(_wav(SOUND, 16_000), sizes) == (SOUND.tolist(), 16_000)


@given(st.binary(max_size=200), st.lists(st.integers(0, 50), max_size=8))
def test_no_bytes_break_it_but_by_an_audio_error(data: bytes, sizes: list[int]) -> None:
    with suppress(AudioError):
        _read(b"RIFF" + data, sizes)


@given(st.text(max_size=400), st.integers(1, 60))
def test_the_parts_of_a_text_are_the_text_and_none_is_too_long(text: str, most: int) -> None:
    found = parts(text, most)
    assert "".join(found) == text
    assert all(0 < len(part) <= most for part in found)


def test_a_text_is_cut_after_a_sentence_rather_than_in_a_word() -> None:
    text = "One two three. Four five, six seven eight nine."
    assert parts(text, 30) == ["One two three. ", "Four five, ", "six seven eight nine."]
    assert parts("a" * 10, 4) == ["aaaa", "aaaa", "aa"]


@pytest.mark.parametrize(
    ("text", "speakable"), [("", False), ("...", False), ("☺️", False), ("नमस्ते", True), ("7", True)]
)
def test_what_has_no_sound_is_known(text: str, speakable: bool) -> None:
    assert is_speakable(text) is speakable
