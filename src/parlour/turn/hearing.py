"""One utterance, from its onset to its words; meanwhile the answer is already being prepared."""

import logging
from collections.abc import Callable
from dataclasses import replace

import anyio
import anyio.abc

from parlour import tasks
from parlour.errors import ProviderError
from parlour.events import Event, PartialHeard, SpeechBegan
from parlour.ports import Final, Partial, SttContext, Verdict
from parlour.turn.endpoint import Belief, Eager, EndOfTurn, Pauses, Reason, Resumed, SpeechOnset
from parlour.turn.engines import Engines
from parlour.turn.latency import SampleClock
from parlour.turn.lexicon import tail
from parlour.turn.listen import Ear
from parlour.turn.speculate import Attempts
from parlour.turn.turn import Turn

log = logging.getLogger(__name__)

STEADY_S = 0.06  # a partial that stands so long in a pause is worth preparing an answer to
ASK_AGAIN = 2  # times in a pause; words that were swallowed may come out with more silence
WARM_WORDS = 3  # from so many on a language model is given the beginning to read


class Hearing:
    """Follows what one ear hears. `run` is its life."""

    def __init__(
        self,
        turn: Turn,
        ear: Ear,
        engines: Engines,
        attempts: Attempts,
        pauses: Pauses,
        clock: SampleClock,
        tell: Callable[[Event], None],
    ) -> None:
        self._turn = turn
        self._ear = ear
        self._engines = engines
        self._attempts = attempts
        self._pauses = pauses
        self._clock = clock
        self._tell = tell
        self._belief = Belief()
        self._latest = ""  # the last partial
        self._pause: Eager | None = None  # in which the user is now
        self._settled = False  # the last partial is all there is up to the pause
        self._warming = False
        self._final: Final | None = None
        self._concluded = anyio.Event()

    async def run(self) -> EndOfTurn | None:
        """Listen until the turn ends; then `turn.transcript` is set. None: nobody spoke.

        Raises ProviderError if the words cannot be had.
        """
        onset = await self._ear.decide()
        if not isinstance(onset, SpeechOnset):
            return None
        at_s = self._clock.time_of(onset.sample)
        self._turn.stamps.mark("speech_start", at_s)
        self._tell(SpeechBegan(self._turn.id, at_s, onset.sample))
        async with self._engines.stt.open(self._turn.language) as context:
            self._ear.attach(context)
            async with tasks.task_group() as group:
                group.start_soon(self._follow, context, group)
                end = await self._await_end(context, group)
                self._turn.transcript = self._turn.text(await self._conclude(context, end))
                group.cancel_scope.cancel()
        return end

    # ------------------------------------------------------------ pauses

    async def _await_end(self, context: SttContext, group: anyio.abc.TaskGroup) -> EndOfTurn:
        while True:
            match await self._ear.decide():
                case Eager() as pause:
                    self._turn.stamps.mark("eager", anyio.current_time(), again=True)
                    self._pause, self._settled = pause, False
                    context.pause()
                    group.start_soon(self._anticipate, context, pause)
                    group.start_soon(self._consult)
                case Resumed(pause_ms=pause_ms):
                    self._pause, self._settled = None, False
                    self._belief = replace(self._belief, settled=False, over=None)
                    self._pauses.resumed(pause_ms)
                    self._attempts.drop()
                case EndOfTurn() as end:
                    return end
                case SpeechOnset():
                    pass

    async def _anticipate(self, context: SttContext, pause: Eager) -> None:
        """Ask the recogniser again while the pause lasts; of one that does not settle take the last
        partial for all there is."""
        for _ in range(ASK_AGAIN):
            await anyio.sleep(STEADY_S)
            if self._pause is not pause:
                return
            if self._engines.stt.traits.settles:
                context.pause()
            elif not self._settled:
                self._prepare()

    async def _consult(self) -> None:
        """Ask the turn model, where the text alone does not tell."""
        model = self._engines.turn_model
        if model is None or self._belief.verdict in (Verdict.CLOSED, Verdict.OPEN):
            return
        pause = self._pause
        try:
            over = await model.judge(self._ear.last(model.longest_s))
        except ProviderError as error:
            log.debug("no opinion on the end of the turn: %s", error)
            return
        if self._pause is pause:
            self._believe(replace(self._belief, over=over))

    async def _conclude(self, context: SttContext, end: EndOfTurn) -> str:
        """What was said, at once where the recogniser stands by its partial."""
        stamps = self._turn.stamps
        stamps.mark("speech_end", self._clock.time_of(end.speech_end))
        if end.vad_off is not None:
            stamps.mark("vad_off", self._clock.time_of(end.vad_off))
        if self._settled and end.reason is Reason.SILENCE:
            return self._latest
        context.finish()
        traits = self._engines.stt.traits
        with anyio.move_on_after(traits.final_s):
            await self._concluded.wait()
        if self._final is not None:
            return self._final.text
        if not self._latest:
            raise ProviderError(traits.name, f"no transcript within {traits.final_s:g} s")
        log.warning("%s says no final, its last partial is taken", traits.name)
        return self._latest

    # ------------------------------------------------------------ words

    async def _follow(self, context: SttContext, group: anyio.abc.TaskGroup) -> None:
        """Pass partials on, and what they mean to the ear, up to the final text."""
        async for heard in context:
            match heard:
                case Partial():
                    self._take(heard, group)
                case Final():
                    self._turn.stamps.mark("stt_final", anyio.current_time(), again=True)
                    self._final = heard
                    self._concluded.set()
                    return
        raise ProviderError(self._engines.stt.traits.name, "it ended without a transcript")

    def _take(self, partial: Partial, group: anyio.abc.TaskGroup) -> None:
        now_s = anyio.current_time()
        if partial.text != self._latest or not self._settled:
            self._turn.stamps.mark("stt_final", now_s, again=True)
        self._latest = partial.text
        self._settled = self._pause is not None and partial.settled
        self._tell(PartialHeard(self._turn.id, now_s, partial.text, partial.stable_chars))
        utterance = self._turn.utterance(partial.text)
        judged = self._engines.grammar.judge(utterance.text, utterance.language, utterance.place)
        hanging = tail(utterance.text, utterance.language) == "hanging"
        belief = replace(
            self._belief, verdict=judged.verdict, hanging=hanging, settled=self._settled
        )
        self._believe(belief)
        if self._settled:
            self._prepare()
        elif judged.verdict is Verdict.NONE and len(utterance.text.split()) >= WARM_WORDS:
            self._warm(group)

    def _believe(self, belief: Belief) -> None:
        self._belief = belief
        self._ear.believe(belief)

    def _prepare(self) -> None:
        promises_more = self._belief.verdict is Verdict.INCOMPLETE or self._belief.hanging
        if self._latest and not promises_more:
            self._attempts.prepare(self._turn.utterance(self._latest))

    def _warm(self, group: anyio.abc.TaskGroup) -> None:
        """Have a language model read what is known already; one time at once."""
        if not self._warming:
            self._warming = True
            group.start_soon(self._warm_up)

    async def _warm_up(self) -> None:
        await self._engines.brain.warm(self._turn.utterance(self._latest))
        self._warming = False
