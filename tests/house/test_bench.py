"""The bench against a whole server with a house of one lamp: does it judge what it sees?"""

import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import pytest

from clocks import PlainStore
from parlour import tasks
from parlour.app.clock import Calls, Speakers
from parlour.app.devices import Calls as DeviceCalls
from parlour.app.memory import Calls as MemoryCalls
from parlour.app.memory import no_prompt
from parlour.app.satellites import Satellites
from parlour.app.sections import Config
from parlour.app.virtual_turn import speech_end
from parlour.audio import Pcm, join, silence
from parlour.bus.memory import MemoryBus
from parlour.bus.rounds import MemoryRounds
from parlour.errors import InputError
from parlour.gateways.device import DeviceGateway, Gate
from parlour.gateways.home import HomeCalls
from parlour.gateways.http import Answer, House, Question, create_app
from parlour.gateways.metrics import Metrics
from parlour.gateways.prompt import PromptCalls
from parlour.gateways.referee import Referee
from parlour.gateways.web import create_server, listen
from parlour.home.clock import Clock
from parlour.home.store import open_store
from parlour.supervise import Stages
from parlour.turn.engines import Engines
from parlour.turn.vadbatch import VadBatch
from parlour.wake.arbiter import Arbiter
from parlour_bench import plan
from parlour_bench.calibrate import calibrate
from parlour_bench.cli import Choice, Outputs, voice_to_voice
from parlour_bench.fixtures import Fixture, can_speak
from parlour_bench.manifest import Kind, Utterance
from parlour_bench.measured import Measured, Verdict
from parlour_bench.plan import Group, Said
from parlour_bench.run import Run, Servers, Target, own_servers, run
from scripted_engines import ClosedGrammar, EchoBrain, EnergyVad, ScriptedStt, ToneTts, tone
from servers import COMMAND

pytestmark = pytest.mark.anyio

SPOKEN_S = 1.2
LAMP = "kitchen.light"
OFF = "turn off the light"


@asynccontextmanager
async def _house_with_a_lamp() -> AsyncIterator[Target]:
    """Whatever is spoken turns the lamp on; only OFF, in writing, turns it off."""
    async with open_store(None) as store, _house(Satellites(Config(), store)) as target:
        yield target


@asynccontextmanager
async def _house(satellites: Satellites) -> AsyncIterator[Target]:
    stages, brain = Stages(), EchoBrain()
    vad = VadBatch(EnergyVad())
    engines = Engines(ScriptedStt(COMMAND), ToneTts(), vad, ClosedGrammar(COMMAND), brain)
    referee = Referee(partial(MemoryRounds, Arbiter()))
    devices = DeviceGateway(Gate(engines, satellites, MemoryBus().publish, referee))

    async def ask(question: Question) -> Answer:
        if question.text == OFF:
            brain.did = 0
        return Answer("echo", question.text, [])

    async def watch() -> AsyncIterator[Mapping[str, object]]:
        yield {"id": LAMP}

    async def entities() -> Sequence[Mapping[str, object]]:
        return [{"id": LAMP, "state": {"on": brain.did > 0}}, {"id": "hall.light", "state": {}}]

    def record(*_: object) -> Mapping[str, object]:
        return {"id": LAMP}

    speakers = Speakers(Config(), lambda: devices)
    calls = Calls(Clock(PlainStore(), speakers, "en"), speakers).routes()
    home = HomeCalls(entities, record, record, dict, watch, record)
    memory, prompt = MemoryCalls(None).routes(), PromptCalls(no_prompt)
    decided = DeviceCalls(satellites, connected=list, limited=list).routes()
    house = House(ask, lambda _: [], list, home, calls, memory, prompt, decided)
    server = create_server(create_app(stages, devices, house, Metrics(stages)))
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    with listen("127.0.0.1", 0) as listener:
        async with tasks.task_group() as group:
            served = anyio.Event()

            async def serve() -> None:
                await server.serve([listener])
                served.set()

            group.start_soon(referee.run)
            group.start_soon(serve)
            at = f"127.0.0.1:{listener.getsockname()[1]}"
            yield Target(f"ws://{at}/device", f"http://{at}")
            devices.close_all()
            server.should_exit = True
            with anyio.fail_after(10):
                await served.wait()
            group.cancel_scope.cancel()


