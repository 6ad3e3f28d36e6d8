"""One device's conversation: its turns one after the other, each a few steps read top to bottom."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import anyio
import anyio.abc
import anyio.lowlevel

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, OpusPacket, Pcm
from parlour.errors import ParlourError
from parlour.events import Event, FinalHeard, TurnBegan, TurnEnd, TurnEnded
from parlour.ids import TurnId
from parlour.ports import Place, Utterance
from parlour.turn.echo import EchoGuard
from parlour.turn.endpoint import EndOfTurn, Pauses, Reason
from parlour.turn.engines import Engines, Sink
from parlour.turn.floor import Floor, OwnFloor
from parlour.turn.hearing import Hearing
from parlour.turn.interrupt import Interruption, wait_interruption
from parlour.turn.latency import SampleClock
from parlour.turn.listen import Ear, Microphone
from parlour.turn.phrases import Trouble, apology, filler
from parlour.turn.playout import PlayoutFormat
from parlour.turn.recital import Recital
from parlour.turn.reply import Reply
from parlour.turn.speculate import Attempts
from parlour.turn.turn import Turn

log = logging.getLogger(__name__)

Mode: TypeAlias = Literal["auto", "manual", "realtime"]

OWN_FLOOR = OwnFloor()

STALL_S = 2.0  # no packet for so long while listening: the device is gone or its link is
MOST_WAITING = 8  # orders or sentences not begun yet; a person makes one or two
FILLER_S = 1.6  # after the commit without a word of an answer; people doubt from two seconds on
MERGE_S = 1.5  # who goes on so soon after the end of his turn had not finished
MERGE_PLAYED_S = 1.0  # unless he has heard so much of the answer
FIRST_OUT_S = (
    0.005  # an answer that is ready goes out before the next ear is opened, which costs 2 ms
)
NEXT_LEAD_S = 0.03  # after the last word, from where on the next one may begin


@dataclass(frozen=True, slots=True)
class _Listen:
    """An utterance that is being listened to, from the very packet after the order on."""

    mode: Mode
    ear: Ear
    carry: str = ""  # words of a turn that ended too early


class Announcement:
    """A sentence that nobody asked for, on its way to the device."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.scope = anyio.CancelScope()
        self.begun = anyio.Event()  # it is being made and said
        self.done = anyio.Event()  # it was said, cut off, withdrawn or lost
        self.heard = False  # it was said to its end, as far as can be told from here
        self.cut = False  # somebody at the device did not want to hear it
        self._withdrawn = False

    def withdraw(self) -> None:
        """It need not be said any more; what is being said is cut off."""
        if not self.done.is_set():
            self._withdrawn = True
            self.scope.cancel()

    def end(self, *, heard: bool) -> None:
        self.heard = heard
        self.cut = self.scope.cancel_called and not self._withdrawn
        self.done.set()


