"""The section `wake`: which engine listens for which words where, and what is wrong with it."""

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from parlour.app import wakewords
from parlour.app.config import FILE_NAME, parse, read
from parlour.app.reference import effective
from parlour.app.sections import Config
from parlour.app.wakewords import Wanted, make_wake_word, wanted_by
from parlour.audio import Pcm
from parlour.errors import ConfigError
from parlour.ids import DeviceId
from parlour.ports import Heard
from parlour.traits import WakePhrase, WakeWordTraits


def config(text: str) -> Config:
    return parse(text, {"KEY": "hunter2"})[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wake: {words: [Okay Nabu]}", "wake.words[0]: must be lower-case letters, digits and underscores, such as okay_nabu (is 'Okay Nabu')"),
        ("wake: {sensitivity: 1.5}", "wake.sensitivity: must be between 0.0 and 1.0 (is 1.5)"),
        ("wake: {sensitivty: 0.5}", "wake.sensitivty: unknown key; did you mean wake.sensitivity?"),
        ("satellites: {hall: {wake_sensitivity: much}}", "satellites.hall.wake_sensitivity: must be between 0.0 and 1.0 (is 'much')"),
        ("wake: {words: []}", "wake.words: must be a list of 1 to 8 words, such as [okay_nabu] (is a list)"),
        ("wake: {words: [a, b, c, d, e, f, g, h, i]}", "wake.words: must be a list of 1 to 8 words, such as [okay_nabu] (is a list)"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(text)
    assert str(caught.value) == f"config.yml: {said}"


def test_the_embedded_engine_listens_for_okay_nabu_by_itself() -> None:
    engine = make_wake_word(config(""))
    assert engine is not None
    assert engine.traits.name == "microwakeword"
    assert wanted_by(config(""), DeviceId("hall")) == Wanted(("okay_nabu",), 0.5)
    assert make_wake_word(config("wake: {provider: none}")) is None


def test_a_satellite_may_have_its_own_words_and_sensitivity() -> None:
    both = config(
        "wake: {words: [alexa, okay_nabu], sensitivity: 0.4}\n"
        "satellites: {hall: {wake_words: [hey_jarvis]}, attic: {wake_sensitivity: 0}}"
    )
    assert wanted_by(both, DeviceId("hall")) == Wanted(("hey_jarvis",), 0.4)
    assert wanted_by(both, DeviceId("attic")) == Wanted(("alexa", "okay_nabu"), 0.0)
    assert wanted_by(both, DeviceId("new")) == Wanted(("alexa", "okay_nabu"), 0.4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wake: {words: [computer]}", "wake.words: there is no wake word computer; there is alexa"),
        ("satellites: {hall: {wake_words: [x]}}", "satellites.hall.wake_words: there is no wake word x"),
        ("wake: {models: {ship: /none/ship.json}}", "wake.models: cannot read /none/ship.json: No such file"),
        ("wake: {provider: porcpine}", "wake.provider: must be microwakeword, porcupine, openwakeword, none or loud (is 'porcpine')"),
    ],
)  # fmt: skip
def test_what_the_engine_does_not_know_is_named(text: str, said: str) -> None:
    point = EntryPoint("loud", "somewhere:make", wakewords.GROUP)
    with pytest.raises(ConfigError) as caught:
        make_wake_word(config(text), [point])
    assert str(caught.value).startswith(said)


# ---------------------------------------------------------------- an engine of somebody else


class LoudStream:
    def feed(self, pcm: Pcm) -> list[Heard]:
        return [Heard("shout", 1.0, pcm.end)] if abs(pcm.samples).max(initial=0) > 30_000 else []

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


class Loud:
    """Takes every shout for its word."""

    traits = WakeWordTraits("loud", {"shout": WakePhrase("anything")}, offline=True, confirms=False)

    def __init__(self, settings: Mapping[str, object]) -> None:
        if settings.get("fail"):
            raise ValueError("no\nway")
        self.settings = settings

    def open(self, words: Sequence[str], sensitivity: float = 0.5) -> LoudStream:
        return LoudStream()

    async def confirm(self, pcm: Pcm, phrase: str) -> bool | None:
        return None


def no_engine(_settings: Mapping[str, object]) -> int:
    return 3


def installed(name: str) -> list[EntryPoint]:
    return [EntryPoint("loud", f"{__name__}:{name}", wakewords.GROUP)]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """This file under its own name, as an installed package's would be."""
    module = ModuleType(__name__)
    vars(module).update({"Loud": Loud, "no_engine": no_engine})
    monkeypatch.setitem(sys.modules, __name__, module)


def test_an_installed_package_may_bring_an_engine_and_gets_its_settings() -> None:
    loud = "wake: {provider: loud, words: [shout], settings: {least: 5}}"
    engine = make_wake_word(config(loud), installed("Loud"))
    assert isinstance(engine, Loud)
    assert engine.settings == {"least": 5}


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("Loud", "{fail: true}", "wake.provider: loud failed: ValueError: no"),
        ("no_engine", "{}", "wake.provider: loud must return a parlour.ports.WakeWord"),
        ("nothing", "{}", "wake.provider: loud failed: AttributeError"),
    ],
)
def test_a_package_that_fails_is_named_in_a_line(name: str, settings: str, said: str) -> None:
    loud = f"wake: {{provider: loud, words: [shout], settings: {settings}}}"
    with pytest.raises(ConfigError) as caught:
        make_wake_word(config(loud), installed(name))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_the_key_of_porcupine_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_text("wake: {provider: porcupine, access_key: '${KEY}'}")
    settled = read(file, {"KEY": "hunter2"})
    assert "hunter2" not in repr(settled.config)
    assert "hunter2" not in effective(settled)
