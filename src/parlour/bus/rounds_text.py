"""How rounds lie in a store and how verdicts travel: as JSON that says all, read strictly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, assert_never

from parlour.ids import DeviceId
from parlour.wake.candidates import Candidate
from parlour.wake.group import Group
from parlour.wake.round import Round
from parlour.wake.rules import Lost, RoundId, TakenOver, Verdict, Won

_BROKEN = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Kept:
    """A group at one moment; each change has a higher version than the one before."""

    version: int
    group: Group


@dataclass(frozen=True, slots=True)
class News:
    """What one change brought. `past`: when the devices of the round before had claimed."""

    process: str
    group: str
    version: int
    verdicts: list[Verdict]
    past: Mapping[DeviceId, float] = field(default_factory=dict)


def write_kept(kept: Kept) -> str:
    return json.dumps(kept, default=_fields)


def read_kept(text: str, name: str) -> Kept:
    """Of an empty or foreign text comes a new group: nothing that was decided can be undone."""
    try:
        read = json.loads(text)
        return Kept(int(read["version"]), _group(read["group"]))
    except _BROKEN:
        return Kept(0, Group(name))


def write_news(news: News) -> str:
    verdicts = [_written(verdict) for verdict in news.verdicts]
    return json.dumps({**_fields(news), "verdicts": verdicts})


def read_news(text: str) -> News | None:
    """None for what is no news."""
    try:
        read = json.loads(text)
        past = {DeviceId(name): float(at_s) for name, at_s in read["past"].items()}
        verdicts = [_verdict(*written) for written in read["verdicts"]]
        return News(str(read["process"]), str(read["group"]), int(read["version"]), verdicts, past)
    except _BROKEN:
        return None


def _fields(value: Any) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value)}


def _group(read: dict[str, Any]) -> Group:
    for name in ("opened", "decided"):
        read[name] = _round(read[name]) if read[name] else None
    return Group(**read)


def _round(read: dict[str, Any]) -> Round:
    candidates = read["candidates"].items()
    read["candidates"] = {name: Candidate(**candidate) for name, candidate in candidates}
    return Round(**read)


def _written(verdict: Verdict) -> tuple[str, str, str, str | float]:
    match verdict:
        case Won(device, round_id):
            return "won", round_id, device, ""
        case Lost(device, hold_s, round_id):
            return "lost", round_id, device, hold_s
        case TakenOver(loser, winner, round_id):
            return "taken", round_id, loser, winner
        case _:
            assert_never(verdict)


def _verdict(kind: str, round_id: str, device: str, more: Any) -> Verdict:
    one, of = DeviceId(str(device)), RoundId(str(round_id))
    if kind == "won":
        return Won(one, of)
    if kind == "lost":
        return Lost(one, float(more), of)
    if kind == "taken":
        return TakenOver(one, DeviceId(str(more)), of)
    raise ValueError(kind)
