"""Somebody speaks into the answer: it pauses at once, and ends if he means it.

evidence                                     what is done
voice for 64 ms                              the answer is held
over before 200 ms: a cough, a door          it goes on
two words that are no "mhm", or 700 ms       it is cut off
a pause: "mhm", or nothing understood        it goes on
a pause: anything else                       it is cut off
"""

import logging
from dataclasses import dataclass

import anyio

from parlour import tasks
from parlour.errors import ProviderError
from parlour.ports import Final, SttContext
from parlour.turn.endpoint import Decision, Eager, EndOfTurn, SpeechOnset
from parlour.turn.engines import Engines
from parlour.turn.lexicon import is_backchannel, is_stop
from parlour.turn.listen import Ear
from parlour.turn.reply import Reply

log = logging.getLogger(__name__)

ONSET_S = 0.064  # of voice have passed when an onset is told
DECIDE_S = 0.2  # from the onset; a cough is over by then, and the silence that shows it
BURST_S = 0.1  # for what may follow: the consonant at the end of "stop", the second word
EARLY_S = 1.0  # of the answer heard: a short word may still be the end of the question
SHORT_S = 0.25  # for the recogniser's word on something as short as a cough
SURE_S = 0.7  # from the onset; no "mhm" is as long
WORDS_S = 1.5  # for the recogniser's word on what was said before a pause


@dataclass(frozen=True, slots=True)
class Interruption:
    onset: int  # sample of the microphone


async def wait_interruption(
    reply: Reply, ear: Ear, engines: Engines, *, hears_all: bool
) -> Interruption:
    """Wait until somebody really speaks into the answer; it is held meanwhile, and left so.

    What the ear decided is put back for the turn that follows. `hears_all`: the microphone stays
    open while the answer plays; if not, only what comes before its first sound is listened to.
    """
    while True:
        onset = await ear.decide()
        if not isinstance(onset, SpeechOnset):
            continue
        if reply.has_begun and not hears_all:
            ear.start_anew()
            continue
        reply.hold()
        seen: list[Decision] = [onset]
        if await _is_meant(ear, engines, seen, goes_on=reply.played_s < EARLY_S):
            ear.detach()
            ear.put_back(*seen)
            return Interruption(onset.sample)
        ear.start_anew()
        reply.go_on()


async def _is_meant(ear: Ear, engines: Engines, seen: list[Decision], *, goes_on: bool) -> bool:
    """Decide, by the length of what is said and by its words. `seen` takes the ear's decisions."""
    try:
        async with engines.stt.open(engines.language) as context:
            ear.attach(context)
            async with tasks.task_group() as group:
                judge = _Judge(ear, context, engines.language, seen, goes_on=goes_on)
                group.start_soon(judge.follow_words)
                group.start_soon(judge.follow_sound)
                meant = await judge.wait()
                group.cancel_scope.cancel()
            return meant
    except ProviderError as error:
        log.warning("who speaks into the answer is not understood, it is cut off: %s", error)
        return True


class _Judge:
    """Whether somebody means to interrupt. The first opinion counts."""

    def __init__(
        self,
        ear: Ear,
        context: SttContext,
        language: str,
        seen: list[Decision],
        *,
        goes_on: bool,
    ) -> None:
        """`goes_on`: so early in the answer it may be the end of the question."""
        self._goes_on = goes_on
        self._ear = ear
        self._context = context
        self._language = language
        self._seen = seen
        self._began_s = anyio.current_time()
        self._short = False  # it was over before 200 ms
        self._text = ""
        self._meant: bool | None = None
        self._settled = anyio.Event()

    async def wait(self) -> bool:
        await self._settled.wait()
        return bool(self._meant)

    async def follow_words(self) -> None:
        async for heard in self._context:
            self._text = heard.text
            if isinstance(heard, Final):
                self._settle(self._is_meant())
            elif len(self._text.split()) > 1 and self._is_meant():
                self._settle(True)

    async def follow_sound(self) -> None:
        while True:
            with anyio.move_on_after(SURE_S - self._heard_s):
                await self._wait_pause()
            if not self._paused:
                if not is_backchannel(self._text, self._language):
                    self._settle(True)
                    return
                await self._wait_pause()  # "yeah, yeah, yeah"
            if self._heard_s >= DECIDE_S:
                break
            with anyio.move_on_after(BURST_S):
                self._seen.append(await self._ear.decide())
            if self._paused:
                self._short = True
                break
        self._context.finish()
        await anyio.sleep(SHORT_S if self._short else WORDS_S)
        self._settle(self._is_meant())

    @property
    def _heard_s(self) -> float:
        """Since the first sound of it."""
        return anyio.current_time() - self._began_s + ONSET_S

    async def _wait_pause(self) -> None:
        while not self._paused:
            self._seen.append(await self._ear.decide())

    @property
    def _paused(self) -> bool:
        return isinstance(self._seen[-1], Eager | EndOfTurn)

    def _is_meant(self) -> bool:
        if self._short and not self._goes_on:
            return is_stop(self._text, self._language)
        return bool(self._text) and not is_backchannel(self._text, self._language)

    def _settle(self, meant: bool) -> None:
        if self._meant is None:
            self._meant = meant
            self._settled.set()
