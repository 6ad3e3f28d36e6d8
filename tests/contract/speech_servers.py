"""A stand-in for the speech services: it keeps to their wire contracts, and misbehaves as told.

It speaks a tone for each character and hears a word for each burst of sound, so that nothing
passes that was not really sent. The vendors' own SDKs talk to it in test_stand_ins.py.
"""

import base64
import io
import json
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import numpy as np
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.websockets import WebSocketDisconnect

from parlour import tasks
from parlour.gateways.web import create_server, listen

KEY = "sk-very-secret"
CHARACTER_S = 0.05  # of tone, for each character spoken
WORDS = [
    "turn",
    "on",
    "the",
    "kitchen",
    "light",
    "in",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
]
PIECE = 1234  # bytes of a chunk: odd cuts are part of the contract
BATCH_RATE_HZ = 16_000


@dataclass
class SpeechServer:
    """`mode` says how requests are answered until it is set anew."""

    port: int = 0
    mode: str = "normal"
    texts: list[str] = field(default_factory=list)  # that were to be spoken
    voices: list[str] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    texts_of_socket: list[str] = field(default_factory=list)
    alive: int = 0  # KeepAlive messages
    dropped: int = 0  # connections cut as told
    hung_up: anyio.Event = field(default_factory=anyio.Event)  # by a client, in the middle

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def speech_server() -> AsyncIterator[SpeechServer]:
    state = SpeechServer()
    app = FastAPI()
    _openai(app, state)
    _elevenlabs(app, state)
    _elevenlabs_socket(app, state)
    _deepgram(app, state)
    _coqui(app, state)
    server = create_server(app)
    with listen("127.0.0.1", 0) as listener:
        state.port = listener.getsockname()[1]
        async with tasks.task_group() as group:
            group.start_soon(server.serve, [listener])
            yield state
            server.should_exit = True
            server.force_exit = True


def spoken_samples(text: str, rate_hz: int, speed: float = 1.0) -> int:
    return round(len(text) * CHARACTER_S * rate_hz / speed)


def _tone(text: str, rate_hz: int, speed: float = 1.0) -> bytes:
    at = np.arange(spoken_samples(text, rate_hz, speed)) / rate_hz
    return (8000 * np.sin(2 * np.pi * 300 * at)).astype("<i2").tobytes()


