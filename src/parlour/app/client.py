"""Commands that talk to a running server over HTTP: ask, home watch."""

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import httpx
import typer

from parlour.errors import InputError, ParlourError

ANSWER_S = 70.0  # a language model is given a minute for an answer
CONNECT_S = 3.0


class ServerError(ParlourError):
    """The server is not there, or it answered what no Parlour server answers."""

    retry = True


def ask(
    text: str,
    *,
    area: str | None,
    language: str | None,
    conversation: str | None,
    dry_run: bool,
    url: str,
    as_json: bool,
) -> None:
    if not text.strip():
        raise InputError("there is nothing to ask: the text is empty")
    question = {
        "text": text,
        "area": area,
        "language": language,
        "conversation": conversation,
        "dry_run": dry_run,
    }
    with link_to(url) as client, said_plainly(url):
        answer = answer_of(client.post("/api/ask", json=question), url)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    typer.echo(str(answer.get("reply", "")))
    for action in cast("Sequence[Mapping[str, object]]", answer.get("actions", [])):
        typer.echo(f"  {_action(action, dry_run=dry_run)}")


def watch_home(*, url: str, as_json: bool) -> None:
    """Runs until the server goes or the user has seen enough."""
    with (
        link_to(url) as client,
        said_plainly(url),
        client.stream(
            "GET", "/api/home/watch", timeout=httpx.Timeout(CONNECT_S, read=None)
        ) as lines,
    ):
        if lines.is_error:
            lines.read()
            answer_of(lines, url)
        for line in lines.iter_lines():
            if as_json:
                typer.echo(line)
            elif line.strip():
                typer.echo(_change(cast("Mapping[str, object]", json.loads(line))))
    raise ServerError(f"the server at {url} has gone")


# ---------------------------------------------------------------- the link


def ask_server(
    method: str, path: str, url: str, body: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """The JSON object that a server answers with. Raises ServerError in plain words."""
    with link_to(url) as client, said_plainly(url):
        return answer_of(client.request(method, path, json=body), url)


def link_to(url: str, answer_s: float = ANSWER_S) -> httpx.Client:
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{url} is not a server's address; it looks like http://127.0.0.1:8000")
    try:
        # Proxies of the environment are for the internet, not for a server in the house.
        timeout = httpx.Timeout(answer_s, connect=CONNECT_S)
        return httpx.Client(base_url=url, timeout=timeout, trust_env=False)
    except httpx.InvalidURL as error:
        raise InputError(f"{url} is not a server's address: {error}") from error


@contextmanager
def said_plainly(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.ConnectError as error:
        raise ServerError(
            f"no server answers at {url}; start one with `parlour serve`, or name it with --url"
        ) from error
    except httpx.TimeoutException as error:
        raise ServerError(f"the server at {url} does not answer") from error
    except httpx.RemoteProtocolError as error:
        raise ServerError(f"the server at {url} hung up, or is none of ours") from error
    except httpx.HTTPError as error:
        raise ServerError(f"the link to {url} failed: {error}") from error
    except json.JSONDecodeError as error:
        raise ServerError(f"what answers at {url} is not a Parlour server") from error


def answer_of(response: httpx.Response, url: str) -> dict[str, object]:
    body: object = response.json()
    if not isinstance(body, dict):
        raise ServerError(f"what answers at {url} is not a Parlour server")
    if response.is_error:
        raise ServerError(f"the server refused: {_reason(body) or response.reason_phrase}")
    return cast("dict[str, object]", body)


def _reason(body: Mapping[str, object]) -> str:
    """Our own routes say `error`, FastAPI says `detail`: a text, or a list with one `msg` each."""
    reason = body.get("error") or body.get("detail")
    if isinstance(reason, list):
        return "; ".join(
            str(part["msg"]) for part in reason if isinstance(part, dict) and "msg" in part
        )
    return reason if isinstance(reason, str) else ""


# ---------------------------------------------------------------- what people read


def _action(action: Mapping[str, object], *, dry_run: bool) -> str:
    value = action.get("value")
    done = f"{action.get('target')}: {action.get('verb')}" + ("" if value is None else f" {value}")
    if dry_run:
        return f"{done} (not done)"
    return f"{done} ({'confirmed' if action.get('confirmed') else 'not confirmed'})"


def _change(change: Mapping[str, object]) -> str:
    return f"{change.get('id')}  {'gone' if change.get('gone') else state_text(change)}"


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """One line a row, each column as wide as its widest text; nothing for no rows."""
    if not rows:
        return
    lines = [head, *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, strict=True)
        yield "  ".join(cell.ljust(width) for cell, width in cells).rstrip()


def printable(text: object) -> str:
    """As it is, save what would steer a terminal: control characters, and those that turn the
    direction of writing. Joiners stay, without which Indian scripts cannot be written."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) != "Cc" and char not in TURNS
        else f"\\u{ord(char):04x}"
        for char in str(text)
    )  # fmt: skip


def plain(text: object) -> str:
    """The same on one line."""
    return " ".join(printable(text).split())


def called(message: Mapping[str, object]) -> Iterator[str]:
    """The calls of tools in a message of a conversation or a prompt, a line each."""
    for call in cast("Sequence[Mapping[str, object]]", message.get("calls") or []):
        arguments = json.dumps(call.get("arguments"), ensure_ascii=False)
        yield plain(f"-> {call.get('name')} {arguments}")


TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def state_text(entity: Mapping[str, object]) -> str:
    """How an entity stands, in a few words: `on, 40 % bright`."""
    state = cast("Mapping[str, object]", entity.get("state") or {})
    if not state.get("available", True):
        return "away"
    words: list[str] = []
    if isinstance(state.get("on"), bool):
        words.append("on" if state["on"] else "off")
    for key, form in STATES:
        value = state.get(key)
        if value is None or (state.get("on") is False and key in ONLY_WHEN_ON):
            continue
        words.append(form.format(_color(value) if key == "color" else value))
    if (value := state.get("value")) is not None:
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        words.append(" ".join(filter(None, (shown, str(entity.get("unit") or "")))))
    if state.get("muted"):
        words.append("muted")
    return ", ".join(words) or "unknown"


STATES = (
    ("cover", "{}"),
    ("lock", "{}"),
    ("activity", "{}"),
    ("mode", "{}"),
    ("brightness", "{:.0f} % bright"),
    ("position", "{:.0f} % open"),
    ("speed", "speed {:.0f} %"),
    ("volume", "volume {:.0f} %"),
    ("color", "color {}"),
    ("color_temp_k", "{:.0f} K"),
    ("target_temperature", "set to {:g}°"),
    ("temperature", "measures {:g}°"),
    ("target_humidity", "set to {:g} %"),
    ("humidity", "measures {:g} %"),
)
ONLY_WHEN_ON = ("brightness", "color", "color_temp_k", "speed", "volume")


def _color(value: object) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in cast("Sequence[int]", value))
