"""`parlour bench fleet`: from the options of the command line to a table and a verdict."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console
from rich.table import Table

from parlour.errors import InputError
from parlour_bench.fixtures import fixture
from parlour_bench.fleet.device import Sentence
from parlour_bench.fleet.judge import Row, cut, ends, judge
from parlour_bench.fleet.plan import Size, draw
from parlour_bench.fleet.run import Heard, run, write_config
from parlour_bench.process import own_server

QUESTION = "what is the capital of france"
UNRELIABLE_MS = 10.0  # a client later than this measures itself


@dataclass(frozen=True, slots=True)
class Options:
    size: Size = Size()
    url: str | None = None  # of a running server's device link; None: one of the bench's own
    redis_url: str | None = None  # where the bench's own server decides
    json_file: Path | None = None


def fleet(options: Options) -> int:
    """Run the bench and print its table. Returns 0 if every target is met, else 1.

    Raises ParlourError if it cannot run.
    """
    file, size = options.json_file, options.size
    if file is not None and not file.parent.is_dir():
        raise InputError(f"cannot write {file}: there is no folder {file.parent}")
    if size.group_size > size.devices:
        raise InputError(f"{size.devices} devices make no group of {size.group_size}")
    if options.url is not None and options.redis_url is not None:
        raise InputError("--redis is for the bench's own server; the one at --url has its own")
    if options.url is not None and not options.url.startswith(("ws://", "wss://")):
        raise InputError(f"{options.url} is no device link: it looks like ws://HOST:8000/device")
    heard = anyio.run(_run, options)
    rows = judge(heard.words, heard.alone)
    told = as_json(size, rows, heard)
    if file is not None:
        file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    _show(rows, told["details"], Console(highlight=False))
    return 0 if told["ok"] else 1


async def _run(options: Options) -> Heard:
    said = fixture(QUESTION, "slt")
    sentence = Sentence(said.pcm, said.speech_end)
    words = draw(options.size)
    if options.url is not None:
        return await run(options.url, words, sentence)
    with tempfile.TemporaryDirectory() as name:
        config = write_config(Path(name), said, sentence.period, options.redis_url)
        async with own_server(config) as server:
            url = server.url.replace("http", "ws", 1) + "/device"
            return await run(url, words, sentence, pid=server.pid)


def as_json(size: Size, rows: Sequence[Row], heard: Heard) -> dict[str, Any]:
    core = None if heard.cpu_s is None else round(heard.cpu_s / heard.took_s, 3)
    return {
        "bench": "fleet",
        "ok": all(row.ok for row in rows),
        "rows": [asdict(row) | {"ok": row.ok} for row in rows],
        "details": {
            **asdict(size),
            "took_s": round(heard.took_s, 1),
            "server_core": core,
            "ends": dict(ends(heard.words)),
            "client_late_p95_ms": round(cut(heard.late_ms, 0.95), 1) if heard.late_ms else None,
        },
    }


def _show(rows: Sequence[Row], details: Mapping[str, Any], console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("", "n", "p50", "p95", "target", ""):
        table.add_column(column)
    for row in rows:
        has_target = row.target_p50 is not None or row.target_p95 is not None
        target = f"{_text(row.target_p50)} / {_text(row.target_p95)}" if has_target else ""
        verdict = ("met" if row.ok else "MISSED") if has_target else ""
        table.add_row(row.what, str(row.n), _text(row.p50), _text(row.p95), target, verdict)
    console.print(table)
    core, late = details["server_core"], details["client_late_p95_ms"]
    if core is not None:
        console.print(f"the server used {core:.0%} of a core in {details['took_s']:.0f} s")
    turns = ", ".join(f"{count} {end}" for end, count in sorted(details["ends"].items()))
    console.print(f"turns ended: {turns}")
    if late is not None:
        unreliable = "" if late <= UNRELIABLE_MS else ": UNRELIABLE"
        console.print(f"this bench's own lateness, p95: {late:g} ms{unreliable}")


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
