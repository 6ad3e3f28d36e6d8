"""`/metrics`: what happens in the house as numbers, for Prometheus. No names, no words."""

from collections.abc import Callable, Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from parlour.events import Event, FailedOver, ReplyEnded, ReplyHeld, TurnEnded
from parlour.supervise import Health, Stages

# From a command's 100 ms to what nobody waits for.
BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


class Metrics:
    """Counts events; looks at gauges when it is asked."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self.registry = CollectorRegistry()
        self._stage_s = Histogram(
            "turn_stage_seconds",
            "From the end of speech to each stage of a turn",
            ["stage"],
            buckets=BUCKETS_S,
            namespace="parlour",
            registry=self.registry,
        )
        self._turns = self._counter("turns", "Turns by how they ended", ["end"])
        self._actions = self._counter("actions", "Actions in the home", ["confirmed"])
        self._tries = self._counter("speculations", "Answers begun before the turn was taken")
        self._hits = self._counter("speculation_hits", "Turns answered by one of them")
        self._extra = self._counter("speculation_extra_calls", "Of those not given")
        self._wasted = self._counter("speculation_wasted_tokens", "Tokens of those not given")
        self._held = self._counter("replies_held", "Answers paused because somebody spoke")
        self._cut = self._counter("replies_cut", "Answers cut off")
        self._underruns = self._counter("underruns", "Gaps in the sound of answers")
        self._failovers = self._counter(
            "failovers", "Engines that failed, by who took over", ["stage", "failed", "taken_by"]
        )
        self._up = Gauge(
            "stage_up",
            "1 while a supervised part is ready",
            ["stage"],
            namespace="parlour",
            registry=self.registry,
        )

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, text, labels, namespace="parlour", registry=self.registry)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a value that is read whenever the page is."""
        Gauge(name, text, namespace="parlour", registry=self.registry).set_function(read)

    def observe(self, event: Event) -> None:
        match event:
            case TurnEnded():
                self._observe_turn(event)
            case ReplyHeld(held=True):
                self._held.inc()
            case ReplyEnded(cut=True):
                self._cut.inc()
            case FailedOver():
                self._failovers.labels(event.stage, event.failed, event.taken_by).inc()
            case _:
                pass

    def render(self) -> tuple[bytes, str]:
        """The page and its content type."""
        for stage in self._stages:
            self._up.labels(stage.name).set(stage.health is Health.READY)
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _observe_turn(self, ended: TurnEnded) -> None:
        self._turns.labels(ended.end).inc()
        for stage, ms in ended.stages_ms.items():
            if stage not in ("speech_start", "speech_end"):
                self._stage_s.labels(stage).observe(ms / 1000)
        for action in ended.actions:
            self._actions.labels(str(action.confirmed).lower()).inc()
        told = ended.speculation
        self._tries.inc(told.tries)
        self._hits.inc(told.hit)
        self._extra.inc(told.extra_calls)
        self._wasted.inc(told.wasted_tokens)
        self._underruns.inc(ended.underruns)
