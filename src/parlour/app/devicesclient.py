"""Commands that ask a running server about its microphones, and decide about them: devices list, ..."""

import json
from collections.abc import Iterator, Mapping, Sequence
from time import sleep
from typing import Any
from urllib.parse import quote

import typer

from parlour.app.client import ask_server, columns, plain
from parlour.app.homeclient import check_area
from parlour.errors import InputError

POLL_S = 0.25  # between two looks at a measurement
HEAD = ("ID", "NAME", "AREA", "GROUP", "STATE", "MODEL", "GAIN", "LAST WAKE")
NONE_YET = (
    "no microphone was ever connected: point a device at this server, or speak to it with"
    " `parlour talk`"
)

Record = Mapping[str, Any]


def list_devices(*, url: str, as_json: bool) -> None:
    answer = _ask("GET", "", url)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    rows = [_row(device) for device in answer.get("devices", [])]
    for line in columns(HEAD, rows):
        typer.echo(line)
    if not rows:
        typer.echo(NONE_YET)


def show(id_: str, *, url: str, as_json: bool) -> None:
    device = _ask("GET", _path(id_), url)
    if as_json:
        typer.echo(json.dumps(device, ensure_ascii=False))
        return
    for line in description(device):
        typer.echo(line)


def rename(id_: str, name: str, *, url: str, as_json: bool) -> None:
    device = _decide(id_, {"name": name}, url, as_json)
    if not as_json:
        typer.echo(f"{device['id']} is called {plain(device['name'])}")


def place(id_: str, area: str, *, may_be_new: bool, url: str, as_json: bool) -> None:
    """Raises InputError, which names the areas there are, for another that is not to be new."""
    if not may_be_new:
        check_area(area, url)
    device = _decide(id_, {"area": area}, url, as_json)
    if not as_json:
        typer.echo(f"{device['id']} stands in {plain(device['area'])}")


def group(id_: str, name: str | None, *, url: str, as_json: bool) -> None:
    """None: back to what is configured, or what the device says."""
    device = _decide(id_, {"group": name}, url, as_json)
    if not as_json:
        typer.echo(f"{device['id']} is of the group {plain(device['group'])}")


def mute(id_: str, wanted: bool, *, url: str, as_json: bool) -> None:
    device = _decide(id_, {"mute": wanted}, url, as_json)
    if not as_json:
        typer.echo(f"{device['id']} {'is muted' if wanted else 'is listened to'}")


def wrong_room(right: str, wrong: str | None, *, url: str, as_json: bool) -> None:
    answer = _ask("POST", "/wrong-room", url, {"right": right, "wrong": wrong})
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for device, change in ((answer["right"], "-1"), (answer["wrong"], "+1")):
        typer.echo(f"{_called(device)}: {change} dB, its gain is {_db(device['gain_db']['total'])}")


# ---------------------------------------------------------------- the wizard


def calibrate(ids: Sequence[str], *, url: str) -> int:
    """One device after the other; returns the exit code: 1 if one could not be measured.

    Ctrl-C cancels the measurement that runs.
    """
    chosen = [_ask("GET", _path(id_), url) for id_ in ids] or _at_hand(url)
    done = [device["id"] for device in chosen if _measure(device, url)]
    there_is = _ask("GET", "", url)["devices"] if done else []
    for device in there_is:  # of each, once all were measured: they are compared with each other
        if device["id"] in done:
            typer.echo(f"{_called(device)}: its gain is {_db(device['gain_db']['total'])}")
    if sum(device["gain_db"]["measured"] is not None for device in there_is) == 1:
        typer.echo("with one device alone there is nothing to compare: calibrate the others, too")
    failed = [_called(device) for device in chosen if device["id"] not in done]
    if failed:
        typer.echo(f"not calibrated: {', '.join(failed)}", err=True)
    return int(bool(failed))


def _at_hand(url: str) -> list[Record]:
    """All that can be heard now: connected, or such that connect when they hear the wake word."""
    there_is = _ask("GET", "", url).get("devices", [])
    found = [
        device
        for device in there_is
        if not device["muted"]
        and (device["connected"] or (device["seen"] and not device["persistent"]))
    ]
    if not found:
        raise InputError(
            "no device is connected that could be calibrated" if there_is else NONE_YET
        )
    return found


