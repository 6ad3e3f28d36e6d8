"""`parlour bench agent`: from the options of the command line to a report."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import anyio
from rich.console import Console

from parlour.errors import InputError
from parlour_bench.agent.report import Report, as_json, show, summarise
from parlour_bench.agent.run import run
from parlour_bench.agent.surroundings import RealModel, check_installed, surroundings
from parlour_bench.agent.tasks import Task, load


@dataclass(frozen=True, slots=True)
class Options:
    only: str | None = None  # a class, or the id of a task
    short: bool = False  # the choice that is run at every change
    json_file: Path | None = None
    verbose: bool = False


def agent(options: Options, real: RealModel | None = None) -> int:
    """Run the tasks and print the report; returns 1 if one was wrong.

    `real`: a language model in place of the scripted one. Raises ParlourError if it cannot run.
    """
    if options.json_file is not None and not options.json_file.parent.is_dir():
        raise InputError(f"cannot write {options.json_file}: there is no such folder")
    check_installed()
    chosen = load(options.only, short=options.short)
    report = anyio.run(_run, chosen, real, Console(stderr=True, highlight=False))
    if options.json_file is not None:
        told = json.dumps(as_json(report), indent=1, ensure_ascii=False)
        options.json_file.write_text(told + "\n", encoding="utf-8")
    show(report, verbose=options.verbose)
    return 0 if report.ok else 1


async def _run(chosen: list[Task], real: RealModel | None, console: Console) -> Report:
    began_s = anyio.current_time()
    console.print("starting servers ...", style="dim")
    with tempfile.TemporaryDirectory() as folder:
        async with surroundings(Path(folder), real) as around:
            done = await run(around, chosen)
            sizes = around.model.prompt_chars if around.model else []
            return summarise(
                done,
                model=real.model if real else "scripted",
                ready_s=around.ready_s,
                took_s=anyio.current_time() - began_s,
                prompt_chars=sizes,
            )
