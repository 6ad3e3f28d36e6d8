"""Any server of the OpenAI dialect: OpenAI, Groq, vLLM, llama.cpp, LM Studio."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from parlour.errors import ProviderError
from parlour.ports import LlmDelta, Message, Prompt, TextDelta, ToolCall, ToolSpec, Usage
from parlour.providers.chat.calls import read_arguments, write_arguments
from parlour.providers.chat.printed import unprinted
from parlour.providers.chat.stream import LineStream, Objects, Patience
from parlour.traits import LlmTraits

log = logging.getLogger(__name__)

URL = "https://api.openai.com/v1"
MOST_CALLS = 16  # tool calls of one answer
LONGEST_ARGUMENTS = 64 * 1024


@dataclass(frozen=True, slots=True)
class OpenAiOptions:
    model: str
    base_url: str = URL
    api_key: str = field(default="", repr=False)
    temperature: float | None = None
    most_tokens: int = 512  # of an answer that is spoken: three minutes
    name: str = "openai"
    offline: bool = False


class OpenAi:
    """Satisfies `ports.Llm` with `POST /chat/completions`, streamed."""

    def __init__(self, options: OpenAiOptions, patience: Patience | None = None) -> None:
        self.traits = LlmTraits(options.name, options.model, options.offline, tools=True)
        self._options = options
        self._patience = patience or Patience()
        headers = {"Authorization": f"Bearer {options.api_key}"} if options.api_key else {}
        self._server = LineStream(options.name, options.base_url, headers, self._patience)

    @asynccontextmanager
    async def open(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[LlmDelta]]:
        body = self._body(prompt) | {"stream": True, "stream_options": {"include_usage": True}}
        async with (
            self._server.post("/chat/completions", body) as lines,
            aclosing(self._answer(lines)) as streamed,
            aclosing(unprinted(streamed, prompt.tools)) as deltas,
        ):
            yield deltas

    async def warm(self, prompt: Prompt) -> None:
        body = self._body(prompt) | {"max_tokens": 1}
        try:
            with anyio.move_on_after(self._patience.warm_s):
                async with self._server.post("/chat/completions", body) as lines:
                    async for _ in lines:
                        pass
        except ProviderError as error:
            log.debug("not warmed: %s", error)

    async def aclose(self) -> None:
        await self._server.aclose()

    async def _answer(self, lines: AsyncIterator[str]) -> AsyncGenerator[LlmDelta, None]:
        objects, calls = Objects(self._options.name), _Calls()
        async for line in lines:
            if not line.startswith("data:"):
                continue
            said = line.removeprefix("data:").strip()
            if said == "[DONE]":
                break
            for delta in self._read(objects.read(said), calls):
                yield delta
        for call in calls.whole():
            yield call

    def _read(self, event: dict[str, Any] | None, calls: "_Calls") -> list[LlmDelta]:
        if event is None:
            return []
        if "error" in event:
            raise ProviderError(self._options.name, f"it broke off: {str(event['error'])[:200]}")
        found: list[LlmDelta] = []
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else {}
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if isinstance(delta, dict):
            if isinstance(text := delta.get("content"), str) and text:
                found.append(TextDelta(text))
            calls.take(delta.get("tool_calls"))
            calls.finished = calls.finished or choice.get("finish_reason") is not None
        if isinstance(usage := event.get("usage"), dict):
            found.append(_usage(usage))
        return found

    def _body(self, prompt: Prompt) -> dict[str, object]:
        """The keys come in one order, so that equal prompts are equal bytes."""
        options = self._options
        body: dict[str, object] = {"model": options.model}
        if prompt.tools:
            body["tools"] = [_tool(tool) for tool in prompt.tools]
        body["messages"] = [_message(message) for message in prompt.messages]
        body["max_tokens"] = prompt.most_tokens or options.most_tokens
        if options.temperature is not None:
            body["temperature"] = options.temperature
        return body


class _Calls:
    """Puts tool calls together from their pieces; half a call is never handed out."""

    def __init__(self) -> None:
        self.finished = False
        self._pieces: dict[int, dict[str, str]] = {}

    def take(self, pieces: object) -> None:
        for piece in pieces if isinstance(pieces, list) else ():
            if not isinstance(piece, dict) or not isinstance(piece.get("index", 0), int):
                continue
            if len(self._pieces) >= MOST_CALLS:
                return
            call = self._pieces.setdefault(
                piece.get("index", 0), {"id": "", "name": "", "arguments": ""}
            )
            function = piece.get("function")
            told = {"id": piece.get("id")} | (function if isinstance(function, dict) else {})
            for key in call:
                piece_of = told.get(key)
                if isinstance(piece_of, str) and len(call[key]) < LONGEST_ARGUMENTS:
                    call[key] += piece_of

    def whole(self) -> list[ToolCall]:
        if not self.finished:
            return []
        found = []
        for n, call in sorted(self._pieces.items()):
            arguments = read_arguments(call["arguments"])
            if call["name"] and arguments is not None:
                found.append(ToolCall(call["id"] or f"call_{n}", call["name"], arguments))
        return found


def _message(message: Message) -> dict[str, object]:
    said: dict[str, object] = {"role": message.role, "content": message.content}
    if message.calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": write_arguments(call.arguments)},
            }
            for call in message.calls
        ]
    if message.role == "tool":
        said["tool_call_id"] = message.call_id
    return said


def _tool(tool: ToolSpec) -> dict[str, object]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}


def _usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"), cached)
    return Usage(*(count if isinstance(count, int) else 0 for count in counts))
