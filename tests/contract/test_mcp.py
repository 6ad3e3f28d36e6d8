"""MCP servers as real processes: what they offer, what they do wrong, and what is left of them."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import anyio
import psutil
import pytest

from parlour import tasks
from parlour.app.config import parse
from parlour.app.mcpservers import McpServers
from parlour.errors import ConfigError, ProviderError, ToolError
from parlour.ids import DeviceId, StageName, TurnId
from parlour.ports import Order, Place, Tool, Utterance
from parlour.supervise import Health, RestartRule, Stage, Stages, keep_running
from parlour.tools.mcp.options import McpOptions
from parlour.tools.mcp.pins import FILE, Pins
from parlour.tools.mcp.server import MOST_CALLS, McpServer

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
ORDER = Order(Utterance(TurnId("t"), "x", "en", Place(DeviceId("d"))), "key")
AT_ONCE = RestartRule(first_s=0.01, longest_s=0.05, failures=99)


def well_behaved(folder: Path, *tools: str) -> McpOptions:
    return McpOptions(
        "files",
        command=(sys.executable, str(HERE / "mcp_well_behaved.py"), "stdio"),
        environment={"NOTES": str(folder / "notes")},
        tools=tools or ("*",),
    )


def rogue(way: str) -> McpOptions:
    return McpOptions(
        "rogue",
        command=(sys.executable, str(HERE / "mcp_rogue.py"), way),
        tools=("hello",),
        deadline_s=2.0,
        start_s=5.0,
    )


class House:
    """A server that is kept running, and its stage."""

    def __init__(self, options: McpOptions, pins: Pins | None = None) -> None:
        self.server = McpServer(options, pins or Pins())
        self.stage = Stage(StageName("mcp:files"))

    @property
    def tools(self) -> dict[str, Tool]:
        return {tool.spec.name: tool for tool in self.server.tools()}

    async def call(self, name: str, /, **arguments: object) -> str:
        return (await self.tools[f"{self.server.options.name}_{name}"].run(arguments, ORDER)).text

    async def reason(self) -> str:
        """Why the connection ended; it is not begun anew in between."""
        with anyio.fail_after(20):
            while self.stage.health is not Health.RESTARTING:  # noqa: ASYNC110 - of another task
                await anyio.sleep(0.01)
        return self.stage.reason


@asynccontextmanager
async def running(
    options: McpOptions, pins: Pins | None = None, rule: RestartRule = AT_ONCE
) -> AsyncIterator[House]:
    house = House(options, pins)
    async with tasks.task_group() as group:
        group.start_soon(keep_running, house.stage, lambda: house.server.run(house.stage), rule)
        try:
            yield house
        finally:
            group.cancel_scope.cancel()


@asynccontextmanager
async def connected(options: McpOptions, pins: Pins | None = None) -> AsyncIterator[House]:
    async with running(options, pins, ONCE) as house:
        with anyio.fail_after(20):
            await house.stage.wait_ready()
        yield house


ONCE = RestartRule(first_s=60.0, longest_s=60.0)


def notes(folder: Path) -> list[str]:
    return (folder / "notes").read_text().split()


async def until(folder: Path, note: str) -> None:
    with anyio.fail_after(10):
        while not (folder / "notes").exists() or note not in notes(folder):  # noqa: ASYNC110
            await anyio.sleep(0.01)


def children() -> list[str]:
    """Command lines of the servers that we started and that still run."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found.append(" ".join(child.cmdline()))
    return [line for line in found if "mcp_rogue" in line or "mcp_well_behaved" in line]


# ---------------------------------------------------------------- a server that keeps its promises


async def test_its_tools_are_tools_of_the_house(tmp_path: Path) -> None:
    async with connected(well_behaved(tmp_path)) as house:
        weather = house.tools["files_weather"]
        assert weather.spec.description == "The weather of a city."
        assert weather.spec.parameters["required"] == ["city"]
        assert (weather.tier({}), weather.trusted, weather.question) == (1, False, None)
        assert await house.call("add", a=2, b=3) == "5"
        assert await house.call("picture") == "A cat:\n(image)"
        assert await house.call("weather", city="Köln") == '{"city":"Köln","days":1,"degrees":21.5}'
        assert len(await house.call("repeat", text="long ", times=5000)) == 2000
        assert house.server.tools() == house.server.tools()
        with pytest.raises(ToolError, match="fail"):
            await house.call("fail", reason="no")
        with pytest.raises(ToolError, match="integer"):
            await house.call("add", a="one", b=2)


