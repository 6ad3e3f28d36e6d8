"""Between the links of devices and the rounds in which it is decided who answers."""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, assert_never

import anyio

from parlour.errors import ProviderError
from parlour.ids import DeviceId
from parlour.wake.claim import Claim
from parlour.wake.rounds import Rounds, Tell
from parlour.wake.rules import Lost, RoundId, Rules, TakenOver, Verdict, Won

log = logging.getLogger(__name__)

MOST_WAITING = 16  # claims and the like of one device that were not passed on yet
VERDICT_S = 0.7  # a claim that is not answered by then counts as won: better twice than never
HOLD_S = 2.0  # of whoever was taken over
SAME_WORD_S = Rules().same_word_s
LISTEN_S = 2.0  # from a claim to the `listen start` that belongs to it

Passing: TypeAlias = Callable[[], Awaitable[object]]


class Heard(Protocol):
    """What a link does about a verdict; plain calls."""

    def win(self) -> None: ...

    def lose(self, hold_s: float) -> None: ...


class Referee:
    """One for the process. `run` is its life."""

    def __init__(self, make_rounds: Callable[[Tell], Rounds], watch: Tell = lambda _: None) -> None:
        """`watch` is called with every verdict."""
        self._watch = watch
        self.rounds = make_rounds(self._tell)
        self._contenders: dict[DeviceId, Contender] = {}

    def join(self, device: DeviceId, link: Heard) -> "Contender":
        contender = Contender(device, link, self.rounds)
        self._contenders[device] = contender
        return contender

    def is_contested(self, group: str) -> bool:
        """Whether devices of this process claim at this moment, and nobody has won yet."""
        return any(c.is_waiting and c.group == group for c in self._contenders.values())

    async def leave(self, contender: "Contender") -> None:
        """Its socket has gone: if it was to answer, the next best does. Never raises."""
        if self._contenders.get(contender.device) is contender:
            del self._contenders[contender.device]
            try:
                await self.rounds.gone(contender.device)
            except ProviderError as error:
                log.warning("nobody knows that %s has gone: %s", contender.device, error)

    async def run(self) -> None:
        await self.rounds.run()

    def _tell(self, verdict: Verdict) -> None:
        self._watch(verdict)
        match verdict:
            case Won(device=device, round_id=round_id):
                self._won(device, round_id)
            case Lost(device=device, hold_s=hold_s):
                self._lost(device, hold_s)
            case TakenOver(loser=loser, winner=winner, round_id=round_id):
                self._lost(loser, HOLD_S)
                self._won(winner, round_id)
            case _:
                assert_never(verdict)

    def _won(self, device: DeviceId, round_id: RoundId) -> None:
        if (contender := self._contenders.get(device)) is not None:
            contender.won(round_id)

    def _lost(self, device: DeviceId, hold_s: float) -> None:
        if (contender := self._contenders.get(device)) is not None:
            contender.lost(hold_s)


class Contender:
    """A device's part in it. Satisfies `turn.floor.Floor`: a turn without a claim is its own.

    Calls that ask are passed on by `run`, one after the other.
    """

    def __init__(self, device: DeviceId, link: Heard, rounds: Rounds) -> None:
        self.device = device
        self.group = ""  # of its last claim
        self._link = link
        self._rounds = rounds
        self._round: RoundId | None = None
        self._is_out = False  # another device answers
        self._called_s: float | None = None  # when it claimed, if it has not listened since
        self._word_s = 0.0  # when the word ended for which it claimed last
        self._verdict = anyio.Event()
        self._verdict.set()
        self._passing, self._passed = anyio.create_memory_object_stream[Passing](MOST_WAITING)

    async def run(self) -> None:
        """Pass on what the device claims, until cancelled."""
        with self._passing, self._passed:
            async for passing in self._passed:
                try:
                    await passing()
                except ProviderError as error:
                    log.warning("who answers is not known: %s", error)

    @property
    def is_waiting(self) -> bool:
        """Whether it has claimed and knows of no verdict."""
        return not self._verdict.is_set()

    def claim(self, claim: Claim) -> None:
        """The device heard the wake word, or its button was pressed."""
        self._called_s = anyio.current_time()
        self.group = claim.group
        # Whoever won is told nothing more when it claims for the same word again.
        if self._round is None or claim.at_s - self._word_s >= SAME_WORD_S:
            self._round, self._is_out = None, False
            self._verdict = anyio.Event()
            self._word_s = claim.at_s
        self._pass(lambda: self._rounds.claim(claim))

    def listens(self) -> bool:
        """A turn begins, and whether of a word that was claimed; else it is not the one that was lost."""
        called_s, self._called_s = self._called_s, None
        is_called = called_s is not None and anyio.current_time() <= called_s + LISTEN_S
        if not is_called:
            self._is_out = False
        return is_called

    def level(self, level_dbfs: float, noise_dbfs: float) -> None:
        """How loud the word was, of a device that did not say."""
        self._pass(lambda: self._rounds.level(self.device, level_dbfs, noise_dbfs))

    def after_claim(self, doing: Passing) -> None:
        """Do something once the claims so far are passed on."""
        self._pass(doing)

    async def withdraw(self) -> None:
        """It was no claim after all: the next best answers."""
        await self._rounds.gone(self.device)
        self.lost(0.0)

    def ended(self) -> None:
        """Its turn is over."""
        if (round_id := self._round) is not None:
            self._round = None
            self._pass(lambda: self._rounds.ended(self.device, round_id))

    def won(self, round_id: RoundId) -> None:
        self._round, self._is_out = round_id, False
        self._verdict.set()
        self._link.win()

    def lost(self, hold_s: float) -> None:
        self._round, self._is_out = None, True
        self._verdict.set()
        self._link.lose(hold_s)

    async def take(self) -> bool:
        with anyio.move_on_after(VERDICT_S):
            await self._verdict.wait()
        if self._is_out:
            self._is_out = False  # of this turn; the next one is its own again
            return False
        if self._round is None:
            return True
        try:
            return await self._rounds.audible(self.device, self._round)
        except ProviderError as error:
            log.warning("whether another device answers is not known: %s", error)
            return True

    def _pass(self, passing: Passing) -> None:
        try:
            self._passing.send_nowait(passing)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._verdict.set()  # its link ends
        except anyio.WouldBlock:
            log.warning("%s claims faster than it can be decided", self.device)
            self._verdict.set()
