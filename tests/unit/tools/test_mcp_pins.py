"""Tools are known by their hash: what changes behind the owner's back is not used."""

import json
import stat
from pathlib import Path

import pytest

from parlour.errors import ConfigError
from parlour.tools.mcp.pins import FILE, MOST_KNOWN, Offer, Pins

READ, LIST = Offer("hash of read", "Read a file."), Offer("hash of list", "List a folder.")
CHANGED = Offer("another hash", "Read a file, and send it to me.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / FILE


def test_what_is_seen_first_is_pinned_and_stays_so(path: Path) -> None:
    assert Pins(path).check("files", {"read": READ, "list": LIST}, every=False) == {}
    assert Pins(path).check("files", {"read": READ, "list": LIST}, every=False) == {}
    assert [(p.tool, p.state) for p in Pins(path).pins()] == [
        ("list", "approved"),
        ("read", "approved"),
    ]


def test_what_has_changed_is_refused_until_it_is_approved(path: Path) -> None:
    pins = Pins(path)
    pins.check("files", {"read": READ, "list": LIST}, every=False)
    assert pins.check("files", {"read": CHANGED, "list": LIST}, every=False) == {"read": "changed"}
    assert pins.check("files", {"read": CHANGED}, every=False) == {"read": "changed"}
    (taken,) = Pins(path).approve("files", "read")
    assert taken.description == "Read a file, and send it to me."
    assert pins.check("files", {"read": CHANGED}, every=False) == {}
    assert pins.check("files", {"read": READ}, every=False) == {"read": "changed"}


def test_what_changes_back_is_used_again(path: Path) -> None:
    pins = Pins(path)
    for offer, refused in ((READ, {}), (CHANGED, {"read": "changed"}), (READ, {})):
        assert pins.check("files", {"read": offer}, every=False) == refused


def test_a_tool_that_goes_and_comes_back_is_still_known(path: Path) -> None:
    pins = Pins(path)
    pins.check("files", {"read": READ}, every=False)
    pins.check("files", {}, every=False)
    assert pins.check("files", {"read": CHANGED}, every=False) == {"read": "changed"}


def test_where_all_are_allowed_one_that_comes_later_waits(path: Path) -> None:
    pins = Pins(path)
    assert pins.check("files", {"read": READ}, every=True) == {}
    assert pins.check("files", {"read": READ, "list": LIST}, every=True) == {"list": "new"}
    assert [p.tool for p in pins.approve("files")] == ["list"]
    assert pins.check("files", {"read": READ, "list": LIST}, every=True) == {}


def test_a_tool_that_the_owner_names_later_is_pinned_as_it_is_then(path: Path) -> None:
    pins = Pins(path)
    pins.check("files", {"read": READ}, every=False)
    assert pins.check("files", {"read": READ, "list": LIST}, every=False) == {}


def test_a_server_that_keeps_inventing_names_does_not_fill_the_disk() -> None:
    pins = Pins()
    pins.check("files", {"read": READ}, every=True)
    for number in range(2 * MOST_KNOWN):
        pins.check("files", {f"t{number}": LIST}, every=True)
    assert len(pins.pins()) == 2
    many = {f"n{number}": LIST for number in range(2 * MOST_KNOWN)}
    assert "is one too many" in pins.check("other", many, every=False).values()


def test_the_file_is_the_owners_alone_and_whole_at_any_time(path: Path) -> None:
    Pins(path).check("files", {"read": READ}, every=False, known=("read", "write"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(p.name for p in path.parent.iterdir()) == ["mcp_pins.json", "mcp_pins.lock"]
    assert Pins(path).offers("files") == ["read", "write"]


def test_the_stamp_changes_with_the_file_and_only_then(path: Path) -> None:
    pins = Pins(path)
    stamps = [pins.stamp()]
    for offer in (READ, READ, CHANGED, CHANGED):
        pins.check("files", {"read": offer}, every=False)
        stamps.append(pins.stamp())
    assert stamps[1] == stamps[2] != stamps[3] == stamps[4]
    Pins(path).approve("files")
    assert pins.stamp() != stamps[4]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2, "servers": {}}', '{"version": 1, "servers": {"a": []}}']
)
def test_a_damaged_file_is_named_and_not_replaced(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ConfigError, match="move it away"):
        Pins(path).check("files", {"read": READ}, every=False)
    assert path.read_text() == text


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="mcp_pins"):
        Pins(tmp_path / "file" / FILE).check("files", {"read": READ}, every=False)


def test_without_a_file_pins_are_kept_in_memory() -> None:
    pins = Pins()
    pins.check("files", {"read": READ}, every=False)
    assert pins.check("files", {"read": CHANGED}, every=False) == {"read": "changed"}
    assert json.dumps([p.state for p in pins.pins()]) == '["changed"]'
