"""`parlour bench wake`: from the options of the command line to a report."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from parlour.errors import InputError
from parlour_bench.wake import picture, report
from parlour_bench.wake.run import Size, simulate

WHOLE, SHORT = Size(), Size(wakes=2000, homes=100)
RENDERED, RENDERED_SHORT = Size(wakes=400, homes=40), Size(wakes=24, homes=6)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a report goes besides the terminal."""

    json_file: Path | None = None
    picture: Path | None = None

    def check(self) -> None:
        """Raise InputError if one of them cannot be written."""
        for file in (self.json_file, self.picture):
            if file is not None and not file.parent.is_dir():
                raise InputError(f"cannot write {file}: there is no folder {file.parent}")
        if self.picture is not None and self.picture.suffix != ".svg":
            raise InputError(f"cannot draw {self.picture}: pictures are .svg")


def size(
    wakes: int | None, homes: int | None, seed: int, *, short: bool = False, render: bool = False
) -> Size:
    """What was not asked for is as usual."""
    usual = (RENDERED_SHORT if short else RENDERED) if render else (SHORT if short else WHOLE)
    return replace(usual, wakes=wakes or usual.wakes, homes=homes or usual.homes, seed=seed)


def wake(size: Size, outputs: Outputs | None = None, *, render: bool = False) -> int:
    """Run the model and print its report; returns 1 if a target was missed.

    `render`: with speech in rendered rooms, through the server's own level meter. Raises
    ParlourError if it cannot run.
    """
    outputs = outputs or Outputs()
    outputs.check()
    found, shown = simulate(size, is_rendered=render)
    report.show(found)
    if outputs.json_file is not None:
        told = json.dumps(report.as_json(found), indent=1)
        outputs.json_file.write_text(told + "\n", encoding="utf-8")
    if outputs.picture is not None:
        outputs.picture.write_text(picture.draw(found, shown), encoding="utf-8")
    return 0 if found.ok else 1
