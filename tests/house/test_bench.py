"""The bench against a whole server with a house of one lamp: does it judge what it sees?"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from parlour import tasks
from parlour.audio import Pcm, join, silence
from parlour.bus.memory import MemoryBus
from parlour.errors import InputError
from parlour.gateways.device import DeviceGateway, Gate
from parlour.gateways.http import Answer, House, create_app
from parlour.gateways.metrics import Metrics
from parlour.gateways.web import create_server, listen
from parlour.supervise import Stages
from parlour.turn.engines import Engines
from parlour.turn.vadbatch import VadBatch
from parlour_bench.cli import voice_to_voice
from parlour_bench.fixtures import Fixture
from parlour_bench.run import Measured, Target, Verdict, run
from parlour_bench.scenario import Command, Line
from scripted_engines import ClosedGrammar, EchoBrain, EnergyVad, ScriptedStt, ToneTts, tone
from servers import COMMAND

pytestmark = pytest.mark.anyio

SPOKEN_S = 1.2
LAMP = "kitchen.light"
OFF = "turn off the light"


@asynccontextmanager
async def _house_with_a_lamp() -> AsyncIterator[Target]:
    """Whatever is spoken turns the lamp on; only OFF, in writing, turns it off."""
    stages, brain = Stages(), EchoBrain()
    vad = VadBatch(EnergyVad())
    engines = Engines(ScriptedStt(COMMAND), ToneTts(), vad, ClosedGrammar(COMMAND), brain)
    devices = DeviceGateway(Gate(engines, {}, MemoryBus().publish))

    async def ask(text: str, _area: str | None, _dry_run: bool) -> Answer:
        if text == OFF:
            brain.did = 0
        return Answer("echo", text, [])

    async def watch() -> AsyncIterator[Mapping[str, object]]:
        yield {"id": LAMP}

    def entities() -> Sequence[Mapping[str, object]]:
        return [{"id": LAMP, "state": {"on": brain.did > 0}}, {"id": "hall.light", "state": {}}]

    server = create_server(
        create_app(stages, devices, House(ask, entities, watch), Metrics(stages))
    )
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    with listen("127.0.0.1", 0) as listener:
        async with tasks.task_group() as group:
            group.start_soon(server.serve, [listener])
            at = f"127.0.0.1:{listener.getsockname()[1]}"
            yield Target(f"ws://{at}/device", f"http://{at}")
            devices.close_all()
            server.should_exit = True


async def _say(*commands: Command, sound: Pcm | None = None) -> list[Measured]:
    pcm = sound or join([silence(0.1, 16_000), tone(SPOKEN_S), silence(0.5, 16_000)], 16_000)
    fixture = Fixture("", "slt", pcm, round((0.1 + SPOKEN_S) * 16_000))
    told: list[Measured] = []
    async with _house_with_a_lamp() as target:
        said = [(Line(command, "slt"), fixture) for command in commands]
        measured = await run(target, said, hear_s=0.1, tell=told.append)
    assert told == measured
    return measured


async def test_a_command_whose_effect_is_seen_is_right_and_has_its_latency() -> None:
    command = Command(COMMAND, "command", (OFF,), {LAMP: {"on": True}}, "you said")
    first, second = await _say(command, command)
    assert (first.verdict, first.why) == (Verdict.RIGHT, "")
    assert second.verdict is Verdict.RIGHT
    assert not first.cut_off
    assert first.turn.first_audio_ms is not None
    assert 150 < first.turn.first_audio_ms < 3000


async def test_a_house_that_stands_so_already_proves_nothing() -> None:
    on = Command(COMMAND, "command", (), {LAMP: {"on": True}})
    first, second = await _say(on, on)
    assert first.verdict is Verdict.RIGHT
    assert second.verdict is Verdict.UNPREPARED


async def test_chatter_that_turns_something_on_is_wrong() -> None:
    (measured,) = await _say(Command("lovely weather", "chatter", (OFF,)))
    assert (measured.verdict, measured.why) == (Verdict.WRONG, f"changed {LAMP}")


async def test_a_turn_taken_in_the_middle_of_speech_is_cut_off() -> None:
    pause = [silence(0.1, 16_000), tone(1.1), silence(1.2, 16_000), tone(0.3)]
    command = Command(COMMAND, "command", (OFF,), {LAMP: {"on": True}})
    (measured,) = await _say(command, sound=join(pause, 16_000))
    assert measured.cut_off
    assert measured.verdict is Verdict.RIGHT


def test_an_address_that_is_none_is_told_before_anything_is_said() -> None:
    with pytest.raises(InputError, match="is no device link"):
        voice_to_voice(url="localhost:8000")
