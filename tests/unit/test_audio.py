"""Sound as values: pieces that know their place, other rates, and WAV files good and bad."""

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.audio import (
    OpusPacket,
    Pcm,
    Resampler,
    Samples,
    frames,
    join,
    read_wav,
    resample,
    silence,
    write_wav,
)
from parlour.errors import AudioError

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def sine(rate_hz: int, duration_s: float = 0.5, hz: float = 440) -> Samples:
    at = np.arange(round(duration_s * rate_hz))
    return np.round(12_000 * np.sin(2 * np.pi * hz * at / rate_hz)).astype(np.int16)


def pack(samples: Samples, coding: int, width: int) -> bytes:
    """16-bit samples in another width, as files hold them."""
    match coding, width:
        case 1, 1:
            return ((samples >> 8) + 128).astype(np.uint8).tobytes()
        case 1, 2:
            return samples.astype("<i2").tobytes()
        case 1, 3:
            return (samples.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
        case 1, 4:
            return (samples.astype("<i4") << 16).tobytes()
        case _:
            return (samples / 32_767).astype(f"<f{width}").tobytes()


def chunk(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    return (
        kind
        + struct.pack("<I", len(body) if size is None else size)
        + body
        + b"\0" * (len(body) % 2)
    )


def wav_bytes(
    data: bytes,
    *,
    coding: int = PCM,
    rate_hz: int = 16_000,
    channels: int = 1,
    width: int = 2,
    data_size: int | None = None,
    riff_size: int | None = None,
    between: bytes = b"",
) -> bytes:
    frame = channels * width
    tag = coding
    extra = b""
    if width in (3, 4) and coding == PCM and channels > 1:  # as real writers do
        tag = EXTENSIBLE
        guid_tail = bytes.fromhex("000000001000800000aa00389b71")
        extra = struct.pack("<HHIH", 22, width * 8, 0, coding) + guid_tail
    form = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * frame, frame, width * 8) + extra
    body = b"WAVE" + chunk(b"fmt ", form) + between + chunk(b"data", data, data_size)
    return b"RIFF" + struct.pack("<I", len(body) if riff_size is None else riff_size) + body


def read(raw: bytes, rate_hz: int | None = None) -> Pcm:
    return read_wav(io.BytesIO(raw), rate_hz)


# ---------------------------------------------------------------- values


def test_pieces_know_where_they_lie() -> None:
    pcm = Pcm(np.arange(480, dtype=np.int16), 16_000, start=1_000)
    assert (pcm.end, pcm.duration_s) == (1_480, 0.03)
    assert OpusPacket(b"x", 960, 320, 16_000).end == 1_280
    assert silence(0.25, 16_000, start=7).end == 4_007


def test_bytes_are_little_endian_and_a_half_sample_is_dropped() -> None:
    pcm = Pcm.frombytes(b"\x01\x00\xff\xff\x09", 16_000, start=3)
    assert (pcm.samples.tolist(), pcm.start) == ([1, -1], 3)
    assert pcm.tobytes() == b"\x01\x00\xff\xff"


def test_frames_pad_or_drop_the_rest_and_keep_their_places() -> None:
    pcm = Pcm(np.ones(500, np.int16), 16_000, start=100)
    padded = list(frames(pcm, 320))
    assert [(frame.start, len(frame.samples)) for frame in padded] == [(100, 320), (420, 320)]
    assert padded[1].samples.sum() == 180
    assert [frame.start for frame in frames(pcm, 320, pad=False)] == [100]
    assert list(frames(silence(0, 16_000), 320)) == []


def test_joined_frames_are_the_sound_they_were_cut_from() -> None:
    pcm = Pcm(sine(16_000), 16_000, start=50)
    joined = join(list(frames(pcm, 320)), 16_000)
    assert joined.start == 50
    assert (joined.samples[: len(pcm.samples)] == pcm.samples).all()
    assert join([], 16_000).end == 0


# ---------------------------------------------------------------- other rates


RATES = [(8_000, 16_000), (22_050, 16_000), (16_000, 24_000), (44_100, 16_000), (16_000, 48_000)]


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("piece_ms", [7, 20, 333])
def test_a_stream_is_resampled_to_what_the_whole_would_be(
    from_hz: int, to_hz: int, piece_ms: int
) -> None:
    whole = Pcm(sine(from_hz, 1.03), from_hz)
    resampler = Resampler(from_hz, to_hz)
    pieces = list(frames(whole, from_hz * piece_ms // 1000, pad=False))
    rest = Pcm(whole.samples[pieces[-1].end :], from_hz, pieces[-1].end)
    made = [resampler.push(piece) for piece in pieces]
    made.append(resampler.push(rest, last=True))
    assert [piece.start for piece in made[1:]] == [piece.end for piece in made[:-1]]
    streamed, at_once = join(made, to_hz), resample(whole, to_hz)
    assert (
        len(streamed.samples) == len(at_once.samples) == round(len(whole.samples) * to_hz / from_hz)
    )
    difference = streamed.samples.astype(int) - at_once.samples
    assert np.abs(difference).max() <= 3  # the last bits are dithered


def test_resampling_keeps_pitch_and_level() -> None:
    there = resample(Pcm(sine(44_100, 1), 44_100), 16_000)
    again = sine(16_000, 1)
    middle = slice(1_000, 15_000)  # the ends ring
    assert np.abs(there.samples[middle].astype(int) - again[middle]).max() < 20


def test_a_resampler_can_begin_a_new_stream_after_the_last_piece() -> None:
    resampler = Resampler(22_050, 16_000)
    for _ in range(2):
        made = resampler.push(Pcm(sine(22_050, 1), 22_050), last=True)
        assert (made.start, len(made.samples)) == (0, 16_000)


def test_an_empty_last_piece_flushes_the_stream() -> None:
    resampler = Resampler(24_000, 16_000)
    first = resampler.push(Pcm(sine(24_000, 1), 24_000))
    rest = resampler.push(silence(0, 24_000), last=True)
    assert 0 < len(rest.samples) < 16_000 * 0.05
    assert first.end == rest.start
    assert rest.end == 16_000


def test_one_rate_is_passed_through_untouched() -> None:
    pcm = Pcm(sine(16_000), 16_000)
    assert resample(pcm, 16_000) is pcm
    assert Resampler(16_000, 16_000).push(pcm).samples is pcm.samples


def test_the_start_of_a_piece_is_counted_at_its_new_rate() -> None:
    assert resample(Pcm(sine(24_000), 24_000, start=24_000), 16_000).start == 16_000


# ---------------------------------------------------------------- good WAV files


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("coding", "width", "tolerance"),
    [(PCM, 1, 256), (PCM, 2, 0), (PCM, 3, 0), (PCM, 4, 0), (FLOAT, 4, 1), (FLOAT, 8, 1)],
)
def test_every_width_and_channel_count_is_read(
    channels: int, coding: int, width: int, tolerance: int
) -> None:
    said = sine(22_050)
    data = pack(np.repeat(said, channels), coding, width)
    pcm = read(wav_bytes(data, coding=coding, rate_hz=22_050, channels=channels, width=width))
    assert pcm.rate_hz == 22_050
    assert pcm.samples.dtype == np.int16
    assert np.abs(pcm.samples.astype(int) - said).max() <= tolerance


def test_channels_are_mixed_and_not_picked() -> None:
    left_and_right = np.array([1_000, 3_000, -1_000, -3_000], np.int16)
    assert read(wav_bytes(left_and_right.tobytes(), channels=2)).samples.tolist() == [2_000, -2_000]


def test_a_file_comes_at_the_rate_of_hearing_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    write_wav(path, Pcm(sine(48_000), 48_000))
    assert (read_wav(path).rate_hz, len(read_wav(path).samples)) == (16_000, 8_000)
    assert read_wav(path, None).rate_hz == 48_000


def test_what_is_written_reads_back_and_pythons_own_reader_agrees(tmp_path: Path) -> None:
    pcm = Pcm(sine(16_000), 16_000)
    path, stream = tmp_path / "x.wav", io.BytesIO()
    write_wav(path, pcm)
    write_wav(stream, pcm)
    assert stream.getvalue() == path.read_bytes()
    assert (read_wav(path).samples == pcm.samples).all()
    with wave.open(str(path)) as opened:
        assert opened.getparams()[:4] == (1, 2, 16_000, 8_000)


def test_chunks_before_the_sound_are_stepped_over() -> None:
    between = chunk(b"LIST", b"odd") + chunk(b"fact", b"\0\0\0\0")
    assert read(wav_bytes(b"\x01\x00\x02\x00", between=between)).samples.tolist() == [1, 2]


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 2_000])
def test_a_header_that_promises_more_than_there_is_is_no_error(size: int) -> None:
    raw = wav_bytes(b"\x01\x00\x02\x00\x03", data_size=size, riff_size=0xFFFFFFFF)
    assert read(raw).samples.tolist()[:2] == [1, 2]


