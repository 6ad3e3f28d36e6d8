"""One line of config.yml swaps an engine, and one that fails is replaced in the middle of a turn."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

import tiny_models
from parlour.audio import Pcm, read_wav, write_wav
from serving import Running, say, serving
from speech_servers import KEY, SpeechServer, heard, speech_server

TEXT = "turn on the kitchen light"


@pytest.fixture
def services() -> Iterator[SpeechServer]:
    """The stand-in for all services, on a loop of its own."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(speech_server()) as state,
    ):
        yield state


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    folder = tiny_models.whisper(root / "whisper" / "base", "nano", TEXT)
    (folder / "vocabulary.txt").write_text("the catalogue lists it; this model has its own")
    voice = tiny_models.piper_voice(root / "piper", "en_US-norman-medium")
    (voice / "MODEL_CARD").write_text("a tone")
    return root


def _config(services: SpeechServer, models: Path, stt: str, tts: str) -> str:
    """A whole configuration. Everything but the two names is the same for every engine."""
    return f"""\
stt: {{provider: {stt}, device: cpu}}
tts: {{provider: {tts}, device: cpu}}
models: {{folder: {models}, download: never}}
openai: {{api_key: {KEY}, base_url: "{services.url}/v1"}}
elevenlabs: {{api_key: {KEY}, base_url: "{services.url}"}}
deepgram: {{api_key: {KEY}, base_url: "{services.url}"}}
coqui: {{base_url: "{services.url}"}}
"""


def _parlour(*arguments: str, folder: Path) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "parlour", *arguments],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=50,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_each_voice_speaks_after_one_line_was_changed(
    services: SpeechServer, models: Path, tmp_path: Path
) -> None:
    before = ""
    for name in ("espeak", "piper", "elevenlabs", "openai", "coqui"):
        config = _config(services, models, "pocketsphinx", name)
        if before:
            pairs = zip(before.splitlines(), config.splitlines(), strict=True)
            assert sum(one != other for one, other in pairs) == 1
        before = config
        (tmp_path / "config.yml").write_text(config)
        _parlour("say", "The kitchen light is on.", "--save", f"{name}.wav", folder=tmp_path)
        spoken = read_wav(tmp_path / f"{name}.wav")
        assert 0.8 < spoken.duration_s < 4, name
    assert services.texts == ["The kitchen light is on."] * 3
    assert services.voices == ["JBFqnCBsd6RMkjVDRZzb", "alloy", ""]


def test_each_ear_hears_after_one_line_was_changed(
    services: SpeechServer, models: Path, tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    pcm = speak(TEXT)
    write_wav(tmp_path / "k.wav", pcm)
    bursts = " ".join(heard(pcm.tobytes()))  # what a stand-in makes of it
    assert bursts
    before = ""
    for name, said in (
        ("pocketsphinx", TEXT),
        ("whisper_local", TEXT),
        ("whisper_api", bursts),
        ("deepgram", bursts),
    ):
        config = _config(services, models, name, "espeak")
        if before:
            pairs = zip(before.splitlines(), config.splitlines(), strict=True)
            assert sum(one != other for one, other in pairs) == 1
        before = config
        (tmp_path / "config.yml").write_text(config)
        assert _parlour("hear", "k.wav", folder=tmp_path).strip() == said, name


def test_an_engine_served_to_other_machines_is_an_engine_there(
    services: SpeechServer, models: Path, tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    ports = {"stt": "unix:///" + str(tmp_path / "e.sock").lstrip("/"), "tts": "tcp://127.0.0.1:0"}
    ports["tts"] = "unix:///" + str(tmp_path / "v.sock").lstrip("/")
    engines = [
        subprocess.Popen(
            [sys.executable, "-m", "parlour", "engine", kind, name, "--uri", ports[kind]],
            cwd=tmp_path,
        )
        for kind, name in (("stt", "pocketsphinx"), ("tts", "espeak"))
    ]
    try:
        away = tmp_path / "away"
        away.mkdir()
        nobody = "unix:///nobody/is/here.sock"
        (away / "config.yml").write_text(
            "stt: {provider: wyoming}\ntts: {provider: wyoming}\n"
            f"wyoming: {{stt: ['{nobody}', '{ports['stt']}'], tts: ['{ports['tts']}']}}\n"
        )
        write_wav(away / "k.wav", speak(TEXT))
        assert _parlour("hear", "k.wav", folder=away).strip() == TEXT
        _parlour("say", "The light is on.", "--save", "s.wav", folder=away)
        assert 0.5 < read_wav(away / "s.wav").duration_s < 4
    finally:
        for engine in engines:
            engine.terminate()
            engine.wait(10)


# ---------------------------------------------------------------- fail-over in a running server


def _metric(server: Running, name: str) -> float:
    page = httpx.get(f"{server.url}/metrics", trust_env=False).text
    lines = [line for line in page.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_a_service_that_breaks_in_mid_utterance_is_replaced_and_the_turn_completes(
    services: SpeechServer, models: Path, tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    services.mode = "error"
    config = _config(services, models, "[deepgram, pocketsphinx]", "espeak")
    with serving(tmp_path, config) as server:
        turn = say(server, speak(TEXT))
        assert turn.transcript == TEXT
        assert [action.verb for action in turn.actions] == ["on"]
        assert _metric(server, "parlour_failovers_total") == 1


def test_a_voice_that_is_refused_is_replaced_and_the_answer_is_spoken(
    services: SpeechServer, models: Path, tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    services.mode = "429"
    config = _config(services, models, "pocketsphinx", "[openai, piper, espeak]")
    with serving(tmp_path, config) as server:
        turn = say(server, speak("what time is it"))
        assert turn.reply.duration_s > 0.5
        assert _metric(server, "parlour_failovers_total") >= 1
        voices = httpx.get(f"{server.url}/api/voices?language=hi_IN", trust_env=False).json()
        assert {voice["provider"] for voice in voices["voices"]} >= {"espeak", "piper", "kokoro"}
        languages = httpx.get(f"{server.url}/api/languages", trust_env=False).json()["languages"]
        assert len(languages) == 9


@pytest.mark.parametrize("name", ["piper", "espeak"])
def test_a_voice_killed_in_mid_answer_does_not_silence_the_house(
    services: SpeechServer,
    models: Path,
    tmp_path: Path,
    speak: Callable[[str], Pcm],
    name: str,
) -> None:
    config = _config(
        services, models, "pocketsphinx", f"[{name}, espeak]" if name == "piper" else name
    )
    with serving(tmp_path, config) as server:
        pid = server.health()["stages"][f"tts:{name}"]["pid"]

        def kill() -> None:
            time.sleep(1.6)  # the question takes 1.2 s, the answer then begins
            os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        turn = say(server, speak("what time is it"))
        killer.join()
        assert turn.reply.duration_s > 0.8
        again = say(server, speak(TEXT))
        assert [action.verb for action in again.actions] == ["on"]
        assert again.reply.duration_s > 0.3
