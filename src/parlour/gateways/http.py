"""The HTTP side: health, the home, questions in writing, and the boards' configuration endpoint."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from anyio import to_thread
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from parlour import __version__
from parlour.errors import InputError, ParlourError
from parlour.events import Action
from parlour.gateways.clock import ClockCalls, clock_routes
from parlour.gateways.device import DeviceGateway
from parlour.gateways.home import HomeCalls, home_routes
from parlour.gateways.memory import MemoryCalls, memory_routes
from parlour.gateways.metrics import Metrics
from parlour.gateways.prompt import PromptCalls, prompt_routes
from parlour.gateways.satellites import SatelliteCalls, satellite_routes
from parlour.supervise import Stages
from parlour.wire.ota import build_reply, read_request

log = logging.getLogger(__name__)

LARGEST_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question in writing."""

    intent: str
    reply: str
    actions: Sequence[Action]


@dataclass(frozen=True, slots=True)
class House:
    """What the routes need of the house; made in app/build.py, since gateways know no home."""

    ask: Callable[["Question"], Awaitable[Answer]]
    voices: Callable[[str | None], Sequence[Mapping[str, object]]]  # of a language, or all
    languages: Callable[[], Sequence[Mapping[str, object]]]
    home: HomeCalls
    clock: ClockCalls
    memory: MemoryCalls
    prompt: PromptCalls
    satellites: SatelliteCalls


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    text: str = Field(min_length=1, max_length=1000, description="What somebody says to the house")
    area: str | None = Field(None, max_length=60, description="The room in which they stand")
    language: str | None = Field(
        None, max_length=10, description="Such as de_DE; null: the house's first"
    )
    conversation: str | None = Field(
        default=None,
        max_length=60,
        pattern=r"^[A-Za-z0-9_.:-]+$",
        description="Who asks: each value is a conversation of its own",
    )
    dry_run: bool = Field(False, description="Say what would be done, and do nothing")


def create_app(stages: Stages, devices: DeviceGateway, house: House, metrics: Metrics) -> FastAPI:
    """Build the web application; it owns nothing and starts nothing."""
    app = FastAPI(title="Parlour", version=__version__, docs_url=None, redoc_url=None)

    @app.exception_handler(ParlourError)
    async def refuse(_request: Request, error: ParlourError) -> JSONResponse:
        status = 422 if isinstance(error, InputError) else 503
        return JSONResponse({"error": str(error)}, status)

    @app.get("/health")
    async def health() -> JSONResponse:
        """Every stage and its state; 503 until all are ready."""
        body = {
            "ready": stages.ready,
            "version": __version__,
            "sessions": {"now": devices.sessions, "rated": devices.rated},
            "stages": {
                stage.name: {
                    "state": stage.health,
                    "reason": stage.reason,
                    "restarts": stage.restarts,
                    "pid": stage.pid,
                }
                for stage in stages
            },
        }
        return JSONResponse(body, 200 if stages.ready else 503)

    @app.get("/metrics")
    async def read_metrics() -> Response:
        """Every figure of the server, in the text format of Prometheus."""
        page, kind = metrics.render()
        return Response(page, media_type=kind)

    @app.post("/api/ask")
    async def ask(question: Question) -> dict[str, object]:
        """Answer as if it had been spoken, without a sound."""
        answer = await house.ask(question)
        return {
            "intent": answer.intent,
            "reply": answer.reply,
            "actions": [asdict(action) for action in answer.actions],
        }

    @app.get("/api/voices")
    async def voices(language: str | None = None) -> dict[str, object]:
        """Every voice: id, name, language, provider, grade, licence, state and its mend."""
        return {"voices": list(await to_thread.run_sync(house.voices, language))}

    @app.get("/api/languages")
    async def languages() -> dict[str, object]:
        """Every language of the house, with who hears and who speaks it, the best first."""
        return {"languages": list(await to_thread.run_sync(house.languages))}

    app.include_router(home_routes(house.home))
    app.include_router(clock_routes(house.clock))
    app.include_router(memory_routes(house.memory))
    app.include_router(prompt_routes(house.prompt))
    app.include_router(satellite_routes(house.satellites))

    @app.websocket("/device")
    async def device(socket: WebSocket) -> None:
        await devices.connect(socket)

    async def configure(request: Request) -> JSONResponse:
        """What a board asks at every boot: where its WebSocket is (docs/protocol/device.md)."""
        facts = read_request(request.headers, await _read_body(request))
        log.info("board %s runs %s %s", facts.device, facts.board, facts.firmware)
        house.satellites.told_model(facts.device, facts.board)
        scheme = "wss" if request.url.scheme == "https" else "ws"
        url = f"{scheme}://{request.headers.get('host', 'localhost')}/device"
        now = datetime.now(UTC).astimezone()
        offset = now.utcoffset() or timedelta()
        return JSONResponse(
            build_reply(
                facts,
                url,
                now_ms=round(now.timestamp() * 1000),
                utc_offset_min=round(offset.total_seconds() / 60),
            )
        )

    for path in ("/xiaozhi/ota", "/xiaozhi/ota/"):
        app.add_api_route(path, configure, methods=["GET", "POST"], include_in_schema=False)
    return app


async def _read_body(request: Request) -> bytes:
    """The body as far as it is of a sane size; a board's report is 2 KiB."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY_BYTES:
            raise InputError(f"the body is larger than {LARGEST_BODY_BYTES // 1024} KiB")
    return bytes(body)