def test_a_header_of_zeros_as_pipes_leave_it_is_no_error() -> None:
    raw = wav_bytes(b"\x01\x00\x02\x00", data_size=0, riff_size=0)
    assert read(raw).samples.tolist() == [1, 2]


def test_what_follows_the_sound_is_not_taken_for_sound() -> None:
    raw = wav_bytes(b"\x01\x00\x02\x00") + chunk(b"LIST", b"an artist's name")
    assert read(raw).samples.tolist() == [1, 2]


def test_floats_beyond_full_scale_are_clipped_and_what_is_no_number_is_silent() -> None:
    data = np.array([2.0, -2.0, np.nan, np.inf, -np.inf, 0.5], "<f4").tobytes()
    samples = read(wav_bytes(data, coding=FLOAT, width=4)).samples
    assert samples.tolist() == [32_767, -32_767, 0, 32_767, -32_767, 16_384]


# ---------------------------------------------------------------- bad WAV files


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "the input is empty"),
        (b"RIFF", "not a WAV file"),
        (b"OggS" + bytes(100), "not a WAV file"),
        (b"RIFF\x04\0\0\0WAVE", "ends before its sound"),
        (b"RIFF\x04\0\0\0WAVEdata\x04\0\0\0\x01\0\x01\0", "does not say what its samples are"),
        (b"RIFF\x04\0\0\0WAVEfmt \x04\0\0\0\x01\0\x01\0", "broken header"),
        (wav_bytes(b"\1\0")[:38], "ends before its sound"),
        (wav_bytes(b""), "holds no sound"),
        (wav_bytes(b"\1"), "holds no sound"),
        (wav_bytes(b"\1\0", channels=0), "0 channels"),
        (wav_bytes(b"\1\0", rate_hz=0), "0 Hz"),
        (wav_bytes(b"\1\0", rate_hz=2**30), "1073741824 Hz"),
        (wav_bytes(bytes(10), width=5), "samples of 40 bits"),
        (wav_bytes(bytes(10), width=0), "samples of 0 bits"),
        (wav_bytes(bytes(10), coding=FLOAT), "samples of 16 bits"),
        (wav_bytes(bytes(10), coding=7, width=1), "mu-law; only uncompressed"),
        (wav_bytes(bytes(10), coding=0x1234), "format 0x1234; only uncompressed"),
    ],
)
def test_a_file_that_is_no_sound_is_refused_in_one_sentence(raw: bytes, reason: str) -> None:
    with pytest.raises(AudioError, match=reason) as caught:
        read(raw)
    assert "\n" not in str(caught.value)


