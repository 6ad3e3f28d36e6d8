"""`parlour models`: list, pull, rm, verify."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from parlour.app import choice
from parlour.app.engines import model_folder
from parlour.app.pull import Progress, Report, pull, size_text
from parlour.app.sections import Config
from parlour.app.tables import print_table
from parlour.catalogue.folder import Flaw, ModelFolder, Presence
from parlour.catalogue.models import Model, find, models
from parlour.errors import InputError
from parlour.traits import covers

log = logging.getLogger(__name__)

_PULL = "parlour models pull %s"


def list_models(config: Config, *, language: str | None, here: bool, as_json: bool) -> None:
    folder = model_folder(config)
    chosen = [
        (model, folder.presence(model))
        for model in models().values()
        if language is None or any(covers(known, language) for known in model.languages)
    ]
    if here:
        chosen = [
            (model, presence) for model, presence in chosen if presence is not Presence.ABSENT
        ]
    if as_json:
        rows = [_as_json(model, presence, folder) for model, presence in chosen]
        typer.echo(json.dumps({"folder": str(folder.root), "models": rows}, ensure_ascii=False))
        return
    print_table(
        ("model", "languages", "size", "state", "any use", "recordings"),
        [
            (
                model.id,
                " ".join(model.languages),
                size_text(model.size_bytes),
                presence,
                {True: "yes", False: "no", None: "unknown"}[model.licence.any_use],
                model.licence.recordings or "-",
            )
            for model, presence in chosen
        ],
    )
    typer.echo(f"in {folder.root}")


def pull_models(config: Config, wanted: Sequence[str], *, mirror: str | None) -> None:
    """Fetch models by their ids, or those that the configuration needs."""
    folder = model_folder(config)
    chosen = [find(one) for one in wanted] or needed(config)
    if not chosen:
        typer.echo("the configuration needs no model")
        return
    for model in chosen:
        with _bars(model) as report:
            fresh = pull(model, folder, mirror=mirror or config.models.mirror, report=report)
        typer.echo(f"{model.id} {'is here' if fresh else 'was here already'}")


def remove_models(config: Config, wanted: Sequence[str]) -> None:
    folder = model_folder(config)
    for one in wanted:
        if one not in set(folder.present()) and one not in models():
            find(one)  # raises, naming those that come close
        freed = folder.remove(one)
        typer.echo(
            f"{one} is gone, {size_text(freed)} are free" if freed else f"{one} was not here"
        )


def verify_models(config: Config, wanted: Sequence[str], *, repair: bool) -> int:
    """Check digests; returns the exit code."""
    folder = model_folder(config)
    chosen = [find(one) for one in wanted] or [
        models()[one] for one in folder.present() if one in models()
    ]
    if not chosen:
        typer.echo(f"there is no model in {folder.root}")
    bad = 0
    for model in chosen:
        flaws = folder.verify(model)
        for flaw in flaws:
            typer.echo(f"{model.id}: {flaw.name} {flaw.reason}")
        if not flaws:
            typer.echo(f"{model.id} is whole")
        elif repair:
            _repair(config, folder, model, flaws)
        else:
            bad += 1
            typer.echo(f"mend it with: parlour models verify {model.id} --repair")
    return min(1, bad)


def needed(config: Config) -> list[Model]:
    """The models that the chosen engines and voices need, in the order of the chains."""
    ids = [choice.stt_traits(config, name).download for name in config.stt.provider]
    ids += [_download_of_voice(config, name) for name in config.tts.provider if name != "coqui"]
    return [models()[one] for one in dict.fromkeys(ids) if one in models()]


def _download_of_voice(config: Config, name: str) -> str:
    voice = (choice.voice_for(config, name) or "").partition("#")[0]
    known = choice.tts_traits(config, name).voices.get(voice)
    return known.download if known else ""


def missing(config: Config) -> list[Model]:
    """Those of the needed models that are not here."""
    folder = model_folder(config)
    return [model for model in needed(config) if folder.presence(model) is not Presence.HERE]


def fetch_missing(config: Config, *, may_ask: bool) -> None:
    """At the start: fetch what the configuration needs, as far as `models.download` allows.

    Raises InputError, which names the command, for what may not be fetched.
    """
    for model in missing(config):
        allowed = config.models.download == "auto"
        if config.models.download == "ask" and may_ask:
            size = size_text(model.size_bytes)
            allowed = typer.confirm(f"{model.id} is needed and not here ({size}). Fetch it?", True)
        if not allowed and len(config.stt.provider) + len(config.tts.provider) > 2:
            log.warning(
                "%s is not here, the next engine serves instead: %s", model.id, _PULL % model.id
            )
            continue
        if not allowed:
            raise InputError(f"{model.id} is not here: {_PULL % model.id}")
        pull_models(config, [model.id], mirror=None)


def _repair(config: Config, folder: ModelFolder, model: Model, flaws: Sequence[Flaw]) -> None:
    for flaw in flaws:
        (folder.path(model.id) / flaw.name).unlink(missing_ok=True)
    pull_models(config, [model.id], mirror=None)


def _as_json(model: Model, presence: Presence, folder: ModelFolder) -> dict[str, object]:
    return {
        "id": model.id,
        "languages": model.languages,
        "size_bytes": model.size_bytes,
        "state": presence,
        "revision": model.revision,
        "licence": {
            "code": model.licence.code,
            "weights": model.licence.weights,
            "recordings": model.licence.recordings,
            "any_use": model.licence.any_use,
            "source": model.licence.source,
        },
        "sha256": folder.pinned(model.id),
        "source": model.source,
    }


@contextmanager
def _bars(model: Model) -> Iterator[Report]:
    """A bar for each file, on a terminal; nothing elsewhere."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def report(progress: Progress) -> None:
            if progress.file not in tasks:
                tasks[progress.file] = bars.add_task(progress.file, total=progress.size)
            bars.update(tasks[progress.file], completed=progress.done, total=progress.size)

        yield report
