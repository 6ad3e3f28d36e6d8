"""Whether what the assistant's tools lean on is there: calendars, databases, bookings, servers.

None of it is loaded, or asked, where its section is absent.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from anyio import to_thread

from parlour.app.bookingsection import Bookings
from parlour.app.calendarsection import Calendar
from parlour.app.databasesection import Database
from parlour.app.doctor.findings import Check, Finding, Verdict
from parlour.app.requestsection import Weather
from parlour.app.sections import Config
from parlour.errors import ConfigError

CALENDAR_S = 15.0  # a server may have to be asked thrice before its calendar is found
PACKAGE_S = 10.0
WEB_S = 1.0  # nobody is asked
STOP_S = 5.0  # for a program that does not want to end
SOME_NAMES = 8  # so many tools are named in a line
SECTIONS = ("calendars", "databases", "requests", "weather", "bookings", "tools", "mcp")


def unused_sections(config: Config) -> Iterator[Finding]:
    """Tools are for a language model, and without one nobody calls them."""
    there = [name for name in SECTIONS if getattr(config, name)]
    if there and config.llm.provider == ["none"]:
        said = f"nobody uses {', '.join(there)}: there is no language model"
        yield Finding("tools", Verdict.WARN, said, "set llm.provider and llm.model")


def tool_checks(config: Config) -> Iterator[Check]:
    for name, calendar in config.calendars.items():
        look = partial(_calendar, name, calendar, config.time_zone)
        yield Check(f"calendar {name}", look, CALENDAR_S, _calendar_mend(name, calendar))
    for name, database in config.databases.items():
        # The first that it does not answer in time is the last that it is asked.
        deadline_s = database.deadline_s * 2 + len(database.queries)
        look = partial(_database, name, database)
        yield Check(f"database {name}", look, deadline_s, f"check databases.{name}.url")
    if config.requests:
        yield Check("requests", partial(_requests, config), WEB_S)
    if config.weather is not None:
        yield Check("weather", partial(_weather, config.weather), WEB_S)
    for name, bookings in config.bookings.items():
        look = partial(_bookings, name, bookings)
        mend = f"is it running, and are bookings.{name}.url and api_key right?"
        yield Check(f"bookings {name}", look, 2 * bookings.deadline_s + 1, mend)
    for name, own in config.tools.items():
        yield Check(f"tools {name}", partial(_package, name, own), PACKAGE_S, _package_mend(name))
    for name, server in config.mcp.items():
        what = "command" if server.command else "url"
        mend = f"check mcp.{name}.{what}"
        yield Check(f"mcp {name}", partial(_mcp, config, name), server.start_s + STOP_S, mend)


async def _calendar(name: str, section: Calendar, time_zone: str | None) -> Sequence[Finding]:
    from parlour.app.calendars import check_calendar  # noqa: PLC0415  # only where there is one

    wrong = await check_calendar(name, section, time_zone)
    if wrong:
        mend = _calendar_mend(name, section)
        return [Finding(f"calendar {name}", Verdict.BAD, wrong, mend)]
    return [Finding(f"calendar {name}", Verdict.OK, "can be read")]


def _calendar_mend(name: str, section: Calendar) -> str:
    keys = "ics" if section.ics is not None else "url, username and password"
    return f"check calendars.{name}: {keys}"


async def _database(name: str, section: Database) -> Sequence[Finding]:
    from parlour.app.databases import check_database  # noqa: PLC0415  # as above

    subject = f"database {name}"
    told = await check_database(name, section)
    if not told:
        count = len(section.queries)
        right = "its query is right" if count == 1 else f"its {count} queries are right"
        return [Finding(subject, Verdict.OK, f"answers, and {right}")]
    return [Finding(subject, Verdict.BAD, text, _database_mend(name, text)) for text in told]


def _database_mend(name: str, said: str) -> str:
    query = re.match(rf"databases\.{name}\.queries\.\w+", said)
    return f"correct {query[0]}.sql" if query else f"check databases.{name}.url"


async def _requests(config: Config) -> Sequence[Finding]:
    hosts = dict.fromkeys(
        _host(request.url.get_secret_value()) for request in config.requests.values()
    )
    count = len(config.requests)
    what = "one is" if count == 1 else f"{count} are"
    return [Finding("requests", Verdict.OK, f"{what} declared, to {_some(hosts)}; none was made")]


async def _weather(section: Weather) -> Sequence[Finding]:
    from parlour.app.requests import weather_options  # noqa: PLC0415  # as above

    said = f"{_host(weather_options(section).url)} is told where you live; it was not asked now"
    return [Finding("weather", Verdict.OK, said)]


async def _bookings(name: str, section: Bookings) -> Sequence[Finding]:
    from parlour.app.bookings import check_bookings  # noqa: PLC0415  # as above

    services, times = await check_bookings(name, section, datetime.now(UTC).astimezone().date())
    if not services:
        mend = "enter what can be booked at its server"
        return [Finding(f"bookings {name}", Verdict.WARN, "answers, and offers nothing", mend)]
    said = f"answers: {services} services, and {times} free times of the first one today or next"
    return [Finding(f"bookings {name}", Verdict.OK, said)]


async def _package(name: str, own: dict[str, object]) -> Sequence[Finding]:
    from parlour.app.plugins import plugin_tools  # noqa: PLC0415  # as above

    try:
        # Somebody else's code, which may take its time.
        make = partial(plugin_tools, {name: own})
        tools = await to_thread.run_sync(make, abandon_on_cancel=True)
    except ConfigError as error:
        said = str(error).removeprefix(f"tools.{name}: ")
        return [Finding(f"tools {name}", Verdict.BAD, said, _package_mend(name))]
    names = [tool.spec.name for tool in tools]
    return [Finding(f"tools {name}", Verdict.OK, f"brings {_some(names)}")]


def _package_mend(name: str) -> str:
    return f"install the package that offers {name}, or correct tools.{name}"


async def _mcp(config: Config, name: str) -> Sequence[Finding]:
    from parlour.app.mcpservers import check_server  # noqa: PLC0415  # as above

    names, note = await check_server(config, name)
    said = f"offers {_some(names)}" if names else "offers no tool that may be used"
    if note:
        verdict = Verdict.WARN if names else Verdict.BAD
        mend = f"parlour mcp approve {name}" if "mcp approve" in note else f"see mcp.{name}.tools"
        return [Finding(f"mcp {name}", verdict, f"{said}; {note}", mend)]
    return [Finding(f"mcp {name}", Verdict.OK, said)]


def _host(url: str) -> str:
    """Without the rest, which may hold a key."""
    return urlsplit(url).hostname or "?"


def _some(names: Sequence[str] | dict[str, None]) -> str:
    every = list(names)
    more = f" and {len(every) - SOME_NAMES} more" if len(every) > SOME_NAMES else ""
    return ", ".join(every[:SOME_NAMES]) + more if every else "nothing"