@dataclass(frozen=True, slots=True)
class _Spoken(Said):
    """What is said sounds like a tone."""

    sound: Pcm | None = None

    def fixture(self) -> Fixture:
        whole = join([silence(0.1, 16_000), tone(SPOKEN_S), silence(0.5, 16_000)], 16_000)
        sound = self.sound or whole
        return Fixture("", "slt", sound, speech_end(sound))


def _command(*, off_first: bool = True, reply: str = "", sound: Pcm | None = None) -> _Spoken:
    before = (OFF,) if off_first else ()
    after = {LAMP: {"on": True}}
    utterance = Utterance(Kind.COMMAND, (COMMAND,), before=before, after=after, reply=reply)
    return _Spoken(utterance, "slt", sound=sound)


async def _run(*said: Said, tell: Callable[[Measured], None] = lambda _: None) -> Run:
    async with _house_with_a_lamp() as target:
        servers = Servers({Group.EMBEDDED: target})
        return await run(servers, said, hear_s=0.1, tell=tell)


async def test_a_command_whose_effect_is_seen_is_right_and_has_its_latency() -> None:
    told: list[Measured] = []
    done = await _run(_command(reply="you said"), _command(reply="you said"), tell=told.append)
    assert done.measured == told
    assert done.ended == ""
    first, second = done.measured
    assert (first.verdict, first.why) == (Verdict.RIGHT, "")
    assert second.verdict is Verdict.RIGHT
    assert first.cuts == 0
    assert first.latency_ms is not None
    assert 50 < first.latency_ms < 3000


async def test_a_house_that_stands_so_already_proves_nothing() -> None:
    first, second = (await _run(_command(off_first=False), _command(off_first=False))).measured
    assert first.verdict is Verdict.RIGHT
    assert second.verdict is Verdict.UNPREPARED


async def test_chatter_that_turns_something_on_is_wrong() -> None:
    chatter = Utterance(Kind.CHATTER, ("lovely weather",), before=(OFF,))
    (measured,) = (await _run(_Spoken(chatter, "slt"))).measured
    assert (measured.verdict, measured.why) == (Verdict.WRONG, f"changed {LAMP}")


async def test_a_turn_taken_in_the_middle_of_speech_is_cut_off() -> None:
    pause = [silence(0.1, 16_000), tone(1.1), silence(1.2, 16_000), tone(0.3)]
    (measured,) = (await _run(_command(sound=join(pause, 16_000)))).measured
    assert measured.cuts == 1
    assert measured.latency_ms is None
    assert measured.verdict is Verdict.RIGHT


async def test_ctrl_c_ends_a_run_that_reports_what_it_has() -> None:
    def interrupt(_: Measured) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    done = await _run(_command(), _command(), _command(), tell=interrupt)
    assert len(done.measured) == 1
    assert (done.ended, done.planned) == ("interrupted", 3)


@pytest.mark.skipif(not can_speak("slt"), reason="needs flite")
async def test_a_question_is_answered_by_a_server_of_the_benchs_own(tmp_path: Path) -> None:
    question = next(said for said in plan.short() if said.profile)
    async with own_servers({Group.SPOKEN}, tmp_path) as servers:
        (measured,) = (await run(servers, [question], hear_s=0.1, tell=lambda _: None)).measured
    assert (measured.verdict, measured.why) == (Verdict.RIGHT, "")
    assert measured.turn.transcript == question.utterance.text
    assert {"commit", "llm_first_token", "sent_first"} <= measured.stages_ms.keys()


async def test_a_machine_needs_some_time_for_a_command_even_if_all_else_costs_nothing() -> None:
    assert 100 < await calibrate(rounds=1) < 5000


@pytest.mark.parametrize(
    ("choice", "outputs", "url", "complaint"),
    [
        (Choice(), Outputs(), "localhost:8000", "is no device link"),
        (Choice(only="songs"), Outputs(), None, 'no class "songs"; there is commands'),
        (Choice(voices="bob"), Outputs(), None, 'no voice "bob": the bench has slt'),
        (Choice(), Outputs(picture=Path("x.png")), None, "pictures are .svg"),
        (Choice(), Outputs(json_file=Path("/nowhere/x.json")), None, "there is no folder"),
        (Choice(only="question"), Outputs(), "ws://localhost:1/device", "nothing to say"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_is_said(
    choice: Choice, outputs: Outputs, url: str | None, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        voice_to_voice(choice, outputs=outputs, url=url)
