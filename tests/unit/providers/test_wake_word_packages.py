"""Engines that users bring: what we say to their packages, and what becomes of their errors."""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from parlour.audio import Pcm, frames
from parlour.errors import ConfigError, MissingError, ProviderError
from parlour.ports import Heard, WakeWordStream
from parlour.providers.openwakeword import OpenWakeWord, OpenWakeWordOptions
from parlour.providers.porcupine import Porcupine, PorcupineOptions

KEY = "a-very-secret-key"


class PorcupineError(Exception):
    pass


class Instance:
    """Hears the keyword whose number the frame is full of. As pvporcupine's, it wants a list."""

    frame_length = 512

    def __init__(self, keywords: int, broken: bool = False) -> None:
        self.keywords, self.broken, self.deleted = keywords, broken, 0

    def process(self, pcm: Sequence[int]) -> int:
        assert len(pcm) == 512
        if self.broken:
            raise PorcupineError(KEY)
        return pcm[0] - 1 if 0 < pcm[0] <= self.keywords else -1

    def delete(self) -> None:
        self.deleted += 1


@pytest.fixture
def pvporcupine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A package with the same calls; what it was asked for is returned."""
    asked: dict[str, Any] = {}
    package: Any = ModuleType("pvporcupine")

    def create(**arguments: Any) -> Instance:
        if arguments["access_key"] != KEY:
            raise PorcupineError(f"{arguments['access_key']} is invalid")
        asked.update(arguments)
        asked["made"] = Instance(len(arguments["keyword_paths"]), asked.get("broken", False))
        made: Instance = asked["made"]
        return made

    package.create, package.PorcupineError = create, PorcupineError
    package.KEYWORD_PATHS = {"hey google": "/ppn/hey google.ppn", "porcupine": "/ppn/porcupine.ppn"}
    monkeypatch.setitem(sys.modules, "pvporcupine", package)
    return asked


def full_of(number: int, count: int, start: int = 0) -> Pcm:
    return Pcm(np.full(count, number, np.int16), 16_000, start)


def test_porcupine_is_given_its_key_its_words_and_how_sensitive(
    pvporcupine: dict[str, Any], tmp_path: Path
) -> None:
    own = tmp_path / "computer.ppn"
    own.touch()
    engine = Porcupine(PorcupineOptions(KEY, {"computer": own}))
    assert set(engine.traits.words) == {"hey_google", "porcupine", "computer"}
    stream = engine.open(["computer", "hey_google"], 0.7)
    assert pvporcupine["keyword_paths"] == [str(own), "/ppn/hey google.ppn"]
    assert pvporcupine["sensitivities"] == [0.7, 0.7]
    assert stream.feed(full_of(0, 1_000)) == []
    assert stream.feed(full_of(2, 1_048, 1_000)) == [Heard("hey_google", 1.0, 1_536)]
    stream.close()
    stream.close()
    assert pvporcupine["made"].deleted == 1
    assert stream.feed(full_of(2, 1_000)) == []


def test_the_key_of_porcupine_is_in_no_error(pvporcupine: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"wake\.access_key: Porcupine needs a key"):
        Porcupine(PorcupineOptions(""))
    assert "wrong" not in repr(PorcupineOptions("wrong"))
    with pytest.raises(ProviderError, match=r"is wake\.access_key right") as caught:
        Porcupine(PorcupineOptions("wrong")).open(["porcupine"])
    assert "wrong" not in str(caught.value)
    pvporcupine["broken"] = True
    with pytest.raises(ProviderError, match=r"it stopped \(PorcupineError\)") as caught:
        Porcupine(PorcupineOptions(KEY)).open(["porcupine"]).feed(full_of(1, 512))
    assert KEY not in str(caught.value)


@pytest.mark.usefixtures("pvporcupine")
@pytest.mark.anyio
async def test_porcupine_names_what_there_is_and_checks_nothing(tmp_path: Path) -> None:
    engine = Porcupine(PorcupineOptions(KEY))
    with pytest.raises(ConfigError, match="no wake word alexa; there is hey_google, porcupine"):
        engine.open(["alexa"])
    assert await engine.confirm(full_of(1, 30_000), "porcupine") is None
    with pytest.raises(ConfigError, match=r"wake\.models\.computer: there is no file"):
        Porcupine(PorcupineOptions(KEY, {"computer": tmp_path / "computer.ppn"}))


class Model:
    """As openWakeWord's: the score of a model is what the frame is full of, in per cent."""

    def __init__(self, wakeword_models: list[str], inference_framework: str) -> None:
        assert inference_framework == "onnx"
        if any("broken" in path for path in wakeword_models):
            raise ValueError("[ONNXRuntimeError] : 7 : INVALID_PROTOBUF\nand more")
        self.names = [Path(path).stem for path in wakeword_models]
        self.threads: set[int] = set()

    def predict(self, samples: Any) -> dict[str, Any]:
        assert len(samples) == 1_280
        self.threads.add(threading.get_ident())
        if samples[0] < 0:
            raise RuntimeError("cannot")
        return dict.fromkeys(self.names, np.float32(samples[0] / 100))

    def reset(self) -> None:
        pass


