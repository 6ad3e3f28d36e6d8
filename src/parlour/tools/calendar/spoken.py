"""What is said about events, in nine languages: questions before changes, answers after them."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from babel.dates import get_day_names, get_month_names

from parlour.tools.calendar.events import LONGEST_SPOKEN, Event, Span, clean

LANGUAGES = ("en", "de", "hi", "ml", "mr", "ta", "te", "bn", "gu")
FAR_DAYS = 330  # beyond it the year is said
NEAR_DAYS = 20  # until then the number of a day says enough in languages that leave the month out
_MARKS = str.maketrans({**dict.fromkeys("*_`#<>|[]{}", " "), '"': None})


def when(span: Span | Event, now: datetime, language: str) -> str:
    """As in "on Tuesday the 24th at 10 in the morning"."""
    texts = _texts(language)
    day = _day(span.start, now, texts)
    if span.all_day:
        return str(texts["all_day"]).format(day=day)
    return str(texts["when"]).format(day=day, time=_time(span.start, texts))


def ask_add(title: str, span: Span, conflict: Event | None, now: datetime, language: str) -> str:
    asked = _say(language, "add", title=title, when=when(span, now, language))
    if conflict is None:
        return asked
    return f"{_say(language, 'conflict', title=conflict.title)} {asked}"


def ask_move(event: Event, span: Span, conflict: Event | None, now: datetime, language: str) -> str:
    parts = _about(event, now, language)
    if conflict is not None:
        parts.append(_say(language, "conflict", title=conflict.title))
    return " ".join((*parts, _say(language, "move", new=when(span, now, language))))


def ask_delete(event: Event, now: datetime, language: str) -> str:
    return " ".join((*_about(event, now, language), _say(language, "delete")))


def did(what: str, event: Event, now: datetime, language: str) -> str:
    """`what` is "added", "moved" or "deleted"."""
    return _say(language, what, title=event.title, when=when(event, now, language))


def spoken_title(title: str) -> str:
    """A title as it can be read out within a sentence: no mark, no end of a sentence."""
    plain = clean(title.translate(_MARKS), LONGEST_SPOKEN)
    for mark in ("? ", "! ", ". ", "। "):
        plain = plain.replace(mark, ", ")
    return plain.strip(" .,;:!?।-")


def _about(event: Event, now: datetime, language: str) -> list[str]:
    about = _say(language, "is", title=event.title, when=when(event, now, language))
    return [about, _say(language, "once")] if event.recurrence else [about]


def _say(language: str, phrase: str, **values: str) -> str:
    texts = _texts(language)
    if "title" in values:
        values["title"] = spoken_title(values["title"]) or str(texts["untitled"])
    text = str(texts[phrase]).format(**values)
    text = " ".join(text.split()).replace(",?", "?").replace(",.", ".")
    return text[0].upper() + text[1:]


def _day(day: datetime, now: datetime, texts: Mapping[str, Any]) -> str:
    ahead = (day.date() - now.date()).days
    if ahead in (0, 1):
        return str(texts["tomorrow" if ahead else "today"])
    locale = texts["locale"]
    weekdays = texts.get("weekdays") or get_day_names("wide", locale=locale)
    pattern = "near" if "near" in texts and 0 < ahead <= NEAR_DAYS else "far"
    if abs(ahead) > FAR_DAYS:
        pattern = "year"
    return str(texts[pattern]).format(
        weekday=weekdays[day.weekday()],
        month=get_month_names("wide", locale=locale)[day.month],
        year=day.year,
        day=day.day,
        ordinal=f"{day.day}{_ending(day.day)}",
    )


def _time(moment: datetime, texts: Mapping[str, Any]) -> str:
    special = {(0, 0): "midnight", (12, 0): "noon"}.get((moment.hour, moment.minute), "")
    if special in texts:
        return str(texts[special])
    part = ""
    for hour, name in texts["parts"].items():
        if moment.hour >= hour:
            part = name
    return str(texts["minute" if moment.minute else "hour"]).format(
        part=part, hour=moment.hour % 12 or 12, hour24=moment.hour, minute=moment.minute
    )


def _ending(number: int) -> str:
    if 11 <= number <= 13:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _texts(language: str) -> Mapping[str, Any]:
    code = language[:2].lower()
    return _load(code if code in LANGUAGES else "en")


@cache
def _load(code: str) -> Mapping[str, Any]:
    path = files("parlour.tools.calendar").joinpath("phrases", f"{code}.yaml")
    texts: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return texts
