"""OpenAI's voices, and those of every server that speaks as OpenAI's does."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from parlour.audio import Pcm
from parlour.engines.textbytext import TextByText
from parlour.providers.cloud.http import Patience, SpeechService
from parlour.providers.cloud.speaking import sound, speaking
from parlour.traits import TtsTraits

LONGEST_CHARS = 4096  # of one request, by OpenAI's API reference
PCM_RATE_HZ = 24_000  # of `response_format: pcm`, as above
SLOWEST, FASTEST = 0.25, 4.0


@dataclass(frozen=True, slots=True)
class OpenAiSpeechOptions:
    api_key: str = field(default="", repr=False)  # "": a server of one's own, without keys
    base_url: str = "https://api.openai.com/v1"
    model: str = "gpt-4o-mini-tts"


class OpenAiTts:
    """Satisfies `ports.Tts` with `POST /audio/speech`, streamed."""

    def __init__(
        self,
        options: OpenAiSpeechOptions,
        traits: TtsTraits,
        patience: Patience | None = None,
    ) -> None:
        self.traits = traits
        self._options = options
        headers = {"Authorization": f"Bearer {options.api_key}"} if options.api_key else {}
        self._service = SpeechService("openai", options.base_url, headers, patience)

    def open(
        self, voice: str | None = None, speed: float = 1.0
    ) -> AbstractAsyncContextManager[TextByText]:
        request = partial(self._request, voice or self.traits.default_voice, speed)
        return speaking(request, self.traits.rate_hz, LONGEST_CHARS)

    async def aclose(self) -> None:
        await self._service.aclose()

    @asynccontextmanager
    async def _request(
        self, voice: str, speed: float, text: str
    ) -> AsyncIterator[AsyncIterator[Pcm]]:
        body = {
            "model": self._options.model,
            "input": text,
            "voice": voice,
            "response_format": "pcm",
            "speed": min(max(speed, SLOWEST), FASTEST),
        }
        async with (
            self._service.open("POST", "/audio/speech", json=body) as answer,
            aclosing(sound(answer, "openai", PCM_RATE_HZ)) as pieces,
        ):
            yield pieces
