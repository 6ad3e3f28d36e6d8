"""Whether a prompt is one that every server of a language model takes."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Body: TypeAlias = Mapping[str, Any]  # of a request to /chat/completions

MOST_DEVICES = 40
LONGEST_RESULT = 2400  # characters: 2,000 of a tool, and the marks around them
TOOL_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
TOKENS = re.compile(r"<\|\w+\|>|\[/?INST\]|</?tool_(?:call|response)>")  # of chat templates
ENTITY = re.compile(r"\b[a-z0-9_]+\.[a-z0-9_]+\b")


def problems(body: Body, known: Collection[str] = (), never: Sequence[str] = ()) -> list[str]:
    """All that is wrong with it. `known`: the ids of the house; `never`: what must not be in it."""
    messages = body.get("messages") or []
    found = [*_tools(body.get("tools") or []), *_order(messages), *_answered(messages)]
    found += _texts(messages)
    for place, ids in devices(body, known).items():
        if len(ids) > MOST_DEVICES:
            found.append(f"{len(ids)} devices in the {place}")
    whole = json.dumps(body, ensure_ascii=False)
    found += [f"the prompt holds {text!r}" for text in never if _as_json(text) in whole]
    return found


def system_of(body: Body) -> str:
    """What stands before the conversation, and must be the same turn by turn."""
    messages = body.get("messages") or []
    return "\n".join(str(m.get("content")) for m in messages if m.get("role") == "system")


def offered(body: Body) -> frozenset[str]:
    """The names of the tools."""
    return frozenset(str(t.get("function", {}).get("name")) for t in body.get("tools") or [])


def devices(body: Body, known: Collection[str]) -> dict[str, set[str]]:
    """The ids that the model is told of, by where; not those that were spoken of before."""
    messages = body.get("messages") or []
    asked = [m for m in messages if m.get("role") == "user"][-1:]
    told = {
        "system prompt": system_of(body),
        "tools": json.dumps(body.get("tools") or []),
        "last message": "".join(str(m.get("content")) for m in asked),
    }
    return {place: set(ENTITY.findall(text)) & set(known) for place, text in told.items()}


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _tools(tools: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = [str(tool.get("function", {}).get("name")) for tool in tools]
    for name in names:
        if not TOOL_NAME.fullmatch(name):
            yield f"a tool is called {name!r}"
    if len(set(names)) < len(names):
        yield "two tools have one name"
    for tool in tools:
        parameters = tool.get("function", {}).get("parameters")
        if not isinstance(parameters, dict) or parameters.get("type") != "object":
            yield f"the parameters of {tool.get('function', {}).get('name')} are no object"


def _order(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """OpenAI takes more than this; Anthropic and the templates of most open models do not."""
    roles = [str(message.get("role")) for message in messages]
    if unknown := set(roles) - {"system", "user", "assistant", "tool"}:
        yield f"there is a role {unknown}"
    begins = next((n for n, role in enumerate(roles) if role != "system"), len(roles))
    if "system" in roles[begins:]:
        yield "a system message stands inside the conversation"
    spoken = [role for role in roles if role != "system"]
    if not spoken:
        yield "there is no message"
        return
    if spoken[0] != "user":
        yield f"the conversation begins with {spoken[0]}"
    if spoken[-1] not in ("user", "tool"):
        yield f"the conversation ends with {spoken[-1]}"
    for before, after in zip(spoken, spoken[1:], strict=False):
        if before == after and before in ("user", "assistant"):
            yield f"two messages of the {before} follow each other"


def _answered(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Every call is answered, once and at once, and nothing is answered that was not called."""
    waiting: list[str] = []
    ids: list[str] = []
    for message in messages:
        if message.get("role") == "tool":
            id_ = str(message.get("tool_call_id"))
            if id_ in waiting:
                waiting.remove(id_)
            else:
                yield f"{id_} is answered and was not called"
            continue
        if waiting:
            yield f"calls are not answered: {', '.join(waiting)}"
        waiting = []
        for call in message.get("tool_calls") or []:
            yield from _call(call)
            waiting.append(str(call.get("id")))
        ids += waiting
    if len(set(ids)) < len(ids):
        yield "two calls have one id"  # also in different turns: Anthropic refuses it
    if waiting:
        yield f"calls are not answered: {', '.join(waiting)}"


def _call(call: Mapping[str, Any]) -> Iterator[str]:
    if not call.get("id"):
        yield "a call has no id"
    function = call.get("function") or {}
    try:
        is_object = isinstance(json.loads(function.get("arguments", "")), dict)
    except (TypeError, ValueError):
        is_object = False
    if not is_object:
        yield f"the arguments of {function.get('name')} are no object"


def _texts(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        role, content = message.get("role"), message.get("content")
        text = content if isinstance(content, str) else ""
        if not text.strip() and not message.get("tool_calls"):
            yield f"a message of the {role} is empty"
        if role == "tool" and len(text) > LONGEST_RESULT:
            yield f"a result has {len(text)} characters"
        if token := TOKENS.search(text):
            # Most local servers take it for the real one, and then anybody can begin a message.
            yield f"a message of the {role} holds the control token {token[0]}"
        if control := CONTROLS.search(text):
            yield f"a message of the {role} holds the control character {control[0]!r}"
