"""`parlour providers`, `voices` and `languages`, and what the API says of them: one record each."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import typer

from parlour.app import choice, measured, registry
from parlour.app.readiness import State, stt_state, tts_state
from parlour.app.sections import Config
from parlour.app.tables import print_table
from parlour.catalogue import facts
from parlour.catalogue.languages import LANGUAGES
from parlour.errors import InputError
from parlour.traits import Licence, Quality, SttTraits, TtsTraits, Voice, best_for, covers


def hearing_records(config: Config) -> Iterator[dict[str, Any]]:
    """Each recogniser with each of its models."""
    known = measured.load(config)
    for name, models in facts.hearing().items():
        for model, traits in models.items():
            record = _hearing(traits, stt_state(config, traits))
            figures = known.get(measured.key("stt", name, model))
            yield record | {"measured": asdict(figures) if figures else None}


def voice_records(
    config: Config, language: str | None = None, provider: str | None = None
) -> list[dict[str, Any]]:
    """Each voice of each engine, the best of a language first."""
    known = measured.load(config)
    found: dict[tuple[str, str], tuple[Quality, dict[str, Any]]] = {}
    for name, models in facts.speaking().items():
        for model, traits in models.items():
            if provider is not None and name != provider:
                continue
            for voice in traits.voices.values():
                quality = _of(voice, language)
                if quality is None:
                    continue
                figures = known.get(measured.key("tts", name, voice.id))
                record = _voice(traits, voice, quality, language, tts_state(config, traits, voice))
                record |= {"model": model, "measured": asdict(figures) if figures else None}
                found.setdefault((name, voice.id), (quality, record))
    order = {grade: n for n, grade in enumerate(("good", "usable", "unmeasured", "poor"))}
    ordered = sorted(
        found.values(), key=lambda one: (order[one[0].grade], one[1]["state"] != "ready")
    )
    return [record for _, record in ordered]


def language_records(config: Config) -> list[dict[str, Any]]:
    """Each language of the house with who hears and who speaks it, the best first."""
    records = []
    for code, language in LANGUAGES.items():
        hears = [
            {"provider": name, "model": model, **_quality(quality)}
            for name, model, quality in choice.stt_alternatives(code)
        ]
        speaks: dict[str, dict[str, Any]] = {}
        for name, voice, quality in choice.tts_alternatives(code):
            speaks.setdefault(name, {"provider": name, "voices": [], **_quality(quality)})
            speaks[name]["voices"].append(voice.id)
        records.append(
            {
                "id": code,
                "name": language.name,
                "native": language.native,
                "hearing": hears,
                "speaking": list(speaks.values()),
            }
        )
    return records


# ---------------------------------------------------------------- commands


def providers(config: Config, *, as_json: bool) -> None:
    known = measured.load(config)
    rows: list[tuple[str, ...]] = []
    records: list[dict[str, Any]] = [
        {"kind": "stt", **record} for record in hearing_records(config)
    ]
    for name, models in facts.speaking().items():
        for traits in models.values():
            state = tts_state(config, traits)
            default = choice.default_voice(traits, "en_US") or traits.default_voice
            figures = known.get(measured.key("tts", name, default))
            records.append(
                {
                    "kind": "tts",
                    **_engine(traits, state),
                    "voices": len(traits.voices),
                    "measured": asdict(figures) if figures else None,
                }
            )
    if as_json:
        typer.echo(json.dumps({"providers": records}, ensure_ascii=False))
        return
    for record in records:
        speed = record["measured"]
        rows.append(
            (
                record["kind"],
                record["provider"],
                record["model"],
                "here" if record["offline"] else ", ".join(record["hosts"]),
                " ".join(record["languages"]),
                f"{speed['latency_ms']:.0f} ms" if speed else "-",
                f"{record['state']}: {record['mend']}" if record["mend"] else record["state"],
            )
        )
    for kind in ("stt", "tts"):
        uris = getattr(config.wyoming, kind)
        rows.append((kind, "wyoming", "as it says", ", ".join(uris or ["-"]), "", "-",
                     "ready" if uris else f"needs address: set wyoming.{kind} in config.yml"))  # fmt: skip
    names = [name for name in registry.LLM if name not in ("none", "scripted")]
    rows.extend(
        ("llm", name, "any", "where it is served", "", "-",
         "chosen" if name in config.llm.provider else "set llm in config.yml")
        for name in names
    )  # fmt: skip
    print_table(("kind", "provider", "model", "runs", "languages", "latency", "state"), rows)


def voices(config: Config, *, language: str | None, provider: str | None, as_json: bool) -> None:
    if provider is not None and provider not in facts.speaking():
        raise InputError(f"no provider {provider} speaks; there is {', '.join(facts.speaking())}")
    records = voice_records(config, language, provider)
    if not records:
        known = ", ".join(LANGUAGES)
        raise InputError(f"nobody speaks {language}; there are voices for {known}")
    if as_json:
        typer.echo(json.dumps({"voices": records}, ensure_ascii=False))
        return
    print_table(
        ("voice", "provider", "language", "grade", "any use", "licence of recordings", "state"),
        [
            (
                record["id"],
                record["provider"],
                record["language"],
                record["grade"],
                {True: "yes", False: "no", None: "unknown"}[record["licence"]["any_use"]],
                record["licence"]["recordings"] or "-",
                f"{record['state']}: {record['mend']}" if record["mend"] else record["state"],
            )
            for record in records
        ],
    )
    typer.echo(f"{len(records)} voices; hear one with: parlour say --voice VOICE TEXT")


def languages(config: Config, *, as_json: bool) -> None:
    records = language_records(config)
    if as_json:
        typer.echo(json.dumps({"languages": records}, ensure_ascii=False))
        return
    print_table(
        ("language", "", "heard by", "spoken by"),
        [
            (
                record["id"],
                record["native"],
                _summary(record["hearing"]),
                _summary(record["speaking"]),
            )
            for record in records
        ],
    )


def _summary(engines: list[dict[str, Any]]) -> str:
    best: dict[str, str] = {}
    for engine in engines:
        figure = f" {engine['figure']}" if engine["figure"] else ""
        model = f" {engine['model']}" if "model" in engine else ""
        best.setdefault(
            engine["provider"], f"{engine['provider']}{model} ({engine['grade']}{figure})"
        )
    return ", ".join(best.values()) or "nobody"


# ---------------------------------------------------------------- records


def _hearing(traits: SttTraits, state: State) -> dict[str, Any]:
    return _engine(traits, state) | {
        "partials": traits.partials,
        "endpointing": traits.endpointing,
        "longest_s": traits.longest_s,
        "download": traits.download or None,
    }


def _engine(traits: SttTraits | TtsTraits, state: State) -> dict[str, Any]:
    return {
        "provider": traits.name,
        "model": traits.model,
        "summary": facts.summary(traits.name),
        "offline": traits.offline,
        "hosts": list(traits.hosts),
        "devices": list(traits.devices),
        "memory_mb": traits.memory_mb,
        "timestamps": traits.timestamps,
        "languages": {code: _quality(quality) for code, quality in traits.languages.items()},
        "licence": _licence(traits.licence),
        "state": state.readiness,
        "mend": state.mend,
        "source": traits.source,
    }


def _voice(
    traits: TtsTraits, voice: Voice, quality: Quality, language: str | None, state: State
) -> dict[str, Any]:
    spoken = list(voice.languages)
    first = next((code for code in spoken if language is None or covers(code, language)), spoken[0])
    return {
        "id": voice.id,
        "name": voice.name or voice.id,
        "language": first,
        "languages": spoken,
        "provider": traits.name,
        **_quality(quality),
        "speakers": voice.speakers,
        "offline": traits.offline,
        "licence": _licence(voice.licence),
        "state": state.readiness,
        "mend": state.mend,
    }


def _of(voice: Voice, language: str | None) -> Quality | None:
    if language is None:
        return next(iter(voice.languages.values()), None)
    return best_for(voice.languages, language)


def _quality(quality: Quality) -> dict[str, Any]:
    return {"grade": quality.grade, "figure": quality.figure, "graded_by": quality.source}


def _licence(licence: Licence) -> Mapping[str, Any]:
    return asdict(licence)
