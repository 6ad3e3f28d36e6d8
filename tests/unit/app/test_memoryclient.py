"""What `parlour memory` and `parlour prompt` make of a server's answers, over ASGI."""

import json
import stat
import sys
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

import anyio
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from memories import MONDAY, Kept, PlainMemory
from parlour.agent.memory.facts import Fact
from parlour.app import client, memoryclient, promptclient
from parlour.app.client import ServerError, plain, printable
from parlour.app.memory import Calls, no_prompt
from parlour.app.memoryclient import Forgotten
from parlour.errors import InputError
from parlour.gateways.memory import memory_routes
from parlour.gateways.prompt import PromptCalls, PromptQuestion, prompt_routes

URL = "http://house"
HALL = Kept(
    "device:hall",
    [
        {"role": "user", "content": "what is on\ntoday?"},
        {
            "role": "assistant",
            "content": "",
            "calls": [{"name": "calendar", "arguments": {"day": "today"}}],
        },
        {"role": "assistant", "content": "Nothing \x1b[31mat all."},
    ],
    "Ada asked about trains, at great length and with many a detail that nobody needs.",
)
PROMPT: dict[str, object] = {
    "messages": [
        {"role": "system", "content": "You are the voice of a home.\n\nLight: on"},
        {"role": "user", "content": "[Monday]\nस्वागत\u200d है \x07"},
    ],
    "tools": [{"name": "set_timer", "parameters": {"type": "object"}}],
    "tokens": 120,
    "cacheable_tokens": 100,
    "counted": False,
}


