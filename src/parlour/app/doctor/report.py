"""`parlour doctor`: looks at everything that Parlour needs and names the mend of what is wrong."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial

import anyio
import typer

from parlour.app.config import Loaded
from parlour.app.doctor.engines import check_choices, check_hearing, check_model, check_speaking
from parlour.app.doctor.findings import Finding, Verdict, look_at
from parlour.app.doctor.host import check_host, check_port
from parlour.app.doctor.services import service_checks
from parlour.app.doctor.tools import tool_checks, unused_sections


def doctor(loaded: Loaded, *, as_json: bool) -> int:
    """Print what was found; returns 1 if anything is bad."""
    log = logging.getLogger("parlour")
    if not log.isEnabledFor(logging.DEBUG):
        log.setLevel(logging.ERROR)  # what is worth a warning is a finding
    findings = anyio.run(partial(_examine, loaded, quiet=as_json))
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(one) for one in findings]}, ensure_ascii=False))
    bad = [one for one in findings if one.verdict is Verdict.BAD]
    if not as_json:
        typer.echo(f"{len(bad)} of {len(findings)} need mending" if bad else "all is well")
    return 1 if bad else 0


async def _examine(loaded: Loaded, *, quiet: bool) -> list[Finding]:
    findings = []
    async for finding in _all(loaded):
        findings.append(finding)
        if not quiet:
            sign = {Verdict.OK: "ok  ", Verdict.WARN: "hm  ", Verdict.BAD: "BAD "}[finding.verdict]
            typer.echo(f"{sign} {finding.subject}: {finding.said}")
            if finding.mend:
                typer.echo(f"     mend: {finding.mend}")
    return findings


async def _all(loaded: Loaded) -> AsyncIterator[Finding]:
    config = loaded.config
    where = f"{loaded.path} is right" if loaded.path else "no file: the built-in default"
    yield Finding("configuration", Verdict.OK, where)
    for finding in check_host(config):
        yield finding
    yield check_port(config)
    for finding in check_choices(config):
        yield finding
    yield await check_hearing(config)
    yield await check_speaking(config)
    if config.llm.provider != ["none"]:
        yield await check_model(config)
    for finding in unused_sections(config):
        yield finding
    for finding in await look_at([*service_checks(config), *tool_checks(config)]):
        yield finding