def heard(pcm: bytes) -> list[str]:
    """A word for each burst of sound at 16 kHz."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.int32)
    hop = BATCH_RATE_HZ // 50
    levels = np.abs(samples[: len(samples) // hop * hop].reshape(-1, hop)).max(axis=1) > 1000
    starts = int(levels[:1].sum()) + int((levels[1:] & ~levels[:-1]).sum())
    return WORDS[:starts]


def _wav_sound(data: bytes) -> bytes:
    with wave.open(io.BytesIO(data)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16_000, 1, 2)
        return bytes(wav.readframes(wav.getnframes()))


async def _stream(state: SpeechServer, data: bytes) -> AsyncIterator[bytes]:
    """In pieces; a client that hangs up is seen as a cancelled response."""
    try:
        if state.mode == "silent":
            await anyio.sleep_forever()
        for n, at in enumerate(range(0, len(data), PIECE)):
            if state.mode == "half" and at > len(data) // 2:
                raise ConnectionAbortedError
            if state.mode == "stalls" and n == 2:
                await anyio.sleep_forever()
            if state.mode == "slow":
                await anyio.sleep(0.02)
            yield data[at : at + PIECE]
    except anyio.get_cancelled_exc_class():
        state.hung_up.set()
        raise


def _misbehaving(state: SpeechServer) -> Response | None:
    match state.mode:
        case "429":
            return JSONResponse({"error": {"message": "slow down"}}, 429, {"Retry-After": "7"})
        case "500":
            return JSONResponse({"error": {"message": "engine overheated"}}, 500)
        case "html":
            return PlainTextResponse("<html>welcome</html>", media_type="text/html")
        case "mp3":
            return Response(b"ID3\x03" * 100, media_type="audio/mpeg")
        case _:
            return None


# ---------------------------------------------------------------- OpenAI


def _openai_refused(state: SpeechServer, request: Request) -> Response | None:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        error = {"message": f"Incorrect API key provided: {KEY[:5]}", "type": "invalid_request"}
        return JSONResponse({"error": error | {"code": "invalid_api_key"}}, 401)
    return _misbehaving(state)


def _openai(app: FastAPI, state: SpeechServer) -> None:
    _openai_speech(app, state)
    _openai_transcriptions(app, state)

    @app.get("/v1/models")
    async def models(request: Request) -> Response:
        if (refusal := _openai_refused(state, request)) is not None:
            return refusal
        model = {"id": "whisper-1", "object": "model", "created": 0, "owned_by": "here"}
        return JSONResponse({"object": "list", "data": [model]})


def _openai_speech(app: FastAPI, state: SpeechServer) -> None:
    @app.post("/v1/audio/speech")
    async def speech(request: Request) -> Response:
        if (refusal := _openai_refused(state, request)) is not None:
            return refusal
        body = await request.json()
        if len(body["input"]) > 4096:
            return JSONResponse({"error": {"message": "string too long", "param": "input"}}, 400)
        state.texts.append(body["input"])
        state.voices.append(body["voice"])
        sound = _tone(body["input"], 24_000, body.get("speed", 1.0))
        form = body.get("response_format", "mp3")
        if form == "wav" or state.mode == "wav":
            # As they are streamed: nobody knows how long it will be.
            head = io.BytesIO()
            with wave.open(head, "wb") as wav:
                wav.setparams((1, 2, 24_000, 0, "NONE", ""))
            lying = head.getvalue()[:40] + b"\xff\xff\xff\xff"
            return StreamingResponse(_stream(state, lying + sound), media_type="audio/wav")
        assert form == "pcm"
        return StreamingResponse(_stream(state, sound), media_type="audio/pcm")


def _openai_transcriptions(app: FastAPI, state: SpeechServer) -> None:
    @app.post("/v1/audio/transcriptions")
    async def transcriptions(request: Request) -> Response:
        if (refusal := _openai_refused(state, request)) is not None:
            return refusal
        if state.mode == "silent":
            await anyio.sleep_forever()
        async with request.form() as form:
            file = form["file"]
            assert not isinstance(file, str)
            data = await file.read()
            fields = {key: str(value) for key, value in form.items() if key != "file"}
        state.queries.append(fields)
        if state.mode == "no_text":
            return JSONResponse({"words": []})
        text = " ".join(heard(_wav_sound(data)))
        if fields.get("response_format") == "text":
            return PlainTextResponse(text + "\n")
        return JSONResponse({"text": text, "usage": {"type": "duration", "seconds": 1}})


# ---------------------------------------------------------------- ElevenLabs


def _elevenlabs(app: FastAPI, state: SpeechServer) -> None:
    @app.post("/v1/text-to-speech/{voice}/stream")
    async def stream(voice: str, request: Request) -> Response:
        if request.headers.get("xi-api-key") != KEY:
            detail = {"status": "invalid_api_key", "message": "Invalid API key"}
            return JSONResponse({"detail": detail}, 401)
        if (refusal := _misbehaving(state)) is not None:
            return refusal
        body = await request.json()
        rate = int(request.query_params.get("output_format", "mp3_44100").split("_")[1])
        state.texts.append(body["text"])
        state.voices.append(voice)
        speed = (body.get("voice_settings") or {}).get("speed", 1.0)
        sound = _tone(body["text"], rate, speed)
        return StreamingResponse(_stream(state, sound), media_type="audio/pcm")

    @app.get("/v1/voices")
    async def voices(request: Request) -> Response:
        if request.headers.get("xi-api-key") != KEY:
            return JSONResponse({"detail": {"message": "Invalid API key"}}, 401)
        return JSONResponse({"voices": [{"voice_id": "v1", "name": "One", "labels": {}}]})


def _elevenlabs_socket(app: FastAPI, state: SpeechServer) -> None:
    @app.websocket("/v1/text-to-speech/{voice}/stream-input")
    async def stream_input(socket: WebSocket, voice: str) -> None:
        if socket.headers.get("xi-api-key") != KEY:
            await socket.send_denial_response(JSONResponse({"detail": "Invalid API key"}, 401))
            return
        await socket.accept()
        rate = int(socket.query_params.get("output_format", "mp3_44100").split("_")[1])
        state.voices.append(voice)
        first = await socket.receive_json()
        assert first["text"] == " ", "the contract begins with a blank"
        waiting = ""
        try:
            while (message := await socket.receive_json())["text"]:
                assert message["text"].endswith(" "), "each text ends with a blank"
                state.texts_of_socket.append(message["text"])
                waiting += message["text"]
                if message.get("flush") or message.get("try_trigger_generation"):
                    await _speak_to(socket, state, waiting, rate)
                    waiting = ""
            await _speak_to(socket, state, waiting, rate)
            await socket.send_json({"isFinal": True})
            await socket.close(1000)
        except WebSocketDisconnect:
            state.hung_up.set()


async def _speak_to(socket: WebSocket, state: SpeechServer, text: str, rate: int) -> None:
    if not text:
        return
    match state.mode:
        case "silent":
            await anyio.sleep_forever()
        case "half":
            await socket.close(1011, "internal error")
            raise WebSocketDisconnect(1011)
        case "error":
            await socket.send_json({"message": "quota_exceeded", "error": "quota", "code": 1008})
            return
        case "garbage":
            await socket.send_text("{{{")
            return
        case _:
            pass
    state.texts.append(text)
    sound = _tone(text, rate)
    each = round(CHARACTER_S * 1000)
    for at in range(0, len(sound), 6000):
        characters = list(text) if at == 0 else []
        alignment = {
            "chars": characters,
            "charStartTimesMs": [n * each for n in range(len(characters))],
            "charDurationsMs": [each] * len(characters),
        }
        await socket.send_json(
            {
                "audio": base64.b64encode(sound[at : at + 6000]).decode(),
                "isFinal": None,
                "alignment": alignment if characters else None,
                "normalizedAlignment": None,
            }
        )


# ---------------------------------------------------------------- Deepgram


def _deepgram(app: FastAPI, state: SpeechServer) -> None:
    @app.websocket("/v1/listen")
    async def live(socket: WebSocket) -> None:
        if socket.headers.get("authorization") != f"Token {KEY}":
            await socket.send_denial_response(
                JSONResponse(
                    {"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."},
                    401,
                    {"dg-error": "Invalid credentials."},
                )
            )
            return
        if state.mode in ("429", "500"):
            headers = {"Retry-After": "7"} if state.mode == "429" else {}
            await socket.send_denial_response(JSONResponse({}, int(state.mode), headers))
            return
        await socket.accept()
        state.queries.append(dict(socket.query_params))
        try:
            await _Listening(state, socket).run()
        except WebSocketDisconnect:
            state.hung_up.set()

    @app.post("/v1/listen")
    async def batch(request: Request) -> Response:
        if request.headers.get("authorization") != f"Token {KEY}":
            return JSONResponse(
                {"err_msg": "Invalid credentials.", "err_code": "INVALID_AUTH"}, 401
            )
        if (refusal := _misbehaving(state)) is not None:
            return refusal
        state.queries.append(dict(request.query_params))
        words = heard(_wav_sound(await request.body()))
        alternative = {"transcript": " ".join(words), "confidence": 0.9, "words": []}
        metadata = {
            "transaction_key": "deprecated",
            "request_id": "r",
            "sha256": "0",
            "created": "2026-01-01T00:00:00Z",
            "duration": 1.0,
            "channels": 1,
            "models": ["m"],
            "model_info": {},
        }
        channels = [{"alternatives": [alternative]}]
        return JSONResponse({"metadata": metadata, "results": {"channels": channels}})


class _Listening:
    """One live connection: interim results after each burst, finals at 300 ms of silence."""

    def __init__(self, state: SpeechServer, socket: WebSocket) -> None:
        self._state = state
        self._socket = socket
        self._sound = b""
        self._fixed = 0  # words that were said to be final
        self._interim = 0

    async def run(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(1000)
            if data := message.get("bytes"):
                await self._hear(data)
                continue
            match json.loads(message["text"])["type"]:
                case "KeepAlive":
                    self._state.alive += 1
                case "Finalize":
                    await self._say(final=True, finalize=True)
                case "CloseStream":
                    if self._state.mode == "silent":
                        await anyio.sleep_forever()
                    if len(heard(self._sound)) > self._fixed:
                        await self._say(final=True)
                    await self._socket.send_json(
                        {
                            "type": "Metadata",
                            "transaction_key": "deprecated",
                            "request_id": "r",
                            "sha256": "0",
                            "created": "2026-01-01T00:00:00Z",
                            "duration": len(self._sound) / 32000,
                            "channels": 1,
                        }
                    )
                    await self._socket.close(1000)
                    return
                case _:
                    raise AssertionError(message["text"])

    async def _hear(self, data: bytes) -> None:
        self._sound += data
        state = self._state
        if state.mode.startswith("drop") and len(self._sound) > 24_000:
            if state.mode == "drop_once":
                state.mode = "normal"
            state.dropped += 1
            await self._socket.close(1011, "NET-0000")
            raise WebSocketDisconnect(1011)
        if state.mode == "error" and len(self._sound) > 16_000:
            error = {"type": "Error", "variant": "x", "description": "model broke", "code": "E1"}
            await self._socket.send_json(error | {"message": "model broke"})
            state.mode = "normal"
            return
        words = len(heard(self._sound))
        if words > self._interim:
            self._interim = words
            await self._say(final=False)

    async def _say(self, *, final: bool, finalize: bool = False) -> None:
        words = heard(self._sound)[self._fixed :]
        if final:
            self._fixed += len(words)
        alternative = {
            "transcript": " ".join(words),
            "confidence": 0.9,
            "words": [
                {"word": w, "start": 0.0, "end": 0.1, "confidence": 0.9, "punctuated_word": w}
                for w in words
            ],
        }
        await self._socket.send_json(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": 0.0,
                "duration": len(self._sound) / 32000,
                "is_final": final,
                "speech_final": False,
                "from_finalize": finalize,
                "channel": {"alternatives": [alternative]},
                "metadata": {
                    "request_id": "r",
                    "model_info": {"name": "m", "version": "1", "arch": "a"},
                    "model_uuid": "u",
                },
            }
        )


# ---------------------------------------------------------------- Coqui


def _coqui(app: FastAPI, state: SpeechServer) -> None:
    async def tts(text: str, speaker: str) -> Response:
        if (refusal := _misbehaving(state)) is not None:
            return refusal
        state.texts.append(text)
        state.voices.append(speaker)
        if state.mode == "silent":
            await anyio.sleep_forever()
        out = io.BytesIO()
        with wave.open(out, "wb") as wav:
            wav.setparams((1, 2, 22_050, 0, "NONE", ""))
            wav.writeframes(_tone(text, 22_050))
        data = out.getvalue()
        if state.mode == "lying":
            data = data[:40] + b"\xf0\xff\xff\x7f" + data[44:]
        return Response(data, media_type="audio/wav")

    @app.get("/api/tts")
    async def get(text: str, speaker_id: str = "", language_id: str = "") -> Response:
        return await tts(text, speaker_id)

    @app.post("/api/tts")
    async def post(request: Request) -> Response:
        async with request.form() as form:
            text, speaker = str(form["text"]), str(form.get("speaker_id", ""))
        return await tts(text, speaker)
