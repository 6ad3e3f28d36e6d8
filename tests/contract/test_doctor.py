"""`parlour doctor` on real servers of every kind that the assistant's tools lean on."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from parlour.app.config import parse
from parlour.app.doctor.findings import Finding, Verdict, look_at
from parlour.app.doctor.services import service_checks
from parlour.app.doctor.tools import tool_checks
from parlour.app.mcpservers import pins_of
from postgres_server import postgres_server
from radicale_server import PASSWORD, USER, radicale
from redis_server import needs_redis, redis_server
from test_bookings import KEY, shop

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

HERE = Path(__file__).parent


async def found(folder: Path, subject: str, **sections: object) -> list[Finding]:
    """What is said about one of the sections."""
    config, _ = parse(yaml.safe_dump({"data": {"folder": str(folder)}, **sections}), {})
    every = await look_at([*service_checks(config), *tool_checks(config)])
    return [finding for finding in every if finding.subject == subject]


async def one(folder: Path, subject: str, **sections: object) -> Finding:
    (only,) = await found(folder, subject, **sections)
    return only


@needs_redis
async def test_redis_is_asked_for_its_search_module_where_the_memory_needs_it(
    tmp_path: Path,
) -> None:
    async with redis_server(tmp_path) as server:
        redis = {"url": server.url}
        well = await one(tmp_path, "redis", redis=redis, memory={"store": "redis"})
        assert well.verdict is Verdict.OK
        needy = await one(tmp_path, "redis", redis=redis, memory={"store": "redis_search"})
    assert needy.verdict is Verdict.BAD
    assert "has no search module" in needy.said
    assert needy.mend.startswith("set memory.store: redis")


async def test_a_shop_is_asked_for_its_free_times(tmp_path: Path) -> None:
    async with shop(tmp_path) as url:
        barber = {"url": url, "api_key": KEY}
        well = await one(tmp_path, "bookings barber", bookings={"barber": barber})
        wrong = {"url": url, "api_key": "another"}
        refused = await one(tmp_path, "bookings barber", bookings={"barber": wrong})
    assert well.verdict is Verdict.OK
    assert well.said.startswith("answers: ")
    assert refused.verdict is Verdict.BAD
    assert "bookings.barber.api_key" in refused.said
    assert "bookings.barber.url" in refused.mend
    away = await one(tmp_path, "bookings barber", bookings={"barber": barber})
    assert (away.verdict, away.said) == (Verdict.BAD, "nobody answers there")


async def test_a_calendar_whose_password_is_wrong_is_named_with_its_keys(tmp_path: Path) -> None:
    async with radicale(tmp_path) as server:
        login = {"url": await server.make("family"), "username": USER}
        calendars = {
            "family": {**login, "password": PASSWORD},
            "work": {**login, "password": "wr0ng"},
        }
        well = await one(tmp_path, "calendar family", calendars=calendars)
        wrong = await one(tmp_path, "calendar work", calendars=calendars)
    assert (well.verdict, well.said) == (Verdict.OK, "can be read")
    assert wrong.said == "the server does not accept the user name or the password"
    assert wrong.mend == "check calendars.work: url, username and password"


async def test_a_column_that_is_not_there_is_found_and_nothing_is_read(tmp_path: Path) -> None:
    with postgres_server() as server:
        server.sql("CREATE TABLE stock (name TEXT); GRANT SELECT ON stock TO reader")
        queries = {
            "all": {"description": "d", "sql": "SELECT name FROM stock"},
            "wrong": {"description": "d", "sql": "SELECT nmae FROM stock"},
        }
        shop = {"shop": {"url": server.url(), "queries": queries}}
        wrong = await one(tmp_path, "database shop", databases=shop)
        del queries["wrong"]
        well = await one(tmp_path, "database shop", databases=shop)
        stranger = {"shop": {"url": server.url(password="no"), "queries": queries}}
        refused = await one(tmp_path, "database shop", databases=stranger)
    assert wrong.said.startswith("databases.shop.queries.wrong cannot be run: column")
    assert wrong.mend == "correct databases.shop.queries.wrong.sql"
    assert well.said == "answers, and its query is right"
    assert (refused.verdict, refused.mend) == (Verdict.BAD, "check databases.shop.url")


async def test_a_server_of_tools_is_started_and_nothing_is_pinned_by_it(tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "mcp_well_behaved.py"), "stdio"]
    files = {
        "command": command,
        "environment": {"NOTES": str(tmp_path / "notes")},
        "tools": ["add", "gone"],
    }
    half = await one(tmp_path, "mcp files", mcp={"files": files})
    assert half.verdict is Verdict.WARN
    assert half.said.startswith("offers files_add; it does not offer gone; mcp.files.tools may")
    config, _ = parse(yaml.safe_dump({"data": {"folder": str(tmp_path)}}), {})
    assert pins_of(config).pins() == []
    files["tools"] = ["add"]
    well = await one(tmp_path, "mcp files", mcp={"files": files})
    assert (well.verdict, well.said) == (Verdict.OK, "offers files_add")


async def test_a_tool_that_was_approved_differently_waits_for_its_owner(tmp_path: Path) -> None:
    pin = {"approved": "another", "offered": "another", "description": "Add."}
    servers = {"files": {"every": False, "tools": {"add": pin}, "offers": ["add"]}}
    (tmp_path / "mcp_pins.json").write_text(json.dumps({"version": 1, "servers": servers}))
    before = (tmp_path / "mcp_pins.json").read_bytes()
    files = {
        "command": [sys.executable, str(HERE / "mcp_well_behaved.py"), "stdio"],
        "tools": ["add"],
    }
    changed = await one(tmp_path, "mcp files", mcp={"files": files})
    assert changed.verdict is Verdict.BAD
    assert "add (changed)" in changed.said
    assert changed.mend == "parlour mcp approve files"
    assert (tmp_path / "mcp_pins.json").read_bytes() == before
