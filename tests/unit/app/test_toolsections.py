"""The sections of tools in config.yml: each mistake in a line of its own, and no secret shown."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import anyio
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parlour.app import plugins
from parlour.app.agent import open_mind
from parlour.app.config import FILE_NAME, parse, read
from parlour.app.databasesection import PostgresPlace, SqlitePlace, parse_database_url
from parlour.app.reference import effective, effective_json
from parlour.app.sections import Config
from parlour.app.toolnames import check_tools, declared
from parlour.errors import ConfigError
from parlour.ports import Arguments, Order, Tool, ToolResult, ToolSpec
from parlour.supervise import Stages
from toolhouse import Kit

ENVIRON = {"PW": "hunter2@/:x", "KEY": "hunter2"}
SHOP = "databases: {shop: {url: 'sqlite:///s.db', queries: {stock: {description: d, %s}}}}"
BUS = "requests: {bus: {description: d, %s}}"


def config(text: str) -> Config:
    return parse(text, ENVIRON)[0]


def lines(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, ENVIRON)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHOP % "sql: DELETE FROM t", "databases.shop.queries.stock.sql: must begin with SELECT or WITH: a query only reads (is 'DELETE FROM t')"),
        (SHOP % "sql: 'SELECT 1; SELECT 2'", "databases.shop.queries.stock.sql: must be one statement; leave out what follows the semicolon (is 'SELECT 1; SELECT 2')"),
        (SHOP % "sql: 'SELECT :a'", "databases.shop.queries.stock.sql: uses :a, which is not among its parameters (is 'SELECT :a')"),
        (SHOP % "sql: 'SELECT 1', parameters: {a: {}}", "databases.shop.queries.stock.sql: does not use its parameter a; write it as :a (is 'SELECT 1')"),
        (SHOP % "sql: 'SELECT :a', parameters: {a: {typ: string}}", "databases.shop.queries.stock.parameters.a.typ: unknown key; did you mean databases.shop.queries.stock.parameters.a.type?"),
        (SHOP % "sql: 'SELECT :a', parameters: {a: {type: text}}", "databases.shop.queries.stock.parameters.a.type: must be string, integer, number, boolean, date or time (is 'text')"),
        (SHOP % "sql: SELECT 1, most_rows: 500", "databases.shop.queries.stock.most_rows: must be a whole number between 1 and 200 (is 500)"),
        (SHOP % "sq: SELECT 1, sql: SELECT 1", "databases.shop.queries.stock.sq: unknown key; did you mean databases.shop.queries.stock.sql?"),
        ("databases: {shop: {url: 'sqlite:///s.db', queries: {Stock 1: {description: d, sql: SELECT 1}}}}", "databases.shop.queries.Stock 1: must be 1 to 19 lower-case letters, digits and underscores, such as bus_2"),
        ("databases: {shop: {url: 'sqlite:///s.db'}}", "databases.shop.queries: is missing"),
        ("databases: {shop: {url: 'mysql://me:${KEY}@h/d', queries: {}}}", "databases.shop.url: must look like sqlite:///folder/file.db or postgresql://user:password@host/database"),
        ("databases: {shop: {url: 'sqlite:///s.db', queries: {q: {description: d, sql: 'SELECT $$;$$'}}}}", "databases.shop.queries: q must be one statement; leave out what follows the semicolon (is a section)"),
        (BUS % "url: 'https://{host}/x', parameters: {host: {}}", "requests.bus.url: must name a host of yours, with neither a login nor a parameter in it"),
        (BUS % "url: 'https://h/{a}'", "requests.bus.url: uses {a}, which is not among the parameters"),
        (BUS % "url: 'https://h/', parameters: {a: {}}", "requests.bus.url: does not use the parameter a, nor does the body"),
        (BUS % "url: 'https://h/{a}', parameters: {a: {required: false}}", "requests.bus.url: has {a} in its path, so that it cannot be left out"),
        (BUS % "url: 'https://h/', body: {a: b}", "requests.bus.body: is nothing that a GET can send; use POST (is a section)"),
        (BUS % "url: 'https://h/', method: POST, body: {a: '{b}'}", "requests.bus.body: uses {b}, which is not among the parameters (is a section)"),
        (BUS % "url: 'https://h/', method: POST, question: 'Do {it}?'", "requests.bus.question: uses {it}, which is not among the parameters (is 'Do {it}?')"),
        (BUS % "url: 'https://h/', method: HEAD", "requests.bus.method: must be GET, POST, PUT, PATCH or DELETE (is 'HEAD')"),
        (BUS % "url: 'https://h/', pick: 'a['", "requests.bus.pick: cannot be read from character 2 on (is 'a[')"),
        (BUS % "url: 'https://h/', headers: {Host: evil}", "requests.bus.headers: may not set Host (is a section)"),
        (BUS % 'url: "https://h/", headers: {A: "hunter2\\nB: c"}', "requests.bus.headers: must have text of one line under A; put it in quotes (is a section)"),
        (BUS % "url: 'https://h/', tier: 4", "requests.bus.tier: must be a whole number between 0 and 3 (is 4)"),
        ("weather: {latitude: 91, longitude: 0}", "weather.latitude: must be between -90.0 and 90.0 (is 91)"),
        ("bookings: {b: {}}", "bookings.b.url: is missing"),
        ("bookings: {b: {url: 'http://h', api_kee: x}}", "bookings.b.api_kee: unknown key; did you mean bookings.b.api_key?"),
        ("tools: {x: y}", "tools.x: must be a section of `key: value` lines (is 'y')"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_names_the_key_and_the_mend(text: str, said: str) -> None:
    assert lines(text) == [f"{FILE_NAME}: {said}"]


def test_no_error_and_no_listing_shows_a_secret(tmp_path: Path) -> None:
    text = """
