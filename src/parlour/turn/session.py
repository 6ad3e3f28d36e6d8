"""One device's conversation: its turns one after the other, each a few steps read top to bottom."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from parlour import tasks
from parlour.audio import OpusPacket
from parlour.errors import ParlourError, ProviderError
from parlour.events import (
    Action,
    Event,
    FinalHeard,
    PartialHeard,
    ReplyBegan,
    ReplyEnded,
    ReplySaid,
    SpeechBegan,
    TurnBegan,
    TurnEnd,
    TurnEnded,
)
from parlour.ids import TurnId, new_turn_id
from parlour.ports import (
    Brain,
    Did,
    Final,
    Grammar,
    Partial,
    Place,
    Say,
    Speech,
    Stt,
    SttContext,
    Tts,
    TtsContext,
    Utterance,
    Vad,
)
from parlour.turn.endpoint import EndpointPolicy
from parlour.turn.latency import SampleClock, Stamps
from parlour.turn.listen import Ear, Microphone
from parlour.turn.phrases import Trouble, apology
from parlour.turn.playout import Pacer, PlayoutFormat, encode, play

log = logging.getLogger(__name__)

Mode: TypeAlias = Literal["auto", "manual", "realtime"]

STALL_S = 2.0  # no packet for so long while listening: the device is gone or its link is
FINAL_S = 8.0  # a recogniser that is restarted in mid-utterance needs about two of them
MOST_WAITING = 8  # orders or sentences not begun yet; a person makes one or two


class Sink(Protocol):
    """Where a session's events and sound go. Plain calls: they neither wait nor raise."""

    def emit(self, event: Event) -> None: ...

    def play(self, packet: OpusPacket) -> None: ...


@dataclass(frozen=True, slots=True)
class Engines:
    """What a conversation is held with; one value shared by all sessions."""

    stt: Stt
    tts: Tts
    vad: Vad
    grammar: Grammar
    brain: Brain
    language: str = "en_US"
    voice: str | None = None
    speed: float = 1.0
    policy: EndpointPolicy = field(default_factory=EndpointPolicy)


@dataclass(frozen=True, slots=True)
class _Listen:
    """An utterance that is being listened to, from the very packet after the order on."""

    mode: Mode
    ear: Ear


@dataclass(frozen=True, slots=True)
class _Announce:
    text: str


@dataclass(slots=True)
class _Turn:
    """What is known of the turn so far."""

    id: TurnId = field(default_factory=new_turn_id)
    stamps: Stamps = field(default_factory=Stamps)
    transcript: str = ""
    said: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)


