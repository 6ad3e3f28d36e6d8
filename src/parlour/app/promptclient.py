"""The command that shows what a language model would be sent: prompt show."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import typer

from parlour.app.client import (
    ANSWER_S,
    answer_of,
    called,
    link_to,
    printable,
    said_plainly,
)

COUNT_S = 120.0  # a model of one's own machine may read the prompt for the first time, twice
RULE = 8  # dashes before the name of a part


def show(
    text: str,
    *,
    area: str | None,
    device: str | None,
    language: str | None,
    count: bool,
    url: str,
    as_json: bool,
) -> None:
    asked = {"text": text, "area": area, "device": device, "language": language}
    question = {key: value for key, value in asked.items() if value is not None}
    with link_to(url, COUNT_S if count else ANSWER_S) as client, said_plainly(url):
        response = client.get("/api/prompt", params={**question, "count": str(count).lower()})
        answer = answer_of(response, url)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for line in prompt(answer):
        typer.echo(line)


def prompt(answer: Mapping[str, object]) -> Iterator[str]:
    """Every message as it is, then the tools as JSON, then how long it all is."""
    for message in _records(answer, "messages"):
        yield _rule(printable(message.get("role")))
        yield printable(message.get("content"))
        yield from called(message)
    tools = _records(answer, "tools")
    yield _rule(f"{len(tools)} tool{'' if len(tools) == 1 else 's'}")
    if tools:
        yield printable(json.dumps(tools, ensure_ascii=False, indent=1))
    how = "counted" if answer.get("counted") else "estimated"
    tokens, cacheable = answer.get("tokens"), answer.get("cacheable_tokens")
    yield _rule(f"{tokens} tokens, of which {cacheable} can be cached ({how})")


def _rule(name: str) -> str:
    return f"{'-' * RULE} {name}"


def _records(answer: Mapping[str, object], key: str) -> Sequence[Mapping[str, object]]:
    return cast("Sequence[Mapping[str, object]]", answer.get(key, []))
