"""When somebody begins and ends to speak."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.ports import Verdict
from parlour.turn.endpoint import (
    Belief,
    Decision,
    Eager,
    EndOfTurn,
    Endpoint,
    EndpointPolicy,
    Pauses,
    Phase,
    Reason,
    Resumed,
    SpeechOnset,
)

MS = 16  # samples
WINDOW_MS = 32
POLICY = EndpointPolicy()
CLOSED = Belief(Verdict.CLOSED, settled=True)
OPEN = Belief(Verdict.OPEN, settled=True)
FREE = Belief(Verdict.NONE, settled=True)


@dataclass
class Sound:
    """Feeds an endpoint 10 ms at a time, as a microphone with a network behind it does."""

    endpoint: Endpoint
    hang_on_ms: int = 0  # so long the network still takes silence for speech
    noise_dbfs: float = -70.0
    now_ms: int = 0
    decisions: list[Decision] = field(default_factory=list)
    _voiced_ms: int = -10_000  # the end of the last voiced 10 ms
    _judged_ms: int = 0

    def voice(self, ms: int, dbfs: float = -20.0) -> "Sound":
        return self._feed(ms, dbfs, voiced=True)

    def silence(self, ms: int) -> "Sound":
        return self._feed(ms, self.noise_dbfs, voiced=False)

    def noise(self, ms: int, dbfs: float = -20.0) -> "Sound":
        """Loud, and no speech."""
        return self._feed(ms, dbfs, voiced=False)

    def _feed(self, ms: int, dbfs: float, *, voiced: bool) -> "Sound":
        for _ in range(ms // 10):
            self.now_ms += 10
            if voiced:
                self._voiced_ms = self.now_ms
            self.endpoint.energy(dbfs, self.noise_dbfs, self.now_ms * MS)
            while self._judged_ms + WINDOW_MS <= self.now_ms:
                start, self._judged_ms = self._judged_ms, self._judged_ms + WINDOW_MS
                speech = self._voiced_ms + self.hang_on_ms > start
                probability = 0.9 if speech else 0.1
                self._keep(self.endpoint.judge(probability, start * MS, self._judged_ms * MS))
            self._keep(self.endpoint.tick(self.now_ms * MS))
        return self

    def _keep(self, decision: Decision | None) -> None:
        if decision is not None:
            self.decisions.append(decision)

    @property
    def end(self) -> EndOfTurn:
        (end,) = (d for d in self.decisions if isinstance(d, EndOfTurn))
        return end

    @property
    def kinds(self) -> list[type]:
        return [type(d) for d in self.decisions]


def _spoken(
    belief: Belief = FREE, hang_on_ms: int = 0, learned_ms: float = 0.0, voice_ms: int = 960
) -> Sound:
    """Somebody has just spoken for about a second, and this is believed of it."""
    sound = Sound(Endpoint(POLICY, 0, learned_ms=learned_ms), hang_on_ms)
    sound.silence(320).voice(voice_ms)
    sound.endpoint.believe(belief)
    return sound


def _silence_ms(end: EndOfTurn) -> float:
    return (end.sample - end.speech_end) / MS


def test_one_loud_window_is_a_click_and_two_are_speech() -> None:
    sound = Sound(Endpoint(POLICY, 0)).silence(320).voice(30).silence(320)
    assert sound.decisions == []
    sound.voice(100)
    assert sound.kinds == [SpeechOnset]


@pytest.mark.parametrize(
    ("belief", "patience_ms"),
    [
        (CLOSED, POLICY.closed_ms),
        (OPEN, POLICY.open_ms),
        (FREE, POLICY.whole_ms),
        (Belief(Verdict.NONE, hanging=True, settled=True), POLICY.hanging_ms),
        (Belief(Verdict.INCOMPLETE, settled=True), POLICY.hanging_ms),
        (Belief(Verdict.CLOSED, settled=False), POLICY.unsettled_ms),
        (Belief(Verdict.OPEN, settled=False), POLICY.open_ms),
        (Belief(Verdict.NONE, settled=True, over=0.9), POLICY.over_ms),
        (Belief(Verdict.NONE, settled=True, over=0.1), POLICY.going_on_ms),
        (Belief(Verdict.NONE, settled=True, over=0.5), POLICY.whole_ms),
        (Belief(Verdict.CLOSED, settled=True, over=0.1), POLICY.closed_ms),
    ],
)
def test_what_is_known_of_the_text_decides_how_much_silence_ends_the_turn(
    belief: Belief, patience_ms: float
) -> None:
    sound = _spoken(belief).silence(2000)
    assert sound.kinds == [SpeechOnset, Eager, EndOfTurn]
    assert sound.end.reason is Reason.SILENCE
    assert sound.end.speech_end == (320 + 960) * MS
    assert patience_ms <= _silence_ms(sound.end) < patience_ms + 10


def test_no_belief_at_all_waits_longer_than_the_hard_limit() -> None:
    policy = EndpointPolicy(hanging_ms=60_000)
    sound = Sound(Endpoint(policy, 0)).silence(320).voice(960)
    sound.endpoint.believe(Belief(Verdict.INCOMPLETE, settled=True))
    sound.silence(3000)
    assert _silence_ms(sound.end) == policy.hard_ms


def test_the_silence_counts_from_where_the_energy_fell_though_the_network_hangs_on() -> None:
    sound = _spoken(CLOSED, hang_on_ms=90).silence(1000)
    assert sound.end.speech_end == (320 + 960) * MS
    assert _silence_ms(sound.end) < POLICY.closed_ms + 30


def test_a_network_that_still_hears_speech_holds_the_end_up_but_not_for_ever() -> None:
    sound = _spoken(CLOSED, hang_on_ms=10_000).silence(1000)
    assert POLICY.veto_ms <= _silence_ms(sound.end) < POLICY.veto_ms + 10


def test_a_loud_noise_that_is_no_speech_does_not_hold_the_end_up() -> None:
    sound = _spoken(CLOSED).noise(2000)
    assert sound.end.reason is Reason.SILENCE
    assert _silence_ms(sound.end) < POLICY.closed_ms + 60


def test_in_much_noise_the_network_alone_decides() -> None:
    sound = Sound(Endpoint(POLICY, 0), noise_dbfs=-30.0).silence(320)
    sound.voice(960, dbfs=-24.0)
    sound.endpoint.believe(CLOSED)
    sound.silence(1000)
    assert abs(sound.end.speech_end / MS - (320 + 960)) <= WINDOW_MS


def test_a_microphone_that_is_muted_is_silent_whatever_the_network_says() -> None:
    sound = Sound(Endpoint(POLICY, 0), hang_on_ms=60_000, noise_dbfs=-30.0).silence(320)
    sound.voice(960, dbfs=-24.0)
    sound.endpoint.believe(CLOSED)
    sound.noise(1000, dbfs=-100.0)
    assert _silence_ms(sound.end) < POLICY.veto_ms + WINDOW_MS


def test_the_answer_is_prepared_before_the_turn_is_over_and_given_up_when_speech_goes_on() -> None:
    sound = _spoken(FREE).silence(250)
    assert sound.kinds == [SpeechOnset, Eager]
    sound.voice(500)
    resumed = sound.decisions[-1]
    assert isinstance(resumed, Resumed)
    assert abs(resumed.pause_ms - 250) <= 2 * WINDOW_MS
    sound.endpoint.believe(FREE)
    assert sound.silence(1000).kinds == [SpeechOnset, Eager, Resumed, Eager, EndOfTurn]


def test_a_belief_that_comes_late_in_the_pause_still_ends_it_early() -> None:
    sound = _spoken(Belief()).silence(200)
    sound.endpoint.believe(CLOSED)
    sound.silence(10)
    assert sound.end.sample == sound.now_ms * MS


def test_what_was_settled_before_somebody_went_on_is_settled_no_more() -> None:
    sound = _spoken(CLOSED).silence(90).voice(320).silence(1000)
    assert _silence_ms(sound.end) >= POLICY.unsettled_ms


def test_a_speaker_of_long_pauses_is_waited_for() -> None:
    pauses = Pauses()
    for _ in range(4):
        pauses.resumed(600)
    sound = _spoken(FREE, learned_ms=pauses.learned_ms).silence(2000)
    assert _silence_ms(sound.end) > POLICY.whole_ms + 100
    for _ in range(20):
        pauses.passed()
    assert pauses.learned_ms < POLICY.whole_ms
    for _ in range(50):
        pauses.resumed(5000)
    sound = _spoken(FREE, learned_ms=pauses.learned_ms).silence(2000)
    assert _silence_ms(sound.end) <= POLICY.most_learned_ms + 10


def test_nobody_speaking_ends_the_turn_at_its_limit_and_can_be_waited_for_longer() -> None:
    sound = Sound(Endpoint(POLICY, 0)).silence(8000)
    assert sound.end == EndOfTurn(Reason.NO_SPEECH, 0, 8000 * MS)
    endpoint = Endpoint(POLICY, 0)
    endpoint.expect(None)
    assert Sound(endpoint).silence(20_000).decisions == []
    endpoint.expect(21_000 * MS)
    assert endpoint.tick(20_990 * MS) is None
    assert isinstance(endpoint.tick(21_000 * MS), EndOfTurn)


def test_a_radio_that_never_stops_is_cut_at_the_limit() -> None:
    sound = Sound(Endpoint(POLICY, 0)).silence(320).voice(31_000)
    assert sound.end.reason is Reason.TOO_LONG
    assert sound.end.sample / MS <= 320 + 30_000 + WINDOW_MS


def test_silence_ends_nothing_while_the_button_is_held() -> None:
    sound = Sound(Endpoint(POLICY, 0, hands_off=True)).silence(320).voice(500)
    sound.endpoint.believe(CLOSED)
    sound.silence(5000).voice(200).silence(100)
    assert EndOfTurn not in sound.kinds
    end = sound.endpoint.release(sound.now_ms * MS)
    assert end is not None
    assert end.reason is Reason.RELEASED
    assert sound.endpoint.release(sound.now_ms * MS) is None


def test_a_button_pressed_in_silence_is_no_speech() -> None:
    end = Sound(Endpoint(POLICY, 0, hands_off=True)).silence(500).endpoint.release(8000)
    assert end is not None
    assert end.reason is Reason.NO_SPEECH


def test_what_was_nothing_is_forgotten() -> None:
    sound = _spoken(CLOSED).silence(80)
    sound.endpoint.start_anew(sound.now_ms * MS)
    sound.silence(20_000)
    assert sound.kinds == [SpeechOnset, Eager]
    assert sound.voice(200).kinds[-1] is SpeechOnset


BELIEFS = st.builds(
    Belief,
    verdict=st.sampled_from(Verdict),
    hanging=st.booleans(),
    settled=st.booleans(),
    over=st.none() | st.floats(0, 1),
)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 150), BELIEFS), max_size=20),
    st.sampled_from([0, 60, 160]),
)
def test_decisions_come_in_an_order_that_makes_sense(
    parts: list[tuple[bool, int, Belief]], hang_on_ms: int
) -> None:
    sound = Sound(Endpoint(POLICY, 0), hang_on_ms)
    for voiced, tens, belief in parts:
        sound.voice(tens * 10) if voiced else sound.silence(tens * 10)
        sound.endpoint.believe(belief)
    follows: dict[type | None, set[type]] = {
        None: {SpeechOnset, EndOfTurn},
        SpeechOnset: {Eager, EndOfTurn},
        Eager: {Resumed, EndOfTurn},
        Resumed: {Eager, EndOfTurn},
        EndOfTurn: set(),
    }
    before: type | None = None
    for kind in sound.kinds:
        assert kind in follows[before]
        before = kind
    if EndOfTurn in sound.kinds:
        assert sound.endpoint.phase is Phase.ENDED
        assert 0 <= sound.end.speech_end <= sound.end.sample
        if sound.end.reason is Reason.SILENCE:
            assert POLICY.closed_ms <= _silence_ms(sound.end) <= POLICY.hard_ms + 10
