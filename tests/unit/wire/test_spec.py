"""What docs/protocol/device.md shows as examples is what both sides really understand."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from parlour.ids import SessionId
from parlour.wire.device import DeviceProtocol, Hello, Ignored, Received, Rejected, Superset
from parlour.wire.device_peer import DevicePeer, Heard, ServerHello
from parlour.wire.fields import read_message
from parlour.wire.messages import LARGEST_FRAME_BYTES, LARGEST_TEXT_BYTES, MOST_REJECTED

SPEC = (Path(__file__).parents[3] / "docs/protocol/device.md").read_text()


def examples(first: str, last: str) -> list[str]:
    """The JSON objects with a type in the fenced blocks from one heading to another."""
    chapter = SPEC[SPEC.index(f"## {first}") : SPEC.index(f"## {last}")]
    found: list[str] = []
    for block in re.findall(r"```json\n(.*?)```", chapter, re.DOTALL):
        text = block.strip()
        while text:
            _, end = json.JSONDecoder().raw_decode(text)
            found.append(text[:end])
            text = text[end:].strip()
    return found


HELLOS, UP, DOWN = examples("5.", "6."), examples("6.", "7."), examples("7.", "8.")


def greet() -> tuple[DeviceProtocol, DevicePeer]:
    server, device = DeviceProtocol(), DevicePeer()
    server.receive_text(device.send_hello(superset=Superset()))
    device.receive_text(server.send_hello(SessionId("S"), 24000, 60))
    return server, device


def test_the_hellos_of_the_spec_are_hellos() -> None:
    up, down = HELLOS
    [hello] = DeviceProtocol().receive_text(up)
    assert isinstance(hello, Hello)
    [server_hello] = DevicePeer().receive_text(down)
    assert isinstance(server_hello, ServerHello)
    assert (hello.superset, hello.reply_rate_hz, hello.reply_frame_ms) == (
        server_hello.superset,
        server_hello.rate_hz,
        server_hello.frame_ms,
    )


@pytest.mark.parametrize("text", UP)
def test_the_server_understands_what_a_device_says_in_the_spec(text: str) -> None:
    server, device = greet()
    server.receive_text(device.send_listen_start("auto"))
    [event] = server.receive_text(text)
    assert not isinstance(event, Ignored | Rejected)


@pytest.mark.parametrize("text", DOWN)
def test_a_device_understands_what_the_server_says_in_the_spec(text: str) -> None:
    _, device = greet()
    [event] = device.receive_text(text)
    assert not isinstance(event, Ignored | Rejected)


def test_the_spec_shows_every_type_of_message() -> None:
    assert {read_message(text).text("type") for text in UP} == {
        "listen",
        "wake",
        "abort",
        "playout",
        "mcp",
    }
    assert {read_message(text).text("type") for text in DOWN} == {
        *("stt", "tts", "arb", "listen", "error", "turn")
    }


def test_the_spec_names_every_event() -> None:
    kinds = {*get_args(Received), *get_args(Heard)}
    names = {re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() for kind in kinds}
    assert {name for name in names if f"`{name}`" not in SPEC} == set()


def test_the_limits_of_the_spec_are_those_of_the_code() -> None:
    assert (LARGEST_FRAME_BYTES, LARGEST_TEXT_BYTES, MOST_REJECTED) == (4 * 1024, 64 * 1024, 20)
    assert "a binary message above 4 KiB, a text message above 64 KiB" in SPEC
    assert "the 20th faulty message in a row" in SPEC
