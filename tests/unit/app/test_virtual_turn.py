import numpy as np
import pytest

from parlour.app.virtual_turn import Listener, Speaker, Turn, speech_end
from parlour.audio import Pcm, join, silence
from parlour.events import Action
from parlour.ids import EntityId, TurnId
from parlour.opus import Encoder
from parlour.wire.device_peer import (
    FinalText,
    ListenEnded,
    PartialText,
    Sentence,
    Sound,
    TtsStart,
    TtsStop,
    TurnReport,
)

TURN = TurnId("t1")
ZERO_S = 100.0  # the true end of speech on the clock of these tests
ACTION = Action(EntityId("kitchen.light"), "on", None, confirmed=True)


def _burst(duration_s: float, amplitude: int = 8000, rate_hz: int = 16_000) -> Pcm:
    rng = np.random.default_rng(1)
    samples = rng.integers(-amplitude, amplitude, round(duration_s * rate_hz))
    return Pcm(samples.astype(np.int16), rate_hz)


def _packets(pcm: Pcm) -> list[bytes]:
    encoder = Encoder(pcm.rate_hz)
    size = pcm.rate_hz // 50
    return [encoder.encode(frame) for frame in pcm.samples.reshape(-1, size)]


# ---------------------------------------------------------------- the true end of speech


@pytest.mark.parametrize("end_ms", [500, 510, 740, 1000])
def test_the_end_of_a_burst_is_found_to_10_ms(end_ms: int) -> None:
    lead_s, rest_s = 0.2, 1.2 - end_ms / 1000
    sound = join(
        [silence(lead_s, 16_000), _burst(end_ms / 1000 - lead_s), silence(rest_s, 16_000)], 16_000
    )
    assert speech_end(sound) == end_ms * 16


def test_a_burst_that_ends_inside_10_ms_ends_with_them() -> None:
    sound = join([_burst(0.504), silence(0.5, 16_000)], 16_000)
    assert speech_end(sound) == 510 * 16


def test_noise_40_db_below_the_speech_is_not_speech() -> None:
    sound = join([_burst(0.5, 8000), _burst(0.5, 80)], 16_000)
    assert speech_end(sound) == 8000


def test_a_faint_tail_30_db_below_the_peak_still_is_speech() -> None:
    sound = join([_burst(0.5, 8000), _burst(0.1, 250), silence(0.4, 16_000)], 16_000)
    assert speech_end(sound) == 9600


def test_a_recording_of_silence_ends_where_it_ends() -> None:
    assert speech_end(silence(0.5, 16_000)) == 8000
    assert speech_end(silence(0, 16_000)) == 0


# ---------------------------------------------------------------- the speaker


def test_the_first_packet_is_heard_after_the_buffer_and_the_next_follow_on() -> None:
    speaker = Speaker(prebuffer_s=0.06)
    assert speaker.take(0.02, 1.0) == pytest.approx(1.06)
    assert speaker.take(0.02, 1.07) == pytest.approx(1.08)
    assert speaker.underruns == 0


def test_a_packet_that_comes_when_all_was_played_is_an_underrun() -> None:
    speaker = Speaker(prebuffer_s=0.06)
    speaker.take(0.02, 1.0)
    assert speaker.take(0.02, 1.081) == pytest.approx(1.141)
    assert speaker.underruns == 1


def test_played_and_buffered_sound_add_up_to_what_came() -> None:
    speaker = Speaker(prebuffer_s=0.06)
    for n in range(10):
        speaker.take(0.02, 1.0 + n * 0.001)
    assert speaker.played_s(1.05) == 0
    assert speaker.played_s(1.16) == pytest.approx(0.1)
    assert speaker.buffered_s(1.16) == pytest.approx(0.1)
    assert speaker.played_s(9.0) == pytest.approx(0.2)


# ---------------------------------------------------------------- the record of a turn


