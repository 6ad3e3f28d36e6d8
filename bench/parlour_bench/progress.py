"""A line for each utterance, so that a long run shows what it is at and how long it will take."""

import time

from rich.console import Console

from parlour_bench.measured import Measured, Verdict

FIRST = 5  # utterances, before the rest is estimated


class Progress:
    """Prints to a console. The estimate takes what is left to be like what was."""

    def __init__(self, console: Console, count: int) -> None:
        self._console = console
        self._count = count
        self._done = 0
        self._began_s = time.monotonic()

    def tell(self, m: Measured) -> None:
        self._done += 1
        ms = m.latency_ms
        took = "   -   " if ms is None else f"{ms:4.0f} ms"
        how = "cut, merged" if m.merges else "cut" if m.cuts else m.verdict
        line = (
            f"{self._done:4}/{self._count} {self._left():>9}  {took}  {how:11}  {m.said.voice:8}  "
            f'{m.said.row}: "{m.said.utterance.text}"'
        )
        wrong = m.verdict is not Verdict.RIGHT and m.said.snr_db is None
        style = "yellow" if wrong else "dim"
        self._console.print(line, style=style, markup=False, soft_wrap=True)

    def _left(self) -> str:
        if self._done < FIRST:
            return ""
        each_s = (time.monotonic() - self._began_s) / self._done
        left_s = round(each_s * (self._count - self._done))
        hours, minutes, seconds = left_s // 3600, left_s // 60 % 60, left_s % 60
        clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        return f"-{clock}"
