"""Reads what is known of each engine and model out of the files in data/."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from parlour.catalogue.piper import PIPER_RATE_HZ, piper_voices
from parlour.traits import (
    Grade,
    Licence,
    Partials,
    Pieces,
    Quality,
    SttTraits,
    Timestamps,
    TtsTraits,
    Voice,
)

HEARING = ("hearing_embedded.toml", "hearing.toml")
SPEAKING = ("speaking_embedded.toml", "speaking.toml")
# Whisper's files serve whichever provider runs them.
FOLDERS = {"whisper_local": "whisper"}

Table = Mapping[str, Any]


@cache
def hearing() -> Mapping[str, Mapping[str, SttTraits]]:
    """Every recogniser by its provider's name and its model's, the provider's default first."""
    return {
        engine: {model: _stt(engine, model, table) for model, table in models.items()}
        for name in HEARING
        for engine, models in data_file(name).items()
    }


@cache
def speaking() -> Mapping[str, Mapping[str, TtsTraits]]:
    """Every voice engine by its provider's name and its model's, the provider's default first."""
    known = {
        engine: {model: _tts(engine, model, table) for model, table in models.items()}
        for name in SPEAKING
        for engine, models in data_file(name).items()
    }
    return {"piper": {"vits": _piper()}} | known


def model_tables() -> Iterator[tuple[str, Table]]:
    """The id and the table of each model that has files to fetch."""
    for name in (*HEARING, *SPEAKING):
        for engine, models in data_file(name).items():
            for model, table in models.items():
                if table.get("files"):
                    yield download_id(engine, model), table


def download_id(engine: str, model: str) -> str:
    return f"{FOLDERS.get(engine, engine)}/{model}"


@cache
def data_file(name: str) -> Table:
    return tomllib.loads((files("parlour.catalogue") / "data" / name).read_text("utf-8"))


def summary(engine: str) -> str:
    """What an engine is, in half a sentence."""
    if engine == "piper":
        return "neural voices, in a process of their own"
    for name in (*HEARING, *SPEAKING):
        for table in data_file(name).get(engine, {}).values():
            if said := table.get("summary"):
                return str(said)
    return ""


def licence_of(table: Table) -> Licence:
    given = table.get("licence", {})
    return Licence(
        code=given.get("code", ""),
        weights=given.get("weights", ""),
        recordings=given.get("recordings", ""),
        any_use=given.get("any_use"),
        source=given.get("source", ""),
    )


def _qualities(table: Table) -> dict[str, Quality]:
    return {code: _quality(given) for code, given in table.get("languages", {}).items()}


def _quality(given: Table) -> Quality:
    value = given.get("value")
    return Quality(
        Grade(given["grade"]),
        given.get("metric", ""),
        None if value is None else float(value),
        given.get("dataset", ""),
        given.get("source", ""),
    )


def _stt(engine: str, model: str, table: Table) -> SttTraits:
    return SttTraits(
        name=engine,
        model=model,
        languages=_qualities(table),
        partials=Partials(table.get("partials", "replace")),
        offline=table.get("offline", not table.get("hosts")),
        licence=licence_of(table),
        settles=table.get("settles", True),
        final_s=table.get("final_s", 2.0 if table.get("settles") else 4.0),
        timestamps=Timestamps(table.get("timestamps", "none")),
        endpointing=table.get("endpointing", False),
        longest_s=table.get("longest_s"),
        hosts=tuple(table.get("hosts", ())),
        devices=tuple(table.get("devices", ("cpu",))),
        memory_mb=table.get("memory_mb"),
        latency_ms=table.get("latency_ms"),
        download=download_id(engine, model) if "files" in table else "",
        source=table.get("source", ""),
    )


def _tts(engine: str, model: str, table: Table) -> TtsTraits:
    qualities = _qualities(table)
    download = download_id(engine, model) if table.get("files") else ""
    voices = {
        given["id"]: Voice(
            id=given["id"],
            name=given.get("name", ""),
            languages={
                code: qualities.get(code, Quality(Grade.UNMEASURED))
                for code in given.get("languages", list(qualities))
            },
            latency_ms=table.get("latency_ms"),
            licence=licence_of(given if "licence" in given else table),
            download=download,
        )
        for given in table.get("voices", ())
    }
    return TtsTraits(
        name=engine,
        model=model,
        voices=voices,
        default_voice=table.get("default_voice", next(iter(voices), "")),
        rate_hz=table.get("rate_hz", 24_000),
        offline=table.get("offline", not table.get("hosts")),
        licence=licence_of(table),
        neural=table.get("neural", True),
        any_voice=table.get("any_voice", False),
        pieces=Pieces(table.get("pieces", "chunk")),
        timestamps=Timestamps(table.get("timestamps", "none")),
        longest_chars=table.get("longest_chars"),
        hosts=tuple(table.get("hosts", ())),
        devices=tuple(table.get("devices", ("cpu",))),
        memory_mb=table.get("memory_mb"),
        source=table.get("source", ""),
    )


def _piper() -> TtsTraits:
    return TtsTraits(
        name="piper",
        model="vits",
        voices={voice.id: voice for voice in piper_voices()},
        default_voice="en_US-norman-medium",
        rate_hz=PIPER_RATE_HZ,
        offline=True,
        licence=Licence(code="GPL-3.0-or-later", source="piper-tts 1.8.0, package metadata"),
        pieces=Pieces.SENTENCE,
        devices=("cpu", "cuda"),
        source="medium: RTF 0.06 to 0.08 on two cores",
    )
