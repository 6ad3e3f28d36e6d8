"""A language model that follows the script of a task, over the OpenAI dialect, and watches what it is
sent."""

import json
import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from parlour_bench.agent.simulated import HOSTILE
from parlour_bench.agent.tasks import Call, Step, Turn
from parlour_bench.agent.wellformed import Body, offered, problems, system_of

PIECE = 7  # characters of arguments sent at once: a call comes in pieces, as from real servers
SPENT = Step(text="All right.")  # where the script has ended and the model is asked once more
OPENING = 40  # characters of a system prompt by which it is known
MOST_REQUESTS = 60  # of one turn: an agent that asks more often is caught in a loop


@dataclass(slots=True)
class ScriptedModel:
    """What it is to say, and what it was asked. `problems` are faults of whoever asks."""

    known: Collection[str] = ()  # ids of the house
    offered: frozenset[str] = frozenset()  # tools in the last prompt
    problems: list[str] = field(default_factory=list)
    requests: int = 0  # of this turn, without those that read ahead or sum up
    prompt_chars: list[int] = field(default_factory=list)
    _turn: Turn | None = None
    _step: int = 0
    _opening: str = ""  # how the system prompt begins; others sum up or read ahead
    _systems: dict[tuple[str, str | None, str], str] = field(default_factory=dict)
    _never: Sequence[str] = ()

    def begin_task(self, never: Sequence[str] = ()) -> None:
        self.problems.clear()
        self._systems.clear()
        self._never = never

    def begin_turn(self, turn: Turn) -> None:
        self._turn, self._step, self.requests = turn, 0, 0

    def answer(self, body: Body) -> Step:
        """Check what is asked, and return what the script says to it."""
        if self._turn is None or body.get("max_tokens") == 1 or not self._is_asked(body):
            return SPENT
        self.requests += 1
        self.prompt_chars.append(len(json.dumps(body, ensure_ascii=False)))
        self.offered = offered(body)
        found = problems(body, self.known, (*HOSTILE, *self._never))
        # Another room or language may be told something else; the same place may not.
        place = (self._turn.conversation, self._turn.area, self._turn.language)
        system = system_of(body)
        if self._systems.setdefault(place, system) != system:
            found.append("the system prompt is another one than before")
        if self.requests > MOST_REQUESTS:
            found.append(f"the model is asked more than {MOST_REQUESTS} times in a turn")
        self._opening = self._opening or system[:OPENING]
        self.problems += [text for text in found if text not in self.problems]
        return self._next(body)

    def _is_asked(self, body: Body) -> bool:
        """Whether it is about what was said, and not to sum up or to read ahead."""
        assert self._turn is not None
        is_said = any(
            m.get("role") == "user" and self._turn.text in str(m.get("content"))
            for m in body.get("messages") or []
        )
        return is_said and system_of(body).startswith(self._opening)

    def _next(self, body: Body) -> Step:
        assert self._turn is not None
        script = self._turn.script
        step = script[self._step] if self._step < len(script) else SPENT
        if not step.forever:
            self._step += 1
        calls = tuple(Call(call.name, _filled(call.arguments, body)) for call in step.calls)
        return Step(step.text, calls, step.fail, step.cut, step.raw)


def routes(app: FastAPI, model: ScriptedModel) -> None:
    @app.post("/v1/chat/completions")
    async def complete(request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError:
            model.problems.append("a request is no JSON")
            return JSONResponse({"error": {"message": "no JSON"}}, 400)
        step = model.answer(body)
        if step.fail:
            return JSONResponse({"error": {"message": "out of order"}}, step.fail)
        return StreamingResponse(_streamed(step, body), media_type="text/event-stream")


async def _streamed(step: Step, body: Body) -> AsyncIterator[str]:
    lines = list(stream_lines(step, body))
    if step.cut:
        for line in lines[: len(lines) // 2]:
            yield line
        raise ConnectionAbortedError
    for line in lines:
        yield line


def stream_lines(step: Step, body: Body) -> Iterator[str]:
    """The whole answer as events of a stream."""
    yield _chunk({"role": "assistant", "content": ""})
    if step.raw:
        yield f"data: {step.raw}\n\n"
    for word in re.findall(r"\s*\S+", step.text):
        yield _chunk({"content": word})
    for index, call in enumerate(step.calls):
        yield from _called(index, call)
    yield _chunk({}, "tool_calls" if step.calls else "stop")
    asked = sum(len(str(m.get("content"))) for m in body.get("messages") or [])
    usage = {"prompt_tokens": asked // 4, "completion_tokens": len(step.text) // 4 + 1}
    yield f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"


def _called(index: int, call: Call) -> Iterator[str]:
    text = call.arguments
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False)
    function = {"name": call.name, "arguments": ""}
    head = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
    yield _chunk({"tool_calls": [head]})
    for start in range(0, len(text), PIECE):
        piece = {"index": index, "function": {"arguments": text[start : start + PIECE]}}
        yield _chunk({"tool_calls": [piece]})


def _chunk(delta: Mapping[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    whole = {"id": "chat", "object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(whole, ensure_ascii=False)}\n\n"


def _filled(arguments: Mapping[str, object] | str, body: Body) -> Mapping[str, object] | str:
    """`{id of WORDS}` is what a result calls the line that holds the words, as a model reads it."""
    if isinstance(arguments, str):
        return arguments
    return {
        key: re.sub(r"\{id of ([^}]+)\}", lambda m: _id_of(m[1], body), value)
        if isinstance(value, str)
        else value
        for key, value in arguments.items()
    }


def _id_of(words: str, body: Body) -> str:
    for message in reversed(body.get("messages") or []):
        # What came from outside is quoted as JSON, with its lines in one.
        for line in re.split(r"\n|\\n|\"", str(message.get("content"))):
            if words in line and message.get("role") == "tool":
                return re.split(r"[:\s]", line.lstrip(" -*"))[0]
    return words
