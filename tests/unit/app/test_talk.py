import json
from pathlib import Path

import pytest

from parlour.app.talk import describe, talk
from parlour.app.virtual_turn import Turn
from parlour.audio import silence, write_wav
from parlour.events import Action
from parlour.ids import EntityId

NOWHERE = "ws://127.0.0.1:1/device"  # nothing is ever sent there


def _talk(file: str, *, save: Path | None = None, mode: str = "auto", url: str = NOWHERE) -> int:
    return talk(file, url=url, device="cli", mode=mode, save=save, as_json=True)


def _complaint(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert isinstance(line, str)
    return line


def test_the_description_has_just_the_promised_fields() -> None:
    turn = Turn(
        transcript="set the kitchen light to forty percent",
        sentences=["Okay.", "It is at 40 percent."],
        packets=[(0.2345, 60), (0.2545, 61)],
        reply=silence(1.5, 24_000),
        actions=(Action(EntityId("kitchen.light"), "set_brightness", 40.0, confirmed=True),),
        stages_ms={"speech_end": 0.0, "commit": 200.0},
    )
    assert json.loads(json.dumps(describe(turn))) == {
        "transcript": "set the kitchen light to forty percent",
        "reply": "Okay. It is at 40 percent.",
        "actions": [
            {
                "target": "kitchen.light",
                "verb": "set_brightness",
                "value": 40.0,
                "confirmed": True,
            }
        ],
        "first_audio_ms": 234.5,
        "stages_ms": {"speech_end": 0.0, "commit": 200.0},
        "reply_audio_s": 1.5,
        "heard": "",
        "merges": 0,
        "speculation": {"tries": 0, "hit": False, "extra_calls": 0, "wasted_tokens": 0},
    }


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _talk(str(tmp_path / "gone.wav")) == 1
    assert _complaint(capsys).startswith("parlour: cannot read")


def test_a_file_that_is_no_wav_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.wav").write_text("hello")
    assert _talk(str(tmp_path / "x.wav")) == 1
    assert "is not a WAV file" in _complaint(capsys)


def test_a_wav_without_sound_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "x.wav", silence(0, 16_000))
    assert _talk(str(tmp_path / "x.wav")) == 1
    assert "holds no sound" in _complaint(capsys)


def test_a_folder_that_is_not_there_is_told_before_anything_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "x.wav", silence(0.1, 16_000))
    assert _talk(str(tmp_path / "x.wav"), save=tmp_path / "no" / "out.wav") == 1
    assert "there is no folder" in _complaint(capsys)


def test_an_unknown_mode_is_told_with_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "x.wav", silence(0.1, 16_000))
    assert _talk(str(tmp_path / "x.wav"), mode="loud") == 1
    assert 'no mode "loud"; it is one of auto, manual, realtime' in _complaint(capsys)


def test_a_url_that_is_no_device_link_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "x.wav", silence(0.1, 16_000))
    assert _talk(str(tmp_path / "x.wav"), url="localhost:8000") == 1
    assert "localhost:8000 is no device link" in _complaint(capsys)
