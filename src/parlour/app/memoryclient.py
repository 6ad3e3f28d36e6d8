"""Commands that ask a running server what it remembers: memory show, forget, export, remember."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast
from urllib.parse import quote

import typer

from parlour.app.client import ask_server, called, columns, plain
from parlour.errors import InputError

STDOUT = "-"
LONGEST_SHOWN = 60  # characters of a summary in the list


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What is to be forgotten: one of these."""

    thread: str | None = None
    fact: int | None = None
    facts: bool = False
    all: bool = False

    def check(self) -> None:
        """Raises InputError unless it is exactly one."""
        chosen = (self.thread is not None, self.fact is not None, self.facts, self.all)
        if sum(chosen) != 1:
            raise InputError("say what to forget: one conversation, --fact N, --facts or --all")

    @property
    def path(self) -> str:
        if self.thread is not None:
            return _conversation(self.thread)
        if self.fact is not None:
            return f"/api/memory/facts/{self.fact}"
        return "/api/memory/facts" if self.facts else "/api/memory"


def show(thread: str | None, *, url: str, as_json: bool) -> None:
    """Everything in outline, or one conversation word by word."""
    answer = ask_server("GET", "/api/memory" if thread is None else _conversation(thread), url)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for line in overview(answer) if thread is None else conversation(answer):
        typer.echo(line)


def forget(what: Forgotten, *, sure: bool, url: str, as_json: bool) -> None:
    """Asks at the terminal before all is forgotten, unless the user is sure. Raises InputError
    for a no."""
    what.check()
    if what.all and not sure and not _is_sure():
        raise InputError("nothing is forgotten")
    answer = ask_server("DELETE", what.path, url)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        typer.echo(_forgotten(what, answer))


def remember(text: str, *, url: str, as_json: bool) -> None:
    if not text.strip():
        raise InputError("there is nothing to remember: the text is empty")
    fact = ask_server("POST", "/api/memory/facts", url, {"text": text})
    if as_json:
        typer.echo(json.dumps(fact, ensure_ascii=False))
    else:
        typer.echo(f"fact {fact.get('id')} is kept in mind")


def export(file: Path, *, url: str) -> None:
    """Write everything as JSON to a new file that only its owner may read; `-` is stdout."""
    if str(file) != STDOUT and file.exists():
        raise InputError(f"{file} is there already; name another file, or - to print")
    text = json.dumps(ask_server("GET", "/api/memory/export", url), ensure_ascii=False, indent=1)
    if str(file) == STDOUT:
        typer.echo(text)
        return
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(text + "\n")
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
    typer.echo(f"everything that is remembered is in {file}")


# ---------------------------------------------------------------- the link


def _conversation(thread: str) -> str:
    if not thread.strip("./ "):
        raise InputError(f"{thread!r} is no conversation; `parlour memory show` lists them")
    return f"/api/memory/conversations/{quote(thread, safe='')}"


def _is_sure() -> bool:
    """Raises InputError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise InputError("--all forgets everything; add --yes where nobody can be asked")
    return typer.confirm("Forget every conversation and every fact, for good?", err=True)


# ---------------------------------------------------------------- what people read


def overview(answer: Mapping[str, object]) -> Iterator[str]:
    """The conversations, then the facts with their numbers, then what is wrong with the memory."""
    conversations, facts = _records(answer, "conversations"), _records(answer, "facts")
    yield from columns(
        ("CONVERSATION", "MESSAGES", "LAST", "SUMMARY"),
        [
            (
                plain(each.get("thread")),
                str(each.get("messages")),
                _moment(each.get("updated")),
                _short(each.get("summary")),
            )
            for each in conversations
        ],
    )
    if not conversations:
        yield "no conversation is kept"
    yield ""
    yield from columns(
        ("FACT", "WHOSE", "SINCE", "TEXT"),
        [
            (
                str(each.get("id")),
                plain(each.get("owner")),
                _moment(each.get("said")),
                plain(each.get("text")),
            )
            for each in facts
        ],
    )
    if not facts:
        yield "no fact is kept in mind"
    if problem := answer.get("problem"):
        yield ""
        yield f"the memory has a problem: {plain(problem)}"


def conversation(answer: Mapping[str, object]) -> Iterator[str]:
    yield f"{plain(answer.get('thread'))}, last {_moment(answer.get('updated'))}"
    if summary := answer.get("summary"):
        yield f"before that: {plain(summary)}"
    for message in _records(answer, "messages"):
        yield f"{plain(message.get('role'))}: {plain(message.get('content'))}".rstrip()
        yield from called(message)


def _forgotten(what: Forgotten, answer: Mapping[str, object]) -> str:
    if what.thread is not None:
        return f"the conversation {what.thread} is forgotten"
    if what.fact is not None:
        return f"fact {what.fact} is forgotten: {plain(answer.get('text'))}"
    counts = [_count(answer, "conversations", "conversation")] if what.all else []
    return f"forgotten: {', '.join([*counts, _count(answer, 'facts', 'fact')])}"


def _count(answer: Mapping[str, object], key: str, one: str) -> str:
    count = answer.get(key, 0)
    return f"{count} {one}{'' if count == 1 else 's'}"


def _records(answer: Mapping[str, object], key: str) -> Sequence[Mapping[str, object]]:
    return cast("Sequence[Mapping[str, object]]", answer.get(key, []))


def _short(summary: object) -> str:
    text = plain(summary or "-")
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _moment(when: object) -> str:
    """In the time of this machine."""
    return f"{datetime.fromisoformat(str(when)).astimezone():%Y-%m-%d %H:%M}"
