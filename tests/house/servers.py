"""A whole server on a free port of this machine, in the event loop of the test."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from parlour import tasks
from parlour.bus.memory import MemoryBus
from parlour.gateways.device import DeviceGateway, Gate
from parlour.gateways.http import Answer, House, create_app
from parlour.gateways.metrics import Metrics
from parlour.gateways.web import create_server, listen
from parlour.ids import DeviceId
from parlour.supervise import Health, Stages
from parlour.turn.admission import Admission, AdmissionPolicy
from parlour.turn.engines import Engines
from parlour.turn.vadbatch import VadBatch
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

    @property
    def device_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/device"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def scripted_server(
    *, most_sessions: int = 100, areas: Mapping[DeviceId, str] | None = None
) -> AsyncIterator[Server]:
    bus, stages, brain = MemoryBus(), Stages(), EchoBrain()
    stages.add("stt:scripted").set(Health.READY)
    vad = VadBatch(EnergyVad())
    engines = Engines(ScriptedStt(COMMAND), ToneTts(), vad, ClosedGrammar(COMMAND), brain)
    admission = Admission(AdmissionPolicy(most_sessions))
    devices = DeviceGateway(Gate(engines, areas or {}, bus.publish, admission))

    async def ask(text: str, _area: str | None, _dry_run: bool) -> Answer:
        return Answer("echo", text, [])

    async def watch() -> AsyncIterator[Mapping[str, object]]:
        yield {"id": "kitchen.light"}

    def entities() -> Sequence[Mapping[str, object]]:
        return [{"id": "kitchen.light"}]

    server = create_server(
        create_app(
            stages, devices, House(ask, entities, watch, lambda _: [], list), Metrics(stages)
        )
    )
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    with listen("127.0.0.1", 0) as listener:
        async with tasks.task_group() as group:
            group.start_soon(server.serve, [listener])
            yield Server(listener.getsockname()[1], bus, devices, stages, brain)
            devices.close_all()
            server.should_exit = True
