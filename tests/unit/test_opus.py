"""Opus: our binding against another one, against RFC 6716, and against garbage."""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import opuslib_next
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour import opus
from parlour.audio import Pcm, Samples, frames
from parlour.errors import AudioError, MissingError
from parlour.opus import Decoder, Encoder, Toc, packet_samples, parse_toc

SENTENCE = "Turn on the kitchen light, and then close the blinds in the bedroom."


def chirp(rate_hz: int, duration_s: float = 0.6) -> Samples:
    at_s = np.arange(round(rate_hz * duration_s)) / rate_hz
    return (np.sin(2 * np.pi * (200 + 900 * at_s) * at_s) * 9_000).astype(np.int16)


def cut(samples: Samples, size: int) -> list[Samples]:
    return [frame.samples for frame in frames(Pcm(samples, 1), size)]


def snr_db(clean: Samples, damaged: Samples) -> float:
    clean, error = clean.astype(np.float64), clean.astype(np.float64) - damaged
    return float(10 * np.log10(np.sum(clean**2) / np.sum(error**2)))


# ---------------------------------------------------------------- against another binding


@pytest.mark.parametrize("rate_hz", opus.RATES_HZ)
@pytest.mark.parametrize("frame_ms", [10, 20, 60])
def test_both_bindings_make_and_understand_the_same_packets(rate_hz: int, frame_ms: int) -> None:
    size = rate_hz * frame_ms // 1000
    ours, our_ears = Encoder(rate_hz), Decoder(rate_hz)
    theirs = opuslib_next.Encoder(rate_hz, 1, opuslib_next.APPLICATION_VOIP)
    theirs.bitrate, theirs.complexity = 24_000, 5
    their_ears = opuslib_next.Decoder(rate_hz, 1)
    for frame in cut(chirp(rate_hz), size):
        packet = ours.encode(frame)
        assert packet == theirs.encode(frame.tobytes(), size)
        heard = our_ears.decode(packet)
        assert heard.tobytes() == their_ears.decode(packet, size)
        assert len(heard) == packet_samples(packet, rate_hz) == size


def test_both_bindings_conceal_and_recover_alike(speak: Callable[[str], Pcm]) -> None:
    encoder = Encoder(16_000, fec=True, expected_loss_percent=20)
    packets = [encoder.encode(frame) for frame in cut(speak(SENTENCE).samples, 320)]
    ours, theirs = Decoder(16_000), opuslib_next.Decoder(16_000, 1)
    for packet in packets[:40]:
        ours.decode(packet)
        theirs.decode(packet, 320)
    assert ours.conceal(320).tobytes() == theirs.decode(b"", 320)
    assert ours.recover(packets[42], 320).tobytes() == theirs.decode(packets[42], 320, True)
    assert ours.decode(packets[42]).tobytes() == theirs.decode(packets[42], 320)


# ---------------------------------------------------------------- speech


def test_speech_survives_and_keeps_its_length(speak: Callable[[str], Pcm]) -> None:
    said = speak(SENTENCE).samples
    encoder, decoder = Encoder(16_000), Decoder(16_000)
    packets = [encoder.encode(frame) for frame in cut(said, 320)]
    heard = np.concatenate([decoder.decode(packet) for packet in packets])
    assert 0 <= len(heard) - len(said) < 320
    delay = int(np.argmax(np.correlate(heard[:32_000], said[:31_000].astype(float))))
    assert delay <= 0.01 * 16_000  # libopus says 6.5 ms
    assert 40 < sum(map(len, packets)) / len(packets) < 80  # bytes; 24 kbit/s is 60


def test_fec_brings_back_what_concealment_can_only_guess(speak: Callable[[str], Pcm]) -> None:
    encoder = Encoder(16_000, fec=True, expected_loss_percent=20)
    packets = [encoder.encode(frame) for frame in cut(speak(SENTENCE).samples, 320)]
    lost = range(4, len(packets) - 1, 5)

    def hear(fill: Callable[[Decoder, int], Samples] | None) -> Samples:
        decoder, heard = Decoder(16_000), []
        for index, packet in enumerate(packets):
            gap = fill is not None and index in lost
            heard.append(fill(decoder, index) if fill and gap else decoder.decode(packet))
        return np.concatenate([heard[index] for index in lost])

    whole = hear(None)
    concealed = snr_db(whole, hear(lambda decoder, _: decoder.conceal(320)))
    recovered = snr_db(whole, hear(lambda decoder, at: decoder.recover(packets[at + 1], 320)))
    assert recovered > concealed + 5
    assert recovered > 5


