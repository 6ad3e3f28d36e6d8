"""`parlour interpret`: sentences in, what would be done out, and nobody's fault ends it."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from parlour.app.interpret import run
from parlour.errors import InputError

HOME = """
floors: {top: {aliases: {de_DE: [oben]}}}
areas: {Attic: {floor: top, aliases: {de_DE: [Dachboden]}}, Cellar: {}}
devices:
  attic.sun: {kind: light, name: Sun, area: Attic}
  cellar.lamp: {kind: light, name: Lamp, area: Cellar, features: [brightness]}
  cellar.safe: {kind: lock, name: Safe, area: Cellar, expose: false}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home.yml"
    path.write_text(HOME, encoding="utf-8")
    return path


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def say(*lines: str, home: Path | None = None, area: str | None = None) -> list[Any]:
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
        run("en_US", home, area)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return say


def test_a_sentence_is_answered_with_its_id_and_its_actions(said: Any, home: Path) -> None:
    (answer,) = said('{"id": 7, "text": "turn on the sun"}', home=home)
    assert (answer["id"], answer["verdict"]) == (7, "command")
    assert answer["actions"] == [{"verb": "on", "targets": ["attic.sun"]}]
    assert answer["ms"] >= 0


def test_an_area_of_the_line_counts_before_that_of_the_option(said: Any, home: Path) -> None:
    text = '"text": "turn on the light"'
    first, second = said(
        f'{{"id": 1, {text}}}', f'{{"id": 2, {text}, "area": "attic"}}', home=home, area="cellar"
    )
    assert first["actions"][0]["targets"] == ["cellar.lamp"]
    assert second["actions"][0]["targets"] == ["attic.sun"]


def test_a_line_that_cannot_be_read_is_answered_with_its_number_and_the_rest_goes_on(
    said: Any, home: Path
) -> None:
    long = json.dumps({"text": "x" * 70_000})
    answers = said("{", "", "[]", '{"text": 3}', long, "[" * 9999, '{"text": "hello"}', home=home)
    assert [answer.get("error", "").partition(":")[0] for answer in answers] == [
        "line 1", "line 3", "line 4", "line 5", "line 6", "",
    ]  # fmt: skip
    assert answers[-1]["verdict"] == "none"
    assert answers[-1]["id"] is None


def test_without_a_home_file_it_is_the_demo_home(said: Any) -> None:
    (answer,) = said('{"text": "turn on the kitchen light"}')
    assert answer["actions"] == [{"verb": "on", "targets": ["kitchen.light"]}]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("devices: [", "is no YAML"),
        ("- a", "the file: "),
        ("areas: {}", "devices: Field required"),
        ("devices: {a.b: {kind: toaster, name: x}}", "devices.a.b.kind: "),
        ("devices: {a.b: {kind: light, name: x, colour: red}}", "devices.a.b.colour: "),
        ("devices: {a.b: {kind: light, name: x, risk: 9}}", "devices.a.b.risk: "),
        ("devices: {a.b: {kind: light, name: x, state: {bright: 3}}}", "no state has"),
    ],
)
def test_a_wrong_home_file_is_named_with_what_is_wrong(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "home.yml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        run("en_US", path, None)
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_area_a_file_and_a_language_that_there_are_not_are_named(home: Path) -> None:
    with pytest.raises(InputError, match="there is no area 'Pool'; there are: Attic, Cellar"):
        run("en_US", home, "Pool")
    with pytest.raises(InputError, match="cannot read"):
        run("en_US", home / "nowhere", None)
    with pytest.raises(InputError, match="there is no grammar for fr_FR; there are: en, de"):
        run("fr_FR", home, None)


def _parlour(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "parlour", "interpret", *arguments]
    return subprocess.run(
        command,
        input='{"id": "1", "text": "schalte die Sun ein"}\n',
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


def test_the_command_takes_a_language_as_people_write_it(home: Path) -> None:
    for language in ("de", "de-DE", "de_DE"):
        ended = _parlour("--language", language, "--home", str(home))
        assert json.loads(ended.stdout)["verdict"] in ("command", "none"), ended.stderr
    ended = _parlour("--language", "english")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("parlour: english is none of the house's languages: en_US, ")


def test_only_what_is_needed_is_imported(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from parlour.app.interpret import run;"
        f"run('en_US', Path({str(home)!r}), None);"
        "print(*{'numpy', 'aiomqtt', 'fastapi', 'httpx', 'onnxruntime'} & sys.modules.keys())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], input="", capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == ""