def _measure(device: Record, url: str) -> bool:
    path = f"{_path(device['id'])}/calibration"
    progress = _ask("POST", path, url)
    typer.echo(
        f"{_called(device)}: from one metre, say the wake word {progress['wanted']} times,"
        " as loud as ever and with a pause between"
    )
    try:
        said: Record = {}
        while progress["state"] == "collecting":
            if progress["levels_dbfs"] != said.get("levels_dbfs", []):
                typer.echo(f"  {_progress(progress)}")
                said = progress
            sleep(POLL_S)
            progress = _ask("GET", path, url)
    except KeyboardInterrupt:
        _ask("DELETE", path, url)
        raise
    if progress["state"] == "done":
        typer.echo(f"  {_progress(progress)}")
        return True
    typer.echo(f"  {plain(progress['trouble']) or 'cancelled'}")
    return False


def _progress(progress: Record) -> str:
    levels = ", ".join(f"{dbfs:.1f}" for dbfs in progress["levels_dbfs"])
    said = f"{progress['words']} of {progress['wanted']}: {levels} dBFS"
    return f"{said}; {plain(progress['trouble'])}" if progress["trouble"] else said


# ---------------------------------------------------------------- the link


def _ask(method: str, path: str, url: str, body: Record | None = None) -> dict[str, Any]:
    return ask_server(method, f"/api/devices{path}", url, body)


def _decide(id_: str, change: Record, url: str, as_json: bool) -> dict[str, Any]:
    device = _ask("PATCH", _path(id_), url, change)
    if as_json:
        typer.echo(json.dumps(device, ensure_ascii=False))
    return device


def _path(id_: str) -> str:
    if not id_.strip():
        raise InputError(f"{id_!r} is no device's id; `parlour devices list` shows them")
    return f"/{quote(id_, safe='')}"


# ---------------------------------------------------------------- what people read


def _row(device: Record) -> tuple[str, ...]:
    wake = device["last_wake"]
    return (
        plain(device["id"]),
        plain(device["name"] or "-"),
        plain(device["area"] or "-"),
        plain(device["group"]),
        _state(device),
        plain(device["model"] or "-"),
        _db(device["gain_db"]["total"]),
        "-" if wake is None else _wake(wake),
    )


def _state(device: Record) -> str:
    words = ["connected" if device["connected"] else "away"]
    words += [word for word in ("muted", "limited") if device[word]]
    return ", ".join(words)


def _wake(wake: Record) -> str:
    level = "no level" if wake["level_dbfs"] is None else f"{wake['level_dbfs']:.1f} dBFS"
    return f"{level}, {'answered' if wake['won'] else 'left to another'}"


def _db(value: float) -> str:
    return f"{value:+.1f} dB" if value else "0 dB"


def description(device: Record) -> Iterator[str]:
    """Everything about one microphone, a line each."""
    gain = device["gain_db"]
    parts = [f"model {_db(gain['model'])}"]
    if gain["measured"] is not None:
        parts = [f"measured {_db(gain['measured'])}"]
    if gain["correction"]:
        parts.append(f"corrected {_db(gain['correction'])}")
    rows = {
        "id": device["id"],
        "name": device["name"],
        "area": device["area"] or "-",
        "group": device["group"],
        "person": device["person"],
        "state": _state(device),
        "seen": device["seen"],
        "model": device["model"],
        "gain": f"{_db(gain['total'])} ({', '.join(parts)})",
        "floor": None if device["floor_dbfs"] is None else f"{device['floor_dbfs']:g} dBFS",
        "decided": ", ".join(device["decided"]),
    }
    for key, value in rows.items():
        if value:
            yield f"{key:<8} {plain(value)}"
    for wake in reversed(device["wakes"][-10:]):
        yield f"{'wake':<8} {plain(wake['at'])}  {_wake(wake)}"


def _called(device: Record) -> str:
    return plain(device["name"] or device["id"])
