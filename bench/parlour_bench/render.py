"""A report as tables: for a terminal, and the same as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from parlour_bench.measured import Verdict
from parlour_bench.plan import Group
from parlour_bench.report import Report, Spread, is_noisy

STAGES = {
    "speech_end_true": "speech ends",
    "speech_end": "the server sees it",
    "vad_off": "the network agrees",
    "eager": "an answer may be prepared",
    "speculation_start": "the answer that is given is begun",
    "stt_final": "the words are known",
    "commit": "the turn is taken",
    "llm_first_token": "first word of the answer",
    "first_clause": "its first clause",
    "tts_first": "its first sound is made",
    "sent_first": "its first sound is sent",
    "played_first": "the device says it plays",
    "audible": "it comes out of the speaker",
}
LABEL, COLUMN = 34, 17  # characters of a terminal


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table in words. The first column is text, the others are figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_narrow: bool = True  # so that no heading need be broken


def show(report: Report, console: Console) -> None:
    console.print(f"\n{report.how}", soft_wrap=True)
    for sheet in sheets(report, max(1, (console.width - LABEL) // COLUMN)):
        console.print(f"\n{sheet.title}", soft_wrap=True)
        table = Table(box=None, pad_edge=False)
        for n, column in enumerate(sheet.columns):
            table.add_column(
                column, justify="right" if n else "left", no_wrap=sheet.is_narrow or not n
            )
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)
    if note := _ended(report):
        console.print(f"\n{note}", soft_wrap=True)


def as_markdown(report: Report) -> str:
    parts = [report.how]
    for sheet in sheets(report, len(report.stages)):
        lines = [f"**{sheet.title}**", "", _line(sheet.columns)]
        lines.append(_line(["---", *["---:"] * (len(sheet.columns) - 1)]))
        lines += [_line(row) for row in sheet.rows]
        parts.append("\n".join(lines))
    if note := _ended(report):
        parts.append(note)
    return "\n\n".join(parts) + "\n"


def complaints(report: Report) -> Iterator[str]:
    """One line for each utterance that did not end right, noise and flaws of models apart."""
    for m in report.measured:
        said = m.said
        wrong = m.verdict is not Verdict.RIGHT or (m.cuts and said.group is Group.EMBEDDED)
        if wrong and said.snr_db is None:
            cut = ", cut off" if m.cuts else ""
            why = " ".join(m.why.split())
            yield f'{m.verdict}{cut} ({said.row}, {said.voice}) "{said.utterance.text}": {why}'


def sheets(report: Report, wide: int) -> Iterator[Sheet]:
    """`wide`: how many classes fit beside each other."""
    yield _latencies(report)
    classes = [name for name, stages in report.stages.items() if stages and not is_noisy(name)]
    for at in range(0, len(classes), max(1, wide)):
        yield _stages({name: report.stages[name] for name in classes[at : at + wide]})
    if report.verdicts:
        yield _verdicts(report)
    if report.checks:
        rows = [[c.what, f"{c.value:g}", c.bound, _verdict(ok=c.ok)] for c in report.checks]
        yield Sheet("What must not go wrong", ["", "measured", "target", ""], rows)
    rows = [[figure.what, f"{figure.value:g}"] for figure in report.figures]
    if report.memory is not None:
        for name in ("rss_mb", "pss_mb", "uss_mb"):
            value = getattr(report.memory, name)
            rows.append([f"idle memory, {name[:3].upper()}, MB", f"{value:g}"])
    if rows:
        yield Sheet("Other figures", ["", "measured"], rows)


def _latencies(report: Report) -> Sheet:
    title = "From the true end of speech to the first byte of the answer, ms (targets: p50/p95)"
    if report.calibration_ms is not None:
        title += f"; they are multiples of this machine's {report.calibration_ms:.0f} ms"
    rows = []
    for row in report.rows:
        cells = [row.name, *_cells(row.spread), "", ""]
        if row.target_p50_ms is not None and row.target_p95_ms is not None:
            cells[-2] = f"{row.target_p50_ms:.0f}/{row.target_p95_ms:.0f}"
            cells[-1] = _verdict(ok=row.ok)
        rows.append(cells)
    columns = ["", "n", "p50", "p90", "p95", "p99", "max", "target", ""]
    return Sheet(title, columns, rows)


def _stages(stages: Mapping[str, Mapping[str, Spread]]) -> Sheet:
    rows = []
    for stage, words in STAGES.items():
        if stage == "speech_end_true":
            cells = ["0" for _ in stages]
        else:
            cells = [_pair(of_class.get(stage)) for of_class in stages.values()]
        if any(cells):
            rows.append([words, *cells])
    title = "When each stage is reached, ms from the true end of speech, p50 / p95"
    return Sheet(title, ["", *stages], rows, is_narrow=False)


def _verdicts(report: Report) -> Sheet:
    columns = ["said", *Verdict, "cut off"]
    rows = [
        [voice, *(str(counts[column]) for column in columns)]
        for voice, counts in report.verdicts.items()
    ]
    totals = [sum(counts[column] for counts in report.verdicts.values()) for column in columns]
    rows.append(["all", *map(str, totals)])
    return Sheet("What came of the commands", ["voice", *columns], rows)


def _ended(report: Report) -> str:
    return f"The run ended early: {report.ended}." if report.ended else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(found: Spread) -> list[str]:
    values = (found.p50, found.p90, found.p95, found.p99, found.max)
    return [str(found.n), *(f"{value:.0f}" for value in values)]


def _pair(found: Spread | None) -> str:
    return "" if found is None else f"{found.p50:.0f} / {found.p95:.0f}"


def _verdict(*, ok: bool) -> str:
    return "met" if ok else "MISSED"