async def test_only_what_the_owner_names_may_be_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(well_behaved(tmp_path, "add", "gone")) as house:
        assert list(house.tools) == ["files_add"]
        assert "it does not offer gone" in house.stage.reason
    async with connected(replace(well_behaved(tmp_path), tools=())) as house:
        assert house.tools == {}
    assert "mcp.files.tools may name add, environment" in caplog.text


async def test_it_gets_nothing_of_our_environment_but_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "s3cret")
    async with connected(replace(well_behaved(tmp_path), folder=tmp_path)) as house:
        found = json.loads(await house.call("environment"))
        pid, folder = (await house.call("whereabouts")).split()
    # The C library's locale is set by Python itself where none is given.
    assert found.keys() - {"LC_CTYPE"} == {"PATH", "NOTES"}
    assert Path(folder) == tmp_path
    assert not psutil.pid_exists(int(pid))


async def test_what_only_a_person_may_give_is_refused(tmp_path: Path) -> None:
    async with connected(well_behaved(tmp_path)) as house:
        assert await house.call("demand") == (
            "sampling refused (MCPError), elicitation refused (MCPError), roots refused (MCPError)"
        )


async def test_a_thousand_calls_take_no_memory(tmp_path: Path) -> None:
    async with connected(well_behaved(tmp_path)) as house:
        for number in range(100):
            await house.call("add", a=number, b=1)
        before = psutil.Process().memory_info().rss
        for number in range(1000):
            assert await house.call("add", a=number, b=1) == str(number + 1)
        assert psutil.Process().memory_info().rss - before < 2_000_000


# ---------------------------------------------------------------- waiting, and no longer waiting


async def test_whoever_no_longer_waits_is_free_at_once_and_the_server_is_told(
    tmp_path: Path,
) -> None:
    async with connected(well_behaved(tmp_path)) as house:
        with anyio.CancelScope() as scope:
            async with tasks.task_group() as group:
                group.start_soon(lambda: house.call("wait", seconds=60))
                await until(tmp_path, "waits")
                before = anyio.current_time()
                scope.cancel()
        assert anyio.current_time() - before < 0.01
        await until(tmp_path, "cancelled")
        assert await house.call("add", a=1, b=1) == "2"


async def test_a_call_has_a_deadline_that_no_progress_moves(tmp_path: Path) -> None:
    async with connected(replace(well_behaved(tmp_path), deadline_s=0.5)) as house:
        with pytest.raises(ProviderError, match="files: no answer within 0.5 s"):
            await house.call("progress", seconds=20)
        assert await house.call("add", a=1, b=1) == "2"
        assert house.stage.health is Health.READY


async def test_calls_at_once_are_limited(tmp_path: Path) -> None:
    async with connected(well_behaved(tmp_path)) as house, tasks.task_group() as group:
        for _ in range(MOST_CALLS):
            group.start_soon(lambda: house.call("wait", seconds=60))
        await until(tmp_path, "waits")
        with pytest.raises(ProviderError, match="are under way"):
            await house.call("add", a=1, b=1)
        group.cancel_scope.cancel()


async def test_a_server_that_does_not_listen_holds_nobody_up() -> None:
    async with connected(rogue("deaf")) as house:
        before = anyio.current_time()
        with anyio.move_on_after(0.2):
            await house.call("hello", text="x" * 900_000)
        assert anyio.current_time() - before < 0.3
        with pytest.raises(ProviderError):
            await house.call("hello")
        before = anyio.current_time()
    assert anyio.current_time() - before < 3.0
    assert children() == []


# ---------------------------------------------------------------- tools that change


