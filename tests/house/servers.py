"""A whole server on a free port of this machine, in the event loop of the test."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio

from parlour import tasks
from parlour.app.clock import Calls, Speakers, dismiss_on_turns
from parlour.app.devices import Calls as DeviceCalls
from parlour.app.memory import Calls as MemoryCalls
from parlour.app.memory import no_prompt
from parlour.app.satellites import Satellites
from parlour.app.sections import Config, Satellite
from parlour.bus.memory import MemoryBus
from parlour.bus.rounds import MemoryRounds
from parlour.gateways.device import Confirm, DeviceGateway, Gate
from parlour.gateways.home import HomeCalls
from parlour.gateways.http import Answer, House, Question, create_app
from parlour.gateways.metrics import Metrics
from parlour.gateways.prompt import PromptCalls
from parlour.gateways.referee import Referee
from parlour.gateways.web import create_server, listen
from parlour.home.clock import Clock
from parlour.home.store import open_store
from parlour.ids import DeviceId
from parlour.supervise import Health, Stages
from parlour.turn.admission import Admission, AdmissionPolicy
from parlour.turn.engines import Engines
from parlour.turn.vadbatch import VadBatch
from parlour.turn.wakeword import WakeListener
from parlour.wake.arbiter import Arbiter
from parlour.wake.rounds import Rounds, Tell
from scripted_engines import ClosedGrammar, EchoBrain, EnergyVad, ScriptedStt, ToneTts

COMMAND = "turn on the light"


@dataclass
class Server:
    """What a test looks at. `engines` are scripted; the sockets are real."""

    port: int
    bus: MemoryBus
    devices: DeviceGateway
    stages: Stages
    brain: EchoBrain
    clock: Clock

    @property
    def device_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/device"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def scripted_server(
    *,
    most_sessions: int = 100,
    always: int = 8,
    areas: Mapping[DeviceId, str] | None = None,
    make_rounds: Callable[[Tell], Rounds] | None = None,
    confirm: Confirm | None = None,
    spot: Callable[[DeviceId], WakeListener | None] = lambda _: None,
) -> AsyncIterator[Server]:
    bus, stages, brain = MemoryBus(), Stages(), EchoBrain()
    stages.add("stt:scripted").set(Health.READY)
    placed = {str(device): Satellite(area=area) for device, area in (areas or {}).items()}
    config = Config(satellites=placed)
    speakers = Speakers(config, lambda: devices)
    vad = VadBatch(EnergyVad())
    engines = Engines(ScriptedStt(COMMAND), ToneTts(), vad, ClosedGrammar(COMMAND), brain)
    admission = Admission(AdmissionPolicy(most_sessions, always))

    async def ask(question: Question) -> Answer:
        return Answer("echo", question.text, [])

    async def watch() -> AsyncIterator[Mapping[str, object]]:
        yield {"id": "kitchen.light"}

    async def entities() -> Sequence[Mapping[str, object]]:
        return [{"id": "kitchen.light"}]

    def record(*_: object) -> Mapping[str, object]:
        return {"id": "kitchen.light"}

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    with listen("127.0.0.1", 0) as listener:
        async with open_store(None) as store, tasks.task_group() as group:
            satellites = Satellites(config, store)
            referee = Referee(make_rounds or partial(MemoryRounds, Arbiter()), satellites.observe)
            devices = DeviceGateway(
                Gate(engines, satellites, bus.publish, referee, confirm, spot, admission)
            )
            clock = Clock(store, speakers, "en")
            calls = Calls(clock, speakers).routes()
            home = HomeCalls(entities, record, record, dict, watch, record)
            memory, prompt = MemoryCalls(None).routes(), PromptCalls(no_prompt)
            decided = DeviceCalls(
                satellites,
                connected=lambda: devices.connected,
                limited=lambda: referee.rounds.limited,
            ).routes()
            house = House(ask, lambda _: [], list, home, calls, memory, prompt, decided)
            server = create_server(create_app(stages, devices, house, Metrics(stages)))
            served = anyio.Event()

            async def serve() -> None:
                await server.serve([listener])
                served.set()

            group.start_soon(serve)
            group.start_soon(clock.run)
            group.start_soon(referee.run)
            group.start_soon(dismiss_on_turns, bus, clock)
            yield Server(listener.getsockname()[1], bus, devices, stages, brain, clock)
            devices.close_all()
            server.should_exit = True
            with anyio.fail_after(10):
                await served.wait()
            group.cancel_scope.cancel()
