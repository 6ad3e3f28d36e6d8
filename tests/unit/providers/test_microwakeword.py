"""microWakeWord: its models, and what is said of those that cannot be used."""

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.audio import Pcm, frames
from parlour.engines.wakeword import Cutter, OncePerUtterance, plain_phrase
from parlour.errors import ConfigError, MissingError
from parlour.providers.microwakeword import MicroWakeWord
from parlour.providers.microwakeword.engine import cutoff_for
from parlour.providers.microwakeword.tflite import Library


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with a model of one's own: that of the wheel, under another name."""
    spec = importlib.util.find_spec("pymicro_wakeword")
    assert spec is not None
    assert spec.submodule_search_locations
    wheel = Path(spec.submodule_search_locations[0], "models")
    shutil.copy(wheel / "alexa.tflite", tmp_path / "computer.tflite")
    known = json.loads((wheel / "alexa.json").read_text())
    known |= {"model": "computer.tflite", "wake_word": "Computer"}
    (tmp_path / "computer.json").write_text(json.dumps(known))
    return tmp_path


def described(folder: Path, **changes: Any) -> Path:
    path = folder / "computer.json"
    known = json.loads(path.read_text())
    micro = known["micro"] | changes.pop("micro", {})
    path.write_text(json.dumps(known | {"micro": micro} | changes))
    return path


@pytest.mark.anyio
@pytest.mark.parametrize("file", ["computer.json", "computer.tflite"])
async def test_a_model_of_ones_own_is_heard_under_its_own_name(
    models: Path, file: str, speak: Callable[[str], Pcm]
) -> None:
    engine = MicroWakeWord({"ship": models / file})
    assert engine.traits.words["ship"].text == "Computer"
    pad = np.zeros(8_000, np.int16)
    pcm = Pcm(np.concatenate([pad, speak("alexa").samples, pad]), 16_000)
    stream = engine.open(["ship", "okay_nabu"])
    heard = [each for frame in frames(pcm, 320) for each in stream.feed(frame)]
    assert [each.word for each in heard] == ["ship"]
    assert await engine.confirm(pcm, "computer") is True
    assert await engine.confirm(pcm, "Ship!") is True


def test_a_model_of_ones_own_takes_the_place_of_one_of_the_wheel(models: Path) -> None:
    engine = MicroWakeWord({"alexa": models / "computer.json"})
    assert engine.traits.words["alexa"].text == "Computer"
    assert len(engine.traits.words) == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"micro": {"probability_cutoff": 2}}, "its figures are not those of a version 2 model"),
        ({"micro": {"sliding_window_size": 0}}, "its figures are not those of a version 2 model"),
        ({"micro": {"feature_step_size": 20}}, "its figures are not those of a version 2 model"),
        ({"micro": {"probability_cutoff": "high"}}, "could not convert"),
        ({"wake_word": ""}, "wake_word must be text"),
        ({"wake_word": 5}, "wake_word must be text"),
        ({"model": "../../etc/passwd"}, "passwd: No such file"),
        ({"trained_languages": 3}, "describes no microWakeWord model"),
    ],
)
def test_a_description_that_cannot_be_is_refused_in_a_line(
    models: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        MicroWakeWord({"ship": described(models, **changes)})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"micro": []}', "[" * 50_000, "\0"])
def test_a_file_that_describes_nothing_is_refused(models: Path, text: str) -> None:
    (models / "computer.json").write_text(text)
    with pytest.raises(ConfigError, match="describes no microWakeWord model"):
        MicroWakeWord({"ship": models / "computer.json"})


def test_a_file_that_is_not_there_is_named(models: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*nothing\.json: No such file"):
        MicroWakeWord({"ship": models / "nothing.json"})
    (models / "computer.tflite").unlink()
    with pytest.raises(ConfigError, match=r"cannot read .*computer\.tflite: No such file"):
        MicroWakeWord({"ship": models / "computer.json"})


@pytest.mark.parametrize("content", [b"", b"no model", b"\x1c\0\0\0TFL3", b"\x1c\0\0\0TFL3" * 99])
def test_a_file_that_is_no_network_does_not_end_the_process(models: Path, content: bytes) -> None:
    (models / "computer.tflite").write_bytes(content)
    with pytest.raises(ConfigError, match="is no TensorFlow Lite model"):
        MicroWakeWord({"ship": models / "computer.json"})


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_half_a_network_does_not_end_the_process(models: Path, kept: float) -> None:
    path = models / "computer.tflite"
    raw = path.read_bytes()
    path.write_bytes(raw[: int(kept * len(raw))])
    with pytest.raises(ConfigError, match="is no TensorFlow Lite model"):
        MicroWakeWord({"ship": models / "computer.json"})


def test_without_the_wheel_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingError, match=r"`pip install pymicro-wakeword==2\.5\.0`"):
        MicroWakeWord()


def test_a_library_for_another_machine_names_the_command(tmp_path: Path) -> None:
    other = tmp_path / "libtensorflowlite_c.so"
    other.write_bytes(b"\x7fELF" + bytes(60))
    with pytest.raises(MissingError, match=r"cannot be used here .*: the command"):
        Library(other, "the command")


def test_sensitivity_goes_from_hardly_ever_to_easily_through_the_makers_advice() -> None:
    assert cutoff_for(0.85, 0.5) == 0.85
    assert cutoff_for(0.85, 0.0) == pytest.approx(0.99)
    assert cutoff_for(0.85, 1.0) == pytest.approx(0.5)
    assert cutoff_for(0.995, 0.0) == pytest.approx(0.995)
    assert cutoff_for(0.3, 1.0) == pytest.approx(0.3)
    assert cutoff_for(0.85, 7.0) == pytest.approx(0.5)


@given(st.floats(0.01, 0.99), st.floats(0, 1), st.floats(0, 1))
def test_more_sensitivity_never_asks_for_more(advised: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert cutoff_for(advised, low) >= cutoff_for(advised, high) - 1e-9


@pytest.mark.parametrize("text", ["OK, Nabu!", "okay_nabu", "Okay Nabu", " okay   NABU "])
def test_spellings_of_a_phrase_are_one(text: str) -> None:
    assert plain_phrase(text) == "okay nabu"


@given(st.lists(st.integers(0, 500), max_size=20))
@settings(max_examples=50)
def test_whatever_the_pieces_the_frames_are_the_stream(sizes: list[int]) -> None:
    whole = (np.arange(sum(sizes)) % 30_000).astype(np.int16)
    cutter, made, at = Cutter(160), list[Pcm](), 0
    for size in sizes:
        piece = Pcm(whole[at : at + size], 16_000, 7 + at)
        assert cutter.continues(piece)
        made += cutter.push(piece)
        at += size
    assert [frame.start for frame in made] == [7 + 160 * n for n in range(at // 160)]
    assert all((frame.samples == whole[frame.start - 7 :][:160]).all() for frame in made)


def test_of_two_words_at_once_the_surer_is_heard_and_one_that_stays_high_only_once() -> None:
    once = OncePerUtterance(1.0)
    assert [h.word for h in once.take([("a", 0.8), ("b", 0.9)], 1_000)] == ["b"]
    assert once.take([("a", 0.9)], 2_000) == []
    assert once.take([("a", 0.9)], 50_000) == []  # it has been high since
    assert once.take([], 51_000) == []
    assert [h.end_sample for h in once.take([("a", 0.9)], 52_000)] == [52_000]
