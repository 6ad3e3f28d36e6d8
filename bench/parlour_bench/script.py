"""The file by which the scripted engines of a server work, and the configuration that names it."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from parlour_bench.words import Word

STT_DELAY_MS = 60  # of a good streaming recogniser: words are there so long after they were said
FIRST_SOUND_MS = 20  # of a good local voice
MS_PER_CHARACTER = 60  # of speech: about 170 words a minute
FRAME_MS = 20  # of the answer's packets; the last one of a text is filled up
DEFAULT = "All right, I see what you mean, and I will keep it in mind."


class Script:
    """Tells the scripted engines what is said and answered next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._write({}, {})

    def tell(self, profile: str, words: Iterable[Word], answers: Mapping[str, str]) -> None:
        """Words lie between samples of the microphone's stream since the device connected."""
        stt = {
            "delay_ms": STT_DELAY_MS,
            "words": [[word.text, word.start, word.end] for word in words],
        }
        self._write(stt, {"profile": profile, "answers": dict(answers), "default": DEFAULT})

    def _write(self, stt: dict[str, object], llm: dict[str, object]) -> None:
        tts = {"first_ms": FIRST_SOUND_MS, "rtf": 0.05, "ms_per_character": MS_PER_CHARACTER}
        aside = self._path.with_suffix(".new")
        aside.write_text(json.dumps({"stt": stt, "llm": llm, "tts": tts}), encoding="utf-8")
        os.replace(aside, self._path)  # noqa: PTH105  # in one step, for whoever reads it just now


def write_config(folder: Path, *, real_voice: bool = False) -> tuple[Path, Script]:
    """A configuration with scripted engines; `real_voice`: the server's own default voice speaks.

    Returns its path, and the script.
    """
    folder.mkdir(exist_ok=True)
    script = folder / "script.json"
    config = folder / "config.yml"
    voice = "" if real_voice else "tts: {provider: scripted}\n"
    config.write_text(
        f"stt: {{provider: scripted}}\nllm: {{provider: scripted}}\n{voice}"
        f"script: {{path: {json.dumps(str(script))}}}\nconversation: {{follow_up_s: 1}}\n"
        f"data: {{folder: {json.dumps(str(folder / 'data'))}}}\n",
        encoding="utf-8",
    )
    return config, Script(script)