async def test_a_tool_that_changes_is_switched_off_until_it_is_approved(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pins = Pins(tmp_path / FILE)
    async with connected(well_behaved(tmp_path, "add", "change"), pins) as house:
        before = house.server.tools()
        await house.call("change")
        await until_tools(house, ["files_change"])
        assert "add (changed)" in house.stage.reason
        assert "parlour mcp approve files" in caplog.text
        assert house.stage.health is Health.READY
        assert house.tools["files_change"] in before
        # As the command does, from another process.
        Pins(tmp_path / FILE).approve("files", "add")
        await until_tools(house, ["files_add", "files_change"])
        assert "unlock" in house.tools["files_add"].spec.description
        assert house.stage.reason == ""


async def test_a_change_while_we_were_away_is_noticed_too(tmp_path: Path) -> None:
    pins = Pins(tmp_path / FILE)
    options = well_behaved(tmp_path, "add", "change")
    async with connected(options, pins) as house:
        await house.call("change")
        await until_tools(house, ["files_change"])
        Pins(tmp_path / FILE).approve("files")
    async with connected(options, pins) as house:  # which says again what it said at first
        assert list(house.tools) == ["files_change"]


async def test_where_all_are_allowed_a_new_one_waits(tmp_path: Path) -> None:
    async with connected(well_behaved(tmp_path), Pins(tmp_path / FILE)) as house:
        before = house.server.tools()
        await house.call("grow", name="open_the_door")
        with anyio.fail_after(10):
            while not house.stage.reason:  # noqa: ASYNC110
                await anyio.sleep(0.02)
        assert "open_the_door (new)" in house.stage.reason
        assert house.server.tools() == before


async def test_pins_that_cannot_be_read_switch_the_server_off(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    server = McpServer(rogue("fine"), Pins(tmp_path / FILE))
    with pytest.raises(ConfigError, match="move it away"):
        await server.run(Stage(StageName("mcp:rogue")))
    assert server.tools() == []


async def until_tools(house: House, names: list[str]) -> None:
    with anyio.fail_after(10):
        while list(house.tools) != names:  # noqa: ASYNC110
            await anyio.sleep(0.02)


# ---------------------------------------------------------------- servers that fail


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (rogue("ends"), "rogue: its process ended with code 7"),
        (replace(rogue("silent"), start_s=0.5), "rogue: no answer within 0.5 s"),
        (McpOptions("rogue", command=("no-such-program",)), "rogue: there is no program no-such-program"),
        (replace(rogue("fine"), folder=Path("/nowhere")), "rogue: there is no folder /nowhere"),
        (replace(rogue("fine"), command=(str(HERE),)), f"rogue: {HERE} cannot be started: Permission denied"),
    ],
)  # fmt: skip
async def test_one_that_does_not_start_says_why(options: McpOptions, reason: str) -> None:
    async with running(options, rule=ONCE) as house:
        assert await house.reason() == reason
        assert house.tools == {}
    assert children() == []


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("big", "it sent a message of more than 1048576 bytes"),
        ("endless", "it sent a message of more than 1048576 bytes"),
        ("garbage", "it writes to its standard output what is no message"),
        ("notify", "more than 2000 messages in 10 s, unasked"),
        ("ask", "it asks and does not listen"),
    ],
)
async def test_one_that_floods_is_hung_up_on_and_started_anew(way: str, reason: str) -> None:
    async with connected(replace(rogue(way), deadline_s=10.0)) as house:
        before = psutil.Process().memory_info().rss
        with pytest.raises(ProviderError, match="the MCP server rogue is not connected"):
            await house.call("hello")
        assert await house.reason() == f"rogue: {reason}"
        assert psutil.Process().memory_info().rss - before < 32_000_000
    assert children() == []


async def test_one_that_hangs_in_a_call_is_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.tools.mcp.server.LIST_S", 0.5)
    async with connected(replace(rogue("hang"), deadline_s=0.5)) as house:
        with pytest.raises(ProviderError, match="rogue: no answer within 0.5 s"):
            await house.call("hello")
        assert await house.reason() == "rogue: it does not list its tools"


async def test_one_that_dies_in_a_call_is_back_soon(tmp_path: Path) -> None:
    async with running(well_behaved(tmp_path)) as house:
        with anyio.fail_after(20):
            await house.stage.wait_ready()
        known = house.tools
        tools = house.server.tools()
        with pytest.raises(ProviderError, match="the MCP server files is not connected"):
            await house.call("die")
        before = anyio.current_time()
        with pytest.raises(ProviderError, match="the MCP server files is not connected: "):
            await known["files_add"].run({"a": 1, "b": 1}, ORDER)
        assert anyio.current_time() - before < 0.01
        with anyio.fail_after(20):
            while house.stage.restarts == 0 or not house.tools:  # noqa: ASYNC110
                await anyio.sleep(0.02)
        assert (await known["files_add"].run({"a": 1, "b": 1}, ORDER)).text == "2"
        assert house.server.tools() == tools