@pytest.fixture
def open_wake_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OpenWakeWord:
    package: Any = ModuleType("openwakeword.model")
    package.Model = Model
    monkeypatch.setitem(sys.modules, "openwakeword", ModuleType("openwakeword"))
    monkeypatch.setitem(sys.modules, "openwakeword.model", package)
    for name in ("jarvis_v0.1.onnx", "broken.onnx"):
        (tmp_path / name).touch()
    return OpenWakeWord(
        OpenWakeWordOptions(
            {"jarvis": tmp_path / "jarvis_v0.1.onnx", "other": tmp_path / "broken.onnx"}
        )
    )


def feed_and_wait(stream: WakeWordStream, pcm: Pcm) -> list[Heard]:
    """Its thread is a piece behind: empty pieces ask it until it has nothing left."""
    heard = [each for frame in frames(pcm, 320) for each in stream.feed(frame)]
    for _, future in getattr(stream, "_pending"):  # noqa: B009  # of every stream of this file
        future.exception()
    return heard + stream.feed(Pcm(np.zeros(0, np.int16), 16_000, pcm.end))


def test_openwakeword_hears_in_its_thread_and_tells_where(open_wake_word: OpenWakeWord) -> None:
    stream = open_wake_word.open(["jarvis"])
    assert feed_and_wait(stream, full_of(40, 2_560)) == []
    (heard,) = feed_and_wait(stream, full_of(80, 2_560, 2_560))
    assert (heard.word, heard.end_sample) == ("jarvis", 3_840)
    assert heard.score == pytest.approx(0.8)
    easily = open_wake_word.open(["jarvis"], 0.7)
    assert len(feed_and_wait(easily, full_of(40, 2_560))) == 1
    stream.close()
    assert feed_and_wait(stream, full_of(80, 2_560, 90_000)) == []


def test_openwakeword_says_in_one_line_what_is_wrong(
    open_wake_word: OpenWakeWord, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"no wake word alexa; name its model as wake\.models"):
        open_wake_word.open(["alexa"])
    with pytest.raises(ProviderError, match="it does not start: .*INVALID_PROTOBUF$"):
        open_wake_word.open(["other"])
    with pytest.raises(ConfigError, match=r"wake\.models\.a: there is no \.onnx file"):
        OpenWakeWord(OpenWakeWordOptions({"a": tmp_path / "a.tflite"}))
    with pytest.raises(ProviderError, match=r"it stopped \(RuntimeError\)"):
        feed_and_wait(open_wake_word.open(["jarvis"]), full_of(-1, 1_280))


def test_a_package_that_is_not_installed_names_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("pvporcupine", "openwakeword", "openwakeword.model"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingError, match="`pip install pvporcupine`"):
        Porcupine(PorcupineOptions(KEY))
    with pytest.raises(MissingError, match=r"`pip install openwakeword==0\.5\.1`"):
        OpenWakeWord(OpenWakeWordOptions())
