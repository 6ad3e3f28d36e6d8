"""What holds for every speech service, against a stand-in that misbehaves."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import anyio
import numpy as np
import pytest

from parlour.audio import HEARING_RATE_HZ, Pcm, frames, join, silence
from parlour.catalogue import facts
from parlour.engines.redecode import RedecodePolicy, Redecoding
from parlour.errors import ProviderError
from parlour.ports import Final, Partial, Stt, Tts, Vocabulary
from parlour.providers.cloud.deepgram import DeepgramBatch, DeepgramOptions, DeepgramStt
from parlour.providers.cloud.elevenlabs import ElevenLabsOptions, ElevenLabsTts
from parlour.providers.cloud.http import Patience
from parlour.providers.cloud.openai_speech import OpenAiSpeechOptions, OpenAiTts
from parlour.providers.cloud.whisper_api import WhisperApi, WhisperApiOptions
from parlour.providers.coqui.server import CoquiOptions, CoquiServerTts
from speech_servers import CHARACTER_S, KEY, SpeechServer, speech_server
from tiny_models import bursts

pytestmark = pytest.mark.anyio

QUICK = Patience(connect_s=1.0, first_s=0.6, next_s=0.4)
PATIENT = Patience(connect_s=5.0, first_s=10.0, next_s=10.0)  # where no fault is waited for
TEXT = "The kitchen light is on."
VOICES = ["elevenlabs", "elevenlabs-socket", "openai", "coqui"]
EARS = ["whisper_api", "deepgram", "deepgram-batch"]


@pytest.fixture
async def server() -> AsyncIterator[SpeechServer]:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    async with speech_server() as running:
        yield running


@asynccontextmanager
async def _voice(
    name: str, url: str, key: str = KEY, patience: Patience = QUICK
) -> AsyncIterator[Tts]:
    provider = name.partition("-")[0]
    traits = next(iter(facts.speaking()[provider].values()))
    tts: ElevenLabsTts | OpenAiTts | CoquiServerTts
    match name:
        case "openai":
            tts = OpenAiTts(OpenAiSpeechOptions(key, f"{url}/v1"), traits, patience)
        case "coqui":
            tts = CoquiServerTts(CoquiOptions(url), traits, 0.6)
        case _:
            options = ElevenLabsOptions(key, url, websocket="socket" in name, language="en_US")
            tts = ElevenLabsTts(options, traits, patience)
    try:
        yield tts
    finally:
        await tts.aclose()


@asynccontextmanager
async def _ear(name: str, url: str, key: str = KEY) -> AsyncIterator[Stt]:
    provider = name.partition("-")[0]
    traits = next(iter(facts.hearing()[provider].values()))
    paid = RedecodePolicy(least_new_s=float("inf"))
    match name:
        case "deepgram":
            yield DeepgramStt(DeepgramOptions(key, url), traits, QUICK)
        case "deepgram-batch":
            batch = DeepgramBatch(DeepgramOptions(key, url), QUICK)
            async with aclosing(batch):
                yield Redecoding(batch, traits, paid)
        case _:
            api = WhisperApi(WhisperApiOptions(key, f"{url}/v1"), traits, QUICK)
            async with aclosing(api):
                yield Redecoding(api, traits, paid)


async def _speak(tts: Tts, *texts: str, voice: str | None = None) -> Pcm:
    async with tts.open(voice) as speech:
        for text in texts:
            speech.say(text)
        speech.finish()
        with anyio.fail_after(15):
            pieces = [piece async for piece in speech]
    assert all(piece.pcm.rate_hz == tts.traits.rate_hz for piece in pieces)
    return join([piece.pcm for piece in pieces], tts.traits.rate_hz)


def _sound(words: int) -> Pcm:
    return Pcm(np.concatenate([silence(0.1, HEARING_RATE_HZ).samples, *bursts(words)]), 16_000)


async def _hear(stt: Stt, pcm: Pcm, pause: bool = False) -> list[Partial | Final]:
    async with stt.open("en_US") as hearing:
        for frame in frames(pcm, 1600):
            hearing.feed(frame)
        if pause:
            hearing.pause()
            with anyio.fail_after(5):
                async for heard in hearing:
                    if isinstance(heard, Partial) and heard.settled:
                        break
        hearing.finish()
        with anyio.fail_after(10):
            return [heard async for heard in hearing]


# ---------------------------------------------------------------- speaking


@pytest.mark.parametrize("name", VOICES)
async def test_a_text_becomes_its_sound_in_full(name: str, server: SpeechServer) -> None:
    async with _voice(name, server.url) as tts:
        pcm = await _speak(tts, TEXT)
        assert pcm.duration_s == pytest.approx(len(TEXT) * CHARACTER_S, abs=0.07)
        assert np.abs(pcm.samples).max() == pytest.approx(8000, rel=0.05)
        both = await _speak(tts, TEXT, TEXT)
        assert both.duration_s == pytest.approx(2 * pcm.duration_s, abs=0.1)


@pytest.mark.parametrize("name", ["elevenlabs", "openai"])
async def test_the_first_sound_comes_before_the_last_is_made(
    name: str, server: SpeechServer
) -> None:
    server.mode = "slow"
    async with _voice(name, server.url) as tts, tts.open() as speech:
        began_s = anyio.current_time()
        speech.say(TEXT * 4)
        speech.finish()
        times = [anyio.current_time() - began_s async for _ in speech]
    assert times[0] < times[-1] / 4


@pytest.mark.parametrize("name", VOICES)
async def test_leaving_hangs_up_on_the_service(name: str, server: SpeechServer) -> None:
    server.mode = "normal" if name == "elevenlabs-socket" else "slow"
    if name == "coqui":
        pytest.skip("it answers in one piece: there is nothing to be cut")
    async with _voice(name, server.url) as tts:
        async with tts.open() as speech:
            speech.say(TEXT * 20)
            async for _ in speech:
                break
        with anyio.fail_after(1):
            await server.hung_up.wait()


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize(
    "text", ["", " ", "...", "☺️", "<speak>a &amp; b</speak>", "नमस्ते hello வணக்கம்", "a\x00b"]
)
async def test_odd_texts_are_no_error(name: str, text: str, server: SpeechServer) -> None:
    async with _voice(name, server.url) as tts:
        pcm = await _speak(tts, text)
    assert (pcm.duration_s > 0) == any(c.isalnum() for c in text)


@pytest.mark.parametrize("name", ["elevenlabs", "openai"])
async def test_a_long_text_is_cut_between_sentences_and_nothing_is_lost(
    name: str, server: SpeechServer
) -> None:
    text = TEXT + " "
    text = text * (12_000 // len(text))
    async with _voice(name, server.url, patience=PATIENT) as tts, tts.open() as speech:
        speech.say(text)
        speech.finish()
        async for _ in speech:
            pass
    assert "".join(server.texts) == text
    assert len(server.texts) > 2
    assert all(part.endswith(". ") for part in server.texts)


async def test_a_server_that_sends_wav_though_asked_for_pcm_is_understood(
    server: SpeechServer,
) -> None:
    server.mode = "wav"
    async with _voice("openai", server.url) as tts:
        pcm = await _speak(tts, TEXT)
    assert pcm.duration_s == pytest.approx(len(TEXT) * CHARACTER_S, abs=0.07)


async def test_a_wav_whose_header_lies_is_read_as_far_as_it_goes(server: SpeechServer) -> None:
    server.mode = "lying"
    async with _voice("coqui", server.url) as tts:
        pcm = await _speak(tts, TEXT)
    assert pcm.duration_s == pytest.approx(len(TEXT) * CHARACTER_S, abs=0.07)


async def test_the_spans_of_a_socket_say_which_text_sounds(server: SpeechServer) -> None:
    async with _voice("elevenlabs-socket", server.url) as tts, tts.open() as speech:
        for text in ("One.", "Two."):
            speech.say(text)
        speech.finish()
        said = [piece.text async for piece in speech if piece.text]
    assert said == ["One. ", "Two. "]


# ---------------------------------------------------------------- hearing


@pytest.mark.parametrize("name", EARS)
async def test_what_was_said_is_heard(name: str, server: SpeechServer) -> None:
    async with _ear(name, server.url) as stt:
        *_, final = await _hear(stt, _sound(5))
        assert final.text == "turn on the kitchen light"
        *_, final = await _hear(stt, silence(1.0, HEARING_RATE_HZ))
        assert final.text == ""


@pytest.mark.parametrize("name", EARS)
async def test_a_pause_settles_what_was_said(name: str, server: SpeechServer) -> None:
    async with _ear(name, server.url) as stt:
        *_, final = await _hear(stt, _sound(2), pause=True)
        assert isinstance(final, Final)
        assert (final.text, final.language) == ("turn on", "en_US")


async def test_deepgram_says_partials_while_it_hears(server: SpeechServer) -> None:
    async with _ear("deepgram", server.url) as stt:
        heard = await _hear(stt, _sound(4))
    partials = list(dict.fromkeys(one.text for one in heard if isinstance(one, Partial)))
    assert partials == ["turn", "turn on", "turn on the", "turn on the kitchen"]


async def test_deepgram_that_hangs_up_once_hears_the_utterance_again(server: SpeechServer) -> None:
    server.mode = "drop_once"
    async with _ear("deepgram", server.url) as stt:
        *_, final = await _hear(stt, _sound(5))
    assert server.dropped == 1
    assert final.text == "turn on the kitchen light"


async def test_deepgram_that_hangs_up_again_and_again_is_an_error(server: SpeechServer) -> None:
    server.mode = "drop"
    async with _ear("deepgram", server.url) as stt:
        with pytest.raises(ProviderError, match="deepgram: it hung up"):
            await _hear(stt, _sound(5))
    assert server.dropped == 3


async def test_deepgram_is_kept_alive_through_silence(
    server: SpeechServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parlour.providers.cloud.deepgram.KEEP_ALIVE_S", 0.2)
    async with _ear("deepgram", server.url) as stt, stt.open("en_US") as hearing:
        await anyio.sleep(0.9)
        assert 2 <= server.alive <= 5
        hearing.feed(_sound(1))
        hearing.finish()
        heard = [one async for one in hearing]
    assert heard[-1].text == "turn"


async def test_names_of_the_house_are_passed_on(server: SpeechServer) -> None:
    for name in EARS:
        async with _ear(name, server.url) as stt:
            await stt.teach(Vocabulary(names=("Kitchen lamp", "Bedroom")))
            await _hear(stt, _sound(1))
    whisper, live, batch = server.queries
    assert whisper["prompt"] == "Kitchen lamp, Bedroom"
    assert live["keyterm"] == batch["keyterm"] == "Bedroom"  # the last of several
    assert (whisper["language"], live["language"]) == ("en", "en-US")


# ---------------------------------------------------------------- what goes wrong

Faults = [
    ("key", "does not accept the key; check {provider}.api_key"),
    ("429", "asked too much.*wait 7 s"),
    ("500", "out of order"),
    ("html", "instead of sound|no JSON|text/html"),
    ("silent", "silent|no answer|no final|no sound"),
]


@pytest.mark.parametrize("name", [*VOICES, *EARS])
@pytest.mark.parametrize(("fault", "said"), Faults)
async def test_each_fault_is_one_clear_error_without_the_key(
    name: str, fault: str, said: str, server: SpeechServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "parlour")
    provider = name.partition("-")[0]
    key = "sk-wrong-secret" if fault == "key" else KEY
    server.mode = fault
    if (name, fault) in (
        ("coqui", "key"),  # it has none
        ("elevenlabs-socket", "429"),
        ("elevenlabs-socket", "500"),
        ("elevenlabs-socket", "html"),
        ("deepgram", "html"),  # sockets have no such answers once they are open
        ("deepgram-batch", "silent"),
    ):
        pytest.skip("there is no such fault")
    pattern = said.format(provider=provider)
    if (name, fault) == ("coqui", "429"):
        pattern = "answered 429"
    if (name, fault) == ("coqui", "500"):
        pattern = "answered 500"
    with anyio.fail_after(9), pytest.raises(ProviderError, match=pattern) as failed:
        if name in VOICES:
            async with _voice(name, server.url, key) as tts:
                await _speak(tts, TEXT)
        else:
            async with _ear(name, server.url, key) as stt:
                await _hear(stt, _sound(2))
    assert failed.value.provider == provider
    if fault == "429" and name != "coqui":
        assert failed.value.retry_after_s == 7
    for text in (str(failed.value), caplog.text):
        assert "secret" not in text


@pytest.mark.parametrize("name", ["elevenlabs", "openai"])
@pytest.mark.parametrize(
    ("fault", "said"), [("half", "broke"), ("stalls", "silent for"), ("mp3", "audio/mpeg")]
)
async def test_half_a_stream_is_an_error_and_no_silence(
    name: str, fault: str, said: str, server: SpeechServer
) -> None:
    server.mode = fault
    async with _voice(name, server.url) as tts:
        with anyio.fail_after(5), pytest.raises(ProviderError, match=said):
            await _speak(tts, TEXT)


@pytest.mark.parametrize(
    ("fault", "said"), [("half", "broke off"), ("error", "quota"), ("garbage", "no JSON")]
)
async def test_a_socket_that_breaks_says_why(fault: str, said: str, server: SpeechServer) -> None:
    server.mode = fault
    async with _voice("elevenlabs-socket", server.url) as tts:
        with anyio.fail_after(5), pytest.raises(ProviderError, match=said):
            await _speak(tts, TEXT)


async def test_an_error_in_the_middle_of_an_utterance_is_told(server: SpeechServer) -> None:
    server.mode = "error"
    async with _ear("deepgram", server.url) as stt:
        with pytest.raises(ProviderError, match="model broke"):
            await _hear(stt, _sound(5))


@pytest.mark.parametrize("name", [*VOICES, *EARS])
async def test_nobody_there_and_no_tls_are_told_apart_from_a_wrong_key(
    name: str, server: SpeechServer
) -> None:
    for url in ("http://127.0.0.1:9", server.url.replace("http", "https")):
        with anyio.fail_after(9), pytest.raises(ProviderError, match="base_url"):
            if name in VOICES:
                async with _voice(name, url) as tts:
                    await _speak(tts, TEXT)
            else:
                async with _ear(name, url) as stt:
                    await _hear(stt, _sound(2))


async def test_a_transcript_without_text_is_an_error(server: SpeechServer) -> None:
    server.mode = "no_text"
    async with _ear("whisper_api", server.url) as stt:
        with pytest.raises(ProviderError, match="has no text"):
            await _hear(stt, _sound(1))


def test_keys_are_not_in_what_options_show_of_themselves() -> None:
    made: list[Callable[[], object]] = [
        lambda: OpenAiSpeechOptions(KEY),
        lambda: ElevenLabsOptions(KEY),
        lambda: WhisperApiOptions(KEY),
        lambda: DeepgramOptions(KEY),
    ]
    assert all(KEY not in repr(make()) for make in made)


def test_traits_can_be_replaced_as_values() -> None:
    traits = next(iter(facts.speaking()["openai"].values()))
    assert replace(traits, rate_hz=16_000).rate_hz == 16_000
