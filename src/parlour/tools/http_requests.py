"""Requests that the owner wrote down as tools: a model fills the parameters in, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from parlour.errors import ProviderError, ToolError
from parlour.ports import Arguments, Order, Tool, ToolResult, ToolSpec
from parlour.tools import pick, templates
from parlour.tools.answers import text_of
from parlour.tools.parameters import Parameter, schema, values_of
from parlour.tools.web import Call, Reply, exchange, refused

DONE = "done"
# Asked before what changes something, where the owner wrote no question.
MAY_I: Mapping[str, str] = {
    "en": "Shall I run {name}?",
    "de": "Soll ich {name} ausführen?",
    "hi": "क्या मैं {name} चलाऊँ?",
    "mr": "मी {name} चालवू का?",
    "gu": "શું હું {name} ચલાવું?",
    "bn": "আমি কি {name} চালাব?",
    "ta": "{name} இயக்கட்டுமா?",
    "te": "{name} రన్ చేయనా?",
    "ml": "{name} പ്രവർത്തിപ്പിക്കട്ടെ?",
}


@dataclass(frozen=True, slots=True)
class DeclaredRequest:
    """`question` is asked first, by language ("" for every language); {} asks nothing."""

    name: str
    description: str
    method: str
    url: templates.UrlTemplate = field(repr=False)
    parameters: tuple[Parameter, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: object = field(default=None, repr=False)
    wanted: pick.Path = ()  # of the answer; () is all of it
    tier: int = 0
    question: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float = 5.0


def request_tool(client: httpx.AsyncClient, declared: DeclaredRequest) -> Tool:
    async def run(arguments: Arguments, order: Order) -> ToolResult:
        reply = await exchange(client, declared.name, _call(declared, arguments, order))
        return ToolResult(_answer(declared, reply))

    async def question(arguments: Arguments, order: Order) -> str:
        _call(declared, arguments, order)  # what cannot be done need not be asked about
        values = values_of(declared.parameters, arguments)
        text = in_language(declared.question, order.utterance.language)
        name = {"name": declared.name.replace("_", " ")}
        return templates.spoken(templates.read(text), name | values)

    return Tool(
        ToolSpec(declared.name, declared.description, schema(declared.parameters)),
        run,
        tier=lambda _: declared.tier,
        question=question if declared.question else None,
        deadline_s=declared.deadline_s + 1.0,
        trusted=False,  # others wrote what it returns
    )


def request_tools(client: httpx.AsyncClient, every: Sequence[DeclaredRequest]) -> list[Tool]:
    return [request_tool(client, declared) for declared in every]


def in_language(texts: Mapping[str, str], language: str) -> str:
    """That of "hi_IN" or "hi", else the one for every language, else English, else any."""
    for code in (language, language[:2], "", "en"):
        if code in texts:
            return texts[code]
    return next(iter(texts.values()))


def _call(declared: DeclaredRequest, arguments: Arguments, order: Order) -> Call:
    values = values_of(declared.parameters, arguments)
    headers = {"accept": "application/json, text/plain;q=0.9", **declared.headers}
    if declared.method != "GET":
        headers["idempotency-key"] = order.key
    body = None if declared.body is None else templates.fill_body(declared.body, values)
    url = declared.url.fill(values)
    return Call(declared.method, url, headers, body, declared.deadline_s)


def _answer(declared: DeclaredRequest, reply: Reply) -> str:
    """No text of the service's comes into an error: a model would take that for ours."""
    match reply.status:
        case status if 200 <= status < 300:
            pass
        case 404 | 410:
            raise ToolError(f"{declared.name} has nothing for these values")
        case 400 | 422:
            raise ToolError(f"{declared.name} refuses these values")
        case _:
            raise refused(declared.name, reply, f"requests.{declared.name}.headers")
    if reply.value is None:
        return DONE
    if not declared.wanted:
        return _text(declared, reply.value)
    if isinstance(reply.value, str):
        raise ProviderError(declared.name, "it answers with text, of which nothing can be picked")
    return _text(declared, pick.pick(reply.value, declared.wanted))


def _text(declared: DeclaredRequest, value: object) -> str:
    try:
        return text_of(value)
    except (RecursionError, ValueError) as error:
        raise ProviderError(declared.name, "its answer is nested too deeply") from error
