"""Commands that ask a running server about its clock: announce, timers, alarms."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, cast

import typer

from parlour.app.client import ask_server, columns
from parlour.errors import InputError


def announce(
    text: str, *, area: str | None, floor: str | None, device: str | None, url: str, as_json: bool
) -> None:
    if not text.strip():
        raise InputError("there is nothing to say: the text is empty")
    body = {"text": text, "area": area, "floor": floor, "device": device}
    answer = ask_server("POST", "/api/announce", url, body)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for key, said in (
        ("heard_by", "said by"),
        ("waiting", "after the present turn by"),
        ("not_reached", "not reached"),
    ):
        if names := cast("Sequence[str]", answer.get(key, [])):
            typer.echo(f"{said}: {', '.join(names)}")


def list_timers(*, url: str, as_json: bool) -> None:
    answer = ask_server("GET", "/api/timers", url)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    rows = [
        (
            str(timer.get("id")),
            str(timer.get("name") or "-"),
            _span(cast("int", timer.get("seconds", 0))),
            _left(timer),
            str(timer.get("device") or "everywhere"),
        )
        for timer in _records(answer, "timers")
    ]
    for line in columns(("ID", "NAME", "LENGTH", "LEFT", "DEVICE"), rows):
        typer.echo(line)
    if not rows:
        typer.echo("no timer is set")


def list_alarms(*, url: str, as_json: bool) -> None:
    answer = ask_server("GET", "/api/alarms", url)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    rows = [
        (
            str(alarm.get("id")),
            str(alarm.get("name") or "-"),
            str(alarm.get("time")),
            " ".join(day[:3] for day in cast("Sequence[str]", alarm.get("repeat", []))) or "once",
            "rings" if alarm.get("ringing") else _moment(alarm),
            str(alarm.get("device") or "everywhere"),
        )
        for alarm in _records(answer, "alarms")
    ]
    for line in columns(("ID", "NAME", "TIME", "REPEAT", "NEXT", "DEVICE"), rows):
        typer.echo(line)
    if not rows:
        typer.echo("no alarm is set")


def set_alarm(
    time: str, *, name: str, repeat: str, device: str | None, url: str, as_json: bool
) -> None:
    body = {"time": time, "name": name, "repeat": repeat, "device": device}
    alarm = ask_server("POST", "/api/alarms", url, body)
    if as_json:
        typer.echo(json.dumps(alarm, ensure_ascii=False))
    else:
        typer.echo(f"alarm {alarm.get('id')} rings {_moment(alarm)}")


def cancel(kind: Literal["timer", "alarm"], number: int, *, url: str, as_json: bool) -> None:
    record = ask_server("DELETE", f"/api/{kind}s/{number}", url)
    if as_json:
        typer.echo(json.dumps(record, ensure_ascii=False))
    else:
        typer.echo(f"{kind} {number} is cancelled")


def _records(answer: Mapping[str, object], key: str) -> Sequence[Mapping[str, object]]:
    return cast("Sequence[Mapping[str, object]]", answer.get(key, []))


def _left(timer: Mapping[str, object]) -> str:
    if timer.get("ringing"):
        return "rings"
    paused = " (paused)" if timer.get("paused") else ""
    return _span(cast("int", timer.get("left_s", 0))) + paused


def _moment(alarm: Mapping[str, object]) -> str:
    when = datetime.fromisoformat(str(alarm.get("next")))
    return f"{when:%a %Y-%m-%d %H:%M}{' (snoozed)' if alarm.get('snoozed') else ''}"


def _span(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
