"""What speech services answer in the field, from servers that answer just that."""

import base64
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import anyio
import numpy as np
import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, Response
from starlette.websockets import WebSocketDisconnect

from parlour import tasks
from parlour.audio import HEARING_RATE_HZ, Pcm, frames, silence
from parlour.catalogue import facts
from parlour.errors import ProviderError
from parlour.gateways.web import create_server, listen
from parlour.ports import Final
from parlour.providers.cloud.deepgram import DeepgramBatch, DeepgramOptions, DeepgramStt
from parlour.providers.cloud.elevenlabs import LONGEST_CHARS, ElevenLabsOptions, ElevenLabsTts
from parlour.providers.cloud.http import Patience
from parlour.providers.cloud.openai_speech import OpenAiSpeechOptions, OpenAiTts
from parlour.providers.cloud.whisper_api import WhisperApi, WhisperApiOptions
from speech_servers import KEY, SpeechServer, _Listening
from tiny_models import bursts

pytestmark = pytest.mark.anyio

QUICK = Patience(connect_s=1.0, first_s=0.6, next_s=0.4)
TEXT = "The kitchen light is on."
SOUND = Pcm(np.concatenate([silence(0.1, HEARING_RATE_HZ).samples, *bursts(5)]), HEARING_RATE_HZ)


@asynccontextmanager
async def _serve(app: FastAPI) -> AsyncIterator[str]:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    server = create_server(app)
    with listen("127.0.0.1", 0) as listener:
        async with tasks.task_group() as group:
            group.start_soon(server.serve, [listener])
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True
            server.force_exit = True


def _answers(response: Response) -> FastAPI:
    app = FastAPI()

    @app.post("/{path:path}")
    async def answer(path: str) -> Response:
        return response

    return app


def _eleven(url: str, *, websocket: bool = False) -> ElevenLabsTts:
    traits = next(iter(facts.speaking()["elevenlabs"].values()))
    return ElevenLabsTts(ElevenLabsOptions(KEY, url, websocket=websocket), traits, QUICK)


def _openai(url: str) -> OpenAiTts:
    traits = next(iter(facts.speaking()["openai"].values()))
    return OpenAiTts(OpenAiSpeechOptions(KEY, url), traits, QUICK)


async def _speak(tts: ElevenLabsTts | OpenAiTts) -> None:
    async with aclosing(tts), tts.open() as speech:
        speech.say(TEXT)
        speech.finish()
        async for _ in speech:
            pass


async def test_credit_that_is_used_up_is_not_taken_for_a_wrong_key() -> None:
    # home-assistant/core#160414 shows this answer whole.
    detail = {"status": "quota_exceeded", "message": "This request exceeds your quota of 10000."}
    async with _serve(_answers(JSONResponse({"detail": detail}, 401))) as url:
        with pytest.raises(ProviderError, match="no credit left.*quota of 10000") as failed:
            await _speak(_eleven(url))
    assert "key" not in str(failed.value)


@pytest.mark.parametrize("status", [400, 402, 404, 500])
@pytest.mark.parametrize("filling", ["", "x" * 178])  # the second is cut within the key
async def test_a_key_that_a_service_repeats_is_not_shown(status: int, filling: str) -> None:
    body = {"error": {"message": f"{filling} no access with {KEY}"}}
    async with _serve(_answers(JSONResponse(body, status))) as url:
        with pytest.raises(ProviderError) as failed:
            await _speak(_openai(url))
    assert "sk-" not in str(failed.value)


@pytest.mark.parametrize("kind", ["application/problem+json", "application/xml", "image/png"])
async def test_what_is_no_sound_is_not_played(kind: str) -> None:
    async with _serve(_answers(Response(b"{" * 9000, media_type=kind))) as url:
        with pytest.raises(ProviderError, match="instead of sound; check base_url"):
            await _speak(_openai(url))


async def test_a_transcript_of_nothing_is_no_word() -> None:
    alternative = {"transcript": None, "confidence": "high"}
    body = {"results": {"channels": [{"alternatives": [alternative]}]}}
    async with _serve(_answers(JSONResponse(body))) as url:
        batch = DeepgramBatch(DeepgramOptions(KEY, url), QUICK)
        async with aclosing(batch):
            assert await batch.transcribe(SOUND, "en_US") == Final("", None, "en_US")


