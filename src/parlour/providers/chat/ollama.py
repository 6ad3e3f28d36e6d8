"""Ollama by its own interface, which alone lets a model stay loaded and its context be fixed."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from parlour.errors import ProviderError
from parlour.ports import LlmDelta, Message, Prompt, TextDelta, ToolCall, ToolSpec, Usage
from parlour.providers.chat.printed import unprinted
from parlour.providers.chat.stream import LineStream, Objects, Patience
from parlour.traits import LlmTraits

log = logging.getLogger(__name__)

NAME = "ollama"
URL = "http://127.0.0.1:11434"


@dataclass(frozen=True, slots=True)
class OllamaOptions:
    model: str
    base_url: str = URL
    keep_alive: str | int = -1  # for ever: loading a model takes seconds
    context_tokens: int = 8192  # the same in every call: another one loads the model anew
    temperature: float | None = None
    most_tokens: int = 512  # of an answer that is spoken: three minutes


class Ollama:
    """Satisfies `ports.Llm` with `POST /api/chat`, streamed."""

    def __init__(self, options: OllamaOptions, patience: Patience | None = None) -> None:
        self.traits = LlmTraits(NAME, options.model, offline=True, tools=True)
        self._options = options
        self._patience = patience or Patience()
        self._server = LineStream(NAME, options.base_url, None, self._patience)

    @asynccontextmanager
    async def open(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[LlmDelta]]:
        try:
            async with (
                self._server.post("/api/chat", self._body(prompt)) as lines,
                aclosing(_answer(lines)) as streamed,
                aclosing(unprinted(streamed, prompt.tools)) as deltas,
            ):
                yield deltas
        except ProviderError as error:
            raise self._explain(error) from error

    async def warm(self, prompt: Prompt) -> None:
        body = self._body(Prompt(prompt.messages, prompt.tools, most_tokens=1))
        try:
            with anyio.move_on_after(self._patience.warm_s):
                async with self._server.post("/api/chat", body) as lines:
                    async for _ in lines:
                        pass
        except ProviderError as error:
            log.debug("not warmed: %s", error)

    async def aclose(self) -> None:
        await self._server.aclose()

    def _explain(self, error: ProviderError) -> ProviderError:
        if "not found" in str(error):
            model = self._options.model
            return ProviderError(NAME, f"it has no model {model}: `ollama pull {model}` brings it")
        return error

    def _body(self, prompt: Prompt) -> dict[str, object]:
        """The keys come in one order, so that equal prompts are equal bytes."""
        options = self._options
        limits: dict[str, object] = {
            "num_ctx": options.context_tokens,
            "num_predict": prompt.most_tokens or options.most_tokens,
        }
        if options.temperature is not None:
            limits["temperature"] = options.temperature
        body: dict[str, object] = {
            "model": options.model,
            "stream": True,
            "think": False,
            "keep_alive": options.keep_alive,
        }
        if prompt.tools:
            body["tools"] = [_tool(tool) for tool in prompt.tools]
        return body | {
            "messages": [_message(message) for message in prompt.messages],
            "options": limits,
        }


async def _answer(lines: AsyncIterator[str]) -> AsyncGenerator[LlmDelta, None]:
    objects = Objects(NAME)
    async for line in lines:
        event = objects.read(line) if line.strip() else None
        if event is None:
            continue
        for delta in _read(event):
            yield delta
        if event.get("done"):
            return


def _read(event: dict[str, Any]) -> list[LlmDelta]:
    if "error" in event:
        raise ProviderError(NAME, f"it broke off: {str(event['error'])[:200]}")
    found: list[LlmDelta] = []
    message = event.get("message")
    if isinstance(message, dict):
        if isinstance(text := message.get("content"), str) and text:
            found.append(TextDelta(text))
        calls = message.get("tool_calls")
        for n, call in enumerate(calls if isinstance(calls, list) else ()):
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(function.get("arguments"), dict):
                name = str(function.get("name", ""))
                found.append(ToolCall(f"call_{n}", name, function["arguments"]))
    if event.get("done"):
        counts = (event.get("prompt_eval_count"), event.get("eval_count"))
        found.append(Usage(*(count if isinstance(count, int) else 0 for count in counts)))
    return found


def _message(message: Message) -> dict[str, object]:
    said: dict[str, object] = {"role": message.role, "content": message.content}
    if message.calls:
        said["tool_calls"] = [
            {"function": {"name": call.name, "arguments": dict(call.arguments)}}
            for call in message.calls
        ]
    return said


def _tool(tool: ToolSpec) -> dict[str, object]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}
