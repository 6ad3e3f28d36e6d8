"""Who answers: the home what it knows, a language model the rest, and nobody what nobody can."""

from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Protocol

from parlour.ports import Brain, Commit, Piece, Say, Utterance

_NO_MODEL = {
    "en": "I can only help with the home: no language model is set up.",
    "de": "Ich kann nur beim Haus helfen: Es ist kein Sprachmodell eingerichtet.",
    "hi": "मुझसे सिर्फ़ घर के काम हो सकते हैं: कोई भाषा मॉडल सेट नहीं किया गया है।",
    "mr": "मला फक्त घरातल्या कामांत मदत करता येते: भाषा मॉडेल सेट केलेले नाही.",
    "gu": "હું ફક્ત ઘરનાં કામમાં મદદ કરી શકું છું: કોઈ ભાષા મોડેલ સેટ કરેલું નથી.",
    "bn": "আমি শুধু বাড়ির কাজে সাহায্য করতে পারি: কোনো ভাষা মডেল সেট করা নেই।",
    "ta": "வீட்டு வேலைகளில் மட்டுமே என்னால் உதவ முடியும்: மொழி மாடல் எதுவும் அமைக்கப்படவில்லை.",
    "te": "ఇంటి పనుల్లో మాత్రమే సహాయం చేయగలను: భాషా మోడల్ ఏదీ సెట్ చేయలేదు.",
    "ml": "വീട്ടുകാര്യങ്ങളിൽ മാത്രമേ എനിക്ക് സഹായിക്കാൻ കഴിയൂ: ഭാഷാ മോഡൽ ഒന്നും സെറ്റ് ചെയ്തിട്ടില്ല.",
}


def no_model(language: str) -> str:
    """What is said where only a language model would know an answer, and there is none."""
    return _NO_MODEL.get(language[:2], _NO_MODEL["en"])


class HomeBrain(Brain, Protocol):
    """A brain that knows what it knows."""

    def knows(self, utterance: Utterance) -> bool: ...


class Assistant:
    """Satisfies `ports.Brain`. `chat` None: there is no language model, and it says so."""

    def __init__(self, home: HomeBrain, chat: Brain | None) -> None:
        self._home = home
        self._chat: Brain = chat or _Nobody()

    def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
        return self._brain(utterance).answer(utterance, commit)

    def context(self, utterance: Utterance) -> Hashable:
        return self._brain(utterance).context(utterance)

    async def warm(self, utterance: Utterance) -> None:
        await self._chat.warm(utterance)

    def remember(self, utterance: Utterance, heard: str) -> None:
        """The model is told of commands, too: "and the other one" may come next."""
        self._home.remember(utterance, heard)
        self._chat.remember(utterance, heard)

    def _brain(self, utterance: Utterance) -> Brain:
        is_home = not utterance.text.strip() or self._home.knows(utterance)
        return self._home if is_home else self._chat


class _Nobody:
    """Satisfies `ports.Brain` where there is no language model."""

    @asynccontextmanager
    async def answer(
        self, utterance: Utterance, commit: Commit
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        async with aclosing(self._answer(utterance.language)) as pieces:
            yield pieces

    def context(self, utterance: Utterance) -> Hashable:
        return None

    async def warm(self, utterance: Utterance) -> None:
        """Nothing to get ready."""

    def remember(self, utterance: Utterance, heard: str) -> None:
        """Nobody to remember it."""

    async def _answer(self, language: str) -> AsyncGenerator[Piece, None]:
        yield Say(no_model(language))
