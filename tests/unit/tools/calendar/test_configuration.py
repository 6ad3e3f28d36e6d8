"""Calendars in config.yml."""

import subprocess
import sys

import pytest

from parlour.app.calendars import calendar_tools, house_zone
from parlour.app.config import Loaded, parse
from parlour.app.reference import effective
from parlour.app.sections import Config
from parlour.errors import ConfigError

SECTION = """
time_zone: Asia/Kolkata
calendars:
  family: {url: "https://dav.example.org/u/anna@example.org/", username: anna, password: s3cret}
  work: {url: "http://10.0.0.5:5232/", calendar: Team, readonly: true}
  holidays: {ics: "webcal://example.org/private-0815/basic.ics?key=4711", refresh_s: 3600}
  bins: {ics: ~/bins.ics}
"""


def config(text: str) -> Config:
    return parse(text, {})[0]


def test_calendars_of_both_kinds_become_tools_without_any_network() -> None:
    found = config(SECTION)
    tools = calendar_tools(found.calendars, found.time_zone)
    assert [tool.spec.name for tool in tools] == [
        "calendar_next", "calendar_day", "calendar_add", "calendar_move", "calendar_delete",
    ]  # fmt: skip
    only_read = {name: found.calendars[name] for name in ("work", "holidays")}
    assert len(calendar_tools(only_read, None)) == 2
    assert calendar_tools({}, None) == []
    assert house_zone(found.time_zone).key == "Asia/Kolkata"
    assert house_zone(None).key


def test_what_is_secret_is_not_shown() -> None:
    shown = effective(Loaded(config(SECTION))) + repr(config(SECTION))
    for secret in ("s3cret", "0815", "4711"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("calendars: {a: {}}", "calendars.a: needs either url or ics"),
        ("calendars: {a: {url: 'https://h/', ics: x.ics}}", "calendars.a: needs either url or ics"),
        ("calendars: {a: {url: 'ftp://h/'}}", "calendars.a.url: must look like https://"),
        ("calendars: {a: {url: 'https://u:p@h/'}}", "calendars.a.url: .*without a login"),
        ("calendars: {a: {ics: 'gopher://h/x'}}", "calendars.a.ics: must be an address such as"),
        ("calendars: {a: {ics: x.ics, refresh_s: 1}}", "calendars.a.refresh_s: must be between 60"),
        ("calendars: {a: {ics: x.ics, user: b}}", "calendars.a.user: unknown key; did you mean"),
        ("time_zone: Berlin", "time_zone: must be a time zone such as Europe/Berlin"),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as wrong:
        config(text)
    assert "u:p" not in str(wrong.value)


def test_a_server_without_calendars_loads_none_of_their_libraries() -> None:
    code = (
        "import sys; from parlour.app.calendars import calendar_tools; calendar_tools({}, None);"
        "print([m for m in ('caldav', 'icalendar', 'babel', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
