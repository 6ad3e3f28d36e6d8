"""Every finding has its verdict, and what is bad has its mend."""

import json
import socketserver
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

import virtual_time
from parlour.app.config import parse
from parlour.app.doctor.findings import Check, Finding, Verdict, look_at
from parlour.app.doctor.services import service_checks
from parlour.app.doctor.tools import tool_checks, unused_sections
from parlour.app.sections import Config


def _doctor(folder: Path, config: str) -> tuple[int, dict[str, dict[str, Any]]]:
    (folder / "config.yml").write_text(config)
    ended = subprocess.run(
        [sys.executable, "-m", "parlour", "doctor", "--json"],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=50,
        text=True,
    )
    findings = json.loads(ended.stdout)["findings"]
    return ended.returncode, {finding["subject"]: finding for finding in findings}


def _scripted(folder: Path, config: str) -> str:
    """Engines that the configuration does not name work by a script, and start at once."""
    (folder / "script.json").write_text("{}")
    lines = [config, f"script: {{path: {folder / 'script.json'}}}"]
    lines += [f"{k}: {{provider: scripted}}" for k in ("stt", "tts") if f"{k}: " not in config]
    return "\n".join(lines) + "\n"


def test_the_default_is_well(tmp_path: Path) -> None:
    code, found = _doctor(tmp_path, "server: {port: 0}\n")
    assert code == 0
    assert {"python", "libopus", "disk", "port", "hearing", "speaking", "broker", "data"} <= set(
        found
    )
    assert found["hearing"]["said"].startswith("pocketsphinx hears")


