"""One answer, from the brain to the loudspeaker: prepared at once, given when the turn is taken."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from parlour import tasks
from parlour.audio import OpusPacket
from parlour.errors import ParlourError, ProviderError
from parlour.events import Action, ReplyBegan, ReplyEnded, ReplyHeld, ReplySaid
from parlour.ports import Begun, Brain, Did, Expect, Say, Utterance
from parlour.turn.clauses import Clauses
from parlour.turn.engines import Engines, Sink
from parlour.turn.latency import Stamps
from parlour.turn.ledger import Ledger
from parlour.turn.playout import Pacer, PlayoutFormat
from parlour.turn.voice import Voice

log = logging.getLogger(__name__)

MOST_CLAUSES = 8  # ahead of the voice; then the brain waits
MOST_PACKETS = 150  # ahead of the loudspeaker: three seconds in frames of 20 ms; the voice waits


@dataclass(frozen=True, slots=True)
class _Sound:
    """A packet, and the text that begins with it; a text alone could not be spoken."""

    text: str
    packet: OpusPacket | None


class Reply:
    """The answer to one utterance. `run` is its life; until `commit` is set nobody hears of it.

    `stamps`, `actions`, `tokens` and `texts` tell how far it has come. `done` is set at its end,
    and `error` says why that came before anything could be said.
    """

    def __init__(
        self, engines: Engines, brain: Brain, form: PlayoutFormat, sink: Sink, utterance: Utterance
    ) -> None:
        self.utterance = utterance
        self.context = brain.context(utterance)
        self.commit = anyio.Event()
        self.scope = anyio.CancelScope()
        self.done = anyio.Event()
        self.error: ParlourError | None = None
        self.stamps = Stamps()
        self.actions: list[Action] = []
        self.has_acted = False  # what was done cannot be taken back, nor done again
        self.texts: list[str] = []
        self.tokens = 0
        self.ledger = Ledger(form.rate_hz)
        self.has_begun = False
        self._ended = False
        self._brain = brain
        self._language = engines.language
        self._sink = sink
        self._voice = Voice(engines, form)
        self._pacer = Pacer(form.lead_s)
        self._made = 0  # samples
        self._clauses, self._texts = anyio.create_memory_object_stream[str](MOST_CLAUSES)
        self._packets, self._sounds = anyio.create_memory_object_stream[_Sound](MOST_PACKETS)

    async def run(self) -> None:
        """Prepare, wait for the commit, speak. Never raises for a provider's fault."""
        self.stamps.mark("speculation_start", anyio.current_time())
        try:
            with self.scope:
                await self._run()
        except ParlourError as error:
            log.warning("no answer: %s", error, extra={"turn": self.utterance.turn})
            self.error = error
        finally:
            if self.has_begun and not self._ended:
                now_s = anyio.current_time()
                self._sink.emit(ReplyEnded(self.utterance.turn, now_s, cut=True))
            self.done.set()

    def interject(self, text: str) -> None:
        """Say something short while the answer is still being thought about."""
        try:
            self._clauses.send_nowait(text)
        except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            log.debug("there is something to say by now")

    def cut(self) -> None:
        """Stop it, whatever it is at. Nothing of it is sent any more from this moment on."""
        self.scope.cancel()

    def hold(self) -> None:
        """Fall silent for the moment; what is prepared is kept."""
        now_s = anyio.current_time()
        self._pacer.hold()
        self.ledger.pause(now_s)
        if self.has_begun:
            self._sink.emit(ReplyHeld(self.utterance.turn, now_s, held=True))

    def go_on(self) -> None:
        """Speak on where it was held."""
        now_s = anyio.current_time()
        self._pacer.release()
        self.ledger.resume(now_s)
        if self.has_begun:
            self._sink.emit(ReplyHeld(self.utterance.turn, now_s, held=False))

    def played(self, played_ms: int, buffered_ms: int) -> None:
        """The device says how much it has played."""
        now_s = anyio.current_time()
        self.ledger.played(played_ms, buffered_ms, now_s)
        if played_ms > 0:
            self.stamps.mark("played_first", now_s - played_ms / 1000)

    def heard(self) -> str:
        """The words that have left the loudspeaker."""
        if self._ended:
            return " ".join(self.texts)
        return self.ledger.heard(anyio.current_time())

    @property
    def played_s(self) -> float:
        """How much of the answer has left the loudspeaker."""
        return self.ledger.played_s(anyio.current_time())

    @property
    def is_said(self) -> bool:
        """Whether all of it was said, and in sound: a voice that failed leaves texts alone."""
        return self._ended and self._made > 0

    @property
    def underruns(self) -> int:
        return self._pacer.underruns

    # ------------------------------------------------------------ the stages

    async def _run(self) -> None:
        with self._clauses, self._texts, self._packets, self._sounds:
            async with tasks.task_group() as group:
                group.start_soon(self._think, group)
                group.start_soon(self._speak)
                await self._give()

    async def _think(self, group: anyio.abc.TaskGroup) -> None:
        """Have the brain answer, and cut what comes into pieces that can be spoken."""
        cut = Clauses(self._language)
        with self._clauses as clauses:
            async with self._brain.answer(self.utterance, self.commit) as answer:
                async for piece in answer:
                    match piece:
                        case Begun():
                            self.has_acted = True
                        case Did(action=action):
                            self.has_acted = True
                            self.actions.append(action)
                        case Expect(text=text):
                            group.start_soon(self._prepare, text)
                        case Say():
                            for text in self._cut(cut, piece):
                                await clauses.send(text)
            for text in cut.finish():
                await clauses.send(text)

    def _cut(self, cut: Clauses, piece: Say) -> list[str]:
        self.stamps.mark("llm_first_token", anyio.current_time())
        self.tokens += piece.tokens
        # A text that no model makes word by word is there as a whole, and is best spoken so.
        return cut.push(piece.text) if piece.tokens else [*cut.finish(), piece.text.strip()]

    async def _prepare(self, text: str) -> None:
        try:
            await self._voice.prepare(text)
        except ProviderError as error:
            log.debug("%s; it will be tried again when it is needed", error)

    async def _speak(self) -> None:
        """Make sound of the texts; where the voice fails, the texts go on alone."""
        with self._texts, self._packets as packets:
            async for text in self._texts:
                self.stamps.mark("first_clause", anyio.current_time())
                self.texts.append(text)
                try:
                    await self._voice.speak(text, self._putter(text, packets))
                    self.ledger.close()
                except ProviderError as error:
                    log.warning("cannot be spoken: %s", error, extra={"turn": self.utterance.turn})
                    await packets.send(_Sound(text, None))

    async def _give(self) -> None:
        """Send each packet when it is due, and tell of each text as it begins."""
        await self.commit.wait()
        async for sound in self._sounds:
            await self._pacer.wait_released()
            self._begin()
            if sound.packet is not None:
                await self._pacer.wait(sound.packet)
            if sound.text:
                now_s = anyio.current_time()
                self._sink.emit(ReplySaid(self.utterance.turn, now_s, sound.text))
            if sound.packet is not None:
                self._send(sound.packet)
        if self.has_begun:
            await self._pacer.wait_played()
            self._ended = True
            self._sink.emit(ReplyEnded(self.utterance.turn, anyio.current_time()))

    def _begin(self) -> None:
        if not self.has_begun:
            self.has_begun = True
            self._sink.emit(ReplyBegan(self.utterance.turn, anyio.current_time()))

    def _send(self, packet: OpusPacket) -> None:
        # A wait that was over already is not cancelled any more: what is stale ends here.
        if self.scope.cancel_called:
            return
        now_s = anyio.current_time()
        self.stamps.mark("sent_first", now_s)
        self.ledger.sent(packet.end, now_s)
        self._sink.play(packet)

    def _putter(
        self, text: str, packets: MemoryObjectSendStream[_Sound]
    ) -> Callable[[OpusPacket], Awaitable[None]]:
        """Lay the packets of a text behind those before; the first one carries the text."""
        texts = iter([text])

        async def put(packet: OpusPacket) -> None:
            self.stamps.mark("tts_first", anyio.current_time())
            placed = replace(packet, start=self._made)
            self._made = placed.end
            begins = next(texts, "")
            if begins:
                self.ledger.add(begins, placed.start, placed.end)
            else:
                self.ledger.extend(placed.end)
            await packets.send(_Sound(begins, placed))

        return put
