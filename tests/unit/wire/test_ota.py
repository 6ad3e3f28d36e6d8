import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.wire.ota import BoardFacts, build_reply, read_request

URL = "ws://192.168.1.5:8000/device"
BODY = {
    "version": 2,
    "language": "en-US",
    "minimum_free_heap_size": 81920,
    "mac_address": "aa:bb:cc:dd:ee:ff",
    "uuid": "6c1e",
    "application": {"name": "xiaozhi", "version": "1.8.2"},
    "board": {"type": "bread-compact-wifi", "name": "bread", "rssi": -55},
}


def test_a_board_is_known_by_its_headers_and_its_body() -> None:
    headers = {"device-id": "11:22:33:44:55:66", "client-id": "7d2f"}
    assert read_request(headers, json.dumps(BODY).encode()) == BoardFacts(
        device="11:22:33:44:55:66",
        client="7d2f",
        board="bread-compact-wifi",
        firmware="1.8.2",
        language="en-US",
        free_heap_bytes=81920,
    )


def test_the_body_names_the_device_where_the_headers_do_not() -> None:
    facts = read_request({}, json.dumps(BODY).encode())
    assert (facts.device, facts.client) == ("aa:bb:cc:dd:ee:ff", "6c1e")


def test_the_user_agent_names_board_and_firmware_where_the_body_does_not() -> None:
    facts = read_request({"user-agent": "bread-compact-wifi/1.8.2"}, b"")
    assert (facts.board, facts.firmware) == ("bread-compact-wifi", "1.8.2")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"{" * 70_000])
def test_a_broken_body_is_no_reason_not_to_answer(body: bytes) -> None:
    assert read_request({"device-id": "d"}, body) == BoardFacts(device="d")


def test_a_broken_field_spoils_only_itself() -> None:
    body = json.dumps(BODY | {"board": 7, "language": 1, "minimum_free_heap_size": "many"})
    facts = read_request({}, body.encode())
    assert (facts.board, facts.language, facts.free_heap_bytes) == ("", "", 0)
    assert facts.firmware == "1.8.2"


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(("device-id", "client-id", "user-agent")), st.text()),
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
)
def test_no_request_raises_and_every_reply_is_json(headers: dict[str, str], body: bytes) -> None:
    facts = read_request(headers, body)
    json.dumps(build_reply(facts, URL, now_ms=0, utc_offset_min=0), allow_nan=False)


def test_the_reply_sends_the_board_to_the_websocket_and_never_to_mqtt() -> None:
    reply = build_reply(
        BoardFacts(firmware="1.8.2"), URL, now_ms=1_795_000_000_000, utc_offset_min=60, framing=2
    )
    assert reply == {
        "websocket": {"url": URL, "token": "", "version": 2},
        "server_time": {"timestamp": 1_795_000_000_000, "timezone_offset": 60},
        "firmware": {"version": "1.8.2"},
    }


def test_a_board_of_unknown_firmware_is_told_of_none() -> None:
    assert "firmware" not in build_reply(BoardFacts(), URL, now_ms=0, utc_offset_min=0)
