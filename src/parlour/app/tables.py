"""Tables on a terminal, and plain columns in a pipe."""

from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Table


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Wide cells are folded on a terminal; in a pipe each row is one line of columns."""
    console = Console()
    cells = [[str(cell) for cell in row] for row in rows]
    if not console.is_terminal:
        widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
        for row in (list(head), *cells):
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            typer.echo(line.rstrip())
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in head:
        table.add_column(name, overflow="fold")
    for row in cells:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    console.print(table)
