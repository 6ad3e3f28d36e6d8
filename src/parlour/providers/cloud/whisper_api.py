"""Whisper behind OpenAI's API, and every server that transcribes in its dialect."""

import io
from dataclasses import dataclass, field

from parlour.audio import Pcm, write_wav
from parlour.ports import Final, Vocabulary
from parlour.providers.cloud.http import Patience, SpeechService
from parlour.traits import SttTraits

LONGEST_PROMPT = 400  # characters; Whisper reads 224 tokens of it
SHORTEST_S = 0.1  # OpenAI refuses shorter files


@dataclass(frozen=True, slots=True)
class WhisperApiOptions:
    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.openai.com/v1"
    model: str = "whisper-1"


class WhisperApi:
    """Satisfies `redecode.BatchStt` with `POST /audio/transcriptions`."""

    def __init__(
        self,
        options: WhisperApiOptions,
        traits: SttTraits,
        patience: Patience | None = None,
    ) -> None:
        self.traits = traits
        self._options = options
        self._prompt = ""
        headers = {"Authorization": f"Bearer {options.api_key}"} if options.api_key else {}
        self._service = SpeechService("whisper_api", options.base_url, headers, patience)

    async def teach(self, vocabulary: Vocabulary) -> None:
        """Names are spelt as they are in the prompt. They leave the house with each request."""
        self._prompt = ", ".join(vocabulary.names)[:LONGEST_PROMPT]

    async def transcribe(self, pcm: Pcm, language: str | None) -> Final:
        if pcm.duration_s < SHORTEST_S:
            return Final("")
        wav = io.BytesIO()
        write_wav(wav, pcm)
        fields = {"model": self._options.model, "response_format": "json", "temperature": "0"}
        if language is not None:
            fields["language"] = language.partition("_")[0]
        if self._prompt:
            fields["prompt"] = self._prompt
        files = {"file": ("speech.wav", wav.getvalue(), "audio/wav")}
        async with self._service.open(
            "POST", "/audio/transcriptions", data=fields, files=files
        ) as answer:
            said = await answer.json()
        text = said.get("text")
        if not isinstance(text, str):
            raise self._service.error("its answer has no text")
        return Final(" ".join(text.split()), language=language)

    async def aclose(self) -> None:
        await self._service.aclose()