databases: {shop: {url: "postgresql://me:hunter2@h/d", queries: {q: {description: d, sql: SELECT 1}}}}
requests: {bus: {description: d, url: "https://h/?key=hunter2", headers: {Authorization: Bearer hunter2}}}
bookings: {barber: {url: "https://h", api_key: hunter2}}
tools: {own: {api_key: hunter2, place: Berlin}}
"""
    path = tmp_path / FILE_NAME
    path.write_text(text)
    loaded = read(path, ENVIRON)
    for shown in (effective(loaded), effective_json(loaded), repr(loaded.config)):
        assert "hunter2" not in shown
    for wrong in (
        "databases: {shop: {url: 'postgresql://me:hunter2', queries: {}}}",
        "requests: {bus: {description: d, url: 'ftp://h/?key=hunter2'}}",
        "requests: {bus: {description: d, url: 'https://h/', headers: {A: [hunter2]}}}",
        "bookings: {b: {url: 'https://h', api_key: 'hunter2 x'}}",
    ):
        assert "hunter2" not in "\n".join(lines(wrong))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///srv/shop.db", SqlitePlace(Path("/srv/shop.db"))),
        ("sqlite:////srv/my%20shop.db", SqlitePlace(Path("/srv/my shop.db"))),
        ("sqlite:///~/shop.db", SqlitePlace(Path("~/shop.db").expanduser())),
        ("postgresql://h/d", PostgresPlace("h", 5432, "d")),
        ("postgres://me@h:99/d", PostgresPlace("h", 99, "d", "me")),
        ("postgresql://me:p@ss/w:rd%25@[::1]:99/d", PostgresPlace("::1", 99, "d", "me", "p@ss/w:rd%")),
        ("postgresql:///d?host=/run/pg", PostgresPlace("/run/pg", 5432, "d")),
        ("postgresql://h/d?sslmode=verify-full", PostgresPlace("h", 5432, "d", tls="verify-full")),
    ],
)  # fmt: skip
def test_the_url_of_a_database_says_where_it_is(
    url: str, place: SqlitePlace | PostgresPlace
) -> None:
    found = parse_database_url(url)
    assert found == place
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize(
    "url",
    ["", "sqlite:x.db", "sqlite:///", "postgresql://h", "postgresql://h:0/d", "postgresql:///d",
     "postgresql://h/d?sslmode=maybe", "postgresql://h/d?passfile=x"],
)  # fmt: skip
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_database_url(url)


def test_a_server_without_these_tools_loads_none_of_their_packages() -> None:
    program = (
        "import sys, parlour.app.sections, parlour.app.databases, parlour.app.plugins\n"
        "sys.exit(', '.join({'asyncpg', 'httpx', 'babel', 'sqlite3'} & sys.modules.keys()))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.stderr.strip() == ""


KEYS = [
    "shop", "bus", "url", "queries", "sql", "parameters", "description", "type", "choices", "body",
    "headers", "question", "pick", "tier", "method", "name", "most_rows", "latitude", "x",
]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(max_codepoint=0xD7FF), max_size=8)
    | st.sampled_from(
        ["sqlite:///x.db", "postgresql://h/d", "https://h/{name}", "SELECT :name", "POST", "${KEY}"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=6)
    ),
    max_leaves=12,
)
SECTIONS = st.sampled_from(["databases", "requests", "weather", "bookings", "tools"])


@settings(deadline=None)
@given(st.dictionaries(SECTIONS, VALUES, min_size=1, max_size=3))
@example({"databases": {"shop": {"url": "sqlite:///x", "queries": {"x": {"parameters": 1}}}}})
@example({"requests": {"bus": {"url": "https://h/", "body": {"x": "{"}, "method": "POST"}}})
def test_whatever_values_a_file_holds_it_is_a_config_or_a_config_error(
    values: dict[str, object],
) -> None:
    try:
        found = config(yaml.safe_dump(values, allow_unicode=True))
    except ConfigError as error:
        said = str(error).splitlines()
        assert said
        assert all(one.startswith(f"{FILE_NAME}: ") for one in said)
    else:
        assert isinstance(found, Config)


# ---------------------------------------------------------------- packages


async def _run(arguments: Arguments, order: Order) -> ToolResult:
    return ToolResult("done")


def _tool(name: str) -> Tool:
    return Tool(ToolSpec(name, "d", {}), _run)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("parlour_own_tools")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def installed(function: str = "make", name: str = "own") -> list[EntryPoint]:
    return [EntryPoint(name, f"parlour_own_tools:{function}", plugins.GROUP)]


def test_a_package_makes_tools_of_its_settings(package: ModuleType) -> None:
    package.make = lambda settings: [_tool(f"own_{settings['place']}")]  # type: ignore[attr-defined]
    tools = plugins.plugin_tools({"own": {"place": "berlin"}}, installed())
    assert [tool.spec.name for tool in tools] == ["own_berlin"]
    assert plugins.plugin_tools({}) == []


@pytest.mark.parametrize(
    ("function", "made", "said"),
    [
        ("gone", None, "tools.own: parlour_own_tools cannot be loaded: AttributeError: module"),
        ("make", "text", "tools.own: parlour_own_tools:make of parlour_own_tools is no function"),
        ("make", lambda _: None, "must return a list of parlour.ports.Tool"),
        ("make", lambda _: [_tool("My Tool")], "'My Tool' is no name of a tool"),
        ("make", lambda _: [_tool("a"), _tool("a")], "two tools are called a"),
        ("make", lambda settings: settings["place"], "parlour_own_tools failed: KeyError: 'place'"),
    ],
)
def test_a_package_that_fails_is_named(
    package: ModuleType, function: str, made: object, said: str
) -> None:
    package.make = made  # type: ignore[attr-defined]
    with pytest.raises(ConfigError) as caught:
        plugins.plugin_tools({"own": {}}, installed(function))
    assert said in str(caught.value)


def test_a_package_that_is_not_installed_is_answered_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="tools.own: no installed package offers tools; install"):
        plugins.plugin_tools({"own": {}}, [])
    with pytest.raises(ConfigError, match="there is garden; did you mean garden"):
        plugins.plugin_tools({"gardn": {}}, installed(name="garden"))


# ---------------------------------------------------------------- two tools of one name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("requests: {timer: {description: d, url: 'https://h/'}}", "requests.timer: the tool timer is called as one of Parlour's own; rename it"),
        (SHOP % "sql: SELECT 1" + "\nrequests: {shop_stock: {description: d, url: 'https://h/'}}", "requests.shop_stock: the tool shop_stock is called as one of databases.shop.queries.stock; rename it"),
        ("weather: {latitude: 1, longitude: 1}\nrequests: {weather: {description: d, url: 'https://h/'}}", "requests.weather: the tool weather is called as one of weather; rename it"),
        (SHOP % "sql: SELECT 1" + "\nmcp: {shop: {command: [x], tools: [Stock]}}", "mcp.shop: the tool shop_stock is called as one of databases.shop.queries.stock; rename it"),
    ],
)  # fmt: skip
def test_two_tools_of_one_name_are_found_without_opening_anything(text: str, said: str) -> None:
    assert lines(text) == [f"{FILE_NAME}: {said}"]


def test_servers_may_name_a_tool_twice_and_there_is_one() -> None:
    config("mcp: {files: {command: [x], tools: [read, read]}}")


def test_the_tools_of_a_package_may_not_be_called_as_those_of_a_section() -> None:
    asked = config(SHOP % "sql: SELECT 1")
    with pytest.raises(ConfigError) as caught:
        check_tools({"databases": [_tool("shop_stock")], "tools.own": [_tool("shop_stock")]}, asked)
    assert str(caught.value) == (
        "databases.shop.queries.stock and tools.own: two tools are called shop_stock; rename one of"
        " them"
    )
    with pytest.raises(
        ConfigError, match=r"^Parlour's own and tools.own: two tools are called act"
    ):
        check_tools({"tools.own": [_tool("act")]}, asked)
    check_tools({"tools.own": [_tool("own")]}, asked)


def test_the_names_that_never_change_are_those_of_the_tools(tmp_path: Path) -> None:
    async def made() -> list[str]:
        asked = config(
            f"data: {{folder: {tmp_path}}}\nllm: {{provider: ollama, model: x}}\n"
            f"calendars: {{a: {{url: 'https://h/'}}, b: {{ics: {tmp_path}/b.ics}}}}\n"
            "weather: {latitude: 1, longitude: 1}\nbookings: {shop: {url: 'https://h/'}}\n"
        )
        async with open_mind(asked, Stages()) as mind:
            kit = Kit()
            own = [*kit.by_name.values(), *mind.tools]
            assert [name for name, _ in declared(asked)]
            assert {name for name, _ in declared(asked)} == {tool.spec.name for tool in own}
            return [tool.spec.name for tool in own]

    names = anyio.run(made)
    assert len(set(names)) == len(names)
