"""Engines of one kind in the owner's order: who is to be tried, who has failed, who is well again."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import anyio

from parlour.engines.breaker import Breaker
from parlour.errors import ProviderError
from parlour.events import FailedOver

log = logging.getLogger(__name__)

PROBE_S = 10.0  # that a probe may take
IDLE_PROBE_S = 1.0  # between two looks for an engine that is due for a probe

Engine = TypeVar("Engine")
Stage = Literal["stt", "tts", "llm"]
Report = Callable[[FailedOver], None]


@dataclass(slots=True)
class Link(Generic[Engine]):
    """One engine of a chain. `name` is the provider's."""

    name: str
    engine: Engine
    voice: str | None = None  # of a voice engine: the one it speaks with
    breaker: Breaker = field(default_factory=Breaker)


class Chain(Generic[Engine]):
    """The engines in the order of the owner's choice, and how they are."""

    def __init__(self, stage: Stage, links: Sequence[Link[Engine]], report: Report) -> None:
        self.stage: Stage = stage
        self.links = links
        self._report = report

    def able(
        self, fits: Callable[[Engine], bool] = lambda _: True
    ) -> Iterator[tuple[Link[Engine], bool]]:
        """The engines to be tried, one after the other, and whether another stands by.

        When all have failed of late, all are tried: a late answer is better than none.
        """
        fitting = [link for link in self.links if fits(link.engine)] or list(self.links)
        closed = [link for link in fitting if not link.breaker.is_open]
        order = closed or fitting
        for n, link in enumerate(order):
            yield link, n + 1 < len(order)

    def failed(self, link: Link[Engine], error: ProviderError) -> None:
        now_s = anyio.current_time()
        link.breaker.failed(now_s, error.retry_after_s)
        heir = next((other for other in self.links if not other.breaker.is_open), None)
        taken_by = "" if heir is None else heir.name
        log.warning("%s of %s fails (%s); next: %s", self.stage, link.name, error, taken_by or "-")
        self._report(FailedOver(now_s, self.stage, link.name, taken_by, str(error)))

    async def watch(self, probe: Callable[[Engine], Awaitable[None]]) -> None:
        """Ask engines that failed whether they are well again, until cancelled."""
        while True:
            await anyio.sleep(IDLE_PROBE_S)
            for link in self.links:
                if link.breaker.due_in(anyio.current_time()) == 0.0:
                    await self._probe(link, probe)

    async def _probe(self, link: Link[Engine], probe: Callable[[Engine], Awaitable[None]]) -> None:
        try:
            with anyio.fail_after(PROBE_S):
                await probe(link.engine)
        except (ProviderError, TimeoutError) as error:
            link.breaker.failed(anyio.current_time(), getattr(error, "retry_after_s", None))
        else:
            log.info("%s of %s works again", self.stage, link.name)
            link.breaker.succeeded()
