"""The whole server as its owner starts it: spoken commands, a real broker, and things that break."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from brokers import find_mosquitto
from parlour.audio import Pcm
from serving import say, serving

TEXT = "turn on the kitchen light"


@contextmanager
def _mosquitto(folder: Path) -> Iterator[str]:
    """A broker of Debian's on a free port, which it yields."""
    binary = find_mosquitto()
    assert binary is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with subprocess.Popen([binary, "-p", port], stderr=subprocess.DEVNULL, cwd=folder) as broker:
        yield port
        broker.terminate()


def _wait_for(port: str) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("mosquitto does not start")


def test_a_spoken_command_turns_on_a_lamp_and_is_answered(
    tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    with serving(tmp_path) as server:
        assert server.health()["ready"] is True
        assert server.entities()["kitchen.light"]["on"] is False
        turn = say(server, speak(TEXT))
        assert turn.transcript == TEXT
        assert [(a.target, a.verb, a.confirmed) for a in turn.actions] == [
            ("kitchen.light", "on", True)
        ]
        assert turn.reply.duration_s > 0.5
        assert server.entities()["kitchen.light"]["on"] is True
        answer = server.ask("turn off the kitchen light", dry_run=True)
        assert [action["verb"] for action in answer["actions"]] == ["off"]
        assert server.entities()["kitchen.light"]["on"] is True
        chatter = say(server, speak("i think we should have pasta for dinner"))
        assert not chatter.actions
        children = psutil.Process(server.process.pid).children(recursive=True)
        assert len(children) == 2
    for child in children:
        assert not child.is_running(), "an engine outlived its server"
    assert server.process.returncode == 0


def test_a_recogniser_killed_in_mid_utterance_costs_nobody_the_answer(
    tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    with serving(tmp_path) as server:
        pid = server.health()["stages"]["stt:pocketsphinx"]["pid"]

        killer = threading.Timer(1.2, os.kill, (pid, signal.SIGKILL))
        killer.start()
        turn = say(server, speak(TEXT))
        killer.join()
        assert turn.transcript == TEXT
        assert [action.confirmed for action in turn.actions] == [True]
        assert server.health()["stages"]["stt:pocketsphinx"]["restarts"] == 1


def test_a_server_that_is_killed_takes_its_engines_with_it(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        children = psutil.Process(server.process.pid).children(recursive=True)
        server.process.kill()
        _, alive = psutil.wait_procs(children, timeout=5)
        assert alive == []


def test_a_light_on_the_owners_broker_gets_its_command_on_its_topic(
    tmp_path: Path, speak: Callable[[str], Pcm]
) -> None:
    with _mosquitto(tmp_path) as port:
        announced = {
            "name": "Porch Light",
            "unique_id": "porch",
            "command_topic": "porch/set",
            "device": {"identifiers": ["porch"], "suggested_area": "Garden"},
        }
        topic = "homeassistant/light/porch/config"
        published = ["mosquitto_pub", "-p", port, "-r", "-t", topic, "-m", json.dumps(announced)]
        _wait_for(port)
        subprocess.run(published, check=True)
        listen = ["mosquitto_sub", "-p", port, "-t", "porch/set", "-C", "1", "-W", "30"]
        with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as heard:
            with serving(tmp_path, f"mqtt: {{url: mqtt://127.0.0.1:{port}}}\n") as server:
                assert set(server.entities()) == {"garden.porch_light"}
                turn = say(server, speak("turn on the porch light"))
            assert heard.communicate(timeout=10)[0].strip() == "ON"
        assert [action.confirmed for action in turn.actions] == [False]
        assert turn.sentences == ["I asked the porch light to turn on."]


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("tts: {speed: 9}\n", "tts.speed"),
        ("tss: {}\n", "tss"),
        ("mqtt: {url: http://here}\n", "mqtt.url"),
    ],
)
def test_a_wrong_configuration_stops_the_start_with_one_line(
    tmp_path: Path, config: str, complaint: str
) -> None:
    (tmp_path / "config.yml").write_text(config)
    started = [sys.executable, "-m", "parlour", "serve", "--port", "0"]
    ended = subprocess.run(started, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.strip().splitlines()
    assert complaint in line


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(f"data: {{folder: '{tmp_path / 'data'}'}}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        started = [sys.executable, "-m", "parlour", "serve", "--port", port]
        ended = subprocess.run(started, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "in use" in ended.stderr.strip().splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_a_broker_that_is_not_there_is_said_and_the_server_serves_on(tmp_path: Path) -> None:
    with serving(tmp_path, "mqtt: {url: mqtt://127.0.0.1:1}\n") as server:
        stage = server.health()["stages"]["home"]
        assert stage["state"] in ("restarting", "down")
        assert "127.0.0.1:1" in stage["reason"]
        assert server.ask("what time is it")["reply"].startswith("It is ")
