"""The command line as it is typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from parlour.audio import read_wav

ROOT = Path(__file__).parents[3]


def _parlour(
    *arguments: str, folder: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "parlour", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=50,
    )


def test_help_names_every_command(tmp_path: Path) -> None:
    said = _parlour("--help", folder=tmp_path).stdout.decode()
    for command in (
        "serve",
        "talk",
        "say",
        "hear",
        "ask",
        "interpret",
        "demo",
        "home",
        "memory",
        "prompt",
        "config",
        "engine",
        "bench",
    ):
        assert f"  {command} " in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("talk", "missing.wav"),
        ("hear", "missing.wav"),
        ("ask", "hello", "--url", "http://127.0.0.1:9"),
        ("home", "list", "--url", "http://127.0.0.1:9"),
        ("home", "assign", "a.b", "Kitchen", "--url", "http://127.0.0.1:9"),
        ("home", "alias", "a.b"),
        ("home", "show", "areas"),
        ("memory", "forget"),
        ("prompt", "show", "hello", "--url", "http://127.0.0.1:9"),
        ("home", "alias", "a.b", "x", "--language", "klingon"),
        ("interpret", "--home", "missing.yml"),
        ("say", ""),
        ("say", "hello", "--voice", "nobody", "--save", "x.wav"),
        ("engine", "tts", "nobody", "--uri", "tcp://127.0.0.1:0"),
        ("engine", "tts", "espeak", "--uri", "somewhere"),
        ("config", "check", "--config", "missing.yml"),
    ],
)
def test_a_failure_is_one_line_and_no_traceback(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = _parlour(*arguments, folder=tmp_path)
    assert ended.returncode == 1
    (line,) = ended.stderr.decode().strip().splitlines()
    assert line.startswith("parlour: ")


def test_what_is_said_into_a_file_is_heard_out_of_it(tmp_path: Path) -> None:
    flite = ["flite", "-voice", "slt", "-t", "turn on the kitchen light", "-o", "k.wav"]
    subprocess.run(flite, cwd=tmp_path, check=True)
    heard = _parlour("hear", "k.wav", "--json", folder=tmp_path)
    assert json.loads(heard.stdout)["transcript"] == "turn on the kitchen light"
    piped = _parlour("hear", "-", folder=tmp_path, stdin=(tmp_path / "k.wav").read_bytes())
    assert piped.stdout.decode().strip() == "turn on the kitchen light"


def test_a_text_is_spoken_into_a_wav(tmp_path: Path) -> None:
    ended = _parlour("say", "The kitchen light is on.", "--save", "out.wav", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert 0.8 < read_wav(tmp_path / "out.wav").duration_s < 4


def test_the_configuration_in_force_is_shown_without_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("mqtt: {url: 'mqtt://me:hush@localhost'}\n")
    shown = _parlour("config", "show", folder=tmp_path).stdout.decode()
    assert "hush" not in shown
    assert "localhost" in shown
    assert b"is right" in _parlour("config", "check", folder=tmp_path).stdout


def test_the_generated_pages_are_current(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "parlour.app.reference", str(tmp_path)], check=True)
    for page in ("config.md", "commands.md"):
        assert (tmp_path / page).read_text() == (ROOT / "docs" / page).read_text(), "run make docs"
