"""What /metrics shows."""

from parlour.events import Action, ReplyEnded, ReplyHeld, Speculation, TurnBegan, TurnEnded
from parlour.gateways.metrics import Metrics
from parlour.ids import DeviceId, EntityId, TurnId
from parlour.supervise import Health, Stages

TURN = TurnEnded(
    TurnId("t1"),
    DeviceId("the-kitchen"),
    1.0,
    "answered",
    "turn on the secret lamp",
    "It is on.",
    (Action(EntityId("kitchen.light"), "on", None, confirmed=True),),
    {"speech_start": -900.0, "speech_end": 0.0, "commit": 120.0, "sent_first": 131.0},
    speculation=Speculation(tries=2, hit=True, extra_calls=1, wasted_tokens=7),
    underruns=3,
)


def _page(metrics: Metrics) -> dict[str, float]:
    page, kind = metrics.render()
    assert kind.startswith("text/plain")
    lines = (line for line in page.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_a_turn_is_counted_with_its_stages_and_its_speculation() -> None:
    metrics = Metrics(Stages())
    metrics.observe(TURN)
    metrics.observe(ReplyHeld(TurnId("t1"), 1.0, held=True))
    metrics.observe(ReplyHeld(TurnId("t1"), 1.1, held=False))
    metrics.observe(ReplyEnded(TurnId("t1"), 1.2, cut=True))
    metrics.observe(TurnBegan(TurnId("t2"), DeviceId("d"), 1.3, 0))
    page = _page(metrics)
    assert page['parlour_turns_total{end="answered"}'] == 1
    assert page['parlour_turn_stage_seconds_bucket{le="0.15",stage="sent_first"}'] == 1
    assert page['parlour_turn_stage_seconds_bucket{le="0.1",stage="sent_first"}'] == 0
    assert page['parlour_actions_total{confirmed="true"}'] == 1
    assert page["parlour_speculations_total"] == 2
    assert page["parlour_speculation_hits_total"] == 1
    assert page["parlour_speculation_extra_calls_total"] == 1
    assert page["parlour_speculation_wasted_tokens_total"] == 7
    assert page["parlour_replies_held_total"] == 1
    assert page["parlour_replies_cut_total"] == 1
    assert page["parlour_underruns_total"] == 3


def test_gauges_are_read_when_the_page_is() -> None:
    stages, values = Stages(), [3.0]
    stages.add("stt:x").set(Health.READY)
    stages.add("tts:x")
    metrics = Metrics(stages)
    metrics.gauge("sessions", "Devices connected", lambda: values[0])
    assert _page(metrics)["parlour_sessions"] == 3
    values[0] = 5.0
    page = _page(metrics)
    assert page["parlour_sessions"] == 5
    assert page['parlour_stage_up{stage="stt:x"}'] == 1
    assert page['parlour_stage_up{stage="tts:x"}'] == 0


def test_neither_names_nor_words_are_shown() -> None:
    metrics = Metrics(Stages())
    metrics.observe(TURN)
    page = metrics.render()[0].decode()
    assert "kitchen" not in page
    assert "secret" not in page
