"""`parlour interpret`: sentences in, what would be done out, a JSON object a line."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from parlour.errors import InputError
from parlour.home.entities import House
from parlour.home.grammar import HouseGrammar
from parlour.home.interpretation import Interpretation, interpret
from parlour.home.language import LANGUAGES
from parlour.home.replies import explain
from parlour.ids import DeviceId
from parlour.ports import Grammar, Place

LONGEST_LINE = 64 * 1024


def run(language: str, home: Path | None, area: str | None) -> None:
    """Read stdin to its end; a line that cannot be read is answered with an error of its own."""
    if language[:2] not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise InputError(f"there is no grammar for {language}; there are: {known}")
    house = _demo_house() if home is None else _written_house(home)
    _check_area(area, house)
    grammar = HouseGrammar(house)
    grammar.warm(language)
    for record in answers(sys.stdin, language, grammar, house, area):
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
        sys.stdout.flush()


# Each takes a good part of a second to import, and only one of them is needed.


def _demo_house() -> House:
    from parlour.home.demo import FLOORS, demo_entities  # noqa: PLC0415
    from parlour.home.entities import Area, Floor, Places  # noqa: PLC0415
    from parlour.home.paper import PaperHouse  # noqa: PLC0415

    areas = {area: Area(area, floor) for floor, listed in FLOORS.items() for area in listed}
    return PaperHouse(demo_entities(), Places(areas, {name: Floor(name) for name in FLOORS}))


def _written_house(home: Path) -> House:
    from parlour.app.homefile import load_home  # noqa: PLC0415

    return load_home(home)


def answers(
    lines: TextIO, language: str, grammar: Grammar, house: House, area: str | None
) -> Iterator[dict[str, object]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked = json.loads(line) if len(line) <= LONGEST_LINE else None
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("text"), str):
            error = 'expected {"id": ..., "text": "..."}'
            yield {"id": None, "error": f"line {number}: {error}"}
            continue
        where = asked.get("area", area)
        place = Place(DeviceId("interpret"), _known_area(str(where), house) if where else None)
        began = time.perf_counter()
        found = interpret(asked["text"], language, grammar, house, place)
        took_ms = (time.perf_counter() - began) * 1e3
        yield {"id": asked.get("id"), **as_record(found, language), "ms": round(took_ms, 2)}


def as_record(found: Interpretation, language: str) -> dict[str, object]:
    record: dict[str, object] = {"verdict": found.verdict, "actions": list(found.actions)}
    if found.query is not None:
        record["query"] = found.query
    if found.refused:
        record["refused"] = " ".join(explain(one, language) for one in found.refused)
    return record


def _known_area(area: str, house: House) -> str:
    """The area as the house spells it."""
    known = {a.casefold(): a for a in (*house.places.areas, *_areas_of(house))}
    return known.get(area.casefold(), area)


def _areas_of(house: House) -> set[str]:
    return {e.area for e in house.entities.values() if e.area}


def _check_area(area: str | None, house: House) -> None:
    known = sorted({*house.places.areas, *_areas_of(house)})
    if area is not None and area.casefold() not in {a.casefold() for a in known}:
        raise InputError(f"there is no area {area!r}; there are: {', '.join(known)}")