def link(monkeypatch: pytest.MonkeyPatch, memory: PlainMemory, prompts: PromptCalls) -> None:
    app = FastAPI()
    app.include_router(memory_routes(Calls(memory).routes()))
    app.include_router(prompt_routes(prompts))

    @app.exception_handler(InputError)
    async def refuse(_request: Request, error: InputError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 422)

    for module in (client, promptclient):
        monkeypatch.setattr(module, "link_to", lambda *_: TestClient(app, base_url=URL))


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainMemory]:
    memory = PlainMemory()
    memory.keep(HALL)
    memory.facts.kept = [Fact(7, "house", "The bins are emptied on Friday.", MONDAY)]
    link(monkeypatch, memory, PromptCalls(no_prompt))
    yield memory


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_the_list_has_conversations_and_facts_with_their_numbers(
    memory: PlainMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.problem = "the disk is full"
    memoryclient.show(None, url=URL, as_json=False)
    head, hall, _, _, fact, _, problem = lines(capsys)
    assert head.split() == ["CONVERSATION", "MESSAGES", "LAST", "SUMMARY"]
    assert hall.startswith("device:hall   3         2026-03-0")
    assert hall.endswith("…")
    assert fact.startswith("7     house  2026-03-0")
    assert fact.endswith("  The bins are emptied on Friday.")
    assert problem == "the memory has a problem: the disk is full"


def test_an_empty_memory_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    link(monkeypatch, PlainMemory(), PromptCalls(no_prompt))
    memoryclient.show(None, url=URL, as_json=False)
    assert lines(capsys) == ["no conversation is kept", "", "no fact is kept in mind"]


def test_a_conversation_is_shown_word_by_word_and_steers_no_terminal(
    memory: PlainMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    memoryclient.show("device:hall", url=URL, as_json=False)
    said = lines(capsys)
    assert said[0].startswith("device:hall, last 2026-03-0")
    assert said[1].startswith("before that: Ada asked")
    assert said[1].endswith("nobody needs.")
    assert said[2:] == [
        "user: what is on today?",
        "assistant:",
        '-> calendar {"day": "today"}',
        "assistant: Nothing \\u001b[31mat all.",
    ]


def test_json_is_the_servers_answer(
    memory: PlainMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    memoryclient.show("device:hall", url=URL, as_json=True)
    memoryclient.remember("tea", url=URL, as_json=True)
    memoryclient.forget(Forgotten(fact=8), sure=False, url=URL, as_json=True)
    shown, kept, forgotten = (json.loads(line) for line in lines(capsys))
    assert shown["messages"] == HALL.messages
    assert kept == forgotten
    assert (kept["id"], kept["text"]) == (8, "tea")


def test_what_is_forgotten_is_said(memory: PlainMemory, capsys: pytest.CaptureFixture[str]) -> None:
    memoryclient.remember("tea", url=URL, as_json=False)
    for what in (Forgotten(fact=7), Forgotten(facts=True), Forgotten("device:hall")):
        memoryclient.forget(what, sure=False, url=URL, as_json=False)
    assert lines(capsys) == [
        "fact 8 is kept in mind",
        "fact 7 is forgotten: The bins are emptied on Friday.",
        "forgotten: 1 fact",
        "the conversation device:hall is forgotten",
    ]
    with pytest.raises(ServerError, match="there is no conversation device:hall; none is kept"):
        memoryclient.forget(Forgotten("device:hall"), sure=False, url=URL, as_json=False)


@pytest.mark.parametrize(
    "what", [Forgotten(), Forgotten("hall", fact=1), Forgotten(facts=True, all=True)]
)
def test_exactly_one_thing_is_forgotten_at_a_time(what: Forgotten) -> None:
    with pytest.raises(InputError, match=r"say what to forget: one conversation, --fact N, "):
        memoryclient.forget(what, sure=True, url=URL, as_json=False)


@pytest.mark.parametrize("thread", ["", " ", ".", ".."])
def test_a_name_that_is_none_does_not_reach_another_route(thread: str) -> None:
    with pytest.raises(InputError, match="is no conversation"):
        memoryclient.forget(Forgotten(thread), sure=True, url=URL, as_json=False)


def test_everything_is_forgotten_after_a_yes_at_the_terminal_and_not_without(
    memory: PlainMemory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer in ("n", ""):
        monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
        with pytest.raises(InputError, match="nothing is forgotten"):
            memoryclient.forget(Forgotten(all=True), sure=False, url=URL, as_json=False)
    assert (len(memory.kept), len(memory.facts.kept)) == (1, 1)
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    memoryclient.forget(Forgotten(all=True), sure=False, url=URL, as_json=False)
    assert (len(memory.kept), len(memory.facts.kept)) == (0, 0)
    assert lines(capsys)[-1].strip() == "forgotten: 1 conversation, 1 fact"


def test_where_nobody_can_be_asked_everything_is_forgotten_only_with_yes(
    memory: PlainMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO())
    with pytest.raises(InputError, match="add --yes"):
        memoryclient.forget(Forgotten(all=True), sure=False, url=URL, as_json=False)
    assert memory.kept
    memoryclient.forget(Forgotten(all=True), sure=True, url=URL, as_json=False)
    assert not memory.kept


def test_an_export_is_for_its_owners_eyes_and_overwrites_nothing(
    memory: PlainMemory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "memory.json"
    memoryclient.export(file, url=URL)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["conversations"] == ["device:hall"]
    capsys.readouterr()
    memoryclient.export(Path("-"), url=URL)
    assert capsys.readouterr().out == file.read_text()
    with pytest.raises(InputError, match="is there already; name another file"):
        memoryclient.export(file, url=URL)
    with pytest.raises(InputError, match="cannot write .*: No such file or directory"):
        memoryclient.export(tmp_path / "no" / "folder.json", url=URL)


def test_nothing_is_no_fact() -> None:
    with pytest.raises(InputError, match="there is nothing to remember"):
        memoryclient.remember("  ", url=URL, as_json=False)


# ---------------------------------------------------------------- prompt show


def _show(text: str = "", *, count: bool = False, as_json: bool = False) -> None:
    promptclient.show(
        text, area="Hall", device=None, language=None, count=count, url=URL, as_json=as_json
    )


def test_a_prompt_is_shown_message_by_message_then_the_tools_then_its_length(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[PromptQuestion] = []

    async def show(question: PromptQuestion) -> Mapping[str, object]:
        asked.append(question)
        return {**PROMPT, "counted": question.count}

    link(monkeypatch, PlainMemory(), PromptCalls(show))
    _show("hello & goodbye")
    assert capsys.readouterr().out == (
        "-------- system\n"
        "You are the voice of a home.\n"
        "\n"
        "Light: on\n"
        "-------- user\n"
        "[Monday]\n"
        "स्वागत\u200d है \\u0007\n"
        "-------- 1 tool\n"
        "[\n"
        " {\n"
        '  "name": "set_timer",\n'
        '  "parameters": {\n'
        '   "type": "object"\n'
        "  }\n"
        " }\n"
        "]\n"
        "-------- 120 tokens, of which 100 can be cached (estimated)\n"
    )
    _show(count=True, as_json=True)
    assert json.loads(capsys.readouterr().out) == {**PROMPT, "counted": True}
    assert asked == [
        PromptQuestion(text="hello & goodbye", area="Hall"),
        PromptQuestion(area="Hall", count=True),
    ]


def test_without_a_language_model_there_is_no_prompt(memory: PlainMemory) -> None:
    with pytest.raises(ServerError, match="no language model is configured: set llm.provider"):
        _show()


def test_what_would_steer_a_terminal_is_shown_by_its_code_and_joiners_stay() -> None:
    assert printable("a\tb\nc\r\x1b[0m\u202e") == "a\tb\nc\\u000d\\u001b[0m\\u202e"
    assert printable("दर\u200dरोज ന്\u200d") == "दर\u200dरोज ന്\u200d"
    assert plain(" a\n b\t") == "a b"


def test_whoever_talks_lets_go_before_and_after_something_is_forgotten() -> None:
    async def scenario() -> None:
        memory, noted = PlainMemory(), list[tuple[str | None, int]]()
        memory.keep(HALL)

        async def let_go(thread: str | None) -> None:
            noted.append((thread, len(memory.kept)))

        calls = Calls(memory, let_go=let_go)
        await calls.forget(HALL.thread)
        assert noted == [(HALL.thread, 1), (HALL.thread, 0)]
        memory.keep(HALL)
        await calls.forget_all()
        assert noted[2:] == [(None, 1), (None, 0)]
        with pytest.raises(InputError):
            await calls.forget("device:nobody")

    anyio.run(scenario)
