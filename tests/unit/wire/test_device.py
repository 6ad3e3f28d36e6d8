import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.errors import ProtocolError
from parlour.events import Action, TurnEnded
from parlour.ids import DeviceId, EntityId, SessionId, TurnId
from parlour.wire.device import (
    Abort,
    DeviceProtocol,
    Hello,
    ListenStart,
    ListenStop,
    Packet,
    Playout,
    Rejected,
    State,
    Superset,
    Wake,
    WakeDetected,
)
from parlour.wire.device_peer import (
    Arb,
    DevicePeer,
    FinalText,
    ListenEnded,
    PartialText,
    Sentence,
    ServerError,
    ServerHello,
    Sound,
    TurnReport,
)
from parlour.wire.fields import clean
from parlour.wire.framing import FRAMINGS, Framing
from parlour.wire.messages import (
    FRAMES_MS,
    LARGEST_FRAME_BYTES,
    LONGEST_REASON_BYTES,
    LONGEST_SENT,
    MODES,
    RATES,
    FrameMs,
    Mode,
    Rate,
)

SESSION = SessionId("s1")
TURN = TurnId("t1")
EVERYTHING = Superset(partials=True, report=True, playout=True, persistent=True)


def connect(
    superset: Superset | None = None, framing: Framing = 1
) -> tuple[DeviceProtocol, DevicePeer]:
    server, device = DeviceProtocol(), DevicePeer()
    [hello] = server.receive_text(device.send_hello(framing=framing, superset=superset))
    assert isinstance(hello, Hello)
    device.receive_text(server.send_hello(SESSION, hello.reply_rate_hz, hello.reply_frame_ms))
    return server, device


# ---------------------------------------------------------------- any input at all

VECTORS = json.loads((Path(__file__).parents[3] / "docs/protocol/vectors.json").read_text())


