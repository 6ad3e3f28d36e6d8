"""The vendors' own SDKs talk to our stand-in: what they understand is the vendors' contract."""

import io
import logging
from collections.abc import AsyncIterator
from typing import Any

import anyio
import deepgram
import elevenlabs
import httpx
import numpy as np
import openai
import pytest
from anyio import to_thread
from deepgram.core.api_error import ApiError as DeepgramError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.types.listen_v1close_stream import ListenV1CloseStream
from deepgram.listen.v1.types.listen_v1keep_alive import ListenV1KeepAlive
from deepgram.listen.v1.types.listen_v1results import ListenV1Results
from elevenlabs.core.api_error import ApiError as ElevenLabsError

from parlour.audio import HEARING_RATE_HZ, Pcm, silence, write_wav
from speech_servers import KEY, SpeechServer, speech_server, spoken_samples
from tiny_models import bursts

pytestmark = [
    pytest.mark.anyio,
    # The SDKs use names of websockets that are on their way out.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

TEXT = "The kitchen light is on."


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """The SDKs leave connections of their own making open."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
async def server() -> AsyncIterator[SpeechServer]:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    async with speech_server() as running:
        yield running


def _sound(words: int) -> Pcm:
    return Pcm(np.concatenate([silence(0.1, HEARING_RATE_HZ).samples, *bursts(words)]), 16_000)


def _wav(words: int) -> bytes:
    out = io.BytesIO()
    write_wav(out, _sound(words))
    return out.getvalue()


# ---------------------------------------------------------------- OpenAI


async def test_openai_speaks_and_hears(server: SpeechServer) -> None:
    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{server.url}/v1") as client:
        async with client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input=TEXT, response_format="pcm"
        ) as response:
            sound = b"".join([chunk async for chunk in response.iter_bytes()])
        assert len(sound) == 2 * spoken_samples(TEXT, 24_000)
        said = await client.audio.transcriptions.create(
            model="whisper-1", file=("a.wav", _wav(5)), language="en"
        )
        assert said.text == "turn on the kitchen light"
        models = await client.models.list()
        assert [model.id for model in models.data] == ["whisper-1"]


async def test_openai_reads_our_refusals_as_its_own(server: SpeechServer) -> None:
    url = f"{server.url}/v1"
    async with openai.AsyncOpenAI(api_key="wrong", base_url=url, max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
    async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0) as client:
        server.mode = "429"
        with pytest.raises(openai.RateLimitError) as limited:
            await client.models.list()
        assert limited.value.response.headers["retry-after"] == "7"
        server.mode = "500"
        with pytest.raises(openai.InternalServerError):
            await client.models.list()


# ---------------------------------------------------------------- ElevenLabs


async def test_elevenlabs_speaks_by_http(server: SpeechServer, http: httpx.AsyncClient) -> None:
    client = elevenlabs.AsyncElevenLabs(api_key=KEY, base_url=server.url, httpx_client=http)
    stream = client.text_to_speech.stream("v1", text=TEXT, output_format="pcm_24000")
    sound = b"".join([chunk async for chunk in stream])
    assert len(sound) == 2 * spoken_samples(TEXT, 24_000)
    voices = await client.voices.get_all()
    assert [voice.voice_id for voice in voices.voices] == ["v1"]


async def test_elevenlabs_speaks_over_its_socket(server: SpeechServer) -> None:
    def speak() -> bytes:
        with httpx.Client(trust_env=False) as http:
            client = elevenlabs.ElevenLabs(api_key=KEY, base_url=server.url, httpx_client=http)
            # The SDK makes wss:// of any address; its own field is what can be set.
            speech: Any = client.text_to_speech
            speech._ws_base_url = server.url.replace("http", "ws")
            pieces = speech.convert_realtime(
                "v1", text=iter(["The kitchen light ", "is on. "]), output_format="pcm_24000"
            )
            return b"".join(pieces)

    with anyio.fail_after(10):
        sound = await to_thread.run_sync(speak)
    assert len(sound) > spoken_samples(TEXT, 24_000)


async def test_elevenlabs_reads_our_refusal_as_its_own(
    server: SpeechServer, http: httpx.AsyncClient
) -> None:
    client = elevenlabs.AsyncElevenLabs(api_key="wrong", base_url=server.url, httpx_client=http)
    with pytest.raises(ElevenLabsError) as refused:
        await client.voices.get_all()
    assert refused.value.status_code == 401


# ---------------------------------------------------------------- Deepgram


def _client(
    server: SpeechServer, http: httpx.AsyncClient, key: str = KEY
) -> deepgram.AsyncDeepgramClient:
    socket = server.url.replace("http", "ws")
    where = DeepgramClientEnvironment(
        base=server.url, production=socket, agent=socket, agent_rest=server.url
    )
    return deepgram.AsyncDeepgramClient(api_key=key, environment=where, httpx_client=http)


async def test_deepgram_hears_while_one_speaks(
    server: SpeechServer, http: httpx.AsyncClient
) -> None:
    client = _client(server, http)
    opened = client.listen.v1.connect(
        model="nova-3", encoding="linear16", sample_rate=16_000, interim_results=True
    )
    heard: list[tuple[str, bool]] = []
    async with opened as socket:
        sound = _sound(3).tobytes()
        for at in range(0, len(sound), 3200):
            await socket.send_media(sound[at : at + 3200])
        await socket.send_keep_alive(ListenV1KeepAlive(type="KeepAlive"))
        await socket.send_close_stream(ListenV1CloseStream(type="CloseStream"))
        with anyio.fail_after(10):
            async for message in socket:
                if isinstance(message, ListenV1Results):
                    said = message.channel.alternatives[0].transcript
                    heard.append((said, bool(message.is_final)))
    assert heard == [
        ("turn", False),
        ("turn on", False),
        ("turn on the", False),
        ("turn on the", True),
    ]
    assert server.alive == 1


async def test_deepgram_hears_a_recording(server: SpeechServer, http: httpx.AsyncClient) -> None:
    client = _client(server, http)
    said: Any = await client.listen.v1.media.transcribe_file(request=_wav(2), model="nova-3")
    assert said.results.channels[0].alternatives[0].transcript == "turn on"
    with pytest.raises(DeepgramError):
        await _client(server, http, "wrong").listen.v1.media.transcribe_file(request=_wav(2))