@pytest.mark.parametrize("way", ["greets", "stderr", "stubborn", "hidden", "nonsense", "newest"])
async def test_smaller_oddities_do_no_harm(way: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with connected(rogue(way)) as house:
        if way == "nonsense":
            with pytest.raises(ProviderError, match="none of the protocol's"):
                await house.call("hello")
        else:
            assert await house.call("hello") == ("ab [31mc" if way == "hidden" else "hello")
        assert house.stage.health is Health.READY
    assert "secret" not in caplog.text
    assert children() == []


async def test_its_standard_error_is_for_debugging_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with connected(rogue("stderr")) as house:
        await house.call("hello")
    lines = [record for record in caplog.records if "secret" in record.message]
    assert lines
    assert all(len(record.message) < 520 for record in lines)


# ---------------------------------------------------------------- what is left


async def test_nothing_is_left_that_the_server_started_itself(tmp_path: Path) -> None:
    async with connected(well_behaved(tmp_path)) as house:
        other = int(await house.call("start_another"))
        assert psutil.pid_exists(other)
    assert children() == []
    with anyio.fail_after(5):  # it is not our child: somebody else has to notice
        while _lives(other):  # noqa: ASYNC110
            await anyio.sleep(0.01)


async def test_one_that_ignores_every_wish_is_ended_within_three_seconds() -> None:
    async with connected(rogue("stubborn")):
        before = anyio.current_time()
    assert anyio.current_time() - before < 3.0
    assert children() == []


async def test_one_that_is_just_starting_when_we_end_is_ended() -> None:
    async with running(rogue("silent")):
        with anyio.fail_after(5):
            while not children():  # noqa: ASYNC110
                await anyio.sleep(0.01)
    assert children() == []


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_whole_house_of_servers_is_kept_running_and_ended(tmp_path: Path) -> None:
    command = f"[{sys.executable}, {HERE / 'mcp_rogue.py'}, fine]"
    text = f"""
data: {{folder: {tmp_path}}}
mcp:
  one: {{command: {command}, tools: [hello]}}
  two: {{command: {command}, tools: ["*"], tier: 0}}
  three: {{command: [no-such-program], tools: ["*"]}}
"""
    stages = Stages()
    servers = McpServers(parse(text, {})[0], stages)
    assert servers.tools() == []
    async with tasks.task_group() as group:
        group.start_soon(servers.run)
        with anyio.fail_after(20):
            for stage in stages:
                await stage.wait_settled()
        assert [(s.name, s.health) for s in stages] == [
            ("mcp:one", Health.READY),
            ("mcp:two", Health.READY),
            ("mcp:three", Health.DOWN),
        ]
        assert [t.spec.name for t in servers.tools()] == ["one_hello", "two_hello"]
        assert [t.tier({}) for t in servers.tools()] == [1, 0]
        group.cancel_scope.cancel()
    assert children() == []
    assert [pin.server for pin in Pins(tmp_path / FILE).pins()] == ["one", "two"]


# ---------------------------------------------------------------- behind a URL


@asynccontextmanager
async def on_the_web(folder: Path, *more: str) -> AsyncIterator[tuple[McpOptions, psutil.Popen]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(HERE / "mcp_well_behaved.py"), str(port), *more]
    process = psutil.Popen(
        command, env={**os.environ, "NOTES": str(folder / "notes")}, stderr=subprocess.DEVNULL
    )
    options = McpOptions("notes", url=f"http://127.0.0.1:{port}/mcp", tools=("*",), tier=2)
    try:
        yield options, process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("form", ["sse", "json"])
async def test_a_server_elsewhere_is_used_the_same_way(tmp_path: Path, form: str) -> None:
    async with on_the_web(tmp_path, form) as (options, process), running(options) as house:
        with anyio.fail_after(20):
            await house.stage.wait_ready()
        assert house.tools["notes_add"].tier({}) == 2
        assert await house.call("add", a=2, b=3) == "5"
        with pytest.raises(ToolError, match="fail"):
            await house.call("fail", reason="no")
        with anyio.move_on_after(0.3) as scope:
            await house.call("wait", seconds=60)
        assert scope.cancelled_caught
        await until(tmp_path, "cancelled")
        process.kill()
        with pytest.raises(ProviderError, match="notes is not connected"):
            await house.call("add", a=2, b=3)


async def test_a_message_from_elsewhere_is_no_larger_than_from_here(tmp_path: Path) -> None:
    async with on_the_web(tmp_path, "json") as (options, _), running(options) as house:
        with anyio.fail_after(20):
            await house.stage.wait_ready()
        before = psutil.Process().memory_info().rss
        with pytest.raises(ProviderError):
            await house.call("repeat", text="x" * 1000, times=50_000)
        assert "more than 1048576 bytes" in await house.reason()
        assert psutil.Process().memory_info().rss - before < 32_000_000


async def test_a_tool_elsewhere_that_changes_is_switched_off(tmp_path: Path) -> None:
    async with on_the_web(tmp_path, "sse") as (options, _), running(options) as house:
        with anyio.fail_after(20):
            await house.stage.wait_ready()
        await house.call("change")
        with anyio.fail_after(10):
            while "notes_add" in house.tools:  # noqa: ASYNC110
                await anyio.sleep(0.02)
        assert "add (changed)" in house.stage.reason


async def test_a_server_that_is_not_there_is_named_without_its_address() -> None:
    options = McpOptions(
        "notes", url="http://127.0.0.1:9/hush", headers={"Authorization": "s3cret"}
    )
    async with running(options, rule=ONCE) as house:
        assert await house.reason() == "notes: it cannot be reached: ConnectError"
