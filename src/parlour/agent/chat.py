"""Conversation with a language model: a prompt that servers can cache, and only what was heard."""

import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio

from parlour.agent.spoken import Spoken
from parlour.errors import ProviderError
from parlour.ids import DeviceId, TurnId
from parlour.ports import (
    Commit,
    Llm,
    LlmDelta,
    Message,
    Piece,
    Place,
    Prompt,
    Say,
    TextDelta,
    Utterance,
)

log = logging.getLogger(__name__)

MOST_MESSAGES = 20  # of a conversation in the prompt, older ones are forgotten
MOST_DEVICES = 100  # conversations kept; the one used longest ago goes first
TOTAL_S = 60.0  # an answer that is not done by then is long enough
LONGEST_ANSWER = 1200  # characters: more than a minute of speech
WARM_EVERY_S = 0.4  # a prompt is read ahead no more often

SYSTEM = """\
You are the voice of a home. You are heard, not read.
Answer in {language}, in one to three short sentences, without markdown, lists, links or emoji.
Say plainly when you do not know something. Never claim to have done something in the home.
What stands in brackets at the beginning of a message comes from the home, not from the speaker."""

CANNOT = "Sorry, my language model does not answer just now."
BROKE_OFF = " Sorry, I lost the thread."
LANGUAGES = {
    "en": "English",
    "de": "German",
    "hi": "Hindi",
    "ml": "Malayalam",
    "mr": "Marathi",
    "ta": "Tamil",
    "te": "Telugu",
    "bn": "Bengali",
    "gu": "Gujarati",
}


@dataclass(slots=True)
class _Conversation:
    revision: int = 0
    messages: deque[Message] = field(default_factory=lambda: deque(maxlen=MOST_MESSAGES))


class ChatBrain:
    """Satisfies `ports.Brain`. It only talks: what it says changes nothing in the home.

    The prompt is the same from its first byte up to the last message, turn by turn; the clock,
    the room and what `situation` tells stand in the last one.
    """

    def __init__(self, llm: Llm, situation: Callable[[Utterance], str] = lambda _: "") -> None:
        self._llm = llm
        self._situation = situation
        self._conversations: dict[DeviceId, _Conversation] = {}
        self._warmed_s = -WARM_EVERY_S
        self._warming = anyio.CapacityLimiter(1)

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        async with AsyncExitStack() as opened:
            try:
                deltas = await opened.enter_async_context(self._llm.open(self._prompt(utterance)))
            except ProviderError as error:
                log.warning("no answer: %s", error, extra={"turn": utterance.turn})
                pieces = _apologise()
            else:
                pieces = _say(deltas, utterance)
            yield await opened.enter_async_context(aclosing(pieces))

    def context(self, utterance: Utterance) -> Hashable:
        return self._of(utterance.place.device).revision

    async def warm(self, utterance: Utterance) -> None:
        """Have the model read what has been said so far; one that is paid for is spared it."""
        now_s = anyio.current_time()
        if not self._llm.traits.offline:
            return
        if self._warming.borrowed_tokens or now_s < self._warmed_s + WARM_EVERY_S:
            return
        async with self._warming:
            self._warmed_s = now_s
            await self._llm.warm(self._prompt(utterance))

    async def warm_up(self, place: Place, language: str) -> None:
        """Have the model loaded, and the conversation so far read, before anybody asks."""
        if self._llm.traits.offline:
            utterance = Utterance(TurnId(""), "", language, place)
            await self._llm.warm(Prompt(self._prompt(utterance).messages[:-1]))

    def remember(self, utterance: Utterance, heard: str) -> None:
        """Keep the question, and of the answer what was heard."""
        conversation = self._of(utterance.place.device)
        conversation.revision += 1
        conversation.messages.append(Message("user", utterance.text))
        conversation.messages.append(Message("assistant", heard or "..."))

    async def aclose(self) -> None:
        await self._llm.aclose()

    def messages(self, device: DeviceId) -> list[Message]:
        """What is remembered of a device's conversation."""
        return list(self._of(device).messages)

    # ------------------------------------------------------------ asking

    def _prompt(self, utterance: Utterance) -> Prompt:
        language = LANGUAGES.get(
            utterance.language.partition("_")[0], "the language of the speaker"
        )
        conversation = self._of(utterance.place.device)
        now = datetime.now(UTC).astimezone()
        facts = [f"{now:%A, %d %B %Y, %H:%M}"]
        if utterance.place.area:
            facts.append(f"in the {utterance.place.area}")
        if told := self._situation(utterance):
            facts.append(told)
        asked = f"[{'; '.join(facts)}]\n{utterance.text}"
        return Prompt(
            (
                Message("system", SYSTEM.format(language=language)),
                *conversation.messages,
                Message("user", asked),
            )
        )

    def _of(self, device: DeviceId) -> _Conversation:
        conversation = self._conversations.pop(device, None) or _Conversation()
        self._conversations[device] = conversation
        while len(self._conversations) > MOST_DEVICES:
            del self._conversations[next(iter(self._conversations))]
        return conversation


async def _say(
    deltas: AsyncIterator[LlmDelta], utterance: Utterance
) -> AsyncGenerator[Piece, None]:
    spoken, said = Spoken(), 0
    stop_s = anyio.current_time() + TOTAL_S
    try:
        async for delta in deltas:
            if isinstance(delta, TextDelta) and (text := spoken.push(delta.text)):
                said += len(text.strip())
                yield Say(text, tokens=1)
            if said > LONGEST_ANSWER or anyio.current_time() > stop_s:
                return
    except ProviderError as error:
        log.warning("the answer broke off: %s", error, extra={"turn": utterance.turn})
        if said:
            yield Say(BROKE_OFF, tokens=1)
    if not said:
        yield Say(CANNOT)


async def _apologise() -> AsyncGenerator[Piece, None]:
    yield Say(CANNOT)
