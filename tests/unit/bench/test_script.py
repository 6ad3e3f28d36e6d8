import json
from pathlib import Path

import yaml

from parlour_bench.calibrate import MULTIPLES, bounds
from parlour_bench.script import write_config
from parlour_bench.words import Word


def test_the_script_says_which_words_come_when_and_what_is_answered(tmp_path: Path) -> None:
    _, script = write_config(tmp_path / "new")
    script.tell("groq", [Word("hello", 4800, 9600)], {"hello": "Good morning."})
    told = json.loads((tmp_path / "new" / "script.json").read_text())
    assert told["stt"] == {"delay_ms": 60, "words": [["hello", 4800, 9600]]}
    assert told["llm"]["profile"] == "groq"
    assert told["llm"]["answers"] == {"hello": "Good morning."}
    assert [file.name for file in (tmp_path / "new").iterdir() if file.suffix == ".new"] == []


def test_the_voice_is_scripted_unless_a_real_one_is_wanted(tmp_path: Path) -> None:
    config, _ = write_config(tmp_path)
    read = yaml.safe_load(config.read_text())
    assert read["tts"] == {"provider": "scripted"}
    assert read["script"] == {"path": str(tmp_path / "script.json")}
    config, _ = write_config(tmp_path, real_voice=True)
    assert "tts" not in yaml.safe_load(config.read_text())


def test_bounds_are_multiples_of_what_the_machine_needs() -> None:
    found = bounds(100.0)
    assert found.keys() == MULTIPLES.keys()
    assert found["closed command"] == (160, 400)
