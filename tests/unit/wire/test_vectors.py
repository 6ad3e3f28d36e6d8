"""Runs docs/protocol/vectors.json on both sides of the link; the spec says how to read the file."""

import json
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest

from parlour.errors import ProtocolError
from parlour.events import Action, Speculation, TurnEnded
from parlour.ids import DeviceId
from parlour.wire.device import DeviceProtocol, Received
from parlour.wire.device_peer import DevicePeer, Heard
from parlour.wire.fields import MalformedError
from parlour.wire.framing import Packet, pack, unpack
from parlour.wire.messages import Features, Playout, Superset, Wake

Step = dict[str, Any]
Side = DeviceProtocol | DevicePeer

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "docs/protocol/vectors.json").read_text())


def named(section: str) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in VECTORS[section]]


@pytest.mark.parametrize("vector", named("packets"))
def test_a_packet_is_framed_and_unframed_as_the_vector_says(vector: Step) -> None:
    packet = Packet(bytes.fromhex(vector["packet"]), vector["timestamp_ms"])
    frame = bytes.fromhex(vector["frame"])
    assert pack(vector["framing"], packet) == frame
    assert unpack(vector["framing"], frame) == packet


@pytest.mark.parametrize("vector", named("broken_frames"))
def test_a_broken_frame_is_refused_with_its_reason(vector: Step) -> None:
    with pytest.raises(MalformedError, match=re.escape(vector["mentions"])):
        unpack(vector["framing"], bytes.fromhex(vector["frame"]))


@pytest.mark.parametrize("script", named("scripts"))
def test_the_server_follows_the_script(script: Step) -> None:
    server = DeviceProtocol()
    for step in steps_of(script):
        if step["from"] == "device":
            check_receive(server, step, step.get("server", []))
        elif "call" in step:
            check_send(server, step)


@pytest.mark.parametrize("script", named("scripts"))
def test_the_device_follows_the_script(script: Step) -> None:
    device = DevicePeer()
    for step in steps_of(script):
        if step["from"] == "device" and "call" in step:
            check_send(device, step)
        elif step["from"] == "server" and says_something(step):
            check_receive(device, step, step.get("device", []))


def test_the_vectors_show_every_event_of_both_sides() -> None:
    shown = {
        event["event"]
        for script in VECTORS["scripts"]
        for step in steps_of(script)
        for event in (*step.get("server", []), *step.get("device", []))
    }
    kinds = {*get_args(Received), *get_args(Heard)}
    assert shown == {event_name(kind) for kind in kinds}


# ---------------------------------------------------------------- the runner


def steps_of(script: Step) -> list[Step]:
    opening: list[Step] = VECTORS["openings"][script["after"]] if "after" in script else []
    steps: list[Step] = script["steps"]
    return [step for step in opening + steps for _ in range(step.get("times", 1))]


def says_something(step: Step) -> bool:
    return "hex" in step or step.get("text") is not None


def check_receive(side: Side, step: Step, wanted: list[Step]) -> None:
    if "closes" in step:
        with pytest.raises(ProtocolError, match=re.escape(step["mentions"])) as failure:
            receive(side, step)
        assert failure.value.code == step["closes"]
        return
    got = [as_json(event) for event in receive(side, step)]
    assert len(got) == len(wanted)
    for event, want in zip(got, wanted, strict=True):
        check_event(event, want, step.get("stretch", 1))


def receive(side: Side, step: Step) -> list[Any]:
    stretch = step.get("stretch", 1)
    if "hex" in step:
        return list(side.receive_binary(bytes.fromhex(step["hex"]) * stretch))
    text = step["text"] if isinstance(step["text"], str) else json.dumps(step["text"])
    return list(side.receive_text(text * stretch))


def check_event(event: Step, want: Step, stretch: int) -> None:
    if "mentions" in want:
        assert event["event"] == want["event"]
        reason = event["reason" if event["event"] == "rejected" else "what"]
        assert want["mentions"] in reason
        return
    if want["event"] == "packet":
        want = want | {"data": want["data"] * stretch}
    assert event == want


def check_send(side: Side, step: Step) -> None:
    send: Callable[..., Any] = getattr(side, "send_" + step["call"])
    args, kwargs = arguments(side, step)
    said = send(*args, **kwargs)
    if "hex" in step:
        assert said == bytes.fromhex(step["hex"])
    elif step["text"] is None:
        assert said is None
    else:
        assert json.loads(said) == step["text"]


def arguments(side: Side, step: Step) -> tuple[list[Any], Step]:
    args: Step = dict(step["args"])
    match step["call"]:
        case "audio":
            return [], args | {"packet": bytes.fromhex(args["packet"])}
        case "wake":
            return [Wake(**args)], {}
        case "playout":
            return [Playout(**args)], {}
        case "turn_report":
            args["actions"] = tuple(Action(**action) for action in args.get("actions", []))
            return [TurnEnded(device=DeviceId("d"), at_s=0.0, **args)], {}
        case "hello" if isinstance(side, DevicePeer):
            for key, kind in (("features", Features), ("superset", Superset)):
                if key in args:
                    args[key] = kind(**args[key])
            return [], args
        case _:
            return [], args


def as_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        members = {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
        if isinstance(value, Features | Superset | Action | Speculation):
            return members
        return {"event": event_name(type(value))} | members
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    return value


def event_name(kind: type) -> str:
    """The class in snake case, which is how the vectors and the spec name it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
