"""Every finding has its verdict, and what is bad has its mend."""

import json
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest


def _doctor(folder: Path, config: str) -> tuple[int, dict[str, dict[str, Any]]]:
    (folder / "config.yml").write_text(config)
    ended = subprocess.run(
        [sys.executable, "-m", "parlour", "doctor", "--json"],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=50,
        text=True,
    )
    findings = json.loads(ended.stdout)["findings"]
    return ended.returncode, {finding["subject"]: finding for finding in findings}


def test_the_default_is_well(tmp_path: Path) -> None:
    code, found = _doctor(tmp_path, "server: {port: 0}\n")
    assert code == 0
    assert {"python", "libopus", "disk", "port", "hearing", "speaking", "broker", "data"} <= set(
        found
    )
    assert found["hearing"]["said"].startswith("pocketsphinx hears")


@pytest.mark.parametrize(
    ("config", "subject", "said", "mend"),
    [
        (
            "stt: {provider: whisper_local}",
            "hearing",
            "is not here",
            "parlour models pull whisper/base",
        ),
        (
            "tts: {provider: piper}",
            "model",
            "en_US-norman-medium is not here (6",
            "parlour models pull piper/en_US-norman-medium",
        ),
        (
            "mqtt: {url: 'mqtt://127.0.0.1:9'}",
            "broker",
            "127.0.0.1:9",
            "is it running, and are mqtt.url's name and password right?",
        ),
        ("data: {folder: config.yml/inside}", "data", "config.yml is no folder", "set data.folder"),
        (
            "llm: {provider: ollama, model: x, base_url: 'http://127.0.0.1:9'}",
            "language model",
            "nobody answers at http://127.0.0.1:9",
            "",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_mend(
    config: str, subject: str, said: str, mend: str, tmp_path: Path
) -> None:
    folder = f"models: {{folder: {tmp_path}}}\nserver: {{port: 0}}\n"
    code, found = _doctor(tmp_path, folder + config)
    assert code == 1
    assert found[subject]["verdict"] == "bad"
    assert said in found[subject]["said"]
    assert found[subject]["mend"] == mend


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (b"+PONG\r\n", 0, "answers"),
        (b"-NOAUTH Authentication required.\r\n", 1, "NOAUTH"),
        (b"", 1, "no answer"),
    ],
)
def test_redis_is_asked_where_it_is_configured(
    answer: bytes, code: int, said: str, tmp_path: Path
) -> None:
    asked: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(100))
            self.request.sendall(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        port = server.server_address[1]
        config = f"server: {{port: 0}}\nredis: {{url: 'redis://127.0.0.1:{port}/0'}}\n"
        ended, found = _doctor(tmp_path, config)
        server.shutdown()
    assert ended == code
    assert said in found["redis"]["said"]
    assert asked == [b"*1\r\n$4\r\nPING\r\n"]
