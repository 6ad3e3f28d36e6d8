"""A small server that speaks both dialects of language models, and misbehaves as it is told."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from parlour import tasks
from parlour.gateways.web import create_server, listen

WORDS = ("It", " is", " four", ",", " I", " think", ".")

PRINTED = (
    "Let me see. <tool",
    '_call>{"name": "act", "argu',
    'ments": {"target": "lamp"}}</tool_',
    "call>",
)


@dataclass
class LlmServer:
    """`mode` says how the next request is answered; `bodies` are what was asked."""

    port: int = 0
    mode: str = "normal"
    bodies: list[bytes] = field(default_factory=list)
    hung_up: anyio.Event = field(default_factory=anyio.Event)
    tokens: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def llm_server() -> AsyncIterator[LlmServer]:
    state = LlmServer()
    app = FastAPI()

    @app.post("/v1/chat/completions")
    async def openai(request: Request) -> Response:
        return await _answer(state, request, _openai(state), "text/event-stream")

    @app.post("/api/chat")
    async def ollama(request: Request) -> Response:
        return await _answer(state, request, _ollama(state), "application/x-ndjson")

    server = create_server(app)
    with listen("127.0.0.1", 0) as listener:
        state.port = listener.getsockname()[1]
        async with tasks.task_group() as group:
            group.start_soon(server.serve, [listener])
            yield state
            server.should_exit = True
            server.force_exit = True


async def _answer(
    state: LlmServer, request: Request, lines: AsyncIterator[str], kind: str
) -> Response:
    state.bodies.append(await request.body())
    match state.mode:
        case "401":
            return JSONResponse({"error": {"message": "bad key sk-secret"}}, 401)
        case "404":
            return JSONResponse({"error": "model 'x' not found"}, 404)
        case "500":
            return JSONResponse({"error": "out of memory"}, 500)
        case _:
            return StreamingResponse(_watched(state, lines), media_type=kind)


async def _watched(state: LlmServer, lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """A client that hangs up is seen as a cancelled response."""
    try:
        async for line in lines:
            yield line
    except anyio.get_cancelled_exc_class():
        state.hung_up.set()
        raise


async def _openai(state: LlmServer) -> AsyncIterator[str]:
    def event(delta: object, finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps({'choices': [choice]})}\n\n"

    async for kind, value in _script(state):
        match kind:
            case "text":
                yield event({"content": value})
            case "raw":
                yield value
            case "call":
                half = len(value) // 2
                call = {"index": 0, "id": "c1", "function": {"name": "act", "arguments": ""}}
                yield event({"tool_calls": [call]})
                for part in (value[:half], value[half:]):
                    yield event({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
            case "end":
                yield event({}, "stop")
                usage = {"prompt_tokens": 9, "completion_tokens": 7}
                yield f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n"
                yield "data: [DONE]\n\n"
            case _:
                raise ValueError(kind)


async def _ollama(state: LlmServer) -> AsyncIterator[str]:
    async for kind, value in _script(state):
        match kind:
            case "text":
                yield json.dumps({"message": {"content": value}, "done": False}) + "\n"
            case "raw":
                yield value
            case "call":
                try:
                    arguments = json.loads(value)
                except ValueError:
                    yield '{"message": {"tool_calls": [{"function": {"name": "act", "argum\n'
                    continue
                call = {"function": {"name": "act", "arguments": arguments}}
                yield json.dumps({"message": {"content": "", "tool_calls": [call]}}) + "\n"
            case "end":
                end = {"message": {"content": ""}, "done": True}
                yield json.dumps(end | {"prompt_eval_count": 9, "eval_count": 7}) + "\n"
            case _:
                raise ValueError(kind)


async def _script(state: LlmServer) -> AsyncIterator[tuple[str, str]]:
    if state.mode == "hang":
        await anyio.sleep_forever()
    if state.mode == "call":
        yield "call", '{"target": "lamp", "verb": "on"}'
    elif state.mode == "half_call":
        yield "call", '{"target": "la'
        return
    elif state.mode == "garbage":
        for _ in range(20):
            yield "raw", "data: {{{ no json\n\n"
        return
    elif state.mode == "endless_line":
        for _ in range(100):
            yield "raw", "data: " + "x" * 8192
        return
    for n, word in enumerate(PRINTED if state.mode == "printed_call" else WORDS):
        if state.mode == "dies" and n == 3:
            raise ConnectionAbortedError
        if state.mode == "stalls" and n == 3:
            await anyio.sleep_forever()
        if state.mode == "slow":
            await anyio.sleep(0.05)
        state.tokens += 1
        yield "text", word
    yield "end", ""