def test_a_turn_is_recorded_from_its_messages() -> None:
    listener = Listener(16_000, ZERO_S, reports=True)
    packets = _packets(_burst(0.1))
    listener.take(PartialText("turn on", 4, TURN), ZERO_S - 0.5)
    listener.take(FinalText("turn on the light", TURN), ZERO_S + 0.25)
    listener.take(TtsStart(TURN), ZERO_S + 0.26)
    listener.take(Sentence("It is on.", TURN), ZERO_S + 0.27)
    for n, packet in enumerate(packets):
        listener.take(Sound(packet, None), ZERO_S + 0.3 + n * 0.02)
    listener.take(TtsStop(TURN), ZERO_S + 0.5)
    assert not listener.over
    stages = {"speech_end": 0.0, "commit": 200.0, "sent_first": 290.0}
    listener.take(
        TurnReport(TURN, "answered", "turn on the light", "It is on.", (ACTION,), stages), 101.0
    )
    assert listener.over
    turn = listener.finish()
    assert turn.partials == [(-0.5, "turn on")]
    assert turn.transcript == "turn on the light"
    assert turn.reply_text == "It is on."
    assert turn.actions == (ACTION,)
    assert turn.end == "answered"
    assert turn.first_audio_ms == 300
    assert turn.reply.duration_s == pytest.approx(0.1)
    assert turn.underruns == 0
    assert turn.first_audible_s == pytest.approx(0.36, abs=0.021)


def test_without_reports_the_stop_of_the_sound_ends_the_turn() -> None:
    listener = Listener(16_000, ZERO_S, reports=False)
    listener.take(TtsStart(None), ZERO_S)
    assert listener.answering
    listener.take(TtsStop(None), ZERO_S)
    assert listener.over
    assert listener.finish().end == "answered"


def test_a_server_that_listens_no_more_rests_the_microphone() -> None:
    listener = Listener(16_000, ZERO_S, reports=False)
    listener.take(ListenEnded("nobody spoke", TURN), ZERO_S)
    assert listener.answering
    assert listener.finish().end == "no_speech"


def test_garbage_in_the_reply_is_noted_and_the_rest_is_heard() -> None:
    listener = Listener(16_000, ZERO_S, reports=True)
    listener.take(Sound(b"\xff\xfe", None), ZERO_S + 0.1)
    listener.take(Sound(_packets(_burst(0.02))[0], None), ZERO_S + 0.12)
    turn = listener.finish()
    assert len(turn.faults) == 1
    assert turn.reply.duration_s == pytest.approx(0.02)


def test_silence_at_the_head_of_a_reply_is_not_audible() -> None:
    listener = Listener(16_000, ZERO_S, reports=True)
    reply = join([silence(0.2, 16_000), _burst(0.1)], 16_000)
    for packet in _packets(reply):
        listener.take(Sound(packet, None), ZERO_S + 0.1)
    turn = listener.finish()
    assert turn.first_audio_ms == 100
    assert turn.first_audible_s == pytest.approx(0.1 + 0.06 + 0.2, abs=0.021)


def test_nothing_is_reported_as_played_before_there_is_a_sound() -> None:
    listener = Listener(16_000, ZERO_S, reports=True)
    listener.take(TtsStart(TURN), ZERO_S)
    assert listener.playout(ZERO_S) is None
    listener.take(Sound(_packets(_burst(0.02))[0], None), ZERO_S)
    played = listener.playout(ZERO_S + 1)
    assert played is not None
    assert (played.turn, played.played_ms, played.buffered_ms) == (TURN, 20, 0)


def test_the_end_of_the_turn_is_counted_from_the_true_end_of_speech() -> None:
    turn = Turn(packets=[(0.350, 60)], stages_ms={"commit": 200.0, "sent_first": 300.0})
    assert turn.end_of_turn_ms == pytest.approx(250)


def test_a_turn_that_the_server_took_too_early_ends_before_the_end_of_speech() -> None:
    turn = Turn(packets=[(0.050, 60)], stages_ms={"commit": 200.0, "sent_first": 300.0})
    assert turn.end_of_turn_ms == pytest.approx(-50)


def test_without_a_reply_the_final_text_tells_when_the_turn_ended() -> None:
    assert Turn(final_s=-0.2).end_of_turn_ms == -200
    assert Turn().end_of_turn_ms is None
