"""What a board asks for at every boot, and the answer that sends it to our WebSocket."""

from collections.abc import Mapping
from dataclasses import dataclass

from parlour.wire.fields import LONGEST_NAME, Fields, MalformedError, clean, read_message
from parlour.wire.framing import Framing
from parlour.wire.messages import LARGEST_TEXT_BYTES


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """What a board says of itself, as far as it can be read; "" and 0 for what it does not say."""

    device: str = ""  # usually a MAC address
    client: str = ""  # a UUID that the firmware made up once
    board: str = ""  # the type of the board
    firmware: str = ""  # the version that runs
    language: str = ""
    free_heap_bytes: int = 0  # the least since boot


def read_request(headers: Mapping[str, str], body: bytes) -> BoardFacts:
    """Read a request; never raises. `headers` must look names up without regard to case.

    A board whose body is empty or broken still learns where to connect: without the answer it
    would be of no use to anybody.
    """
    said = _read_body(body)
    application, board = _section(said, "application"), _section(said, "board")
    agent_board, _, agent_version = headers.get("user-agent", "").partition("/")
    return BoardFacts(
        device=clean(headers.get("device-id", ""), LONGEST_NAME) or _text(said, "mac_address"),
        client=clean(headers.get("client-id", ""), LONGEST_NAME) or _text(said, "uuid"),
        board=_text(board, "type") or clean(agent_board, LONGEST_NAME),
        firmware=_text(application, "version") or clean(agent_version, LONGEST_NAME),
        language=_text(said, "language"),
        free_heap_bytes=_integer(said, "minimum_free_heap_size"),
    )


def build_reply(
    facts: BoardFacts,
    websocket_url: str,
    *,
    now_ms: int,
    utc_offset_min: int,
    token: str = "",
    framing: Framing = 1,
) -> dict[str, object]:
    """Say where to connect and what time it is.

    There is no `mqtt`, because a board that sees one prefers it. The token is sent even when it
    is empty: the board keeps every key it was ever told, and would go on showing us the token of
    the server it knew before. `firmware` names the version that the board has and no address, so
    that none ever finds something newer to load.
    """
    reply: dict[str, object] = {
        "websocket": {"url": websocket_url, "token": token, "version": framing},
        "server_time": {"timestamp": now_ms, "timezone_offset": utc_offset_min},
    }
    if facts.firmware:
        reply["firmware"] = {"version": facts.firmware}
    return reply


def _read_body(body: bytes) -> Fields:
    if len(body) > LARGEST_TEXT_BYTES:
        return Fields({})
    try:
        return read_message(body.decode())
    except (UnicodeDecodeError, MalformedError):
        return Fields({})


def _section(fields: Fields, key: str) -> Fields:
    try:
        return fields.section(key)
    except MalformedError:
        return Fields({})


def _text(fields: Fields, key: str) -> str:
    try:
        return fields.text(key, "", longest=LONGEST_NAME)
    except MalformedError:
        return ""


def _integer(fields: Fields, key: str) -> int:
    try:
        return fields.integer(key, 0, 2**32 - 1, 0)
    except MalformedError:
        return 0