class Session:
    """Plain calls from the gateway go in; `run` is the one task that owns the turns.

    A turn ends at once when it is aborted or the device starts another one: its scope is
    cancelled, and with it the recogniser's, the brain's and the voice's contexts.
    """

    def __init__(self, engines: Engines, place: Place, form: PlayoutFormat, sink: Sink) -> None:
        self._engines = engines
        self._place = place
        self._form = form
        self._sink = sink
        self._microphone = Microphone(engines.vad, engines.policy)
        self._clock = SampleClock()
        self._ear: Ear | None = None
        self._scope: anyio.CancelScope | None = None
        self._turn_id: TurnId | None = None
        self._orders, self._waiting = anyio.create_memory_object_stream[_Listen | _Announce](
            MOST_WAITING
        )

    # ------------------------------------------------------------ what the device does

    def hear(self, packet: bytes) -> None:
        """Take one Opus packet, in about 0.2 ms. Raises AudioError for garbage; the turn lives on."""
        self._microphone.hear(packet)
        self._clock.arrived(self._microphone.samples, anyio.current_time())

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
            self._scope.cancel()

    def announce(self, text: str) -> None:
        """Speak without being asked, after the present turn."""
        try:
            self._orders.send_nowait(_Announce(text))
        except anyio.WouldBlock:
            log.warning("too much is waiting to be said, an announcement is dropped")

    def _open_ear(self, mode: Mode) -> _Listen:
        self._ear = self._microphone.listen(hands_off=mode == "manual")
        return _Listen(mode, self._ear)

    # ------------------------------------------------------------ the turns

    async def run(self) -> None:
        """Hold the conversation until cancelled; a failed turn is said and the next one is normal."""
        with self._orders, self._waiting:
            async for order in self._waiting:
                match order:
                    case _Announce(text=text):
                        with anyio.CancelScope() as self._scope:
                            await self._say(_Turn(), text)
                        self._scope = None
                    case _Listen():
                        await self._converse(order)

    async def _converse(self, order: _Listen) -> None:
        """Hold one turn, and in realtime mode, where the microphone stays open, the next ones."""
        end = await self._turn(order)
        while (
            order.mode == "realtime"
            and end in ("answered", "nothing_understood")
            and not self._waiting.statistics().current_buffer_used
        ):
            order = self._open_ear(order.mode)
            end = await self._turn(order)

    async def _turn(self, order: _Listen) -> TurnEnd:
        turn = _Turn()
        self._turn_id = turn.id
        end: TurnEnd = "cancelled"
        self._sink.emit(
            TurnBegan(turn.id, self._place.device, anyio.current_time(), self._microphone.samples)
        )
        try:
            with anyio.CancelScope() as self._scope:
                try:
                    end = await self._hear_and_answer(turn, order)
                except ParlourError as error:
                    log.warning("the turn failed: %s", error, extra={"turn": turn.id})
                    end = "failed"
                    trouble: Trouble = "cannot_answer" if turn.transcript else "cannot_hear"
                    await self._say(turn, apology(trouble, self._engines.language))
        finally:
            self._scope = None
            self._microphone.close(order.ear)
            self._sink.emit(self._record(turn, end))
        return end

    async def _hear_and_answer(self, turn: _Turn, order: _Listen) -> TurnEnd:
        async with tasks.task_group() as group:
            group.start_soon(self._watch_link, order.ear)
            spoken = await self._hear(turn, order)
            group.cancel_scope.cancel()
        self._microphone.close(order.ear)
        if not spoken:
            return "no_speech"
        self._sink.emit(FinalHeard(turn.id, anyio.current_time(), turn.transcript))
        await self._answer(turn)
        return "answered" if turn.transcript else "nothing_understood"

    def _record(self, turn: _Turn, end: TurnEnd) -> TurnEnded:
        return TurnEnded(
            turn.id,
            self._place.device,
            anyio.current_time(),
            end,
            turn.transcript,
            " ".join(turn.said),
            tuple(turn.actions),
            turn.stamps.stages_ms(),
        )

    # ------------------------------------------------------------ hearing

    async def _watch_link(self, ear: Ear) -> None:
        """End the utterance when no packet comes any more: sample time then stands still."""
        before = -1
        while before != self._microphone.samples:
            before = self._microphone.samples
            await anyio.sleep(STALL_S)
        ear.stall()

    async def _hear(self, turn: _Turn, order: _Listen) -> bool:
        """Listen until the turn ends; False if nobody spoke, else `turn.transcript` is set."""
        onset = await order.ear.wait_onset()
        if onset is None:
            return False
        at_s = self._clock.time_of(onset.sample)
        turn.stamps.mark("speech_start", at_s)
        self._sink.emit(SpeechBegan(turn.id, at_s, onset.sample))
        async with self._engines.stt.open(self._engines.language) as hearing:
            order.ear.attach(hearing)
            async with tasks.task_group() as group:
                group.start_soon(self._await_end, turn, order.ear, hearing)
                turn.transcript = await self._follow(turn, order.ear, hearing)
                group.cancel_scope.cancel()
        return True

    async def _await_end(self, turn: _Turn, ear: Ear, hearing: SttContext) -> None:
        """At the end of the turn ask for the final, and insist on it."""
        end = await ear.wait_end()
        turn.stamps.mark("speech_end", self._clock.time_of(end.speech_end))
        turn.stamps.mark("end_of_turn", anyio.current_time())
        hearing.finish()
        await anyio.sleep(FINAL_S)
        raise ProviderError(self._engines.stt.traits.name, f"no transcript within {FINAL_S:.0f} s")

    async def _follow(self, turn: _Turn, ear: Ear, hearing: SttContext) -> str:
        """Pass partials on, with the grammar's verdict to the ear, up to the final text."""
        async for heard in hearing:
            now_s = anyio.current_time()
            match heard:
                case Partial(text=text, stable_chars=stable):
                    judged = self._engines.grammar.judge(text, self._engines.language, self._place)
                    ear.believe(judged.verdict)
                    self._sink.emit(PartialHeard(turn.id, now_s, text, stable))
                case Final(text=text):
                    turn.stamps.mark("stt_final", now_s)
                    return text
        raise ProviderError(self._engines.stt.traits.name, "it ended without a transcript")

    # ------------------------------------------------------------ answering

    async def _answer(self, turn: _Turn) -> None:
        """Act, and speak what came of it. The action does not depend on the voice."""
        say, texts = anyio.create_memory_object_stream[str](MOST_WAITING)
        utterance = Utterance(turn.id, turn.transcript, self._engines.language, self._place)
        async with tasks.task_group() as group:
            group.start_soon(self._speak, turn, texts)
            with say:
                async with self._engines.brain.answer(utterance) as answer:
                    async for piece in answer:
                        turn.stamps.mark("answer", anyio.current_time())
                        match piece:
                            case Did(action=action):
                                turn.actions.append(action)
                            case Say(text=text):
                                await say.send(text)

    async def _say(self, turn: _Turn, text: str) -> None:
        say, texts = anyio.create_memory_object_stream[str](1)
        with say:
            say.send_nowait(text)
        await self._speak(turn, texts)

    async def _speak(self, turn: _Turn, texts: MemoryObjectReceiveStream[str]) -> None:
        """Speak texts as they come, until they end and the device has played them.

        A voice that fails leaves the text on the screen of those that have one.
        """
        self._sink.emit(ReplyBegan(turn.id, anyio.current_time()))
        with texts:
            try:
                await self._voice(turn, texts)
            except ProviderError as error:
                log.warning("the answer cannot be spoken: %s", error, extra={"turn": turn.id})
                async for text in texts:
                    self._show(turn, text)
            finally:
                self._sink.emit(ReplyEnded(turn.id, anyio.current_time()))

    async def _voice(self, turn: _Turn, texts: MemoryObjectReceiveStream[str]) -> None:
        opened = self._engines.tts.open(self._engines.voice, self._engines.speed)
        async with opened as voice, tasks.task_group() as group:
            group.start_soon(self._play, turn, voice)
            async for text in texts:
                self._show(turn, text)
                voice.say(text)
            voice.finish()

    def _show(self, turn: _Turn, text: str) -> None:
        turn.said.append(text)
        self._sink.emit(ReplySaid(turn.id, anyio.current_time(), text))

    async def _play(self, turn: _Turn, voice: TtsContext) -> None:
        pacer, scope = Pacer(self._form.lead_s), self._scope

        def send(packet: OpusPacket) -> None:
            # A wait that was over already is not cancelled any more: what is stale ends here.
            if scope is not None and scope.cancel_called:
                return
            turn.stamps.mark("sent_first", anyio.current_time())
            self._sink.play(packet)

        await play(encode(self._stamped(turn, voice), self._form), pacer, send)
        await anyio.sleep_until(pacer.played_until_s)

    async def _stamped(self, turn: _Turn, voice: TtsContext) -> AsyncIterator[Speech]:
        async for speech in voice:
            turn.stamps.mark("tts_first", anyio.current_time())
            yield speech