class Session:
    """Plain calls from the gateway go in; `run` is the one task that owns the turns.

    A turn is a transaction: answers are prepared while the user may still go on, one is given
    when the turn is taken, and it is cut off, with all that works for it, when somebody speaks
    into it, aborts it or starts another one.
    """

    def __init__(
        self,
        engines: Engines,
        place: Place,
        form: PlayoutFormat,
        sink: Sink,
        *,
        open_mic: bool = False,
        floor: Floor = OWN_FLOOR,
    ) -> None:
        """`open_mic`: the device's microphone stays open while it plays, and hears the answer.

        `floor`: where several devices may hear the same words, who answers.
        """
        self._engines = engines
        self._place = place
        self._form = form
        self._sink = _Tap(sink, self._plays)
        self._open_mic = open_mic
        self._floor = floor
        self._lost = False  # another device answers what is being said
        self._echo = EchoGuard()
        self._guarded = False  # what the microphone hears may be our own answer
        self._microphone = Microphone(engines.vad, engines.policy, self._is_own_voice)
        self._clock = SampleClock()
        self._pauses = Pauses()
        self._ear: Ear | None = None  # the latest
        self._reply: Reply | None = None
        self._scope: anyio.CancelScope | None = None
        self._turn_id: TurnId | None = None
        self._after: _Listen | None = None  # what is heard while the present answer is given
        self._talking = False  # an answer was given: what follows needs no wake word
        self._answered_s = 0.0  # when the last turn ended
        self._orders, self._waiting = anyio.create_memory_object_stream[_Listen | Announcement](
            MOST_WAITING
        )

    # ------------------------------------------------------------ what the device does

    def hear(self, packet: bytes) -> None:
        """Take one Opus packet, in about 0.2 ms. Raises AudioError for garbage; the turn lives on."""
        self._microphone.hear(packet)
        self._clock.arrived(self._microphone.samples, anyio.current_time())

    def wake(self) -> None:
        """The user called the device: this is no follow-up."""
        self._talking = False

    def listen(self, mode: Mode) -> None:
        """The device begins to listen; a turn that still runs is cut off."""
        self.abort()
        order = self._open_ear(mode)
        try:
            self._orders.send_nowait(order)
        except anyio.WouldBlock:
            log.warning("the device starts turns faster than they can begin, one is dropped")
            self._microphone.close(order.ear)

    def stop_listening(self) -> None:
        """The user let go of the button: what was said is the whole utterance."""
        if self._ear is not None:
            self._ear.release()

    def abort(self, turn: TurnId | None = None) -> None:
        """The user wants silence: cut the turn off. One that names an older turn came too late."""
        if self._scope is not None and turn in (None, self._turn_id):
            if self._reply is not None:
                self._reply.cut()
            self._scope.cancel()

    def lose(self) -> None:
        """Another device answers: be silent, and forget what was heard."""
        self._lost = self._scope is not None
        self._talking = False
        self.abort()

    def move(self, place: Place) -> None:
        """The device stands elsewhere, from the next turn on."""
        self._place = place

    def heard_since(self, sample: int) -> Pcm:
        """What the microphone heard, at most the last seconds of it."""
        return self._microphone.since(sample)

    @property
    def samples(self) -> int:
        """How much the microphone has heard."""
        return self._microphone.samples

    @property
    def is_engaged(self) -> bool:
        """Whether it speaks or rings, or has just answered and waits for what follows."""
        if self._reply is not None and not self._reply.done.is_set():
            return True
        follows_s = anyio.current_time() - self._answered_s
        return self._talking and follows_s < self._engines.follow_up_s

    @property
    def noise_dbfs(self) -> float:
        """The level of the room around the microphone."""
        return self._microphone.level.last.noise_dbfs

    def announce(self, text: str) -> Announcement | None:
        """Speak without being asked, after the present turn; None if too much is waiting already."""
        announcement = Announcement(text)
        try:
            self._orders.send_nowait(announcement)
        except (anyio.WouldBlock, anyio.ClosedResourceError):
            log.warning("too much is waiting to be said, an announcement is dropped")
            return None
        return announcement

    def played(self, turn: TurnId, played_ms: int, buffered_ms: int) -> None:
        """The device says how much of a turn's answer has left its loudspeaker."""
        if self._reply is not None and self._reply.utterance.turn == turn:
            self._reply.played(played_ms, buffered_ms)

    def _open_ear(self, mode: Mode, since: int | None = None) -> _Listen:
        learned_ms = self._pauses.learned_ms
        self._ear = self._microphone.listen(
            hands_off=mode == "manual", since=since, learned_ms=learned_ms
        )
        return _Listen(mode, self._ear)

    def _plays(self, packet: OpusPacket) -> None:
        if self._guarded:
            duration_s = packet.samples / packet.rate_hz
            self._echo.played(packet.dbfs, anyio.current_time(), duration_s)

    def _is_own_voice(self, dbfs: float) -> bool:
        return self._guarded and not self._echo.hears(dbfs, anyio.current_time())

    # ------------------------------------------------------------ the turns

    async def run(self) -> None:
        """Hold the conversation until cancelled; a failed turn is said and the next one is normal."""
        with self._orders, self._waiting:
            try:
                async for order in self._waiting:
                    match order:
                        case Announcement():
                            await self._announce(order)
                        case _Listen():
                            await self._converse(order)
            finally:
                self._lose()

    async def _announce(self, announcement: Announcement) -> None:
        reply: Reply | None = None
        try:
            with announcement.scope as self._scope:
                # One that was withdrawn meanwhile ends here, before anybody hears of it.
                await anyio.lowlevel.checkpoint()
                announcement.begun.set()
                turn = Turn(self._place, self._engines.language)
                reply = await self._recite(turn, announcement.text)
        finally:
            self._scope = None
            announcement.end(heard=reply is not None and reply.is_said)

    def _lose(self) -> None:
        """The device is gone: what waits to be said will not be."""
        with suppress(anyio.WouldBlock, anyio.EndOfStream, anyio.ClosedResourceError):
            while True:
                if isinstance(order := self._waiting.receive_nowait(), Announcement):
                    order.end(heard=False)

    async def _converse(self, order: _Listen | None) -> None:
        """Hold one turn, and those that follow on the open microphone."""
        if order is not None and self._talking:
            order.ear.expect(self._engines.follow_up_s)
        while order is not None:
            order = await self._turn(order)
            if self._waiting.statistics().current_buffer_used and order is not None:
                self._microphone.close(order.ear)
                return

    async def _turn(self, order: _Listen) -> _Listen | None:
        """One turn from the first sound to the last; returns what is listened to next."""
        turn = Turn(self._place, self._engines.language, order.carry)
        self._turn_id, self._reply = turn.id, None
        self._lost = False
        end: TurnEnd = "cancelled"
        after: _Listen | None = None
        self._sink.emit(
            TurnBegan(turn.id, self._place.device, anyio.current_time(), self._microphone.samples)
        )
        try:
            with anyio.CancelScope() as self._scope:
                try:
                    end, after = await self._hear_and_answer(turn, order)
                except ParlourError as error:
                    log.warning("the turn failed: %s", error, extra={"turn": turn.id})
                    end = "failed"
                    await self._recite(turn, apology(_trouble(turn), self._engines.language))
        finally:
            self._scope = None
            if self._lost:
                end = "lost"
            self._microphone.close(order.ear)
            if after is None and self._after is not None:
                self._microphone.close(self._after.ear)
            self._after = None
            self._talking = end in ("answered", "nothing_understood", "cancelled", "merged")
            self._answered_s = anyio.current_time()
            self._sink.emit(self._record(turn, end))
        return after

    async def _hear_and_answer(self, turn: Turn, order: _Listen) -> tuple[TurnEnd, _Listen | None]:
        async with tasks.task_group() as answers:
            attempts = Attempts(answers, self._engines.brain, self._make_reply, self._sink.emit)
            try:
                end = await self._hear(turn, order, attempts)
                if end is None:
                    return "no_speech", None
                if not await self._floor.take():
                    return "lost", None
                reply = self._commit(turn, attempts)
            finally:
                attempts.drop()
                turn.speculation = attempts.outcome
            await anyio.sleep(FIRST_OUT_S)
            after = self._listen_on(order.mode, end)
            interruption = await self._deliver(reply, after)
            return self._conclude(turn, reply, end, after, interruption)

    async def _hear(self, turn: Turn, order: _Listen, attempts: Attempts) -> EndOfTurn | None:
        hearing = Hearing(
            turn,
            order.ear,
            self._engines,
            attempts,
            self._pauses,
            self._clock,
            self._sink.emit,
        )
        async with tasks.task_group() as group:
            group.start_soon(self._watch_link, order.ear)
            end = await hearing.run()
            group.cancel_scope.cancel()
        if end is None and turn.carry:  # somebody began to go on, and did not
            turn.transcript = turn.carry
            end = EndOfTurn(Reason.STALLED, order.ear.now, order.ear.now)
        return end

    async def _watch_link(self, ear: Ear) -> None:
        """End the utterance when no packet comes any more: sample time then stands still."""
        before = -1
        while before != self._microphone.samples:
            before = self._microphone.samples
            await anyio.sleep(STALL_S)
        ear.stall()

    # ------------------------------------------------------------ the answer

    def _make_reply(self, utterance: Utterance) -> Reply:
        return Reply(self._engines, self._engines.brain, self._form, self._sink, utterance)

    def _commit(self, turn: Turn, attempts: Attempts) -> Reply:
        """Take the turn: from here on it is answered."""
        now_s = anyio.current_time()
        self._sink.emit(FinalHeard(turn.id, now_s, turn.transcript))
        self._pauses.passed()
        self._reply = attempts.commit(
            Utterance(turn.id, turn.transcript, turn.language, turn.place)
        )
        turn.stamps.mark("commit", now_s)
        return self._reply

    def _listen_on(self, mode: Mode, end: EndOfTurn) -> _Listen | None:
        """What comes after the end of a turn may still belong to it, or be spoken into the answer."""
        if mode == "manual":
            return None
        since = end.speech_end + round(NEXT_LEAD_S * HEARING_RATE_HZ)
        self._after = self._open_ear(mode, since)
        self._after.ear.expect(None)
        return self._after

    async def _deliver(self, reply: Reply, after: _Listen | None) -> Interruption | None:
        """Wait until the answer was given, or somebody spoke into it."""
        interruption: Interruption | None = None
        self._guarded = self._open_mic and after is not None and after.mode != "realtime"

        async def watch(ear: Ear, group: anyio.abc.TaskGroup) -> None:
            nonlocal interruption
            interruption = await wait_interruption(
                reply, ear, self._engines, hears_all=self._hears_all(after)
            )
            group.cancel_scope.cancel()

        try:
            async with tasks.task_group() as group:
                group.start_soon(self._fill, reply)
                if after is not None:
                    group.start_soon(watch, after.ear, group)
                await reply.done.wait()
                group.cancel_scope.cancel()
        finally:
            self._guarded = False
        if reply.error is not None:
            raise reply.error
        return interruption

    def _hears_all(self, after: _Listen | None) -> bool:
        """Whether the microphone stays open while the answer plays."""
        return after is not None and (after.mode == "realtime" or self._open_mic)

    async def _fill(self, reply: Reply) -> None:
        """Nobody should wonder whether he was heard."""
        await anyio.sleep(FILLER_S)
        if not reply.texts:
            reply.interject(filler(self._engines.language))

    def _conclude(
        self,
        turn: Turn,
        reply: Reply,
        end: EndOfTurn,
        after: _Listen | None,
        interruption: Interruption | None,
    ) -> tuple[TurnEnd, _Listen | None]:
        """What the turn came to, and what is listened to next."""
        if interruption is not None and after is not None:
            reply.cut()
            if self._is_continuation(turn, reply, end, interruption):
                return "merged", _Listen(after.mode, after.ear, turn.transcript)
            return "cancelled", after
        if after is not None and after.mode == "realtime":
            after.ear.expect(self._engines.follow_up_s)
            return _answered(turn), after
        return _answered(turn), None

    def _is_continuation(
        self, turn: Turn, reply: Reply, end: EndOfTurn, interruption: Interruption
    ) -> bool:
        """Whether the user went on with what he was saying; what was done cannot be merged."""
        pause_s = (interruption.onset - end.speech_end) / HEARING_RATE_HZ
        late = pause_s > MERGE_S or reply.played_s > MERGE_PLAYED_S
        if late or reply.has_acted or not turn.transcript:
            return False
        self._pauses.resumed(pause_s * 1000)
        return True

    async def _recite(self, turn: Turn, text: str) -> Reply:
        """Say a text of our own."""
        utterance = Utterance(turn.id, "", turn.language, turn.place)
        reply = Reply(self._engines, Recital(text), self._form, self._sink, utterance)
        self._reply = reply
        reply.commit.set()
        await reply.run()
        return reply

    def _record(self, turn: Turn, end: TurnEnd) -> TurnEnded:
        now_s, reply = anyio.current_time(), self._reply
        record = TurnEnded(
            turn.id,
            self._place.device,
            now_s,
            end,
            turn.transcript,
            speculation=turn.speculation,
            stages_ms=turn.stamps.stages_ms(),
        )
        if reply is None:
            return record
        heard = reply.heard()
        if end in ("answered", "cancelled", "nothing_understood") and turn.transcript:
            self._engines.brain.remember(reply.utterance, heard)
        turn.stamps.take(reply.stamps)
        return replace(
            record,
            reply=" ".join(reply.texts),
            actions=tuple(reply.actions),
            stages_ms=turn.stamps.stages_ms(),
            heard=heard,
            underruns=reply.underruns,
        )


def _answered(turn: Turn) -> TurnEnd:
    return "answered" if turn.transcript else "nothing_understood"


def _trouble(turn: Turn) -> Trouble:
    return "cannot_answer" if turn.transcript else "cannot_hear"


class _Tap:
    """The sink, of whose sound the session takes note."""

    def __init__(self, sink: Sink, note: Callable[[OpusPacket], None]) -> None:
        self._sink = sink
        self._note = note

    def emit(self, event: Event) -> None:
        self._sink.emit(event)

    def play(self, packet: OpusPacket) -> None:
        self._note(packet)
        self._sink.play(packet)
