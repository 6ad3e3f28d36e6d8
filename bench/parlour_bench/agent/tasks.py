"""The tasks as they stand in `data/agent/*.yaml`: what is said, what a scripted model answers, and
how everything must stand in the end."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import yaml

from parlour.errors import InputError

ZONE = ZoneInfo("Europe/Berlin")  # of the house: it has summer time

CLASSES = (
    "home",
    "timers",
    "calendar",
    "follow_ups",
    "corrections",
    "chat",
    "facts",
    "misbehaviour",
    "injections",
)
TOOLS = frozenset(
    {
        *("act", "set", "get", "read_text", "timer", "alarm", "ask", "announce"),
        *("calendar_next", "calendar_day", "calendar_add", "calendar_move", "calendar_delete"),
        *("remember", "recall", "forget_fact", "list_facts"),
        *("weather_note", "web_page"),  # declared requests
    }
)
"""What a model may call. A task whose script calls one that the server does not offer is left out."""

Truths: TypeAlias = Mapping[str, Mapping[str, object]]  # entity -> what is true of it


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: Mapping[str, object] | str  # text: as it is, for arguments that are no JSON


@dataclass(frozen=True, slots=True)
class Step:
    """One answer of the scripted model, and how it misbehaves."""

    text: str = ""
    calls: Sequence[Call] = ()
    fail: int = 0  # an HTTP status in place of an answer
    cut: bool = False  # the connection breaks in the middle
    raw: str = ""  # a line in the stream that is none of the dialect
    forever: bool = False  # again for every further request of the turn


@dataclass(frozen=True, slots=True)
class Turn:
    text: str
    area: str | None = None
    language: str = "en_US"
    conversation: str = ""  # of the same task; another one is another device
    by: str = "model"  # or "grammar", without a model; "question": an answer to what was asked back
    script: Sequence[Step] = ()
    says: Sequence[str] = ()  # each a choice of words as "one|other", one of which is said
    says_not: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Of the calendar. `start` is a date of an event that takes whole days."""

    title: str
    start: date | datetime
    minutes: int = 60
    text: str = ""  # description, which strangers may have written
    rrule: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    kind: str  # one of CLASSES
    turns: Sequence[Turn]
    start: Truths = field(default_factory=dict)  # what differs from the demo home's beginning
    end: Truths = field(default_factory=dict)  # what differs from the start; all else stays
    calendar: Sequence[Event] = ()
    calendar_after: Sequence[Event] | None = None  # None: as before
    timers: Sequence[int] = ()  # that run before, in seconds
    timers_after: Sequence[int] | None = None
    alarms: Sequence[str] = ()  # that are set before, as "07:30"
    alarms_after: Sequence[str] | None = None
    facts: Sequence[str] = ()  # that are known before
    facts_after: Sequence[str] | None = None  # words of each
    messages: Mapping[str, str] = field(default_factory=dict)  # what sensors report, by name
    web: str = ""  # the text of the page that `web_page` reads
    web_times: int = 1  # so often it stands there
    weather: str = ""  # what the weather service says
    prompt_not: Sequence[str] = ()  # what no prompt may hold
    needs: Sequence[str] = ()  # tools, besides those that the script calls
    short: bool = False  # part of the short run

    @property
    def tools(self) -> frozenset[str]:
        """Those that have to be offered."""
        called = {call.name for turn in self.turns for step in turn.script for call in step.calls}
        return TOOLS & called | frozenset(self.needs)


def load(
    only: str | None = None, *, short: bool = False, now: datetime | None = None
) -> list[Task]:
    """All tasks, those of a class, or one by its id. Raises InputError where there is none."""
    tasks = list(_all(now or datetime.now(ZONE)))
    if short:
        tasks = [task for task in tasks if task.short]
    chosen = [task for task in tasks if only in (None, task.kind, task.id)]
    if not chosen:
        raise InputError(f'there is no class or task "{only}"; classes are {", ".join(CLASSES)}')
    return chosen


def _all(now: datetime) -> Iterator[Task]:
    days = Days(now.astimezone(ZONE).date())
    for kind in CLASSES:
        for record in days.fill(_records(kind)):
            yield _task(kind, record)


@cache
def _records(kind: str) -> list[dict[str, Any]]:
    text = Path(str(files("parlour_bench").joinpath(f"data/agent/{kind}.yaml"))).read_text("utf-8")
    records: list[dict[str, Any]] = yaml.load(text, _Loader)
    return records


class _Loader(yaml.SafeLoader):
    """`on` and `off` are words here, as they are verbs of the house."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", "timestamp"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])


# ---------------------------------------------------------------- days


@dataclass(frozen=True, slots=True)
class Days:
    """Fills in days that a task names by what they are: `{tomorrow}`, `{day+3}`, `{summer-1}`."""

    today: date

    def fill(self, value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"\{([a-z]+)([+-]\d+)?\}", self._filled, value)
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        if isinstance(value, dict):
            return {key: self.fill(each) for key, each in value.items()}
        return value

    def _filled(self, match: re.Match[str]) -> str:
        name, days = match.groups()
        day = self._named(name)
        return match[0] if day is None else str(day + timedelta(int(days or 0)))

    def _named(self, name: str) -> date | None:
        match name:
            case "day" | "today":
                return self.today
            case "tomorrow":
                return self.today + timedelta(1)
            case "monday":  # of next week, never today
                return self.today + timedelta(7 - self.today.weekday())
            case "summer":
                return _change_of_clocks(self.today, 3)
            case "winter":
                return _change_of_clocks(self.today, 10)
            case _:
                return None


def _change_of_clocks(today: date, month: int) -> date:
    """The next last Sunday of a month that is at least a week ahead."""
    for year in (today.year, today.year + 1):
        last = date(year, month, 31)
        sunday = last - timedelta((last.weekday() + 1) % 7)
        if sunday > today + timedelta(7):
            return sunday
    raise AssertionError("next year has one")


# ---------------------------------------------------------------- reading


def _task(kind: str, record: dict[str, Any]) -> Task:
    fields = dict(record)
    turns = tuple(_turn(each) for each in fields.pop("turns"))
    for name in ("calendar", "calendar_after"):
        if name in fields:
            fields[name] = tuple(_event(each) for each in fields[name])
    fields.pop("about", None)  # for the reader
    return Task(kind=kind, turns=turns, **fields)


def _turn(record: dict[str, Any]) -> Turn:
    fields = dict(record)
    script = tuple(_step(each) for each in fields.pop("script", ()))
    return Turn(script=script, **fields)


def _step(record: dict[str, Any]) -> Step:
    """`call` is one, `calls` are several, each as {name: arguments}."""
    fields = dict(record)
    calls = fields.pop("calls", [])
    if "call" in fields:
        calls = [fields.pop("call")]
    return Step(calls=tuple(Call(*one) for each in calls for one in each.items()), **fields)


def _event(record: dict[str, Any]) -> Event:
    start = str(record["start"])
    if "T" not in start:
        return Event(**{**record, "start": date.fromisoformat(start), "minutes": 0})
    return Event(**{**record, "start": datetime.fromisoformat(start).replace(tzinfo=ZONE)})