def test_more_hours_than_anybody_speaks_are_refused() -> None:
    with pytest.raises(AudioError, match="longer than 5 hours"):
        read(wav_bytes(bytes(5 * 3600 * 1000 + 1), width=1, rate_hz=1_000))


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"cannot read gone\.wav: No such file"):
        read_wav(tmp_path / "gone.wav")
    with pytest.raises(AudioError, match=r"cannot read .*: Is a directory"):
        read_wav(tmp_path)
    with pytest.raises(AudioError, match=r"cannot write .*x\.wav: No such file"):
        write_wav(tmp_path / "gone" / "x.wav", silence(0.1, 16_000))


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(raw: bytes) -> None:
    try:
        assert read(raw).samples.dtype == np.int16
    except AudioError as error:
        assert "\n" not in str(error)


@given(
    data=st.binary(max_size=100),
    coding=st.sampled_from([PCM, FLOAT]),
    rate_hz=st.integers(0, 200_000),
    channels=st.integers(0, 9),
    width=st.integers(0, 9),
    data_size=st.none() | st.integers(0, 2**32 - 1),
    cut_at=st.integers(0, 200),
)
def test_no_header_crashes_the_reader(
    data: bytes,
    coding: int,
    rate_hz: int,
    channels: int,
    width: int,
    data_size: int | None,
    cut_at: int,
) -> None:
    raw = wav_bytes(
        data, coding=coding, rate_hz=rate_hz, channels=channels, width=width, data_size=data_size
    )
    for part in (raw, raw[:cut_at]):
        try:
            assert read(part, 16_000).rate_hz == 16_000
        except AudioError as error:
            assert "\n" not in str(error)