def test_dtx_sends_tiny_packets_for_silence_and_they_decode() -> None:
    encoder, decoder = Encoder(16_000, dtx=True), Decoder(16_000)
    packets = [encoder.encode(np.zeros(960, np.int16)) for _ in range(30)]
    tiny = [packet for packet in packets if len(packet) == 1]
    assert len(tiny) > 15
    assert all(len(decoder.decode(packet)) == 960 for packet in packets)
    assert len(decoder.recover(tiny[0], 960)) == 960


def test_a_stereo_packet_is_heard_as_mono() -> None:
    stereo = opuslib_next.Encoder(48_000, 2, opuslib_next.APPLICATION_AUDIO)
    packet = stereo.encode(np.repeat(chirp(48_000, 0.02), 2).tobytes(), 960)
    assert parse_toc(packet).channels == 2
    assert len(Decoder(48_000).decode(packet)) == 960


def test_reset_makes_a_codec_as_good_as_new() -> None:
    encoder, decoder = Encoder(16_000), Decoder(16_000)
    spoken = cut(chirp(16_000), 320)

    def pass_through() -> list[tuple[bytes, bytes]]:
        packets = [encoder.encode(frame) for frame in spoken]
        return [(packet, decoder.decode(packet).tobytes()) for packet in packets]

    first = pass_through()
    assert pass_through() != first
    encoder.reset()
    decoder.reset()
    assert pass_through() == first


def test_a_decoded_frame_is_the_callers_own() -> None:
    encoder, decoder = Encoder(16_000), Decoder(16_000)
    first, second = (encoder.encode(frame) for frame in cut(chirp(16_000), 320)[:2])
    heard = decoder.decode(first)
    before = heard.copy()
    decoder.decode(second)
    assert (heard == before).all()


def test_dropped_codecs_give_their_memory_back() -> None:
    def resident_bytes() -> int:
        return psutil.Process().memory_info().rss

    def churn() -> None:
        for _ in range(500):
            Encoder(16_000).encode(np.zeros(320, np.int16))
            Decoder(16_000)
        gc.collect()

    churn()
    before = resident_bytes()
    churn()
    assert resident_bytes() - before < 5_000_000  # 500 leaked pairs would be 20 MB


# ---------------------------------------------------------------- wrong input


@pytest.mark.parametrize("size", [0, 1, 319, 321, 480, 1_919, 2_000, 16_000])
def test_a_frame_of_no_legal_size_is_refused_with_the_sizes(size: int) -> None:
    with pytest.raises(AudioError, match=r"no Opus frame; .* 320, "):
        Encoder(16_000).encode(np.zeros(size, np.int16))


@pytest.mark.parametrize("make", [Encoder, Decoder])
def test_a_rate_that_opus_has_not_is_refused(make: Callable[[int], object]) -> None:
    with pytest.raises(AudioError, match="22050 Hz"):
        make(22_050)


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(AudioError, match="invalid argument"):
        Encoder(16_000, complexity=11)


@pytest.mark.parametrize("samples", [0, -320, 41, 321, 1_960])
def test_a_gap_of_no_legal_size_is_refused(samples: int) -> None:
    packet = Encoder(16_000).encode(np.zeros(320, np.int16))
    with pytest.raises(AudioError, match="multiple of 40 up to 1920"):
        Decoder(16_000).conceal(samples)
    with pytest.raises(AudioError, match="multiple of 40 up to 1920"):
        Decoder(16_000).recover(packet, samples)


@pytest.mark.parametrize(
    "garbage", [b"", b"\xff", b"\xff\xff", b"\x03\x00", b"\x01abc", b"not opus, but a sentence"]
)
def test_garbage_is_refused_and_leaves_the_decoder_as_it_was(garbage: bytes) -> None:
    first, second = (Encoder(16_000).encode(frame) for frame in cut(chirp(16_000), 320)[:2])
    undisturbed, decoder = Decoder(16_000), Decoder(16_000)
    decoder.decode(first)
    undisturbed.decode(first)
    with pytest.raises(AudioError):
        decoder.decode(garbage)
    assert (decoder.decode(second) == undisturbed.decode(second)).all()


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=8))
def test_no_bytes_crash_the_decoder_and_the_toc_agrees_with_it(packets: Sequence[bytes]) -> None:
    decoder = Decoder(16_000)
    for packet in packets:
        try:
            heard = decoder.decode(packet)
        except AudioError:
            continue
        assert len(heard) == packet_samples(packet, 16_000)


