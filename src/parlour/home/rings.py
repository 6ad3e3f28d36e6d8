"""What rings now: spoken where it was set or near by, again and again, until somebody says stop."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import anyio

from parlour import tasks
from parlour.ids import DeviceId

log = logging.getLogger(__name__)

AGAIN_S = 20.0  # from the beginning of one sentence to that of the next
RINGS_S = {"timer": 2 * AGAIN_S, "alarm": 300.0}  # from the first to the last: three times; 5 min
LATE_S = 600.0  # unheard for so long it is told as missed, once
GIVE_UP_S = 24 * 3600.0  # nobody was there for a day
LOOK_S = 2.0  # between two looks for a device while there is none
LOOK_LATE_S = 10.0  # and when there is no hurry any more
SAY_S = 120.0  # a turn takes less; after that the device counts as one that does not hear
REOPEN_S = 1.5  # a device that opens its microphone so soon after a sentence does so by itself
MOST_BELLS = 100

Kind = Literal["timer", "alarm"]


class Said(Protocol):
    """A sentence on its way to one device; `turn.session.Announcement` is one."""

    begun: anyio.Event  # its sound has begun
    done: anyio.Event  # it was said, cut off, withdrawn or lost
    heard: bool  # whether it was said to its end
    cut: bool  # somebody at the device did not want to hear it

    def withdraw(self) -> None:
        """It need not be said any more; what is being said is cut off."""
        ...


class Speakers(Protocol):
    """The devices that can speak now."""

    def nearest(self, device: DeviceId) -> Sequence[DeviceId]:
        """Those that stand in for a device, itself if it is there; none if nobody is."""
        ...

    def announce(self, device: DeviceId, text: str) -> Said | None:
        """Say it after the present turn; None if the device is not connected or has no room."""
        ...


@dataclass(eq=False, slots=True)
class Bell:
    """Something that is due. `text` makes the sentence from how late it is, `missed` if too late."""

    kind: Kind
    number: int
    device: DeviceId  # where it was set
    due_s: float  # on the clock of anyio.current_time()
    text: Callable[[float], str]
    missed: Callable[[], str]
    finish: Callable[[], None] = lambda: None
    silenced: anyio.Event = field(default_factory=anyio.Event)
    said: dict[DeviceId, Said] = field(default_factory=dict)  # the latest, by device

    def sounds_on(self, device: DeviceId) -> bool:
        """Whether it was heard there, or its sentence has begun."""
        said = self.said.get(device)
        return said is not None and said.begun.is_set()


class Rings:
    def __init__(self, speakers: Speakers) -> None:
        self._speakers = speakers
        self._bells: list[Bell] = []
        self._dismissed: dict[DeviceId, tuple[float, Bell]] = {}
        self._spoke_s: dict[DeviceId, float] = {}  # when a sentence ended there
        self._new, self._begun = anyio.create_memory_object_stream[Bell](MOST_BELLS)

    def close(self) -> None:
        """Let go of what waits to be rung; nothing rings any more."""
        self._new.close()
        self._begun.close()

    @property
    def ringing(self) -> Sequence[Bell]:
        return tuple(self._bells)

    def start(self, bell: Bell) -> None:
        """Ring from now on; a plain call."""
        self._bells.append(bell)
        try:
            self._new.send_nowait(bell)
        except anyio.WouldBlock:
            log.warning("too much rings at once, %s %d is lost", bell.kind, bell.number)
            self._end(bell)

    def dismiss(self, device: DeviceId) -> list[Bell]:
        """Silence what sounds on a device, everywhere; returns it. A turn there does so too."""
        silenced = [bell for bell in self._bells if bell.sounds_on(device)]
        for bell in silenced:
            self._silence(bell)
            self._dismissed[device] = (anyio.current_time(), bell)
        return silenced

    def just_spoke(self, device: DeviceId) -> bool:
        """Whether a turn that begins now may be the device's own doing, and nobody's answer.

        Some devices listen after every sentence; only who speaks then has heard what rings.
        """
        return anyio.current_time() - self._spoke_s.get(device, -REOPEN_S) < REOPEN_S

    def silence(self, kind: Kind, number: int) -> None:
        """Silence one that was cancelled or snoozed, wherever it rings."""
        for bell in self._bells:
            if (bell.kind, bell.number) == (kind, number):
                self._silence(bell)

    def just_dismissed(self, device: DeviceId, within_s: float = 30.0) -> Bell | None:
        """What the turn that asks has silenced by beginning: the thing that "stop" is about."""
        at_s, bell = self._dismissed.get(device, (0.0, None))
        return bell if bell is not None and anyio.current_time() - at_s <= within_s else None

    async def run(self) -> None:
        """Ring until cancelled."""
        with self._new, self._begun:
            async with tasks.task_group() as group:
                async for bell in self._begun:
                    group.start_soon(self._ring, bell)

    def _silence(self, bell: Bell) -> None:
        bell.silenced.set()
        for said in bell.said.values():
            said.withdraw()

    def _end(self, bell: Bell) -> None:
        if bell in self._bells:
            self._bells.remove(bell)
        bell.finish()

    async def _ring(self, bell: Bell) -> None:
        """Say it until it was heard often enough, silenced, or nobody came for a day."""
        began_s = anyio.current_time()
        last_s: float | None = None  # known as soon as it was heard once
        while not bell.silenced.is_set():
            now_s = anyio.current_time()
            if last_s is None and now_s - began_s > GIVE_UP_S:
                log.warning("nobody was there to hear %s %d", bell.kind, bell.number)
                break
            is_missed = last_s is None and now_s - bell.due_s >= LATE_S
            late_s = now_s - bell.due_s if last_s is None else 0.0
            heard = await self._say(bell, bell.missed() if is_missed else bell.text(late_s))
            if heard and is_missed:
                break
            if heard and last_s is None:
                last_s = now_s + RINGS_S[bell.kind]
            if last_s is not None and now_s + AGAIN_S > last_s + LOOK_S:
                break
            again_s = now_s + (AGAIN_S if heard else LOOK_LATE_S if is_missed else LOOK_S)
            with anyio.move_on_after(again_s - anyio.current_time()):
                await bell.silenced.wait()
        self._end(bell)

    async def _say(self, bell: Bell, text: str) -> bool:
        """Say it once near the device; returns whether it was heard anywhere."""
        bell.said = {
            device: said
            for device in self._speakers.nearest(bell.device)
            if (said := self._speakers.announce(device, text)) is not None
        }
        if not bell.said:
            return False
        with anyio.move_on_after(SAY_S):
            for device, said in bell.said.items():
                await said.done.wait()
                self._spoke_s[device] = anyio.current_time()
        for device, said in bell.said.items():
            if said.cut:
                bell.silenced.set()
                self._dismissed[device] = (anyio.current_time(), bell)
        heard = any(said.heard for said in bell.said.values())
        for said in bell.said.values():
            said.withdraw()
        return heard
