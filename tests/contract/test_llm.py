"""What holds for every language model over HTTP, against a real server that misbehaves."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from llm_server import WORDS, LlmServer, llm_server
from parlour.errors import ProviderError
from parlour.ports import Llm, Message, Prompt, TextDelta, ToolCall, ToolSpec, Usage
from parlour.providers.chat import Ollama, OllamaOptions, OpenAi, OpenAiOptions
from parlour.providers.chat.stream import Patience

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["openai", "ollama"])]

KEY = "sk-very-secret"
QUICK = Patience(connect_s=1.0, first_s=0.6, next_s=0.4, warm_s=1.0)
ASKED = Prompt((Message("system", "Be brief."), Message("user", "What is two plus two?")))


def _make(dialect: str, url: str) -> Llm:
    if dialect == "openai":
        return OpenAi(OpenAiOptions("m", f"{url}/v1", KEY), QUICK)
    return Ollama(OllamaOptions("m", url), QUICK)


@pytest.fixture
async def server() -> AsyncIterator[LlmServer]:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    async with llm_server() as running:
        yield running


@asynccontextmanager
async def _model(dialect: str, url: str) -> AsyncIterator[Llm]:
    model = _make(dialect, url)
    try:
        yield model
    finally:
        await model.aclose()


@pytest.fixture
async def llm(dialect: str, server: LlmServer) -> AsyncIterator[Llm]:
    async with _model(dialect, server.url) as model:
        yield model


async def _ask(llm: Llm, prompt: Prompt = ASKED) -> list[object]:
    async with llm.open(prompt) as deltas:
        return [delta async for delta in deltas]


def _text(deltas: list[object]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def test_an_answer_comes_piece_by_piece_with_what_it_cost(
    dialect: str, llm: Llm, server: LlmServer
) -> None:
    deltas = await _ask(llm)
    assert _text(deltas) == "".join(WORDS)
    assert deltas[-1] == Usage(9, 7)


async def test_a_tool_is_called_with_the_arguments_that_the_model_made(
    dialect: str, llm: Llm, server: LlmServer
) -> None:
    server.mode = "call"
    tool = ToolSpec("act", "Do it.", {"type": "object"})
    deltas = await _ask(llm, Prompt(ASKED.messages, (tool,)))
    (call,) = [delta for delta in deltas if isinstance(delta, ToolCall)]
    assert (call.name, dict(call.arguments)) == ("act", {"target": "lamp", "verb": "on"})
    assert json.loads(server.bodies[0])["tools"][0]["function"]["name"] == "act"


async def test_half_a_call_is_never_handed_out(dialect: str, llm: Llm, server: LlmServer) -> None:
    server.mode = "half_call"
    assert not [d for d in await _ask(llm) if isinstance(d, ToolCall)]


@pytest.mark.parametrize("mode", ["hang", "stalls", "dies", "garbage", "endless_line"])
async def test_a_server_that_misbehaves_is_an_error_in_time(
    dialect: str, llm: Llm, server: LlmServer, mode: str
) -> None:
    server.mode = mode
    with anyio.fail_after(3), pytest.raises(ProviderError):
        await _ask(llm)
    server.mode = "normal"
    assert _text(await _ask(llm)) == "".join(WORDS)


@pytest.mark.parametrize(
    ("mode", "says"), [("401", "api_key"), ("404", "not found|ollama pull m"), ("500", "memory")]
)
async def test_a_refusal_is_one_sentence_without_a_secret(
    dialect: str, llm: Llm, server: LlmServer, mode: str, says: str
) -> None:
    server.mode = mode
    with pytest.raises(ProviderError, match=says) as caught:
        await _ask(llm)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY not in repr(OpenAiOptions("m", server.url, KEY))


async def test_nobody_there_is_said_at_once(dialect: str) -> None:
    async with _model(dialect, "http://127.0.0.1:9") as nobody:
        with pytest.raises(ProviderError, match="is it running"):
            await _ask(nobody)


async def test_hanging_up_stops_the_model(dialect: str, llm: Llm, server: LlmServer) -> None:
    server.mode = "slow"
    async with llm.open(ASKED) as deltas:
        assert isinstance(await anext(aiter(deltas)), TextDelta)
    left_s = anyio.current_time()
    with anyio.fail_after(2):
        await server.hung_up.wait()
    assert anyio.current_time() - left_s < 0.5
    made = server.tokens
    await anyio.sleep(0.2)
    assert server.tokens <= made + 1


async def test_equal_prompts_are_equal_bytes_up_to_the_last_message(
    dialect: str, llm: Llm, server: LlmServer
) -> None:
    for asked in ("[10:30] What?", "[10:31] Why?"):
        await _ask(llm, Prompt((*ASKED.messages, Message("user", asked))))
    one, other = server.bodies
    same = one.index(b"[10:30]")
    assert one[:same] == other[:same]


async def test_reading_a_prompt_ahead_never_fails(
    dialect: str, llm: Llm, server: LlmServer
) -> None:
    await llm.warm(ASKED)
    asked = json.loads(server.bodies[0])
    assert asked.get("max_tokens", asked.get("options", {}).get("num_predict")) == 1
    for mode in ("hang", "401", "garbage"):
        server.mode = mode
        with anyio.fail_after(3):
            await llm.warm(ASKED)
    async with _model(dialect, "http://127.0.0.1:9") as nobody:
        await nobody.warm(ASKED)


async def test_a_call_that_is_printed_as_text_is_a_call(llm: Llm, server: LlmServer) -> None:
    server.mode = "printed_call"
    tool = ToolSpec("act", "Does something.", {"type": "object", "properties": {}})
    deltas = await _ask(llm, Prompt(ASKED.messages, (tool,)))
    calls = [delta for delta in deltas if isinstance(delta, ToolCall)]
    assert calls == [ToolCall("printed_1", "act", {"target": "lamp"})]
    assert "tool_call" not in _text(deltas)
    assert _text(deltas).startswith("Let me see. ")