@given(st.binary(max_size=200), st.integers(-10, 2_000))
def test_no_bytes_crash_recovery(packet: bytes, samples: int) -> None:
    decoder = Decoder(16_000)
    try:
        assert len(decoder.recover(packet, samples)) == samples
    except AudioError:
        assert len(decoder.conceal(320)) == 320


# ---------------------------------------------------------------- the table of contents


@pytest.mark.parametrize(
    ("packet", "toc"),
    [
        (b"\x48", Toc("silk", "wide", 0.02, 1, 1)),  # what Chromium sends
        (b"\x58", Toc("silk", "wide", 0.06, 1, 1)),  # what stock satellites send
        (b"\x00", Toc("silk", "narrow", 0.01, 1, 1)),
        (b"\x2c", Toc("silk", "medium", 0.02, 1, 2)),
        (b"\x68", Toc("hybrid", "superwide", 0.02, 1, 1)),
        (b"\x71ab", Toc("hybrid", "full", 0.01, 2, 1)),
        (b"\x82\x01ab", Toc("celt", "narrow", 0.0025, 2, 1)),
        (b"\xff\x06", Toc("celt", "full", 0.02, 6, 2)),
    ],
)
def test_the_toc_is_read_as_rfc_6716_has_it(packet: bytes, toc: Toc) -> None:
    assert parse_toc(packet) == toc


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", "at least one byte"),
        (b"\x03", "no frame"),  # the count of frames is missing
        (b"\x03\x00", "no frame"),
        (b"\x4b\x07", "more than 120 ms"),  # 7 of 20 ms
        (b"\x5b\x03", "more than 120 ms"),  # 3 of 60 ms
        (b"\xe3\x31", "more than 120 ms"),  # 49 of 2.5 ms
    ],
)
def test_a_toc_that_breaks_rfc_6716_is_refused(packet: bytes, reason: str) -> None:
    with pytest.raises(AudioError, match=reason):
        parse_toc(packet)


@given(st.binary(max_size=4))
def test_any_toc_is_read_or_refused(packet: bytes) -> None:
    try:
        toc = parse_toc(packet)
    except AudioError:
        return
    assert 0 < toc.frames * toc.frame_duration_s <= 0.12 + 1e-9


# ---------------------------------------------------------------- where libopus is


def run_with_libopus(path: str, code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {opus.OVERRIDE: path}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


ROUND_TRIP = """
import sys
import numpy as np
from parlour.opus import Decoder, Encoder, find_libopus, libopus_version
assert len(Decoder(16000).decode(Encoder(16000).encode(np.zeros(320, np.int16)))) == 320
assert "av" not in sys.modules
print(find_libopus(), libopus_version())
"""


def test_the_library_in_an_installed_av_wheel_works() -> None:
    bundled = list(opus.bundled_libopus())
    if not bundled:
        pytest.skip("the extra `opus` is not installed")
    assert opus.find_libopus(bundled) == bundled[0]
    done = run_with_libopus(bundled[0], ROUND_TRIP)
    assert done.stderr == ""
    assert done.stdout.startswith(f"{bundled[0]} libopus 1.")


def test_looking_for_the_bundled_library_does_not_import_av() -> None:
    code = "import sys; from parlour import opus; list(opus.bundled_libopus())\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "av" not in done.stdout.split()


def test_the_system_has_a_libopus_and_it_is_preferred() -> None:
    assert opus.find_libopus() == opus.find_libopus(opus.system_libopus())
    assert opus.libopus_version().startswith("libopus ")


def test_candidates_that_are_no_libopus_are_passed_over() -> None:
    working = opus.find_libopus()
    assert opus.find_libopus(["/nowhere/libopus.so", __file__, "libc.so.6", working]) == working


def test_without_any_library_the_error_says_how_to_get_one() -> None:
    with pytest.raises(MissingError, match=r"apt-get install libopus0.*parlour\[opus\]"):
        opus.find_libopus([])


def test_an_override_that_does_not_work_is_named_and_nothing_else_is_tried(tmp_path: Path) -> None:
    wrong = tmp_path / "libopus.so"
    wrong.write_text("no library")
    code = (
        "from parlour import opus, errors\n"
        "try: opus.Decoder(16000)\n"
        "except errors.MissingError as error: print(error)"
    )
    assert f"names {wrong}, which is no libopus" in run_with_libopus(str(wrong), code).stdout
