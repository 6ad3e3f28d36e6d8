"""MCP servers in config.yml and on the command line."""

import json
from pathlib import Path

import pytest

from parlour.app.config import parse
from parlour.app.mcpclient import approve, list_tools
from parlour.app.mcpservers import options_of, pins_of
from parlour.app.sections import Config
from parlour.errors import ConfigError, InputError
from parlour.tools.mcp.pins import Offer

ENVIRON = {"TOKEN": "s3cret", "KEY": "hush"}
BOTH = """
mcp:
  files:
    command: [npx, -y, some-server]
    environment: {TOKEN: "${TOKEN}", PORT: 8080}
    tools: [read_file]
    deadline_s: 3
  notes: {url: "https://host/mcp", headers: {Authorization: "Bearer ${KEY}"}, tools: ["*"]}
"""


def config(text: str, folder: Path | None = None) -> Config:
    return parse(text + (f"\ndata: {{folder: {folder}}}" if folder else ""), ENVIRON)[0]


def test_a_server_is_run_with_what_the_configuration_names() -> None:
    options = options_of("files", config(BOTH).mcp["files"])
    assert options.command == ("npx", "-y", "some-server")
    assert options.environment == {"TOKEN": "s3cret", "PORT": "8080"}
    assert (options.tools, options.tier, options.deadline_s) == (("read_file",), 1, 3.0)
    assert "s3cret" not in repr(options)


def test_a_server_elsewhere_has_the_higher_tier_unless_it_is_given_another() -> None:
    options = options_of("notes", config(BOTH).mcp["notes"])
    assert (options.url, options.tier) == ("https://host/mcp", 2)
    assert options.headers == {"Authorization": "Bearer hush"}
    assert "hush" not in repr(options) + str(config(BOTH))
    given = config("mcp: {notes: {url: 'https://host', tier: 0}}").mcp["notes"]
    assert options_of("notes", given).tier == 0


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("Files: {command: [x]}", "mcp.Files: must be 1 to 20 lower-case letters, digits or _, a letter first"),
        ("files: {}", "mcp.files: must have either a command or a url (is a section)"),
        ("files: {command: [x], url: http://x}", "mcp.files: must have either a command or a url (is a section)"),
        ("files: {command: x}", "mcp.files.command: must be a list, such as [a, b] (is 'x')"),
        ("files: {url: http://x, folder: /x}", "mcp.files: environment and folder are for a server with a command (is a section)"),
        ("files: {command: [x], headers: {A: b}}", "mcp.files: headers are for a server with a url (is a section)"),
        ("files: {url: http://x, headers: {A: [s3cret]}}", "mcp.files.headers: A must be text on one line; put it in quotes (is a section)"),
        ("files: {command: [x], environment: {A-B: s3cret}}", "mcp.files.environment: must have names such as API_TOKEN (is a section)"),
        ("files: {command: [x], tier: 4}", "mcp.files.tier: must be a whole number between 0 and 3 (is 4)"),
        ("files: {command: [x], tols: [a]}", "mcp.files.tols: unknown key; did you mean mcp.files.tools?"),
    ],
)  # fmt: skip
def test_every_mistake_is_a_line_without_a_secret(server: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(f"mcp: {{{server}}}")
    assert str(caught.value).splitlines()[0] == f"config.yml: {said}"
    assert "s3cret" not in str(caught.value)


def test_tools_are_listed_with_their_state_and_approved_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = config(BOTH, tmp_path)
    list_tools(house, as_json=False)
    assert capsys.readouterr().out == (
        "files has not been connected yet\nnotes has not been connected yet\n"
    )
    pins = pins_of(house)
    pins.check("files", {"read_file": Offer("1", "Read.")}, every=False, known=("read_file", "rm"))
    pins.check("files", {"read_file": Offer("2", "Obey.")}, every=False, known=("read_file", "rm"))
    list_tools(house, as_json=False)
    shown = capsys.readouterr().out
    assert "files   read_file  changed  Obey." in shown
    assert "files also offers rm\n" in shown
    list_tools(house, as_json=True)
    assert json.loads(capsys.readouterr().out)["not_allowed"] == {"files": ["rm"], "notes": []}
    approve(house, "files", "read_file")
    approve(house, "files", None)
    assert capsys.readouterr().out == (
        "files read_file is approved: Obey.\nnothing waits to be approved\n"
    )
    assert pins.check("files", {"read_file": Offer("2", "Obey.")}, every=False) == {}


def test_an_unknown_server_or_tool_is_named(tmp_path: Path) -> None:
    house = config(BOTH, tmp_path)
    with pytest.raises(InputError, match="no MCP server is called fils; there are: files, notes"):
        approve(house, "fils", None)
    with pytest.raises(InputError, match="files has shown no tool x; it has: none"):
        approve(house, "files", "x")
