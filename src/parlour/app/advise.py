"""`parlour advise`: which engines suit a language and a machine, and why the others do not."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import typer

from parlour.app import choice, measured
from parlour.app.measured import Measured
from parlour.app.pull import size_text
from parlour.app.readiness import State, stt_state, tts_state
from parlour.app.sections import Config
from parlour.app.tables import print_table
from parlour.catalogue import facts
from parlour.catalogue.models import models
from parlour.traits import RANK, Grade, Licence, Quality, TtsTraits, Voice, best_for


@dataclass(frozen=True, slots=True)
class Wish:
    """What the owner asks for; None: he does not mind."""

    language: str
    offline: bool = False
    ram_mb: int | None = None
    budget_ms: float | None = None
    any_use: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    kind: str  # "stt" or "tts"
    provider: str
    model: str  # or the voice
    quality: Quality | None
    offline: bool
    hosts: tuple[str, ...]
    memory_mb: int | None
    latency_ms: float | None
    was_measured: bool  # on this machine
    licence: Licence
    state: State
    download: str
    neural: bool = True

    @property
    def grade(self) -> Grade:
        return Grade.POOR if self.quality is None else self.quality.grade


@dataclass(frozen=True, slots=True)
class Constraint:
    """`reason` says why a candidate does not meet it, None if it does, or may."""

    name: str
    reason: Callable[[Candidate], str | None]


@dataclass(frozen=True, slots=True)
class Advice:
    """`order` holds each constraint with how many it rejects by itself, the narrowest first."""

    order: Sequence[tuple[str, int]]
    fitting: Sequence[Candidate]
    rejected: Sequence[tuple[Candidate, str]]


def advise(config: Config, wish: Wish, *, as_json: bool) -> int:
    """Print the advice; returns 1 where nothing fits."""
    advices = {kind: of(candidates(config, kind, wish), wish) for kind in ("stt", "tts")}
    if as_json:
        typer.echo(json.dumps({k: _as_json(a) for k, a in advices.items()}, ensure_ascii=False))
    else:
        for kind, advice in advices.items():
            _print(kind, advice)
    return 0 if all(advice.fitting for advice in advices.values()) else 1


def of(found: Sequence[Candidate], wish: Wish) -> Advice:
    """Apply what was asked for, the constraint that rejects most first."""
    counted = [(c, sum(c.reason(one) is not None for one in found)) for c in constraints(wish)]
    counted.sort(key=lambda one: -one[1])
    left = list(found)
    rejected: list[tuple[Candidate, str]] = []
    for constraint, _ in counted:
        kept = []
        for one in left:
            if (reason := constraint.reason(one)) is None:
                kept.append(one)
            else:
                rejected.append((one, reason))
        left = kept
    left.sort(key=_merit)
    return Advice([(c.name, n) for c, n in counted], left, rejected)


def constraints(wish: Wish) -> Iterator[Constraint]:
    """What is unknown does not reject: it is said instead."""
    yield Constraint(f"language {wish.language}", partial(_against_language, wish))
    if wish.offline:
        yield Constraint("offline", _against_offline)
    if wish.ram_mb is not None:
        yield Constraint(f"memory {wish.ram_mb} MB", partial(_against_memory, wish.ram_mb))
    if wish.budget_ms is not None:
        yield Constraint(f"{wish.budget_ms:.0f} ms", partial(_against_budget, wish.budget_ms))
    if wish.any_use:
        yield Constraint("licence for any use", _against_licence)


def _against_language(wish: Wish, one: Candidate) -> str | None:
    if one.quality is None:
        return f"not made for {wish.language}"
    if one.quality.grade is Grade.POOR:
        return f"poor in {wish.language}: {one.quality.figure or one.quality.source}"
    return None


def _against_offline(one: Candidate) -> str | None:
    return None if one.offline else f"sends to {', '.join(one.hosts) or 'a service'}"


def _against_memory(ram_mb: int, one: Candidate) -> str | None:
    if not one.offline or one.memory_mb is None or one.memory_mb <= ram_mb:
        return None
    return f"needs {one.memory_mb} MB of {ram_mb} MB"


def _against_budget(budget_ms: float, one: Candidate) -> str | None:
    if one.latency_ms is None or one.latency_ms <= budget_ms:
        return None
    where = "here" if one.was_measured else "on two cores"
    return f"takes {one.latency_ms:.0f} ms {where}, {budget_ms:.0f} are wanted"


def _against_licence(one: Candidate) -> str | None:
    if one.licence.any_use or not one.offline:
        return None
    if one.licence.any_use is None:
        return "its licence is not known to allow any use"
    return f"not for any use: {one.licence}"


def candidates(config: Config, kind: str, wish: Wish) -> list[Candidate]:
    known = measured.load(config)
    if kind == "stt":
        return [
            _candidate(
                kind, name, model, best_for(traits.languages, wish.language), traits.offline,
                traits.hosts, traits.memory_mb, traits.latency_ms, traits.licence,
                stt_state(config, traits), traits.download, known,
            )
            for name, models_ in facts.hearing().items()
            for model, traits in models_.items()
        ]  # fmt: skip
    found = [
        _candidate(
            kind, name, model, best_for(voice.languages, wish.language), traits.offline,
            traits.hosts, traits.memory_mb, voice.latency_ms, voice.licence,
            tts_state(config, traits, voice), voice.download, known, neural=traits.neural,
        )
        for name, models_ in facts.speaking().items()
        for traits in models_.values()
        for voice, model in _voices(traits, wish.language)
    ]  # fmt: skip
    return list({(one.provider, one.model): one for one in found}.values())


def _voices(traits: TtsTraits, language: str) -> list[tuple[Voice, str]]:
    """The voices of a language by their ids; without one, one that stands for the engine."""
    if fitting := choice.voices_of(traits, language):
        return [(voice, voice.id) for voice in fitting]
    return [(voice, traits.model) for voice in list(traits.voices.values())[:1]]


def _candidate(
    kind: str,
    provider: str,
    model: str,
    quality: Quality | None,
    offline: bool,
    hosts: tuple[str, ...],
    memory_mb: int | None,
    latency_ms: float | None,
    licence: Licence,
    state: State,
    download: str,
    known: Any,
    neural: bool = True,
) -> Candidate:
    figures: Measured | None = known.get(measured.key(kind, provider, model))
    return Candidate(
        kind, provider, model, quality, offline, hosts, memory_mb,
        figures.latency_ms if figures else latency_ms, figures is not None, licence, state, download,
        neural,
    )  # fmt: skip


def _merit(one: Candidate) -> tuple[float, bool, bool, float, float]:
    """Better graded first; then what does not sound like a robot, what is known to be quick, and
    what has the better figure."""
    error = one.quality.value if one.quality is not None and one.quality.value is not None else 99.0
    latency_ms = 1e6 if one.latency_ms is None else one.latency_ms
    return -RANK[one.grade], not one.neural, one.latency_ms is None, error, latency_ms


# ---------------------------------------------------------------- what is printed


def _print(kind: str, advice: Advice) -> None:
    what = {"stt": "Hearing", "tts": "Speaking"}[kind]
    narrowed = ", ".join(f"{name} rejects {count}" for name, count in advice.order)
    typer.echo(f"{what} ({narrowed} of {len(advice.fitting) + len(advice.rejected)})")
    rows = [
        (
            n,
            one.provider,
            one.model,
            f"{one.grade} {one.quality.figure if one.quality else ''}".strip(),
            _latency(one),
            f"{one.memory_mb} MB" if one.memory_mb else "?",
            size_text(models()[one.download].size_bytes) if one.download in models() else "-",
            str(one.state),
        )
        for n, one in enumerate(advice.fitting, 1)
    ]
    if rows:
        head = ("", "provider", "model or voice", "grade", "latency", "memory", "download", "state")
        print_table(head, rows)
    else:
        typer.echo("nothing fits")
    grouped: dict[tuple[str, str], list[str]] = {}
    for one, reason in advice.rejected:
        grouped.setdefault((one.provider, reason), []).append(one.model)
    for (provider, reason), names in grouped.items():
        typer.echo(f"  not {provider} {', '.join(names)}: {reason}")
    typer.echo("")


def _latency(one: Candidate) -> str:
    if one.latency_ms is None:
        return "?"
    return f"{one.latency_ms:.0f} ms{'' if one.was_measured else ' (published)'}"


def _as_json(advice: Advice) -> dict[str, Any]:
    def shown(one: Candidate) -> dict[str, Any]:
        return {
            "provider": one.provider,
            "model": one.model,
            "grade": one.grade,
            "figure": one.quality.figure if one.quality else "",
            "latency_ms": one.latency_ms,
            "measured_here": one.was_measured,
            "memory_mb": one.memory_mb,
            "offline": one.offline,
            "state": one.state.readiness,
            "mend": one.state.mend,
        }

    return {
        "constraints": [{"name": name, "rejects": count} for name, count in advice.order],
        "fitting": [shown(one) for one in advice.fitting],
        "rejected": [shown(one) | {"reason": reason} for one, reason in advice.rejected],
    }
