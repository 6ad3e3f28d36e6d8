"""The sound of one utterance, kept in memory so that it can be heard again from the start."""

from collections.abc import AsyncGenerator

import anyio

from parlour.audio import Pcm

LONGEST_UTTERANCE_S = 30.0


class Utterance:
    """The sound of one utterance, and how it is asked for from the start again."""

    def __init__(self) -> None:
        self.pieces: list[Pcm] = []
        self.finished = False
        self.pauses: set[int] = set()  # after how many pieces the user seemed to have stopped
        self._seconds = 0.0
        self._news = anyio.Event()

    def feed(self, pcm: Pcm) -> None:
        room = round((LONGEST_UTTERANCE_S - self._seconds) * pcm.rate_hz)
        if room <= 0:
            return
        if room < len(pcm.samples):  # else a shorter piece would be heard after a gap
            pcm = Pcm(pcm.samples[:room], pcm.rate_hz, pcm.start)
        self._seconds += pcm.duration_s
        self.pieces.append(pcm)
        self._news.set()

    def pause(self) -> None:
        self.pauses.add(len(self.pieces))
        self._news.set()

    def finish(self) -> None:
        self.finished = True
        self._news.set()

    async def read(self) -> AsyncGenerator[Pcm | None, None]:
        """All pieces from the first on, as they come, until it is finished; None is a pause."""
        at, paused = 0, -1
        while True:
            while at < len(self.pieces) or (at in self.pauses and paused != at):
                if at in self.pauses and paused != at:
                    paused = at
                    yield None
                    continue
                yield self.pieces[at]
                at += 1
            if self.finished:
                return
            self._news = anyio.Event()
            await self._news.wait()