def walk(value: object) -> Iterator[tuple[str, object]]:
    """All fields of all objects inside a value."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield key, inner
    inside = value.values() if isinstance(value, dict) else value
    for inner in inside if isinstance(inside, Iterable) and not isinstance(inside, str) else ():
        yield from walk(inner)


SPOKEN = [
    step["text"] for script in VECTORS["scripts"] for step in script["steps"] if "text" in step
]
FIELD_NAMES = sorted({key for key, _ in walk(SPOKEN)})
WORDS = sorted({word for _, word in walk(SPOKEN) if isinstance(word, str)})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from((1, 2, 3, 16000, 20, 60))
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=80)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELD_NAMES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
likely = st.fixed_dictionaries(
    {"type": st.sampled_from(WORDS)},
    optional={"state": st.sampled_from(WORDS), "mode": st.sampled_from(WORDS)},
)
messages = st.builds(
    lambda base, more: json.dumps(more | base),
    likely,
    st.dictionaries(st.sampled_from(FIELD_NAMES), values, max_size=5),
)
inputs = st.lists(
    messages | values.map(json.dumps) | st.text(max_size=200) | st.binary(max_size=64), max_size=30
)


@settings(deadline=None)
@given(inputs, st.booleans())
def test_no_input_raises_anything_but_a_protocol_error_at_the_server(
    said: list[str | bytes], greeted: bool
) -> None:
    server = connect(EVERYTHING, framing=3)[0] if greeted else DeviceProtocol()
    for message in said:
        closed = server.state is State.CLOSED
        try:
            if isinstance(message, str):
                got = server.receive_text(message)
            else:
                got = server.receive_binary(message)
        except ProtocolError as error:
            assert type(error) is ProtocolError
            assert error.code in (1002, 1008, 1009)
            assert 0 < len(str(error).encode()) <= LONGEST_REASON_BYTES
            assert server.state is State.CLOSED
        else:
            assert not closed
            assert len(got) == 1


@settings(deadline=None)
@given(inputs, st.booleans())
def test_no_input_raises_anything_but_a_protocol_error_at_the_device(
    said: list[str | bytes], greeted: bool
) -> None:
    device = connect(EVERYTHING, framing=2)[1] if greeted else DevicePeer()
    for message in said:
        try:
            if isinstance(message, str):
                device.receive_text(message)
            else:
                device.receive_binary(message)
        except ProtocolError as error:
            assert error.code in (1002, 1009)


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(min_value=2, max_value=20_000))
def test_any_depth_and_any_text_is_one_rejection(text: str, depth: int) -> None:
    server, _ = connect()
    bomb = "[" * depth + "]" * depth
    assert isinstance(server.receive_text(bomb)[0], Rejected)
    doubled = (
        json.dumps({"type": "abort"})[:-1] + f", {json.dumps(text)}: 1, {json.dumps(text)}: 2}}"
    )
    assert isinstance(server.receive_text(doubled)[0], Rejected)


# ---------------------------------------------------------------- round trips

names = st.text(max_size=60).map(lambda text: clean(text, 60))
turns = names.filter(bool).map(TurnId)
texts = st.text(max_size=2000)
counts = st.integers(min_value=0, max_value=2**32 - 1)
levels = st.none() | st.floats(min_value=-120, max_value=3)


@settings(deadline=None)
@given(
    st.sampled_from(FRAMINGS),
    st.sampled_from(RATES),
    st.sampled_from(FRAMES_MS),
    st.sampled_from(RATES),
    st.builds(
        Superset,
        partials=st.booleans(),
        report=st.booleans(),
        playout=st.booleans(),
        persistent=st.booleans(),
    ),
)
def test_a_superset_device_gets_the_rate_it_asks_for(
    framing: Framing, rate: Rate, frame: FrameMs, playback: Rate, superset: Superset
) -> None:
    server, device = DeviceProtocol(), DevicePeer()
    said = device.send_hello(
        framing=framing,
        sample_rate_hz=rate,
        frame_ms=frame,
        superset=superset,
        playback_rate_hz=playback,
    )
    [hello] = server.receive_text(said)
    assert isinstance(hello, Hello)
    assert (hello.framing, hello.sample_rate_hz, hello.frame_ms) == (framing, rate, frame)
    assert (hello.reply_rate_hz, hello.superset) == (playback, superset)
    assert hello.reply_frame_ms == (20 if frame == 20 else 60)
    answer = server.send_hello(SESSION, hello.reply_rate_hz, hello.reply_frame_ms)
    assert device.receive_text(answer) == [
        ServerHello(SESSION, playback, hello.reply_frame_ms, superset)
    ]


@settings(deadline=None)
@given(
    st.sampled_from(FRAMINGS),
    st.binary(min_size=1, max_size=LARGEST_FRAME_BYTES - 16),
    st.integers(min_value=0, max_value=2**40),
)
def test_a_packet_crosses_either_way_unchanged(
    framing: Framing, packet: bytes, timestamp_ms: int
) -> None:
    server, device = connect(framing=framing)
    stamp = timestamp_ms % 2**32 if framing == 2 else None
    assert server.receive_binary(device.send_audio(packet, timestamp_ms)) == [Packet(packet, stamp)]
    assert device.receive_binary(server.send_audio(packet, timestamp_ms)) == [Sound(packet, stamp)]


@settings(deadline=None)
@given(
    st.sampled_from(MODES),
    st.builds(
        Wake,
        level_dbfs=levels,
        noise_dbfs=levels,
        score=st.none() | st.floats(min_value=0, max_value=1),
        age_ms=st.none() | st.floats(min_value=0, max_value=10_000),
        phrase=names,
        group=names,
        seq=counts,
    ),
    st.builds(Playout, turn=turns, played_ms=counts, buffered_ms=counts, underruns=counts),
    st.builds(Abort, reason=st.text(max_size=200).map(clean), turn=st.none() | turns),
)
def test_what_a_device_says_is_what_the_server_hears(
    mode: Mode, wake: Wake, playout: Playout, abort: Abort
) -> None:
    server, device = connect(EVERYTHING)
    assert server.receive_text(device.send_listen_start(mode)) == [ListenStart(mode)]
    assert server.receive_text(device.send_listen_stop()) == [ListenStop()]
    assert server.receive_text(device.send_wake(wake)) == [wake]
    assert server.receive_text(device.send_playout(playout)) == [playout]
    assert server.receive_text(device.send_abort(abort.reason, abort.turn)) == [abort]
    assert server.receive_text(device.send_detect(abort.reason)) == [WakeDetected(abort.reason)]


@settings(deadline=None)
@given(texts, st.booleans(), st.integers(min_value=0, max_value=9999))
def test_what_the_server_says_is_what_a_device_hears(text: str, won: bool, hold_ms: int) -> None:
    server, device = connect(EVERYTHING)

    def cross(message: str | None) -> Any:
        assert message is not None
        [heard] = device.receive_text(message)
        return heard

    seen, short = clean(text, LONGEST_SENT), clean(text)
    partial = PartialText(seen, min(hold_ms, len(seen)), TURN)
    assert cross(server.send_partial(TURN, text, hold_ms)) == partial
    assert cross(server.send_stt(TURN, text)) == FinalText(seen, TURN)
    assert cross(server.send_sentence(TURN, text)) == Sentence(seen, TURN)
    assert cross(server.send_arb(won, hold_ms)) == Arb(won, hold_ms)
    assert cross(server.send_listen_end(None, text)) == ListenEnded(short, None)
    assert cross(server.send_error(text)) == ServerError(short)


@settings(deadline=None)
@given(
    texts, st.none() | st.floats(min_value=-1e6, max_value=1e6) | st.text(max_size=20).map(clean)
)
def test_a_turn_report_crosses_whole(text: str, value: str | float | None) -> None:
    server, device = connect(EVERYTHING)
    action = Action(EntityId("kitchen.light"), "set_brightness", value, confirmed=True)
    ended = TurnEnded(
        turn=TURN,
        device=DeviceId("d"),
        at_s=1.0,
        end="answered",
        transcript=text,
        reply=text,
        actions=(action,),
        stages_ms={"sent_first": 431.25},
    )
    said = server.send_turn_report(ended)
    assert said is not None
    seen = clean(text, LONGEST_SENT)
    assert device.receive_text(said) == [
        TurnReport(TURN, "answered", seen, seen, (action,), {"sent_first": 431.25})
    ]


# ---------------------------------------------------------------- order and state


def test_nothing_is_sent_before_the_hellos_and_a_hello_only_once() -> None:
    server, device = DeviceProtocol(), DevicePeer()
    with pytest.raises(RuntimeError):
        server.send_hello(SESSION, 24000, 60)
    with pytest.raises(RuntimeError):
        server.send_stt(TURN, "x")
    with pytest.raises(RuntimeError):
        device.send_listen_start("auto")
    server.receive_text(device.send_hello())
    with pytest.raises(RuntimeError):
        server.send_audio(b"\x48")
    server.send_hello(SESSION, 24000, 60)
    with pytest.raises(RuntimeError):
        server.send_hello(SESSION, 24000, 60)


@pytest.mark.parametrize(("mode", "after"), [("auto", State.IDLE), ("realtime", State.LISTENING)])
def test_an_answer_ends_listening_unless_the_microphone_stays_open(
    mode: Mode, after: State
) -> None:
    server, device = connect()
    server.receive_text(device.send_listen_start(mode))
    assert server.state is State.LISTENING
    server.send_tts_start(TURN)
    assert server.state is after


def test_stock_firmware_keeps_listening_when_a_listen_end_is_not_sent_to_it() -> None:
    server, device = connect()
    server.receive_text(device.send_listen_start("auto"))
    assert server.send_listen_end(TURN, "nobody spoke") is None
    assert server.state is State.LISTENING


def test_a_close_reason_fits_into_a_close_frame_even_in_tamil() -> None:
    server = DeviceProtocol()
    with pytest.raises(ProtocolError) as failure:
        server.receive_text(json.dumps({"type": "ட" * 60}))
    assert len(str(failure.value).encode()) <= LONGEST_REASON_BYTES
    assert "ட" in str(failure.value)
