"""Makes data/piper.json out of the list of voices that the wyoming-piper package carries.

`python -m parlour.catalogue.piper_voices .../wyoming_piper/voices.json 2.5.2`: the list, and the
version of the package that it was taken from.
"""

import json
import sys
from pathlib import Path
from typing import Any

FAMILIES = ("en", "de", "hi", "ml", "mr", "ta", "te", "bn", "gu")
TARGET = Path(__file__).parent / "data" / "piper.json"
# The revision that public manifests and mirrors pin (October 2026); the sizes that they give are
# those of the list. The digests tell whether a file is still the one that was listed.
REVISION = "c10ece1aade47bb51c153c893d14e5bf8e5b7117"
MOST_NAMED = 30  # speakers of one voice that are listed by name


def chosen(voices: dict[str, Any], version: str) -> dict[str, Any]:
    """The voices of our languages, with what is needed to fetch and to check them."""
    return {
        "source": f"voices.json of wyoming-piper {version}",
        # wyoming_piper/download.py itself has "main", which moves.
        "base_url": f"https://huggingface.co/rhasspy/piper-voices/resolve/{REVISION}",
        "revision": REVISION,
        "voices": {
            key: _voice(voice)
            for key, voice in sorted(voices.items())
            if voice["language"]["family"] in FAMILIES
        },
    }


def _voice(voice: dict[str, Any]) -> dict[str, Any]:
    speakers = list(voice["speaker_id_map"])
    files = [
        [path, about["size_bytes"], about["md5_digest"]]
        for path, about in sorted(voice["files"].items())
    ]
    kept = {
        "name": voice["name"],
        "language": voice["language"]["code"],
        "quality": voice["quality"],
        "speakers": voice["num_speakers"],
        "files": files,
    }
    return kept | ({"named": speakers} if 1 < len(speakers) <= MOST_NAMED else {})


def written(data: dict[str, Any]) -> str:
    """One voice a line, so that a change can be read."""
    voices = data.pop("voices")
    head = json.dumps(data, indent=1).removesuffix("\n}")
    lines = [f"  {json.dumps(key)}: {json.dumps(voice)}" for key, voice in voices.items()]
    return f'{head},\n "voices": {{\n' + ",\n".join(lines) + "\n }\n}\n"


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    TARGET.write_text(written(chosen(given, sys.argv[2])), "utf-8")
