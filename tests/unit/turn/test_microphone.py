"""What a microphone keeps of what it heard."""

from parlour.audio import HEARING_RATE_HZ, silence
from parlour.level import level_dbfs
from parlour.turn.endpoint import EndpointPolicy
from parlour.turn.listen import PREROLL_S, Microphone
from parlour.turn.vadbatch import VadBatch
from scripted_engines import EnergyVad, packets, tone


def _microphone() -> Microphone:
    return Microphone(VadBatch(EnergyVad()), EndpointPolicy(), lambda _: False)


def test_the_last_two_seconds_can_be_heard_again_from_any_sample_on() -> None:
    microphone = _microphone()
    for packet in packets(silence(2.0, 16_000), tone(0.5), silence(1.0, 16_000)):
        microphone.hear(packet)
    whole = microphone.since(0)
    assert whole.end == microphone.samples == round(3.5 * HEARING_RATE_HZ)
    assert PREROLL_S <= whole.duration_s < PREROLL_S + 0.1
    late = microphone.since(microphone.samples - HEARING_RATE_HZ // 2)
    assert (late.samples == whole.samples[-len(late.samples) :]).all()
    assert level_dbfs(late.samples) < -60 < level_dbfs(whole.samples)


def test_a_microphone_that_heard_nothing_yet_has_nothing() -> None:
    heard = _microphone().since(0)
    assert (heard.start, len(heard.samples)) == (0, 0)
