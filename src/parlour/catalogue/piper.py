"""Piper's voices: from data/piper.json and data/voice_licences.toml to records."""

import json
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from parlour.traits import Grade, Licence, Quality, Voice

PIPER_RATE_HZ = 22_050  # of medium and high voices; the others' 16 kHz are brought to it
_LOW_RATE_HZ = 16_000
_CODE = "GPL-3.0-or-later"  # of piper-tts, which runs in a process of its own
# The better sizes first; "high" comes after "medium" because it is too slow for two cores.
_SIZES = ("medium", "high", "low", "x_low")
# A clause of one second on two cores, random weights of the true size (notes on engines).
_LATENCIES_MS = {"medium": 64.0, "high": 436.0}
_GRADED_BY = "no listening test of this voice that we know"
# The Bengali of Bangladesh is written the same and spoken a little otherwise.
_ALSO = {"bn_BD": "bn_IN"}


@cache
def piper_voices() -> tuple[Voice, ...]:
    """Every voice of Piper's own list in our languages, the better sizes of a speaker first."""
    data = _data()["voices"]
    keys = sorted(data, key=lambda key: (data[key]["language"], _SIZES.index(data[key]["quality"])))
    return tuple(_voice(key, data[key]) for key in keys)


def piper_files(voice_id: str) -> tuple[str, str, list[tuple[str, int, str]]]:
    """Base URL, revision, and path, size and MD5 of each file of a voice."""
    data = _data()
    files_ = [(str(p), int(size), str(md5)) for p, size, md5 in data["voices"][voice_id]["files"]]
    return data["base_url"], data["revision"], files_


def piper_source() -> str:
    return str(_data()["source"])


def _voice(key: str, about: dict[str, Any]) -> Voice:
    quality = Quality(Grade.UNMEASURED, source=_GRADED_BY)
    language = about["language"]
    also = _ALSO.get(language)
    return Voice(
        id=key,
        name=about["name"],
        languages={language: quality} | ({also: quality} if also else {}),
        speakers=about["speakers"],
        rate_hz=_LOW_RATE_HZ if about["quality"] in ("x_low", "low") else PIPER_RATE_HZ,
        latency_ms=_LATENCIES_MS.get(about["quality"]),
        licence=_licence(language, about["name"]),
        download=f"piper/{key}",
    )


def _licence(language: str, name: str) -> Licence:
    known = _licences()
    recordings = known["recordings"]
    found = recordings.get(f"{language}-{name}") or recordings.get(name, {})
    return Licence(
        code=_CODE,
        weights=known["weights"],
        recordings=found.get("licence", ""),
        any_use=found.get("any_use"),
        attribution=found.get("attribution", ""),
        source=found.get("source", ""),
    )


@cache
def _data() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(_text("piper.json"))
    return read


@cache
def _licences() -> dict[str, Any]:
    return tomllib.loads(_text("voice_licences.toml"))


def _text(name: str) -> str:
    return (files("parlour.catalogue") / "data" / name).read_text("utf-8")