@pytest.mark.parametrize(
    ("config", "subject", "said", "mend"),
    [
        (
            "stt: {provider: whisper_local}",
            "hearing",
            "is not here",
            "parlour models pull whisper/base",
        ),
        (
            "tts: {provider: piper}",
            "model",
            "en_US-norman-medium is not here (6",
            "parlour models pull piper/en_US-norman-medium",
        ),
        (
            "mqtt: {url: 'mqtt://127.0.0.1:9'}",
            "broker",
            "127.0.0.1:9",
            "is it running, and are mqtt.url's name and password right?",
        ),
        ("data: {folder: config.yml/inside}", "data", "config.yml is no folder", "set data.folder"),
        (
            "llm: {provider: ollama, model: x, base_url: 'http://127.0.0.1:9'}",
            "language model",
            "nobody answers at http://127.0.0.1:9",
            "",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_mend(
    config: str, subject: str, said: str, mend: str, tmp_path: Path
) -> None:
    folder = f"models: {{folder: {tmp_path}}}\nserver: {{port: 0}}\n"
    code, found = _doctor(tmp_path, _scripted(tmp_path, folder + config))
    assert code == 1
    assert found[subject]["verdict"] == "bad"
    assert said in found[subject]["said"]
    assert found[subject]["mend"] == mend


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (b"+PONG\r\n", 0, "answers"),
        (b"-NOAUTH Authentication required.\r\n", 1, "NOAUTH"),
        (b"", 1, "no answer"),
    ],
)
def test_redis_is_asked_where_it_is_configured(
    answer: bytes, code: int, said: str, tmp_path: Path
) -> None:
    asked: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(100))
            self.request.sendall(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        port = server.server_address[1]
        config = f"server: {{port: 0}}\nredis: {{url: 'redis://127.0.0.1:{port}/0'}}\n"
        ended, found = _doctor(tmp_path, _scripted(tmp_path, config))
        server.shutdown()
    assert ended == code
    assert said in found["redis"]["said"]
    assert asked == [b"*1\r\n$4\r\nPING\r\n"]


SHOP = """
databases:
  shop:
    url: sqlite://{folder}/shop.db
    queries:
      stock: {{description: d, sql: "SELECT name FROM stock WHERE name = :name", parameters: {{name: {{}}}}}}
      wrong: {{description: d, sql: SELECT nmae FROM stock}}
      worse: {{description: d, sql: SELECT 1 FROM nowhere}}
"""
TOOLS = """
agent: {{persona: {folder}/persona.yaml}}
calendars: {{bins: {{ics: {folder}/bins.ics}}}}
requests:
  bus: {{description: d, url: "https://bus.example/next?key=s3cret"}}
weather: {{latitude: 1, longitude: 2}}
tools: {{garden: {{}}}}
mcp: {{files: {{command: [no-such-program], tools: [read]}}}}
"""


def findings(config: str) -> list[Finding]:
    async def look() -> list[Finding]:
        every = parse(config, {})[0]
        return await look_at([*service_checks(every), *tool_checks(every)])

    return anyio.run(look)


def test_every_query_is_prepared_and_what_is_wrong_is_named(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("CREATE TABLE stock (name TEXT)")
    told = [one for one in findings(SHOP.format(folder=tmp_path)) if one.subject != "broker"]
    assert [(one.subject, one.said, one.mend) for one in told] == [
        (
            "database shop",
            "databases.shop.queries.wrong cannot be run: no such column: nmae",
            "correct databases.shop.queries.wrong.sql",
        ),
        (
            "database shop",
            "databases.shop.queries.worse cannot be run: no such table: nowhere",
            "correct databases.shop.queries.worse.sql",
        ),
    ]


def test_a_database_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    _, only = findings(SHOP.format(folder=tmp_path))
    assert only.said == f"there is no file {tmp_path}/shop.db"
    assert only.mend == "check databases.shop.url"


def test_what_the_tools_lean_on_is_looked_at_and_no_secret_is_shown(tmp_path: Path) -> None:
    told = {one.subject: one for one in findings(TOOLS.format(folder=tmp_path))}
    bad = {subject for subject, one in told.items() if one.verdict is Verdict.BAD}
    assert bad == {"persona", "calendar bins", "tools garden", "mcp files"}
    assert all(told[subject].mend for subject in bad)
    assert told["requests"].said == "one is declared, to bus.example; none was made"
    assert told["weather"].said.startswith("api.open-meteo.com is told where you live")
    assert "s3cret" not in str(told)
    (tmp_path / "persona.yaml").write_text("name: Ada\nstyle: Be short.\n")
    (tmp_path / "bins.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n"
    )
    told = {one.subject: one for one in findings(TOOLS.format(folder=tmp_path))}
    assert told["persona"].said == "Ada can be read"
    assert told["calendar bins"].said == "can be read"


def test_where_a_section_is_absent_nothing_is_looked_at() -> None:
    assert [one.subject for one in findings("server: {port: 0}")] == ["broker"]
    assert list(unused_sections(Config())) == []


def test_tools_that_nobody_calls_are_a_warning(tmp_path: Path) -> None:
    (only,) = unused_sections(parse(SHOP.format(folder=tmp_path), {})[0])
    assert only.verdict is Verdict.WARN
    assert only.said == "nobody uses databases: there is no language model"


def test_those_that_do_not_answer_are_waited_for_at_the_same_time() -> None:
    async def at_once() -> list[Finding]:
        return [Finding("quick", Verdict.OK, "well")]

    async def never() -> list[Finding]:
        await anyio.sleep_forever()
        raise AssertionError

    async def look() -> tuple[list[Finding], float]:
        began_s = anyio.current_time()
        slow = [Check(f"slow {n}", never, 5.0, "wake it") for n in range(3)]
        found = await look_at([*slow, Check("quick", at_once, 5.0)])
        return found, anyio.current_time() - began_s

    (*slow, quick), took_s = virtual_time.run(look)
    assert took_s == pytest.approx(5.0)
    assert {(one.verdict, one.said, one.mend) for one in slow} == {
        (Verdict.BAD, "no answer within 5 s", "wake it")
    }
    assert quick.verdict is Verdict.OK
