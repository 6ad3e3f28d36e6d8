"""Somebody speaks into the answer: it pauses at once, and ends if he means it.

evidence                                     what is done
voice for 64 ms                              the answer is held
over before 200 ms: a cough, a door          it goes on
two words that are no "mhm", or 700 ms       it is cut off
a pause: "mhm", or nothing understood        it goes on
a pause: anything else                       it is cut off
"""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio

from parlour import tasks
from parlour.errors import ProviderError
from parlour.ports import Final, Partial, SttContext
from parlour.turn.endpoint import Decision, Eager, EndOfTurn, SpeechOnset
from parlour.turn.engines import Engines
from parlour.turn.lexicon import is_backchannel
from parlour.turn.listen import Ear
from parlour.turn.reply import Reply

log = logging.getLogger(__name__)

DECIDE_S = 0.2  # from the onset; a cough is over by then
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
        if await _is_meant(ear, engines, seen):
            ear.detach()
            ear.put_back(*seen)
            return Interruption(onset.sample)
        ear.start_anew()
        reply.go_on()


async def _is_meant(ear: Ear, engines: Engines, seen: list[Decision]) -> bool:
    """Decide, by the length of what is said and by its words. `seen` takes the ear's decisions."""
    with anyio.move_on_after(DECIDE_S - engines.policy.onset_ms / 1000):
        seen.append(await ear.decide())
        return False
    try:
        async with engines.stt.open(engines.language) as context:
            ear.attach(context)
            return await _is_more_than_assent(ear, engines, context, seen)
    except ProviderError as error:
        log.warning("who speaks into the answer is not understood, it is cut off: %s", error)
        return True


async def _is_more_than_assent(
    ear: Ear, engines: Engines, context: SttContext, seen: list[Decision]
) -> bool:
    words: list[str] = []
    async with tasks.task_group() as group:
        verdict = _Verdict()

        async def read() -> None:
            async for text, last in _texts(context):
                words[:] = text.split()
                meant = bool(text) and not is_backchannel(text, engines.language)
                if last or (meant and len(words) > 1):
                    verdict.settle(meant)

        async def pause() -> None:
            while not isinstance(decision := await ear.decide(), Eager | EndOfTurn):
                seen.append(decision)
            seen.append(decision)
            context.finish()
            await anyio.sleep(WORDS_S)
            verdict.settle(bool(words))

        async def speak_on() -> None:
            await anyio.sleep(SURE_S - DECIDE_S)
            if ear.is_speaking:
                verdict.settle(True)

        for listen in (read, pause, speak_on):
            group.start_soon(listen)
        meant = await verdict.wait()
        group.cancel_scope.cancel()
    return meant


class _Verdict:
    """The first opinion counts."""

    def __init__(self) -> None:
        self._meant: bool | None = None
        self._settled = anyio.Event()

    def settle(self, meant: bool) -> None:
        if self._meant is None:
            self._meant = meant
            self._settled.set()

    async def wait(self) -> bool:
        await self._settled.wait()
        return bool(self._meant)


async def _texts(context: SttContext) -> AsyncIterator[tuple[str, bool]]:
    """Each text that is heard, and whether it is the last word on it."""
    async for heard in context:
        match heard:
            case Partial(text=text):
                yield text, False
            case Final(text=text):
                yield text, True
