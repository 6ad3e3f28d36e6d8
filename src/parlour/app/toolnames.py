"""What the tools are called that a configuration makes, and that no two have one name."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from parlour.app.configfile import KeyPath, key_text
from parlour.app.sections import Config
from parlour.app.toolvalues import check_names
from parlour.errors import ConfigError
from parlour.ports import Tool, ToolSpec
from parlour.tools.mcp.options import EVERY
from parlour.tools.mcp.schema import UnusableError, tool_name

# Names that never change; here, so that a configuration is checked without loading what has them.
HOME = ("act", "set", "get", "read_text", "timer", "alarm", "ask", "announce")
MEMORY = ("remember", "recall", "list_facts", "forget_fact")
CALENDARS = (
    "calendar_next",
    "calendar_day",
    "calendar_add",
    "calendar_move",
    "calendar_delete",
)
BOOKINGS = ("booking_slots", "booking_book", "booking_cancel")
WEATHER = ("weather",)

_OURS: KeyPath = ()  # nobody can rename these


def declared(config: Config) -> Iterator[tuple[str, KeyPath]]:
    """The name of every tool that a configuration makes, as far as that is known from it alone,
    and the key that makes it: () for what is always there."""
    for name in (*HOME, *MEMORY):
        yield name, _OURS
    for key, names in (("calendars", CALENDARS), ("bookings", BOOKINGS), ("weather", WEATHER)):
        if getattr(config, key):
            for name in names:
                yield name, (key,)
    for database, section in config.databases.items():
        for query in section.queries:
            yield f"{database}_{query}", ("databases", database, "queries", query)
    for name in config.requests:
        yield name, ("requests", name)
    for server, options in config.mcp.items():
        for offered in options.tools:
            if offered != EVERY:
                try:
                    yield tool_name(server, offered), ("mcp", server)
                except UnusableError:
                    continue  # it is left out when its server is asked


def clashes(config: Config) -> Iterator[tuple[str, KeyPath, KeyPath]]:
    """Names that two tools have: the name, the key to change, and the other one's."""
    first: dict[str, KeyPath] = {}
    for name, key in declared(config):
        if first.setdefault(name, key) != key:
            yield name, key, first[name]


def owner_text(key: KeyPath) -> str:
    """Whose a name is, in words."""
    return key_text(key) if key else "Parlour's own"


def check_tools(sections: Mapping[str, Sequence[Tool]], config: Config) -> None:
    """Raises ConfigError for two tools of one name; `sections` has them by what brings them."""
    known = dict(reversed(list(declared(config))))
    named = [(tool.spec.name, section) for section, made in sections.items() for tool in made]
    specs = [ToolSpec(name, "", {}) for name in HOME]
    specs += [tool.spec for made in sections.values() for tool in made]
    try:
        check_names(specs)
    except ValueError as error:
        counted = Counter(spec.name for spec in specs)
        twice = next((name for name, count in counted.items() if count > 1), "")
        whose = [section for name, section in named if name == twice]
        if twice in known:
            key = known[twice]
            whose = [owner_text(key), *(s for s in whose if not key or s != key[0])]
        where = " and ".join(dict.fromkeys(whose)) or "tools"
        raise ConfigError(f"{where}: {error}; rename one of them") from error
