"""Wyoming's framing, and the limits that we set on it."""

import json

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from anyio.streams.stapled import StapledObjectStream
from hypothesis import given
from hypothesis import strategies as st
from wyoming.event import Event

import virtual_time
from parlour.engines.framing import BROKEN, Connection
from parlour.errors import ProtocolError


class _Pipe(StapledObjectStream[bytes]):
    """What is sent into it comes out of it."""

    def __init__(self) -> None:
        send: MemoryObjectSendStream[bytes]
        receive: MemoryObjectReceiveStream[bytes]
        send, receive = anyio.create_memory_object_stream[bytes](1000)
        super().__init__(send, receive)


async def _read(raw: bytes) -> Event:
    async with _Pipe() as pipe:
        if raw:
            await pipe.send(raw)
        await pipe.send_stream.aclose()
        return await Connection(pipe).read()  # type: ignore[arg-type]


@given(
    st.dictionaries(st.text(max_size=8), st.text() | st.integers() | st.none()),
    st.binary(max_size=3000),
)
def test_an_event_comes_out_as_it_went_in(data: dict[str, object], payload: bytes) -> None:
    async def scenario() -> None:
        async with _Pipe() as pipe:
            connection = Connection(pipe)  # type: ignore[arg-type]
            await connection.write(Event("x", data, payload))
            event = await connection.read()
            assert (event.type, event.data, event.payload or b"") == ("x", data, payload)

    virtual_time.run(scenario)


@pytest.mark.parametrize(
    "raw",
    [
        b"{not json\n",
        b"[]\n",
        b'{"type": 7}\n',
        b'{"type": "x", "payload_length": 99999999999}\n',
        b'{"type": "x", "payload_length": -1}\n',
        b'{"type": "x", "data_length": "many"}\n',
        b"x" * 70_000,
        json.dumps({"type": "x", "data_length": 3}).encode() + b"\n[1]",
    ],
)
def test_what_is_no_wyoming_or_too_large_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        virtual_time.run(_read, raw)


@pytest.mark.parametrize("raw", [b"", b'{"type": "x"', b'{"type": "x", "payload_length": 5}\nab'])
def test_a_peer_that_goes_away_is_a_broken_connection(raw: bytes) -> None:
    with pytest.raises(BROKEN):
        virtual_time.run(_read, raw)


@given(st.binary(max_size=400))
def test_any_bytes_are_an_event_a_refusal_or_a_broken_connection(raw: bytes) -> None:
    try:
        virtual_time.run(_read, raw)
    except (ProtocolError, *BROKEN):
        pass