@pytest.mark.parametrize("name", ["whisper_api", "deepgram"])
async def test_a_transcription_that_is_cancelled_is_hung_up_on(name: str) -> None:
    app, began, gone = FastAPI(), anyio.Event(), anyio.Event()

    @app.post("/{path:path}")
    async def hang(path: str, request: Request) -> None:
        await request.body()
        began.set()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    async with _serve(app) as url:
        traits = next(iter(facts.hearing()["whisper_api"].values()))
        ear: WhisperApi | DeepgramBatch = DeepgramBatch(DeepgramOptions(KEY, url), Patience())
        if name == "whisper_api":
            ear = WhisperApi(WhisperApiOptions(KEY, url), traits, Patience())
        async with aclosing(ear), tasks.task_group() as group:
            group.start_soon(ear.transcribe, SOUND, "en_US")
            with anyio.fail_after(5):
                await began.wait()
            group.cancel_scope.cancel()
        with anyio.fail_after(0.5):
            await gone.wait()


@pytest.mark.parametrize(("refusals", "is_heard"), [(1, True), (2, False)])
async def test_deepgram_that_is_not_back_at_once_is_asked_again(
    refusals: int, is_heard: bool
) -> None:
    app, state = FastAPI(), SpeechServer(mode="drop_once")
    tries: list[int] = []

    @app.websocket("/v1/listen")
    async def live(socket: WebSocket) -> None:
        tries.append(len(tries))
        if 0 < tries[-1] <= refusals:
            await socket.send_denial_response(JSONResponse({}, 503))
            return
        await socket.accept()
        with suppress(WebSocketDisconnect):
            await _Listening(state, socket).run()

    traits = next(iter(facts.hearing()["deepgram"].values()))
    async with _serve(app) as url:
        stt = DeepgramStt(DeepgramOptions(KEY, url), traits, QUICK)
        async with stt.open("en_US") as hearing:
            for frame in frames(SOUND, 1600):
                hearing.feed(frame)
            hearing.finish()
            with anyio.fail_after(10):
                if is_heard:
                    *_, final = [heard async for heard in hearing]
                    assert final.text == "turn on the kitchen light"
                else:
                    with pytest.raises(ProviderError, match="out of order"):
                        _ = [heard async for heard in hearing]
    assert len(tries) == 3


# ---------------------------------------------------------------- ElevenLabs' WebSocket


def _socket_of(sound: bytes, cuts: list[int], texts: list[str], waits: list[str]) -> FastAPI:
    """Answers the first text with `sound` cut at `cuts`, and then says nothing."""
    app = FastAPI()

    @app.websocket("/v1/text-to-speech/{voice}/stream-input")
    async def stream_input(socket: WebSocket, voice: str) -> None:
        waits.append(socket.query_params["inactivity_timeout"])
        await socket.accept()
        await socket.receive_json()
        try:
            while text := (await socket.receive_json())["text"]:
                texts.append(text)
                edges = [0, *cuts, len(sound)] if len(texts) == 1 else []
                for start, end in zip(edges, edges[1:], strict=False):
                    piece = base64.b64encode(sound[start:end]).decode()
                    await socket.send_json({"audio": piece, "isFinal": None})
            await socket.send_json({"isFinal": True})
            await socket.close(1000)
        except WebSocketDisconnect:
            return

    return app


async def test_the_end_of_a_text_sounds_before_the_next_text_is_said() -> None:
    want = np.arange(1, 3001, dtype="<i2")
    app = _socket_of(want.tobytes(), [1, 46, 3001], [], [])  # in the middle of samples
    heard: list[int] = []
    async with (
        _serve(app) as url,
        aclosing(_eleven(url, websocket=True)) as tts,
        tts.open() as speech,
    ):
        speech.say(TEXT)
        with anyio.fail_after(2):
            async for piece in speech:
                heard += piece.pcm.samples.tolist()
                if len(heard) >= len(want):
                    break
    assert heard == want.tolist()


async def test_a_long_text_goes_over_the_socket_in_parts_and_it_waits_for_the_next() -> None:
    texts: list[str] = []
    waits: list[str] = []
    text = f"{TEXT} " * 2000
    async with (
        _serve(_socket_of(b"\1\0" * 100, [], texts, waits)) as url,
        aclosing(_eleven(url, websocket=True)) as tts,
        tts.open() as speech,
    ):
        speech.say(text)
        speech.finish()
        async for _ in speech:
            pass
    assert "".join(texts) == text
    assert max(len(part) for part in texts) <= LONGEST_CHARS + 1  # and the blank at its end
    assert waits == ["180"]
